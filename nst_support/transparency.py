"""Pictures with transparent parts: shrunk without mixing hidden colours in, and continued where nothing shows."""

import numpy as np
from PIL import Image

LANCZOS, HAMMING, BOX, BILINEAR = (Image.Resampling[name] for name in ("LANCZOS", "HAMMING", "BOX", "BILINEAR"))
TINY = np.finfo(np.float32).tiny


def shrunk(image, alpha, size):
    """Pillow images RGB and L at size = (n_W, n_H), as float32 arrays: colours (n_H, n_W, 3) and alpha, in [0, 1].

    A pixel counts as much as it shows: colours are shrunk premultiplied by alpha, then divided by it. They
    mean nothing where alpha is 0. At their own size both stay as they are.
    """
    alpha = np.asarray(alpha, np.float32) / 255
    if tuple(size) == image.size:
        return np.asarray(image, np.float32) / 255, alpha
    # Lanczos' negative lobes would divide by almost nothing at the rim, and leave a faint second rim in alpha.
    soft, sharp = _resized(alpha, size, HAMMING), _resized(alpha, size, LANCZOS)
    colours = np.empty((*soft.shape, 3), np.float32)
    for i, channel in enumerate(image.split()):  # one by one, because a large picture fills the memory
        weighted = np.asarray(channel, np.float32) * (alpha / 255)
        smooth = _resized(weighted, size, HAMMING) / np.maximum(soft, TINY)
        crisp = _resized(weighted, size, LANCZOS) / np.maximum(sharp, 0.25)
        colours[..., i] = np.where(soft < 0.5, smooth, crisp)
    return colours.clip(0, 1), soft.clip(0, 1)


def continued(colours, weight):
    """`colours` (n_H, n_W, 3) where weight (n_H, n_W) is above 0; elsewhere the nearest such, blurred with distance.

    A normalised convolution from coarse to fine, the pull-push of Gortler, Grzeszczuk, Szeliski and Cohen:
    "The Lumigraph" (SIGGRAPH 1996), section 3.4. float32; some weight must be above 0.
    """
    if weight.min() > 0:
        return colours
    n_H, n_W = weight.shape
    half = -(-n_W // 2), -(-n_H // 2)
    coarse_weight = _resized(weight, half, BOX)
    coarse = _resized(colours * weight[..., None], half, BOX) / np.maximum(coarse_weight, TINY)[..., None]
    return np.where(weight[..., None] > 0, colours, _resized(continued(coarse, coarse_weight), (n_W, n_H), BILINEAR))


def _resized(values, size, resample):
    """float32 (n_H, n_W) or (n_H, n_W, 3) at size = (n_W, n_H), each channel by itself and unrounded."""
    if values.ndim == 2:
        return np.asarray(Image.fromarray(values).resize(size, resample))
    channels = np.moveaxis(values, -1, 0)
    return np.stack([_resized(np.ascontiguousarray(channel), size, resample) for channel in channels], axis=-1)
