"""Pasargadae: the stepped tomb of Cyrus on its plain."""

import numpy as np

from pictures.toolkit.blend import mix, smoothstep
from pictures.toolkit.camera import Camera
from pictures.toolkit.colour import film_colour
from pictures.toolkit.daylight import Daylight, lifted, stone_light, sun_share
from pictures.toolkit.distances import askew_blocks, box
from pictures.toolkit.grass import paint_blades, roots_on_ground
from pictures.toolkit.ground import bumpy, staggered, trace_solid
from pictures.toolkit.mountains import Mountains, under_the_sky
from pictures.toolkit.noise import Noise
from pictures.toolkit.sky import Sky
from pictures.toolkit.vectors import dot, turned, unit


class Tomb:
    """The tomb of Cyrus: six receding tiers and a gabled chamber, in large weathered blocks."""

    # Half length, half breadth, bottom and top of each tier, then the chamber; metres.
    TIERS = (
        (6.70, 6.15, 0.0, 1.55),
        (5.95, 5.40, 1.55, 2.55),
        (5.25, 4.70, 2.55, 3.50),
        (4.70, 4.15, 3.50, 4.10),
        (4.20, 3.65, 4.10, 4.68),
        (3.70, 3.15, 4.68, 5.25),
    )
    CHAMBER = (3.15, 2.60, 5.25, 8.35)
    RIDGE, EAVES = 10.6, 8.35
    # Blocks that fell or were carried off: x, z in the world, half sizes, turn.
    FALLEN = (
        (-5.6, 14.2, 0.95, 0.34, 0.50, 0.5),
        (-4.2, 15.6, 0.50, 0.26, 0.42, 1.3),
        (5.9, 13.0, 0.75, 0.30, 0.55, -0.4),
        (8.9, 17.5, 1.10, 0.42, 0.60, 0.9),
        (-9.6, 19.5, 0.80, 0.38, 0.60, 0.2),
    )

    def __init__(self, noise, centre, turn):
        self.noise, self.centre = noise, np.asarray(centre, np.float32)[:, None]
        self.cosine, self.sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
        self.bounds = self.centre[:, 0] + [-12, 0, -13.5], self.centre[:, 0] + [10, 11.2, 9.5]

    def local(self, points):
        """Into the tomb's own axes: x along its length, the door at the end where x is negative."""
        x, y, z = points - self.centre
        x, z = turned(x, z, self.cosine, self.sine)
        return x, y, z

    def mass(self, x, y, z):
        """Distance to the plain shape."""
        gap = np.full_like(x, np.inf)
        for length, breadth, low, high in (*self.TIERS, self.CHAMBER):
            half = (high - low) / 2
            gap = np.minimum(gap, box(x, y - low - half, z, (length - 0.05, half - 0.03, breadth - 0.05)) - 0.05)
        length, breadth, _, eaves = self.CHAMBER
        cornice = box(x, y - eaves + 0.10, z, (length + 0.16, 0.16, breadth + 0.16)) - 0.04
        rise = (self.RIDGE - self.EAVES) / (breadth + 0.2)
        slope = (y - eaves + (np.abs(z) - breadth - 0.2) * rise) / np.hypot(1, rise)
        gable = np.maximum(np.maximum(slope, np.abs(x) - length - 0.02), eaves - 0.2 - y)
        gap = np.minimum(gap, np.minimum(cornice, gable))
        frame = box(x + length, y - 6.15, z, (0.10, 1.02, 0.72))
        door = box(x + length, y - 6.0, z, (1.3, 0.78, 0.44))
        return np.maximum(np.minimum(gap, frame), -door)

    def fallen(self, points):
        """Distance to the blocks that lie about."""
        return askew_blocks(points, self.FALLEN, 0.75, 0.16, 0.1)

    def joints(self, x, y, z):
        """Which block a point belongs to (random number) and how far the nearest joint is, metres."""
        levels = np.array([tier[3] for tier in self.TIERS] + [6.1, 6.9, 7.65, 8.28, 8.75, 9.4, 10.0], np.float32)
        course = np.searchsorted(levels, y).clip(0, len(levels) - 1)
        lengths = np.array([tier[0] for tier in self.TIERS] + [3.15] * 7, np.float32)
        breadths = np.array([tier[1] for tier in self.TIERS] + [2.60] * 7, np.float32)
        end = np.abs(x) - lengths[course] > np.abs(z) - breadths[course]
        along = np.where(end, z, x)
        face = end * 2 + (np.where(end, x, z) > 0)
        long = np.where(course < 3, 2.3, 1.7)
        index, gap = staggered(self.noise, along / long + 7 * self.noise.pick(course, face), 0.55, course, face)
        level = np.minimum(np.abs(levels[course] - y), np.abs(y - np.concatenate([[0], levels])[course]))
        # Only the chamber's courses meet within a wall; a tier is one course, its top is no joint.
        inner = np.where(course >= 6, level, 1.0)
        return self.noise.pick(index, course, face, 5 * index), np.minimum(gap * long, inner)

    def distance(self, points):
        """Distance to the weathered stone; rough only where a ray is close."""
        x, y, z = self.local(points)
        gap = np.minimum(self.mass(x, y, z), self.fallen(points))
        close = np.flatnonzero(gap < 0.25)
        if close.size:
            x, y, z = x[close], y[close], z[close]
            block, joint = self.joints(x, y, z)
            worn = self.noise.fbm(1.1 * x, 1.1 * y, 1.1 * z, 3) - 0.5
            pits = self.noise.fbm(6 * x, 6 * y, 6 * z, 2) - 0.5
            groove = 0.05 * smoothstep(0.07, 0.0, joint)
            gap[close] += groove + 0.07 * (block - 0.5) - 0.16 * worn - 0.035 * pits
        return gap

    def albedo(self, points, normal):
        """Limestone: a tone for each block, dark joints, rain streaks below edges, ochre and grey lichen."""
        x, y, z = self.local(points)
        block, joint = self.joints(x, y, z)
        stone = mix(film_colour(196, 180, 152), film_colour(226, 214, 190), block)
        large = self.noise.fbm(0.5 * x, 0.5 * y, 0.5 * z + 40, 4)
        stone = mix(stone, film_colour(178, 150, 112), 0.6 * smoothstep(0.45, 0.7, large))
        streak = self.noise.fbm(3.1 * x, 0.35 * y, 3.1 * z, 4)
        stone = stone * (1 - 0.5 * smoothstep(0.5, 0.72, streak) * smoothstep(0.7, 0.2, normal[1]))
        lichen = self.noise.fbm(2.3 * x, 2.3 * y + 60, 2.3 * z, 5)
        stone = mix(stone, film_colour(112, 102, 86), 0.55 * smoothstep(0.50, 0.72, lichen))
        speck = self.noise.fbm(7 * x, 7 * y + 20, 7 * z, 3)
        stone = mix(
            stone, film_colour(176, 128, 62), 0.5 * smoothstep(0.60, 0.70, speck) * smoothstep(0.45, 0.6, large)
        )
        grain = self.noise.fbm(14 * x, 14 * y, 14 * z, 3)
        return stone * (0.78 + 0.44 * grain) * (1 - 0.65 * smoothstep(0.05, 0.01, joint))


