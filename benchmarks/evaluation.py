#!/usr/bin/env python3
"""What one evaluation of J and its gradient costs: time, share of the machine's matrix rate, memory.

    python benchmarks/evaluation.py                  both networks, 256 to 1024 px
    python benchmarks/evaluation.py --torch          adds PyTorch at the same size, if it is installed
    python benchmarks/evaluation.py --sides 400      400x300 alone

The full width has random weights, for which the arithmetic is the same. The yardstick is the best of
five products of 4096-square matrices in TensorFlow, same threads, same type. Memory is the peak of a
process of its own, less what it held before the first evaluation. Times are the best of `--repeats`.
"""

import argparse
import json
import subprocess
import sys
import time

import numpy as np

import nst_utils as nst
from nst_support import weight_files
from nst_support.startup import has_fast_bfloat16
from nst_utils import tf
from studio import estimate
from studio.objective import Objective
from studio.settings import Settings

WIDTHS = (64, 128, 256, 512, 512)
LAYERS = (nst.CONTENT_LAYER, *nst.STYLE_LAYERS)


def weights_of(network):
    if network == "slim":
        return weight_files.read_weights(weight_files.SLIM)
    rng, weights, n_in = np.random.default_rng(0), {}, 3
    for name in nst.LAYERS[: nst.LAYERS.index("conv5_1") + 1]:
        n_out = WIDTHS[int(name[4]) - 1]
        kernel = rng.normal(0, np.sqrt(2 / (9 * n_in)) / (64 if n_in == 3 else 1), (3, 3, n_in, n_out))
        weights[name], n_in = (np.float32(kernel), np.zeros(n_out, np.float32)), n_out
    return weights


def pictures(side):
    """C and S of noise, side x 3/4 side."""
    rng = np.random.default_rng(1)
    return (tf.constant(rng.uniform(0, top, (1, side * 3 // 4, side, 3)), tf.float32) for top in (1, 0.5))


def operations(weights, side):
    """Multiplications and additions of one evaluation: forward, and backward to the picture (as much again)."""
    multiplications = 0
    for name, (kernel, _) in weights.items():
        shrink = 2 ** (int(name[4]) - 1)
        multiplications += kernel.size * (side // shrink) * (side * 3 // 4 // shrink)
    return 2 * 2 * multiplications


def best_seconds(function, repeats):
    times = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times[1:])  # the first one traces


def matrix_rate(dtype):
    """Operations per second of a product of 4096-square matrices, best of five."""
    n = 4096
    A = tf.cast(tf.random.uniform((n, n)), dtype)
    product = tf.function(lambda A: tf.reduce_sum(tf.matmul(A, A)[:1, :1]))
    return 2 * n**3 / best_seconds(lambda: product(A).numpy(), 5)


def one(network, side, precision, repeats):
    """Seconds and peak bytes of one evaluation, for a process of its own."""
    vgg = nst.build_vgg19(weights_of(network), LAYERS, dtype=precision)
    C, S = pictures(side)
    before = estimate.resident_bytes()
    evaluate = Objective(vgg, C, S, Settings()).value_and_gradient
    seconds = best_seconds(lambda: evaluate(C)[1].numpy(), repeats)
    peak = 0
    if sys.platform.startswith("linux"):
        import resource

        peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"seconds": seconds, "peak": peak}


def one_of_torch(network, side, precision, repeats):
    import torch
    from torch_lbfgs import cost

    weights = weights_of(network)
    C, S = pictures(side)
    J = cost(weights, nst.Objective(nst.build_vgg19(weights, LAYERS), C, S), getattr(torch, precision))
    x = torch.tensor(np.asarray(C)).permute(0, 3, 1, 2).contiguous().requires_grad_()

    def evaluate():
        x.grad = None
        J(x).backward()

    return {"seconds": best_seconds(evaluate, repeats), "peak": 0}


def in_a_process(*arguments):
    command = [sys.executable, __file__, "--one", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, arguments))}: failed\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", type=int, nargs="+", default=[256, 400, 512, 1024], metavar="PX")
    parser.add_argument("--networks", nargs="+", default=["slim", "full"], choices=("slim", "full"))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--torch", action="store_true", help="add PyTorch")
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        library, network, side, precision, repeats = args.one
        measure = one if library == "tensorflow" else one_of_torch
        print(json.dumps(measure(network, int(side), precision, int(repeats))))
        return
    precisions = ["float32", "bfloat16"] if has_fast_bfloat16() else ["float32"]
    rates = {p: matrix_rate(getattr(tf, p)) for p in precisions}
    print(*(f"4096-square matrix product, {p}: {rate / 1e9:.0f} GFLOP/s" for p, rate in rates.items()), sep="\n")
    print(
        f"\n{'library':11}{'network':8}{'size':>10}{'type':>10}{'seconds':>10}{'ns/px':>8}{'of rate':>9}{'peak MB':>9}"
    )
    for network in args.networks:
        work = weights_of(network)
        for library in ("tensorflow", *(["torch"] if args.torch else [])):
            for side in args.sides:
                for precision in precisions:
                    found = in_a_process(library, network, side, precision, args.repeats)
                    size, pixels = f"{side}x{side * 3 // 4}", side * (side * 3 // 4)
                    peak = f"{found['peak'] / 1e6:.0f}" if found["peak"] else "-"  # not measured
                    share = operations(work, side) / found["seconds"] / rates[precision]
                    print(
                        f"{library:11}{network:8}{size:>10}{precision:>10}{found['seconds']:>10.3f}"
                        f"{1e9 * found['seconds'] / pixels:>8.0f}{share:>9.0%}{peak:>9}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
