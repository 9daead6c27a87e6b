"""The tips of the brushes: prints of bristly paint, made once for every picture."""

import functools

import numpy as np
from scipy import ndimage

from pictures.toolkit.blend import smoothstep
from pictures.toolkit.raster import block_mean


def _streaks(rng, shape, along, across):
    """Noise drawn out along the stroke, as bristles draw it, spread evenly over [0, 1]."""
    field = ndimage.gaussian_filter(rng.standard_normal(shape), (along, across), mode="nearest")
    ranks = np.empty(field.size)
    ranks[np.argsort(field, axis=None)] = np.linspace(0, 1, field.size)
    return ranks.reshape(shape)


def _tip(rng, roundness, raggedness, dryness, taper):
    """One print of a brush, (96, 32, 3): its cover, the height of the paint, its streaks of second colour."""
    u, v = np.meshgrid(np.linspace(-1, 1, 96), np.linspace(-1, 1, 32), indexing="ij")
    bristles = _streaks(rng, u.shape, 20, 1.5)
    start = -0.96 + raggedness * rng.random() * _streaks(rng, u.shape, 60, 1.2)
    end = 0.96 - raggedness * 1.6 * _streaks(rng, u.shape, 60, 1.2)
    half_width = (1 - roundness * np.abs(u) ** 2.5) * (1 - taper * (u + 1) / 2) * 0.94
    half_width *= 1 - 0.3 * _streaks(rng, u.shape, 7, 7)
    cover = smoothstep(0.0, 0.16, half_width - np.abs(v))
    cover *= smoothstep(-0.03, 0.06, u - start) * smoothstep(-0.03, 0.1, end - u)
    running_dry = dryness * (0.35 + 0.65 * smoothstep(-0.7, 1.0, u))
    cover *= smoothstep(running_dry - 0.22, running_dry + 0.1, bristles + 0.08)
    cover *= 1 - 0.45 * smoothstep(-0.6, 1.0, u) * (1 - bristles)  # wet paint mixes into what lies below
    ridge = np.exp(-(((half_width - np.abs(v)) / 0.16) ** 2)) + 0.8 * np.exp(-(((end - u) / 0.1) ** 2))
    height = cover * (0.2 + 0.9 * bristles + 0.5 * np.minimum(ridge, 1.2))
    return np.stack([cover, height, _streaks(rng, u.shape, 16, 1.6)], axis=-1).astype(np.float32)


_TIP_KINDS = {
    "flat": {"roundness": 0.15, "raggedness": 0.16, "dryness": 0.16, "taper": 0.05},
    "dab": {"roundness": 0.55, "raggedness": 0.14, "dryness": 0.05, "taper": 0.12},
    "dot": {"roundness": 0.75, "raggedness": 0.0, "dryness": 0.0, "taper": 0.0},
    "blade": {"roundness": 0.2, "raggedness": 0.08, "dryness": 0.1, "taper": 0.85},
    "dry": {"roundness": 0.25, "raggedness": 0.3, "dryness": 0.62, "taper": 0.2},
}


VARIANTS = 10
COLUMNS = 32  # of a tip as it is drawn
FEWEST, MOST = 2, 128  # columns of a tip that is shrunk or enlarged for a stroke


def _resized(tip, factor):
    """A tip at `factor` (a power of two) of its size."""
    if factor > 1:
        return np.clip(ndimage.zoom(tip, (factor, factor, 1), order=3, mode="grid-constant", grid_mode=True), 0, None)
    return block_mean(tip, round(1 / factor))


@functools.cache
def _drawn(kind):
    """The tips of a kind as they are drawn; the same brushes for every picture."""
    rng = np.random.default_rng(100 + list(_TIP_KINDS).index(kind))
    return [_tip(rng, **_TIP_KINDS[kind]) for _ in range(VARIANTS)]


@functools.cache
def tips(kind, columns):
    """The tips of a kind, (VARIANTS, length, width, 3), `columns` wide (a power of two), each with an empty border
    that far-off pixels look up.
    """
    sized = np.stack([_resized(tip, columns / COLUMNS) for tip in _drawn(kind)])
    return np.pad(sized, ((0, 0), (1, 1), (1, 1), (0, 0)))
