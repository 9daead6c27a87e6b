#!/usr/bin/env python3
"""What Dask costs: a large picture's tiles over worker processes against one process on the same cores, in turns.

    python benchmarks/cluster.py                                 3,000x2,000 px over two workers of this machine
    python benchmarks/cluster.py --scheduler tcp://host:8786     over yours

An evaluation is J and its gradient with the engine's own settings and the bundled network. On one machine there is
nothing to win; what workers take longer is what moving pixels costs. Prints the seconds of each turn, the processor's
seconds where all are on this machine, and the bytes moved in a step beside those of the arithmetic.
"""

import argparse
import statistics
import time

import numpy as np
import psutil

import nst_utils as nst
from studio import scheduler
from studio.far_tiles import FarTiles
from studio.settings import Settings
from studio.tiles import TiledObjective


def processor_seconds():
    """Of this process and its children."""
    process, total = psutil.Process(), 0.0
    for each in (process, *process.children(recursive=True)):
        times = each.cpu_times()
        total += times.user + times.system
    return total


def turn(objective, G):
    """(seconds, processor's seconds, gradient) of an evaluation."""
    began = time.perf_counter(), processor_seconds()
    gradient = np.asarray(objective.value_and_gradient(G)[1])
    return time.perf_counter() - began[0], processor_seconds() - began[1], gradient


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs=2, default=(3000, 2000), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--side", type=int, default=1024, help="px of a tile")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--scheduler", type=scheduler.parse, default="local:2", metavar="ADDRESS")
    args = parser.parse_args()

    settings, (n_W, n_H) = Settings(), args.size
    vgg = nst.load_vgg19("vgg19-slim", (settings.content, *settings.layers)).twin(settings.manner.padding)
    rng = np.random.default_rng(1)
    C = rng.random((1, n_H, n_W, 3), np.float32)
    S = rng.random((1, 450, 600, 3), np.float32) / 2
    with scheduler.connected(args.scheduler) as crew:
        here = TiledObjective(vgg, C, S, settings, side=args.side)
        there = FarTiles(vgg, C, S, settings, here, side=args.side, crew=crew)
        found = {"one process": (here, []), args.scheduler: (there, [])}
        for i in range(args.turns + 1):
            gradients = []
            for name, (objective, turns) in found.items():
                seconds, of_processor, gradient = turn(objective, C)
                gradients.append(gradient)
                if i > 0:  # the first one traces
                    turns.append((seconds, of_processor))
                    print(f"{name:>24}{seconds:8.1f} s{of_processor:8.1f} s of the processor", flush=True)
            difference = np.abs(gradients[0] - gradients[1]).max() / np.abs(gradients[0]).max()
        wall, processor = (
            statistics.median(times[i] for times in found[args.scheduler][1])
            / statistics.median(times[i] for times in found["one process"][1])
            for i in (0, 1)
        )
        print(f"Workers over one process: {wall:.2f} of the time, {processor:.2f} of the processor's.")
        print(f"Gradients differ by {difference:.1e} of the largest value.")


if __name__ == "__main__":
    main()
