"""What a picture file says of itself: its size and the text in it, without a pixel decoded; masks; endings."""

import io
import json
import os
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile
from test_images import ADOBE_RGB, EDGES, LINEAR_GREY, blocks, noise, write_png, write_tiff

import nst_utils
from nst_support import pictures

ASKING = (pictures.picture_size, pictures.read_text, pictures.load_grey, pictures.load_with_alpha)
ENDINGS = ("png", "webp", "tif", "jpg")


@pytest.fixture
def nothing_decodes(monkeypatch):
    """From now on whatever decodes a pixel fails."""

    def refuse(*_):
        raise AssertionError("a pixel was decoded")

    for kind in (ImageFile.ImageFile, *(type(Image.open(encoded(name))) for name in ("PNG", "WebP", "TIFF", "JPEG"))):
        monkeypatch.setattr(kind, "load", refuse)
    with pytest.raises(AssertionError, match="decoded"):
        Image.open(encoded("PNG")).load()


def encoded(name):
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, name)
    buffer.seek(0)
    return buffer


# --- Errors, and what is loaded for them -------------------------------------------------------------------


@pytest.mark.parametrize("ask", ASKING)
def test_every_question_is_refused_as_load_image_refuses(tmp_path, ask):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("Dear diary")
    cut = write_png(tmp_path / "cut.png", [b"\0"], 30000, 8, 2)
    cut.write_bytes(cut.read_bytes()[:20])
    huge = write_png(tmp_path / "huge.png", [], 30000, 8, 2)
    header = struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)
    huge.write_bytes(huge.read_bytes()[:16] + header + struct.pack(">I", zlib.crc32(b"IHDR" + header)))
    names = ("no.png", "", "empty.png", "text.png", "cut.png", "huge.png")
    for path in [*(tmp_path / name for name in names), "https://example.org/cat.jpg", None, 3, b"a.png"]:
        with pytest.raises((OSError, ValueError, TypeError)) as expected:
            nst_utils.load_image(path)
        with pytest.raises(expected.type) as caught:
            ask(path)
        assert str(caught.value) == str(expected.value)


def test_none_of_it_waits_for_tensorflow(tmp_path):
    Image.new("RGB", (3, 2)).save(tmp_path / "a.png")
    code = (
        "import sys, numpy as np\nfrom nst_support import pictures as p\nname = sys.argv[1]\n"
        "p.check_ending(name), p.holds_alpha(name), p.holds_text(name), p.picture_size(name), p.load_grey(name)\n"
        "p.save_image(np.ones((4, 5, 3)), name, alpha=np.ones((4, 5)), text='t')\n"
        "print(p.read_text(name), p.picture_size(name), 'tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "a.png"], cwd=root, capture_output=True, text=True)
    assert done.stdout == "t (4, 5) False False\n", done.stderr


# --- picture_size ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("orientation", EDGES)
def test_the_size_is_that_of_the_upright_picture(tmp_path, nothing_decodes, orientation, ending):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (30, 20)).save(tmp_path / f"a.{ending}", exif=exif)
    assert pictures.picture_size(tmp_path / f"a.{ending}") == ((30, 20) if orientation >= 5 else (20, 30))


@pytest.mark.parametrize("ending", [*ENDINGS, "gif", "bmp"])
def test_the_size_is_that_of_the_loaded_picture(tmp_path, ending):
    Image.fromarray(noise(7, 11)).save(tmp_path / f"a.{ending}")
    assert pictures.picture_size(str(tmp_path / f"a.{ending}")) == (7, 11)
    assert nst_utils.load_image(tmp_path / f"a.{ending}").shape == (1, 7, 11, 3)


def with_late_chunk(path, kind, data, broken=False):
    """The PNG at `path` with one more chunk, behind its pixels. broken: with a wrong checksum."""
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) ^ broken)
    whole = path.read_bytes()
    end = whole.rindex(b"IEND") - 4
    path.write_bytes(whole[:end] + chunk + whole[end:])
    return path


@pytest.mark.parametrize("broken", [False, True])
def test_orientation_behind_the_pixels_of_a_png(tmp_path, broken):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(noise(20, 30)).save(tmp_path / "a.png")
    path = with_late_chunk(tmp_path / "a.png", b"eXIf", exif.tobytes()[6:], broken)
    assert nst_utils.load_image(path).shape == (1, 30, 20, 3)
    assert pictures.picture_size(path) == (30, 20)


