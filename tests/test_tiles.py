"""J tile by tile is J, and so is its gradient: at every tile size, at borders and corners too."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from conftest import picture

import nst_utils as nst
from studio.objective import Objective
from studio.regions import Region
from studio.settings import Settings
from studio.spans import margin, reach, spans, stride, tiles
from studio.tiles import TiledObjective

CONTENT = ("conv4_1", "conv4_2")  # of the two kinds of statistics
# Sums in another order: float32 rounds each of their additions by up to 6e-8, and the untiled one adds tens of
# thousands of squares of one sign; found: 3.4e-6 of J. Gradients are told against their own largest value, because
# where terms cancel a value near 0 has the error of those; found: 6e-7.
OF_J, OF_GRADIENT = 1e-5, 3e-6


@pytest.fixture(scope="module")
def deep_vgg(random_weights):
    return nst.build_vgg19(random_weights, (*CONTENT, *nst.STYLE_LAYERS))


# ------------------------------------------------------------------------------------ where tiles are


def test_the_reach_is_that_of_the_network(deep_vgg):
    """The gradient of the positions beyond a cut vanishes at `reach` pixels before it, and not at one less."""
    ones = {layer.name: layer.get_weights() for layer in deep_vgg.layers if layer.name in nst.LAYERS}
    ones = {name: (np.abs(kernel) + 0.01, 0 * bias + 1e4) for name, (kernel, bias) in ones.items()}
    layers, cut = ("conv1_1", "conv2_1", "conv3_1", "conv4_2", "conv5_1"), 96
    vgg = nst.build_vgg19(ones, layers)
    G = tf.fill((1, 16, 192, 3), 0.5)
    for layer in layers:
        for inside in (np.s_[:, :, cut // stride(layer) :], np.s_[:, :, : cut // stride(layer)]):
            with tf.GradientTape() as tape:
                tape.watch(G)
                J = tf.reduce_sum(vgg(G)[layer][inside])
            columns = np.flatnonzero(np.abs(tape.gradient(J, G)).sum((0, 1, 3)))
            seen = columns[0] if inside[2].stop is None else 191 - columns[-1]
            assert seen == cut - reach(layer)


def test_the_margin_is_70_px_rounded_up_to_80():
    assert (reach("conv5_1"), margin("conv5_1")) == (70, 80)
    assert (margin("conv1_1"), margin("conv1_2"), margin("conv2_1"), reach("conv3_1")) == (1, 2, 4, 10)


@pytest.mark.parametrize("n", [16, 17, 100, 512, 1009])
@pytest.mark.parametrize("side", [1, 16, 50, 64, 5000])
def test_every_pixel_is_owned_once_and_seen_with_its_margin(n, side):
    found = spans(n, side, "conv5_1")
    assert [x for span in found for x in range(span.start, span.stop)] == list(range(n))
    for span in found:
        assert 0 < span.stop - span.start <= -(-side // 16) * 16
        assert span.first == max(0, span.start - 80) and span.last == min(n, span.stop + 80)
        assert span.start % 16 == 0 and span.first % 16 == 0
        assert span.stop == n or span.stop % 16 == 0
    assert max(s.stop - s.start for s in found) < min(s.stop - s.start for s in found[:-1] or found) + 16


# ------------------------------------------------------------------------------------ the same J and gradient


def both(vgg, C, style, settings, side):
    untiled, tiled = Objective(vgg, C, style, settings), TiledObjective(vgg, C, style, settings, side=side)
    G = nst.start_image(C, "course", seed=2)
    for ours, theirs in zip(tiled(G), untiled(G), strict=True):
        assert float(theirs) > 0
        assert float(ours) == pytest.approx(float(theirs), rel=OF_J)
    (J, ours), (J_too, theirs) = tiled.value_and_gradient(G), untiled.value_and_gradient(G)
    assert float(J) == pytest.approx(float(J_too), rel=OF_J)
    assert ours.shape == G.shape and ours.dtype == np.float32
    largest = np.abs(theirs).max()
    assert largest > 0
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=OF_GRADIENT * largest)
    return untiled, tiled


@pytest.mark.parametrize("side", [1, 48, 100, 128, 1000])
@pytest.mark.parametrize("statistics", ["covariance", "gram"])
def test_tiled_is_untiled(deep_vgg, S, statistics, side):
    """Covariances with mirrored padding, Gram matrices with zeros."""
    settings = Settings(statistics=statistics, tv_weight=0.1)
    vgg = deep_vgg.twin(settings.manner.padding)
    C = picture(203, 138, 5) if side > 1 else picture(35, 34, 5)
    assert len(tiles(C.shape[1:3], side, "conv5_1")) == {1: 9, 48: 15, 100: 6, 128: 4, 1000: 1}[side]
    untiled, tiled = both(vgg, C, S, settings, side)
    assert tiled.weights.alpha == pytest.approx(untiled.weights.alpha, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("n_H", "n_W"), [(16, 16), (17, 213), (210, 31)])
@pytest.mark.parametrize(("padding", "pooling"), itertools.product(("zero", "mirror"), ("average", "max")))
def test_at_odd_sizes_with_every_border_and_pool(deep_vgg, S, n_H, n_W, padding, pooling):
    both(deep_vgg.twin(padding, pooling=pooling), picture(n_H, n_W, 6), S, Settings(), 64)


def test_with_several_styles_masks_and_a_style_that_takes_tiles(deep_vgg):
    C, S = picture(130, 170, 7), picture(150, 190, 8)
    mask = tf.cast(picture(130, 170, 9)[..., :1] > 0.5, tf.float32)
    left = tf.cast(tf.range(170)[None, None, :, None] < 40, tf.float32) * tf.ones((1, 130, 1, 1))
    of_style = picture(150, 190, 10)[..., :1]
    regions = [
        Region((S, picture(40, 50, 11)), (0.3, 0.7), (of_style, None), mask),
        Region((picture(64, 64, 12),), mask=left),
        Region((S,), style_masks=(tf.cast(of_style > 0.9, tf.float32) * left[:, :1, :1] + 0 * of_style,)),
    ]
    assert float(tf.reduce_sum(regions[2].style_masks[0])) > 0
    untiled, tiled = both(deep_vgg.twin("mirror"), C, regions, Settings(), 64)
    for ours, theirs in zip(tiled.target["style"], untiled.target["style"], strict=True):
        for name, layer in theirs["layers"].items():
            np.testing.assert_allclose(ours["layers"][name]["second"], layer["second"], rtol=1e-4, atol=1e-6)


def test_a_shallower_network_has_smaller_margins(random_weights, S):
    vgg = nst.build_vgg19(random_weights, ("conv1_1", "conv2_2"))
    both(vgg, picture(37, 51, 3), S, Settings(content_layer="conv2_2", style_layers=("conv1_1", "conv2_2")), 10)


def test_in_bfloat16_too_and_with_the_same_weights(deep_vgg, S):
    C, settings = picture(120, 90, 4), Settings()
    exact = TiledObjective(deep_vgg, C, S, settings, side=64)
    quick = TiledObjective(deep_vgg.in_bfloat16, C, S, settings, alike=exact, side=64)
    untiled = Objective(deep_vgg.in_bfloat16, C, S, settings, alike=exact)
    G = nst.start_image(C, "course")
    assert quick.weights is exact.weights
    assert float(quick(G)[0]) == pytest.approx(float(untiled(G)[0]), rel=1e-2)
    assert quick.target["content"]["conv4_1"].nbytes * 2 == exact.target["content"]["conv4_1"].nbytes


def test_the_same_every_time(deep_vgg, S):
    C = picture(120, 90, 4)
    objective = TiledObjective(deep_vgg, C, S, Settings(), side=48)
    (J, gradient), (J_again, again) = (objective.value_and_gradient(C) for _ in range(2))
    assert float(J) == float(J_again)
    np.testing.assert_array_equal(gradient, again)


def test_one_graph_for_tiles_of_every_shape(random_weights, S, monkeypatch):
    vgg = nst.build_vgg19(random_weights, (*CONTENT, *nst.STYLE_LAYERS))
    traces, whole_call = [], type(vgg).__call__
    monkeypatch.setattr(type(vgg), "__call__", lambda self, x: traces.append(x.shape) or whole_call(self, x))
    for n, side in ((90, 32), (131, 64), (60, 64)):
        objective = TiledObjective(vgg, picture(n, n + 3, 1), S, Settings(), side=side)
        objective(picture(n, n + 3, 2)), objective.value_and_gradient(picture(n, n + 3, 2))
    assert len(traces) == 4  # a_C, the moments of S, the sums, their gradient
