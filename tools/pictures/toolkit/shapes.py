"""Plane shapes and lines in sheet units: polygons, smooth curves, carved lines that swell."""

import numpy as np
from scipy.interpolate import CubicSpline


def standing(x, foot, tall):
    """A function that places corners (across, up), in hundredths of `tall`, at a figure that stands at (x, foot)."""
    k = tall / 100

    def at(*corners):
        return [(x + k * a, foot - k * b) for a, b in corners]

    return at


def segment_distance(x, y, start, end):
    """Distance to the segment between two points, and the share of its length at the foot of the perpendicular."""
    (ax, ay), (bx, by) = start, end
    px, py, dx, dy = x - ax, y - ay, bx - ax, by - ay
    share = np.clip((px * dx + py * dy) / (dx * dx + dy * dy), 0, 1)
    return np.hypot(px - share * dx, py - share * dy), share


def inside(x, y, polygon):
    """Whether each point lies in the polygon, a list of (x, y) corners (even-odd rule)."""
    corners = np.asarray(polygon, float)
    within = np.zeros(np.shape(x), bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 != y1:
            within ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return within


def smooth_line(points, n=160):
    """n points along a smooth curve through the given ones."""
    points = np.asarray(points, float)
    travelled = np.concatenate([[0], np.cumsum(np.sqrt(np.hypot(*np.diff(points, axis=0).T)))])
    return CubicSpline(travelled, points)(np.linspace(0, travelled[-1], n))


def line_normals(line):
    """Unit vectors to the left of the way along a line (y downwards)."""
    step = np.gradient(line, axis=0)
    return np.stack([step[:, 1], -step[:, 0]], 1) / np.maximum(np.hypot(*step.T), 1e-9)[:, None]


def swelling_line(line, width, start=0.25, end=0.15):
    """The outline of a carved line: `width` in the middle, thinner towards its ends."""
    t = np.linspace(0, 1, len(line))
    swell = start + (1 - start) * np.minimum(1, t * 4) - (1 - end) * np.clip(t * 2.2 - 1.2, 0, 1)
    side = line_normals(line) * (width / 2 * np.maximum(swell, 0.05))[:, None]
    return np.concatenate([line + side, (line - side)[::-1]])


def round_shape(cx, cy, radius, n=28):
    """A round shape."""
    turn = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack([cx + radius * np.cos(turn), cy + radius * np.sin(turn)], 1)
