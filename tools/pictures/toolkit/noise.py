"""Smooth noise: at places of the sheet, in space, and on a whole raster."""

import numpy as np

from pictures.toolkit.blend import fade, mix
from pictures.toolkit.sheet import SHEET_HEIGHT, SHEET_WIDTH


def noise(x, y, cell, seed):
    """Smooth noise in [0, 1] with lumps of about `cell` units."""
    table = np.random.default_rng(seed).random((64, 64))
    x, y = np.broadcast_arrays(np.asarray(x, float) / cell, np.asarray(y, float) / cell)
    i, j = np.floor(x).astype(int), np.floor(y).astype(int)
    s, t = fade(x - i), fade(y - j)
    i, j, right, below = i % 64, j % 64, (i + 1) % 64, (j + 1) % 64
    return mix(mix(table[j, i], table[j, right], s), mix(table[below, i], table[below, right], s), t)


def fractal(x, y, cell, seed, octaves=4):
    """Noise with detail: octaves of half the size and half the strength, about in [0, 1] with mean 0.5."""
    total = sum(noise(x, y, cell / 2**k, seed + k) / 2**k for k in range(octaves))
    return total / (2 - 2 ** (1 - octaves))


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
            fades.append(fade(part))
        (i, j, k), (u, v, w) = cells, fades
        i0, i1 = (i & 31) << 10, ((i + 1) & 31) << 10
        j0, j1 = (j & 31) << 5, ((j + 1) & 31) << 5
        k0, k1 = k & 31, (k + 1) & 31

        def along_z(row):
            return mix(self.lattice.take(row + k0), self.lattice.take(row + k1), w)

        low = mix(along_z(i0 + j0), along_z(i0 + j1), v)
        high = mix(along_z(i1 + j0), along_z(i1 + j1), v)
        return mix(low, high, u)

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


def ridged(value):
    """An octave of noise in [0, 1] folded into sharp crests."""
    return 1 - np.abs(2 * value - 1)


def billowed(value):
    """An octave of noise in [0, 1] folded into round heaps."""
    return np.abs(2 * value - 1)


def _spline_matrix(positions, scale, count):
    """Weights, shape (len(positions), count), of cubic B-splines `scale` apart."""
    distance = np.abs(positions[:, None] / scale + 1 - np.arange(count)[None, :])
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.maximum(2 - distance, 0) ** 3 / 6
    return np.where(distance < 1, near, far).astype(np.float32)


def raster_noise(raster, scale, rng):
    """Smooth noise with features of `scale` sheet units, mean 0, deviation about 1.

    The lattice of random numbers lies in sheet units, hence the same noise at every size. On a
    regular raster, interpolation is two matrix products.
    """
    scales = np.broadcast_to(scale, 2)
    columns, rows = int(SHEET_WIDTH / scales[0]) + 5, int(SHEET_HEIGHT / scales[1]) + 5
    lattice = rng.normal(size=(rows, columns)).astype(np.float32) * 2.1
    return _spline_matrix(raster.ys, scales[1], rows) @ lattice @ _spline_matrix(raster.xs, scales[0], columns).T


def fractal_raster_noise(raster, scale, rng, octaves=4, gain=0.55):
    """Octaves of `raster_noise`, each half the size and `gain` times the strength of the one before."""
    return sum(gain**i * raster_noise(raster, scale / 2**i, rng) for i in range(octaves))
