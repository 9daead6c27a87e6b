"""Printing from cut wood: crisp smooth shapes, flat ink with the grain of the plank.

Shapes are closed chains of (x, y) points in sheet units.
"""

import numpy as np

from pictures.toolkit.noise import fractal, noise
from pictures.toolkit.sheet import SHEET_HEIGHT, SHEET_WIDTH, pixel_places

ROWS_PER_PIXEL = 5  # lines on which the edges of a shape are found; between them, sideways, it is exact


def _crossings(shape, first, last):
    """Where the edges of a closed shape (in pixels) cross the row lines, and in which direction."""
    start, stop = shape, np.roll(shape, -1, axis=0)
    lower, upper = np.minimum(start[:, 1], stop[:, 1]), np.maximum(start[:, 1], stop[:, 1])
    rows = (np.arange(first * ROWS_PER_PIXEL, last * ROWS_PER_PIXEL) + 0.5) / ROWS_PER_PIXEL
    begin, end = np.searchsorted(rows, lower, "left"), np.searchsorted(rows, upper, "left")
    edge = np.repeat(np.arange(len(shape)), end - begin)
    line = np.arange(len(edge)) - np.repeat(np.cumsum(end - begin) - (end - begin), end - begin) + begin[edge]
    part = (rows[line] - start[edge, 1]) / (stop[edge, 1] - start[edge, 1])
    x = start[edge, 0] + part * (stop[edge, 0] - start[edge, 0])
    return x, line // ROWS_PER_PIXEL, np.where(stop[edge, 1] > start[edge, 1], 1.0, -1.0)


class Sheet:
    """A sheet of paper that takes one flat ink after another."""

    def __init__(self, width, height, paper, seed):
        """`paper` is a colour; fibres and the plank's grain come from `seed`."""
        self.width, self.height = width, height
        self.scale = np.array([width / SHEET_WIDTH, height / SHEET_HEIGHT])
        self.x, self.y = pixel_places(width, height)
        self.colour = np.empty((height, width, 3), np.float32)
        self.colour[:] = paper
        self.grain, self.mottle = self._plank(seed)

    def _plank(self, seed):
        """How well the wood prints: fine lines along the plank, bent round knots, and uneven rubbing."""
        x, y = self.x, self.y
        ring = y + 9 * fractal(x / 5, y, 60, seed, 3) + 0.02 * x
        for cx, cy, reach in ((190, 150, 34), (610, 430, 40), (700, 60, 26)):
            ring = ring + 16 * np.exp(-(((x - cx) / (3.2 * reach)) ** 2) - ((y - cy) / reach) ** 2) * np.sign(
                y - cy + 0.1
            )
        lines = 0.6 * noise(x / 60, ring, 2.6, seed + 5) + 0.4 * noise(x / 25, ring, 6.0, seed + 6)
        rubbing = 0.6 * fractal(x, y, 46, seed + 7, 3) + 0.4 * noise(x, y, 1.8, seed + 8)
        return lines, rubbing

    def cover(self, shape):
        """The pixels touched, y0, y1, x0, x1, and how much of each is covered; None if off the sheet."""
        shape = np.asarray(shape, float) * self.scale
        (left, top), (right, bottom) = np.floor(shape.min(axis=0)), np.ceil(shape.max(axis=0))
        x0, x1 = int(max(0, left)), int(min(self.width, right + 1))
        y0, y1 = int(max(0, top)), int(min(self.height, bottom + 1))
        if x0 >= x1 or y0 >= y1:
            return None
        x, row, sign = _crossings(shape, y0, y1)
        x = np.clip(x - x0, 0, x1 - x0)
        column, row = x.astype(int), row
        part, wide = x - column, x1 - x0 + 2
        area = np.bincount(row * wide + column, sign * (1 - part), (y1 - y0) * wide)
        area += np.bincount(row * wide + column + 1, sign * part, (y1 - y0) * wide)
        filled = np.cumsum(area.reshape(y1 - y0, wide), axis=1)[:, : x1 - x0] / ROWS_PER_PIXEL
        return (y0, y1, x0, x1), np.minimum(np.abs(filled), 1).astype(np.float32)

    def mask(self, *shapes):
        """The pixels that the shapes touch as a pair of slices, and how much of each they cover together."""
        found = [part for part in map(self.cover, shapes) if part]
        if not found:
            return None
        boxes = np.array([box for box, _ in found])
        (y0, x0), (y1, x1) = boxes[:, [0, 2]].min(axis=0), boxes[:, [1, 3]].max(axis=0)
        whole = np.zeros((y1 - y0, x1 - x0), np.float32)
        for (top, bottom, left, right), part in found:
            there = whole[top - y0 : bottom - y0, left - x0 : right - x0]
            np.maximum(there, part, out=there)
        return (slice(y0, y1), slice(x0, x1)), whole

    def print_mask(self, mask, ink, grain=0.3, mottle=0.22, where=np.s_[:, :]):
        """Print ink through a mask; thin where the wood's grain or the rubbing left it so."""
        bare = grain * np.clip(1.7 * self.grain[where] - 0.55, 0, 1)
        bare += mottle * np.clip(1.5 * self.mottle[where] - 0.45, 0, 1)
        strength = (mask * (1 - np.clip(bare, 0, 0.9)))[..., None]
        self.colour[where] += strength * (np.asarray(ink, np.float32) - self.colour[where])

    def print(self, ink, *shapes, grain=0.3, mottle=0.22):
        """Print shapes in one flat ink."""
        found = self.mask(*shapes)
        if found:
            where, mask = found
            self.print_mask(mask, ink, grain, mottle, where)

    def dried(self):
        """The finished print: the tooth of the paper shows through every ink; float32 in [0, 1]."""
        tooth = 0.55 * noise(self.x, self.y, 1.7, 3) + 0.45 * noise(self.x / 6, self.y, 2.4, 4)
        shade = 0.95 + 0.06 * tooth + 0.04 * self.mottle
        return np.clip(self.colour * shade[..., None], 0, 1).astype(np.float32)
