"""Picture files in and out: decoded, upright, in sRGB, over white or with their alpha; saved whole or not at all."""

import io
import numbers

import numpy as np
from PIL import Image

from nst_support.picture_colours import as_srgb, brightness
from nst_support.picture_files import (  # noqa: F401  what else there is to ask of a file
    DECODED,
    as_path,
    check_ending,
    check_fits,
    holds_alpha,
    holds_text,
    is_picture_name,
    picture_size,
    read_picture,
    read_text,
    save_options,
    shrunk_size,
)
from nst_support.transparency import continued, shrunk
from nst_support.whole_file import write_whole

ROWS = 256  # of a picture, worked on at a time
ROUNDING = 1e-3  # so far outside [0, 1] a value may lie that is meant to be inside


def load_image(path, long_side=None):
    """Read a picture as an image: float32 tensor (1, n_H, n_W, 3), RGB (sRGB), values in [0, 1].

    path: str or pathlib.Path of a JPEG, PNG, WebP, TIFF, GIF (first frame) or BMP; `~` is the home folder.
    long_side: px; shrinks a picture whose longer side is longer, never enlarges. None: the size it has.

    Turns the picture upright (EXIF), converts it to sRGB (embedded profile, CMYK, Lab) and shows it over
    white where it is transparent (one printed line says so). 16-bit grey keeps its precision unless it has a
    profile; 16-bit colour is reduced to 8 bits. Grey counts up to 65,535 in integers of 16 or 32 bits, up to
    1 in floats.

    Raises FileNotFoundError, IsADirectoryError or PermissionError; TypeError for anything but a path; and
    ValueError for a web address and for a file that is no picture, damaged or too large for the memory that is free.
    """
    path, image, alpha = _decoded(path, long_side)
    if alpha is not None:
        print(f"{path}: transparent in places, shown over white.")
        image = Image.composite(image, Image.new("RGB", image.size, "white"), alpha)
    pixels = _opaque(image, long_side)
    from nst_support.startup import tf  # takes seconds, and a bad file is refused before

    return tf.constant(pixels)


def load_with_alpha(path, long_side=None):
    """Read a picture as (image, alpha), where `load_image` would show it over white. Prints nothing.

    image: float32 array (1, n_H, n_W, 3) in [0, 1], as from `load_image` where the picture is opaque. Where
    alpha is 0 it holds the colours of the nearest visible parts, continued smoothly, so that whatever is made
    of it has no rim there; the file's own hidden colours are nowhere in it. alpha: float32 array (n_H, n_W)
    in [0, 1], or None where every pixel is opaque. path, long_side: as for `load_image`; both are shrunk,
    the image premultiplied by alpha.

    Raises as `load_image`, and ValueError for a picture that is transparent everywhere.
    """
    path, image, alpha = _decoded(path, long_side)
    if alpha is None:
        return _opaque(image, long_side), None
    if alpha.getextrema()[1] == 0:
        raise ValueError(f"{path}: transparent everywhere: nothing to show. Export it again, with its layers visible.")
    colours, alpha = shrunk(image, alpha, shrunk_size(image.size, long_side))
    return continued(colours, alpha)[None], alpha


def load_grey(path):
    """Read a picture as a mask: the brightness of the upright picture, float32 array (n_H, n_W) in [0, 1].

    path: as for `load_image`. 16-bit grey keeps its precision. Values are taken as the file has them, whatever
    its profile; colours weigh as in Pillow's mode L, 0.299 R + 0.587 G + 0.114 B, in 8 bits. Transparent parts
    are black; but where all that shows has one colour and alpha varies, alpha is the mask.

    Raises as `load_image`.
    """
    path = as_path(path)
    return brightness(read_picture(path), path)


def _decoded(path, long_side):
    """`path` as a pathlib.Path, and its picture as `as_srgb` gives it. Raises as `load_image`."""
    if long_side is not None and not (isinstance(long_side, numbers.Integral) and long_side >= 1):
        raise ValueError(f"long_side is a whole number of pixels, 1 or more, not {long_side!r}.")
    path = as_path(path)
    return path, *as_srgb(read_picture(path), path)


