"""The level ground of a scene: where rays meet it, its bumps, its paving."""

import numpy as np

from pictures.toolkit.camera import in_chunks
from pictures.toolkit.distances import box_span, march
from pictures.toolkit.vectors import unit


def ground_hits(camera, rays):
    """How far rays fly to the plane y = 0; infinite for those that rise."""
    return np.where(rays[1] < -1e-4, -camera.eye[1] / np.minimum(rays[1], -1e-4), np.inf).astype(np.float32)


def trace_solid(camera, rays, behind, solid, stone_colour, ground_colour, steps=90):
    """A solid that stands on the ground: light (3, pixels) and depth (pixels), before what is `behind` (3, pixels).

    `stone_colour` and `ground_colour` take points (3, n) and how far they are away, and give light (3, n).
    """

    def trace(direction, behind):
        ground = ground_hits(camera, direction)
        enter, leave = box_span(camera.eye, direction, *solid.bounds)
        near, far = np.maximum(enter, 0.1), np.minimum(leave, ground)
        stone = march(solid.distance, camera.eye, direction, near, far, steps)
        colour = behind.copy()
        for reached, light in ((stone, stone_colour), (np.where(np.isinf(stone), ground, np.inf), ground_colour)):
            seen = np.flatnonzero(np.isfinite(reached))
            if seen.size:
                colour[:, seen] = light(camera.eye + direction[:, seen] * reached[seen], reached[seen])
        return colour, np.minimum(stone, np.where(np.isfinite(ground), ground, 1e9)) * direction[2]

    return in_chunks(trace, rays, behind)


def bumpy(noise, point, scales, strength):
    """An upward normal disturbed by noise at several scales (metres)."""
    tilt_x = tilt_z = 0
    for scale in scales:
        x, y, z = point / scale
        here = noise(x, y, z)
        tilt_x = tilt_x + noise(x + 0.3, y, z) - here
        tilt_z = tilt_z + noise(x, y, z + 0.3) - here
    return unit([-strength * tilt_x, np.ones_like(tilt_x), -strength * tilt_z])


def staggered(noise, place, wander, *row):
    """Joints one unit apart, give or take `wander` / 2: the number of the stone at `place` in its row (whole
    numbers), and how far its nearest joint is.
    """
    index = np.floor(place)
    edge = wander * (noise.pick(index, *row) - 0.5)
    after = wander * (noise.pick(index + 1, *row) - 0.5) + 1
    part = place - index
    gap = np.minimum(np.abs(part - edge), np.abs(part - after))
    return index + np.where(part < edge, -1, 0) + np.where(part > after, 1, 0), gap


def slabs(noise, across, along, long, broad):
    """Paving in staggered rows: a random number for each slab, and metres to its nearest joint."""
    row = np.floor(along / broad)
    index, gap = staggered(noise, across / long + 9 * noise.pick(row, 3 * row), 0.5, row)
    level = np.abs(along / broad - row - 0.5)
    joint = np.minimum(gap * long, (0.5 - level) * broad)
    return noise.pick(index, row, 7 * row), joint
