"""Decoded pictures of every kind of colour as sRGB with an alpha, or as brightness."""

import io

import numpy as np
from PIL import Image, ImageCms


def as_srgb(image, path):
    """A Pillow image of any mode as (image, alpha).

    image: RGB (sRGB), or F in [0, 1] where grey has over 8 bits. alpha: L, or None where every pixel is
    opaque. path: for the message. Raises ValueError for grey values that are out of range.
    """
    profile = image.info.get("icc_profile")
    if image.mode[0] in "IF":
        grey = _deep_grey(image, path)
        if not profile:
            return Image.fromarray(grey), None
        image = Image.fromarray(np.rint(grey * 255).astype(np.uint8))  # profiles are applied to 8 bits
    image = _without_palette(image)
    alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
    if alpha is not None and alpha.getextrema()[0] == 255:
        alpha = None
    return _to_srgb(image, profile), alpha


def brightness(image, path):
    """A Pillow image of any mode as a mask: float32 array (n_H, n_W) in [0, 1].

    Grey values are taken as they are, whatever the profile; colours weigh 0.299 R + 0.587 G + 0.114 B (ITU-R
    601-2). Transparent parts are black; but a picture that shows one colour only, in places, is its alpha.
    path: for the message. Raises ValueError for grey values that are out of range.
    """
    if image.mode[0] in "IF":
        return _deep_grey(image, path)
    image = _without_palette(image)
    grey = np.asarray(_to_srgb(image, None).convert("L"), np.float32) / 255
    if not image.has_transparency_data:
        return grey
    pixels = np.asarray(image.convert("RGBA"))
    alpha = np.float32(pixels[..., 3]) / 255
    shown = pixels[..., :3][alpha > 0]
    if np.ptp(alpha) > 0 and (shown == shown[0]).all():
        return alpha
    return grey * alpha


def _deep_grey(image, path):
    """A Pillow image I;16, I or F as float32 (n_H, n_W) in [0, 1]: Pillow's own conversion would clip it at 255."""
    top = 1 if image.mode == "F" else 65535
    grey = np.asarray(image, np.float32) / top
    if not (grey.min() >= 0 and grey.max() <= 1):  # "not", so that NaN is refused too
        raise ValueError(f"{path}: grey values outside 0 to {top:,}. Scale them to that range first.")
    return grey


def _without_palette(image):
    return image.convert("RGBA") if image.mode == "P" else image  # a palette may hold transparent colours


def _to_srgb(image, profile):
    """A Pillow image of 8 bits as sRGB without its alpha; profile: the bytes of its ICC profile, or None."""
    if image.mode == "LA":
        image = image.convert("L")
    elif image.mode not in ("L", "CMYK", "LAB"):
        image = image.convert("RGB")
    if image.mode != "LAB" and not profile:
        return image.convert("RGB")
    try:
        lab = image.mode == "LAB"
        source = ImageCms.createProfile("LAB") if lab else ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image.convert("RGB")  # a broken profile, or one for another kind of picture: as without
