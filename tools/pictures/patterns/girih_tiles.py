"""Isfahan-style tilework: strapwork by polygons in contact, painted and glazed.

A tiling of decagons, pentagons and hexagons is laid out; from the middle of every edge two lines
leave at 72 degrees and run until they meet their neighbours (Hankin 1925; Kaplan, "Islamic star
patterns from polygons in contact", GI 2005). Lines become straps, which pass over and under in
turn; what they enclose becomes tiles with painted flowers. Lengths are in tiling edges until
`EDGE` makes them sheet units.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.spatial import cKDTree

from pictures.toolkit.blend import mix_colours, smoothstep
from pictures.toolkit.colour import linear
from pictures.toolkit.noise import fractal_raster_noise, raster_noise
from pictures.toolkit.raster import finish, make_raster
from pictures.toolkit.relief import highlight, relief_normals
from pictures.toolkit.shapes import inside, segment_distance
from pictures.toolkit.vectors import dot, turned, unit

CIRCUMRADIUS = (1 + 5**0.5) / 2  # of a decagon with edge 1
TILT = np.radians(18)  # of a contact line from the normal of its edge
EDGE = 58.4  # half the width of the picture holds one period: stars fall on its axes
STRAP = 4.1  # half the width of a strap, sheet units
GROUT = 0.75  # half the width of a joint

COBALT, DEEP, TURQUOISE, AQUA, WHITE, OCHRE, AMBER, BLACK, RED = linear(
    "#153a8a", "#0c2259", "#1698a0", "#6cc7c2", "#efe7d3", "#c98a26", "#e2b04a", "#14120f", "#a5402a"
)
PLASTER, BISCUIT = linear("#8f7f68"), linear("#c39a72")


def render(width, height, seed):
    """Star-and-polygon tiles with interlaced straps, float32 (height, width, 3) in [0, 1]."""
    raster = make_raster(width, height)
    rng = np.random.default_rng(seed)
    x, y = _hand_laid(raster, rng)
    straps, faces = strapwork(tiling())
    pieces = lay_pieces(x, y, straps, faces, raster, rng)
    colour = paint_faces(x, y, pieces, faces, raster, rng)
    colour = paint_straps(colour, pieces, raster, rng)
    light = glaze(colour, pieces, chips(pieces, straps, x, y, raster, rng), raster, rng)
    return finish(light, raster)


def _hand_laid(raster, rng):
    """Coordinates of a wall that no ruler has touched."""
    x, y = raster.grid()
    dx, dy = (1.3 * raster_noise(raster, 120, rng) + 0.16 * raster_noise(raster, 9, rng) for _ in range(2))
    return x - 400 + dx, y - 300 + dy


# ---------------------------------------------------------------------------- geometry


def tiling():
    """Corners, shape (n, 2), counterclockwise, of every polygon that can touch the picture."""
    angles = np.radians(36 * np.arange(10))
    decagon = CIRCUMRADIUS * np.column_stack([np.cos(angles), np.sin(angles)])
    cell = [decagon] + [_polygon_on(decagon, k, [72] * 5) for k in (8, 9, 0, 1)]
    cell.append(_polygon_on(decagon, 2, [72, 36, 72, 72, 36, 72]))
    step = 2 * CIRCUMRADIUS + 1
    along = step * np.array([[np.cos(np.pi / 5), -np.sin(np.pi / 5)], [np.cos(np.pi / 5), np.sin(np.pi / 5)]])
    shifts = [i * along[0] + j * along[1] for i in range(-4, 5) for j in range(-4, 5)]
    shifts = [s for s in shifts if abs(s[0]) < 400 / EDGE + 3 and abs(s[1]) < 300 / EDGE + 3]
    return [(polygon + shift) * EDGE for shift in shifts for polygon in cell]


def _polygon_on(polygon, k, turns):
    """The polygon outside edge k of another, with unit edges and turns (degrees) after each edge."""
    start, end = polygon[(k + 1) % len(polygon)], polygon[k]
    heading = np.arctan2(*(end - start)[::-1])
    corners = [start]
    for turn in turns[:-1]:
        corners.append(corners[-1] + (np.cos(heading), np.sin(heading)))
        heading += np.radians(turn)
    return np.array(corners)


@dataclass(frozen=True)
class Strap:
    """A piece of strap, over at its middle point and under at both ends.

    `path`: 5 points. `under`: for both ends the crossing and the direction of the strap above.
    """

    path: np.ndarray
    under: tuple


@dataclass(frozen=True)
class Face:
    """A tile: outline, middle, angle of its axis, and kind, by which it is painted."""

    outline: np.ndarray
    middle: np.ndarray
    axis: float
    kind: str


def strapwork(polygons):
    """Straps and faces of the pattern on these polygons."""
    crossings, corners, faces = {}, {}, []
    for polygon in polygons:
        middles, meets, directions = contact_lines(polygon)
        count = len(polygon)
        for i in range(count):
            nxt = (i + 1) % count
            half = middles[i], meets[i], middles[nxt]
            crossings.setdefault(_key(middles[i]), []).append((half, directions[i]))
            ring = corners.setdefault(_key(polygon[nxt]), [polygon[nxt], [], None])
            ring[1] += [middles[i], meets[i], middles[nxt]]
            if count == 10:
                ring[2] = polygon.mean(axis=0)
        faces.append(_star(polygon, middles, meets))
    faces += [_rosette_petal(*ring) for ring in corners.values() if len(ring[1]) == 9]
    return _weave(crossings), faces


def _key(point):
    return tuple(np.round(point * 8).astype(int))


def contact_lines(polygon):
    """Edge middles, the points where lines from successive edges meet, and the lines' directions."""
    nxt = np.roll(polygon, -1, axis=0)
    along = (nxt - polygon) / np.linalg.norm(nxt - polygon, axis=1)[:, None]
    inward = np.column_stack([-along[:, 1], along[:, 0]])
    middles = (polygon + nxt) / 2
    ahead = inward * np.cos(TILT) + along * np.sin(TILT)
    behind = np.roll(inward * np.cos(TILT) - along * np.sin(TILT), -1, axis=0)
    gap = np.roll(middles, -1, axis=0) - middles
    reach = (gap[:, 0] * behind[:, 1] - gap[:, 1] * behind[:, 0]) / (
        ahead[:, 0] * behind[:, 1] - ahead[:, 1] * behind[:, 0]
    )
    return middles, middles + ahead * reach[:, None], ahead


