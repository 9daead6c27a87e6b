"""A sky with volumetric clouds."""

import numpy as np
from scipy import ndimage

from pictures.toolkit.blend import mix, smoothstep
from pictures.toolkit.camera import in_chunks
from pictures.toolkit.noise import billowed
from pictures.toolkit.vectors import dot, unit


class Sky:
    """A sky with volumetric cumulus, painted once on a map of directions and looked up afterwards."""

    def __init__(self, noise, sun, palette, cover, fineness, span=40, top=45, drift=0.0):
        """`palette` names the colours zenith, horizon, glow, sun, shade; `cover` 0 clear to 1 full.

        The map reaches `span` degrees to either side and `top` up, with `fineness` samples per degree ahead.
        """
        self.noise, self.sun, self.palette, self.cover = noise, unit(sun), palette, cover
        self.base, self.thickness, self.drift = 1150.0, 900.0, drift
        self.span, self.top = np.radians(span), np.radians(top)
        rows, columns = int(fineness * top), int(fineness * 2 * span)
        elevation = self.top * (np.arange(rows, dtype=np.float32) / (rows - 1)) ** 1.3
        azimuth = self.span * (2 * np.arange(columns, dtype=np.float32) / (columns - 1) - 1)
        azimuth, elevation = (a.ravel() for a in np.meshgrid(azimuth, elevation))
        rays = np.stack([np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])
        self.map = in_chunks(self.paint, rays.astype(np.float32)).reshape(3, rows, columns)

    def clear(self, direction):
        """The cloudless sky: gradient from horizon to zenith, and the glow round the sun."""
        height = np.clip(direction[1], 0, 1)
        toward = np.clip(dot(direction, self.sun), 0, 1)
        air = mix(self.palette["horizon"], self.palette["zenith"], height**0.55)
        glow = 0.55 * toward**5 * (1 - height) ** 3 + 0.5 * toward**40 + 1.5 * toward**600
        return (
            mix(air, self.palette["glow"], np.clip(0.6 * toward**2 * (1 - height) ** 4, 0, 1))
            + self.palette["glow"] * glow
        )

    def density(self, points, octaves):
        """Cloud water at points: heaps of billows on a flat base."""
        x, y, z = points * np.float32(1 / 1000)
        x = x + self.drift
        level = (points[1] - self.base) / self.thickness
        heaps = self.noise.fbm(0.62 * x, 0 * x, 0.62 * z, 2)
        body = heaps + self.cover - 0.60 - 0.36 * np.clip(level, 0, 1) ** 1.3
        water = np.zeros_like(x)
        wet = np.flatnonzero((body > -0.16) & (level > 0) & (level < 1))
        if wet.size:
            x, y, z = (axis[wet] * 3.1 for axis in (x, y, z))
            puff = self.noise.fbm(x, y, z, octaves, billowed)
            edge = smoothstep(0, 0.05, level[wet]) * smoothstep(1.0, 0.85, level[wet])
            water[wet] = np.clip((body[wet] + 0.46 * (puff - 0.34)) * edge * 14, 0, 1)
        return water

    def paint(self, direction):
        """Colour of the sky with its clouds along directions."""
        colour = self.clear(direction)
        rise = np.maximum(direction[1], 0.02)
        near = self.base / rise
        steps = 56
        stride = np.minimum(self.thickness / rise, 3600) / steps
        clear_share = np.ones(direction.shape[1], np.float32)
        light = np.zeros_like(direction)
        # Clouds scatter forwards: those near the sun have bright rims.
        phase = 0.8 + 1.5 * np.clip(dot(direction, self.sun), 0, 1) ** 8
        offset = self.noise.pick(direction[0] * 99999, direction[1] * 99999)
        for step in range(steps):
            alive = np.flatnonzero((clear_share > 0.02) & (direction[1] > 0.02))
            if not alive.size:
                break
            points = direction[:, alive] * (near + (step + offset) * stride)[alive]
            water = self.density(points, 5)
            wet = water > 0.01
            alive, water, points = alive[wet], water[wet], points[:, wet]
            if not alive.size:
                continue
            block = np.exp(-0.022 * water * stride[alive])
            depth = 0
            for ahead, length in ((40.0, 60.0), (120.0, 110.0), (300.0, 220.0)):
                depth = depth + self.density(points + self.sun[:, None] * ahead, 3) * length * 0.012
            sunlit = (0.7 * np.exp(-depth) + 0.3 * np.exp(-0.22 * depth)) * phase[alive]
            level = np.clip((points[1] - self.base) / self.thickness, 0, 1)
            glow = self.palette["sun"] * sunlit + self.palette["shade"] * (0.7 + 0.7 * level)
            light[:, alive] += clear_share[alive] * (1 - block) * glow
            clear_share[alive] *= block
        # Far clouds sink into the haze of the horizon.
        haze = np.exp(-near / 21000) * smoothstep(0.02, 0.08, direction[1])
        return mix(colour, colour * clear_share + light, haze)

    def __call__(self, direction):
        """Look the sky up along unit directions (3, n)."""
        rows, columns = self.map.shape[1:]
        azimuth = np.arctan2(direction[0], direction[2])
        # Behind the camera the map is mirrored: only reflections ever look there.
        azimuth = np.where(np.abs(azimuth) > self.span, np.sign(azimuth) * 2 * self.span - azimuth, azimuth)
        elevation = np.clip(np.arcsin(np.clip(direction[1], 0, 1)) / self.top, 0, 1) ** (1 / 1.3)
        where = [elevation * (rows - 1), (azimuth / self.span + 1) / 2 * (columns - 1)]
        return np.stack([ndimage.map_coordinates(plane, where, order=1, mode="nearest") for plane in self.map])
