"""Solids as signed distances, and rays that march to them. Points are (3, n), in metres."""

import numpy as np

from pictures.toolkit.vectors import starts, turned, unit


def box(x, y, z, size):
    """Distance to a box of half sizes `size` around the origin."""
    qx, qy, qz = np.abs(x) - size[0], np.abs(y) - size[1], np.abs(z) - size[2]
    outside = np.sqrt(np.maximum(qx, 0) ** 2 + np.maximum(qy, 0) ** 2 + np.maximum(qz, 0) ** 2)
    return outside + np.minimum(np.maximum(np.maximum(qx, qy), qz), 0)


def capsule(x, y, z, start, end, radius):
    """Distance to a rod with round ends."""
    start, axis = np.asarray(start, np.float32), np.subtract(end, start).astype(np.float32)
    x, y, z = x - start[0], y - start[1], z - start[2]
    along = np.clip((x * axis[0] + y * axis[1] + z * axis[2]) / np.dot(axis, axis), 0, 1)
    return np.sqrt((x - along * axis[0]) ** 2 + (y - along * axis[1]) ** 2 + (z - along * axis[2]) ** 2) - radius


def blended(first, second, width):
    """The smaller of two distances with a soft seam (Quilez, polynomial smooth minimum)."""
    part = np.maximum(width - np.abs(first - second), 0) / width
    return np.minimum(first, second) - part * part * width / 4


def askew_blocks(points, blocks, sink, lean, rounding):
    """Distance to blocks (x, z, half sizes, turn) that lie a little askew, one edge sunk into the earth.

    `sink` is the height of their middle in half heights, `lean` their slope, `rounding` that of their edges.
    """
    gap = np.full_like(points[0], np.inf)
    for x, z, *half, turn in blocks:
        along, across = turned(points[0] - x, points[2] - z, np.cos(turn), np.sin(turn))
        up = points[1] - sink * half[1] + lean * along
        gap = np.minimum(gap, box(along, up, across, [side - rounding for side in half]) - rounding)
    return gap


def guarded(points, low, high, distance):
    """`distance` where a point is near the box from `low` to `high`; elsewhere only how far the box is."""
    half = (np.asarray(high, np.float32) - low) / 2
    gap = box(*(points - (np.asarray(low, np.float32) + half)[:, None]), half) + 0.05
    near = np.flatnonzero(gap < 0.6)
    if near.size:
        gap[near] = distance(points[:, near])
    return gap


def box_span(origin, direction, low, high):
    """Where rays enter and leave the box from `low` to `high`; they miss it where enter >= leave."""
    safe = np.where(np.abs(direction) < 1e-6, 1e-6, direction)
    first = (np.asarray(low, np.float32)[:, None] - origin) / safe
    second = (np.asarray(high, np.float32)[:, None] - origin) / safe
    return np.minimum(first, second).max(0), np.maximum(first, second).min(0)


def march(distance, origin, direction, near, far, steps=90, caution=0.9, fineness=4e-4):
    """How far each ray flies from `near` until it meets the surface; infinite when it reaches `far`."""
    reached = np.full(direction.shape[1], np.inf, np.float32)
    alive = np.flatnonzero(near < far)
    travel = near[alive]
    for _ in range(steps):
        if not alive.size:
            break
        gap = distance(starts(origin, alive) + direction[:, alive] * travel)
        hit = gap < fineness * travel
        reached[alive[hit]] = travel[hit]
        travel = travel + caution * gap
        stay = ~hit & (travel < far[alive])
        alive, travel = alive[stay], travel[stay]
    return reached


def normal_at(distance, points, step=0.01):
    """Surface normals from four samples at a tetrahedron's corners."""
    total = 0
    for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
        corner = np.array(corner, np.float32)[:, None]
        total = total + corner * distance(points + corner * step)
    return unit(total)