def test_a_photograph_of_100_megapixels_takes_no_time(tmp_path, nothing_decodes):
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.new("RGB", (16, 16)).save(tmp_path / "a.jpg", exif=exif)
    data = bytearray((tmp_path / "a.jpg").read_bytes())
    start = data.index(b"\xff\xc0") + 5  # of a start-of-frame segment: marker, length, precision, height, width
    assert struct.unpack_from(">HH", data, start) == (16, 16)
    struct.pack_into(">HH", data, start, 8000, 12500)
    (tmp_path / "a.jpg").write_bytes(data)
    os.truncate(tmp_path / "a.jpg", 50_000_000)
    began = time.perf_counter()
    assert pictures.picture_size(tmp_path / "a.jpg") == (12500, 8000)
    assert time.perf_counter() - began < 0.05


# --- Text --------------------------------------------------------------------------------------------------

TEXTS = [
    *("a", "ab", "abc", "abcd", "abcde"),  # a TIFF keeps up to 4 bytes elsewhere than more
    "été 画像 😀 \u202e \ufeff",
    "\r\n one\r two\n\n\t three \0 four\0",
    " ",
    json.dumps({"beta": 60, "C": "louvre.jpg"}, indent=2),
    "".join(map(chr, range(1, 1000))),
]


@pytest.mark.parametrize("ending", [*ENDINGS, "jpeg", "tiff", "PNG"])
@pytest.mark.parametrize("with_alpha", [False, True])
def test_text_comes_back_exactly(tmp_path, ending, with_alpha):
    path, image = tmp_path / f"a.{ending}", noise(4, 5) / 255
    alpha = np.full((4, 5), 0.2) if with_alpha and pictures.holds_alpha(path) else None
    plain = np.asarray(Image.open(pictures.save_image(image, path, alpha=alpha)))
    assert pictures.read_text(path) is None
    for text in TEXTS:
        pictures.save_image(image, path, alpha=alpha, text=text)
        found = pictures.read_text(path)
        assert found == text and type(found) is str
        assert np.array_equal(np.asarray(Image.open(path)), plain)
    pictures.save_image(image, path, alpha=alpha, text="")
    assert pictures.read_text(path) is None


@pytest.mark.parametrize("ending", ENDINGS)
def test_text_is_read_without_decoding(tmp_path, ending, request):
    pictures.save_image(noise() / 255, tmp_path / f"a.{ending}", text="één")
    pictures.save_image(noise() / 255, tmp_path / f"none.{ending}")
    request.getfixturevalue("nothing_decodes")
    assert pictures.read_text(tmp_path / f"a.{ending}") == "één"
    assert pictures.read_text(tmp_path / f"none.{ending}") is None


def test_where_the_text_lies(tmp_path):
    """Read by hand from the bytes of the file, as its format's specification says."""
    text, image = "é" * 10, np.zeros((2, 2, 3))
    png = pictures.save_image(image, tmp_path / "a.png", text=text).read_bytes()
    assert b"iTXtRecipe\0\0\0\0\0" + text.encode() in png
    jpeg = pictures.save_image(image, tmp_path / "a.jpg", text=text).read_bytes()
    assert b"\xff\xfe" + struct.pack(">H", 22) + text.encode() in jpeg
    for ending, order in (("tif", "<"), ("webp", ">")):
        data = pictures.save_image(image, tmp_path / f"a.{ending}", text=text).read_bytes()
        assert struct.pack(f"{order}HHI", 270, 2, 21) in data and text.encode() + b"\0" in data  # 2: NUL-terminated


def test_long_texts(tmp_path):
    image, long = np.zeros((2, 2, 3)), "é" * 32_766 + "x"  # 65,533 bytes
    for ending in ENDINGS:
        assert pictures.read_text(pictures.save_image(image, tmp_path / f"a.{ending}", text=long)) == long
    for ending in ("png", "webp", "tif"):
        longer = "画像" * 50_000
        assert pictures.read_text(pictures.save_image(image, tmp_path / f"a.{ending}", text=longer)) == longer
    old = (tmp_path / "a.jpg").read_bytes()
    with pytest.raises(ValueError, match=r"a\.jpg: 65,534 bytes of text, .* holds 65,533\. Use \.png"):
        pictures.save_image(image, tmp_path / "a.jpg", text=long + "x")
    assert (tmp_path / "a.jpg").read_bytes() == old


