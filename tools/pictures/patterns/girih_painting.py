"""The painted flowers of the girih tiles, each kind of face by its own painter.

Coordinates are those of a tile, its axis along x, in tiling edges.
"""

import numpy as np

from pictures.patterns.girih_strapwork import EDGE
from pictures.toolkit.blend import mix_colours, smoothstep
from pictures.toolkit.colour import linear
from pictures.toolkit.noise import raster_noise
from pictures.toolkit.vectors import turned

COBALT, DEEP, TURQUOISE, AQUA, WHITE, OCHRE, AMBER, BLACK, RED = linear(
    "#153a8a", "#0c2259", "#1698a0", "#6cc7c2", "#efe7d3", "#c98a26", "#e2b04a", "#14120f", "#a5402a"
)


class TileBrush:
    """Paints shapes given by a depth (positive inside, tiling edges) over a ground colour."""

    def __init__(self, ground, count, softness, wobble):
        self.colour = np.broadcast_to(ground, (count, 3)).astype(np.float32).copy()
        self.softness, self.wobble = softness, wobble

    def fill(self, depth, colour, outline=None, line=0.014):
        """A filled shape; `outline` is painted first and shows as a rim."""
        if outline is not None:
            self.fill(depth + line, outline)
        cover = smoothstep(-self.softness, self.softness, depth + self.wobble)
        self.colour = mix_colours(self.colour, colour, 0.96 * cover)


def disc(x, y, cx, cy, radius):
    """Depth inside a disc."""
    return radius - np.hypot(x - cx, y - cy)


def leaf(x, y, start, end, half_width, bend=0.0, belly=0.5):
    """Depth inside a leaf from start to end, bent sideways, fullest at `belly` of its length."""
    (ax, ay), (bx, by) = start, end
    length = np.hypot(bx - ax, by - ay)
    ux, uy = (bx - ax) / length, (by - ay) / length
    t = ((x - ax) * ux + (y - ay) * uy) / length
    side = (y - ay) * ux - (x - ax) * uy - bend * 4 * t * (1 - t)
    inside = np.clip(t, 0, 1)
    bulge = np.sin(np.pi * inside ** (np.log(0.5) / np.log(belly)))
    outside = np.maximum(np.maximum(-t, t - 1), 0) * length
    return half_width * bulge - np.hypot(side, outside) - (outside > 0) * 0.002


def tendril(x, y, cx, cy, radius, start, turns, thickness):
    """Depth inside a spiral stroke around (cx, cy), shrinking inwards from angle `start`."""
    distance, angle = np.hypot(x - cx, y - cy), np.arctan2(y - cy, x - cx)
    best = np.full(x.shape, -1.0, np.float32)
    sign = np.sign(turns)
    wound = (sign * (angle - start)) % (2 * np.pi)
    for lap in range(int(np.ceil(abs(turns)))):
        share = (wound + 2 * np.pi * lap) / (2 * np.pi * abs(turns))
        stroke = thickness * (1.15 - 0.6 * share) - np.abs(distance - radius * (1 - 0.8 * share))
        best = np.maximum(best, np.where(share <= 1, stroke, -1))
    return best


def fold(x, y, order):
    """Coordinates folded into one half of one of `order` sectors around the x axis."""
    sector = 2 * np.pi / order
    angle = np.abs((np.arctan2(y, x) + sector / 2) % sector - sector / 2)
    radius = np.hypot(x, y)
    return radius * np.cos(angle), radius * np.sin(angle)


def paint_faces(x, y, pieces, faces, raster, rng):
    """Colour of every face; straps and joints stay black."""
    colour = np.zeros((*x.shape, 3), np.float32)
    kinds = np.array([face.kind for face in faces] + [""])
    middle = np.array([face.middle for face in faces])
    axis = np.array([face.axis for face in faces]) + rng.normal(0, 0.012, len(faces))
    wobble = 0.006 * raster_noise(raster, 7, rng)
    for kind, (ground, painter) in PAINTERS.items():
        here = (kinds[np.minimum(pieces.index, len(faces))] == kind) & ~pieces.is_strap
        index = pieces.index[here]
        dx, dy = (x[here] - middle[index, 0]) / EDGE, (y[here] - middle[index, 1]) / EDGE
        cos, sin = np.cos(axis[index]), np.sin(axis[index])
        px, py = turned(dx, dy, cos, sin)
        brush = TileBrush(ground, len(index), 0.7 * raster.pitch / EDGE + 0.002, wobble[here])
        painter(px.astype(np.float32), py.astype(np.float32), brush, pieces.depth[here] / EDGE)
        colour[here] = brush.colour
    return colour


