"""The cartoon of the mosaic: a peacock in its fan, vine scrolls, a meadow, a guilloche border.

A cartoon says, for any points in sheet units (800 x 600), which part they belong to. How wide a
part's tesserae are and which stones they are cut from is looked up in `PARTS`; the few parts whose
colour depends on place are shaded by `stone_at`.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pictures.toolkit.blend import mix
from pictures.toolkit.colour import linear
from pictures.toolkit.shapes import segment_distance
from pictures.toolkit.vectors import turned

PANEL = (92.0, 92.0, 708.0, 508.0)
BAND_MIDDLE, BAND_HALF, CORNER = 48.0, 30.0, 84.0
FAN = np.array([400.0, 424.0])
EYE_ROWS = ((270, 17, 22.5), (213, 14, 20.0), (161, 11, 17.0), (113, 8, 14.5))  # radius, eyes, eye radius
FAN_SWEEP = np.radians(190)

STONE, GLASS, GOLD_LEAF = 0, 1, 2


@dataclass(frozen=True)
class Part:
    """How a part of the picture is laid: width of its tesserae, material, and its stones."""

    size: float
    material: int
    stones: np.ndarray


def _part(size, material, *hexes):
    return Part(size, material, linear(*hexes).reshape(-1, 3))


_NIGHT = ("#141c33", "#1b2440", "#10151f", "#232a3c")
_CREAM = ("#e9dcc0", "#dccba6", "#f2e9d6", "#d3c3a3")
_GOLD = ("#d9a441", "#e4b653", "#c88f2e", "#efcb77", "#b97c22")

PARTS = {
    "edge": _part(9.5, STONE, *_NIGHT),
    "fillet": _part(9.5, STONE, *_CREAM),
    "band": _part(8.5, STONE, *_NIGHT),
    "strand a": _part(7.6, STONE, "#a63d2a", "#943324", "#b5503a", "#8a2c22"),
    "strand b": _part(7.6, STONE, "#2f6f86", "#275d78", "#3f8598", "#1f4f6e"),
    "band eye": _part(7.5, GLASS, *_GOLD),
    "corner": _part(8.5, STONE, "#7c2a22", "#8b3328", "#6d2420"),
    "corner petal": _part(7.5, STONE, *_CREAM),
    "corner heart": _part(7.0, GLASS, "#1f8a8c", "#2a9d99", "#176f7a"),
    "rim": _part(9.0, STONE, "#8f2f24", "#a33c2c", "#7d2720"),
    "ground": _part(10.5, GOLD_LEAF, *_GOLD),
    "fan": _part(8.8, GLASS, "#0a6650", "#0f7a58", "#08524e", "#158a60", "#064048"),
    "shaft": _part(7.4, GOLD_LEAF, "#c9a23f", "#b9b04a", "#d8b455"),
    "fan hem": _part(8.0, GLASS, "#07233a", "#0a2c48", "#061a2e"),
    "eye": _part(7.4, GLASS, "#1a9a96", "#25b0a6", "#148a90"),
    "wing": _part(7.6, STONE, "#b5652d", "#9d4f25", "#c98245", "#7f3d20"),
    "body": _part(7.2, GLASS, "#1446a8", "#0f3894", "#1d57bd", "#0c2c7c"),
    "head": _part(5.6, GLASS, "#1446a8", "#1a52b8", "#0f3894"),
    "face": _part(4.8, STONE, "#f4ecdc", "#e9dfc8"),
    "pupil": _part(5.0, GLASS, "#0b0b10", "#15131c"),
    "beak": _part(5.0, STONE, "#d58a2e", "#c4752a", "#e3a24a"),
    "crest": _part(5.5, GLASS, "#1a9a96", "#1446a8", "#25b0a6"),
    "leg": _part(7.0, STONE, "#b0602c", "#c4782f", "#984c24"),
    "meadow": _part(8.6, STONE, "#3f6b2c", "#52823a", "#2f5726", "#6a9544", "#86a04a"),
    "flower": _part(6.6, GLASS, "#b8272b", "#cf3a34", "#a01c26"),
    "flower heart": _part(6.5, GOLD_LEAF, "#f0cf70", "#e4b653"),
    "vine": _part(8.6, STONE, "#1d3014", "#263b18", "#17260f", "#2f2a16"),
    "leaf": _part(7.2, STONE, "#3d7a34", "#2f672f", "#569246", "#7aa84f"),
    "grape": _part(6.4, GLASS, "#5a1f5e", "#6f2c74", "#471748", "#84408a"),
}
NAMES = list(PARTS)


class Cartoon:
    """Parts painted one over the other on a grid of sheet units; `part` holds indices into NAMES."""

    def __init__(self):
        self.x, self.y = np.meshgrid(np.arange(800, dtype=np.float32) + 0.5, np.arange(600, dtype=np.float32) + 0.5)
        self.part = np.zeros(self.x.shape, np.int16)
        paint_border(self)
        paint_vines(self)
        paint_meadow(self)
        paint_fan(self)
        paint_bird(self)

    def paint(self, name, inside):
        """Gives the points where `inside` holds to a part."""
        self.part[inside] = NAMES.index(name)

    def _near(self, low_x, low_y, high_x, high_y):
        """Slices of the grid around a box, for shapes far smaller than the picture."""
        return slice(max(int(low_y), 0), max(int(high_y) + 2, 0)), slice(max(int(low_x), 0), max(int(high_x) + 2, 0))

    def disc(self, name, cx, cy, radius):
        """A round patch."""
        self.ellipse(name, cx, cy, radius, radius)

    def ellipse(self, name, cx, cy, rx, ry, degrees=0.0):
        """An oval patch, turned clockwise."""
        reach = max(rx, ry)
        near = self._near(cx - reach, cy - reach, cx + reach, cy + reach)
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        along, across = turned(self.x[near] - cx, self.y[near] - cy, cos, sin)
        inside = (along / rx) ** 2 + (across / ry) ** 2 < 1
        self.part[near][inside] = NAMES.index(name)

    def taper(self, name, ax, ay, ar, bx, by, br):
        """A limb from a to b whose radius goes from ar to br."""
        reach = max(ar, br)
        near = self._near(min(ax, bx) - reach, min(ay, by) - reach, max(ax, bx) + reach, max(ay, by) + reach)
        distance, share = segment_distance(self.x[near], self.y[near], (ax, ay), (bx, by))
        inside = distance < mix(ar, br, share)
        self.part[near][inside] = NAMES.index(name)

    def stroke(self, name, points, radius):
        """A limb along several points."""
        for (ax, ay), (bx, by) in pairwise(points):
            self.taper(name, ax, ay, radius, bx, by, radius)


# ---------------------------------------------------------------------------- border


def paint_border(c):
    """Fillets, a two-strand guilloche on every side, a quatrefoil in every corner, the gold ground."""
    edge = np.minimum(np.minimum(c.x, 800 - c.x), np.minimum(c.y, 600 - c.y))
    c.paint("edge", edge < 9.5)
    c.paint("fillet", edge >= 9.5)
    c.paint("band", (edge >= BAND_MIDDLE - BAND_HALF) & (edge < BAND_MIDDLE + BAND_HALF))
    c.paint("fillet", edge >= BAND_MIDDLE + BAND_HALF)
    c.paint("rim", edge >= PANEL[0] - 8)
    c.paint("ground", edge >= PANEL[0])
    across_x, across_y = np.minimum(c.y, 600 - c.y) - BAND_MIDDLE, np.minimum(c.x, 800 - c.x) - BAND_MIDDLE
    _paint_guilloche(c, c.x, across_x, 800, 12)
    _paint_guilloche(c, c.y, across_y, 600, 8)
    for cx in (BAND_MIDDLE + 1, 799 - BAND_MIDDLE):
        for cy in (BAND_MIDDLE + 1, 599 - BAND_MIDDLE):
            _paint_corner(c, cx, cy)


def guilloche_phase(along, length, twists):
    """Twists since the band began: whole numbers are crossings."""
    return (along - CORNER) / (length - 2 * CORNER) * twists


def strand_offsets(along, across, length, twists):
    """Signed distance across from the middle of either strand."""
    phase = np.pi * guilloche_phase(along, length, twists)
    slope = 17.5 * np.pi * twists / (length - 2 * CORNER) * np.cos(phase)
    sway, lean = 17.5 * np.sin(phase), 1 / np.sqrt(1 + slope**2)
    return (across - sway) * lean, (across + sway) * lean


def _paint_guilloche(c, along, across, length, twists):
    inside = (np.abs(across) < BAND_HALF) & (along > CORNER) & (along < length - CORNER)
    a, b = (inside & (np.abs(d) < 11.4) for d in strand_offsets(along, across, length, twists))
    phase = guilloche_phase(along, length, twists)
    a_over = np.round(phase) % 2 == 0
    c.paint("strand b", b)
    c.paint("strand a", a & (a_over | ~b))
    middle = (np.abs(phase % 1 - 0.5) * (length - 2 * CORNER) / twists) ** 2 + across**2
    c.paint("band eye", inside & (middle < 5.0**2))


def _paint_corner(c, cx, cy):
    c.paint("corner", np.maximum(np.abs(c.x - cx), np.abs(c.y - cy)) < 31)
    for degrees in (45, 135):
        c.ellipse("corner petal", cx, cy, 34, 11, degrees)
    c.disc("corner heart", cx, cy, 11)
    c.disc("flower heart", cx, cy, 4)


# ---------------------------------------------------------------------------- garden


def paint_vines(c):
    """A vine up either side, curling into the upper corners, with leaves and grapes."""
    for side in (-1, 1):
        turn = np.linspace(0, 4.1 * np.pi / 1.6, 34)
        radius = 48 * (1 - 0.72 * turn / turn[-1])
        scroll = np.column_stack([151 - radius * np.cos(turn), 156 - radius * np.sin(turn)])
        stem = [(106, 480), (101, 420), (108, 350), (100, 280), (104, 215), *scroll]
        mirror = [(400 + side * (400 - px), py) for px, py in stem]
        c.stroke("vine", mirror, 4.8)
        for px, py, length, width, degrees in (
            (212, 118, 27, 13, -18),
            (205, 176, 20, 11, 55),
            (121, 238, 24, 12, 50),
            (118, 312, 22, 10, 60),
            (115, 388, 17, 9, 55),
            (112, 112, 20, 10, 48),
            (262, 108, 22, 11, 8),
        ):
            c.ellipse("leaf", 400 + side * (400 - px), py, length, width, -side * degrees)
        for row in range(4):
            for k in range(4 - row):
                c.disc("grape", 400 + side * (400 - (138 + 13 * k + 6.5 * row)), 141 + 11.5 * row, 6.9)


def paint_meadow(c):
    """Grass with flowers along the foot of the panel."""
    top = 480 + 5 * np.cos((c.x - 400) / 48) + 0.00011 * (c.x - 400) ** 2 * 0.6
    c.paint("meadow", (c.y > top) & (c.y < PANEL[3]) & (c.x > PANEL[0]) & (c.x < PANEL[2]))
    for px, py in ((128, 474), (196, 462), (262, 474), (318, 462)):
        for fx in (px, 800 - px):
            c.stroke("leaf", [(fx, py), (fx, 492)], 4.4)
            for k in range(5):
                angle = 2 * np.pi * k / 5 - np.pi / 2
                c.disc("flower", fx + 10.5 * np.cos(angle), py + 10.5 * np.sin(angle), 7.6)
            c.disc("flower heart", fx, py, 6.0)


# ---------------------------------------------------------------------------- peacock


def eyes():
    """Middle, radius and angle of every eye of the fan, shape (n, 4)."""
    rows = []
    for radius, count, size in EYE_ROWS:
        for angle in np.linspace(-FAN_SWEEP / 2, FAN_SWEEP / 2, count):
            rows.append((FAN[0] + radius * np.sin(angle), FAN[1] - radius * np.cos(angle), size, angle))
    # None beside the head, which has to stand out.
    return np.array([row for row in rows if row[1] < 190 or abs(row[0] - FAN[0]) > 58])


def paint_fan(c):
    """Hem, feathers with golden shafts, and the eyes."""
    around = np.hypot(c.x - FAN[0], c.y - FAN[1])
    angle = np.abs(np.arctan2(c.x - FAN[0], FAN[1] - c.y))
    outer = eyes()[: EYE_ROWS[0][1]]
    sector = angle < FAN_SWEEP / 2 + 0.02
    for name, grow in (("fan hem", 8.5), ("fan", 0.0)):
        c.paint(name, sector & (around < 268 + grow))
        for x, y, size, _ in outer:
            c.disc(name, x, y, size + 7.5 + grow)
    for x, y, size, direction in eyes():
        foot = np.array([x, y]) - (size + 27) * np.array([np.sin(direction), -np.cos(direction)])
        c.taper("shaft", x, y, 4.2, foot[0], foot[1], 3.7)
    for x, y, size, _ in eyes():
        c.disc("eye", x, y, size)


def paint_bird(c):
    """Legs, wings, body and head over the fan."""
    for side in (-1, 1):
        c.stroke("leg", [(400 + 17 * side, 462), (400 + 19 * side, 490)], 4.6)
        c.stroke("leg", [(400 + 8 * side, 494), (400 + 19 * side, 489), (400 + 31 * side, 494)], 4.2)
        c.ellipse("wing", 400 + 41 * side, 416, 24, 53, -14 * side)
    for name, grow in (("fan hem", 7.5), ("body", 0.0)):
        c.ellipse(name, 400, 414, 40 + grow, 58 + grow)
        c.taper(name, 400, 392, 37 + grow, 394, 330, 25 + grow)
        c.taper(name, 394, 330, 25 + grow, 397, 284, 20 + grow)
        c.taper(name, 397, 284, 20 + grow, 405, 252, 24 + grow)
        c.taper(name, 422, 254, 10 + grow, 461, 268, 2.5 + grow)
    for k in range(5):
        angle = np.radians(-90 + 25 * (k - 2) - 4)
        tip = 404 + 57 * np.cos(angle), 246 + 57 * np.sin(angle)
        c.stroke("crest", [(404, 240), tip], 3.4)
        c.disc("flower heart", *tip, 7.0)
    c.taper("head", 397, 284, 20, 405, 252, 24)
    c.taper("beak", 422, 254, 10, 461, 268, 2.5)
    c.ellipse("face", 413, 249, 14.5, 10.5, 10)
    c.disc("pupil", 414, 249, 5.2)


# ---------------------------------------------------------------------------- stones


def rows_of(cartoon, distance_inside):
    """The coordinate across the rows: whole multiples of a tessera's width are joints.

    Rows follow the nearest outline, but for the feathers, laid in arcs around the bird, and the
    gold ground, which passes behind vines and flowers without heeding them.
    `distance_inside`: of a mask, the distance to its outline.
    """
    part = cartoon.part
    outline = np.zeros(part.shape, bool)
    outline[:, 1:] |= part[:, 1:] != part[:, :-1]
    outline[1:] |= part[1:] != part[:-1]
    inset = distance_inside(~outline)
    open_ground = np.isin(part, [NAMES.index(n) for n in ("ground", "vine", "leaf", "grape", "flower")])
    rows = np.where(part == NAMES.index("ground"), distance_inside(open_ground), inset)
    around = np.hypot(cartoon.x - FAN[0], cartoon.y - FAN[1])
    return inset, np.where(part == NAMES.index("fan"), around, rows).astype(np.float32)


def stone_at(x, y, part, inset, rng):
    """Colour, shape (n, 3), and material of the tessera at each point.

    `inset`: distance of the point from the edge of its part.
    """
    colour, material = np.zeros((len(x), 3), np.float32), np.zeros(len(x), np.int8)
    for i, (_, spec) in enumerate(PARTS.items()):
        here = part == i
        colour[here] = spec.stones[rng.integers(len(spec.stones), size=here.sum())]
        material[here] = spec.material
    for name, shade in SHADES.items():
        here = part == NAMES.index(name)
        colour[here] = shade(colour[here], x[here], y[here], inset[here], rng)
    material[(part == NAMES.index("eye")) & (inset < 7.4)] = GOLD_LEAF
    return colour, material


def _rows(colour, inset, size, *hexes):
    """Replaces whole rows, counted from the edge of the part; "" keeps the stones of the part."""
    row = np.minimum((inset / size).astype(int), len(hexes) - 1)
    for i, value in enumerate(hexes):
        if value:
            colour[row == i] = linear(value)
    return colour


def _shade_eye(colour, x, y, inset, rng):
    return _rows(colour, inset, 7.4, "#d9a83c", "", "#0e2378")


def _shade_strand(middle):
    def shade(colour, x, y, inset, rng):
        return _rows(colour, inset, 7.6, "", middle)

    return shade


def _shade_body(colour, x, y, inset, rng):
    """Lit from the left: turquoise towards the light, night blue on the other flank."""
    side = (x - 400) / 40 + rng.normal(0, 0.22, len(x))
    colour = np.where((side < -0.45)[:, None], linear("#1f8fb8"), colour)
    colour = np.where((side > 0.55)[:, None], linear("#0a1f5e"), colour)
    scale = (np.sin(x / 5.2) * np.sin(y / 6.5) > 0.62) & (y > 350)
    return np.where(scale[:, None], linear("#2fc0b4"), colour)


def _shade_fan(colour, x, y, inset, rng):
    """Brighter green outwards, near black towards the bird."""
    around = np.hypot(x - FAN[0], y - FAN[1]) / 270 + rng.normal(0, 0.10, len(x))
    colour = colour * np.clip(0.35 + 0.95 * around, 0.3, 1.4)[:, None]
    return np.where((around > 0.75)[:, None] & (rng.random(len(x)) < 0.22)[:, None], linear("#3fa66a"), colour)


def _shade_leaf(colour, x, y, inset, rng):
    """Dark along the edge, light along the rib."""
    return colour * np.where(inset < 7.2, 0.7, 1.5)[:, None]


def _shade_meadow(colour, x, y, inset, rng):
    return colour * (1.25 - 0.5 * np.clip((y - 478) / 30, 0, 1))[:, None]


def _shade_ground(colour, x, y, inset, rng):
    """Gold with stray pale and rosy glass."""
    stray = rng.random(len(x))
    colour = np.where((stray < 0.07)[:, None], linear("#e8d9b0"), colour)
    return np.where((stray > 0.95)[:, None], linear("#b5703a"), colour)


def _shade_wing(colour, x, y, inset, rng):
    return np.where((np.sin(y / 4.6) > 0.45)[:, None], linear("#e3c48c"), colour)


SHADES = {
    "eye": _shade_eye,
    "strand a": _shade_strand("#ecc9a4"),
    "strand b": _shade_strand("#c9dcd6"),
    "body": _shade_body,
    "fan": _shade_fan,
    "leaf": _shade_leaf,
    "meadow": _shade_meadow,
    "ground": _shade_ground,
    "wing": _shade_wing,
}
