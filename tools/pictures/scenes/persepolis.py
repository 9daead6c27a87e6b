"""Persepolis: columns, portals and a relief wall on their terrace."""

import numpy as np
from scipy import ndimage

from pictures.toolkit.blend import mix, smoothstep
from pictures.toolkit.camera import Camera, in_chunks
from pictures.toolkit.colour import film_colour
from pictures.toolkit.daylight import Daylight, lifted, openness, stone_light, sun_share
from pictures.toolkit.distances import askew_blocks, blended, box, capsule, guarded
from pictures.toolkit.grass import paint_blades, roots_on_ground
from pictures.toolkit.ground import bumpy, slabs, trace_solid
from pictures.toolkit.mountains import Mountains, under_the_sky
from pictures.toolkit.noise import Noise
from pictures.toolkit.sky import Sky
from pictures.toolkit.vectors import dot, unit


def bearer_relief(per_metre=100):
    """Height in metres of a frieze of robed tribute bearers, one register, periodic: (1.2 m, 5.6 m)."""
    rng = np.random.default_rng(5)
    count, pitch, tall = 7, 0.8, 1.2
    v, u = np.mgrid[tall : 0 : -1 / per_metre, 0 : count * pitch : 1 / per_metre].astype(np.float32)
    frieze = np.zeros_like(u)
    for index in range(count):
        x = (u - (index + 0.5) * pitch + count * pitch / 2) % (count * pitch) - count * pitch / 2
        frieze = np.maximum(frieze, bearer(x, v * 1.03, *rng.random(3)))
    return frieze


def bearer(x, y, hat, arm, load):
    """One bearer walking left, in relief: rounded parts, folds in the robe, a hat, a load or a spear."""

    def rod(start_x, start_y, end_x, end_y, radius):
        return capsule(x, y, 0 * x, (start_x, start_y, 0), (end_x, end_y, 0), radius)

    hem = 0.10 + 0.16 * np.clip((0.62 - y) / 0.55, 0, 1)
    robe = np.maximum(np.abs(x + 0.02 * np.sin(5 * y)) - hem, np.maximum(0.10 - y, y - 0.66))
    body = blended(robe, rod(0.01, 0.6, 0.0, 0.84, 0.115), 0.05)
    head = np.minimum(rod(-0.01, 0.985, 0.0, 1.0, 0.062), rod(-0.055, 0.93, -0.03, 0.95, 0.035))
    crown = rod(0.0, 1.05, 0.0, 1.05 + 0.06 * hat, 0.058 - 0.012 * hat)
    hand_y = 0.62 + 0.16 * arm
    arms = np.minimum(rod(0.02, 0.82, 0.05, 0.66, 0.045), rod(0.05, 0.66, -0.19, hand_y, 0.036))
    thing = rod(-0.22, 0.02, -0.22, 1.16, 0.014) if load < 0.5 else rod(-0.27, hand_y, -0.20, hand_y + 0.08, 0.062)
    feet = np.minimum(rod(-0.17, 0.05, -0.05, 0.05, 0.035), rod(0.05, 0.05, 0.15, 0.05, 0.035))

    def rise(gap, height):
        return height * np.sqrt(np.clip(-gap / 0.05, 0, 1))

    folds = 0.007 * np.cos(70 * x * (1 - 0.5 * y) + 9 * (y - 0.3) ** 2) * smoothstep(0.66, 0.5, y)
    relief = np.where(body < 0, rise(body, 0.045) + folds, 0)
    for part, height in ((head, 0.055), (crown, 0.05), (arms, 0.065), (thing, 0.045), (feet, 0.04)):
        relief = np.maximum(relief, rise(part, height))
    return relief


