"""PyTorch's L-BFGS on the same weights and cost, for benchmarks/optimisers.py and evaluation.py."""

import numpy as np
import torch
import torch.nn.functional as F

import nst_utils as nst
from nst_support.layers import BGR_MEAN


def network(weights, dtype=torch.float32):
    """{layer: (kernel, bias)} as a function from (1, 3, n_H, n_W) pictures to {layer: activations}."""
    weights = {
        name: (torch.tensor(np.transpose(kernel, (3, 2, 0, 1)).copy(), dtype=dtype), torch.tensor(bias, dtype=dtype))
        for name, (kernel, bias) in weights.items()
    }
    mean = torch.tensor(BGR_MEAN).reshape(1, 3, 1, 1)

    def activations(image):
        a, seen = (image.flip(1) * 255 - mean).to(dtype).contiguous(memory_format=torch.channels_last), {}
        for name, (kernel, bias) in weights.items():
            if name.endswith("_1") and name != "conv1_1":
                a = F.avg_pool2d(a, 2)
            seen[name] = a = F.relu(F.conv2d(a, kernel, bias, padding=1))
        return seen

    return activations


def gram_per_position(a):
    a = a.float().flatten(2)[0]
    return a @ a.T / a.shape[1]


def cost(weights, objective, dtype=torch.float32):
    """The same J as `nst.Objective`, whose targets and weights it takes: (1, 3, n_H, n_W) -> scalar."""
    see = network(weights, dtype)
    a_C = torch.tensor(np.asarray(objective.a_C)).permute(0, 3, 1, 2)
    GS = {name: torch.tensor(np.asarray(G))[0] for name, G in objective.GS.items()}

    def J(image):
        a = see(image)
        content = ((a[nst.CONTENT_LAYER].float() - a_C) ** 2).mean() / 4
        style = sum(
            weight * ((gram_per_position(a[name]) - GS[name]) ** 2).mean() / 4
            for name, weight in objective.weights.style_layers.items()
        )
        return objective.weights.alpha * content + objective.weights.beta * style

    return J


def minimise_with_torch(weights, setting, steps, record):
    """torch.optim.LBFGS from C, clipped to [0, 1] at every evaluation, as PyTorch's tutorial does it."""
    J = cost(weights, setting.objective)
    x = torch.tensor(np.asarray(setting.C)).permute(0, 3, 1, 2).contiguous().requires_grad_()
    optimizer = torch.optim.LBFGS([x])

    def closure():
        with torch.no_grad():
            x.clamp_(0, 1)
        optimizer.zero_grad()
        value = J(x)
        value.backward()
        record(x.detach().permute(0, 2, 3, 1).numpy())
        return value

    for _ in range(steps):
        optimizer.step(closure)
