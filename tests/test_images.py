"""load_image and save_image: every file a learner may bring, with colours known beforehand."""

import contextlib
import itertools
import os
import shutil
import stat
import struct
import subprocess
import tempfile
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, JpegImagePlugin

import nst_utils
from nst_support import picture_files

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
WHITE, BLACK, GREY = (255, 255, 255), (0, 0, 0), (128, 128, 128)
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions and limits")


# --- What the tests build pictures with: by hand where Pillow could hide its own mistake -------------------


def levels(path, **kwargs):
    """The loaded picture as (n_H, n_W, 3) in units of 1/255, after checking the contract."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = nst_utils.load_image(path, **kwargs)
    assert tf.is_tensor(image) and image.dtype == tf.float32
    assert image.ndim == 4 and image.shape[0] == 1 and image.shape[3] == 3
    values = image.numpy()[0]
    assert values.min() >= 0 and values.max() <= 1
    return values.astype(np.float64) * 255


def assert_levels(actual, expected, within=1e-4):
    assert actual.shape == np.shape(expected)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=within)


def row(*colours):
    return np.array([colours], np.uint8)


def blocks(array, px=16):
    """Every pixel as a flat block, so that JPEG keeps its colour."""
    return array.repeat(px, axis=0).repeat(px, axis=1)


def centres(values, px=16):
    return values[px // 2 :: px, px // 2 :: px]


def noise(height=40, width=50):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def write_png(path, rows, width, depth, colour_type, extra=()):
    """A PNG from its packed rows. Colour types: 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour_type, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + packed for packed in rows))
    chunks = [(b"IHDR", header), *extra, (b"IDAT", body), (b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in chunks))
    return path


def write_tiff(path, pixels, width, height, bits, photometric):
    """An uncompressed little-endian TIFF with one strip."""
    tags = [(256, 4, 1, width), (257, 4, 1, height), (259, 3, 1, 1), (262, 3, 1, photometric)]
    offset = 8 + 2 + 12 * 8 + 4
    if len(bits) == 1:
        tags.append((258, 3, 1, bits[0]))
    else:
        tags.append((258, 3, len(bits), offset))
        pixels = struct.pack(f"<{len(bits)}H", *bits) + pixels
    skip = 0 if len(bits) == 1 else 2 * len(bits)
    tags += [(273, 4, 1, offset + skip), (277, 3, 1, len(bits)), (279, 4, 1, len(pixels) - skip)]
    directory = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(tags)) + directory + bytes(4) + pixels)
    return path


def fixed(*numbers):
    """The s15Fixed16 numbers of ICC profiles."""
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


def assemble_icc(kind, space, connection, tags):
    offset, table, data = 128 + 4 + 12 * len(tags), b"", b""
    for name, body in tags:
        table += name + struct.pack(">II", offset + len(data), len(body))
        data += body
    header = struct.pack(">I4xI", offset + len(data), 0x04300000) + kind + space + connection + bytes(12)
    header = (header + b"acsp").ljust(68, b"\0") + fixed(*D50)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def display_icc(space, curve, colorants=()):
    """A minimal display profile. curve: the numbers of ICC's parametric curve; colorants: their XYZ (D50)."""
    para = b"para" + struct.pack(">4xHH", {1: 0, 5: 3}[len(curve)], 0) + fixed(*curve)
    xyz = dict(zip([b"rXYZ", b"gXYZ", b"bXYZ"], colorants, strict=False)) | {b"wtpt": D50}
    tags = [(name, para) for name in ([b"rTRC", b"gTRC", b"bTRC"] if colorants else [b"kTRC"])]
    tags += [(name, b"XYZ " + bytes(4) + fixed(*values)) for name, values in xyz.items()]
    return assemble_icc(b"mntr", space, b"XYZ ", tags)


