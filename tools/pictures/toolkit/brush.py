"""A small brush engine: oriented strokes of bristly paint laid one by one, and lit from the upper left.

Places and sizes are in sheet units: every picture is a sheet of 800 x 600 units, whatever its size in
pixels, so a scene is composed once and painted at any size. A scene says what colour, direction and stroke
size belong to each place; the `Canvas` lays the strokes. Work per stroke is local to the stroke.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from scipy import ndimage

SHEET_W, SHEET_H = 800.0, 600.0
LIGHT = np.array([-0.6, -0.8])  # the lamp stands at the upper left
SMALLEST_BRUSH = 2.0  # pixels; finer brushes are grown to this and lay fewer strokes


# ---- colour ----


def rgb(*codes):
    """Colours from "#rrggbb" codes, float32, (3,) for one code and (n, 3) for more."""
    values = [[int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)] for code in codes]
    return np.array(values[0] if len(codes) == 1 else values, np.float32)


def ramp(t, codes):
    """The colour at t in [0, 1] on an even scale of "#rrggbb" codes, shape t.shape + (3,)."""
    stops = rgb(*codes)
    place = np.clip(t, 0, 1) * (len(codes) - 1)
    low = np.minimum(place.astype(int), len(codes) - 2)
    part = (place - low)[..., None]
    return stops[low] * (1 - part) + stops[low + 1] * part


def mix(a, b, t):
    """a where t is 0, b where t is 1; t gets a colour axis."""
    t = np.asarray(t)[..., None]
    return a * (1 - t) + b * t


def jitter(rng, colour, light=0.05, warmth=0.03, hue=0.02):
    """Each row of `colour` lighter or darker, warmer or cooler, as paint mixed anew for every stroke."""
    n = len(colour)
    shift = rng.normal(0, light, (n, 1)) + rng.normal(0, warmth, (n, 1)) * np.array([1.0, 0.1, -1.0])
    return np.clip(colour + shift + rng.normal(0, hue, (n, 3)), 0, 1)


# ---- fields over the sheet ----


def smoothstep(low, high, x):
    """0 below `low`, 1 above `high`, smooth between; `low` may be the larger."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def noise(x, y, cell, seed):
    """Smooth noise in [0, 1] with lumps of about `cell` units."""
    table = np.random.default_rng(seed).random((64, 64))
    x, y = np.broadcast_arrays(np.asarray(x, float) / cell, np.asarray(y, float) / cell)
    i, j = np.floor(x).astype(int), np.floor(y).astype(int)
    s, t = smoothstep(0, 1, x - i), smoothstep(0, 1, y - j)
    i, j, right, below = i % 64, j % 64, (i + 1) % 64, (j + 1) % 64
    top = table[j, i] * (1 - s) + table[j, right] * s
    return top * (1 - t) + (table[below, i] * (1 - s) + table[below, right] * s) * t


def fractal(x, y, cell, seed, octaves=4):
    """Noise with detail: octaves of half the size and half the strength, about in [0, 1] with mean 0.5."""
    total = sum(noise(x, y, cell / 2**k, seed + k) / 2**k for k in range(octaves))
    return total / (2 - 2 ** (1 - octaves))


