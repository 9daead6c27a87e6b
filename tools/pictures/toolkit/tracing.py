"""Tracing rays through made scenes with numpy: noise, camera and film, signed distances, light on stone.

Light is linear until the film is developed. Points and directions are arrays of shape (3, n), in metres,
x right, y up, z away from the camera.
"""

import numpy as np
from scipy import ndimage

CHUNK = 1 << 15  # rays traced at once: their arrays then stay in the processor's cache


# --- Noise ---------------------------------------------------------------------------------------


class Noise:
    """Value noise over a periodic random lattice; every texture of a scene is made of it."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.lattice = rng.random(1 << 15, dtype=np.float32)

    def __call__(self, x, y, z):
        """Smooth noise in [0, 1] with features about one unit wide."""
        cells, fades = [], []
        for axis in (x, y, z):
            floor = np.floor(axis)
            part = axis - floor
            cells.append(floor.astype(np.int32))
            fades.append(part * part * (3 - 2 * part))
        (i, j, k), (u, v, w) = cells, fades
        i0, i1 = (i & 31) << 10, ((i + 1) & 31) << 10
        j0, j1 = (j & 31) << 5, ((j + 1) & 31) << 5
        k0, k1 = k & 31, (k + 1) & 31

        def along_z(row):
            near = self.lattice.take(row + k0)
            return near + w * (self.lattice.take(row + k1) - near)

        low = along_z(i0 + j0)
        low = low + v * (along_z(i0 + j1) - low)
        high = along_z(i1 + j0)
        high = high + v * (along_z(i1 + j1) - high)
        return low + u * (high - low)

    def fbm(self, x, y, z, octaves=4, fold=None):
        """A sum of octaves in [0, 1]; `fold` reshapes each one (ridges, billows)."""
        total, weight, scale = 0.0, 0.0, 1.0
        for octave in range(octaves):
            shift = 11.7 * octave
            value = self(x * scale + shift, y * scale + 0.6 * shift, z * scale - shift)
            share = 0.5**octave
            total = total + share * (fold(value) if fold else value)
            weight += share
            scale *= 2.03
        return total / weight

    def pick(self, *integers):
        """One random number in [0, 1] for each tuple of whole numbers."""
        index = 0
        for number, stride in zip(integers, (1, 197, 3571, 7919), strict=False):
            index = index + np.asarray(number).astype(np.int32) * stride
        return self.lattice.take(index & 32767)


def ridge(value):
    return 1 - np.abs(2 * value - 1)


def billow(value):
    return np.abs(2 * value - 1)


# --- Vectors and colours --------------------------------------------------------------------------


def dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def unit(vector):
    vector = np.asarray(vector, np.float32)
    return vector / np.sqrt(dot(vector, vector))


def ramp(low, high, value):
    """Smooth step from 0 at `low` to 1 at `high`."""
    part = np.clip((value - low) / (high - low), 0, 1)
    return part * part * (3 - 2 * part)


def mix(first, second, share):
    return first + (second - first) * share


def rgb(red, green, blue):
    """A colour as one sees it, 0 to 255, turned into linear light, shape (3, 1)."""
    return (np.array([[red], [green], [blue]], np.float32) / 255) ** 2.2


def tone_map(light, exposure=1.0):
    """Linear light to display values: a filmic shoulder (Narkowicz 2015), then gamma."""
    x = np.maximum(light * exposure, 0)
    x = x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14)
    return np.clip(x, 0, 1) ** (1 / 2.2)


# --- Camera and film ------------------------------------------------------------------------------


class Camera:
    """A level camera with a rising front, so that walls stay upright, and its oversampled film."""

    def __init__(self, eye, turn, view, horizon, width, height, oversample=2):
        """`turn` degrees to the right, `view` degrees wide, `horizon` a share of the height from the top."""
        self.oversample = oversample
        self.width, self.height = width * self.oversample, height * self.oversample
        self.eye = np.asarray(eye, np.float32)[:, None]
        self.turn = np.radians(turn)
        self.scale = 2 * np.tan(np.radians(view) / 2) / self.width
        # The wanted composition is 4:3; other shapes keep the horizon where it is.
        self.horizon = horizon * self.height

    def rays(self):
        """Unit directions, shape (3, pixels), row by row."""
        column = (np.arange(self.width, dtype=np.float32) + 0.5 - self.width / 2) * self.scale
        row = (self.horizon - np.arange(self.height, dtype=np.float32) - 0.5) * self.scale
        side, up = np.meshgrid(column, row)
        side, up = side.ravel(), up.ravel()
        cosine, sine = np.float32(np.cos(self.turn)), np.float32(np.sin(self.turn))
        return unit([side * cosine + sine, up, cosine - side * sine])

    def project(self, points):
        """Film column, row and depth of points."""
        x, y, z = points - self.eye
        depth = x * np.sin(self.turn) + z * np.cos(self.turn)
        side = x * np.cos(self.turn) - z * np.sin(self.turn)
        safe = np.maximum(depth, 0.01) * self.scale
        return side / safe + self.width / 2, self.horizon - y / safe, depth

    def develop(self, film, exposure, glow=0.06):
        """The picture: oversampled linear light (3, pixels) averaged, tone-mapped, slightly glowing."""
        step = self.oversample
        image = film.reshape(3, self.height, self.width)
        # Tone-mapping before averaging keeps edges against the bright sky smooth.
        soft = [ndimage.gaussian_filter(np.minimum(plane, 4), 0.012 * self.width) for plane in image]
        image = tone_map(mix(image, np.stack(soft), glow), exposure)
        image = image.reshape(3, self.height // step, step, self.width // step, step).mean((2, 4))
        return np.ascontiguousarray(image.transpose(1, 2, 0), np.float32)


def in_chunks(function, *arrays):
    """`function` over slices of arrays (..., n), its arrays (or tuples of arrays) joined again."""
    count = arrays[0].shape[-1]
    parts = [function(*(a[..., i : i + CHUNK] for a in arrays)) for i in range(0, count, CHUNK)]
    if isinstance(parts[0], tuple):
        return tuple(np.concatenate(part, -1) for part in zip(*parts, strict=True))
    return np.concatenate(parts, -1)


# --- Signed distances -----------------------------------------------------------------------------


def box(x, y, z, size):
    """Distance to a box of half sizes `size` around the origin."""
    qx, qy, qz = np.abs(x) - size[0], np.abs(y) - size[1], np.abs(z) - size[2]
    outside = np.sqrt(np.maximum(qx, 0) ** 2 + np.maximum(qy, 0) ** 2 + np.maximum(qz, 0) ** 2)
    return outside + np.minimum(np.maximum(np.maximum(qx, qy), qz), 0)


def guarded(points, low, high, distance):
    """`distance` where a point is near the box from `low` to `high`; elsewhere only how far the box is."""
    half = (np.asarray(high, np.float32) - low) / 2
    gap = box(*(points - (np.asarray(low, np.float32) + half)[:, None]), half) + 0.05
    near = np.flatnonzero(gap < 0.6)
    if near.size:
        gap[near] = distance(points[:, near])
    return gap


def slab_span(origin, direction, low, high):
    """Where rays enter and leave the box from `low` to `high`; they miss it where enter >= leave."""
    safe = np.where(np.abs(direction) < 1e-6, 1e-6, direction)
    first = (np.asarray(low, np.float32)[:, None] - origin) / safe
    second = (np.asarray(high, np.float32)[:, None] - origin) / safe
    return np.minimum(first, second).max(0), np.maximum(first, second).min(0)


def march(distance, origin, direction, near, far, steps=90, caution=0.9, fineness=4e-4):
    """How far each ray flies from `near` until it meets the surface; infinite when it reaches `far`."""
    reached = np.full(direction.shape[1], np.inf, np.float32)
    alive = np.flatnonzero(near < far)
    travel = near[alive]
    for _ in range(steps):
        if not alive.size:
            break
        start = origin[:, alive] if origin.shape[1] > 1 else origin
        gap = distance(start + direction[:, alive] * travel)
        hit = gap < fineness * travel
        reached[alive[hit]] = travel[hit]
        travel = travel + caution * gap
        stay = ~hit & (travel < far[alive])
        alive, travel = alive[stay], travel[stay]
    return reached


def normal_at(distance, points, step=0.01):
    """Surface normals from four samples at a tetrahedron's corners."""
    total = 0
    for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
        corner = np.array(corner, np.float32)[:, None]
        total = total + corner * distance(points + corner * step)
    return unit(total)


