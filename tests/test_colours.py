"""Colours changed to another picture's: the moments, the brightness and the hue that must come out, in float64."""

from pathlib import Path

import numpy as np
import pytest
import scipy.linalg

import nst_utils as nst
from studio.colours import colour_map, recoloured, with_colours_of
from tests.conftest import picture

IMAGES = Path(__file__).parents[1] / "images"
Y = np.array([0.299, 0.587, 0.114])


def colours(image):
    return np.asarray(image, np.float64).reshape(-1, 3)


def mapped(S, C, *weights):
    """S's colours through the map, not clipped."""
    A, b = colour_map(S, C, *weights)
    return np.array([A @ x + b for x in colours(S)])


def assert_moments(actual, wanted, actual_weights=None, wanted_weights=None, within=1e-9):
    assert np.std(wanted, axis=0).max() > 0.05  # or there would be nothing to compare
    for f in (lambda x, w: np.average(x, 0, w), lambda x, w: np.cov(x.T, ddof=0, aweights=w)):
        np.testing.assert_allclose(f(actual, actual_weights), f(wanted, wanted_weights), atol=within)


def grey(image):
    return np.repeat(np.asarray(image, np.float32) @ np.float32(Y)[:, None], 3, -1)


def test_the_mean_and_the_covariance_are_those_of_c(S, C):
    assert_moments(mapped(S, C), colours(C))
    assert np.abs(mapped(S, C) - colours(S)).mean() > 0.02


@pytest.mark.parametrize(
    ("style", "content", "within"),
    [("ink_wash", "persepolis", 1e-3), ("poppies", "rocket", 1e-6), ("girih_tiles", "astronaut", 1e-6)],
)
def test_the_moments_of_real_pictures(style, content, within):
    """Washes of ink are nearly grey: the third direction of their colours is below the least spread."""
    S = nst.load_image(IMAGES / "style" / f"{style}.jpg", 120)
    C = nst.load_image(IMAGES / "content" / f"{content}.jpg", 120)
    assert_moments(mapped(S, C), colours(C), within=within)


def test_the_change_is_symmetric_positive_and_the_least_of_all(S, C):
    """The oracle: any other A with those moments is root_C Q root_S^(-1) with Q orthogonal, and moves colours more."""
    A, _ = colour_map(S, C)
    np.testing.assert_allclose(A, A.T, atol=1e-9)
    assert np.linalg.eigvalsh(A).min() > 0
    x, target = colours(S), colours(C)
    least = np.mean((mapped(S, C) - x) ** 2)
    root_S, root_C = (np.real(scipy.linalg.sqrtm(np.cov(each.T, ddof=0))) for each in (x, target))
    others = [np.eye(3), *(np.linalg.qr(np.random.default_rng(i).normal(size=(3, 3)))[0] for i in range(20))]
    for Q in others:
        other = (x - x.mean(0)) @ (root_C @ Q @ np.linalg.inv(root_S)).T + target.mean(0)
        assert_moments(other, target)
        assert np.mean((other - x) ** 2) > least


def test_a_change_of_scale_worked_by_hand():
    """Independent colours: each is stretched by the quotient of the spreads, 1/2, 3/2 and 1."""
    corners = np.array(np.meshgrid(*[[-1.0, 1.0]] * 3)).reshape(3, -1).T.reshape(1, 2, 4, 3)
    S = 0.5 + corners * [0.2, 0.2, 0.2]
    C = [0.4, 0.5, 0.6] + corners * [0.1, 0.3, 0.2]
    A, b = colour_map(S, C)
    np.testing.assert_allclose(A, np.diag([0.5, 1.5, 1.0]), atol=1e-12)
    np.testing.assert_allclose(b, [0.4 - 0.25, 0.5 - 0.75, 0.6 - 0.5], atol=1e-12)
    np.testing.assert_allclose(recoloured(np.float32(S), np.float32(C)), C, atol=1e-6)