D50 = (0.9642, 1.0, 0.8249)
DISPLAY_P3 = display_icc(
    b"RGB ",
    (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
    [(0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407)],
)
ADOBE_RGB = display_icc(
    b"RGB ",
    (563 / 256,),
    [(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)],
)
LINEAR_GREY = display_icc(b"GRAY", (1.0,))


@contextlib.contextmanager
def ordinary_user():
    """Permissions do not bind root, so a test that runs as root becomes `nobody` meanwhile."""
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.name != "posix" or os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root may mount a small file system")
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, text=True)
    if mount.returncode:
        pytest.skip(f"mounting is not allowed here: {mount.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


# --- Loading: formats and modes ----------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["png", "tif", "bmp", "webp"])
def test_lossless_formats_give_the_very_pixels(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    Image.fromarray(noise()).save(path, **({"lossless": True} if ending == "webp" else {}))
    assert_levels(levels(path), noise())


def test_jpeg_colours_and_channel_order(tmp_path):
    colours = row(RED, GREEN, BLUE, WHITE, BLACK, (10, 120, 230))
    Image.fromarray(blocks(colours)).save(tmp_path / "a.jpg", quality=95, subsampling=0)
    assert_levels(centres(levels(tmp_path / "a.jpg")), colours, within=3)


def test_a_value_is_exactly_its_level_over_255(tmp_path):
    grey = np.arange(256, dtype=np.uint8)[None]
    Image.fromarray(grey).save(tmp_path / "a.png")
    expected = [np.float32(level / 255) for level in range(256)]
    image = nst_utils.load_image(tmp_path / "a.png").numpy()
    for channel in range(3):
        assert image[0, 0, :, channel].tolist() == expected


def test_grey_16_bit_png_keeps_its_precision(tmp_path):
    values = [0, 1, 255, 256, 32768, 32769, 65534, 65535]
    path = write_png(tmp_path / "a.png", [struct.pack(">8H", *values)], 8, 16, 0)
    assert_levels(levels(path), np.repeat(np.divide([values], 257)[..., None], 3, axis=-1))


def test_grey_16_bit_png_shrinks_within_0_and_1(tmp_path):
    steps = struct.pack(">64H", *([0] * 30 + [65535] * 34))  # an edge, at which LANCZOS overshoots
    values = levels(write_png(tmp_path / "a.png", [steps] * 64, 64, 16, 0), long_side=16)
    assert values.shape == (16, 16, 3)
    assert_levels(values[:, [0, -1]], np.full((16, 2, 3), [[0], [255]]), within=3)


@pytest.mark.parametrize("order", ["<", ">"])
def test_grey_16_bit_tiff(tmp_path, order):
    Image.fromarray(np.array([[0, 32768, 65535]], np.uint16).astype(f"{order}u2")).save(tmp_path / "a.tif")
    assert_levels(levels(tmp_path / "a.tif")[0, :, 0], [0, 32768 / 257, 255])


def test_rgb_16_bit_png_is_right_to_8_bits(tmp_path):
    values = [65535, 0, 0, 0, 65535, 0, 1000, 30000, 65280]
    path = write_png(tmp_path / "a.png", [struct.pack(">9H", *values)], 3, 16, 2)
    assert_levels(levels(path), np.divide(values, 257).reshape(1, 3, 3), within=1)


@pytest.mark.parametrize("bits", [1, 8])
def test_grey(tmp_path, bits):
    if bits == 1:
        path, expected = write_png(tmp_path / "a.png", [b"\xb0"], 4, 1, 0), [255, 0, 255, 255]
    else:
        path, expected = write_png(tmp_path / "a.png", [bytes([0, 1, 128, 255])], 4, 8, 0), [0, 1, 128, 255]
    assert_levels(levels(path), np.repeat(np.array(expected)[None, :, None], 3, axis=-1))


def test_bilevel_tiff(tmp_path):
    Image.fromarray(np.array([[True, False, True]])).convert("1").save(tmp_path / "a.tif")
    assert_levels(levels(tmp_path / "a.tif"), row(WHITE, BLACK, WHITE))


def test_palette(tmp_path):
    palette = bytes([*RED, *BLUE, 7, 77, 177])
    path = write_png(tmp_path / "a.png", [bytes([2, 0, 1, 1])], 4, 8, 3, [(b"PLTE", palette)])
    assert_levels(levels(path), row((7, 77, 177), RED, BLUE, BLUE))


def test_integer_grey_counts_to_65535(tmp_path):
    path = write_tiff(tmp_path / "a.tif", struct.pack("<3I", 0, 13107, 65535), 3, 1, [32], 1)
    assert Image.open(path).mode == "I"
    assert_levels(levels(path)[0, :, 1], [0, 51, 255])


def test_float_grey_counts_to_1(tmp_path):
    Image.fromarray(np.array([[0, 0.123456, 1]], np.float32)).save(tmp_path / "a.tif")
    assert_levels(levels(tmp_path / "a.tif")[0, :, 2], [0, 0.123456 * 255, 255])


def test_grey_of_unknown_range_is_refused(tmp_path):
    for bad in ([0, 255], [-0.1, 1], [0.5, np.nan]):
        Image.fromarray(np.array([bad], np.float32)).save(tmp_path / "f.tif")
        with pytest.raises(ValueError, match=r"f\.tif: grey values outside 0 to 1"):
            nst_utils.load_image(tmp_path / "f.tif")
    path = write_tiff(tmp_path / "i.tif", struct.pack("<2I", 5, 70000), 2, 1, [32], 1)
    with pytest.raises(ValueError, match=r"i\.tif: grey values outside 0 to 65,535"):
        nst_utils.load_image(path)


def test_lab_tiff(tmp_path):
    # CIE L*a*b* with the D50 white that ICC profiles use; stored as L* * 255 / 100 and signed a*, b*.
    lab = [(49.20, 35.59, 34.63), (51.99, -8.36, -32.83), (61.65, -23.78, 31.79), (100, 0, 0), (0, 0, 0)]
    packed = b"".join(struct.pack("Bbb", round(L * 2.55), round(a), round(b)) for L, a, b in lab)
    path = write_tiff(tmp_path / "a.tif", packed, 5, 1, [8, 8, 8], 8)
    assert Image.open(path).mode == "LAB"
    expected = row((180, 90, 60), (70, 130, 180), (120, 160, 90), WHITE, BLACK)
    assert_levels(levels(path), expected, within=2)


@pytest.mark.parametrize("adobe", [True, False])
def test_cmyk_jpeg(tmp_path, adobe):
    inks = row((0, 255, 255, 0), (255, 255, 0, 0), (0, 0, 0, 127), (0, 0, 0, 0), (255, 0, 0, 0))
    expected = row(RED, BLUE, GREY, WHITE, (0, 255, 255))
    path = tmp_path / "a.jpg"
    # Pillow writes as Adobe does, inverted and marked so: without the mark the same numbers mean the inverse.
    Image.fromarray(blocks(inks if adobe else 255 - inks), "CMYK").save(path, quality=100)
    if not adobe:
        data = path.read_bytes()
        start = data.index(b"\xff\xee")
        assert data[start + 4 : start + 9] == b"Adobe"
        path.write_bytes(data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4], "big") :])
    values = levels(path)
    assert_levels(centres(values), expected, within=3)
    assert_levels(values, tf.io.decode_jpeg(path.read_bytes(), channels=3).numpy(), within=3)


