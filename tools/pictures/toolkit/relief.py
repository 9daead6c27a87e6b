"""Light on a relief: its normals and highlights."""

import numpy as np

from pictures.toolkit.vectors import dot, unit


def relief_normals(height, pitch):
    """Unit normals of a relief sampled every `pitch`: three arrays x, y, z, z towards the viewer."""
    down, right = np.gradient(height, pitch)
    z = 1 / np.sqrt(1 + right * right + down * down)
    return -right * z, -down * z, z


def highlight(normal, light, sharpness):
    """Blinn-Phong highlight, at most 1, for a viewer straight in front."""
    half = unit(unit(light) + np.array([0, 0, 1], np.float32))
    return np.maximum(dot(normal, half), 0) ** sharpness
