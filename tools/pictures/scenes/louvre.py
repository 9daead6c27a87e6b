"""Louvre: a glass pyramid in a palace court after rain.

The masses are convex solids; their carving is drawn as a height map of one bay and lit once for each
way a face can look: from this far the eye cannot tell it from stone, and no ray has to find it.
"""

import numpy as np
from scipy import ndimage

from pictures.scenes.louvre_facade import palace_bay, roof_bay
from pictures.toolkit.blend import mix, smoothstep
from pictures.toolkit.camera import Camera, in_chunks
from pictures.toolkit.colour import film_colour
from pictures.toolkit.convex import frustum, meet
from pictures.toolkit.daylight import Daylight
from pictures.toolkit.ground import bumpy, ground_hits, slabs
from pictures.toolkit.noise import Noise
from pictures.toolkit.raster import block_mean
from pictures.toolkit.sky import Sky
from pictures.toolkit.vectors import dot, mirrored, starts, unit


class Palace:
    """The court: wings and pavilions around it, lamps in it; every mass a convex solid with carved faces."""

    WALL, ROOF, PLAIN, LAMP = range(4)

    def __init__(self, noise, day, per_metre):
        self.noise, self.day, sun = noise, day, day.sun
        self.solids = list(self.masses())
        self.normals = np.stack([planes[0] for planes, _, _ in self.solids])
        self.materials = np.array([material for _, material, _ in self.solids])
        self.feet = np.array([foot for _, _, foot in self.solids], np.float32)
        # Drawn finely, then averaged to the detail that the film can hold.
        drawn = 24 * max(1, round(per_metre / 13))
        shrink = max(1, int(drawn / per_metre))
        self.bays = {self.WALL: palace_bay(drawn), self.ROOF: roof_bay(drawn)}
        # The way a face looks: left, right, towards us, away; the sun along its side, up and outwards.
        ways = ((-sun[2], -sun[0]), (sun[2], sun[0]), (sun[0], -sun[2]), (-sun[0], sun[2]))
        self.carved = {}
        for material, bay in self.bays.items():
            lights = [bay.lit(side, sun[1], out) for side, out in ways]
            self.carved[material] = [[block_mean(a, shrink) for a in (*light, bay.pane)] for light in lights]

    def masses(self):
        """Every solid: planes, material, and the height its texture starts at."""
        wings = (
            (-110, 110, 104, 120, 20.8, 8.5),
            (-62, -47, 40, 104, 20.8, 8.5),
            (47, 62, 40, 104, 20.8, 8.5),
        )
        pavilions = (
            (-21, -1, 100.5, 122, 27, 12.0),
            (-50, -35, 101, 122, 25, 10.5),
            (33, 50, 101, 122, 25, 10.5),
        )
        for left, right, near, far, tall, roof in wings + pavilions:
            yield frustum(left, right, 0, tall, near, far), self.WALL, tall
            yield (
                frustum(left + 0.7, right - 0.7, tall, tall + roof, near + 0.7, far - 0.7, 0.42 * roof),
                self.ROOF,
                tall,
            )
        # The middle pavilion carries a lantern; chimneys stand along the ridges.
        yield frustum(-14.5, -7.5, 38.5, 42.0, 106, 113, 1.2), self.ROOF, 34.0
        for x in (-76, -62, -29, 9, 24, 66, 84):
            yield frustum(x - 1.6, x + 1.6, 20, 33.0, 110, 112), self.PLAIN, 0.0
        for x, z in ((-10.5, 24.0), (-19.0, 41.0), (-25.5, 62.0), (25.0, 36.0), (33.0, 60.0)):
            yield frustum(x - 0.09, x + 0.09, 0, 4.0, z - 0.09, z + 0.09, 0.03), self.PLAIN, 0.0
            yield frustum(x - 0.24, x + 0.24, 4.0, 4.7, z - 0.24, z + 0.24, -0.1), self.LAMP, 0.0

    def hit(self, origin, direction):
        """The nearest solid along rays: distance (infinite for none), its number and the face met."""
        nearest = np.full(direction.shape[1], np.inf, np.float32)
        solid, face = np.zeros(direction.shape[1], np.int16), np.zeros(direction.shape[1], np.int8)
        for number, (planes, _, _) in enumerate(self.solids):
            enter, leave, through = meet(planes, origin, direction)
            closer = (enter < leave) & (enter > 0.01) & (enter < nearest)
            nearest[closer], solid[closer], face[closer] = enter[closer], number, through[closer]
        return nearest, solid, face

    def shade(self, points):
        """1 where the sun reaches a point, 0 where a wing stands in its way."""
        sun = np.broadcast_to(np.asarray(self.day.sun)[:, None], points.shape)
        free = np.ones(points.shape[1], np.float32)
        for planes, material, _ in self.solids:
            if material != self.LAMP:
                enter, leave, _ = meet(planes, points, sun)
                free[(enter < leave) & (leave > 0.3) & (enter > 0.05)] = 0
        return free

    def look(self, origin, direction, sky):
        """Light along rays from everything but the ground and the pyramid, and how far it is away."""
        colour = sky(direction)
        travel, solid, face = self.hit(origin, direction)
        seen = np.flatnonzero(np.isfinite(travel))
        if seen.size:
            start = starts(origin, seen)
            points = start + direction[:, seen] * travel[seen]
            light = self.light(points, solid[seen], face[seen], direction[:, seen], sky)
            colour[:, seen] = mix(self.day.haze, light, np.exp(-travel[seen] / 3000))
        return colour, travel

    def light(self, points, solid, face, direction, sky):
        """Light leaving faces of the solids."""
        material = self.materials[solid]
        normal = self.normals[solid, face].T
        along = np.where(face < 2, points[2], points[0])
        bay_number = np.floor((along + 500.5) / 5)
        bright, free, pane = (np.full(points.shape[1], start, np.float32) for start in (0, 1, 0))
        bright[:] = np.clip(dot(normal, self.day.sun), 0, 1)
        foot = self.feet[solid]
        for kind, bay in self.bays.items():
            # A wall's carving is stretched to its height; a roof's starts at its eaves.
            level = points[1] * bay.tall / np.maximum(foot, 1) if kind == self.WALL else (points[1] - foot) * 1.15
            for way in range(4):
                some = np.flatnonzero((material == kind) & (face == way))
                if not some.size:
                    continue
                picture = self.carved[kind][way]
                rows, columns = picture[0].shape
                place = [
                    (1 - level[some] / bay.tall) * rows - 0.5,
                    ((along[some] + 500.5) / 5 % 1) * columns - 0.5,
                ]
                place[0] = np.clip(place[0], 0, rows - 1)
                bright[some], free[some], pane[some] = (
                    ndimage.map_coordinates(plane, place, order=1, mode="grid-wrap") for plane in picture
                )
        tint = self.noise.fbm(*(points / np.array([[3.0], [1.2], [3.0]], np.float32)), 4)
        stone = mix(film_colour(198, 178, 146), film_colour(232, 216, 186), tint) * (
            0.8 + 0.4 * self.noise.fbm(*(points * 3), 2)
        )
        streak = self.noise.fbm(points[0] * 1.4, points[1] * 0.12, points[2] * 1.4, 3)
        stone = stone * (1 - 0.35 * smoothstep(0.5, 0.75, streak))
        slate = mix(film_colour(74, 84, 100), film_colour(112, 120, 132), tint)
        stone = np.where(material == self.ROOF, slate, stone)
        sunlit = bright * self.shade(points + normal * 0.9)
        # The open court sends warm light back up to the lower floors.
        bounce = film_colour(196, 150, 110) * 0.25 * np.exp(-points[1] / 12)
        wall = stone * (self.day.sunlight * sunlit + (self.day.skylight * (0.75 + 0.25 * normal[1]) + bounce) * free)
        storey = np.floor(points[1] / 8)
        lamps = self.noise.pick(bay_number, storey, solid) < 0.30
        flicker = 0.55 + 0.9 * self.noise.pick(bay_number, solid, storey)
        reflected = mirrored(direction, normal)
        glass = 0.02 + 0.22 * sky.clear(reflected) + film_colour(255, 176, 84) * (1.5 * lamps * flicker)
        light = mix(wall, glass, pane)
        return np.where(material == self.LAMP, film_colour(255, 206, 130) * 7.0, light)


