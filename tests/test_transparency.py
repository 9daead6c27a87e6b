"""Pictures with transparent parts: read with their alpha, shrunk, continued where nothing shows, and saved."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from test_images import DISPLAY_P3, TRANSPARENT, noise, write_png

import nst_utils
from nst_support import pictures
from nst_support.transparency import continued


def loaded(path, **options):
    """Image (n_H, n_W, 3) and alpha (n_H, n_W) or None, after checking the contract."""
    image, alpha = pictures.load_with_alpha(path, **options)
    assert isinstance(image, np.ndarray) and image.dtype == np.float32
    assert image.ndim == 4 and image.shape[0] == 1 and image.shape[3] == 3
    values = image[0]
    assert values.min() >= 0 and values.max() <= 1
    if alpha is not None:
        assert isinstance(alpha, np.ndarray) and alpha.dtype == np.float32 and alpha.shape == values.shape[:2]
        assert alpha.min() >= 0 and alpha.max() <= 1
    return values, alpha


def cutout(path, hidden, visible=None, alpha=None):
    """A PNG of 48 x 60 px: a disc with a soft rim, and `hidden` as the colour where nothing of it shows."""
    y, x = np.mgrid[:48, :60]
    if alpha is None:
        alpha = np.clip(16 - np.hypot(x - 31, y - 22), 0, 1)
    pixels = np.dstack([noise(48, 60) if visible is None else visible, np.uint8(np.rint(alpha * 255))])
    pixels[pixels[..., 3] == 0, :3] = hidden
    Image.fromarray(pixels).save(path)
    return pixels


# --- Reading -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("long_side", [None, 20])
@pytest.mark.parametrize("kind", ["RGB", "RGBA", "L", "I;16"])
def test_an_opaque_picture_is_what_load_image_gives(tmp_path, capfd, kind, long_side):
    image = Image.fromarray(noise())
    image = Image.fromarray(noise().astype(np.uint16)[..., 0] * 257) if kind == "I;16" else image.convert(kind)
    image.save(tmp_path / "a.png")
    capfd.readouterr()
    values, alpha = loaded(tmp_path / "a.png", long_side=long_side)
    assert alpha is None
    assert np.array_equal(values, nst_utils.load_image(tmp_path / "a.png", long_side)[0])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", TRANSPARENT)
def test_every_kind_of_transparency(tmp_path, capfd, kind):
    *picture, over_white = TRANSPARENT[kind]
    path = write_png(tmp_path / "a.png", *picture)
    capfd.readouterr()
    values, alpha = loaded(path)
    assert capfd.readouterr() == ("", "")
    assert alpha.min() < 1
    shown = 255 * (values * alpha[..., None] + 1 - alpha[..., None])
    np.testing.assert_allclose(shown, [over_white], atol=1)


def test_colours_that_show_a_little_are_the_file_s(tmp_path):
    pixels = cutout(tmp_path / "a.png", (0, 255, 0))
    values, alpha = loaded(tmp_path / "a.png")
    assert np.array_equal(alpha, pixels[..., 3].astype(np.float32) / 255)
    partly = (alpha > 0) & (alpha < 1)
    assert partly.sum() > 50
    assert np.array_equal(values[alpha > 0], (pixels[..., :3].astype(np.float32) / 255)[alpha > 0])


@pytest.mark.parametrize("long_side", [None, 60, 37, 20, 7, 1])
def test_hidden_colours_are_nowhere(tmp_path, long_side):
    results = []
    for i, hidden in enumerate([(0, 255, 0), (255, 0, 255), (255, 255, 255)]):
        cutout(tmp_path / f"{i}.png", hidden)
        results.append(loaded(tmp_path / f"{i}.png", long_side=long_side))
    for values, alpha in results[1:]:
        assert np.array_equal(values, results[0][0]) and np.array_equal(alpha, results[0][1])


def test_one_colour_stays_that_colour_everywhere(tmp_path):
    """Neither hidden colours, nor black or white, nor Lanczos' overshoot come in at the rim."""
    visible = np.full((48, 60, 3), (51, 102, 204), np.uint8)
    cutout(tmp_path / "a.png", (255, 255, 255), visible)
    for long_side in (None, 31, 13):
        values, alpha = loaded(tmp_path / "a.png", long_side=long_side)
        assert alpha.min() == 0 and alpha.max() > 0.999
        np.testing.assert_allclose(values, np.broadcast_to([0.2, 0.4, 0.8], values.shape), atol=1e-5)


