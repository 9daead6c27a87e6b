"""Picture files in and out: decoded, upright, in sRGB, over white; saved whole or not at all."""

import io
import numbers
import os
import re
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageCms, ImageOps, UnidentifiedImageError

from nst_support.whole_file import write_whole

READABLE = ("JPEG", "PNG", "WebP", "TIFF", "GIF", "BMP")
JPEG = {"format": "JPEG", "quality": 95, "subsampling": 0}  # 0: colour as sharp as brightness
TIFF = {"format": "TIFF"}
ROUNDING = 1e-3  # so far outside [0, 1] a value may lie that is meant to be inside
WRITABLE = {".png": {"format": "PNG"}, ".jpg": JPEG, ".jpeg": JPEG, ".tif": TIFF, ".tiff": TIFF}
WRITABLE |= {".webp": {"format": "WebP", "lossless": True}, ".bmp": {"format": "BMP"}}


def load_image(path, long_side=None):
    """Read a picture as an image: float32 tensor (1, n_H, n_W, 3), RGB (sRGB), values in [0, 1].

    path: str or pathlib.Path of a JPEG, PNG, WebP, TIFF, GIF (first frame) or BMP; `~` is the home folder.
    long_side: px; shrinks a picture whose longer side is longer, never enlarges. None: the size it has.

    Turns the picture upright (EXIF), converts it to sRGB (embedded profile, CMYK, Lab) and shows it over
    white where it is transparent (one printed line says so). 16-bit grey keeps its precision unless it has a
    profile; 16-bit colour is reduced to 8 bits. Grey counts up to 65,535 in integers of 16 or 32 bits, up to
    1 in floats.

    Raises FileNotFoundError, IsADirectoryError or PermissionError; TypeError for anything but a path; and
    ValueError for a web address and for a file that is no picture, damaged or too large for Pillow's limit.
    """
    if long_side is not None and not (isinstance(long_side, numbers.Integral) and long_side >= 1):
        raise ValueError(f"long_side is a whole number of pixels, 1 or more, not {long_side!r}.")
    path = as_path(path)
    image = _as_rgb_or_grey(_read_picture(path), path)
    from nst_support.startup import tf  # takes seconds, and a bad file is refused before

    if long_side is not None and long_side < max(image.size):
        scale = long_side / max(image.size)
        image = image.resize([max(1, round(side * scale)) for side in image.size], Image.Resampling.LANCZOS)
    pixels = np.asarray(image, np.float32)[None]
    if image.mode == "F":  # clipped, because LANCZOS overshoots beside edges
        return tf.constant(np.repeat(pixels.clip(0, 1)[..., None], 3, axis=-1))
    return tf.constant(pixels / 255)


def save_image(image, path, quality=None):
    """Write an image to a file, whose ending decides the format. Returns its pathlib.Path.

    image: tensor or array of floats in [0, 1], (1, n_H, n_W, 3) or (n_H, n_W, 3), RGB. Values outside are
    clipped, then rounded to 8 bits. JPEG is written with full colour, the others lossless.
    quality: of a JPEG, 1 to 100, by default 95.
    path: str or pathlib.Path ending in .png .jpg .jpeg .webp .tif .tiff .bmp; a missing folder is made.

    The file appears whole or not at all: if this raises, what was there before is untouched.
    Raises ValueError for another ending, shape or type of number, for NaN or infinity, and for a size that
    the format cannot hold; TypeError for anything but a path; OSError where the disk refuses.
    """
    path = as_path(path)
    if path.suffix.lower() not in WRITABLE:
        raise ValueError(f"{path}: the ending {path.suffix!r} is unknown. Choose from {' '.join(WRITABLE)}.")
    options = dict(WRITABLE[path.suffix.lower()])
    if quality is not None:
        if options["format"] != "JPEG" or not (isinstance(quality, numbers.Integral) and 1 <= quality <= 100):
            raise ValueError(f"{path}: quality = {quality!r}: of a JPEG, a whole number from 1 to 100.")
        options["quality"] = int(quality)
    pixels = np.asarray(image)
    if pixels.dtype.kind in "iub":
        raise ValueError(f"{path}: an image holds floats in [0, 1], not {pixels.dtype}. Divide it by 255.")
    if pixels.shape[-1:] != (3,) or pixels.shape[:-3] not in [(), (1,)] or pixels.ndim < 3 or not pixels.size:
        raise ValueError(f"{path}: an image is (1, n_H, n_W, 3) or (n_H, n_W, 3), not {pixels.shape}.")
    pixels = pixels.reshape(pixels.shape[-3:]).astype(np.float32)
    if not np.isfinite(pixels).all():
        raise ValueError(f"{path}: NaN or infinity in the image, so nothing was saved. Try smaller steps.")
    encoded = io.BytesIO()  # encoding in memory keeps the encoder's errors apart from the disk's
    try:
        Image.fromarray(np.rint(pixels.clip(0, 1) * 255).astype(np.uint8)).save(encoded, **options)
    except (OSError, ValueError) as error:
        size = f"{pixels.shape[1]} x {pixels.shape[0]} px"
        raise ValueError(f"{path}: a {options['format']} cannot hold {size} ({error}). Use .png.") from error
    return write_whole(path, encoded.getbuffer())