class Pyramid:
    """Glass on a diagonal steel lattice, lit from inside."""

    def __init__(self, noise, centre, half, tall, day, film_angle):
        self.noise, self.day = noise, day
        self.centre, self.half, self.tall = np.array(centre, np.float32), half, tall
        self.film_angle = film_angle
        x, z = centre
        self.planes = frustum(x - half, x + half, 0, tall, z - half, z + half, half - 0.01)

    def lattice(self, points, face, travel):
        """Share of steel in a film pixel (thin rods count less far away), and the number of the pane."""
        across = np.where(face < 2, points[2] - self.centre[1], points[0] - self.centre[0])
        up = points[1] / self.tall
        # Rods run parallel to the two slanting edges of their face.
        first = (across / self.half + up) * 9
        second = (across / self.half - up) * 9
        rods = 0
        pixel = self.film_angle * travel
        for lines, broad in ((first, 0.055), (second, 0.055)):
            gap = np.abs(lines - np.round(lines)) * self.half / 9 * 0.85
            soft = np.maximum(pixel, broad)
            rods = np.maximum(rods, smoothstep(soft * 1.3, soft * 0.5, gap) * np.minimum(1, broad / pixel * 1.3))
        rim = (1 - up) * self.half - np.abs(across)
        rods = np.maximum(rods, smoothstep(0.26, 0.16, rim))
        rods = np.maximum(rods, smoothstep(0.45, 0.3, points[1]))
        return rods, np.floor(first), np.floor(second)

    def over(self, origin, direction, behind, distance, sky):
        """`behind` with the pyramid before it, where nothing nearer hides it."""
        enter, leave, face = meet(self.planes, origin, direction)
        seen = np.flatnonzero((enter < leave) & (enter > 0.01) & (enter < distance))
        if not seen.size:
            return behind
        start = starts(origin, seen)
        direction, enter, leave, face = direction[:, seen], enter[seen], leave[seen], face[seen]
        front, back = start + direction * enter, start + direction * leave
        normal = self.planes[0][face].T
        rods, first, second = self.lattice(front, face, enter)
        # No two panes lie quite alike, so each mirrors its own piece of the sky.
        tilt = np.stack([self.noise.pick(first, second, face + 8 * k) - 0.5 for k in range(3)])
        pane = unit(normal + 0.06 * tilt)
        facing = np.clip(-dot(direction, pane), 0, 1)
        mirror = 0.27 + 0.73 * (1 - facing) ** 3
        reflected = mirrored(direction, pane)
        reflected[1] = np.abs(reflected[1])
        reflection = (
            sky(unit(reflected)) + film_colour(255, 200, 130) * 20 * np.clip(dot(reflected, self.day.sun), 0, 1) ** 900
        )
        inside = self.interior(behind[:, seen], front, back, direction, leave - enter, distance[seen] - enter)
        colour = mix(inside, reflection, mirror)
        steel = film_colour(78, 82, 90) * (
            self.day.sunlight * np.clip(dot(normal, self.day.sun), 0, 1) * 0.6 + self.day.skylight * 0.6
        )
        behind = behind.copy()
        behind[:, seen] = mix(colour, steel, rods)
        return behind

    def interior(self, behind, front, back, direction, depth, beyond):
        """What shows through the glass: the far side's lattice, the lit hall below, the palace behind."""
        far_face = np.where(np.abs(back[0] - self.centre[0]) > np.abs(back[2] - self.centre[1]), 0, 2)
        rods = self.lattice(back, far_face, depth + 45)[0]
        floor = back[1] < 0.05
        hall = film_colour(255, 172, 84) * (0.45 + 0.8 * self.noise.fbm(back[0] * 0.5, back[1], back[2] * 0.5, 3))
        through = np.where(floor, hall, behind * film_colour(186, 220, 214) * 0.6)
        through = mix(through, film_colour(70, 66, 62) * 0.7, 0.75 * rods * ~floor)
        middle = (front + back) / 2
        glow = film_colour(255, 158, 58) * 3.4 * np.exp(-np.maximum(middle[1], 0) / (0.17 * self.tall))
        # Strings of lamps under the glass.
        cells = [np.floor(axis * 0.9) for axis in front]
        from_lamp = np.hypot(*(axis * 0.9 - cell - 0.5 for axis, cell in zip(front[:2], cells[:2], strict=True)))
        lamp = self.noise.pick(*cells) * (from_lamp < 0.16)
        glow = glow * (0.7 + 0.5 * self.noise.fbm(front[0] * 0.7, front[1] * 0.9, front[2] * 0.7, 2))
        glow = glow + film_colour(255, 214, 150) * 7 * ((lamp > 0.90) & (front[1] < 0.42 * self.tall))
        return through + glow * np.clip(depth / 12, 0.15, 1)