def _star(polygon, middles, meets):
    """The star in the middle of a polygon."""
    outline = np.stack([middles, meets], axis=1).reshape(-1, 2)
    middle = polygon.mean(axis=0)
    axis = np.arctan2(*(middles[0] - middle)[::-1])
    if len(polygon) == 6:  # its long axis joins the two blunt corners
        lengths = np.linalg.norm(polygon - middle, axis=1)
        axis = np.arctan2(*(polygon[np.argmax(lengths)] - middle)[::-1])
    return Face(outline, middle, axis, {10: "sun", 5: "star", 6: "spindle"}[len(polygon)])


def _rosette_petal(corner, points, sun):
    """The tile around a corner of the tiling: a petal of a rosette, or the small one between."""
    points = np.array(points)
    points = points[np.unique(np.round(points * 8).astype(int), axis=0, return_index=True)[1]]
    angle = np.arctan2(*(points - corner).T[::-1])
    outline = points[np.argsort(angle)]
    if sun is None:
        far = points[np.argmax(np.linalg.norm(points - corner, axis=1))]
        return Face(outline, corner, np.arctan2(*(far - corner)[::-1]), "bud")
    axis = np.arctan2(*(corner - sun)[::-1])
    # Petals on the axis and next to the spindles are dark: symmetric from left to right.
    dark = round(np.degrees(axis) / 36) % 5 in (0, 2, 3)
    return Face(outline, corner, axis, "dark petal" if dark else "petal")


def _weave(crossings):
    """Strap pieces. Leaving an edge towards the next one a line is over, arriving it is under;
    the two halves of a line agree, for half a turn about the crossing maps one to the other."""
    straps = []
    for halves in crossings.values():
        if len(halves) < 2:
            continue
        (first, _), (second, _) = halves
        ends = [_key(half[2]) for half in (first, second)]
        if all(end in crossings for end in ends):
            under = tuple((half[2], crossings[end][0][1]) for half, end in zip((first, second), ends, strict=True))
            straps.append(Strap(np.array([first[2], first[1], first[0], second[1], second[2]]), under))
    return straps


# ---------------------------------------------------------------------------- laying


@dataclass
class Pieces:
    """At every sample: depth inside its piece (sheet units, negative in a joint), which piece,
    whether that is a strap, and the distance from the middle line of that strap."""

    depth: np.ndarray
    index: np.ndarray
    is_strap: np.ndarray
    across: np.ndarray


