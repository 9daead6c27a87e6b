"""The costs against hand-worked integers, float64 einsum, and finite differences."""

import numpy as np
import pytest
import tensorflow as tf

import nst_utils as nst

TOY = np.arange(12, dtype=np.float32)
# (a_C, a_G): equal height and width with a zero side; then unequal, with a side of ones.
FIRST = np.zeros((1, 2, 2, 3), np.float32), TOY.reshape(1, 2, 2, 3)
SECOND = np.ones((1, 2, 3, 2), np.float32), TOY.reshape(1, 2, 3, 2)


def unrolled(a):
    return tf.transpose(tf.reshape(a, [-1, a.shape[-1]]))


@pytest.mark.parametrize("pair, J_content", [(FIRST, 506 / 48), (SECOND, 386 / 48)])
def test_content_cost_by_hand(pair, J_content):
    assert float(nst.compute_content_cost(*pair)) == pytest.approx(J_content, rel=1e-6)


def test_gram_matrix_by_hand():
    first = [[126, 144, 162], [144, 166, 188], [162, 188, 214]]
    np.testing.assert_array_equal(nst.gram_matrix(unrolled(FIRST[1])), first)
    np.testing.assert_array_equal(nst.gram_matrix(unrolled(SECOND[1])), [[220, 250], [250, 286]])
    np.testing.assert_array_equal(nst.gram_matrix(unrolled(SECOND[0])), [[6, 6], [6, 6]])


@pytest.mark.parametrize("pair, J_style_layer", [(FIRST, 253876 / 576), (SECOND, 243268 / 576)])
def test_layer_style_cost_by_hand(pair, J_style_layer):
    assert float(nst.compute_layer_style_cost(*pair)) == pytest.approx(J_style_layer, rel=1e-6)


@pytest.mark.parametrize("pair, J", [(FIRST, 17735.6944), (SECOND, 16974.0278)])
def test_total_cost_by_hand(pair, J):
    a_S, a_G = (dict.fromkeys(nst.STYLE_LAYERS, a) for a in pair)
    J_style = nst.compute_style_cost(a_S, a_G)
    assert float(nst.total_cost(nst.compute_content_cost(*pair), J_style)) == pytest.approx(J, rel=1e-7)


def test_doubling_both_inputs():
    for pair in (FIRST, SECOND):
        twice = [2 * a for a in pair]
        assert float(nst.compute_content_cost(*twice)) == 4 * float(nst.compute_content_cost(*pair))
        ratio = float(nst.compute_layer_style_cost(*twice)) / float(nst.compute_layer_style_cost(*pair))
        assert ratio == pytest.approx(16, rel=1e-6)


def test_gram_matrix_does_not_see_where():
    a = FIRST[1]
    swapped = a.copy()
    swapped[0, 0, 0], swapped[0, 1, 1] = a[0, 1, 1], a[0, 0, 0]
    np.testing.assert_array_equal(nst.gram_matrix(unrolled(swapped)), nst.gram_matrix(unrolled(a)))
    assert float(nst.compute_content_cost(a, swapped)) == pytest.approx(486 / 48)


def einsum_layer_cost(a_S, a_G):
    grams = [np.einsum("mhwi,mhwj->mij", a, a) / (a.shape[1] * a.shape[2]) for a in map(np.float64, (a_S, a_G))]
    return (np.square(grams[0] - grams[1]).sum((1, 2)) / (4 * a_S.shape[-1] ** 2)).mean()