def weights(n, m):
    """Pillow's Hamming filter from n to m pixels, in float64: sinc times Hamming's window, wide as the step."""
    scale = n / m
    x = ((np.arange(n) + 0.5) - (np.arange(m)[:, None] + 0.5) * scale) / scale
    w = np.where(np.abs(x) < 1, np.sinc(x) * (0.54 + 0.46 * np.cos(np.pi * x)), 0)
    return w / w.sum(1, keepdims=True)


def test_a_pixel_counts_as_much_as_it_shows(tmp_path):
    rng = np.random.default_rng(4)
    pixels = rng.integers(0, 256, (40, 60, 4), dtype=np.uint8)
    pixels[..., 3] = rng.integers(0, 100, (40, 60))  # so that alpha is below a half after shrinking, too
    Image.fromarray(pixels).save(tmp_path / "a.png")
    values, alpha = loaded(tmp_path / "a.png", long_side=15)
    down, across = weights(40, 10), weights(60, 15)
    a = pixels[..., 3] / 255
    expected_alpha = down @ a @ across.T
    expected = np.stack([down @ (a * c / 255) @ across.T for c in np.moveaxis(pixels[..., :3], -1, 0)], -1)
    np.testing.assert_allclose(alpha, expected_alpha, atol=1e-5)
    np.testing.assert_allclose(values, expected / expected_alpha[..., None], atol=1e-4)


def test_the_opaque_part_is_shrunk_as_by_load_image(tmp_path):
    y, x = np.mgrid[:48, :60]
    smooth = np.stack([127 + 100 * np.sin(x / 5), 127 + 100 * np.cos(y / 7), 2 * x + y], -1).astype(np.uint8)
    cutout(tmp_path / "a.png", (0, 255, 0), smooth)
    values, alpha = loaded(tmp_path / "a.png", long_side=30)
    inside = np.hypot(*np.ogrid[-11:13, -15.5:14.5]) < 7 - 3  # where Lanczos, 3 px wide, meets opaque pixels only
    assert inside.sum() > 40 and (alpha[inside] > 1 - 1e-6).all()
    opaque = nst_utils.load_image(tmp_path / "a.png", 30).numpy()[0]
    np.testing.assert_allclose(values[inside], opaque[inside], atol=1.2 / 255)  # which rounds twice


def test_a_profile_applies_and_the_picture_is_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # row 0 as stored is the right edge
    pixels = np.uint8([[[234, 51, 35, 255], [234, 51, 35, 51], [0, 0, 0, 0]]])
    Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=DISPLAY_P3, exif=exif)
    values, alpha = loaded(tmp_path / "a.png")
    np.testing.assert_allclose(alpha, [[1], [0.2], [0]], atol=1e-7)
    np.testing.assert_allclose(values, [[[1, 0, 0]]] * 3, atol=2 / 255)


def test_a_picture_that_shows_nothing_is_refused(tmp_path):
    cutout(tmp_path / "a.png", (255, 0, 0), alpha=np.zeros((48, 60)))
    with pytest.raises(ValueError, match=r"a\.png: transparent everywhere: nothing to show"):
        pictures.load_with_alpha(tmp_path / "a.png")
    assert np.array_equal(nst_utils.load_image(tmp_path / "a.png"), np.ones((1, 48, 60, 3)))


def test_a_single_visible_pixel_survives_any_shrinking(tmp_path):
    for place in ((0, 0), (24, 30), (47, 59), (16, 20)):
        alpha = np.zeros((48, 60))
        alpha[place] = 1
        cutout(tmp_path / "a.png", (0, 255, 0), np.full((48, 60, 3), (204, 51, 0), np.uint8), alpha)
        for long_side in (30, 20, 15, 1):
            values, found = loaded(tmp_path / "a.png", long_side=long_side)
            assert found.max() > 0
            np.testing.assert_allclose(values, np.broadcast_to([0.8, 0.2, 0], values.shape), atol=1e-4)


@pytest.mark.parametrize("long_side", [0, -5, 2.5, "400"])
def test_bad_long_side(tmp_path, long_side):
    with pytest.raises(ValueError, match="long_side is a whole number of pixels"):
        pictures.load_with_alpha(tmp_path / "no.png", long_side=long_side)


# --- Continued where nothing shows -------------------------------------------------------------------------


def test_each_place_continues_what_is_nearest():
    colours, weight = np.full((40, 90, 3), np.nan, np.float32), np.zeros((40, 90), np.float32)
    colours[:, :5], weight[:, :5] = (1, 0, 0.5), 1
    colours[:, -5:], weight[:, -5:] = (0, 1, 0.5), 1
    colours = np.nan_to_num(colours, nan=7)  # a value that would be seen, were it used
    result = continued(colours, weight)
    np.testing.assert_allclose(result[..., 2], 0.5, atol=1e-6)
    np.testing.assert_allclose(result[..., 0] + result[..., 1], 1, atol=1e-6)
    red = result[..., 0]
    assert (red[:, :12] > 0.95).all() and (red[:, -12:] < 0.05).all()
    assert (np.abs(red[:, 44:46] - 0.5) < 0.1).all()
    steps = np.diff(red, axis=1)
    assert steps.max() < 1e-6 and steps.min() > -0.1  # never back, and never in a jump