class Plain:
    """The dry plain: earth, a trodden path that leads to the tomb, and grass."""

    def __init__(self, noise, solid, day):
        self.noise, self.solid, self.day = noise, solid, day

    def path(self, points):
        """1 on the path, 0 off it."""
        x, _, z = points
        middle = -3.4 + 0.26 * z - 0.0075 * z * z + 1.2 * np.sin(z * 0.22)
        ragged = 0.9 * (self.noise.fbm(0.9 * x, 0 * x, 0.9 * z, 3) - 0.5)
        return smoothstep(1.5, 0.7, np.abs(x - middle) + ragged) * smoothstep(27, 20, z)

    def tufts(self, points):
        """How thick the grass stands, 0 to 1."""
        x, _, z = points
        patch = self.noise.fbm(0.35 * x, 0 * x + 3, 0.35 * z, 4)
        return np.clip(smoothstep(0.32, 0.56, patch) * (1 - self.path(points)), 0, 1)

    def sunshine(self, points):
        """How much of the sun points on the ground see, 0 to 1."""
        return sun_share(self.solid.distance, lifted(points, 0.05), self.day.sun, self.solid.bounds)

    def light(self, points, travel):
        """Light leaving the bare ground."""
        x, y, z = points
        coarse = self.noise.fbm(0.8 * x, y, 0.8 * z, 5)
        fine = self.noise.fbm(11 * x, y, 11 * z, 3)
        earth = mix(film_colour(170, 140, 100), film_colour(208, 184, 142), coarse) * (0.6 + 0.8 * fine)
        grass = mix(film_colour(112, 108, 54), film_colour(172, 152, 84), self.noise.fbm(2.2 * x, y + 8, 2.2 * z, 4))
        cover = self.tufts(points)
        earth = mix(earth, grass * (0.5 + 0.8 * fine), cover * smoothstep(4, 30, z))
        earth = mix(earth, earth * 0.5, cover * smoothstep(25, 6, z))
        normal = bumpy(self.noise, points, (0.07, 0.25, 0.9), 0.8)
        facing = np.clip(dot(normal, self.day.sun), 0, 1)
        near_stone = np.minimum(1, 0.35 + np.maximum(self.solid.distance(points), 0) * 0.45)
        clouds = self.cloud_shadow(points)
        colour = earth * (self.day.sunlight * facing * self.sunshine(points) * clouds + self.day.skylight * near_stone)
        return mix(self.day.haze, colour, np.exp(-travel / 2600))

    def cloud_shadow(self, points):
        """Broad dark bands on the plain behind the tomb, where clouds stand in the sun's way."""
        x, _, z = points
        band = self.noise.fbm(x / 170, 0 * x + 2, z / 90, 3)
        return 1 - 0.6 * smoothstep(0.48, 0.62, band) * smoothstep(45, 90, z)

    def grow(self, camera, film, depth, seed):
        """Paint the grass over the film."""
        rng = np.random.default_rng(seed + 1)
        count = 90000
        # Even over the film, not the field: as many blades near as far.
        sink = rng.random(count) ** 0.8 * 0.30 + 0.012
        root = roots_on_ground(camera, sink, rng.random(count))
        keep = rng.random(count) < self.tufts(root) * 1.0 + 0.05
        keep &= self.solid.distance(root) > 0.05
        root = root[:, keep]
        count = root.shape[1]
        tall = (0.10 + 0.26 * rng.random(count) ** 2) * (0.6 + 0.7 * self.tufts(root))
        lean = rng.normal(0.28, 0.38, count) * tall
        tip = root + np.stack([lean, tall, rng.normal(0, 0.3, count) * tall])
        bend = root + np.stack([lean * 0.2, tall * 0.75, 0 * tall])
        tone = self.noise.fbm(root[0] * 0.6, root[1] + 5, root[2] * 0.6, 3) + rng.normal(0, 0.13, count)
        colour = mix(film_colour(92, 108, 44), film_colour(222, 186, 112), smoothstep(0.32, 0.62, tone))
        colour = colour * rng.uniform(0.65, 1.2, count)
        light = self.day.sunlight * self.sunshine(root) * 0.62 + self.day.skylight
        far = np.exp(-root[2] / 2600)
        tip_colour = mix(self.day.haze, colour * light, far).astype(np.float32)
        root_colour = mix(self.day.haze, colour * light * 0.38, far).astype(np.float32)
        root, tip, bend = (a.astype(np.float32) for a in (root, tip, bend))
        paint_blades(camera, film, depth, root, tip, bend, root_colour, tip_colour, 0.007)


