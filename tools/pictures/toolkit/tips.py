"""The tips of the brushes: prints of bristly paint, made once for every picture."""

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


def _shrunk(tips, level):
    """The tips at 1 / 2**level of their size, each with an empty border that far-off pixels look up."""
    small = np.stack([block_mean(tip, 2**level) for tip in tips])
    return np.pad(small, ((0, 0), (1, 1), (1, 1), (0, 0)))


def _make_tips():
    """{kind: [tips at full size, half size, ...]}; the same brushes for every picture."""
    bank = {}
    for number, (kind, habit) in enumerate(_TIP_KINDS.items()):
        rng = np.random.default_rng(100 + number)
        tips = np.stack([_tip(rng, **habit) for _ in range(VARIANTS)])
        bank[kind] = [_shrunk(tips, level) for level in range(5)]
    return bank


TIPS = _make_tips()
