"""Eroded mountains on the horizon."""

import numpy as np
from scipy import ndimage

from pictures.toolkit.blend import mix, smoothstep
from pictures.toolkit.camera import in_chunks
from pictures.toolkit.noise import ridged
from pictures.toolkit.vectors import dot, unit


class Mountains:
    """Eroded ridges far away: a height field baked on a grid with its light, then marched."""

    def __init__(self, noise, sun, width, near, depth, peak, fineness, octaves=7):
        """The field spans `width` metres across and `depth` metres from `near` on."""
        self.width, self.near, self.depth = width, near, depth
        across, along = int(fineness * 1.6), int(fineness * 0.8)
        x, z = np.meshgrid(np.linspace(-0.5, 0.5, across), np.linspace(0, 1, along))
        x, z = (x * width / 2200).astype(np.float32), (z * depth / 2200).astype(np.float32)
        bend = noise.fbm(2 * x, 2 * z, 0 * x + 5, 3) - 0.5
        crest = noise.fbm(x + 0.5 * bend, 0 * x, z + 0.4 * bend, octaves, ridged)
        rise = np.linspace(0, 1, along, dtype=np.float32)[:, None]
        envelope = smoothstep(0, 0.6, rise) * (0.45 + 0.9 * noise.fbm(0.7 * x, 0 * x + 9, 0 * z, 2))
        self.height = (peak * envelope * np.clip(crest * 1.9 - 0.55, 0.02, 2)).astype(np.float32)
        slope_z, slope_x = np.gradient(self.height, depth / along, width / across)
        self.light = self.bake_light(unit([-slope_x, np.ones_like(slope_x), -slope_z]), sun)

    def bake_light(self, normal, sun):
        """Direct sunlight on the field: facing times cast shadow, found by walking towards the sun."""
        rows, columns = self.height.shape
        cell_x, cell_z = self.width / columns, self.depth / rows
        row, column = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
        lit = np.ones_like(self.height)
        for step in range(1, 24):
            way = step * 1.3 * cell_x
            there = [row + sun[2] * way / cell_z, column + sun[0] * way / cell_x]
            above = ndimage.map_coordinates(self.height, there, order=1, mode="nearest") - self.height - sun[1] * way
            lit = np.minimum(lit, 1 - np.clip(above / (0.1 * way), 0, 1))
        return np.clip(dot(normal, sun), 0, 1) * lit

    def look(self, eye, direction, steps=120):
        """Distance along rays to the land (infinite where there is only sky) and its sunlight there."""
        rows, columns = self.height.shape
        flat = np.maximum(direction[2], 0.05)
        first, last = self.near / flat, (self.near + self.depth) / flat
        reached = np.full(direction.shape[1], np.inf, np.float32)
        light = np.zeros(direction.shape[1], np.float32)
        alive = np.flatnonzero((direction[1] < 0.5) & (direction[1] > -0.005))
        place = None
        for step in range(steps + 1):
            travel = mix(first[alive], last[alive], step / steps)
            x, y, z = eye + direction[:, alive] * travel
            place = [(z - self.near) / self.depth * (rows - 1), (x / self.width + 0.5) * (columns - 1)]
            under = ndimage.map_coordinates(self.height, place, order=1, mode="mirror") > y
            hit = alive[under]
            reached[hit] = travel[under]
            spot = [axis[under] for axis in place]
            light[hit] = ndimage.map_coordinates(self.light, spot, order=1, mode="mirror")
            alive = alive[~under]
        return reached, light


def under_the_sky(camera, rays, sky, mountains, land, haze, reach):
    """Sky and far mountains along rays.

    `land` names the colours rock and dust and the lights sun and shade; `haze` hides them over `reach`.
    """

    def look(direction):
        colour = sky(direction)
        far, light = mountains.look(camera.eye, direction)
        seen = np.flatnonzero(np.isfinite(far))
        if seen.size:
            point = camera.eye + direction[:, seen] * far[seen]
            tint = sky.noise.fbm(*(point / 160), 4)
            rock = mix(land["rock"], land["dust"], smoothstep(0.35, 0.65, tint))
            bright = rock * (light[seen] * land["sun"] + land["shade"])
            colour[:, seen] = mix(haze, bright, np.exp(-far[seen] / reach))
        return colour

    return in_chunks(look, rays)
