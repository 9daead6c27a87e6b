"""How much memory and time a run will take."""

import dataclasses
import itertools
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from studio.spans import largest, stride

MEMORY = 20  # pairs of steps and gradient changes that L-BFGS keeps
# Ways to search, and how many pairs, from the best to the leanest. At 1,000 px J was, after 25 evaluations from one
# coarse picture, 0.670 with 20 pairs, 0.682 with 5, 0.683 with 3, 0.687 with 2, 0.703 with 1, 0.793 with none; and
# 0.771 with Adam, which takes as much memory as none.
WAYS = {"lbfgs": (MEMORY, 10, 5, 3, 2, 1), "adam": (0,)}
SIDES = (2048, 1536, 1024, 768, 512, 384, 256, 128)  # px of a tile
SIDES_AWAY = (1024, 768, 512)  # for workers: larger ones leave some idle and lose more with one that dies
FAST = 512  # px, from which on a tile's margin costs less than fewer pairs do
SPARE = 1.1  # times the memory that the estimate says

# Measured with both networks from 256 to 1024 px: what a search holds per pixel beside the
# activations (pictures, gradients, the convolutions' own workspace), in float32 planes of three colours;
# how often it holds the activations; what compiled code takes in bytes; and how often the weights stand in it.
PLANES, COPIES, CODE, WEIGHTS = 15, 1.7, 80e6, 36
# With tiles: planes of a tile, and of the whole picture: what the search holds at most beside pairs (L-BFGS six, its
# filter, and the transforms of one colour), and in 8 bits C, the last record and the best.
PLANES_OF_TILE, HELD = 15, {"lbfgs": 8.5, "adam": 5.5}
PLANES_OF_MASK = 1.1  # a mask as it was given, at this size, at all layers, and what all masks together cover
TENSORFLOW = 0.6e9  # bytes of a process that has loaded it and the bundled network, before any work
MEASURING = 0.35  # of an evaluation: J alone
OVERHEAD = 1.1  # of the optimiser's own work over the evaluations


def resident_bytes():
    """What this process holds now; 0 where the system does not say."""
    if not sys.platform.startswith("linux"):
        return 0
    import resource

    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@dataclass(frozen=True)
class Layout:
    """How a search at one size is laid out in memory."""

    optimizer: str  # "lbfgs" or "adam"
    pairs: int  # that L-BFGS keeps
    tile: int | None  # px, its side; None: the picture in one piece
    need: float  # about how many bytes of the machine's memory it takes, beside what the process holds already

    @property
    def slowness(self):
        """Time of an evaluation over that of the picture in one piece: forward twice, and the margins."""
        return 1.0 if self.tile is None else 1.5 * (1 + 160 / self.tile) ** 2


def layout(widths, content, size, optimizer, free, precisions=1, masks=0, on_gpu=None):
    """The `Layout` for a picture of that size (n_H, n_W) in `free` bytes; the leanest where none fits.

    In one piece where that fits; else as many pairs as fit beside tiles that are not slow, and then tiles as large
    as fit. widths: see `peak_memory`. content: layer. optimizer: "lbfgs", "adam" or "auto". precisions: how many.
    masks: how many. on_gpu: bytes that are free on the GPU, where what is computed lies there; None: no GPU.
    """
    ways = [(name, n) for name in WAYS if optimizer in (name, "auto") for n in WAYS[name]]

    def made(way, side):
        """The layout, does it fit, and what it takes in all."""
        held, computed = peak_memory(widths, size, *way, side, content, precisions, masks)
        here, there = (held + computed, 0.0) if on_gpu is None else (held, computed)
        fits = SPARE * here <= free and SPARE * there <= (on_gpu or 0)
        return Layout(*way, side, here), fits, held + computed

    fast = [side for side in SIDES if side >= FAST]
    tried = [
        *(made(way, None) for way in ways if way[1] or way == ways[0]),
        *(made(way, side) for way in ways for side in fast),
        *(made(ways[-1], side) for side in SIDES),
    ]
    leanest = min(tried, key=lambda each: each[2])
    return next((layout for layout, fits, _ in tried if fits), leanest[0])