def test_a_bmp_is_written_without_text(tmp_path):
    path = pictures.save_image(noise() / 255, tmp_path / "a.bmp", text="é")
    assert np.array_equal(np.asarray(Image.open(path)), noise())
    assert pictures.read_text(path) is None


def test_what_is_no_text_is_refused(tmp_path):
    for bad in (3, b"a", {"beta": 3}):
        with pytest.raises(TypeError, match=f"text is a str, not {type(bad).__name__}"):
            pictures.save_image(np.zeros((2, 2, 3)), tmp_path / "a.png", text=bad)
    with pytest.raises(ValueError, match=r"a\.png: text is no Unicode"):
        pictures.save_image(np.zeros((2, 2, 3)), tmp_path / "a.png", text="\ud800")
    assert not list(tmp_path.iterdir())


def test_text_of_other_programs(tmp_path):
    Image.new("RGB", (2, 2)).save(tmp_path / "a.jpg", comment=b"caf\xe9")  # Latin-1
    assert pictures.read_text(tmp_path / "a.jpg") == "café"
    Image.new("RGB", (2, 2)).save(tmp_path / "a.tif", tiffinfo={270: b"caf\xe9"})
    assert pictures.read_text(tmp_path / "a.tif") == "café"
    Image.new("RGB", (2, 2)).save(tmp_path / "a.gif", comment=b"by hand")
    assert pictures.read_text(tmp_path / "a.gif") is None
    Image.new("RGB", (2, 2)).save(tmp_path / "a.png")
    assert pictures.read_text(with_late_chunk(tmp_path / "a.png", b"tEXt", b"Author\0me")) is None
    late = with_late_chunk(tmp_path / "a.png", b"iTXt", b"Recipe\0\0\0\0\0" + "één".encode())
    assert pictures.read_text(late) == "één"


# --- Endings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "alpha", "text"),
    [
        (".png", True, True),
        (".webp", True, True),
        (".tif", True, True),
        (".TIFF", True, True),
        (".jpg", False, True),
        (".jpeg", False, True),
        (".bmp", False, False),
    ],
)
def test_what_an_ending_holds(ending, alpha, text):
    assert pictures.holds_alpha(f"no/such/file{ending}") is alpha
    assert pictures.holds_text(Path(f"a.png{ending}")) is text
    assert pictures.check_ending(f"~/a{ending}") == Path.home() / f"a{ending}"


@pytest.mark.parametrize("path", ["a", "a.gif", ".png", "a.png.bak", "https://example.org/a.png", None, 3])
def test_an_ending_is_refused_as_save_image_refuses_it(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ValueError, TypeError)) as expected:
        pictures.save_image(np.zeros((2, 2, 3)), path)
    for ask in (pictures.check_ending, pictures.holds_alpha, pictures.holds_text):
        with pytest.raises(expected.type) as caught:
            ask(path)
        assert str(caught.value) == str(expected.value)
    assert not list(tmp_path.iterdir())


# --- load_grey ---------------------------------------------------------------------------------------------


def assert_mask(path, expected, within=1e-6):
    mask = pictures.load_grey(path)
    assert isinstance(mask, np.ndarray) and mask.dtype == np.float32
    assert mask.shape == np.shape(expected)
    np.testing.assert_allclose(mask, expected, rtol=0, atol=within)


