#!/usr/bin/env python3
"""What run after run leaves in memory: the process after 5, 10, ... runs, and how much it has grown since the fifth.

    python benchmarks/memory.py                    both networks, the engine and nst.train, 60 runs each at 150 px
    python benchmarks/memory.py --networks slim    the bundled network alone
    python benchmarks/memory.py --sizes 20         the same sizes in turn, each three times

The full width has random weights, for which the memory is the same. Each series has a process of its own.
"""

import argparse
import contextlib
import io
import subprocess
import sys

import numpy as np

SIDE = 150  # px
EVALUATIONS = 3  # of each run: what is left behind does not depend on it


def runs_of(how, network):
    """A function (C, S) that makes one run."""
    import nst_utils as nst
    from benchmarks.evaluation import LAYERS, weights_of
    from studio.optimise import stylise

    vgg = None if how == "found" else nst.build_vgg19(weights_of(network), LAYERS)
    if how == "train":
        return lambda C, S: list(nst.train(vgg, C, S, steps=EVALUATIONS))
    return lambda C, S: list(stylise(C, S, vgg, evaluations=EVALUATIONS, bar=False))


def series(how, network, count, sizes):
    """Print a line every five runs, or every round of the sizes: so many runs, MB held, growth since the first line."""
    from nst_utils import tf
    from studio.estimate import resident_bytes

    run, first = runs_of(how, network), None
    every = sizes or 5
    for i in range(count):
        side = SIDE + 2 * (i % sizes if sizes else 0)
        rng = np.random.default_rng(i)
        C, S = (tf.constant(rng.uniform(size=(1, side * 3 // 4, side, 3)), tf.float32) for _ in range(2))
        with contextlib.redirect_stdout(io.StringIO()):  # the estimates
            run(C, S)
        if (i + 1) % every == 0:
            held = resident_bytes()
            first = first or held
            print(f"{how:8}{network:6}{i + 1:>6} runs{held / 1e6:>9.0f} MB{held / first - 1:>+8.1%}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=["slim", "full"], choices=("slim", "full"))
    parser.add_argument("--how", nargs="+", default=["given", "found", "train"], choices=("given", "found", "train"))
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--sizes", type=int, default=0, metavar="N", help="so many sizes in turn, in rounds")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not sys.platform.startswith("linux"):
        sys.exit("benchmarks/memory.py reads /proc, which only Linux has.")
    if args.one:
        series(*args.one, args.runs, args.sizes)
        return
    for network in args.networks:
        for how in args.how:
            if how == "found" and network == "full":
                continue  # the network found is a file, and random weights are none
            options = ["--runs", str(args.runs), "--sizes", str(args.sizes)]
            subprocess.run([sys.executable, __file__, "--one", how, network, *options], check=True)


if __name__ == "__main__":
    main()