class Court:
    """The paved court after rain: granite setts, puddles, everything reflected."""

    def __init__(self, noise, palace, pyramid, sky):
        self.noise, self.palace, self.pyramid, self.sky = noise, palace, pyramid, sky

    def light(self, points, direction, travel):
        """Light leaving the court, the mirrored palace and pyramid in its puddles."""
        noise, palace = self.noise, self.palace
        x, y, z = points
        sett, joint = slabs(noise, x + 0.02 * z, z, 1.5, 1.0)
        detail = np.exp(-travel / 60)
        fine = noise.fbm(9 * x, y, 9 * z, 3)
        stone = mix(film_colour(112, 108, 104), film_colour(156, 148, 138), mix(0.5, sett, detail)) * (0.6 + 0.6 * fine)
        stone = stone * (1 - 0.6 * detail * smoothstep(0.07, 0.02, joint))
        # Bands of pale stone lead towards the pyramid.
        band = smoothstep(0.5, 0.35, np.abs((x - self.pyramid.centre[0]) % 9 - 4.5)) + smoothstep(
            0.5, 0.35, np.abs(z % 12 - 6)
        )
        stone = mix(stone, film_colour(196, 186, 170) * (0.6 + 0.5 * fine), 0.6 * np.clip(band, 0, 1))
        wet = smoothstep(0.40, 0.54, noise.fbm(0.16 * x, y, 0.27 * z, 5) + 0.06 * (sett - 0.5))
        rough = bumpy(noise, points, (0.05, 0.3), 0.22)
        calm = bumpy(noise, points, (0.5, 1.7), 0.008)
        normal = unit(mix(rough * [[0.35], [1], [1]], calm, wet))
        facing = np.clip(-dot(direction, normal), 0.02, 1)
        mirror = (0.03 + 0.97 * (1 - facing) ** 5) * mix(0.42, 0.95, wet)
        reflected = mirrored(direction, normal)
        reflected[1] = np.maximum(reflected[1], 0.004)
        reflected = unit(reflected)
        seen, distance = palace.look(points, reflected, self.sky)
        seen = self.pyramid.over(points, reflected, seen, distance, self.sky)
        lit = palace.shade(points) * np.clip(dot(rough, palace.day.sun), 0, 1)
        enter, leave, _ = meet(self.pyramid.planes, points, np.broadcast_to(palace.day.sun[:, None], points.shape))
        lit = lit * np.where((enter < leave) & (leave > 0), 0.55, 1)
        warm = np.hypot(
            np.maximum(np.abs(x - self.pyramid.centre[0]) - self.pyramid.half, 0),
            np.maximum(np.abs(z - self.pyramid.centre[1]) - self.pyramid.half, 0),
        )
        lamps = film_colour(255, 180, 100) * 0.8 * np.exp(-warm / 3.5)
        stone = stone * mix(1, 0.6, wet) * (palace.day.sunlight * lit + palace.day.skylight + lamps)
        return mix(stone, seen, mirror)