def render(width, height, seed):
    """The stepped tomb of Cyrus on its plain: evening sun, dry grass, cumulus."""
    noise = Noise(seed)
    sun = unit([-0.74, 0.40, -0.42])
    palette = {
        "zenith": film_colour(52, 104, 176),
        "horizon": film_colour(196, 212, 222),
        "glow": film_colour(255, 226, 178),
        "sun": film_colour(255, 234, 200) * 2.1,
        "shade": film_colour(140, 164, 204) * 0.62,
    }
    day = Daylight(sun, film_colour(255, 214, 158) * 3.0, film_colour(138, 172, 216) * 0.62, film_colour(190, 203, 216))
    camera = Camera((0, 1.7, 0), 0, 56, 0.735, width, height)
    rays = camera.rays()
    sky = Sky(noise, sun, palette, 0.035, width / 80, drift=0.4)
    mountains = Mountains(noise, sun, 14000, 4600, 4200, 1050, 1.375 * width)
    land = {
        "rock": film_colour(150, 128, 108),
        "dust": film_colour(186, 164, 130),
        "sun": day.sunlight * 0.8,
        "shade": day.skylight,
    }
    film = under_the_sky(camera, rays, sky, mountains, land, day.haze, 8500)
    tomb = Tomb(noise, (1.2, 0, 25.5), np.radians(47))
    plain = Plain(noise, tomb, day)

    def stone_colour(points, travel):
        return stone_light(points, tomb, day)

    film, depth = trace_solid(camera, rays, film, tomb, stone_colour, plain.light)
    plain.grow(camera, film, depth, seed)
    return camera.develop(film, 0.62)
