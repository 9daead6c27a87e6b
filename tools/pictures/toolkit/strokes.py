"""Strokes of a brush: many at once, bent along a field or filling a shape.

A painting says what colour, direction and stroke size belong to each place; a `Canvas` lays the strokes.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from pictures.toolkit.colour import jitter
from pictures.toolkit.shapes import inside
from pictures.toolkit.sheet import scatter


@dataclass
class Strokes:
    """n strokes, one value (or one row) each; sizes in sheet units, angles in radians with y downwards."""

    x: np.ndarray
    y: np.ndarray
    angle: np.ndarray
    length: np.ndarray
    width: np.ndarray
    colour: np.ndarray  # (n, 3)
    second: np.ndarray  # (n, 3), the colour that streaks through the first
    bow: np.ndarray  # how far the middle of the stroke stands off its chord
    opacity: np.ndarray
    body: np.ndarray  # thickness of the paint

    def __len__(self):
        return len(self.x)

    def pick(self, which):
        """The strokes at these indices or where this mask is true."""
        return Strokes(*(getattr(self, f.name)[which] for f in fields(self)))


def strokes(x, y, angle, length, width, colour, second=None, bow=0.0, opacity=0.95, body=1.0):
    """Strokes from arrays or single values; the second colour defaults to the first."""
    n = len(x)
    each = [np.broadcast_to(np.asarray(a, float), n) for a in (angle, length, width)]
    colours = [np.broadcast_to(np.asarray(c, float), (n, 3)) for c in (colour, colour if second is None else second)]
    rest = [np.broadcast_to(np.asarray(a, float), n) for a in (bow, opacity, body)]
    return Strokes(np.asarray(x, float), np.asarray(y, float), *each, *colours, *rest)


def join(*groups):
    """All strokes of several groups, the first group painted first."""
    return Strokes(*(np.concatenate([getattr(g, f.name) for g in groups]) for f in fields(Strokes)))


def follow(laid, direction):
    """The same strokes bent along a field: `direction(x, y)` gives the angle there, up to half a turn."""
    ends = []
    start = direction(laid.x, laid.y)
    for sign in (-1, 1):
        x, y, right, down = laid.x, laid.y, sign * np.cos(start), sign * np.sin(start)
        for _ in range(4):
            step = laid.length / 8
            angle = direction(x + step / 2 * right, y + step / 2 * down)
            onward = np.where(np.cos(angle) * right + np.sin(angle) * down < 0, -1, 1)
            right, down = onward * np.cos(angle), onward * np.sin(angle)
            x, y = x + step * right, y + step * down
        ends.append((x, y))
    (x0, y0), (x1, y1) = ends
    chord = np.maximum(np.hypot(x1 - x0, y1 - y0), 1e-6)
    middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
    bow = ((x1 - x0) * (laid.y - middle_y) - (y1 - y0) * (laid.x - middle_x)) / chord
    angle = np.arctan2(y1 - y0, x1 - x0)
    return replace(laid, x=middle_x, y=middle_y, angle=angle, length=chord + laid.width * 0.5, bow=bow)


def polyline(points, width, overlap=0.35):
    """x, y, angle, length of the straight strokes along a chain of (x, y) points, joints overlapping."""
    points = np.asarray(points, float)
    step = np.diff(points, axis=0)
    middle = points[:-1] + step / 2
    length = np.hypot(*step.T) + 2 * overlap * width
    return middle[:, 0], middle[:, 1], np.arctan2(step[:, 1], step[:, 0]), length


def fill(rng, polygon, n, width, length, angle, colour, second=None, **kind):
    """Strokes that fill a polygon of (x, y) corners in one direction: walls, roofs, sails."""
    corners = np.asarray(polygon, float)
    box = (*corners.min(axis=0), *corners.max(axis=0))
    x, y = scatter(rng, n, box)
    within = inside(x, y, corners)
    x, y = x[within], y[within]
    colours = jitter(rng, np.broadcast_to(colour, (len(x), 3)))
    lean = angle + rng.normal(0, 0.08, len(x))
    return strokes(x, y, lean, length, width * rng.uniform(0.8, 1.2, len(x)), colours, second, **kind)


def blob(rng, cx, cy, rx, ry, n):
    """n points in an ellipse, and how far each faces the upper left, in [-1, 1]."""
    r, turn = np.sqrt(rng.random(n)), rng.uniform(0, 2 * np.pi, n)
    u, v = r * np.cos(turn), r * np.sin(turn)
    return cx + rx * u, cy + ry * v, -(0.6 * u + 0.8 * v)