def _opaque(image, long_side):
    """A Pillow image, RGB or F in [0, 1], as a float32 array (1, n_H, n_W, 3)."""
    size = shrunk_size(image.size, long_side)
    if size != image.size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    pixels = np.array(image, np.float32)[None]
    if image.mode == "F":  # clipped, because LANCZOS overshoots beside edges
        return np.repeat(pixels.clip(0, 1)[..., None], 3, axis=-1)
    pixels /= 255  # in place: a large picture fills the memory
    return pixels


def save_image(image, path, quality=None, alpha=None, text=None):
    """Write an image to a file, whose ending decides the format. Returns its pathlib.Path.

    image: tensor or array of floats in [0, 1], (1, n_H, n_W, 3) or (n_H, n_W, 3), RGB. Values outside are
    clipped, then rounded to 8 bits. JPEG is written with full colour, the others lossless.
    quality: of a JPEG, 1 to 100, by default 95.
    alpha: (n_H, n_W) in [0, 1], rounded to 8 bits; not for JPEG and BMP. Colours that it hides are kept.
    text: str to keep in the file, for `read_text`; "" is none. Any characters; a JPEG holds 65,533 bytes in
    UTF-8, a BMP none, so that it is written without.
    path: str or pathlib.Path ending in .png .jpg .jpeg .webp .tif .tiff .bmp; a missing folder is made.

    The file appears whole or not at all: if this raises, what was there before is untouched.
    Raises ValueError for another ending, shape or type of number, for NaN or infinity, for alpha outside
    [0, 1], and for a size, transparency or text that the format cannot hold; TypeError for anything but a
    path, or but a str as text; OSError where the disk refuses.
    """
    path = check_ending(path)
    options = save_options(path, quality, alpha is not None, text)
    pixels = _levels(image, path)
    if alpha is not None:
        pixels = np.dstack([pixels, _alpha_levels(alpha, pixels.shape[:2], path)])
    encoded = io.BytesIO()  # encoding in memory keeps the encoder's errors apart from the disk's
    try:
        Image.fromarray(pixels).save(encoded, **options)
    except (OSError, ValueError) as error:
        size = f"{pixels.shape[1]} x {pixels.shape[0]} px"
        raise ValueError(f"{path}: a {options['format']} cannot hold {size} ({error}). Use .png.") from error
    return write_whole(path, encoded.getbuffer())


def _levels(image, path):
    """An image in 8 bits, (n_H, n_W, 3). path: for the message. Raises ValueError for what is no image."""
    image = image if isinstance(getattr(image, "dtype", None), np.dtype) else np.asarray(image)
    if image.dtype.kind in "iub":
        raise ValueError(f"{path}: an image holds floats in [0, 1], not {image.dtype}. Divide it by 255.")
    shape = tuple(image.shape)
    if shape[-1:] != (3,) or shape[:-3] not in [(), (1,)] or len(shape) < 3 or 0 in shape:
        raise ValueError(f"{path}: an image is (1, n_H, n_W, 3) or (n_H, n_W, 3), not {shape}.")
    levels = np.empty(shape[-3:], np.uint8)
    for i in range(0, len(levels), ROWS):  # some rows at a time: a large picture fills the memory
        pixels = np.asarray(image[..., i : i + ROWS, :, :], np.float32).reshape(-1, *shape[-2:])
        if not np.isfinite(pixels).all():
            raise ValueError(f"{path}: NaN or infinity in the image, so nothing was saved. Try smaller steps.")
        levels[i : i + ROWS] = np.rint(pixels.clip(0, 1) * 255)
    return levels


def _alpha_levels(alpha, size, path):
    """alpha in 8 bits, (n_H, n_W). path: for the message. Raises ValueError for another size or range."""
    alpha = np.asarray(alpha)
    if alpha.shape != size:
        raise ValueError(f"{path}: alpha has the image's n_H and n_W, {size}, not {alpha.shape}. Resize it first.")
    alpha = alpha.astype(np.float32)
    low, high = alpha.min(), alpha.max()
    if not -ROUNDING <= low <= high <= 1 + ROUNDING:  # false for NaN, too
        advice = "Divide it by 255" if high > 2 else "Clip it"
        raise ValueError(f"{path}: alpha has values from {low:.3g} to {high:.3g}: it lies in [0, 1]. {advice} first.")
    return np.rint(alpha.clip(0, 1) * 255).astype(np.uint8)


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
