"""Picture files before a pixel is decoded: their paths and endings, what opens, their size, the text in them."""

import contextlib
import io
import numbers
import os
import re
import struct
import warnings
import zlib
from pathlib import Path

from PIL import ExifTags, Image, ImageChops, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from nst_support.memory import free_bytes, in_words

READABLE = ("JPEG", "PNG", "WebP", "TIFF", "GIF", "BMP")
JPEG = {"format": "JPEG", "quality": 95, "subsampling": 0}  # 0: colour as sharp as brightness
TIFF = {"format": "TIFF"}
WRITABLE = {".png": {"format": "PNG"}, ".jpg": JPEG, ".jpeg": JPEG, ".tif": TIFF, ".tiff": TIFF}
WRITABLE |= {".webp": {"format": "WebP", "lossless": True, "exact": True}, ".bmp": {"format": "BMP"}}
ENDINGS = (*WRITABLE, ".jpe", ".jfif", ".gif")  # that pictures have which can be read
WITH_ALPHA = ("PNG", "WebP", "TIFF")
WITH_TEXT = (*WITH_ALPHA, "JPEG")
KEY = "Recipe"  # of the text in a PNG
LONGEST_COMMENT = 65_533  # bytes: a JPEG counts a segment's length, itself included, in 16 bits
SIGNATURE, TELLING = b"\x89PNG\r\n\x1a\n", (b"IHDR", b"tEXt", b"zTXt", b"iTXt", b"eXIf")
LYING = (5, 6, 7, 8)  # the orientations of EXIF 2.3 in which a stored row is an upright column
DECODED = 7  # bytes a pixel that reading a file takes at most: as decoded, and in the mode that it is turned into
Image.MAX_IMAGE_PIXELS = None  # Pillow's limit is the same for every machine; `read_picture` has one of its own


# --- Paths and endings -------------------------------------------------------------------------------------


def as_path(path):
    """`path` as a pathlib.Path, `~` expanded. Raises TypeError for no path, ValueError for a web address."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"A path must be a str or a pathlib.Path, not {type(path).__name__}.")
    if re.match("[a-z][a-z0-9+.-]+:/", os.fspath(path), re.IGNORECASE):  # C:/ is one letter, so not meant
        raise ValueError(f"{path}: a web address, not a file here. Download it first, then give its path.")
    return Path(os.path.expanduser(path))


def check_ending(path):
    """`path` as a pathlib.Path, if `save_image` knows its ending. Raises ValueError otherwise, and as `as_path`."""
    path = as_path(path)
    if path.suffix.lower() not in WRITABLE:
        raise ValueError(f"{path}: the ending {path.suffix!r} is unknown. Choose from {' '.join(WRITABLE)}.")
    return path


def is_picture_name(path):
    """Has `path` the ending of a picture that can be read?"""
    return Path(path).suffix.lower() in ENDINGS


def format_of(path):
    """Pillow's name of the format that the ending of `path` stands for. Raises as `check_ending`."""
    return WRITABLE[check_ending(path).suffix.lower()]["format"]


def holds_alpha(path):
    """Can `save_image` write transparency to a file with this ending? Raises as `check_ending`."""
    return format_of(path) in WITH_ALPHA


def holds_text(path):
    """Can `save_image` write a text into a file with this ending? Raises as `check_ending`."""
    return format_of(path) in WITH_TEXT