def lay_pieces(x, y, straps, faces, raster, rng):
    """Sets every piece in its place, a little off and a little turned."""
    shape = x.shape
    pieces = Pieces(
        np.full(shape, -9, np.float32),
        np.full(shape, -1, np.int32),
        np.zeros(shape, bool),
        np.zeros(shape, np.float32),
    )
    for i, item in enumerate(list(faces) + list(straps)):
        slack, turn = rng.normal(0, 0.33, 2), rng.normal(0, 0.004)
        points = item.path if isinstance(item, Strap) else item.outline
        window = _window(points, raster)
        if window is None:
            continue
        middle = points.mean(axis=0)
        px, py = x[window] - middle[0], y[window] - middle[1]
        px, py = px + turn * py + slack[0] + middle[0], py - turn * px + slack[1] + middle[1]
        if isinstance(item, Strap):
            depth, across = _strap_depth(px, py, item)
        else:
            depth, across = _outline_depth(px, py, item.outline) - STRAP, np.zeros_like(px)
        _keep_deepest(pieces, window, depth - GROUT, across, i, isinstance(item, Strap))
    return pieces


def _keep_deepest(pieces, window, depth, across, index, is_strap):
    better = depth > pieces.depth[window]
    pieces.depth[window][better] = depth[better]
    pieces.across[window][better] = across[better]
    pieces.index[window][better] = index
    pieces.is_strap[window][better] = is_strap


def _window(points, raster):
    """Slices of the raster around points (origin in the middle of the picture), or None if outside."""
    low, high = points.min(axis=0) - 2.5 * STRAP + (400, 300), points.max(axis=0) + 2.5 * STRAP + (400, 300)
    columns, rows = (
        np.searchsorted(raster.xs, (low[0], high[0])),
        np.searchsorted(raster.ys, (low[1], high[1])),
    )
    if columns[0] == columns[1] or rows[0] == rows[1]:
        return None
    return slice(*rows), slice(*columns)


def _outline_depth(x, y, outline):
    """Signed distance to a closed outline, positive inside."""
    edges = zip(outline, np.roll(outline, -1, axis=0), strict=True)
    distance = np.min([segment_distance(x, y, a, b)[0] for a, b in edges], axis=0)
    return np.where(inside(x, y, outline), distance, -distance)


def _strap_depth(x, y, strap):
    """Depth inside a piece of strap and distance from its middle line."""
    across = np.min([segment_distance(x, y, a, b)[0] for a, b in pairwise(strap.path)], axis=0)
    depth = STRAP - across
    for crossing, direction in strap.under:
        px, py = x - crossing[0], y - crossing[1]
        above = np.abs(px * direction[1] - py * direction[0]) - STRAP
        depth = np.where(np.hypot(px, py) < 5 * STRAP, np.minimum(depth, above), depth)
    return depth, across


# ---------------------------------------------------------------------------- painting


class Brush:
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
        brush = Brush(ground, len(index), 0.7 * raster.pitch / EDGE + 0.002, wobble[here])
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


# ---------------------------------------------------------------------------- material


