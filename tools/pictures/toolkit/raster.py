"""The supersampled raster on which the patterns are computed, in linear light until `finish`."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from pictures.toolkit.sheet import pixel_places


@dataclass(frozen=True)
class Raster:
    """A supersampled raster: sheet coordinates of its columns `xs` and of its rows `ys`."""

    width: int
    height: int
    supersampling: int
    xs: np.ndarray
    ys: np.ndarray

    @property
    def pitch(self):
        """Sheet units from one sample to the next."""
        return float(self.xs[1] - self.xs[0])

    def grid(self):
        """Sheet coordinates (x, y) of every sample, two float32 arrays."""
        return np.meshgrid(self.xs, self.ys)


def make_raster(width, height):
    """The raster on which a picture of `width` x `height` pixels is computed."""
    # Small pictures are cheap and alias most: four samples across a pixel instead of two.
    supersampling = 2 if width > 240 else 4
    xs, ys = pixel_places(width * supersampling, height * supersampling)
    return Raster(width, height, supersampling, xs[0].astype(np.float32), ys[:, 0].astype(np.float32))


def block_mean(samples, factor):
    """`samples` (rows, columns, ...) averaged over blocks; what is left over at the edges is dropped."""
    rows, columns = samples.shape[0] // factor, samples.shape[1] // factor
    whole = samples[: rows * factor, : columns * factor]
    return whole.reshape(rows, factor, columns, factor, *samples.shape[2:]).mean(axis=(1, 3))


def finish(light, raster):
    """Averages the samples of each pixel and encodes linear light as sRGB in [0, 1], float32."""
    light = block_mean(light, raster.supersampling)
    # A shoulder above 0.8, as film has, so that highlights roll off instead of clipping.
    light = np.where(light > 0.8, 0.8 + 0.2 * np.tanh((light - 0.8) / 0.2 * 0.6), np.maximum(light, 0))
    srgb = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)
    return np.clip(srgb, 0, 1).astype(np.float32)


def blur(image, units, raster):
    """Gaussian blur by `units` sheet units; colour axes are left alone."""
    sigma = units / raster.pitch
    return ndimage.gaussian_filter(image, (sigma, sigma) + (0,) * (image.ndim - 2), mode="nearest", truncate=3)