# --- Reading -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def opened(path):
    """Yield the picture at `path`, a pathlib.Path, as Pillow opens it: its header read, no pixel decoded.

    Whatever is wrong with the file, now or in the block, is raised as `load_image` says.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path}: a folder, not a picture. Name a picture in it.")
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file. Check the spelling; you are in {Path.cwd()}.")
    if not path.is_file():
        raise ValueError(f"{path}: a device or a pipe, not a file. Name a picture file.")
    with open(path, "rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of oddities in files that it reads well all the same
        try:
            yield Image.open(file, formats=READABLE)  # the list keeps out formats that start other programs
        except UnidentifiedImageError:
            kind = f"not a picture that can be read here ({', '.join(READABLE)}). Convert it first."
            kind = kind if path.stat().st_size else "an empty file. Get a fresh copy."
            raise ValueError(f"{path}: {kind}") from None
        except Exception as error:  # decoders let many kinds escape: OSError, SyntaxError, struct.error, ...
            raise ValueError(f"{path}: cut short or damaged ({error}). Get a fresh copy.") from error


def check_fits(path):
    """Raise ValueError where reading the picture at `path` takes more memory than is free, else as `picture_size`."""
    n_H, n_W = picture_size(path)
    if (need := DECODED * n_H * n_W) > (free := free_bytes()):
        amounts = f"{in_words(need)} of memory to read, and {in_words(free)} are free"
        raise ValueError(f"{path}: {n_W}x{n_H} px take {amounts}. Shrink it first.")


def read_picture(path):
    """The first frame of the picture at `path`: decoded, upright, in whichever Pillow mode it has."""
    check_fits(path)
    with opened(path) as image:
        image.load()
        if image.mode == "CMYK" and image.format == "JPEG" and "adobe" not in image.info:
            image = ImageChops.invert(image)  # only Adobe stores inks inverted; Pillow expects all to
        return ImageOps.exif_transpose(image)


def picture_size(path):
    """(n_H, n_W) of the upright picture at `path`, from what the file says of it: no pixel is decoded.

    Raises as `load_image`, except that a damaged or missing part which only decoding meets goes unnoticed.
    """
    with opened(as_path(path)) as image:
        n_W, n_H = image.size
        if image.format == "TIFF":  # of which Pillow's newer versions, but not its older ones, give the upright size
            n_W, n_H = image.tag_v2[ExifTags.Base.ImageWidth], image.tag_v2[ExifTags.Base.ImageLength]
        image = _without_pixels(image) if image.format == "PNG" and "exif" not in image.info else image
        # Image's own, because a PNG's decodes the picture first
        lying = Image.Image.getexif(image).get(ExifTags.Base.Orientation) in LYING
    return (n_W, n_H) if lying else (n_H, n_W)


def shrunk_size(size, long_side):
    """The two sides of a picture, the longer one at most `long_side` px, each at least 1. None: as they are."""
    if long_side is None or long_side >= max(size):
        return tuple(size)
    scale = long_side / max(size)
    return tuple(max(1, round(side * scale)) for side in size)


def read_text(path):
    """The text that `save_image` wrote into the picture at `path`: a str, or None where there is none.

    In files of other programs: a JPEG's comment, the description of a TIFF or WebP. No pixel is decoded.
    Raises as `load_image`, except that a damaged or missing part which only decoding meets goes unnoticed.
    """
    with opened(as_path(path)) as image:
        if image.format == "PNG":
            image = image if KEY in image.info else _without_pixels(image)
            text = image.info.get(KEY)
            return None if text is None else str(text)  # not Pillow's own kind of str
        if image.format in ("JPEG", "MPO"):
            return _decoded(image.info.get("comment"))
        return _decoded(image.getexif().get(ExifTags.Base.ImageDescription))


def _without_pixels(image):
    """The opened PNG once more, with all texts and EXIF data, which may stand behind the pixels, but no pixels."""
    file, kept = image.fp, [SIGNATURE]
    file.seek(len(SIGNATURE))
    while len(head := file.read(8)) == 8 and head[4:] != b"IEND":
        length, kind = struct.unpack(">I4s", head)
        if kind not in TELLING:
            file.seek(length + 4, os.SEEK_CUR)
            continue
        data = file.read(length)
        if len(data) == length:
            kept.append(_chunk(kind, data))
        file.seek(4, os.SEEK_CUR)  # the old checksum: behind the pixels Pillow takes a wrong one, too
    whole = b"".join([*kept, _chunk(b"IDAT", b""), _chunk(b"IEND", b"")])
    return Image.open(io.BytesIO(whole), formats=["PNG"])


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _decoded(text):
    """A text that Pillow gives as bytes or as Latin-1: UTF-8, as is written here, else Latin-1; None if it is none."""
    if isinstance(text, str):
        text = text.encode("latin-1")
    if not isinstance(text, bytes):
        return None
    try:
        return text.decode() or None
    except UnicodeDecodeError:
        return text.decode("latin-1")


# --- What is written beside the pixels ---------------------------------------------------------------------


def save_options(path, quality, with_alpha, text):
    """The options of Pillow's `save` for a file at `path`. Raises ValueError for what its format cannot hold."""
    options = dict(WRITABLE[path.suffix.lower()])
    name = options["format"]
    if quality is not None:
        if name != "JPEG" or not (isinstance(quality, numbers.Integral) and 1 <= quality <= 100):
            raise ValueError(f"{path}: quality = {quality!r}: of a JPEG, a whole number from 1 to 100.")
        options["quality"] = int(quality)
    if with_alpha and name not in WITH_ALPHA:
        raise ValueError(f"{path}: a {name} holds no transparency. Use .png, .webp or .tif.")
    return options | _text_options(path, name, text)


def _text_options(path, name, text):
    if text is not None and not isinstance(text, str):
        raise TypeError(f"{path}: text is a str, not {type(text).__name__}. Try json.dumps.")
    if not text or name not in WITH_TEXT:
        return {}
    try:
        encoded = text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{path}: text is no Unicode ({error}). Leave such characters out.") from error
    if name == "PNG":
        info = PngInfo()
        info.add_itxt(KEY, text)
        return {"pnginfo": info}
    if name == "JPEG":
        if len(encoded) > LONGEST_COMMENT:
            size = f"{len(encoded):,} bytes of text, and a JPEG holds {LONGEST_COMMENT:,}"
            raise ValueError(f"{path}: {size}. Use .png, .webp or .tif.")
        return {"comment": encoded}
    described = {ExifTags.Base.ImageDescription: encoded}  # as bytes, because of a str Pillow keeps only ASCII
    if name == "TIFF":
        return {"tiffinfo": described}
    exif = Image.Exif()
    exif.update(described)
    return {"exif": exif.tobytes()}