def sun_share(distance, points, sun, bounds, softness=24, steps=40):
    """How much of the sun each point sees, 0 to 1, with a penumbra (Quilez, soft shadows)."""
    direction = np.broadcast_to(np.asarray(sun)[:, None], points.shape)
    enter, leave = slab_span(points, direction, *bounds)
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
    return share * share * (3 - 2 * share)


def openness(distance, points, normal, reach=1.2):
    """Ambient occlusion: how free the space in front of the surface is, 0 to 1."""
    closed = 0
    for share in (0.08, 0.25, 0.55, 1.0):
        away = reach * share
        closed = closed + np.maximum(away - distance(points + normal * away), 0) / away * 0.3
    return np.clip(1 - closed, 0, 1)


# --- Light and ground ------------------------------------------------------------------------------


def lifted(points, height):
    """Points raised a little, so that a ray to the sun does not start inside the ground."""
    return points + np.array([[0], [height], [0]], np.float32)


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


def stone_light(points, solid, sun, sunlight, skylight, bounce=(0.30, 0.22, 0.13)):
    """Light leaving stone: sun with shadow, open sky, and the warm light that the ground sends back up."""
    normal = normal_at(solid.distance, points, 0.012)
    start = points + normal * 0.03
    facing = np.clip(dot(normal, sun), 0, 1)
    lit = np.zeros_like(facing)
    front = np.flatnonzero(facing > 0)
    lit[front] = facing[front] * sun_share(solid.distance, start[:, front], sun, solid.bounds)
    free = openness(solid.distance, points, normal)
    bounce = np.array(bounce, np.float32)[:, None] * np.clip(0.6 - 0.4 * normal[1], 0, 1)
    ambient = skylight * (0.55 + 0.45 * normal[1]) + bounce * np.exp(-points[1] / 9)
    return solid.albedo(points, normal) * (sunlight * lit + ambient * free)
