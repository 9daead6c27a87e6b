"""Masks: which part of a picture gets which style, checked before TensorFlow is loaded."""

import numpy as np

ASPECT = 0.01  # by how much a mask's shape may differ from its picture's
SMALLEST = 16  # px, below which rounding makes any shape of any other
EMPTY = 1 / 255  # brighter than this somewhere


def check_mask(name, mask, picture, size):
    """A mask as a float32 array (h, w), if it is one for a picture of `size` (n_H, n_W).

    name, picture: how to call the two in a message. Raises ValueError: which mask, what is wrong, what to do.
    """
    mask = np.asarray(mask)
    if mask.ndim != 2 or not mask.size:
        raise ValueError(f"{name} has shape {mask.shape}: a mask is (height, width).")
    if mask.dtype.kind != "f" or not (mask.min() >= 0 and mask.max() <= 1):
        raise ValueError(f"{name}: a mask holds floats in [0, 1], where 1 is inside. Scale it to that range.")
    check_aspect(name, mask.shape, picture, size)
    if mask.max() <= EMPTY:
        raise ValueError(f"{name} is empty: black everywhere, so nothing would be styled. Paint the region white.")
    return np.float32(mask)


def check_aspect(name, mask_size, picture, size):
    """Raise ValueError where a mask's shape is not its picture's. Sizes: (n_H, n_W).

    It may differ by 1 %, or by what rounding makes when the larger of the two is shrunk to the smaller.
    """
    (h, w), (n_H, n_W) = mask_size, size
    rounding = 0.5 * max(h, w, n_H, n_W) if min(h, w) >= SMALLEST else 0  # half a pixel of the shorter side
    if abs(w * n_H - h * n_W) > max(ASPECT * h * n_W, rounding):
        raise ValueError(
            f"{name} is {w}x{h} px and {picture} {n_W}x{n_H} px: not of one shape. Crop or resize it to that shape."
        )


def check_count(sizes, count):
    """Raise ValueError where masks of these sizes are too few or too many for `count` styles.

    One may be missing, where the others are of one size.
    """
    if len(sizes) == count:
        return
    if len(sizes) != count - 1:
        masks, styles = number_of(len(sizes), "mask"), number_of(count, "style")
        raise ValueError(
            f"{masks} for {styles}: give one for each style, in their order, or leave out the last, which then gets "
            "the rest."
        )
    if len(set(sizes)) > 1:
        raise ValueError("The masks differ in size, so the last style's region is not known. Give a mask for each.")


def number_of(count, what):
    """3 masks, 1 mask."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def completed(masks, count):
    """Masks for `count` styles: as given, or one more, of what they leave, where one is missing.

    Raises ValueError for any other number of masks.
    """
    check_count([mask.shape for mask in masks], count)
    if len(masks) == count:
        return list(masks)
    return [*masks, np.clip(1 - np.sum(masks, axis=0), 0, 1).astype(np.float32)]