def _border(brush, depth, colour, inset=0.045, width=0.010):
    """A painted line along the edge of a tile."""
    brush.fill(width - np.abs(depth - inset), colour)


def paint_sun(px, py, brush, depth):
    """The ten-pointed star: a rosette, palmettes in the points, tendrils between."""
    x, y = fold(px, py, 10)
    angle = np.radians(18)
    vx, vy = np.cos(angle), np.sin(angle)
    radius = np.hypot(px, py)
    brush.fill(0.47 - radius, BLACK)
    brush.fill(leaf(x, y, (0.5, 0.0), (1.02, 0), 0.058, 0, 0.35), TURQUOISE, WHITE, 0.012)
    brush.fill(leaf(x, y, (0.53, 0.0), (0.86, 0), 0.034, 0, 0.35), AMBER, DEEP, 0.008)
    brush.fill(leaf(x, y, (0.56, 0.0), (0.74, 0), 0.013), RED)
    brush.fill(tendril(x, y, 0.64 * vx, 0.64 * vy - 0.075, 0.07, 2.6, -1.2, 0.011), WHITE)
    brush.fill(disc(x, y, 0.615, 0.125, 0.022), AMBER, BLACK)
    brush.fill(disc(x, y, 1.07, 0, 0.020), WHITE)
    brush.fill(disc(x, y, 1.125, 0, 0.014), AMBER)
    brush.fill(0.013 - np.abs(radius - 0.47), AMBER, BLACK)
    brush.fill(leaf(x, y, (0.15, 0), (0.42, 0), 0.062, 0, 0.6), WHITE, BLACK)
    brush.fill(leaf(x, y, (0.18, 0), (0.34, 0), 0.026, 0, 0.6), AQUA)
    brush.fill(leaf(x, y, (0.14 * vx, 0.14 * vy), (0.40 * vx, 0.40 * vy), 0.036, 0, 0.55), TURQUOISE, BLACK)
    brush.fill(disc(x, y, 0.425 * vx, 0.425 * vy, 0.018), AMBER)
    brush.fill(0.155 - radius, OCHRE, BLACK, 0.02)
    brush.fill(disc(x, y, 0.115, 0, 0.020), WHITE)
    brush.fill(0.068 - radius, RED, BLACK)
    brush.fill(0.026 - radius, AMBER)
    _border(brush, depth, TURQUOISE, 0.030, 0.008)


def paint_lotus(px, py, brush, depth, stem, petal, core, accent):
    """A petal of a rosette, pointed towards -x: a lotus on a stem with volutes, flowers in the corners."""
    x, y = px, np.abs(py)
    brush.fill(tendril(x, y, 0.16, 0.335, 0.17, 3.3, 0.42, 0.011), stem)
    brush.fill(tendril(x, y, -0.29, 0.105, 0.090, -1.9, 1.35, 0.014), stem)
    brush.fill(0.013 - np.abs(y) - 9 * np.maximum(np.abs(x + 0.30) - 0.26, 0), stem)
    brush.fill(leaf(x, y, (-0.52, 0.01), (-0.35, 0.035), 0.030, 0.012), accent)
    brush.fill(leaf(x, y, (-0.37, 0.10), (-0.25, 0.245), 0.026, 0.02), accent, stem, 0.008)
    brush.fill(disc(x, y, -0.285, 0.108, 0.024), AMBER, BLACK)
    brush.fill(leaf(x, y, (-0.11, 0.02), (-0.15, 0.30), 0.046, -0.05, 0.55), petal, BLACK, 0.009)
    brush.fill(leaf(x, y, (-0.12, 0.06), (-0.15, 0.24), 0.016, -0.04), core)
    brush.fill(leaf(x, y, (-0.11, 0.0), (0.12, 0.265), 0.066, -0.045, 0.6), petal, BLACK, 0.009)
    brush.fill(leaf(x, y, (-0.06, 0.04), (0.08, 0.205), 0.028, -0.03, 0.6), core)
    brush.fill(leaf(x, y, (-0.13, 0.0), (0.31, 0.0), 0.108, 0, 0.55), accent, petal, 0.02)
    brush.fill(leaf(x, y, (-0.09, 0.0), (0.21, 0.0), 0.062, 0, 0.55), AMBER, BLACK, 0.009)
    brush.fill(leaf(x, y, (-0.06, 0.0), (0.11, 0.0), 0.028), RED)
    fx, fy = fold(x - 0.265, y - 0.275, 5)
    brush.fill(disc(fx, fy, 0.036, 0, 0.027), petal, BLACK, 0.007)
    brush.fill(0.020 - np.hypot(fx, fy), RED)
    for cx, cy, radius in (
        (0.345, 0.0, 0.018),
        (0.02, 0.330, 0.017),
        (0.315, 0.16, 0.012),
        (-0.23, 0.0, 0.020),
    ):
        brush.fill(disc(x, y, cx, cy, radius), AMBER)
    brush.fill(disc(x, y, -0.565, 0, 0.020), petal)
    _border(brush, depth, accent, 0.026, 0.007)