def test_grey_of_every_depth(tmp_path):
    assert_mask(write_png(tmp_path / "1.png", [b"\xb0"], 4, 1, 0), [[1, 0, 1, 1]])
    assert_mask(write_png(tmp_path / "8.png", [bytes([0, 1, 128, 255])], 4, 8, 0), np.divide([[0, 1, 128, 255]], 255))
    deep = [0, 1, 255, 256, 32768, 65535]
    path = write_png(tmp_path / "16.png", [struct.pack(">6H", *deep)], 6, 16, 0)
    assert_mask(path, np.divide([deep], 65535), within=1e-7)
    path = write_tiff(tmp_path / "32.tif", struct.pack("<3I", *deep[-3:]), 3, 1, [32], 1)
    assert_mask(path, np.divide([deep[-3:]], 65535), within=1e-7)
    Image.fromarray(np.array([[0, 0.123456, 1]], np.float32)).save(tmp_path / "f.tif")
    assert_mask(tmp_path / "f.tif", [[0, 0.123456, 1]], within=1e-8)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_profile_leaves_grey_values_as_they_are(tmp_path, kind):
    grey = (np.array([[0, 18, 64, 255]]) * (1 if kind is np.uint8 else 257)).astype(kind)
    Image.fromarray(grey).save(tmp_path / "a.png", icc_profile=LINEAR_GREY)
    assert nst_utils.load_image(tmp_path / "a.png").numpy()[0, 0, 2, 0] > 0.5  # as a picture it is brighter
    assert_mask(tmp_path / "a.png", np.divide([[0, 18, 64, 255]], 255))
    colour = np.uint8([[[18, 18, 18], [64, 64, 64]]])
    Image.fromarray(colour).save(tmp_path / "rgb.png", icc_profile=ADOBE_RGB)
    assert_mask(tmp_path / "rgb.png", np.divide([[18, 64]], 255))


def test_colours_weigh_as_the_eye_sees_them(tmp_path):
    colours = np.uint8([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 120, 230], [255, 255, 255]]])
    Image.fromarray(colours).save(tmp_path / "a.png")
    assert_mask(tmp_path / "a.png", colours @ [0.299, 0.587, 0.114] / 255, within=0.51 / 255)
    Image.fromarray(colours).quantize(5).save(tmp_path / "p.png")
    assert Image.open(tmp_path / "p.png").mode == "P"
    assert_mask(tmp_path / "p.png", colours @ [0.299, 0.587, 0.114] / 255, within=0.51 / 255)
    inks = np.uint8([[[0, 0, 0, 0], [0, 0, 0, 255], [0, 255, 255, 0]]])
    Image.fromarray(blocks(inks), "CMYK").save(tmp_path / "a.jpg", quality=100)
    mask = pictures.load_grey(tmp_path / "a.jpg")[8::16, 8::16]
    np.testing.assert_allclose(mask, [[1, 0, 0.299]], atol=0.01)


def test_a_mask_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # row 0 as stored is the right edge
    Image.fromarray(np.uint8([[10, 20, 30], [40, 50, 60]])).save(tmp_path / "a.png", exif=exif)
    assert_mask(tmp_path / "a.png", np.divide([[40, 10], [50, 20], [60, 30]], 255))


MASKS = {  # pixels (RGBA or grey + alpha), and the mask expected
    "black strokes": ([[0, 0, 0, 0], [0, 0, 0, 51], [0, 0, 0, 255]], [0, 0.2, 1]),
    "white strokes": ([[255, 255, 255, 0], [255, 255, 255, 51], [255, 255, 255, 255]], [0, 0.2, 1]),
    "black strokes over hidden white": ([[255, 255, 255, 0], [0, 0, 0, 51], [0, 0, 0, 255]], [0, 0.2, 1]),
    "two colours": ([[255, 255, 255, 0], [255, 255, 255, 51], [0, 0, 0, 255]], [0, 0.2, 0]),
    "one colour, opaque": ([[255, 0, 0, 255], [255, 0, 0, 255]], [76 / 255, 76 / 255]),
    "one colour, evenly thin": ([[255, 255, 255, 51], [255, 255, 255, 51]], [0.2, 0.2]),
    "nothing": ([[255, 255, 255, 0], [9, 9, 9, 0]], [0, 0]),
    "grey, one level": ([[40, 0], [40, 51], [40, 255]], [0, 0.2, 1]),
    "grey levels": ([[40, 255], [51, 51], [255, 0]], [40 / 255, 0.04, 0]),
}


@pytest.mark.parametrize("kind", MASKS)
def test_masks_with_an_alpha(tmp_path, capfd, kind):
    pixels, expected = MASKS[kind]
    Image.fromarray(np.uint8([pixels])).save(tmp_path / "a.png")
    capfd.readouterr()
    assert_mask(tmp_path / "a.png", [expected])
    assert capfd.readouterr() == ("", "")


def test_a_mask_of_unknown_range_is_refused(tmp_path):
    Image.fromarray(np.array([[0, 255]], np.float32)).save(tmp_path / "f.tif")
    with pytest.raises(ValueError, match=r"f\.tif: grey values outside 0 to 1"):
        pictures.load_grey(tmp_path / "f.tif")
