"""Convex solids as planes, and where rays meet them. Points and directions are (3, n), in metres."""

import numpy as np

from pictures.toolkit.vectors import dot


def frustum(left, right, low, high, near, far, inset=0.0):
    """Six planes (normals (6, 3), offsets (6,)) of a box whose sides lean inwards by `inset` at the top."""
    lean = inset / (high - low)
    normals = np.array(
        [(-1, lean, 0), (1, lean, 0), (0, lean, -1), (0, lean, 1), (0, 1, 0), (0, -1, 0)],
        np.float32,
    )
    corners = [(left, low, 0), (right, low, 0), (0, low, near), (0, low, far), (0, high, 0), (0, low, 0)]
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = normals / lengths
    return normals, np.einsum("ij,ij->i", normals, np.array(corners, np.float32)).astype(np.float32)


def meet(planes, origin, direction):
    """Where rays enter and leave a convex solid, and by which plane; missed where enter >= leave."""
    enter = np.full(direction.shape[1], -np.inf, np.float32)
    leave = np.full(direction.shape[1], np.inf, np.float32)
    through = np.zeros(direction.shape[1], np.int8)
    for index, (normal, offset) in enumerate(zip(*planes, strict=True)):
        speed = dot(normal, direction)
        speed = np.where(np.abs(speed) < 1e-7, 1e-7, speed)
        travel = (offset - dot(normal, origin)) / speed
        later = (speed < 0) & (travel > enter)
        enter = np.where(later, travel, enter)
        through[later] = index
        leave = np.where((speed > 0) & (travel < leave), travel, leave)
    return enter, leave, through
