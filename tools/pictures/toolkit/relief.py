"""Light on a relief: its normals and highlights."""

import numpy as np

from pictures.toolkit.vectors import dot, unit


def relief_normals(height, raster):
    """Unit normals of a relief in sheet units: three arrays x, y, z, z towards the viewer."""
    dy, dx = np.gradient(height, raster.pitch)
    z = 1 / np.sqrt(1 + dx * dx + dy * dy)
    return -dx * z, -dy * z, z


def highlight(normal, light, sharpness):
    """Blinn-Phong highlight, at most 1, for a viewer straight in front."""
    half = unit(unit(light) + np.array([0, 0, 1], np.float32))
    return np.maximum(dot(normal, half), 0) ** sharpness