class Ruins:
    """A hall of columns, a relief wall with its stair, portals, and what has fallen."""

    PITCH, PLATFORM, WALL, FOOT, FLANK = 6.2, 2.75, 7.2, 0.9, 15.0
    # Height of the column at each crossing of the grid: rows from near to far, left to right; 0: none.
    HEIGHTS = np.array(
        [
            (0.0, 0.0, 2.7, 0.0, 0.0, 0.0, 0.0),
            (0.0, 3.6, 11.6, 0.0, 0.0, 0.0, 0.0),
            (11.6, 11.6, 1.9, 0.0, 0.0, 0.0, 0.0),
            (4.2, 6.4, 11.6, 0.0, 0.0, 0.0, 0.0),
            (11.6, 1.7, 7.8, 11.6, 0.0, 11.6, 3.0),
            (2.2, 11.6, 11.6, 3.4, 0.0, 6.0, 11.6),
        ],
        np.float32,
    )
    LEFT, FIRST, WHOLE = -17.6, 11.0, 11.6

    def __init__(self, noise):
        self.noise = noise
        self.frieze = bearer_relief()
        self.bounds = np.array([-20, 0, 5.5], np.float32), np.array([24, 14.6, 45], np.float32)
        self.parts = (
            ((self.FOOT - 0.2, -0.1, 5.8), (24, 3.6, 45.2), self.wall),
            ((8.8, 2.7, 23), (17.9, 8.8, 39.6), self.portals),
            ((-7.7, -0.1, 8), (6, 1.4, 16.4), self.fallen),
        )

    def columns(self, points):
        """Distance to the grid of columns."""
        pitch = self.PITCH
        column = np.round((points[0] - self.LEFT) / pitch).clip(0, 6).astype(np.int32)
        row = np.round((points[2] - self.FIRST) / pitch).clip(0, 5).astype(np.int32)
        x = points[0] - self.LEFT - column * pitch
        z = points[2] - self.FIRST - row * pitch
        top = self.HEIGHTS[row, column]
        y = points[1] - np.where(column > 4, self.PLATFORM, 0)
        away = np.hypot(x, z)
        # No neighbour's stone is nearer than this.
        beyond = np.maximum(pitch / 2 - np.maximum(np.abs(x), np.abs(z)), 0) + 1.4
        shaft = self.shaft(x, y, z, away, top)
        stands = top > 0
        whole = np.flatnonzero((top == self.WHOLE) & (away < 4) & (y > 6))
        if whole.size:
            shaft[whole] = np.minimum(shaft[whole], self.capital(x[whole], y[whole] - self.WHOLE, z[whole]))
        return np.minimum(np.where(stands, shaft, np.inf), beyond)

    def shaft(self, x, y, z, away, top):
        """Bell base, torus and fluted shaft, broken off at `top`."""
        bell = 0.80 + 0.36 * np.clip(1 - y / 1.15, 0, 1) ** 0.5 - 0.05 * smoothstep(0.12, 0.0, np.abs(y - 0.35))
        torus = 0.14 * np.sqrt(np.clip(1 - ((y - 1.27) / 0.14) ** 2, 0, 1))
        smooth = np.where(y < 1.15, bell, 0.74 + torus - 0.012 * y)
        radius = np.where(y < 1.42, smooth, 0.74 - 0.012 * y)
        gap = away - radius
        near = np.flatnonzero((gap < 0.2) & (y > 1.42))
        if near.size:
            angle = np.arctan2(z[near], x[near])
            flute = 0.055 * np.abs(np.cos(18 * angle))
            drum = 0.03 * smoothstep(0.035, 0, np.abs((y[near] + 0.6) % 2.1 - 1.05))
            gap[near] += flute + drum
        # A broken top slants and splinters; the whole ones end below their capital.
        rough = self.noise.fbm(1.3 * x + top, 0 * y + top, 1.3 * z, 2)
        end = np.where(top == self.WHOLE, top - 2.6, top + 0.5 * (x - 0.6 * z) * np.sin(7 * top) + 1.2 * (rough - 0.5))
        return np.maximum(gap, y - end) * 0.9

    def capital(self, x, y, z):
        """Palm bell, volutes, and two kneeling bulls back to back; y = 0 is the top of the column."""
        away = np.hypot(x, z)
        flare = 0.60 + 0.28 * smoothstep(-2.9, -2.15, y)
        bell = np.maximum(away - flare + 0.03 * np.cos(12 * np.arctan2(z, x)), np.abs(y + 2.5) - 0.4)
        block = box(x, y + 1.6, z, (0.42, 0.55, 0.42)) - 0.05
        x = np.abs(x)
        for level in (-1.95, -1.3):
            block = np.minimum(block, capsule(x, y, z, (0.5, level, -0.4), (0.5, level, 0.4), 0.2))
        body = capsule(x, y, z, (0.0, -0.72, 0), (0.95, -0.72, 0), 0.38)
        neck = capsule(x, y, z, (0.95, -0.6, 0), (1.18, 0.0, 0), 0.27)
        head = capsule(x, y, z, (1.2, 0.05, 0), (1.55, -0.22, 0), 0.17)
        horn = capsule(x, y, np.abs(z), (1.15, 0.18, 0.14), (1.32, 0.42, 0.2), 0.06)
        legs = capsule(x, y, np.abs(z), (0.85, -1.02, 0.24), (1.3, -1.02, 0.24), 0.12)
        bull = blended(blended(body, neck, 0.15), np.minimum(np.minimum(head, legs), horn), 0.08)
        return np.minimum(np.minimum(bell, block), bull)

    def wall(self, points):
        """Distance to the platform with its relief wall, battlements and stair."""
        x, y, z = points
        tall = self.PLATFORM
        gap = box(x - self.WALL - 15, y - tall / 2, z - 26, (15, tall / 2, 20))
        # The stair climbs towards the platform; its flank faces the camera.
        foot, front = self.FOOT, self.FLANK
        share = (x - foot) / (self.WALL - foot)
        step = np.ceil(np.clip(share, 0, 1) * 14) / 14 * tall
        flight = (
            np.maximum(np.maximum(y - step, foot - x), np.maximum(np.abs(z - front - 1.7) - 1.7, x - self.WALL)) * 0.6
        )
        rail_top = np.clip(share, 0, 1) * tall + 0.55
        rail = (
            np.maximum(np.maximum(y - rail_top, np.abs(z - front) - 0.16), np.maximum(foot - x, x - self.WALL)) * 0.85
        )
        gap = np.minimum(gap, np.minimum(flight, rail))
        edge = self.merlons(z, y - tall, np.abs(x - self.WALL - 0.2) - 0.2)
        edge = np.maximum(edge, np.maximum(6 - z, z - 45))
        edge = np.maximum(edge, 1.75 - np.abs(z - front - 1.8))
        gap = np.minimum(gap, edge)
        near = np.flatnonzero(gap < 0.12)
        if near.size:
            gap[near] -= self.relief(x[near], y[near], z[near], front)
        return gap

    def merlons(self, along, y, thick):
        """Stepped battlements: four steps up and down in every 1.1 m."""
        part = np.abs((along / 1.1) % 1 - 0.5) * 1.1
        stair = 0.62 - 0.155 * np.floor(np.clip(part / 0.115, 0, 4))
        return np.maximum(np.maximum(y - np.maximum(stair, 0), -y - 0.1), thick) * 0.75

    def relief(self, x, y, z, front):
        """Height of the carved friezes on the wall (facing left) and on the stair's flank (facing us)."""
        on_wall = np.abs(x - self.WALL) < 0.15
        on_flank = (np.abs(z - front + 0.16) < 0.15) & (x < self.WALL)
        along = np.where(on_wall, z, x)
        level = (y - 0.18) % 1.27
        rows, columns = self.frieze.shape
        place = [(1.2 - level) / 1.2 * (rows - 1), (along % 5.6) / 5.6 * columns]
        carved = ndimage.map_coordinates(self.frieze, place, order=1, mode="grid-wrap") * (level < 1.2)
        frame = 0.05 * smoothstep(0.05, 0.02, np.abs(level - 1.235))
        roof = 0.04 * smoothstep(0.02, 0.0, 0.12 - y)
        slope = (x - self.FOOT) / (self.WALL - self.FOOT) * self.PLATFORM
        inside = np.where(on_wall, y < self.PLATFORM - 0.1, (level < 1.2) & (y - level + 1.15 < slope + 0.45))
        return np.where((on_wall | on_flank) & inside, carved + frame, 0.0) + np.where(on_wall, roof, 0.0)

    def portals(self, points):
        """Stone door frames under hollow cornices, still upright on the platform."""
        gap = np.full_like(points[0], np.inf)
        for x, z, size in ((10.6, 26.5, 1.0), (16.0, 24.0, 1.1), (13.2, 38.5, 1.0)):
            across, y, away = points[0] - x, points[1] - self.PLATFORM, points[2] - z
            frame = box(across, y - 2.5 * size, away, (1.5 * size, 2.5 * size, 0.75))
            opening = box(across, y - 2.0 * size, away, (0.8 * size, 2.1 * size, 2.0))
            swell = 0.3 * smoothstep(4.4 * size, 5.3 * size, y)
            cornice = box(across, y - 4.95 * size, away, (1.45 * size + swell, 0.42 * size, 0.7 + swell)) * 0.8
            gap = np.minimum(gap, np.minimum(np.maximum(frame, -opening), cornice))
        return gap

    def fallen(self, points):
        """A column drum and broken blocks in the foreground."""
        x, y, z = points[0] + 1.7, points[1] - 0.62, points[2] - 9.3
        along, across = 0.88 * x + 0.47 * z, -0.47 * x + 0.88 * z
        angle = np.arctan2(across, y)
        drum = np.maximum(np.hypot(y, across) - 0.70 + 0.055 * np.abs(np.cos(18 * angle)), np.abs(along) - 0.95) * 0.9
        blocks = (
            (4.9, 10.0, 0.62, 0.30, 0.42, 0.5),
            (0.5, 12.6, 0.40, 0.42, 0.38, -0.3),
            (-6.9, 8.8, 0.55, 0.26, 0.40, 1.1),
            (-0.9, 15.6, 0.70, 0.25, 0.45, 0.2),
        )
        return np.minimum(drum, askew_blocks(points, blocks, 0.8, 0.14, 0.06))

    def distance(self, points):
        """Distance to all the stone, chipped and worn where a ray is close."""
        gap = self.columns(points)
        for low, high, part in self.parts:
            gap = np.minimum(gap, guarded(points, low, high, part))
        close = np.flatnonzero(gap < 0.15)
        if close.size:
            x, y, z = points[:, close]
            worn = self.noise.fbm(1.7 * x, 1.7 * y, 1.7 * z, 3) - 0.5
            chips = self.noise(9 * x, 9 * y, 9 * z) - 0.5
            gap[close] -= 0.10 * np.minimum(worn, 0.12) + 0.012 * chips
        return gap

    def albedo(self, points, normal):
        """Grey-gold limestone, darker where the rain runs, ochre in the hollows."""
        x, y, z = points
        large = self.noise.fbm(0.45 * x, 0.45 * y, 0.45 * z, 4)
        stone = mix(film_colour(160, 148, 130), film_colour(222, 206, 180), smoothstep(0.3, 0.7, large))
        streak = self.noise.fbm(2.6 * x, 0.3 * y, 2.6 * z, 4)
        stone = stone * (1 - 0.5 * smoothstep(0.48, 0.7, streak) * smoothstep(0.8, 0.3, normal[1]))
        patch = self.noise.fbm(2.0 * x + 30, 2.0 * y, 2.0 * z, 5)
        stone = mix(stone, film_colour(150, 112, 74), 0.5 * smoothstep(0.52, 0.68, patch))
        grain = self.noise.fbm(13 * x, 13 * y, 13 * z, 3)
        crack = smoothstep(0.06, 0.0, np.abs(self.noise.fbm(0.9 * x, 0.9 * y + 70, 0.9 * z, 4) - 0.5))
        return stone * (0.76 + 0.48 * grain) * (1 - 0.22 * crack)


