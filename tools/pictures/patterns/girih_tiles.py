"""Isfahan-style tilework: strapwork set in plaster, its faces painted and glazed."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.spatial import cKDTree

from pictures.patterns.girih_painting import paint_faces, paint_straps
from pictures.patterns.girih_strapwork import Strap, strapwork, tiling
from pictures.toolkit.blend import mix_colours, smoothstep
from pictures.toolkit.colour import linear
from pictures.toolkit.noise import fractal_raster_noise, raster_noise
from pictures.toolkit.raster import finish, make_raster
from pictures.toolkit.relief import highlight, relief_normals
from pictures.toolkit.shapes import inside, segment_distance
from pictures.toolkit.vectors import dot, unit

STRAP = 4.1  # half the width of a strap, sheet units
GROUT = 0.75  # half the width of a joint
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
