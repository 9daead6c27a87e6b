"""Fine lines along the two axes ("plaid"), which a grid of pixels and pools favours: measured, and held back.

A picture's own share of them is that of its style, so that tiles and weaves keep their edges.
"""

import numpy as np
import scipy.fft as fft

LOW, HIGH = 0.1, 0.2  # cycles per pixel: frequencies below are left alone, those above held back in full
WIDTH = 2.5  # degrees from an axis
SHARE = 0.35  # of S's own power along the axes that a step of the search is allowed
LEAST = 0.05  # depth of the notch at which the search still sees what it holds back
MARGIN = 16  # px mirrored at the border, where a filtered picture would wrap
STRIP = 64  # rows
WHOLE = 2048  # px of a side, up to which a picture is looked at as a whole
BRIGHTNESS = np.float32([0.299, 0.587, 0.114])


def frequencies(n_H, n_W, rows=slice(None)):
    """Of a real two-dimensional Fourier transform: cycles per pixel, and degrees from the nearer axis.

    rows: of the transform, all or some.
    """
    down, across = np.abs(np.fft.fftfreq(n_H))[rows, None], np.fft.rfftfreq(n_W)[None]
    angle = np.degrees(np.arctan2(down + 0 * across, across + 0 * down))
    return np.hypot(down, across), np.minimum(angle, 90 - angle)


def share_along_axes(image):
    """Power of brightness above 1/4 cycle per pixel within 2.5 degrees of the axes, over that 10 to 80 degrees off.

    image: (1, n_H, n_W, 3), the middle of a very large one. 1 for a picture without a preference; 0 where there is no
    fine detail at all.
    """
    rows, columns = (slice(max(0, n - WHOLE) // 2, max(0, n - WHOLE) // 2 + WHOLE) for n in image.shape[1:3])
    grey = np.asarray(image[:, rows, columns])[0] @ BRIGHTNESS
    n_H, n_W = grey.shape
    grey = (grey - grey.mean()) * np.hanning(n_H)[:, None] * np.hanning(n_W)
    power, (cycles, angle) = np.abs(fft.rfft2(grey)) ** 2, frequencies(n_H, n_W)
    fine = (cycles > 0.25) & (cycles < 0.5)
    along, off = power[fine & (angle < WIDTH)], power[fine & (angle > 10)]
    return float(along.mean() / off.mean()) if along.size and off.size and off.mean() > 0 else 0.0


def notch(n_H, n_W, depth, rows=slice(None)):
    """A filter for a real Fourier transform: 1, but `depth`, 0 to 1, for fine detail along the axes."""
    cycles, angle = frequencies(n_H, n_W, rows)
    ramp = np.clip((cycles - LOW) / (HIGH - LOW), 0, 1)
    return np.float32(1 - (1 - depth) * ramp * np.exp(-((angle / WIDTH) ** 4)))


def without_lines(image, depth):
    """An image (1, n_H, n_W, 3) through the notch, as an array."""
    margin = min(MARGIN, min(image.shape[1:3]) - 1)
    image, inside = np.asarray(image), slice(margin, -margin or None)
    n_H, n_W = (n + 2 * margin for n in image.shape[1:3])
    filter_, found = in_strips(n_H, lambda rows: notch(n_H, n_W, depth, rows)), np.empty(image.shape, np.float32)
    for colour in range(image.shape[-1]):  # one at a time, which takes a third of the memory
        spectrum = fft.rfft2(np.pad(image[0, ..., colour], margin, "reflect"))
        spectrum *= filter_
        found[0, ..., colour] = fft.irfft2(spectrum, (n_H, n_W))[inside, inside]
    return found


def in_strips(n_H, make):
    """make(rows) for all n_H rows, some at a time: what it holds on the way is small."""
    return np.concatenate([make(slice(i, i + STRIP)) for i in range(0, n_H, STRIP)])