def as_path(path):
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"A path must be a str or a pathlib.Path, not {type(path).__name__}.")
    if re.match("[a-z][a-z0-9+.-]+:/", os.fspath(path), re.IGNORECASE):  # C:/ is one letter, so not meant
        raise ValueError(f"{path}: a web address, not a file here. Download it first, then give its path.")
    return Path(os.path.expanduser(path))


def _read_picture(path):
    """The first frame of a picture file: decoded, upright, in whichever Pillow mode it has."""
    if path.is_dir():
        raise IsADirectoryError(f"{path}: a folder, not a picture. Name a picture in it.")
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file. Check the spelling; you are in {Path.cwd()}.")
    with open(path, "rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of oddities in files that it reads well all the same
        try:
            image = Image.open(file, formats=READABLE)  # the list keeps out formats that start other programs
            image.load()
            if image.mode == "CMYK" and image.format == "JPEG" and "adobe" not in image.info:
                image = ImageChops.invert(image)  # only Adobe stores inks inverted; Pillow expects all to
            return ImageOps.exif_transpose(image)
        except UnidentifiedImageError:
            kind = f"not a picture that can be read here ({', '.join(READABLE)}). Convert it first."
            kind = kind if path.stat().st_size else "an empty file. Get a fresh copy."
            raise ValueError(f"{path}: {kind}") from None
        except Image.DecompressionBombError:
            limit = f"{2 * Image.MAX_IMAGE_PIXELS // 10**6} million pixels"
            raise ValueError(f"{path}: more than {limit}, too many to read. Shrink it first.") from None
        except Exception as error:  # decoders let many kinds escape: OSError, SyntaxError, struct.error, ...
            raise ValueError(f"{path}: cut short or damaged ({error}). Get a fresh copy.") from error


def _as_rgb_or_grey(image, path):
    """A Pillow image of any mode as RGB (sRGB, over white), or as F in [0, 1] where grey has over 8 bits."""
    profile = image.info.get("icc_profile")
    if image.mode[0] in "IF":  # I;16, I, F: Pillow's own conversion would clip these at 255
        top = 1 if image.mode == "F" else 65535
        grey = np.asarray(image, np.float32) / top
        if not (grey.min() >= 0 and grey.max() <= 1):  # "not", so that NaN is refused too
            raise ValueError(f"{path}: grey values outside 0 to {top:,}. Scale them to that range first.")
        if not profile:
            return Image.fromarray(grey)
        image = Image.fromarray(np.rint(grey * 255).astype(np.uint8))  # profiles are applied to 8 bits
    if image.mode == "P":
        image = image.convert("RGBA")  # a palette may hold transparent colours
    if not image.has_transparency_data:
        return _to_srgb(image, profile)
    alpha = image.convert("RGBA").getchannel("A")
    if alpha.getextrema()[0] < 255:
        print(f"{path}: transparent in places, shown over white.")
    return Image.composite(_to_srgb(image, profile), Image.new("RGB", image.size, "white"), alpha)


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


def check_image(name, image):
    """`image` as a float32 tensor (1, n_H, n_W, 3), if it is an image: RGB in [0, 1].

    name: "C", "S", ..., for the message. Raises ValueError: which picture, what is wrong, and what to do.
    """
    from nst_support.startup import tf

    shape = getattr(image, "shape", None)
    if shape is None or len(shape) != 4 or shape[0] != 1 or shape[-1] != 3 or 0 in shape:
        found = f"= {image!r}" if shape is None else f"of shape {tuple(shape)}"
        raise ValueError(f"{name} {found}: an image is (1, n_H, n_W, 3), see nst.load_image.")
    image = tf.convert_to_tensor(image)
    if not image.dtype.is_floating:
        raise ValueError(f"{name} holds {image.dtype.name}: an image holds floats in [0, 1]. Divide it by 255.")
    image = tf.cast(image, tf.float32)
    low, high = float(tf.reduce_min(image)), float(tf.reduce_max(image))
    if not -ROUNDING <= low <= high <= 1 + ROUNDING:  # false for NaN, too
        advice = "Divide it by 255" if high > 2 else "Add 1 and halve it" if -1.1 < low < -0.5 else "Clip it"
        if not np.isfinite([low, high]).all():
            raise ValueError(f"{name} holds NaN or infinity: an image holds numbers in [0, 1]. Load it anew.")
        raise ValueError(f"{name} has values from {low:.3g} to {high:.3g}: an image lies in [0, 1]. {advice} first.")
    return image