class Terrace:
    """The paved ground of the terrace: worn slabs, dust and gravel in the joints."""

    def __init__(self, noise, solid, day):
        self.noise, self.solid, self.day = noise, solid, day

    def light(self, points):
        """Light leaving the ground."""
        x, y, z = points
        slab, joint = slabs(self.noise, x + 0.3 * z, z - 0.1 * x, 1.9, 1.25)
        dust = smoothstep(0.50, 0.64, self.noise.fbm(0.42 * x, y, 0.42 * z, 5)) * smoothstep(0.02, 0.2, joint + 0.1)
        fine = self.noise.fbm(15 * x, y, 15 * z, 3)
        coarse = self.noise.fbm(1.5 * x, y + 4, 1.5 * z, 4)
        stone = mix(film_colour(158, 138, 112), film_colour(206, 184, 150), slab) * (0.6 + 0.45 * fine + 0.35 * coarse)
        stone = stone * (1 - 0.8 * smoothstep(0.08, 0.02, joint))
        stone = mix(stone, film_colour(196, 166, 122) * (0.62 + 0.7 * fine), dust)
        normal = bumpy(self.noise, points, (0.06, 0.22, 1.1), 0.75)
        tilt = 0.16 * (slab - 0.5) * (1 - dust)
        normal = unit([normal[0] + tilt, normal[1], normal[2] + 0.5 * tilt])
        facing = np.clip(dot(normal, self.day.sun), 0, 1)
        lit = sun_share(self.solid.distance, lifted(points, 0.03), self.day.sun, self.solid.bounds, 40, 60)
        up = np.zeros_like(points)
        up[1] = 1
        free = openness(self.solid.distance, points, up, 1.5)
        return stone * (self.day.sunlight * facing * lit + self.day.skylight * free)

    def weeds(self, camera, film, depth, seed):
        """Dry weeds in the joints and along the foot of the stones."""
        rng = np.random.default_rng(seed + 2)
        count = 60000
        root = roots_on_ground(camera, rng.random(count) * 0.30 + 0.02, rng.random(count))
        joint = slabs(self.noise, root[0] + 0.3 * root[2], root[2] - 0.1 * root[0], 1.9, 1.25)[1]
        patch = self.noise.fbm(0.5 * root[0], root[1] + 17, 0.5 * root[2], 4)
        stone = in_chunks(self.solid.distance, root)
        wanted = smoothstep(0.07, 0.02, joint) * smoothstep(0.44, 0.6, patch) + 0.6 * smoothstep(
            0.35, 0.05, stone
        ) * smoothstep(0.4, 0.55, patch)
        root = root[:, (rng.random(count) < wanted) & (stone > 0.02)]
        count = root.shape[1]
        tall = 0.05 + 0.22 * rng.random(count) ** 2
        tip = root + np.stack([rng.normal(0.1, 0.5, count) * tall, tall, rng.normal(0, 0.4, count) * tall])
        bend = root + np.stack([0 * tall, 0.7 * tall, 0 * tall])
        colour = mix(film_colour(122, 122, 62), film_colour(226, 194, 120), rng.random(count)) * rng.uniform(
            0.7, 1.1, count
        )
        lit = sun_share(self.solid.distance, lifted(root, 0.05), self.day.sun, self.solid.bounds)
        light = colour * (self.day.sunlight * lit * 0.6 + self.day.skylight)
        pieces = [a.astype(np.float32) for a in (root, tip, bend, 0.4 * light, light)]
        paint_blades(camera, film, depth, *pieces, 0.006)