def inside(x, y, polygon):
    """Whether each point lies in the polygon, a list of (x, y) corners (even-odd rule)."""
    corners = np.asarray(polygon, float)
    within = np.zeros(np.shape(x), bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 != y1:
            within ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return within


def scatter(rng, n, box=(-10, -10, 810, 610)):
    """n points spread evenly but without a visible grid over the box (x0, y0, x1, y1), in random order."""
    x0, y0, x1, y1 = box
    columns = max(1, round(np.sqrt(n * (x1 - x0) / (y1 - y0))))
    rows = max(1, -(-n // columns))
    cells = rng.permutation(columns * rows)[:n]
    x = x0 + (cells % columns + rng.random(len(cells))) * (x1 - x0) / columns
    y = y0 + (cells // columns + rng.random(len(cells))) * (y1 - y0) / rows
    return x, y


# ---- brush tips ----


def _streaks(rng, shape, along, across):
    """Noise drawn out along the stroke, as bristles draw it, spread evenly over [0, 1]."""
    field = ndimage.gaussian_filter(rng.standard_normal(shape), (along, across), mode="nearest")
    ranks = np.empty(field.size)
    ranks[np.argsort(field, axis=None)] = np.linspace(0, 1, field.size)
    return ranks.reshape(shape)


def _tip(rng, roundness, raggedness, dryness, taper):
    """One print of a brush, (96, 32, 3): its cover, the height of the paint, its streaks of second colour."""
    u, v = np.meshgrid(np.linspace(-1, 1, 96), np.linspace(-1, 1, 32), indexing="ij")
    bristles = _streaks(rng, u.shape, 20, 1.5)
    start = -0.96 + raggedness * rng.random() * _streaks(rng, u.shape, 60, 1.2)
    end = 0.96 - raggedness * 1.6 * _streaks(rng, u.shape, 60, 1.2)
    half_width = (1 - roundness * np.abs(u) ** 2.5) * (1 - taper * (u + 1) / 2) * 0.94
    half_width *= 1 - 0.3 * _streaks(rng, u.shape, 7, 7)
    cover = smoothstep(0.0, 0.16, half_width - np.abs(v))
    cover *= smoothstep(-0.03, 0.06, u - start) * smoothstep(-0.03, 0.1, end - u)
    running_dry = dryness * (0.35 + 0.65 * smoothstep(-0.7, 1.0, u))
    cover *= smoothstep(running_dry - 0.22, running_dry + 0.1, bristles + 0.08)
    cover *= 1 - 0.45 * smoothstep(-0.6, 1.0, u) * (1 - bristles)  # wet paint mixes into what lies below
    ridge = np.exp(-(((half_width - np.abs(v)) / 0.16) ** 2)) + 0.8 * np.exp(-(((end - u) / 0.1) ** 2))
    height = cover * (0.2 + 0.9 * bristles + 0.5 * np.minimum(ridge, 1.2))
    return np.stack([cover, height, _streaks(rng, u.shape, 16, 1.6)], axis=-1).astype(np.float32)


_TIP_KINDS = {
    "flat": {"roundness": 0.15, "raggedness": 0.16, "dryness": 0.16, "taper": 0.05},
    "dab": {"roundness": 0.55, "raggedness": 0.14, "dryness": 0.05, "taper": 0.12},
    "dot": {"roundness": 0.75, "raggedness": 0.0, "dryness": 0.0, "taper": 0.0},
    "blade": {"roundness": 0.2, "raggedness": 0.08, "dryness": 0.1, "taper": 0.85},
    "dry": {"roundness": 0.25, "raggedness": 0.3, "dryness": 0.62, "taper": 0.2},
}
_VARIANTS = 10


def _shrunk(tips, level):
    """The tips at 1 / 2**level of their size, each with an empty border that far-off pixels look up."""
    n, length, width, channels = tips.shape
    f = 2**level
    small = tips.reshape(n, length // f, f, width // f, f, channels).mean(axis=(2, 4))
    return np.pad(small, ((0, 0), (1, 1), (1, 1), (0, 0)))


def _make_tips():
    """{kind: [tips at full size, half size, ...]}; the same brushes for every picture."""
    bank = {}
    for number, (kind, habit) in enumerate(_TIP_KINDS.items()):
        rng = np.random.default_rng(100 + number)
        tips = np.stack([_tip(rng, **habit) for _ in range(_VARIANTS)])
        bank[kind] = [_shrunk(tips, level) for level in range(5)]
    return bank


_TIPS = _make_tips()


# ---- strokes ----


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


# ---- ready-made groups ----


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


# ---- the canvas ----


class Canvas:
    """Colour and relief of a picture being painted."""

    def __init__(self, width, height, ground, rng, weave=0.25):
        """`width` x `height` pixels primed with the colour `ground`; `weave` is the relief of the cloth."""
        self.scale_x, self.scale_y = width / SHEET_W, height / SHEET_H
        self.scale = float(np.sqrt(self.scale_x * self.scale_y))
        self.rng = rng
        self.x, self.y = self.pixel_places(width, height)
        self.colour = np.empty((height, width, 3), np.float32)
        self.colour[:] = ground
        threads = np.sin(self.x * 2.1) * np.sin(self.y * 2.1) + 0.5 * noise(self.x, self.y, 2.0, 7)
        fine_enough = np.clip(self.scale * 2 - 1, 0, 1)  # a weave finer than the pixels would only alias
        self.relief = (weave * fine_enough * threads).astype(np.float32)

    def pixel_places(self, width, height):
        """Sheet coordinates of the pixel centres, (1, width) and (height, 1)."""
        x = (np.arange(width) + 0.5) / self.scale_x
        y = (np.arange(height) + 0.5) / self.scale_y
        return x[None, :], y[:, None]

    def paint(self, laid, tip="flat", glaze=False):
        """Lay the strokes in order; with `glaze` they darken what lies beneath, as ink does, not cover it."""
        laid = self._fit_to_pixels(laid)
        bank = _TIPS[tip]
        variants = self.rng.integers(_VARIANTS, size=len(laid))
        flips = self.rng.choice([-1.0, 1.0], size=len(laid))
        colour = np.stack([laid.colour, laid.second - laid.colour], axis=1).astype(np.float32)
        numbers = np.stack(
            [
                laid.x * self.scale_x,
                laid.y * self.scale_y,
                np.cos(laid.angle),
                np.sin(laid.angle),
                laid.length * self.scale / 2,
                np.maximum(laid.width * self.scale / 2, 0.5),
                laid.bow * self.scale,
            ],
            axis=1,
        ).tolist()
        opacity = laid.opacity * np.minimum(1, laid.width * self.scale)  # a hair thinner than a pixel is pale
        for k, (place, variant, flip) in enumerate(zip(numbers, variants, flips, strict=True)):
            self._lay(place, bank, variant, flip, colour[k], opacity[k], laid.body[k], glaze)

    def _fit_to_pixels(self, laid):
        """Fewer and larger strokes where the brush would be finer than the pixels."""
        brush = np.median(laid.width) * self.scale if len(laid) else SMALLEST_BRUSH
        grow = max(1.0, SMALLEST_BRUSH / brush)
        if grow == 1 or len(laid) < 300:
            return laid
        kept = max(300, int(len(laid) / grow**2))
        grow = np.sqrt(len(laid) / kept)
        laid = laid.pick(np.linspace(0, len(laid) - 1, kept).astype(int))
        return replace(laid, width=laid.width * grow, length=laid.length * np.sqrt(grow))

    def _lay(self, place, bank, variant, flip, colour, opacity, body, glaze):
        """Blend one stroke into the pixels around it."""
        cx, cy, ca, sa, half, thick, bow = place
        reach = thick + abs(bow)
        reach_x, reach_y = abs(ca) * half + abs(sa) * reach + 1, abs(sa) * half + abs(ca) * reach + 1
        rows, columns = self.relief.shape
        x0, x1 = max(0, int(cx - reach_x)), min(columns, int(cx + reach_x) + 1)
        y0, y1 = max(0, int(cy - reach_y)), min(rows, int(cy + reach_y) + 1)
        if x0 >= x1 or y0 >= y1:
            return
        dx = np.arange(x0, x1, dtype=np.float32) + np.float32(0.5 - cx)
        dy = (np.arange(y0, y1, dtype=np.float32) + np.float32(0.5 - cy))[:, None]
        u = (dx * ca + dy * sa) / half
        v = dy * ca - dx * sa
        if bow:
            v = v - bow * (1 - u * u)
        level = 0
        while level < 4 and 32 >> level > 3 * thick:
            level += 1
        tips = bank[level][variant]
        length, width = tips.shape[0] - 2, tips.shape[1] - 2
        row = ((u + 1) * (length / 2) + 1).clip(0, length + 1).astype(np.intp)
        column = ((v * (flip / thick) + 1) * (width / 2) + 1).clip(0, width + 1).astype(np.intp)
        mark = tips.reshape(-1, 3).take(row * (width + 2) + column, axis=0)
        cover = mark[..., 0] * opacity
        paint = colour[0] + colour[1] * mark[..., 2:]
        under = self.colour[y0:y1, x0:x1]
        if glaze:
            under *= 1 - cover[..., None] * (1 - paint)
            return
        under += cover[..., None] * (paint - under)
        relief = self.relief[y0:y1, x0:x1]
        relief += cover * (body * mark[..., 1] - 0.75 * relief)

    def lit(self, depth=0.17, gloss=0.06):
        """The finished picture: the relief shaded by a lamp at the upper left, float32 in [0, 1]."""
        smooth = ndimage.gaussian_filter(self.relief, 0.55 * max(self.scale, 0.6))
        slope_y, slope_x = np.gradient(smooth)
        facing = -(slope_x * LIGHT[0] + slope_y * LIGHT[1]) * min(1.0, self.scale) ** 0.5
        shade = np.tanh(2.2 * facing)[..., None]
        shine = np.clip(shade, 0, 1) ** 3
        return np.clip(self.colour * (1 + depth * shade) + gloss * shine, 0, 1).astype(np.float32)
