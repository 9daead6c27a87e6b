#!/usr/bin/env python3
"""How far pictures can grow: time per megapixel and peak memory of an evaluation against size, tiled and not.

    python benchmarks/scale.py                          0.2 to 12 megapixels, tiles of 512 and 1024 px
    python benchmarks/scale.py --sides 8000 --tiles 1024
    python benchmarks/scale.py --network full           the full width, with random weights

An evaluation is J and its gradient with the engine's own settings; the first one, which traces, does not count. Each
size has a process of its own, and the seconds are also given as the processors count them, on which other programs
tell less. Memory is the peak of the process less what it held before, and of that what must grow with the picture: C,
the gradient, and what is compared with C. Draws both into --out.
"""

import argparse
import functools
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import nst_utils as nst
from benchmarks.evaluation import weights_of
from nst_utils import tf
from studio import estimate
from studio.objective import Objective
from studio.settings import Settings
from studio.tiles import TiledObjective

PROJECT = Path(__file__).parents[1]
UNTILED = 3_000_000  # px: larger pictures are measured in tiles alone


def one(network, long_side, tile, repeats):
    """What an evaluation takes, for a process of its own. tile: px, 0 for a picture in one piece."""
    settings, size = Settings(), (long_side * 3 // 4, long_side)
    vgg = nst.build_vgg19(weights_of(network), (settings.content, *nst.STYLE_LAYERS), padding="mirror")
    rng = np.random.default_rng(1)
    C = rng.random((1, *size, 3), np.float32)
    S = tf.constant(rng.random((1, 300, 400, 3), np.float32) / 2)
    before = estimate.resident_bytes()
    kind = functools.partial(TiledObjective, side=tile) if tile else Objective
    objective, wall, cpu = kind(vgg, C, S, settings), [], []
    for _ in range(repeats + 1):
        gradient = None  # or two would be held at once
        began = time.perf_counter(), time.process_time()
        gradient = np.asarray(objective.value_and_gradient(C)[1])
        wall.append(time.perf_counter() - began[0])
        cpu.append(time.process_time() - began[1])
    compared = np.asarray(objective.target["content"][settings.content])
    return {
        "seconds": min(wall[1:]),
        "cpu": min(cpu[1:]),
        "peak": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before,
        "grows": gradient.nbytes + compared.nbytes,
    }


def in_a_process(*arguments):
    command = [sys.executable, __file__, "--one", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(f"{' '.join(map(str, arguments))}: failed, perhaps for want of memory\n{done.stderr[-500:]}")
        return None
    return json.loads(done.stdout.splitlines()[-1])


def measured(network, sides, tiles, repeats):
    """{tile side: [(megapixels, seconds per megapixel, GB)]}, printed as they come."""
    print(f"{'size':>11}{'tile':>6}{'s/MP':>8}{'cpu s/MP':>10}{'peak MB':>9}{'grows MB':>10}{'the rest':>10}")
    found = {tile: [] for tile in (0, *tiles)}
    for side in sides:
        pixels = side * (side * 3 // 4)
        for tile, rows in found.items():
            result = in_a_process(network, side, tile, repeats) if tile or pixels <= UNTILED else None
            if result is None:
                continue
            per = pixels / 1e6
            rows.append((per, result["seconds"] / per, result["peak"] / 1e9))
            size, rest = f"{side}x{side * 3 // 4}", result["peak"] - result["grows"]
            print(
                f"{size:>11}{tile or '-':>6}{result['seconds'] / per:>8.2f}{result['cpu'] / per:>10.2f}"
                f"{result['peak'] / 1e6:>9.0f}{result['grows'] / 1e6:>10.0f}{rest / 1e6:>10.0f}",
                flush=True,
            )
    return found


def draw(found, path):
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for tile, rows in found.items():
        for axis, column in zip(axes, (1, 2), strict=True):
            label = f"tiles of {tile} px" if tile else "in one piece"
            axis.plot([row[0] for row in rows], [row[column] for row in rows], marker="o", label=label)
    for axis, name in zip(
        axes, ("seconds per megapixel and evaluation", "peak memory of an evaluation, GB"), strict=True
    ):
        axis.set(xscale="log", xlabel="megapixels", ylabel=name, ylim=(0, None))
        axis.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    print(f"Drawn: {path}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", type=int, nargs="+", default=[500, 1000, 2000, 4000], metavar="PX")
    parser.add_argument("--tiles", type=int, nargs="+", default=[512, 1024], metavar="PX")
    parser.add_argument("--network", default="slim", choices=("slim", "full"))
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--out", type=Path, default=PROJECT / "outputs", help="folder of the diagram")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        network, *numbers = args.one
        print(json.dumps(one(network, *map(int, numbers))))
        return
    draw(measured(args.network, args.sides, args.tiles, args.repeats), args.out / "scale.png")


if __name__ == "__main__":
    main()
