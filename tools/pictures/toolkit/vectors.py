"""Vectors whose components come first: shape (3,), (3, n) or three arrays."""

import numpy as np


def dot(a, b):
    """Dot product along the components."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def unit(vector):
    """The vectors at length 1, float32."""
    vector = np.asarray(vector, np.float32)
    return vector / np.sqrt(dot(vector, vector))


def mirrored(direction, normal):
    """Directions thrown back by surfaces with unit normals."""
    return direction - 2 * dot(direction, normal) * normal


def starts(origin, which):
    """The origins of some rays; one origin (3, 1) may serve them all."""
    return origin[:, which] if origin.shape[1] > 1 else origin


def turned(x, y, cosine, sine):
    """Coordinates in a plane, along axes that are turned by an angle."""
    return x * cosine + y * sine, y * cosine - x * sine
