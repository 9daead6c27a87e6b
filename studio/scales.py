"""The sizes of a coarse-to-fine search, and pictures brought from one to another."""

import numpy as np

from nst_utils import tf

COARSEST = 150  # px, long side: a picture is halved as long as it stays as large as this
COARSE_EVALUATIONS, FINE_EVALUATIONS = 80, 60  # per size below the full one, and at it


def resized(image, size):
    """The image (1, ., ., 3) at size = (n_H, n_W), in [0, 1]."""
    return tf.clip_by_value(tf.image.resize(image, size, "lanczos3", antialias=True), 0, 1)


def carried_up(G, c, C):
    """G, made for the coarse content c, at the size of the finer content C, with the detail that c lacks."""
    return tf.clip_by_value(C + tf.image.resize(G - c, C.shape[1:3], "bicubic"), 0, 1)


def ladder(size, evaluations, smallest):
    """Sizes (n_H, n_W) from coarse to fine, each half the next, and the evaluations at each.

    evaluations: one number (the full size alone), one per size, or None, which chooses. smallest: px that
    the shorter side must have. Raises ValueError where a size asked for is below it.
    """
    if evaluations is None:
        halvings = int(np.log2(max(1.0, min(max(size) / COARSEST, min(size) / smallest))))
        evaluations = [COARSE_EVALUATIONS] * halvings + [FINE_EVALUATIONS]
    counts = [evaluations] if np.isscalar(evaluations) else list(evaluations)
    sizes = [tuple(round(n / 2**i) for n in size) for i in reversed(range(len(counts)))]
    if min(sizes[0]) < smallest:
        n_H, n_W = sizes[0]
        raise ValueError(
            f"evaluations = {evaluations!r}: at the first of {len(counts)} sizes C would be {n_W}x{n_H} px, and "
            f"{smallest} px is the least. Give fewer numbers, or a larger C."
        )
    return sizes, [int(n) for n in counts]


def style_at(S, factor, smallest):
    """S shrunk by `factor`, but never below `smallest` px on its shorter side, and never enlarged."""
    factor = min(1.0, max(factor, smallest / min(S.shape[1:3])))
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
