"""What lies around a scene: a sky with volumetric clouds, eroded mountains, grass painted blade by blade."""

import numpy as np
from scipy import ndimage

from pictures.toolkit.tracing import billow, dot, in_chunks, mix, ramp, ridge, unit


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
            puff = self.noise.fbm(x, y, z, octaves, billow)
            edge = ramp(0, 0.05, level[wet]) * ramp(1.0, 0.85, level[wet])
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
        haze = np.exp(-near / 21000) * ramp(0.02, 0.08, direction[1])
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


class Mountains:
    """Eroded ridges far away: a height field baked on a grid with its light, then marched."""

    def __init__(self, noise, sun, width, near, depth, peak, fineness, octaves=7):
        """The field spans `width` metres across and `depth` metres from `near` on."""
        self.width, self.near, self.depth = width, near, depth
        across, along = int(fineness * 1.6), int(fineness * 0.8)
        x, z = np.meshgrid(np.linspace(-0.5, 0.5, across), np.linspace(0, 1, along))
        x, z = (x * width / 2200).astype(np.float32), (z * depth / 2200).astype(np.float32)
        bend = noise.fbm(2 * x, 2 * z, 0 * x + 5, 3) - 0.5
        crest = noise.fbm(x + 0.5 * bend, 0 * x, z + 0.4 * bend, octaves, ridge)
        rise = np.linspace(0, 1, along, dtype=np.float32)[:, None]
        envelope = ramp(0, 0.6, rise) * (0.45 + 0.9 * noise.fbm(0.7 * x, 0 * x + 9, 0 * z, 2))
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
            rock = mix(land["rock"], land["dust"], ramp(0.35, 0.65, tint))
            bright = rock * (light[seen] * land["sun"] + land["shade"])
            colour[:, seen] = mix(haze, bright, np.exp(-far[seen] / reach))
        return colour

    return in_chunks(look, rays)


def paint_blades(camera, film, depth, root, tip, bend, root_colour, tip_colour, thickness):
    """Paint grass blades from far to near, each a curve of film pixels that hides what is behind it.

    root, tip, bend: (3, n) points in metres; colours (3, n) in linear light; thickness in metres.
    """
    distance = camera.project(root)[2]
    order = np.argsort(-distance)
    for part in np.array_split(order, 12):
        column, row, far = camera.project(root[:, part])
        tip_column, tip_row, _ = camera.project(tip[:, part])
        bend_column, bend_row, _ = camera.project(bend[:, part])
        length = np.hypot(tip_column - column, tip_row - row)
        marks = int(np.clip(np.percentile(length, 98) * 1.2, 3, 400))
        along = np.linspace(0, 1, marks, dtype=np.float32)[:, None]
        curve_column = (1 - along) ** 2 * column + 2 * along * (1 - along) * bend_column + along**2 * tip_column
        curve_row = (1 - along) ** 2 * row + 2 * along * (1 - along) * bend_row + along**2 * tip_row
        colours = root_colour[:, None, part] + (tip_colour - root_colour)[:, None, part] * along
        pixels = thickness / (far * camera.scale)
        for side in range(int(np.clip(np.ceil(pixels.max()), 1, 9))):
            broad = pixels * (1 - 0.85 * along) > side
            i, j = np.round(curve_row).astype(int), np.round(curve_column).astype(int) + side
            # Nearest last, so that assignment in this order paints far to near.
            ok = (broad | (side == 0)) & (i >= 0) & (i < camera.height) & (j >= 0) & (j < camera.width)
            ok = ok.T
            spot = (i.T * camera.width + j.T)[ok]
            before = np.broadcast_to(far[:, None], ok.shape)[ok] < depth[spot]
            film[:, spot[before]] = colours.transpose(0, 2, 1)[:, ok][:, before]
