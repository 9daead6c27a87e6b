"""Fewer, better steps: bounded L-BFGS from a coarse picture to the fine one."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: TensorFlow has threads of its own

import contextlib
from dataclasses import replace

import numpy as np
import tensorflow as tf
from scipy.optimize import minimize

import nst_utils as nst

SMALLEST = 16  # px, below which conv5_1 has nothing left


def resized(image, size):
    """The image (1, ., ., 3) at size = (n_H, n_W), in [0, 1]."""
    return tf.clip_by_value(tf.image.resize(image, size, "lanczos3", antialias=True), 0, 1)


class _Spent(Exception):
    """The evaluations are used up; scipy by itself would finish its line search."""


def lbfgs(objective, start, evaluations):
    """The best image in [0, 1] that L-BFGS-B (Zhu et al., ACM TOMS 23, 1997) finds from `start`.

    objective: G -> (J, ...). evaluations: at most so many of J and its gradient together.
    Raises FloatingPointError if J is not finite.
    """

    @tf.function
    def value_and_gradient(G):
        with tf.GradientTape() as tape:
            tape.watch(G)
            J = objective(G)[0]
        return J, tape.gradient(J, G)

    best, used, scale = (np.inf, np.ravel(start)), 0, None

    def cost(x):
        nonlocal best, used, scale
        if used == evaluations:
            raise _Spent
        used += 1
        J, gradient = value_and_gradient(tf.constant(x.reshape(start.shape), tf.float32))
        J, gradient = float(J), np.float64(gradient).ravel()
        if not np.isfinite(J):
            raise FloatingPointError(f"evaluation {used}: J is no longer finite. Use a smaller beta.")
        if best[0] > J:
            best = J, x.copy()
        # L-BFGS-B's first step has the length of 1, or of the gradient if that is less. Scaled, that
        # is a change of about 0.1 in every pixel, whatever the cost's own size.
        scale = scale or 0.1 * np.sqrt(x.size) / np.linalg.norm(gradient)
        return J * scale, gradient * scale

    options = {"maxiter": evaluations, "maxfun": evaluations + 1, "maxcor": 50, "ftol": 0, "gtol": 0}
    with contextlib.suppress(_Spent):
        minimize(
            cost,
            np.float64(start).ravel(),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0, 1)] * best[1].size,
            options=options,
        )
    return tf.constant(best[1].reshape(start.shape), tf.float32)


def coarse_to_fine(vgg, C, S, beta=100.0, evaluations=(80, 100)):
    """Stylise at half the size, carry the picture up, and go on at the full size.

    Large strokes are found where they are cheap: the network's deepest layers see little of a large
    picture at once. vgg, C, S: as for `nst_utils.train`. evaluations: per size, coarse to fine.
    Returns (G, (J, J_content, J_style) of G as saved), with balanced weights and this beta.
    """
    G = C
    for i, count in enumerate(evaluations):
        factor = 0.5 ** (len(evaluations) - 1 - i)
        c, s, G = (
            resized(image, [max(SMALLEST, round(n * factor)) for n in full.shape[1:3]])
            for image, full in ((C, C), (S, S), (G, C))
        )
        objective = nst.Objective(vgg, c, s)
        objective.weights = replace(objective.weights, beta=beta)
        G = lbfgs(objective, G, count)
    return G, [float(cost) for cost in objective(nst.as_saved(G))]