def test_the_picture_is_the_map_clipped(S):
    C = np.float32(picture(20, 30, 5)) ** np.float32(0.2)  # mostly bright, so that some of it is clipped
    raw = mapped(S, C).reshape(S.shape)
    image = recoloured(S, C)
    assert nst.tf.is_tensor(image) and image.dtype == nst.tf.float32 and image.shape == S.shape
    assert raw.max() > 1.005
    np.testing.assert_allclose(image, raw.clip(0, 1), atol=1e-6)
    np.testing.assert_array_equal(image, recoloured(S.numpy(), nst.tf.constant(C)))


def test_a_picture_in_its_own_colours_is_itself(S):
    np.testing.assert_allclose(recoloured(S, S), S, atol=1e-6)


def test_only_visible_pixels_count(S, C):
    """Weights, against the same pictures with the others cut away, and against repeated pixels."""
    mask_S, mask_C = np.zeros(S.shape[1:3]), np.zeros(C.shape[1:3], np.uint8)
    mask_S[:, :20], mask_C[10:] = 0.5, 255  # their scale does not matter
    expected = colour_map(S[:, :, :20], C[:, 10:])
    for actual, wanted in zip(colour_map(S, C, mask_S, mask_C), expected, strict=True):
        np.testing.assert_allclose(actual, wanted, atol=1e-9)
    assert np.abs(expected[0] - colour_map(S, C)[0]).max() > 0.05
    twice = np.where(np.arange(C.shape[2]) < 5, 2, 1) * np.ones(C.shape[1:3])
    repeated = np.concatenate([C, C[:, :, :5]], 2)
    np.testing.assert_allclose(colour_map(S, C, None, twice)[0], colour_map(S, repeated)[0], atol=1e-9)
    assert_moments(mapped(S, C, mask_S, twice), colours(C), mask_S.ravel(), twice.ravel())
    assert recoloured(S, C, mask_S, mask_C).shape == S.shape


def test_a_grey_style_gets_the_contrast_of_c_and_the_tint_that_goes_with_brightness(S, C):
    """The oracle: least squares of C's colours on the sum of its channels."""
    raw = mapped(grey(S), C)
    np.testing.assert_allclose(raw.mean(0), colours(C).mean(0), atol=1e-3)
    assert raw.sum(1).std() == pytest.approx(colours(C).sum(1).std(), rel=0.02)
    brightness = colours(C).sum(1)
    slope = [np.polyfit(brightness, channel, 1)[0] for channel in colours(C).T]
    assert np.ptp(slope) > 0.02
    found = [np.polyfit(raw.sum(1), channel, 1)[0] for channel in raw.T]
    np.testing.assert_allclose(found, slope, atol=0.01)


def test_rounding_of_a_grey_style_does_not_become_noise(C):
    C = 0.3 + 0.4 * C  # about as colourful as a photograph
    S = grey(picture(40, 50, 3)) + np.random.default_rng(0).uniform(-0.5, 0.5, (1, 40, 50, 3)).astype(np.float32) / 255
    spread = np.std(mapped(S, C) - mapped(grey(S), C))
    assert 0 < spread < 0.02  # without a least spread, it would be C's own, 0.1
    assert np.std(colours(C - grey(C))) > 0.05


@pytest.mark.parametrize("flat", [0.0, 0.3, 1.0])
def test_a_flat_picture_on_either_side(flat, S, C):
    plain = np.full((1, 10, 12, 3), [flat, 0.5, flat], np.float32)
    np.testing.assert_allclose(recoloured(plain, C), np.broadcast_to(colours(C).mean(0), plain.shape), atol=1e-6)
    np.testing.assert_allclose(recoloured(S, plain), np.broadcast_to(plain[0, 0, 0], S.shape), atol=1e-6)
    np.testing.assert_allclose(recoloured(plain, plain), plain, atol=1e-6)


