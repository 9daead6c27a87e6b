"""Sun and sky on solids that are given by their signed distance."""

from dataclasses import dataclass

import numpy as np

from pictures.toolkit.blend import fade
from pictures.toolkit.distances import box_span, normal_at
from pictures.toolkit.vectors import dot


@dataclass(frozen=True)
class Daylight:
    """`sun`: unit vector towards it. The lights and the colour of far haze: linear, (3, 1)."""

    sun: np.ndarray
    sunlight: np.ndarray
    skylight: np.ndarray
    haze: np.ndarray


def sun_share(distance, points, sun, bounds, softness=24, steps=40):
    """How much of the sun each point sees, 0 to 1, with a penumbra (Quilez, soft shadows)."""
    direction = np.broadcast_to(np.asarray(sun)[:, None], points.shape)
    enter, leave = box_span(points, direction, *bounds)
    share = np.ones(points.shape[1], np.float32)
    travel_all = np.maximum(enter, 0.05)
    alive = np.flatnonzero(travel_all < leave)
    travel = travel_all[alive]
    for _ in range(steps):
        if not alive.size:
            break
        gap = distance(points[:, alive] + direction[:, alive] * travel)
        share[alive] = np.minimum(share[alive], np.clip(softness * gap / travel, 0, 1))
        travel = travel + np.clip(gap, 0.04, 4)
        stay = (gap > 0.002) & (travel < leave[alive])
        alive, travel = alive[stay], travel[stay]
    return fade(share)


def openness(distance, points, normal, reach=1.2):
    """Ambient occlusion: how free the space in front of the surface is, 0 to 1."""
    closed = 0
    for share in (0.08, 0.25, 0.55, 1.0):
        away = reach * share
        closed = closed + np.maximum(away - distance(points + normal * away), 0) / away * 0.3
    return np.clip(1 - closed, 0, 1)


def lifted(points, height):
    """Points raised a little, so that a ray to the sun does not start inside the ground."""
    return points + np.array([[0], [height], [0]], np.float32)


def stone_light(points, solid, day, bounce=(0.30, 0.22, 0.13)):
    """Light leaving stone: sun with shadow, open sky, and the warm light that the ground sends back up."""
    normal = normal_at(solid.distance, points, 0.012)
    start = points + normal * 0.03
    facing = np.clip(dot(normal, day.sun), 0, 1)
    lit = np.zeros_like(facing)
    front = np.flatnonzero(facing > 0)
    lit[front] = facing[front] * sun_share(solid.distance, start[:, front], day.sun, solid.bounds)
    free = openness(solid.distance, points, normal)
    bounce = np.array(bounce, np.float32)[:, None] * np.clip(0.6 - 0.4 * normal[1], 0, 1)
    ambient = day.skylight * (0.55 + 0.45 * normal[1]) + bounce * np.exp(-points[1] / 9)
    return solid.albedo(points, normal) * (day.sunlight * lit + ambient * free)