def test_animated_gif_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (5, 4), colour) for colour in (RED, GREEN, BLUE)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert Image.open(tmp_path / "a.gif").n_frames == 3
    assert_levels(levels(tmp_path / "a.gif"), np.full((4, 5, 3), RED))


def test_several_pictures_in_one_jpeg_give_the_first(tmp_path):
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, GREEN)]
    frames[0].save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=frames[1:], quality=95)
    assert Image.open(tmp_path / "a.jpg").format == "MPO"
    assert_levels(levels(tmp_path / "a.jpg"), np.full((16, 16, 3), RED), within=3)


# --- Loading: transparency ---------------------------------------------------------------------------------


def over_white(colour, alpha):
    return [level * alpha / 255 + 255 - alpha for level in colour]


TRANSPARENT = {
    "RGBA": ([bytes([*RED, 255, *RED, 0, *BLUE, 51])], 3, 8, 6, [], [RED, WHITE, over_white(BLUE, 51)]),
    "RGBA 16-bit": (
        [struct.pack(">8H", 65535, 0, 0, 65535, 0, 0, 65535, 13107)],
        2,
        16,
        6,
        [],
        [RED, over_white(BLUE, 51)],
    ),
    "grey + alpha": (
        [bytes([9, 255, 9, 0, 9, 102])],
        3,
        8,
        4,
        [],
        [[9] * 3, WHITE, over_white([9] * 3, 102)],
    ),
    "grey + alpha 16-bit": (
        [struct.pack(">4H", 0, 65535, 0, 26214)],
        2,
        16,
        4,
        [],
        [BLACK, over_white(BLACK, 102)],
    ),
    "palette": (
        [bytes([0, 1, 2])],
        3,
        8,
        3,
        [(b"PLTE", bytes([*RED, *GREEN, *BLUE])), (b"tRNS", bytes([255, 0, 51]))],
        [RED, WHITE, over_white(BLUE, 51)],
    ),
    "one RGB colour": (
        [bytes([*RED, *GREEN])],
        2,
        8,
        2,
        [(b"tRNS", struct.pack(">3H", *GREEN))],
        [RED, WHITE],
    ),
    "one grey level": ([bytes([7, 200])], 2, 8, 0, [(b"tRNS", struct.pack(">H", 200))], [[7] * 3, WHITE]),
}


@pytest.mark.parametrize("kind", TRANSPARENT)
def test_transparent_png_is_shown_over_white_and_says_so(tmp_path, capfd, kind):
    *picture, expected = TRANSPARENT[kind]
    path = write_png(tmp_path / "a.png", *picture)
    capfd.readouterr()
    assert_levels(levels(path), [expected], within=1)
    assert capfd.readouterr().out == f"{path}: transparent in places, shown over white.\n"


@pytest.mark.parametrize("ending", ["webp", "tif"])
def test_transparent_webp_and_tiff(tmp_path, ending):
    pixels = np.array([[[*RED, 255], [*GREEN, 0], [*BLUE, 51]]], np.uint8)
    options = {"lossless": True} if ending == "webp" else {}
    Image.fromarray(pixels).save(tmp_path / f"a.{ending}", **options)
    assert_levels(levels(tmp_path / f"a.{ending}"), [[RED, WHITE, over_white(BLUE, 51)]], within=1)


def test_transparent_gif(tmp_path):
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    image.putpalette([*RED, *GREEN])
    image.save(tmp_path / "a.gif", transparency=1)
    assert_levels(levels(tmp_path / "a.gif"), row(RED, WHITE))