def test_a_grey_content_makes_the_style_grey(S, C):
    raw = mapped(S, grey(C))
    np.testing.assert_allclose(raw, raw.mean(1, keepdims=True) * np.ones(3), atol=1e-4)
    assert_moments(raw, colours(grey(C)), within=1e-4)
    np.testing.assert_allclose(recoloured(grey(S), grey(S)), grey(S), atol=1e-5)


def test_weights_that_make_no_sense_are_named(S, C):
    with pytest.raises(ValueError, match=r"weights_S of shape \(3, 4\): one number per pixel of S, so \(40, 35\)\."):
        recoloured(S, C, np.ones((3, 4)))
    for value in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="weights_C: numbers of 0 or more, and not all of them 0"):
            recoloured(S, C, None, np.full(C.shape[1:3], value))
    with pytest.raises(ValueError, match="C has values from"):
        recoloured(S, C * 255)


# --- G's brightness, C's colours -------------------------------------------------------------------------


@pytest.fixture
def G():
    """Of C's size, from black to white, so that many a colour would not fit."""
    return np.random.default_rng(4).uniform(0, 1, (1, 33, 46, 3)).astype(np.float32) ** np.float32(0.5)


def test_the_luma_is_that_of_g(G, C):
    image = with_colours_of(G, C)
    assert nst.tf.is_tensor(image) and image.dtype == nst.tf.float32 and image.shape == C.shape
    assert np.min(image) >= 0 and np.max(image) <= 1
    np.testing.assert_allclose(colours(image) @ Y, colours(G) @ Y, atol=1e-6)
    assert np.abs(colours(C) @ Y - colours(G) @ Y).mean() > 0.05


def test_the_hue_is_that_of_c_and_the_chroma_as_much_as_fits(G, C):
    """In YIQ, whose I and Q are computed here from their own coefficients."""
    IQ = np.array([[0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
    image = colours(with_colours_of(G, C))
    found, wanted = image @ IQ.T, colours(C) @ IQ.T
    across = found[:, 0] * wanted[:, 1] - found[:, 1] * wanted[:, 0]
    np.testing.assert_allclose(across, 0, atol=1e-5)
    assert np.all((found * wanted).sum(1) > -1e-6)
    share = np.linalg.norm(found, axis=1) / np.linalg.norm(wanted, axis=1)
    at_border = np.minimum(image, 1 - image).min(1) < 1e-5
    assert share.max() < 1.001 and 50 < at_border.sum() < 0.9 * len(image)
    np.testing.assert_allclose(share[~at_border], 1, atol=1e-3)  # only what would not fit is paler


def test_a_picture_with_its_own_colours_is_itself(C, G):
    np.testing.assert_allclose(with_colours_of(C, C), C, atol=1e-6)
    corners = np.float32(np.meshgrid(*[[0.0, 1.0]] * 3)).reshape(3, -1).T.reshape(1, 2, 4, 3)
    np.testing.assert_allclose(with_colours_of(corners, corners), corners, atol=1e-6)
    np.testing.assert_allclose(with_colours_of(nst.tf.constant(G), grey(C)), grey(G), atol=1e-5)


def test_colours_worked_by_hand():
    """Luma 0.9 and pure red, of luma 0.299: of R - Y = 0.701 there is room for 0.1, so a seventh of the chroma."""
    G, C = np.full((1, 1, 1, 3), 0.9, np.float32), np.float32([[[[1, 0, 0]]]])
    k = 0.1 / 0.701
    np.testing.assert_allclose(with_colours_of(G, C)[0, 0, 0], [1, 0.9 - 0.299 * k, 0.9 - 0.299 * k], atol=1e-6)
    for level in (0.0, 1.0):
        np.testing.assert_array_equal(with_colours_of(G * 0 + level, C), G * 0 + level)


def test_two_sizes_are_refused(S, C):
    with pytest.raises(ValueError, match=r"G 46x33 px and C 35x40 px: not of one size"):
        with_colours_of(C, S)
