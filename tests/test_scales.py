"""Between sizes: an enlargement without new frequencies, detail that is kept, fine lines that are not."""

import numpy as np
import pytest
import tensorflow as tf

import nst_utils as nst
from studio import scales
from studio.axes import LEAST, notch, share_along_axes, without_lines
from studio.lbfgs import natural_filter
from studio.scales import carried_up, enlarged, ladder, seeded, style_at


def cosine(n_H, n_W, down, across):
    """cos of so many half periods per picture, at the centres of its pixels."""
    y, x = ((np.arange(n) + 0.5) / n for n in (n_H, n_W))
    wave = np.cos(np.pi * down * y)[:, None] * np.cos(np.pi * across * x)
    return np.float32(np.repeat(wave[None, ..., None], 3, -1))


@pytest.mark.parametrize(("small", "large"), [((8, 9), (16, 18)), ((7, 10), (13, 21)), ((5, 5), (5, 11))])
def test_an_enlarged_cosine_is_that_cosine(small, large):
    for down, across in ((0, 0), (1, 3), (4, 2)):
        there = enlarged(cosine(*small, down, across), large)
        np.testing.assert_allclose(there, cosine(*large, down, across), atol=1e-5)


def test_carrying_up_keeps_the_detail_that_the_coarse_picture_lacks():
    C = tf.random.stateless_uniform((1, 20, 24, 3), (1, 2), 0.3, 0.7)
    c = tf.image.resize(C, (10, 12), "area")
    np.testing.assert_allclose(carried_up(c, c, C), C, atol=1e-6)
    np.testing.assert_allclose(carried_up(c + 0.1, c, C), C + 0.1, atol=1e-5)


def lines(n=64):
    return np.float32(np.broadcast_to(0.5 + 0.2 * (-1.0) ** np.arange(n)[:, None, None], (1, n, n, 3)))


def test_lines_along_an_axis_are_measured_and_taken_out_and_others_are_not():
    noise = np.float32(np.random.default_rng(0).uniform(0.3, 0.7, (1, 64, 64, 3)))
    assert share_along_axes(noise) == pytest.approx(1, abs=0.35)
    assert share_along_axes(noise + lines() - 0.5) > 10
    assert np.std(without_lines(lines(), 0.1)) == pytest.approx(0.1 * np.std(lines()), rel=0.05)
    np.testing.assert_allclose(without_lines(lines(), 1.0), lines(), atol=1e-5)
    y, x = np.mgrid[:64, :64]
    slanted = np.float32(np.repeat((0.5 + 0.2 * np.cos(2 * np.pi * (0.3 * x + 0.3 * y)))[None, ..., None], 3, -1))
    np.testing.assert_allclose(without_lines(slanted, 0.1), slanted, atol=0.02)


def test_a_flat_picture_has_no_lines():
    assert share_along_axes(np.full((1, 40, 50, 3), 0.5, np.float32)) == 0
    assert notch(40, 50, 0.5)[0, 0] == 1  # brightness itself passes


def test_the_notched_filter_is_still_symmetric_and_positive():
    shape = (1, 12, 12, 3)
    P = natural_filter(shape, LEAST)
    matrix = np.stack([np.ravel(P(np.float32(e.reshape(shape)))) for e in np.eye(432)])
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-5)
    assert np.linalg.eigvalsh(matrix).min() > 0


def test_noise_is_where_the_picture_is_flat_the_same_for_a_seed_and_in_range():
    flat, busy = np.full((1, 40, 40, 3), 0.9), np.random.default_rng(1).uniform(size=(1, 40, 40, 3))
    C = tf.constant(np.concatenate([flat, busy], 2), tf.float32)
    G = seeded(C, 3)
    change = np.abs(G - C)
    assert change[:, :, :30].mean() > 0.03 and change[:, :, 50:].mean() < 0.005
    assert np.min(G) >= 0 and np.max(G) <= 1
    np.testing.assert_array_equal(G, seeded(C, 3))
    assert np.abs(seeded(C, 4) - G).mean() > 0.01


def test_the_ladder_halves_and_stops_before_the_picture_vanishes():
    assert ladder((300, 400), None, 16) == ([(150, 200), (300, 400)], [80, 60])
    assert ladder((40, 800), None, 16)[0] == [(20, 400), (40, 800)]
    assert ladder((300, 400), (5, 6, 7), 16) == ([(75, 100), (150, 200), (300, 400)], [5, 6, 7])
    assert ladder((300, 400), 9, 16) == ([(300, 400)], [9])


@pytest.mark.parametrize(
    ("long_side", "counts"),
    [
        (1200, [80, 80, 80, 25]),
        (2000, [80, 80, 80, 25]),
        (4000, [80, 80, 80, 40, 12]),
        (8000, [80, 80, 80, 40, 20, 10]),
    ],
)
def test_very_large_sizes_are_searched_with_few_evaluations(long_side, counts):
    assert ladder((long_side * 3 // 4, long_side), None, 16)[1] == counts


def test_a_picture_is_shrunk_in_pieces_as_it_is_whole(monkeypatch):
    image = tf.random.stateless_uniform((1, 600, 530, 3), (0, 1))
    whole = scales.resized(image, (123, 301))
    monkeypatch.setattr(scales, "PIECE", 1000)
    np.testing.assert_allclose(scales.resized(image, (123, 301)), whole, atol=2e-6)
    np.testing.assert_allclose(scales.resized(image.numpy(), (123, 301)), whole, atol=2e-6)


def test_s_follows_c_and_is_never_enlarged():
    S = tf.random.stateless_uniform((1, 60, 90, 3), (0, 1))
    assert style_at(S, 45, 16).shape == (1, 30, 45, 3)
    assert style_at(S, 400, 16) is S
    assert style_at(S, 15, 16).shape == (1, 16, 24, 3)


def test_with_mirrored_borders_a_flat_picture_stays_flat(random_weights):
    """Zero padding makes activations differ at the border; mirrored padding does not."""
    flat = tf.fill((1, 64, 64, 3), 0.7)
    for padding in ("zero", "mirror"):
        vgg = nst.build_vgg19(random_weights, ("conv4_1",), padding=padding)
        spread = float(tf.reduce_max(tf.math.reduce_std(vgg(flat)["conv4_1"], (1, 2))))
        assert (spread < 1e-4) == (padding == "mirror")


def test_mirrored_padding_is_numpys(random_weights, C):
    kernel, bias = random_weights["conv1_1"]
    x = np.pad(np.float64(C)[0, ..., ::-1] * 255 - [103.939, 116.779, 123.68], ((1, 1), (1, 1), (0, 0)), "symmetric")
    n_H, n_W = C.shape[1:3]
    a = sum(x[i : i + n_H, j : j + n_W] @ np.float64(kernel[i, j]) for i in range(3) for j in range(3)) + bias
    vgg = nst.build_vgg19(random_weights, ("conv1_1",), padding="mirror")
    np.testing.assert_allclose(vgg(C)["conv1_1"][0], np.maximum(a, 0), rtol=1e-4, atol=1e-3)
