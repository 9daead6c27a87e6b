"""The sheet on which a picture is composed: 800 x 600 units, whatever its size in pixels.

A picture is composed once, in these units, and comes out the same at every size.
"""

import numpy as np

SHEET_WIDTH, SHEET_HEIGHT = 800.0, 600.0


def pixel_places(width, height):
    """Sheet coordinates of the pixel centres of a picture: x (1, width) and y (height, 1)."""
    x = (np.arange(width) + 0.5) / (width / SHEET_WIDTH)
    y = (np.arange(height) + 0.5) / (height / SHEET_HEIGHT)
    return x[None, :], y[:, None]


def scatter(rng, n, box=(-10, -10, 810, 610)):
    """n points spread evenly but without a visible grid over the box (x0, y0, x1, y1), in random order."""
    x0, y0, x1, y1 = box
    columns = max(1, round(np.sqrt(n * (x1 - x0) / (y1 - y0))))
    rows = max(1, -(-n // columns))
    cells = rng.permutation(columns * rows)[:n]
    x = x0 + (cells % columns + rng.random(len(cells))) * (x1 - x0) / columns
    y = y0 + (cells // columns + rng.random(len(cells))) * (y1 - y0) / rows
    return x, y
