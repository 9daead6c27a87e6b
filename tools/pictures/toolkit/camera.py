"""A camera and its film.

Light is linear until the film is developed. Points and directions are arrays of shape (3, n), in metres,
x right, y up, z away from the camera.
"""

import numpy as np
from scipy import ndimage

from pictures.toolkit.blend import mix
from pictures.toolkit.raster import block_mean
from pictures.toolkit.vectors import unit

CHUNK = 1 << 15  # rays traced at once: their arrays then stay in the processor's cache


def in_chunks(function, *arrays):
    """`function` over slices of arrays (..., n), its arrays (or tuples of arrays) joined again."""
    count = arrays[0].shape[-1]
    parts = [function(*(a[..., i : i + CHUNK] for a in arrays)) for i in range(0, count, CHUNK)]
    if isinstance(parts[0], tuple):
        return tuple(np.concatenate(part, -1) for part in zip(*parts, strict=True))
    return np.concatenate(parts, -1)


def tone_map(light, exposure=1.0):
    """Linear light to display values: a filmic shoulder (Narkowicz 2015), then gamma."""
    x = np.maximum(light * exposure, 0)
    x = x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14)
    return np.clip(x, 0, 1) ** (1 / 2.2)


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
        image = film.reshape(3, self.height, self.width)
        # Tone-mapping before averaging keeps edges against the bright sky smooth.
        soft = [ndimage.gaussian_filter(np.minimum(plane, 4), 0.012 * self.width) for plane in image]
        image = tone_map(mix(image, np.stack(soft), glow), exposure)
        return np.ascontiguousarray(block_mean(image.transpose(1, 2, 0), self.oversample), np.float32)