def no_larger(layout, size, top, top_size, deepest):
    """The layout of a coarse size with no more of the network at once than the one at the top.

    TensorFlow keeps for itself what it has once taken, and a top in tiles counts on it. deepest: layer.
    """
    if top.tile is None or np.prod(size) <= np.prod(largest(top_size, top.tile, deepest)):
        return layout
    return dataclasses.replace(layout, tile=min(layout.tile or top.tile, top.tile))


def peak_memory(widths, size, optimizer="lbfgs", pairs=MEMORY, tile=None, content=None, precisions=1, masks=0):
    """About how many bytes a search at this size (n_H, n_W) needs, beside what the process holds already.

    Returns (what is held of pictures and by the optimiser, what is computed with). widths: {layer: channels} of the
    network as deep as it is computed. The rest: see `layout`.
    """
    planes = HELD[optimizer] + (2 * pairs if optimizer == "lbfgs" else 0) + PLANES_OF_MASK * masks
    weights = CODE + 4 * WEIGHTS * sum(
        n_out * (9 * n_in + 1) for n_in, n_out in itertools.pairwise((3, *widths.values()))
    )
    if tile is None:
        computed = np.prod(size) * (3 * (PLANES - HELD[optimizer]) + COPIES * _channels(widths))
        return float(4 * np.prod(size) * 3 * planes), float(weights + 4 * computed)
    compared = widths[content] / stride(content) ** 2 * (1 if precisions == 1 else 1.5)
    computed = np.prod(largest(size, tile, list(widths)[-1])) * (3 * PLANES_OF_TILE + COPIES * _channels(widths))
    return float(4 * np.prod(size) * (3 * planes + compared)), float(weights + 4 * computed)


def worker_bytes(widths):
    """About how many bytes a process takes that computes tiles for another."""
    side = max(SIDES_AWAY)
    return SPARE * (TENSORFLOW + peak_memory(widths, (side, side), tile=side, content=next(iter(widths)))[1])


def _channels(widths):
    """Of all layers and pools together, per pixel of the picture."""
    channels = sum(width / stride(name) ** 2 for name, width in widths.items())
    return channels + sum(width / (2 * stride(name)) ** 2 for name, width in _last_of_blocks(widths).items())


def checkpoint_bytes(size, layout):
    """About how many bytes a checkpoint of a search at this size (n_H, n_W) takes on the disk. layout: `Layout`."""
    planes = 2 + 2 * layout.pairs if layout.optimizer == "lbfgs" else 4
    return int(np.prod(size)) * (12 * planes + 3)  # and the best picture so far


def memory_of_targets(widths, size):
    """About how many bytes looking at a style of this size (n_H, n_W) takes, beside what the process holds already."""
    channels = sum(width / stride(name) ** 2 for name, width in widths.items())
    return CODE + float(4 * np.prod(size) * (PLANES + channels))


def _last_of_blocks(widths):
    """{layer before a pool: channels}."""
    return {name: widths[name] for name, then in itertools.pairwise(widths) if name[4] != then[4]}


def seconds_per_pixel(value_and_gradient, C):
    """Of an evaluation at C's size; the first one, which traces, does not count."""
    for _ in range(2):
        began = time.perf_counter()
        value_and_gradient(C)[0].numpy()
    return (time.perf_counter() - began) / np.prod(C.shape[1:3])


def total_seconds(sizes, counts, per_pixel, every):
    """Of a run. per_pixel: for each size the seconds of an evaluation per pixel."""
    pixels = np.prod(sizes, axis=1)
    searching = OVERHEAD * float(np.dot(np.multiply(counts, pixels), per_pixel))
    return searching + MEASURING * sum(counts) / every * float(pixels[-1] * per_pixel[-1])


def in_words(seconds):
    """A time for people: 45 s, 3 min, 2 h 10 min."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"