def chips(pieces, straps, x, y, raster, rng):
    """Where glaze is broken off, 0 to 1: bites out of edges, and one long crack through the wall."""
    anchors = np.array([s.path[rng.integers(1, 4)] + rng.normal(0, STRAP, 2) for s in straps])
    anchors = anchors[rng.permutation(len(anchors))[: len(anchors) // 5]]
    size = rng.gamma(2.0, 1.1, len(anchors)) + 0.6
    distance, index = cKDTree(anchors).query(np.stack([x, y], axis=-1).reshape(-1, 2), distance_upper_bound=14)
    size = np.append(size, 0)[index].reshape(x.shape)
    rough = 0.9 * raster_noise(raster, 3.5, rng) + 0.5 * raster_noise(raster, 1.6, rng)
    bite = size + rough - np.minimum(distance, 20).reshape(x.shape)
    worn = 0.9 - pieces.depth + 0.9 * fractal_raster_noise(raster, 16, rng, 3) - 2.1
    return np.maximum(smoothstep(-0.3, 0.3, bite), 0.8 * smoothstep(0, 0.8, worn)).astype(np.float32)


def crackle(x, y, rng):
    """Depth of the hairline cracks in a glaze, 0 to 1, about 1 on a crack."""
    seeds = rng.uniform((-420, -320), (420, 320), (5200, 2))
    distance = cKDTree(seeds).query(np.stack([x, y], axis=-1).reshape(-1, 2), k=2)[0]
    return smoothstep(0.7, 0.15, (distance[:, 1] - distance[:, 0]).reshape(x.shape)).astype(np.float32)


def glaze(colour, pieces, broken, raster, rng):
    """Light on the wall: glaze over paint, rounded edges, joints, chips, a warm lamp from the left."""
    x, y = raster.grid()
    count = pieces.index.max() + 2
    tone = np.exp(rng.normal(0, 0.16, count))[pieces.index] ** np.where(pieces.is_strap, 0.35, 1)
    tint = np.exp(rng.normal(0, 0.045, (count, 3)))[pieces.index].astype(np.float32)
    pooled = smoothstep(0, 7, pieces.depth)
    cloud = 0.10 * fractal_raster_noise(raster, 22, rng, 4) + 0.05 * raster_noise(raster, 1.5, rng)
    cracks = crackle(x - 400, y - 300, rng) * smoothstep(-0.4, 0.6, raster_noise(raster, 55, rng))
    body = colour * tint * (tone * np.exp(cloud) * (1.18 - 0.26 * pooled))[..., None]
    body = mix_colours(body, body * 0.55 + 0.015, 0.6 * cracks)

    inside = smoothstep(-0.35, 0.35, pieces.depth)
    grit = raster_noise(raster, 1.3, rng)
    plaster = PLASTER * np.exp(0.22 * grit + 0.2 * raster_noise(raster, 12, rng))[..., None]
    clay = BISCUIT * np.exp(0.16 * grit + 0.16 * raster_noise(raster, 4, rng))[..., None]
    broken = broken * inside
    light = mix_colours(mix_colours(plaster * 0.5, body, inside), clay, broken)

    height = _relief(pieces, x, y, broken, grit, raster, rng)
    normal = relief_normals(height, raster.pitch)
    lamp = unit((-0.62, -0.48, 0.62))
    shade = np.maximum(dot(normal, lamp), 0) / lamp[2]
    sun = _lamp_pool(x, y, raster, rng)
    light = light * (0.30 * linear("#b9c8e6") + (0.72 * sun * shade)[..., None] * linear("#ffe9c4"))
    wet = inside * (1 - broken) * (1 - 0.5 * cracks)
    gloss = 0.8 * highlight(normal, lamp, 90) + 0.10 * highlight(normal, lamp, 12)
    light = light + (wet * sun * gloss)[..., None] * linear("#fff0d2")
    return light + (wet * _doorway(normal))[..., None] * linear("#dfe9f5")


def _doorway(normal):
    """Reflection of the bright arch behind the viewer, seen only in tiles that lean its way."""
    across, upwards = normal[0] + 0.065, normal[1] + 0.06
    return 0.18 * smoothstep(0.07, 0.03, np.hypot(across, 0.6 * upwards)) + 0.04 * smoothstep(0.1, -0.4, normal[1])


def _relief(pieces, x, y, broken, grit, raster, rng):
    """Height of the wall in sheet units."""
    count = pieces.index.max() + 2
    lean = rng.normal(0, 0.030, (count, 2))[pieces.index]
    # A glaze is drawn back from the edge of its tile and stands as a cushion.
    cushion = 1.25 * (1 - np.exp(-np.maximum(pieces.depth, 0) / 0.8)) + 0.3 * np.exp(-((pieces.depth - 3) ** 2) / 4)
    waves = 0.30 * raster_noise(raster, 13, rng) + 0.05 * raster_noise(raster, 4, rng)
    proud = 0.5 * pieces.is_strap
    lean = lean[..., 0] * (x - _mean_by_piece(pieces.index, x)) + lean[..., 1] * (y - _mean_by_piece(pieces.index, y))
    height = np.where(pieces.depth > 0, cushion + proud + waves + np.clip(lean, -1.2, 1.2), 0.25 * grit - 0.5)
    return height - broken * (0.9 - 0.25 * grit)


def _mean_by_piece(index, values):
    """At every sample, the mean of `values` over its piece."""
    flat = index.ravel() + 1
    total = np.bincount(flat, values.ravel()) / np.maximum(np.bincount(flat), 1)
    return total[flat].reshape(index.shape).astype(np.float32)


def _lamp_pool(x, y, raster, rng):
    """Warm light falling from the upper left, dimmer in the far corner."""
    fall = 1.30 - 0.78 * smoothstep(0, 950, 0.8 * x + 0.75 * y)
    return fall * (1 + 0.05 * raster_noise(raster, 160, rng))