def paint_turquoise_petal(px, py, brush, depth):
    """A petal painted in cobalt and white on turquoise."""
    paint_lotus(px, py, brush, depth, DEEP, WHITE, AQUA, COBALT)


def paint_cobalt_petal(px, py, brush, depth):
    """A petal painted in white and turquoise on cobalt."""
    paint_lotus(px, py, brush, depth, WHITE, AQUA, WHITE, TURQUOISE)


def paint_white_petal(px, py, brush, depth):
    """The tile between two rosettes, pointed the other way: cobalt on white."""
    paint_lotus(-px, py, brush, depth, COBALT, TURQUOISE, WHITE, COBALT)


def paint_star(px, py, brush, depth):
    """The five-pointed star: a wild rose."""
    x, y = fold(px, py, 5)
    radius = np.hypot(px, py)
    vx, vy = np.cos(np.radians(36)), np.sin(np.radians(36))
    brush.fill(leaf(x, y, (0.17, 0), (0.44, 0), 0.024, 0, 0.4), COBALT, BLACK, 0.007)
    brush.fill(leaf(x, y, (0.19, 0), (0.32, 0), 0.008), WHITE)
    brush.fill(disc(x, y, 0.12 * vx, 0.12 * vy, 0.062), WHITE, BLACK)
    brush.fill(disc(x, y, 0.115 * vx, 0.115 * vy, 0.026), AQUA)
    brush.fill(0.062 - radius, RED, BLACK)
    brush.fill(0.024 - radius, AMBER)
    _border(brush, depth, BLACK, 0.032, 0.008)


def paint_spindle(px, py, brush, depth):
    """The long star on black: two blossoms face to face."""
    x, y = np.abs(px), np.abs(py)
    brush.fill(leaf(x, y, (0.05, 0.0), (0.62, 0.0), 0.06, 0, 0.5), TURQUOISE, WHITE)
    brush.fill(leaf(x, y, (0.10, 0.0), (0.46, 0.0), 0.024), AMBER)
    brush.fill(leaf(x, y, (0.05, 0.05), (0.26, 0.40), 0.045, 0.02, 0.45), AQUA, WHITE, 0.010)
    brush.fill(disc(x, y, 0.30, 0.13, 0.026), AMBER)
    brush.fill(disc(x, y, 0.0, 0.22, 0.030), RED, WHITE)
    bx, by = fold(px, py, 8)
    brush.fill(disc(bx, by, 0.105, 0, 0.046), WHITE, BLACK)
    brush.fill(0.075 - np.hypot(px, py), OCHRE, BLACK)
    brush.fill(0.030 - np.hypot(px, py), COBALT)
    _border(brush, depth, OCHRE)


PAINTERS = {
    "sun": (DEEP, paint_sun),
    "petal": (TURQUOISE, paint_turquoise_petal),
    "dark petal": (COBALT, paint_cobalt_petal),
    "star": (OCHRE, paint_star),
    "spindle": (BLACK, paint_spindle),
    "bud": (WHITE, paint_white_petal),
}


def paint_straps(colour, pieces, raster, rng):
    """White straps with a fine golden line along the middle."""
    worn = 0.75 + 0.2 * np.clip(raster_noise(raster, 9, rng), -1, 1)
    line = worn * smoothstep(1.15, 0.65, np.abs(pieces.across))
    band = mix_colours(np.broadcast_to(WHITE * linear("#fffaf6") * 1.3, colour.shape), OCHRE, line)
    return np.where(pieces.is_strap[..., None], band, colour)
