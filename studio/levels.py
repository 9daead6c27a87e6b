"""Large images in little memory: held in 8 bits, as a file holds them, and worked on some rows at a time."""

import numpy as np

from nst_support.pictures import check_image

ROWS = 256


class Levels:
    """An image (1, n_H, n_W, 3) held in 8 bits, a quarter of its floats. Slices of it, and np.asarray, are float32.

    levels: uint8 array of that shape; a value is its level over 255.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, levels):
        self.levels, self.shape = levels, levels.shape

    def __getitem__(self, index):
        return np.float32(self.levels[index]) / np.float32(255)

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:], dtype)


def strips(n_H):
    """Slices of n_H rows."""
    return [slice(i, i + ROWS) for i in range(0, n_H, ROWS)]


def by_rows(make, *images, dtype=np.float32):
    """make(rows of each image), some rows at a time, as one array of the shape of the first image."""
    found = np.empty(images[0].shape, dtype)
    for rows in strips(images[0].shape[1]):
        found[:, rows] = make(*(np.asarray(image[:, rows]) for image in images))
    return found


def as_saved(G):
    """G as a file holds it: `nst.as_saved`, in 8 bits."""
    return Levels(by_rows(lambda G: np.rint(np.clip(G, 0, 1) * np.float32(255)), G, dtype=np.uint8))


def held(image):
    """An image as `Levels` where these are exactly it, as for a picture file; else as it is."""
    saved = as_saved(image)
    same = (np.array_equal(saved[:, rows], image[:, rows]) for rows in strips(image.shape[1]))
    return saved if all(same) else image


def checked(name, image):
    """`check_image`'s image; `Levels` are one in any case."""
    return image if isinstance(image, Levels) else check_image(name, image)


def floats(image):
    """An image, whole, in floats."""
    return image[:] if isinstance(image, Levels) else image


def sliceable(image):
    """An image of which parts are arrays, without a copy of the whole."""
    return image if isinstance(image, Levels) else np.asarray(image)