def test_no_rim_beside_a_gradient():
    y, x = np.mgrid[:64, :64].astype(np.float32)
    colours = np.stack([x / 64, y / 64, (x + y) / 128], -1)
    weight = (np.hypot(x - 32, y - 32) < 20).astype(np.float32)
    result = continued(colours * weight[..., None], weight)
    assert np.array_equal(result[weight > 0], colours[weight > 0])
    outside = result[weight == 0]
    for channel in range(3):
        shown = colours[weight > 0][:, channel]
        assert shown.min() - 1e-6 <= outside[:, channel].min() and outside[:, channel].max() <= shown.max() + 1e-6
    for axis in (0, 1):  # the gradient steps by 1/64; black or white beside it would be a step of 0.2 and more
        assert np.abs(np.diff(result, axis=axis)).max() < 0.07


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 1), (5, 8), (33, 17)])
def test_sizes_that_do_not_halve(shape):
    weight = np.zeros(shape, np.float32)
    weight[-1, -1] = 1e-3
    colours = np.full((*shape, 3), 9, np.float32)
    colours[-1, -1] = 0.25
    np.testing.assert_allclose(continued(colours, weight), np.full((*shape, 3), 0.25), atol=1e-6)


# --- Saving ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["png", "webp", "tif", "tiff", "PNG"])
def test_alpha_and_the_colours_beneath_it_are_kept(tmp_path, ending):
    alpha = np.arange(0, 256).reshape(16, 16) + np.linspace(-0.4, 0.4, 16)
    alpha[0, :4] = 0
    path = pictures.save_image(noise(16, 16)[None] / 255, tmp_path / f"a.{ending}", alpha=alpha.clip(0, 255) / 255)
    with Image.open(path) as image:
        assert image.mode == "RGBA"
        assert np.array_equal(np.asarray(image), np.dstack([noise(16, 16), np.rint(alpha)]))
    values, found = loaded(path)
    assert np.array_equal(found, np.float32(np.rint(alpha)) / np.float32(255))
    assert np.array_equal(values[found > 0], (np.float32(noise(16, 16)) / 255)[found > 0])


def test_what_can_be_an_alpha(tmp_path):
    for alpha in (tf.fill((40, 50), 0.2), np.full((40, 50), 0.2), np.full((40, 50), 0.2, np.float16)):
        path = pictures.save_image(noise() / 255, tmp_path / "a.png", alpha=alpha)
        assert np.unique(np.asarray(Image.open(path))[..., 3]).tolist() == [51]
    almost = np.full((40, 50), 1 + 1e-6)  # as resizing leaves it
    path = pictures.save_image(noise() / 255, tmp_path / "a.png", alpha=almost)
    assert np.asarray(Image.open(path))[..., 3].min() == 255


@pytest.mark.parametrize(("ending", "name"), [("jpg", "JPEG"), ("jpeg", "JPEG"), ("bmp", "BMP")])
def test_formats_without_transparency_say_so(tmp_path, ending, name):
    with pytest.raises(ValueError) as caught:
        pictures.save_image(noise() / 255, tmp_path / "new" / f"a.{ending}", alpha=np.ones((40, 50)))
    path = tmp_path / "new" / f"a.{ending}"
    assert str(caught.value) == f"{path}: a {name} holds no transparency. Use .png, .webp or .tif."
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(50, 40), (1, 40, 50), (40, 50, 1), (2000,), (), (1, 1)])
def test_an_alpha_of_another_shape_is_refused(tmp_path, shape):
    with pytest.raises(ValueError) as caught:
        pictures.save_image(noise() / 255, tmp_path / "a.png", alpha=np.ones(shape))
    assert f"alpha has the image's n_H and n_W, (40, 50), not {shape}." in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("bad", "advice"), [(-0.1, "Clip it"), (1.1, "Clip it"), (255, "Divide it by 255"), (np.nan, ""), (np.inf, "")]
)
def test_an_alpha_outside_its_range_is_refused(tmp_path, bad, advice):
    alpha = np.ones((40, 50))
    alpha[3, 4] = bad
    with pytest.raises(ValueError, match=rf"a\.png: alpha has values from .*it lies in \[0, 1\]\. {advice}"):
        pictures.save_image(noise() / 255, tmp_path / "a.png", alpha=alpha)
    assert not list(tmp_path.iterdir())
