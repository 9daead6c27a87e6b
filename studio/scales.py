"""The sizes of a coarse-to-fine search, and pictures brought from one to another."""

import numpy as np
import scipy.fft as fft
from scipy.ndimage import uniform_filter

from nst_utils import tf
from studio.axes import without_lines
from studio.levels import floats, strips

COARSEST = 150  # px, long side: a picture is halved as long as it stays as large as this
COARSE_EVALUATIONS, FINE_EVALUATIONS = 80, 60  # at a size below the full one up to 1,000 px, and at the full one to 500
LEAST_EVALUATIONS = 25  # at the full size from 1,200 px on: more changes neither scores nor picture
PIECE = 4_000_000  # px: TensorFlow keeps the memory that a large picture took for itself
LARGE, FEWEST = 2000, 10  # px, from which on larger means fewer, and how many at least: the smaller sizes did the work


def resized(image, size):
    """The image (1, ., ., 3) at size = (n_H, n_W), in [0, 1]."""
    if np.prod(image.shape[1:3]) <= PIECE:
        return tf.clip_by_value(_lanczos(floats(image), size), 0, 1)
    n_H, n_W = size  # in pieces, along one axis after the other
    narrow, found = np.empty((1, image.shape[1], n_W, 3), np.float32), np.empty((1, n_H, n_W, 3), np.float32)
    for rows in strips(image.shape[1]):
        narrow[:, rows] = _lanczos(image[:, rows], (None, n_W))
    for part in strips(n_W):
        found[:, :, part] = _lanczos(narrow[:, :, part], (n_H, None))
    return np.clip(found, 0, 1, out=found)


def _lanczos(image, size):
    """size: (n_H, n_W), None for what stays."""
    size = [n or same for n, same in zip(size, image.shape[1:3], strict=True)]
    return tf.image.resize(image, size, "lanczos3", antialias=True)


def enlarged(image, size):
    """The image (1, ., ., 3) at the larger size = (n_H, n_W), with no frequency that it did not have; not clipped.

    By cosine transforms, padded with zeros: half-pixel centres and mirrored borders, as in resizing elsewhere.
    """
    image = np.float32(image)
    return np.stack([_enlarged(image[0, ..., colour], size) for colour in range(image.shape[-1])], -1)[None]


def _enlarged(plane, size):
    spectrum = fft.dctn(plane, norm="ortho", workers=2)
    spectrum = np.pad(spectrum, [(0, n - m) for n, m in zip(size, plane.shape, strict=True)])
    spectrum *= np.float32(np.sqrt(np.prod(size) / np.prod(plane.shape)))
    return fft.idctn(spectrum, norm="ortho", workers=2, overwrite_x=True)


def carried_up(G, c, C, depth=1.0):
    """G, made for the coarse content c, at the size of the finer content C, with the detail that c lacks; an array.

    depth: of the notch through which that detail passes, see `axes`.
    """
    found, size = np.empty(C.shape, np.float32), C.shape[1:3]
    for colour in range(C.shape[-1]):  # one at a time, which takes a third of the memory
        coarse_G, coarse, fine = (np.asarray(image[0, ..., colour]) for image in (G, c, C))
        detail = fine - _enlarged(coarse, size)
        if depth < 1:
            detail = without_lines(detail[None, ..., None], depth)[0, ..., 0]
        detail += _enlarged(coarse_G, size)
        np.clip(detail, 0, 1, out=found[0, ..., colour])
    return found


NOISE, FLAT, WINDOW = 0.1, 0.03, 9  # standard deviation; spread below which C counts as flat; px


def seeded(C, seed):
    """C with faint noise where it is flat, so that strokes have something to grow from; in [0, 1].

    Every octave is as strong (a spectrum of 1 / frequency): with white noise strokes begin at the border.
    """
    n_H, n_W = C.shape[1:3]
    cycles = np.maximum(np.hypot(np.fft.fftfreq(n_H)[:, None], np.fft.rfftfreq(n_W)), 1 / max(n_H, n_W))
    C = np.asarray(C)
    noise = np.random.default_rng(seed).standard_normal(C.shape)
    noise = fft.irfft2(fft.rfft2(noise, axes=(1, 2)) / cycles[None, ..., None], (n_H, n_W), axes=(1, 2))
    noise = (noise - noise.mean((1, 2))) / max(noise.std(), 1e-6)
    grey, window = np.float64(C).mean(-1, keepdims=True), (0, WINDOW, WINDOW, 0)
    variance = uniform_filter(grey**2, window, mode="reflect") - uniform_filter(grey, window, mode="reflect") ** 2
    return tf.constant(np.clip(C + NOISE * noise / (1 + np.maximum(variance, 0) / FLAT**2), 0, 1), tf.float32)


def ladder(size, evaluations, smallest):
    """Sizes (n_H, n_W) from coarse to fine, each half the next, and the evaluations at each.

    evaluations: one number (the full size alone), one per size, or None, which chooses. smallest: px that
    the shorter side must have. Raises ValueError where a size asked for is below it.
    """
    if evaluations is None:
        halvings = int(np.log2(max(1.0, min(max(size) / COARSEST, min(size) / smallest))))
        long_side, least = max(size), LEAST_EVALUATIONS * min(1.0, LARGE / max(size))
        coarse = [COARSE_EVALUATIONS * min(1.0, 1000 * 2**i / long_side) for i in range(halvings, 0, -1)]
        fine = min(FINE_EVALUATIONS, max(least, FINE_EVALUATIONS * 500 / long_side))
        evaluations = [max(FEWEST, round(count)) for count in (*coarse, fine)]
    counts = [evaluations] if np.isscalar(evaluations) else list(evaluations)
    sizes = [tuple(round(n / 2**i) for n in size) for i in reversed(range(len(counts)))]
    if min(sizes[0]) < smallest:
        n_H, n_W = sizes[0]
        raise ValueError(
            f"evaluations = {evaluations!r}: at the first of {len(counts)} sizes C would be {n_W}x{n_H} px, and "
            f"{smallest} px is the least. Give fewer numbers, or a larger C."
        )
    return sizes, [int(n) for n in counts]


def style_at(S, long_side, smallest):
    """S shrunk to `long_side`, but never below `smallest` px on its shorter side, and never enlarged."""
    factor = min(1.0, max(long_side / max(S.shape[1:3]), smallest / min(S.shape[1:3])))
    return S if factor == 1 else resized(S, [round(n * factor) for n in S.shape[1:3]])


def check_sides(name, image, smallest):
    """Raise ValueError for an image too thin for the network, naming a size that works."""
    n_H, n_W = image.shape[1:3]
    if min(n_H, n_W) < smallest:
        enough = -(-smallest * max(n_H, n_W) // min(n_H, n_W))
        raise ValueError(
            f"{name} is {n_W}x{n_H} px: its shorter side needs {smallest} px, or nothing of it is left at the deepest "
            f"layer. Load it larger (at this shape, {enough} px on the longer side), or cut off its ends."
        )
