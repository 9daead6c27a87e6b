"""How much memory and time a run will take."""

import sys
import time
from pathlib import Path

import numpy as np

from nst_utils import LAYERS
from studio.lbfgs import MEMORY

# Measured with both networks from 256 to 1024 px: what a search holds per pixel beside the
# activations (pictures, gradients, the convolutions' own workspace; L-BFGS' pairs), in float32
# planes of three colours; how often it holds the activations; what compiled code takes in bytes;
# and how often the weights stand in it.
PLANES, PLANES_OF_LBFGS, COPIES, CODE, WEIGHTS = 15, 2 * MEMORY, 1.7, 80e6, 36
MEASURING = 0.35  # of an evaluation: J alone
OVERHEAD = 1.1  # of the optimiser's own work over the evaluations


def resident_bytes():
    """What this process holds now; 0 where the system does not say."""
    if not sys.platform.startswith("linux"):
        return 0
    import resource

    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def peak_memory(vgg, size, optimizer="lbfgs"):
    """About how many bytes a search at this size (n_H, n_W) needs, beside what the process holds already."""
    channels, width, side = 0.0, 0, 1
    for layer in vgg.layers:
        if layer.name in LAYERS:
            width = layer.filters
        elif not layer.name.startswith("pool"):
            continue
        else:
            side *= 2
        channels += width / side**2
    planes = PLANES + (PLANES_OF_LBFGS if optimizer == "lbfgs" else 0)
    return CODE + float(4 * (vgg.count_params() * WEIGHTS + np.prod(size) * (3 * planes + COPIES * channels)))


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