def render(width, height, seed):
    """A glass pyramid in a palace court after rain, the sun low on the left."""
    noise = Noise(seed)
    sun = unit([-0.66, 0.32, -0.68])
    palette = {
        "zenith": film_colour(18, 80, 168),
        "horizon": film_colour(190, 208, 218),
        "glow": film_colour(255, 210, 150),
        "sun": film_colour(255, 214, 166) * 2.3,
        "shade": film_colour(126, 152, 200) * 0.66,
    }
    day = Daylight(sun, film_colour(255, 198, 134) * 3.6, film_colour(112, 150, 216) * 0.56, film_colour(206, 204, 202))
    camera = Camera((0, 1.7, 0), 0, 60, 0.69, width, height)
    rays = camera.rays()
    sky = Sky(noise, sun, palette, 0.05, width / 80, top=75, drift=7.7)
    palace = Palace(noise, day, 1 / (camera.scale * 105))
    pyramid = Pyramid(noise, (7.5, 50), 12.5, 15.5, day, camera.scale)
    court = Court(noise, palace, pyramid, sky)

    def trace(direction):
        ground = ground_hits(camera, direction)
        colour, distance = palace.look(camera.eye, direction, sky)
        seen = np.flatnonzero(ground < distance)
        if seen.size:
            points = camera.eye + direction[:, seen] * ground[seen]
            wet = court.light(points, direction[:, seen], ground[seen])
            colour[:, seen] = mix(day.haze, wet, np.exp(-ground[seen] / 3000))
        return pyramid.over(camera.eye, direction, colour, np.minimum(distance, ground + 30), sky)

    return camera.develop(in_chunks(trace, rays), 0.50, 0.09)