def test_alpha_that_hides_nothing_is_not_mentioned(tmp_path, capfd):
    path = write_png(tmp_path / "a.png", [bytes([*RED, 255, *BLUE, 255])], 2, 8, 6)
    capfd.readouterr()
    assert_levels(levels(path), row(RED, BLUE))
    assert capfd.readouterr() == ("", "")


def test_colour_hidden_under_transparency_never_bleeds_out(tmp_path):
    pixels = np.zeros((64, 64, 4), np.uint8)  # opaque black, and transparent green in every other column
    pixels[..., 3] = 255
    pixels[:, ::2] = (0, 255, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    values = levels(tmp_path / "a.png", long_side=13)
    assert_levels(values, np.full((13, 13, 3), 127.5), within=10)
    assert_levels(np.ptp(values, axis=-1), np.zeros((13, 13)))


# --- Loading: colour profiles ------------------------------------------------------------------------------

# Each space: its profile, its transfer curve, the matrix from its linear colours to sRGB's, and colours,
# the first three of which are published as sRGB's red, green and blue.
WIDE = {
    "Display P3": (
        DISPLAY_P3,
        lambda v: np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4),
        [[1.2249, -0.2247, 0], [-0.0420, 1.0419, 0], [-0.0197, -0.0786, 1.0979]],
        row((234, 51, 35), (117, 251, 76), (0, 0, 245), (150, 100, 60), WHITE, GREY),
    ),
    "Adobe RGB": (
        ADOBE_RGB,
        lambda v: v ** (563 / 256),
        [[1.3984, -0.3984, 0], [0, 1, 0], [0, -0.0429, 1.0429]],
        row((219, 0, 0), (144, 255, 60), (0, 0, 250), (150, 100, 60), WHITE, GREY),
    ),
}


