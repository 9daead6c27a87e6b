"""The level ground of a scene: where rays meet it, its bumps, its paving."""

import numpy as np

from pictures.toolkit.vectors import unit


def ground_hits(camera, rays):
    """How far rays fly to the plane y = 0; infinite for those that rise."""
    return np.where(rays[1] < -1e-4, -camera.eye[1] / np.minimum(rays[1], -1e-4), np.inf).astype(np.float32)


def bumpy(noise, point, scales, strength):
    """An upward normal disturbed by noise at several scales (metres)."""
    tilt_x = tilt_z = 0
    for scale in scales:
        x, y, z = point / scale
        here = noise(x, y, z)
        tilt_x = tilt_x + noise(x + 0.3, y, z) - here
        tilt_z = tilt_z + noise(x, y, z + 0.3) - here
    return unit([-strength * tilt_x, np.ones_like(tilt_x), -strength * tilt_z])


def slabs(noise, across, along, long, broad):
    """Paving in staggered rows: a random number for each slab, and metres to its nearest joint."""
    row = np.floor(along / broad)
    place = across / long + 9 * noise.pick(row, 3 * row)
    index = np.floor(place)
    edge = 0.5 * (noise.pick(index, row) - 0.5)
    after = 0.5 * (noise.pick(index + 1, row) - 0.5) + 1
    part = place - index
    index = index + np.where(part < edge, -1, 0) + np.where(part > after, 1, 0)
    level = np.abs(along / broad - row - 0.5)
    joint = np.minimum(np.minimum(np.abs(part - edge), np.abs(part - after)) * long, (0.5 - level) * broad)
    return noise.pick(index, row, 7 * row), joint
