"""Canvas, noise and light shared by the style pictures of patterns.py.

A picture is composed in design units, 800 wide and 600 high, whatever size is asked for, so that
it is the same picture at every size. Colours are linear light until `finish`.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

DESIGN_WIDTH, DESIGN_HEIGHT = 800.0, 600.0


@dataclass(frozen=True)
class Canvas:
    """A supersampled raster: design coordinates of its columns `xs` and of its rows `ys`."""

    width: int
    height: int
    supersampling: int
    xs: np.ndarray
    ys: np.ndarray

    @property
    def pitch(self):
        """Design units from one sample to the next."""
        return float(self.xs[1] - self.xs[0])

    def grid(self):
        """Design coordinates (x, y) of every sample, two float32 arrays."""
        return np.meshgrid(self.xs, self.ys)


def make_canvas(width, height):
    """The raster on which a picture of `width` x `height` pixels is computed."""
    # Small pictures are cheap and alias most: four samples across a pixel instead of two.
    supersampling = 2 if width > 240 else 4
    xs = (np.arange(width * supersampling) + 0.5) * (DESIGN_WIDTH / (width * supersampling))
    ys = (np.arange(height * supersampling) + 0.5) * (DESIGN_HEIGHT / (height * supersampling))
    return Canvas(width, height, supersampling, xs.astype(np.float32), ys.astype(np.float32))


# ---------------------------------------------------------------------------- colour


def linear(*hexes):
    """sRGB colours such as "1b6fa8" as linear light, shape (n, 3), or (3,) for one colour."""
    bytes_ = np.array([[int(h[i : i + 2], 16) for i in (0, 2, 4)] for h in hexes]) / 255
    light = np.where(bytes_ <= 0.04045, bytes_ / 12.92, ((bytes_ + 0.055) / 1.055) ** 2.4).astype(np.float32)
    return light[0] if len(hexes) == 1 else light


def finish(light, canvas):
    """Averages the samples of each pixel and encodes linear light as sRGB in [0, 1], float32."""
    s = canvas.supersampling
    light = light.reshape(canvas.height, s, canvas.width, s, 3).mean(axis=(1, 3))
    # A shoulder above 0.8, as film has, so that highlights roll off instead of clipping.
    light = np.where(light > 0.8, 0.8 + 0.2 * np.tanh((light - 0.8) / 0.2 * 0.6), np.maximum(light, 0))
    srgb = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)
    return np.clip(srgb, 0, 1).astype(np.float32)


def mix(a, b, amount):
    """From `a` to `b` by `amount`, which gets a colour axis if it lacks one."""
    amount = np.asarray(amount, np.float32)
    if amount.ndim == np.ndim(a) - 1 or amount.ndim == np.ndim(b) - 1:
        amount = amount[..., None]
    return a + (b - a) * amount


def smoothstep(low, high, value):
    """0 below `low`, 1 above `high`, smooth between; `low` may be the larger."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


# ---------------------------------------------------------------------------- noise


def _spline_matrix(positions, scale, count):
    """Weights, shape (len(positions), count), of cubic B-splines `scale` apart."""
    distance = np.abs(positions[:, None] / scale + 1 - np.arange(count)[None, :])
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.maximum(2 - distance, 0) ** 3 / 6
    return np.where(distance < 1, near, far).astype(np.float32)


def noise(canvas, scale, rng):
    """Smooth noise with features of `scale` design units, mean 0, deviation about 1.

    The lattice of random numbers lies in design units, hence the same noise at every size. On a
    regular raster, interpolation is two matrix products.
    """
    scales = np.broadcast_to(scale, 2)
    columns, rows = int(DESIGN_WIDTH / scales[0]) + 5, int(DESIGN_HEIGHT / scales[1]) + 5
    lattice = rng.normal(size=(rows, columns)).astype(np.float32) * 2.1
    return _spline_matrix(canvas.ys, scales[1], rows) @ lattice @ _spline_matrix(canvas.xs, scales[0], columns).T


def fractal_noise(canvas, scale, rng, octaves=4, gain=0.55):
    """Octaves of `noise`, each half the size and `gain` times the strength of the one before."""
    return sum(gain**i * noise(canvas, scale / 2**i, rng) for i in range(octaves))


def blur(image, units, canvas):
    """Gaussian blur by `units` design units; colour axes are left alone."""
    sigma = units / canvas.pitch
    return ndimage.gaussian_filter(image, (sigma, sigma) + (0,) * (image.ndim - 2), mode="nearest", truncate=3)


# ---------------------------------------------------------------------------- light


def normals(height, canvas):
    """Unit normals of a relief in design units: three arrays x, y, z, z towards the viewer."""
    dy, dx = np.gradient(height, canvas.pitch)
    z = 1 / np.sqrt(1 + dx * dx + dy * dy)
    return -dx * z, -dy * z, z


def unit(vector):
    """The vector at length 1."""
    vector = np.asarray(vector, np.float32)
    return vector / np.linalg.norm(vector)


def along(normal, direction):
    """Dot product of a field of normals with one direction."""
    return normal[0] * direction[0] + normal[1] * direction[1] + normal[2] * direction[2]


def highlight(normal, light, sharpness):
    """Blinn-Phong highlight, at most 1, for a viewer straight in front."""
    half = unit(unit(light) + np.array([0, 0, 1], np.float32))
    return np.maximum(along(normal, half), 0) ** sharpness
