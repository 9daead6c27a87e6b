"""How much memory and time a run will take."""

import itertools
import sys
import time
from pathlib import Path

import numpy as np

LARGEST = 4_000_000  # px, above which the memory of L-BFGS is better spent on the picture: Adam
MEMORY = 20  # pairs of steps and gradient changes that L-BFGS keeps

# Measured with both networks from 256 to 1024 px: what a search holds per pixel beside the
# activations (pictures, gradients, the convolutions' own workspace; L-BFGS' pairs), in float32
# planes of three colours; how often it holds the activations; what compiled code takes in bytes;
# and how often the weights stand in it.
PLANES, PLANES_OF_LBFGS, COPIES, CODE, WEIGHTS = 15, 2 * MEMORY, 1.7, 80e6, 36
TENSORFLOW = 0.6e9  # bytes of a process that has loaded it and the bundled network, before any work
MEASURING = 0.35  # of an evaluation: J alone
OVERHEAD = 1.1  # of the optimiser's own work over the evaluations


def resident_bytes():
    """What this process holds now; 0 where the system does not say."""
    if not sys.platform.startswith("linux"):
        return 0
    import resource

    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def fitting(optimizer, size):
    """The optimizer, "auto" being replaced by what fits a picture of that size (n_H, n_W)."""
    if optimizer != "auto":
        return optimizer
    return "adam" if np.prod(size) > LARGEST else "lbfgs"


def peak_memory(widths, size, optimizer="lbfgs"):
    """About how many bytes a search at this size (n_H, n_W) needs, beside what the process holds already.

    widths: {layer: channels} of the network as deep as it is computed.
    """
    channels = sum(width / 4 ** (int(name[4]) - 1) for name, width in widths.items())
    channels += sum(width / 4 ** int(name[4]) for name, width in _last_of_blocks(widths).items())  # the pools
    planes = PLANES + (PLANES_OF_LBFGS if optimizer == "lbfgs" else 0)
    weights = sum(n_out * (9 * n_in + 1) for n_in, n_out in itertools.pairwise((3, *widths.values())))
    return CODE + float(4 * (weights * WEIGHTS + np.prod(size) * (3 * planes + COPIES * channels)))


def checkpoint_bytes(size, optimizer):
    """About how many bytes a checkpoint of a search at this size (n_H, n_W) takes on the disk."""
    planes = 2 + 2 * MEMORY if optimizer == "lbfgs" else 4
    return int(np.prod(size)) * (12 * planes + 3)  # and the best picture so far


def memory_of_targets(widths, size):
    """About how many bytes looking at a style of this size (n_H, n_W) takes, beside what the process holds already."""
    channels = sum(width / 4 ** (int(name[4]) - 1) for name, width in widths.items())
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
