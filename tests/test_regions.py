"""Several styles, and where each counts: J against float64 numpy, masks of ones against none, what does not fit."""

import numpy as np
import pytest
import tensorflow as tf
from conftest import picture

import nst_utils as nst
from studio.masks import check_aspect, check_mask, completed
from studio.objective import Objective, variation
from studio.optimise import Run, stylise
from studio.regions import Regions, at_layers
from studio.settings import MANNERS, Settings

ALL = ("covariance", "gram")


@pytest.fixture(scope="module")
def other():
    return picture(44, 38, 7)  # not larger than C, so looked at as it is


@pytest.fixture(scope="module")
def left(C):
    """1 on the left, 0 on the right, feathered between."""
    n_H, n_W = C.shape[1:3]
    return np.float32(np.clip((0.6 * n_W - np.arange(n_W)) / 12, 0, 1)[None] * np.ones((n_H, 1)))


def regions_of(C, styles, masks=(), style_masks=(), visible=None, **settings):
    names = [f"S {i}" for i, _ in enumerate(styles, 1)]
    regions = Regions(C, list(styles), names, masks, style_masks, visible, Settings(**settings))
    return regions.at(C.shape[1:3], 16)


def pooled(mask, layer):
    for _ in range(int(layer[4]) - 1):
        h, w = (n // 2 * 2 for n in mask.shape)
        mask = mask[:h, :w].reshape(h // 2, 2, w // 2, 2).mean((1, 3))
    return mask


def moments(vgg, image, layer, mask=None):
    """Float64 mean and covariance over the positions of a layer, each as often as the mask says."""
    F = np.float64(vgg(image)[layer])[0]
    F = F.reshape(-1, F.shape[-1])
    weights = np.ones(len(F)) if mask is None else np.float64(pooled(mask, layer)).ravel()
    mean = weights @ F / weights.sum()
    return mean, (weights[:, None] * (F - mean)).T @ (F - mean) / weights.sum()


def style_cost(vgg, G, targets, statistics, mask=None):
    """The relative squared errors of the five layers, in their shares. targets: {layer: (mean, covariance)}."""
    total = 0
    for layer, share in MANNERS[statistics].style_layers.items():
        (mean_S, cov_S), (mean_G, cov_G) = targets[layer], moments(vgg, G, layer, mask)
        if statistics == "gram":
            second_S, second_G = cov_S + np.outer(mean_S, mean_S), cov_G + np.outer(mean_G, mean_G)
        else:
            second_S, second_G = cov_S, cov_G + np.outer(mean_G - mean_S, mean_G - mean_S)
            total += share * np.sum((mean_G - mean_S) ** 2) / np.sum(mean_S**2)
        total += share * np.sum((second_S - second_G) ** 2) / np.sum(second_S**2)
    return total


LAYERS = tuple(nst.STYLE_LAYERS)


@pytest.mark.parametrize("statistics", ALL)
def test_with_regions_j_style_is_the_sum_of_each_ones_share_times_its_own_cost(
    small_vgg, C, S, other, left, statistics
):
    G, masks = nst.start_image(C, "course"), (left, 1 - left)
    objective = Objective(small_vgg, C, regions_of(C, (S, other), masks), Settings(statistics=statistics))
    expected = sum(
        mask.mean() * style_cost(small_vgg, G, {n: moments(small_vgg, s, n) for n in LAYERS}, statistics, mask)
        for s, mask in zip((S, other), masks, strict=True)
    )
    assert float(objective(G)[2]) == pytest.approx(expected, rel=2e-4)


@pytest.mark.parametrize("statistics", ALL)
def test_mixed_styles_are_compared_with_their_mixed_statistics(small_vgg, C, S, other, statistics):
    G, shares = nst.start_image(C, "course"), (0.75, 0.25)
    style = regions_of(C, (S, other), blend_weights=(3, 1), statistics=statistics)
    each = [{n: moments(small_vgg, s, n) for n in LAYERS} for s in (S, other)]
    targets = {}
    for n in LAYERS:
        mean = sum(share * m[n][0] for share, m in zip(shares, each, strict=True))
        covariance = sum(share * m[n][1] for share, m in zip(shares, each, strict=True))
        if statistics == "gram":  # of the mean Gram matrix
            about_0 = sum(share * (m[n][1] + np.outer(m[n][0], m[n][0])) for share, m in zip(shares, each, strict=True))
            covariance = about_0 - np.outer(mean, mean)
        targets[n] = mean, covariance
    objective = Objective(small_vgg, C, style, Settings(statistics=statistics))
    assert float(objective(G)[2]) == pytest.approx(style_cost(small_vgg, G, targets, statistics), rel=2e-4)


def test_gram_matrices_mixed_have_the_gradient_of_the_mixed_costs(small_vgg, C, S, other):
    weights = nst.CostWeights(0, 1, {"conv1_1": 1.0, "conv3_1": 2.0})
    settings, G = Settings(statistics="gram", weights=weights), nst.start_image(C, "course")
    mixture = regions_of(C, (S, other), blend_weights=(3, 1), statistics="gram")
    _, mixed = Objective(small_vgg, C, mixture, settings).value_and_gradient(G)
    apart = [Objective(small_vgg, C, style, settings).value_and_gradient(G)[1] for style in (S, other)]
    np.testing.assert_allclose(mixed, 0.75 * apart[0] + 0.25 * apart[1], atol=1e-5 * np.abs(mixed).max())


@pytest.mark.parametrize("statistics", ALL)
def test_a_mask_of_ones_is_no_mask_exactly(small_vgg, C, S, statistics):
    G, settings = nst.start_image(C, "course"), Settings(statistics=statistics)
    ones, of_S = np.ones(C.shape[1:3], np.float32), np.ones(S.shape[1:3], np.float32)
    for options in ({"masks": (ones,)}, {"visible": ones}, {"style_masks": (of_S,)}):
        style = regions_of(C, (S,), statistics=statistics, **options)
        without, masked = (Objective(small_vgg, C, s, settings) for s in (S, style))
        for one, same in zip(without(G), masked(G), strict=True):
            assert float(one) == float(same)
        np.testing.assert_array_equal(without.value_and_gradient(G)[1], masked.value_and_gradient(G)[1])


def test_a_run_with_a_mask_of_ones_gives_the_same_picture(small_vgg, C, S):
    ones = np.ones(C.shape[1:3], np.float32)
    one, same = (
        list(stylise(C, S, small_vgg, evaluations=(4, 6), bar=False, masks=masks))[-1] for masks in ((), (ones,))
    )
    np.testing.assert_array_equal(one.image, same.image)
    assert one.J == same.J


def test_a_style_mask_says_which_part_of_the_style_counts(small_vgg, C, S):
    G, part = nst.start_image(C, "course"), np.zeros(S.shape[1:3], np.float32)
    part[:, :20] = 1
    objective = Objective(small_vgg, C, regions_of(C, (S,), style_masks=(part,)), Settings())
    targets = {n: moments(small_vgg, S, n, part) for n in LAYERS}
    assert float(objective(G)[2]) == pytest.approx(style_cost(small_vgg, G, targets, "covariance"), rel=2e-4)


def test_where_no_style_counts_the_picture_stays(small_vgg, S):
    C = picture(64, 160, 3)
    mask = np.zeros((64, 160), np.float32)
    mask[:, :40] = 1
    *_, last = stylise(C, S, small_vgg, evaluations=30, masks=(mask,), bar=False)
    change = np.abs(last.image - nst.as_saved(C)).max((0, 1, 3))
    assert change[:40].min() > 0.05 and change[40:].max() == 0


def test_the_gradient_with_regions_and_total_variation_is_a_central_directional_derivative(small_vgg, C, S, left):
    settings = Settings(tv_weight=3.0)
    objective = Objective(small_vgg, C, regions_of(C, (S,), (left,)), settings)
    G = nst.start_image(C, "course", seed=4)
    _, gradient = objective.value_and_gradient(G)
    d, h = gradient / tf.norm(gradient), 0.02
    slope = float(objective(G + h * d)[0] - objective(G - h * d)[0]) / (2 * h)
    assert slope == pytest.approx(float(tf.norm(gradient)), rel=0.02)


def test_total_variation_is_counted_in_the_contents_own(small_vgg, C, S):
    G = nst.start_image(C, "course")
    plain, smooth = (float(Objective(small_vgg, C, S, Settings(tv_weight=w))(G)[0]) for w in (0, 5))
    g = np.float64(G)
    of_G = np.mean(np.diff(g, axis=1) ** 2) + np.mean(np.diff(g, axis=2) ** 2)
    assert variation(G) == pytest.approx(of_G, rel=1e-5)
    assert smooth - plain == pytest.approx(5 * of_G / variation(C), rel=1e-3)


@pytest.mark.parametrize("size", [(33, 46), (64, 48), (17, 16)])
def test_a_mask_is_averaged_down_to_each_layer(size):
    mask = np.random.default_rng(0).random(size).astype(np.float32)
    for layer, found in at_layers(tf.constant(mask[None, ..., None]), LAYERS).items():
        np.testing.assert_allclose(found[0, ..., 0], pooled(mask, layer), atol=1e-6)


def test_a_region_that_is_too_small_for_the_deep_layers_still_works(small_vgg, C, S):
    mask = np.zeros(C.shape[1:3], np.float32)
    mask[-1, -1] = 1  # the pools cut the last row and column off
    (region,) = Objective(small_vgg, C, regions_of(C, (S,), (mask,)), Settings()).target["style"]
    assert list(region["layers"]) == ["conv1_1"]
    J, gradient = Objective(small_vgg, C, regions_of(C, (S,), (mask,)), Settings()).value_and_gradient(C)
    assert np.isfinite(J) and np.isfinite(gradient).all()


def test_each_style_has_its_own_scale(C, S, other):
    C = tf.image.resize(C, (32, 32))
    (region,) = regions_of(C, (S, other), style_scale=(0.5, 2))
    assert [max(image.shape[1:3]) for image in region.images] == [18, 44]  # 16 px is the least of the shorter side


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_the_pooling_asked_for_is_used(small_vgg, random_weights, C, S, pooling):
    run = Run(C, S, small_vgg, Settings(pooling=pooling))
    fresh = nst.build_vgg19(random_weights, list(small_vgg.output), pooling, padding="mirror")
    np.testing.assert_array_equal(run.vgg(C)["conv4_1"], fresh(C)["conv4_1"])


def test_at_strength_0_the_picture_is_the_photograph(small_vgg, S):
    C = picture(64, 80, 3)
    np.testing.assert_array_equal(list(stylise(C, S, small_vgg, strength=0, bar=False))[-1].image, nst.as_saved(C))


def test_layers_asked_for_are_used(small_vgg, C, S):
    settings = Settings(content_layer="conv2_1", style_layers={"conv1_1": 1, "conv3_1": 3}, statistics="gram")
    G, balanced = nst.start_image(C, "course"), {"conv1_1": 0.25, "conv3_1": 0.75}
    J, _, J_style = map(float, Objective(small_vgg, C, S, settings)(G))
    a_C, a_G, expected = small_vgg(C)["conv2_1"], small_vgg(G)["conv2_1"], 0.0
    for layer, share in balanced.items():
        GS, GG = (nst.gram_per_position(small_vgg(image)[layer]) for image in (S, G))
        expected += share * float(tf.reduce_sum((GS - GG) ** 2) / tf.reduce_sum(GS**2))
    assert J_style == pytest.approx(expected, rel=1e-4)
    assert J - 100 * J_style == pytest.approx(float(tf.reduce_sum((a_C - a_G) ** 2) / tf.reduce_sum(a_C**2)), rel=1e-3)


# ------------------------------------------------------------------------------------ what does not fit


def test_one_mask_may_be_left_out_and_is_then_what_the_others_leave(left):
    (first, rest) = completed([left], 2)
    np.testing.assert_array_equal(first, left)
    np.testing.assert_allclose(rest, 1 - left)
    assert len(completed([left], 1)) == 1
    np.testing.assert_allclose(completed([left, 0.5 * left], 3)[2], np.clip(1 - 1.5 * left, 0, 1), atol=1e-6)


@pytest.mark.parametrize("count", [1, 4])
def test_another_number_of_masks_is_refused(left, count):
    with pytest.raises(ValueError, match=rf"^2 masks for {count} style.*give one for each style"):
        completed([left, left], count)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda m: 0 * m, "the mask is empty: black everywhere"),
        (lambda m: m[:, :-1], r"the mask is 45x33 px and C 46x33 px: not of one shape"),
        (lambda m: m[:-1], r"the mask is 46x32 px and C 46x33 px: not of one shape"),
        (lambda m: 255 * m, r"a mask holds floats in \[0, 1\]"),
        (lambda m: np.uint8(m), r"a mask holds floats in \[0, 1\]"),
        (lambda m: m[..., None], r"has shape .* a mask is \(height, width\)"),
        (lambda m: np.nan * m, r"a mask holds floats in \[0, 1\]"),
    ],
)
def test_a_bad_mask_is_named(left, spoil, message):
    with pytest.raises(ValueError, match=message):
        check_mask("the mask", spoil(left), "C", left.shape)


def test_a_mask_of_another_size_and_the_same_shape_is_fine():
    check_aspect("m", (300, 400), "C", (3000, 4000))
    check_aspect("m", (299, 400), "C", (3000, 4000))
    with pytest.raises(ValueError, match="not of one shape"):
        check_aspect("m", (295, 400), "C", (3000, 4000))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"style_scale": (1, 2, 3)}, r"style_scale = \(1, 2, 3\): there are 2 styles"),
        ({"blend_weights": (1, 2, 3)}, r"blend_weights = \(1, 2, 3\): there are 2 styles"),
        ({"blend_weights": (0, 0)}, "at least one has to be above 0"),
    ],
)
def test_numbers_for_another_number_of_styles_are_refused(C, S, other, options, message):
    with pytest.raises(ValueError, match=message):
        regions_of(C, (S, other), **options)


def test_weights_beside_masks_and_style_masks_for_some_are_refused(C, S, other, left):
    with pytest.raises(ValueError, match="blend_weights beside masks"):
        regions_of(C, (S, other), (left,), blend_weights=(1, 2))
    with pytest.raises(ValueError, match="1 style mask for 2 styles"):
        regions_of(C, (S, other), style_masks=(np.ones(S.shape[1:3], np.float32),))