def in_srgb(curve, matrix, colours):
    linear = np.clip(curve(colours / 255) @ np.transpose(matrix), 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("space", WIDE)
def test_wide_gamut_becomes_srgb(tmp_path, space, ending):
    profile, curve, matrix, colours = WIDE[space]
    expected = in_srgb(curve, matrix, colours)
    assert_levels(expected[:, :3], row(RED, GREEN, BLUE), within=4)
    path = tmp_path / f"a.{ending}"
    options = {"jpg": {"quality": 100, "subsampling": 0}, "webp": {"lossless": True}}.get(ending, {})
    Image.fromarray(blocks(colours)).save(path, icc_profile=profile, **options)
    # JPEG's own rounding comes on top, and weighs most in dark channels, where the curve is steep.
    assert_levels(centres(levels(path)), expected, within=10 if ending == "jpg" else 2)


def test_profile_applies_under_transparency(tmp_path):
    pixels = np.array([[[234, 51, 35, 255], [234, 51, 35, 0], [234, 51, 35, 51]]], np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=DISPLAY_P3)
    assert_levels(levels(tmp_path / "a.png"), [[RED, WHITE, over_white(RED, 51)]], within=2)


def test_profile_applies_to_a_palette(tmp_path):
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    image.putpalette([234, 51, 35, 0, 0, 245])
    image.save(tmp_path / "a.png", icc_profile=DISPLAY_P3)
    assert_levels(levels(tmp_path / "a.png"), row(RED, BLUE), within=2)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_grey_profile(tmp_path, kind):
    # Linear light v is 1.055 v^(1/2.4) - 0.055 in sRGB. 16-bit grey is first rounded: 4526 / 257 to 18.
    grey = np.array([[0, 18, 64, 255]]) if kind is np.uint8 else np.array([[0, 4526, 64 * 257, 65535]])
    Image.fromarray(grey.astype(kind)).save(tmp_path / "a.png", icc_profile=LINEAR_GREY)
    assert_levels(levels(tmp_path / "a.png"), row(BLACK, [75] * 3, [137] * 3, WHITE), within=1)


def test_grey_profile_under_transparency(tmp_path):
    pixels = np.array([[[64, 255], [64, 0]]], np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=LINEAR_GREY)
    assert_levels(levels(tmp_path / "a.png"), row([137] * 3, WHITE), within=1)


def test_cmyk_profile(tmp_path):
    """A press whose cyan ink prints as steel blue and whose magenta ink prints as brick."""
    lab = {
        (0, 0, 0, 0): (100, 0, 0),
        (1, 0, 0, 0): (51.99, -8.36, -32.83),
        (0, 1, 0, 0): (49.20, 35.59, 34.63),
    }
    table = b""
    for inks in itertools.product((0, 1), repeat=4):
        L, a, b = lab.get(inks, (0, 0, 0))
        table += bytes([round(L * 2.55), round(a) + 128, round(b) + 128])
    unchanged = bytes(range(256))
    matrix = struct.pack(">9i", *(np.eye(3, dtype=int) * 65536).flat)
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + unchanged * 4 + table + unchanged * 3
    profile = assemble_icc(b"prtr", b"CMYK", b"Lab ", [(b"A2B0", lut)])
    inks = row((0, 0, 0, 0), (255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 0, 255))
    Image.fromarray(blocks(inks), "CMYK").save(tmp_path / "a.jpg", quality=100, icc_profile=profile)
    expected = row(WHITE, (70, 130, 180), (180, 90, 60), BLACK)
    assert_levels(centres(levels(tmp_path / "a.jpg")), expected, within=3)


@pytest.mark.parametrize("profile", [b"no profile at all", LINEAR_GREY, DISPLAY_P3[:200]])
def test_a_useless_profile_is_ignored(tmp_path, capfd, profile):
    Image.fromarray(noise()).save(tmp_path / "a.png", icc_profile=profile)
    capfd.readouterr()
    assert_levels(levels(tmp_path / "a.png"), noise())
    assert capfd.readouterr() == ("", "")


# --- Loading: orientation and size -------------------------------------------------------------------------

# EXIF 2.3: which visual edge the stored row 0 and column 0 are.
EDGES = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", EDGES)
def test_exif_orientation(tmp_path, orientation, ending):
    upright = np.array([[RED, GREEN, BLUE], [WHITE, BLACK, GREY]], np.uint8)
    stored = upright[:, ::-1] if "right" in EDGES[orientation] else upright
    stored = stored[::-1] if "bottom" in EDGES[orientation] else stored
    stored = stored.transpose(1, 0, 2) if orientation >= 5 else stored
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{ending}"
    options = {"jpg": {"quality": 95, "subsampling": 0}, "webp": {"lossless": True}}.get(ending, {})
    Image.fromarray(np.ascontiguousarray(blocks(stored))).save(path, exif=exif, **options)
    assert_levels(centres(levels(path)), upright, within=3 if ending == "jpg" else 0.01)
    assert nst_utils.load_image(path, long_side=24).shape == (1, 16, 24, 3)


def test_one_pixel(tmp_path):
    Image.new("RGB", (1, 1), (1, 2, 3)).save(tmp_path / "a.png")
    assert_levels(levels(tmp_path / "a.png", long_side=400), [[(1, 2, 3)]])


@pytest.mark.parametrize(
    "width, height, long_side, expected",
    [
        (1000, 667, 400, (267, 400)),
        (667, 1000, 400, (400, 267)),
        (300, 300, 64, (64, 64)),
        (12000, 40, 300, (1, 300)),
        (12000, 2, 100, (1, 100)),  # 2/120 px high, were it not for the 1 px it keeps
        (3, 900, 90, (90, 1)),
        (301, 200, 300, (199, 300)),
        (50, 40, 50, (40, 50)),
        (50, 40, 51, (40, 50)),
        (50, 40, 4000, (40, 50)),
        (50, 40, np.int64(10), (8, 10)),
        (7, 5, 1, (1, 1)),
    ],
)
def test_long_side(tmp_path, width, height, long_side, expected):
    Image.new("RGB", (width, height), RED).save(tmp_path / "a.png")
    assert_levels(levels(tmp_path / "a.png", long_side=long_side), np.full((*expected, 3), RED))


def test_12000_px_wide_in_full(tmp_path):
    pixels = np.zeros((3, 12000, 3), np.uint8)
    pixels[:, -1] = GREEN
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert_levels(levels(tmp_path / "a.png"), pixels)


def test_a_picture_that_is_small_enough_keeps_its_pixels(tmp_path):
    Image.fromarray(noise(40, 50)).save(tmp_path / "a.png")
    assert_levels(levels(tmp_path / "a.png", long_side=50), noise(40, 50))


def test_shrinking_averages_instead_of_picking(tmp_path):
    pattern = np.indices((96, 96)).sum(axis=0) % 2 * np.uint8(255)  # a chessboard of single pixels
    Image.fromarray(pattern.astype(np.uint8)).save(tmp_path / "a.png")
    assert_levels(levels(tmp_path / "a.png", long_side=25), np.full((25, 25, 3), 127.5), within=8)


@pytest.mark.parametrize("long_side", [0, -5, 2.5, "400", float("nan")])
def test_bad_long_side(tmp_path, long_side):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="long_side is a whole number of pixels"):
        nst_utils.load_image(tmp_path / "a.png", long_side=long_side)


# --- Loading: paths and what cannot be read ----------------------------------------------------------------


