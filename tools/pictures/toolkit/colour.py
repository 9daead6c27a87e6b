"""Colours from codes, as one sees them and as linear light; scales of colours; paint mixed anew."""

import numpy as np

from pictures.toolkit.blend import mix_colours


def _shares(codes):
    """Red, green and blue in [0, 1] of "#rrggbb" codes: float64, (3,) for one code and (n, 3) for more."""
    shares = np.array([[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in codes]) / 255
    return shares[0] if len(codes) == 1 else shares


def rgb(*codes):
    """Colours as one sees them from "#rrggbb" codes, float32, (3,) for one code and (n, 3) for more."""
    return _shares(codes).astype(np.float32)


def linear(*codes):
    """Linear light of "#rrggbb" codes in sRGB, float32, (3,) for one code and (n, 3) for more."""
    seen = _shares(codes)
    return np.where(seen <= 0.04045, seen / 12.92, ((seen + 0.055) / 1.055) ** 2.4).astype(np.float32)


def film_colour(red, green, blue):
    """Linear light, shape (3, 1), of a colour as one sees it, 0 to 255; `camera.tone_map` has the same gamma."""
    return (np.array([[red], [green], [blue]], np.float32) / 255) ** 2.2


def ramp(t, codes):
    """The colour at t in [0, 1] on an even scale of "#rrggbb" codes, shape t.shape + (3,)."""
    stops = rgb(*codes)
    place = np.clip(t, 0, 1) * (len(codes) - 1)
    low = np.minimum(place.astype(int), len(codes) - 2)
    return mix_colours(stops[low], stops[low + 1], place - low)


def jitter(rng, colour, light=0.05, warmth=0.03, hue=0.02):
    """Each row of `colour` lighter or darker, warmer or cooler, as paint mixed anew for every stroke."""
    n = len(colour)
    shift = rng.normal(0, light, (n, 1)) + rng.normal(0, warmth, (n, 1)) * np.array([1.0, 0.1, -1.0])
    return np.clip(colour + shift + rng.normal(0, hue, (n, 3)), 0, 1)