def render(width, height, seed):
    """Columns, portals and a relief wall on their terrace: late light, long shadows, dry mountains."""
    noise = Noise(seed)
    sun = unit([-0.80, 0.34, -0.50])
    palette = {
        "zenith": film_colour(30, 88, 168),
        "horizon": film_colour(176, 200, 212),
        "glow": film_colour(255, 220, 170),
        "sun": film_colour(255, 222, 178) * 2.1,
        "shade": film_colour(140, 156, 196) * 0.62,
    }
    day = Daylight(sun, film_colour(255, 208, 150) * 3.1, film_colour(122, 158, 214) * 0.7, film_colour(190, 196, 204))
    camera = Camera((0, 1.7, 0), -2, 60, 0.70, width, height)
    rays = camera.rays()
    sky = Sky(noise, sun, palette, -0.02, width / 80, drift=5.3)
    mountains = Mountains(noise, sun, 6400, 1300, 2400, 520, 1.375 * width)
    land = {
        "rock": film_colour(146, 118, 96),
        "dust": film_colour(188, 156, 118),
        "sun": day.sunlight * 0.75,
        "shade": day.skylight,
    }
    film = under_the_sky(camera, rays, sky, mountains, land, day.haze, 7000)
    ruins = Ruins(noise)
    terrace = Terrace(noise, ruins, day)

    def stone_colour(points, travel):
        return mix(day.haze, stone_light(points, ruins, day, (0.36, 0.25, 0.14)), np.exp(-travel / 1200))

    def ground_colour(points, travel):
        # Beyond the terrace's edge lies the plain, lost in haze.
        return mix(day.haze, terrace.light(points), np.exp(-travel / 4000))

    film, depth = trace_solid(camera, rays, film, ruins, stone_colour, ground_colour, 110)
    terrace.weeds(camera, film, depth, seed)
    return camera.develop(film, 0.6)