def assert_refused(path, kind, *words):
    with pytest.raises(kind) as caught:
        nst_utils.load_image(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    for word in words:
        assert word in message


def test_heic_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("images").mkdir()
    Path("images/cat.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(400))
    with pytest.raises(ValueError) as caught:
        nst_utils.load_image("images/cat.heic")
    assert str(caught.value) == (
        "images/cat.heic: not a picture that can be read here (JPEG, PNG, WebP, TIFF, GIF, BMP). Convert it first."
    )


@pytest.mark.parametrize("content", [b"Dear diary, no picture today.\n" * 50, b"x"])
def test_text_renamed_to_jpg(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    assert_refused(tmp_path / "a.jpg", ValueError, "not a picture that can be read here", "Convert it")


def test_formats_beyond_the_list_stay_closed(tmp_path):
    """EPS is a program, which Pillow would hand to Ghostscript."""
    Image.new("RGB", (9, 9)).save(tmp_path / "a.jpg", format="EPS")
    assert_refused(tmp_path / "a.jpg", ValueError, "not a picture that can be read here")


def test_empty_file(tmp_path):
    (tmp_path / "a.jpg").touch()
    assert_refused(tmp_path / "a.jpg", ValueError, "an empty file")


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif", "gif", "bmp"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_truncated(tmp_path, ending, kept):
    path = tmp_path / f"a.{ending}"
    Image.fromarray(noise(60, 60)).save(path)
    whole = path.read_bytes()
    assert nst_utils.load_image(path).shape == (1, 60, 60, 3)
    path.write_bytes(whole[: int(len(whole) * kept)])
    assert_refused(path, ValueError, "cut short or damaged", "fresh copy")


def test_damaged_inside(tmp_path):
    path = write_png(tmp_path / "a.png", [bytes(30)] * 10, 10, 8, 2)
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 6] ^= 0xFF
    path.write_bytes(data)
    assert_refused(path, ValueError, "cut short or damaged")


def test_decompression_bomb(tmp_path):
    path = write_png(tmp_path / "a.png", [b"\0"], 10**6, 8, 2)
    data = bytearray(path.read_bytes())
    data[20:24] = struct.pack(">I", 10**6)  # claims a million million pixels
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)
    assert_refused(path, ValueError, "1000000x1000000 px take 7.0 TB of memory to read", "Shrink it")


def test_what_is_too_large_follows_from_the_memory_that_is_free(tmp_path, monkeypatch, capfd):
    Image.new("RGB", (12, 12), RED).save(tmp_path / "a.png")
    monkeypatch.setattr(picture_files, "free_bytes", lambda: 7 * 144)
    capfd.readouterr()
    assert_levels(levels(tmp_path / "a.png"), np.full((12, 12, 3), RED))
    assert capfd.readouterr() == ("", "")
    monkeypatch.setattr(picture_files, "free_bytes", lambda: 7 * 144 - 1)
    assert_refused(tmp_path / "a.png", ValueError, "12x12 px take 1.0 kB of memory to read, and 1.0 kB are free")


@pytest.mark.slow
def test_more_pixels_than_pillow_reads_by_itself(tmp_path):
    path, size = tmp_path / "a.png", (20000, 10000)
    Image.new("L", size, 200).save(path)
    image = nst_utils.load_image(path, 100)
    assert image.shape == (1, 50, 100, 3)
    np.testing.assert_array_equal(np.rint(image * 255), 200)


def test_missing_file(tmp_path):
    assert_refused(tmp_path / "no.png", FileNotFoundError, "no such file", str(Path.cwd()))
    (tmp_path / "file").touch()
    assert_refused(tmp_path / "file" / "no.png", FileNotFoundError, "no such file")


def test_folder(tmp_path):
    assert_refused(tmp_path, IsADirectoryError, "a folder")


@posix
def test_file_that_may_not_be_read():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.png")
        Image.new("RGB", (4, 4)).save(path)
        os.chmod(folder, 0o755)
        os.chmod(path, 0)
        with ordinary_user(), pytest.raises(PermissionError, match=r"a\.png"):
            nst_utils.load_image(path)


@pytest.mark.parametrize("address", ["https://example.org/cat.jpg", "HTTP://x/y", "s3://bucket/cat.png"])
def test_web_address(address):
    assert_refused(address, ValueError, "a web address", "Download it first")


@pytest.mark.parametrize("path", [None, 3, b"a.png", ["a.png"]])
def test_not_a_path(path):
    for call in (nst_utils.load_image, lambda bad: nst_utils.save_image(np.zeros((2, 2, 3)), bad)):
        with pytest.raises(TypeError, match=f"str or a pathlib.Path, not {type(path).__name__}"):
            call(path)


def test_file_handle(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    with open(tmp_path / "a.png", "rb") as file, pytest.raises(TypeError, match="not BufferedReader"):
        nst_utils.load_image(file)


@pytest.mark.parametrize("name", ["two words/my cat.png", "été/画像 😀.png", "a:b#c%20.png"])
@pytest.mark.parametrize("kind", [str, Path])
def test_unusual_names(tmp_path, name, kind):
    written = nst_utils.save_image(np.ones((2, 3, 3)), kind(tmp_path / name))
    assert written == tmp_path / name
    assert_levels(levels(kind(tmp_path / name)), np.full((2, 3, 3), 255))


def test_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert nst_utils.save_image(np.ones((1, 1, 3)), "~/a.png") == tmp_path / "a.png"
    assert_levels(levels("~/a.png"), [[WHITE]])
    assert [found.name for found in tmp_path.iterdir()] == ["a.png"]


# --- Saving ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".png", ".webp", ".tif", ".tiff", ".bmp", ".PNG"])
def test_saving_rounds_and_loading_gives_it_back(tmp_path, ending):
    level = np.arange(256)[:, None] + np.zeros(3)
    image = ((level + np.array([-0.4, 0, 0.4])) / 255).astype(np.float32).reshape(1, 16, 16, 3)
    path = nst_utils.save_image(tf.constant(image), tmp_path / f"a{ending}")
    assert np.array_equal(np.asarray(Image.open(path)), level.reshape(16, 16, 3))
    expected = (level / 255).astype(np.float32).reshape(1, 16, 16, 3)
    assert np.array_equal(nst_utils.load_image(path).numpy(), expected)


def test_png_roundtrip_of_random_values(tmp_path):
    image = np.random.default_rng(1).random((1, 31, 17, 3), np.float32)
    expected = np.round(image * np.float32(255)) / np.float32(255)
    loaded = nst_utils.load_image(nst_utils.save_image(image, tmp_path / "a.png"))
    assert np.array_equal(loaded.numpy(), expected)


@pytest.mark.parametrize(
    "convert",
    [
        tf.constant,
        tf.Variable,
        lambda image: image[0],
        lambda image: tf.constant(image[0]),
        lambda image: image.astype(np.float64),
        lambda image: image.astype(np.float16),
        lambda image: tf.cast(image, tf.bfloat16),
    ],
)
def test_what_can_be_saved(tmp_path, convert):
    colours = row(RED, GREEN, BLUE, BLACK)
    path = nst_utils.save_image(convert((colours[None] / 255).astype(np.float32)), tmp_path / "a.png")
    assert np.array_equal(np.asarray(Image.open(path)), colours)


def test_values_outside_are_clipped(tmp_path):
    image = np.array([[[-0.5, 0.5, 1.5], [-1e9, 1e9, 1.001]]])
    path = nst_utils.save_image(image, tmp_path / "a.png")
    assert np.asarray(Image.open(path)).tolist() == [[[0, 128, 255], [0, 255, 255]]]


@pytest.mark.parametrize("ending", ["jpg", "jpeg", "JPG"])
def test_jpeg_quality_95_with_full_colour(tmp_path, ending):
    with Image.open(nst_utils.save_image(noise() / 255, tmp_path / f"a.{ending}")) as image:
        assert image.format == "JPEG"
        assert JpegImagePlugin.get_sampling(image) == 0  # 4:4:4
        brightness = image.quantization[0]
    # At quality 95 the standard table of the JPEG specification (16 ... 121) is multiplied by 0.1.
    assert brightness[0] == 2 and max(brightness) == 12


def test_save_prints_nothing_and_makes_the_folder(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    capfd.readouterr()
    path = nst_utils.save_image(np.zeros((2, 2, 3)), "new/folder/a.png")
    nst_utils.load_image(path)
    assert capfd.readouterr() == ("", "")
    assert path == Path("new/folder/a.png")
    assert [found.name for found in Path("new/folder").iterdir()] == ["a.png"]


@pytest.mark.parametrize("name", ["a", "a.gif", "a.heic", "a.png.bak", ".png"])
def test_unknown_ending(tmp_path, name):
    with pytest.raises(ValueError) as caught:
        nst_utils.save_image(np.zeros((2, 2, 3)), tmp_path / "new" / name)
    for known in (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"):
        assert known in str(caught.value).split("Choose from")[1].rstrip(".").split()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused(tmp_path, bad):
    image = np.zeros((1, 4, 4, 3), np.float32)
    image[0, 3, 2, 1] = bad
    with pytest.raises(ValueError, match="NaN or infinity"):
        nst_utils.save_image(image, tmp_path / "new" / "a.png")
    assert list(tmp_path.iterdir()) == []


SHAPES = [
    (2, 4, 4, 3),
    (1, 1, 4, 4, 3),
    (4, 4),
    (3,),
    (),
    (4, 4, 4),
    (4, 4, 1),
    (3, 4, 4),
    (0, 4, 3),
    (1, 4, 0, 3),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_wrong_shape(tmp_path, shape):
    with pytest.raises(ValueError) as caught:
        nst_utils.save_image(np.zeros(shape), tmp_path / "new" / "a.png")
    assert str(caught.value).endswith(f"(1, n_H, n_W, 3) or (n_H, n_W, 3), not {shape}.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [np.uint8, np.int64, bool])
def test_whole_numbers_are_refused(tmp_path, kind):
    with pytest.raises(ValueError, match=f"floats in \\[0, 1\\], not {np.dtype(kind)}"):
        nst_utils.save_image(np.ones((2, 2, 3), kind), tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_size_that_the_format_cannot_hold(tmp_path):
    with pytest.raises(ValueError, match=r"a WebP cannot hold 20000 x 1 px .*Use \.png"):
        nst_utils.save_image(np.zeros((1, 20000, 3)), tmp_path / "a.webp")
    assert list(tmp_path.iterdir()) == []


@posix
@pytest.mark.parametrize("umask, expected", [(0o022, 0o644), (0o027, 0o640), (0o000, 0o666)])
def test_permissions_are_those_of_any_new_file(tmp_path, umask, expected):
    before = os.umask(umask)
    try:
        path = nst_utils.save_image(np.zeros((2, 2, 3)), tmp_path / "a.png")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == expected


# --- Saving: nothing is ever half written ------------------------------------------------------------------


@posix
def test_a_new_file_takes_the_old_one_s_place(tmp_path):
    path = nst_utils.save_image(np.zeros((2, 2, 3)), tmp_path / "a.png")
    old = path.read_bytes()
    os.link(path, tmp_path / "link")  # would change too, were the old file written into
    nst_utils.save_image(np.ones((2, 2, 3)), path)
    assert (tmp_path / "link").read_bytes() == old
    assert_levels(levels(path), np.full((2, 2, 3), 255))


@contextlib.contextmanager
def old_file_survives(folder):
    """A picture in `folder` is the same afterwards, and no other file appeared."""
    path = folder / "a.png"
    nst_utils.save_image(np.zeros((2, 2, 3)), path)
    old = path.read_bytes()
    yield path
    assert [found.name for found in folder.iterdir()] == ["a.png"]
    assert path.read_bytes() == old


def test_interrupted_before_the_rename(tmp_path, monkeypatch):
    seen = []

    def interrupt(source, target):
        seen.append((Path(source).parent, Path(source).stat().st_size > 60))
        raise KeyboardInterrupt

    with old_file_survives(tmp_path) as path:
        monkeypatch.setattr(os, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            nst_utils.save_image(np.ones((2, 2, 3)), path)
    assert seen == [(tmp_path, True)]  # a whole file lay ready, in the same folder


def test_full_disk(small_disk):
    with old_file_survives(small_disk) as path, pytest.raises(OSError) as caught:
        nst_utils.save_image(noise(300, 300) / 255, path)
    for word in (str(path), str(small_disk), "No space left", "Free some space"):
        assert word in str(caught.value)


@posix
def test_file_size_limit(tmp_path):
    """As on a full disk, the kernel takes a part of the file only; unlike it, anyone can set this limit."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with old_file_survives(tmp_path) as path:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
        try:
            with pytest.raises(OSError, match="Free some space"):
                nst_utils.save_image(noise(300, 300) / 255, path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_read_only_disk(small_disk):
    with old_file_survives(small_disk) as path:
        subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
        with pytest.raises(OSError) as caught:
            nst_utils.save_image(np.ones((2, 2, 3)), path)
    for word in (str(path), str(small_disk), "Read-only", "may write to", "somewhere else"):
        assert word in str(caught.value)


@posix
def test_unwritable_folder():
    with tempfile.TemporaryDirectory() as folder, old_file_survives(Path(folder)) as path:
        os.chmod(folder, 0o555)
        try:
            with ordinary_user(), pytest.raises(PermissionError) as caught:
                nst_utils.save_image(np.ones((2, 2, 3)), path)
            with ordinary_user(), pytest.raises(PermissionError, match="Permission denied"):
                nst_utils.save_image(np.ones((2, 2, 3)), Path(folder, "new", "a.png"))
        finally:
            os.chmod(folder, 0o755)
    for word in (str(path), folder, "Permission denied", "may write to", "somewhere else"):
        assert word in str(caught.value)


def test_a_folder_or_a_file_in_the_way(tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(OSError, match=r"a\.png: cannot write"):
        nst_utils.save_image(np.ones((2, 2, 3)), tmp_path / "a.png")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"b\.png: cannot write into the folder .*file"):
        nst_utils.save_image(np.ones((2, 2, 3)), tmp_path / "file" / "b.png")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["a.png", "file"]


def test_the_quality_of_a_jpeg_may_be_chosen(tmp_path):
    *sizes, default = (
        nst_utils.save_image(noise() / 255, tmp_path / f"{quality}.jpg", quality=quality).stat().st_size
        for quality in (30, 60, 95, None)
    )
    assert sizes[0] < sizes[1] < sizes[2] == default


@pytest.mark.parametrize(("name", "quality"), [("a.png", 80), ("a.jpg", 0), ("a.jpg", 101), ("a.jpg", 80.5)])
def test_a_quality_that_makes_no_sense_is_refused(tmp_path, name, quality):
    with pytest.raises(ValueError, match=rf"{name}: quality = .*of a JPEG, a whole number from 1 to 100"):
        nst_utils.save_image(noise() / 255, tmp_path / name, quality=quality)
    assert not list(tmp_path.iterdir())
