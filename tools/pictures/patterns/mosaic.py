"""Mosaic: tesserae set along the outlines of a cartoon, row after row, in lime mortar.

The rows (andamento) are level lines of the distance to the nearest outline. Tesserae are spread
along the rows, evened out, and cut as the cells of a Voronoi diagram in a square metric turned
with the rows (after Hausner, "Simulating decorative mosaics", SIGGRAPH 2001).
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from pictures.patterns import peacock
from pictures.toolkit.blend import mix_colours, smoothstep
from pictures.toolkit.colour import linear
from pictures.toolkit.noise import raster_noise
from pictures.toolkit.raster import finish, make_raster
from pictures.toolkit.relief import highlight, relief_normals
from pictures.toolkit.vectors import dot, unit

MORTAR = linear("#a8977c")
JOINT = 0.5  # half the width of a joint, sheet units


def render(width, height, seed):
    """A peacock in stone, glass and gold tesserae, float32 (height, width, 3) in [0, 1]."""
    raster = make_raster(width, height)
    rng = np.random.default_rng(seed)
    tesserae = set_tesserae(rng)
    depth, index = cut(raster, tesserae, rng)
    return finish(light_wall(raster, depth, index, tesserae, rng), raster)


# ---------------------------------------------------------------------------- setting


@dataclass(frozen=True)
class Tesserae:
    """Position, direction across the row, width, colour and material of every tessera."""

    at: np.ndarray
    across: np.ndarray
    size: np.ndarray
    colour: np.ndarray
    material: np.ndarray


@dataclass(frozen=True)
class Plan:
    """The cartoon at every sheet unit: part, distance to the nearest outline, coordinate across
    the rows and its gradient, width of tesserae, and whether rows run on behind figures."""

    part: np.ndarray
    inset: np.ndarray
    rows: np.ndarray
    slope: tuple
    size: np.ndarray
    heedless: np.ndarray

    def look_up(self, field, points):
        """Values of one of the fields at points (x, y)."""
        column = np.clip(points[:, 0].astype(int), 0, 799)
        return field[np.clip(points[:, 1].astype(int), 0, 599), column]


def draw_plan():
    """The plan of the peacock."""
    cartoon = peacock.Cartoon()
    inset, rows = peacock.rows_of(cartoon, _distance_inside)
    size = np.array([spec.size for spec in peacock.PARTS.values()], np.float32)[cartoon.part]
    return Plan(cartoon.part, inset, rows, _slope_within(rows, inset), size, rows != inset)


def _distance_inside(mask):
    """Distance to the nearest point outside a mask; the frame counts as outside."""
    return ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1].astype(np.float32)


def _slope_within(rows, inset):
    """Smoothed gradient (down, right) of the row coordinate, blind to its jumps."""
    down, right = np.gradient(rows)
    sane = (np.hypot(down, right) < 1.5).astype(np.float32) * (inset > 0)
    weight = ndimage.gaussian_filter(sane, 2.0) + 1e-6
    return tuple(ndimage.gaussian_filter(d * sane, 2.0) / weight for d in (down, right))


def set_tesserae(rng):
    """Every tessera of the picture."""
    plan = draw_plan()
    near_row = np.abs(plan.rows / plan.size % 1 - 0.5) * plan.size < 0.8
    on_row = near_row & (plan.inset > np.where(plan.heedless, 3.4, 1.8))
    at = _spread(_points(on_row, rng, 0.5), plan, rng, 0.84)
    # Where rows from two sides meet, stones are cut to fill what is left.
    left_over = _points(plan.inset > 1.5, rng, 0.16)
    distance = cKDTree(at).query(left_over)[0]
    gaps = left_over[distance > 0.80 * plan.look_up(plan.size, left_over)]
    at = np.concatenate([at, _spread(gaps, plan, rng, 0.72)])
    at = _even_out(at, plan, rng, rounds=5)
    part, inset = plan.look_up(plan.part, at), plan.look_up(plan.inset, at)
    colour, material = peacock.stone_at(at[:, 0], at[:, 1], part, inset, rng)
    return Tesserae(at, _across(at, plan, rng, 0.05), plan.look_up(plan.size, at), colour, material)


def _points(mask, rng, share):
    """A random share of the sheet units in a mask, jittered, as (x, y)."""
    points = np.argwhere(mask)[:, ::-1]
    points = points[rng.random(len(points)) < share]
    return points + rng.random(points.shape)


def _spread(points, plan, rng, spacing):
    """Points of which no two are closer than `spacing` tessera widths and to which none can be added.

    Lots are drawn; who has the lowest lot among its neighbours stays and its neighbours go, until
    all is decided.
    """
    reach = spacing * plan.look_up(plan.size, points)
    # Figures are set before the ground that runs behind them.
    lot = rng.random(len(points)) + plan.look_up(plan.heedless, points)
    pairs = cKDTree(points).query_pairs(reach.max(), output_type="ndarray")
    apart = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    pairs = pairs[apart < np.minimum(reach[pairs[:, 0]], reach[pairs[:, 1]])]
    undecided, kept = np.ones(len(points), bool), np.zeros(len(points), bool)
    while undecided.any():
        beaten = np.zeros(len(points), bool)
        first_wins = lot[pairs[:, 0]] < lot[pairs[:, 1]]
        beaten[np.where(first_wins, pairs[:, 1], pairs[:, 0])] = True
        won = undecided & ~beaten
        kept |= won
        gone = won.copy()
        touching = won[pairs[:, 0]] | won[pairs[:, 1]]
        gone[pairs[touching].ravel()] = True
        undecided &= ~gone
        pairs = pairs[undecided[pairs[:, 0]] & undecided[pairs[:, 1]]]
    return points[kept]


def _across(at, plan, rng=None, sloppiness=0.0):
    """Unit vectors across the rows, a little off if a hand set them."""
    down, right = (plan.look_up(s, at) for s in plan.slope)
    angle = np.arctan2(down, right)
    if rng is not None:
        angle = angle + rng.normal(0, sloppiness, len(at))
    return np.column_stack([np.cos(angle), np.sin(angle)])


def _even_out(at, plan, rng, rounds):
    """Moves tesserae along their rows to the middle of the room they have."""
    samples = rng.uniform((0, 0), (800, 600), (60_000, 2))
    for _ in range(rounds):
        across = _across(at, plan)
        owner = _nearest(samples, at, across, plan.look_up(plan.size, at), 4)[0]
        count = np.maximum(np.bincount(owner, minlength=len(at)), 1)
        middle = np.column_stack([np.bincount(owner, samples[:, i], len(at)) / count for i in range(2)])
        shift = middle - at
        inwards = (shift * across).sum(axis=1, keepdims=True)
        at = at + shift - 0.85 * inwards * across
    return np.clip(at, 0.5, (799.5, 599.5))


def _nearest(points, at, across, size, candidates):
    """Nearest tessera, its square distance in half widths, and how much farther the second is."""
    index = cKDTree(at).query(points, k=candidates)[1]
    offset = (points[:, None] - at[index]).astype(np.float32)
    normal = across[index].astype(np.float32)
    over = np.abs((offset * normal).sum(axis=2))
    along = np.abs(offset[..., 0] * normal[..., 1] - offset[..., 1] * normal[..., 0])
    square = np.maximum(over, along) * (2 / size[index])
    order = np.argsort(square, axis=1)[:, :2]
    best = np.take_along_axis(square, order, 1)
    owner = np.take_along_axis(index, order[:, :1], 1)[:, 0]
    return owner, best[:, 0], best[:, 1] - best[:, 0]


def cut(raster, tesserae, rng):
    """Depth inside a tessera (sheet units, negative in a joint) and which one, at every sample."""
    x, y = raster.grid()
    # Stone breaks roughly: edges wander by a fraction of a unit.
    x = x + 0.24 * raster_noise(raster, 4.5, rng)
    y = y + 0.24 * raster_noise(raster, 4.5, rng)
    depth, index = np.empty(x.shape, np.float32), np.empty(x.shape, np.int32)
    for rows in np.array_split(np.arange(len(x)), 12):
        points = np.stack([x[rows], y[rows]], axis=-1).reshape(-1, 2)
        owner, square, margin = _nearest(points, tesserae.at, tesserae.across, tesserae.size, 6)
        half = tesserae.size[owner] / 2
        corner = 1.6 - np.linalg.norm(points - tesserae.at[owner], axis=1) / half
        inside = np.minimum(np.minimum(margin / 2, 1.36 - square), corner) * half
        depth[rows] = inside.reshape(len(rows), -1) - JOINT
        index[rows] = owner.reshape(len(rows), -1)
    return depth, index


# ---------------------------------------------------------------------------- light


def light_wall(raster, depth, index, tesserae, rng):
    """Light on the wall: stone dull, glass wet, gold leaf under glass bright where it leans right."""
    count = len(tesserae.at)
    material = tesserae.material[index]
    gold = (material == peacock.GOLD_LEAF).astype(np.float32)
    glass = (material == peacock.GLASS).astype(np.float32)
    colour = _tessera_colours(tesserae, rng)[index] * _grain(raster, index, count, glass, rng)[..., None]

    inside = smoothstep(-0.3, 0.35, depth)
    grit = raster_noise(raster, 1.2, rng)
    mortar = MORTAR * (0.62 * np.exp(0.24 * grit + 0.2 * raster_noise(raster, 30, rng)))[..., None]
    mortar = mortar * (0.5 + 0.5 * smoothstep(-2.2, 0.2, depth))[..., None]

    normal = _normals(raster, depth, index, count, gold, grit, rng)
    lamp = unit((-0.55, -0.60, 0.58))
    shade = np.maximum(dot(normal, lamp), 0) / lamp[2]
    pool = _lamp_pool(raster)
    ambient, warm = 0.34 * linear("#c3cde0"), linear("#ffe8c6")
    light = mix_colours(mortar, colour, inside) * (ambient + (0.68 * pool * shade)[..., None] * warm)

    mirror = 0.20 + 1.9 * highlight(normal, lamp, 22) + 0.35 * smoothstep(0.0, -0.35, normal[1])
    light = mix_colours(light, colour * (1.15 * mirror * pool)[..., None] * warm, 0.85 * gold * inside)
    gloss = glass * 0.5 * highlight(normal, lamp, 90)
    glint = gold * 0.8 * highlight(normal, lamp, 160)
    dull = (1 - gold - glass) * 0.05 * highlight(normal, lamp, 8)
    return light + ((gloss + glint + dull) * inside * pool)[..., None] * warm


def _tessera_colours(tesserae, rng):
    """No two stones are alike."""
    count = len(tesserae.at)
    tone = rng.normal(0, 0.16, (count, 1)) + rng.normal(0, 0.055, (count, 3))
    return (tesserae.colour * np.exp(tone)).astype(np.float32)


def _grain(raster, index, count, glass, rng):
    """Speckle of stone, clouds of glass, and a vein in some stones, around 1."""
    speckle = 0.13 * raster_noise(raster, 1.4, rng) + 0.10 * raster_noise(raster, 4, rng)
    vein = np.exp(-((raster_noise(raster, (11, 7), rng) / 0.10) ** 2))
    vein = vein * np.where(rng.random(count) < 0.3, rng.choice([-0.4, 0.4], count), 0)[index]
    return np.exp(speckle * (1 - 0.5 * glass) + vein * (1 - glass)).astype(np.float32)


def _normals(raster, depth, index, count, gold, grit, rng):
    """Normals of the wall: pillowed tesserae, each leaning its own way, on a plaster that is not flat."""
    rounded = 0.75 * (1 - np.exp(-np.maximum(depth, 0) / 0.6)) + 0.1 * np.clip(depth, -1, 0) + 0.04 * depth
    rough = 0.10 * raster_noise(raster, 3, rng) + np.where(depth > 0, 0.03, 0.3) * grit
    wall = 6.0 * raster_noise(raster, 130, rng)
    dx, dy, _ = relief_normals(rounded + rough + wall, raster.pitch)
    lean = rng.normal(0, 0.085, (count, 2)).astype(np.float32)[index] * (1 + 1.1 * gold)[..., None]
    inside = smoothstep(-0.2, 0.5, depth)
    dx, dy = dx + lean[..., 0] * inside, dy + lean[..., 1] * inside
    length = np.sqrt(1 + dx * dx + dy * dy)
    return dx / length, dy / length, 1 / length


def _lamp_pool(raster):
    """Candlelight from the upper left."""
    x, y = raster.grid()
    return 1.18 - 0.5 * smoothstep(150, 900, np.hypot(x - 160, 1.1 * (y - 90)))
