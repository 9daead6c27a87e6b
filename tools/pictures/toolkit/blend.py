"""Going smoothly from one value to another."""

import numpy as np


def fade(t):
    """From 0 at 0 to 1 at 1, level at both ends; t in [0, 1]."""
    return t * t * (3 - 2 * t)


def smoothstep(low, high, x):
    """0 below `low`, 1 above `high`, smooth between; `low` may be the larger."""
    return fade(np.clip((x - low) / (high - low), 0, 1))


def mix(first, second, share):
    """`first` where `share` is 0, `second` where it is 1; all of them broadcast."""
    return first + (second - first) * share


def mix_colours(first, second, share):
    """`mix` of colours (..., 3) by a share that has no colour axis."""
    return mix(first, second, np.asarray(share)[..., None])