@pytest.mark.parametrize(
    "m, sizes, n_C", [(1, ((7, 5), (7, 5)), 4), (1, ((9, 4), (3, 11)), 6), (3, ((5, 8), (6, 5)), 3)]
)
def test_costs_against_float64(m, sizes, n_C):
    rng = np.random.default_rng(m)
    a_S, a_G = (rng.gamma(0.5, 30, (m, *size, n_C)).astype(np.float32) for size in sizes)
    assert float(nst.compute_layer_style_cost(a_S, a_G)) == pytest.approx(einsum_layer_cost(a_S, a_G), rel=1e-5)
    a_C = rng.gamma(0.5, 30, a_G.shape).astype(np.float32)
    expected = np.square(np.float64(a_C) - a_G).sum((1, 2, 3)).mean() / (4 * np.prod(a_G.shape[1:]))
    assert float(nst.compute_content_cost(a_C, a_G)) == pytest.approx(expected, rel=1e-5)
    gram = nst.gram_matrix(nst.unroll(a_G))
    assert gram.shape == (m, n_C, n_C)  # never across the batch
    np.testing.assert_allclose(gram, np.einsum("mhwi,mhwj->mij", a_G, a_G), rtol=1e-5)
    np.testing.assert_allclose(nst.gram_per_position(a_G) * np.prod(sizes[1]), gram, rtol=1e-5)


def test_gradient_of_the_gram_matrix_against_float64():
    rng = np.random.default_rng(4)
    a, upstream = (rng.standard_normal(shape).astype(np.float32) for shape in ((2, 5, 7, 6), (2, 6, 6)))
    with tf.GradientTape() as tape:
        tape.watch(a := tf.constant(a))
        total = tf.reduce_sum(upstream * nst.gram_per_position(a))  # of no symmetry
    expected = np.einsum("mhwj,mij->mhwi", np.float64(a), np.float64(upstream) + upstream.swapaxes(1, 2)) / 35
    np.testing.assert_allclose(tape.gradient(total, a), expected, rtol=1e-5, atol=1e-5)


def test_a_batch_costs_the_mean_of_its_pictures():
    rng = np.random.default_rng(0)
    a, b = (rng.random((3, 4, 5, 2)).astype(np.float32) for _ in range(2))
    for cost in (nst.compute_content_cost, nst.compute_layer_style_cost):
        singles = [float(cost(a[i : i + 1], b[i : i + 1])) for i in range(3)]
        assert float(cost(a, b)) == pytest.approx(np.mean(singles), rel=1e-6)


def test_half_precision_activations_do_not_overflow_the_gram_matrix():
    a = tf.fill((1, 300, 300, 2), tf.constant(100, tf.float16))
    assert np.asarray(nst.gram_matrix(nst.unroll(a))) == pytest.approx(9e8)
    assert float(nst.compute_layer_style_cost(a, 0 * a)) == pytest.approx(1e8 / 4)


def test_content_cost_refuses_unequal_sizes():
    with pytest.raises(ValueError, match="not of one size"):
        nst.compute_content_cost(FIRST[0], SECOND[1])


def test_style_cost_weighs_each_layer():
    rng = np.random.default_rng(5)
    a_S, a_G = ({name: rng.random((1, 4, 4, 3)) for name in ("conv1_1", "conv2_1")} for _ in range(2))
    weights = {"conv1_1": 3.0, "conv2_1": 0.25}
    expected = sum(w * einsum_layer_cost(a_S[name], a_G[name]) for name, w in weights.items())
    assert float(nst.compute_style_cost(a_S, a_G, weights)) == pytest.approx(expected, rel=1e-5)


def test_balanced_weights_make_every_term_a_relative_squared_error():
    rng = np.random.default_rng(2)
    a_C = rng.gamma(0.5, 300, (1, 6, 5, 4)).astype(np.float32)
    GS = {name: rng.random((1, 3, 3)).astype(np.float32) * 10**i for i, name in enumerate(("conv1_1", "conv2_1"))}
    weights = nst.balanced_weights(a_C, GS)
    # 10 % too large: a relative squared error of 0.01 at every term
    assert weights.alpha * float(nst.compute_content_cost(a_C, 1.1 * a_C)) == pytest.approx(0.01, rel=1e-4)
    for name, G in GS.items():
        layer_cost = np.square(0.1 * np.float64(G)).mean() / 4
        assert weights.style_layers[name] * layer_cost == pytest.approx(0.01 / len(GS), rel=1e-5)
    assert weights.beta == 100


def test_balanced_weights_refuse_a_dead_layer():
    with pytest.raises(ValueError, match="without activation"):
        nst.balanced_weights(np.zeros((1, 2, 2, 1)), {"conv1_1": np.ones((1, 1, 1))})
