"""J from sums over activations: against float64 numpy, against the course's, and added up over parts."""

import numpy as np
import pytest
import tensorflow as tf

import nst_utils as nst
from studio.objective import Objective, costs, sums
from studio.settings import MANNERS, Settings

ALL = ("covariance", "gram")


def float64_J(vgg, C, S, G, statistics):
    """J with balanced weights, written from its definition: relative squared errors in float64."""

    def moments(image, name):
        a = np.float64(vgg(image)[name])[0]
        F = a.reshape(-1, a.shape[-1])
        return F.mean(0), F.T @ F / len(F), F

    manner = MANNERS[statistics]
    a_C, a_G = (np.float64(vgg(image)[manner.content_layer]) for image in (C, G))
    content, style = np.sum((a_C - a_G) ** 2) / np.sum(a_C**2), 0
    for name, share in manner.style_layers.items():
        mean_S, second_S, _ = moments(S, name)
        mean_G, second_G, F = moments(G, name)
        if statistics == "covariance":
            about = F - mean_S
            second_S, second_G = second_S - np.outer(mean_S, mean_S), about.T @ about / len(F)
            style += share * np.sum((mean_G - mean_S) ** 2) / np.sum(mean_S**2)
        style += share * np.sum((second_S - second_G) ** 2) / np.sum(second_S**2)
    nearer = np.maximum(0, 0.02 - np.float64(G)) + np.maximum(0, np.float64(G) - 0.98)
    return content + manner.beta * style + manner.limits * np.mean((nearer / 0.02) ** 2), content, style


@pytest.mark.parametrize("statistics", ALL)
def test_j_is_its_definition_in_float64(small_vgg, C, S, statistics):
    G = nst.start_image(C, "course")
    objective = Objective(small_vgg, C, S, Settings(statistics=statistics))
    expected = float64_J(small_vgg, C, S, G, statistics)
    J, J_content, J_style = map(float, objective(G))
    assert pytest.approx(expected[0], rel=1e-4) == J
    assert objective.weights.alpha * J_content == pytest.approx(expected[1], rel=1e-4)
    assert J_style == pytest.approx(expected[2], rel=1e-4)


@pytest.mark.parametrize("weights", [None, nst.CostWeights(3, 5, {"conv2_1": 0.5, "conv3_1": 2})])
def test_with_gram_matrices_it_is_the_courses(small_vgg, C, S, weights):
    G = nst.start_image(C, "course")
    ours = Objective(small_vgg, C, S, Settings(statistics="gram", weights=weights))
    theirs = nst.Objective(small_vgg, C, S, weights)
    np.testing.assert_allclose(ours(G), theirs(G), rtol=1e-4)
    assert ours.weights.style_layers == pytest.approx(theirs.weights.style_layers, rel=1e-4)


@pytest.mark.parametrize("statistics", ALL)
def test_the_gradient_is_a_central_directional_derivative(small_vgg, C, S, statistics):
    objective = Objective(small_vgg, C, S, Settings(statistics=statistics))
    G = nst.start_image(C, "course", seed=4)
    J, gradient = objective.value_and_gradient(G)
    assert float(J) == pytest.approx(float(objective(G)[0]), rel=1e-5)
    d, h = gradient / tf.norm(gradient), 0.02
    slope = float(objective(G + h * d)[0] - objective(G - h * d)[0]) / (2 * h)
    assert slope == pytest.approx(float(tf.norm(gradient)), rel=0.02)


def test_at_the_style_itself_nothing_is_wrong_with_the_style(small_vgg, S):
    for statistics in ALL:
        J, J_content, J_style = Objective(small_vgg, S, S, Settings(statistics=statistics))(S)
        assert float(J_content) == 0 and 0 <= float(J_style) < 1e-8
        assert 0 <= float(J) < 0.02  # of its own black and white


def test_sums_over_parts_add_up(C, S):
    """With a network that sees single pixels, the sums over two halves are those over the whole."""

    def pixels(image):
        return {"conv1_1": tf.nn.relu(image[..., :2] - 0.2), "conv4_2": image}

    layer = {"centre": np.float32([0.1, 0.2]), "second": np.eye(2, dtype=np.float32), "share": 2.0, "lambda": 3.0}
    mask = tf.random.stateless_uniform((1, *S.shape[1:3], 1), (1, 1))
    cut = 20

    def target(part):
        layers = {"conv1_1": layer}
        of_mask = {"layers": layers, "mask": {"conv1_1": mask[:, :33, part]}, "area": 0.5}
        whole = {"layers": layers, "mask": {}, "area": 1.0}
        return {"content": {"conv4_2": S[:, :, part]}, "style": [whole, of_mask]}

    wide = S[:, : C.shape[1]], C[:, : S.shape[1], : S.shape[2]]
    S, G = (image[:, : min(C.shape[1], S.shape[1])] for image in wide)
    found = [sums(pixels, G[:, :, part], target(part)) for part in np.s_[:cut, cut:, :]]
    for parts in found:
        del parts["variation"]  # which has differences across the cut, too
    for a, b, both in zip(*map(tf.nest.flatten, found), strict=True):
        np.testing.assert_allclose(a + b, both, rtol=1e-5)


def test_costs_of_sums_by_hand():
    """Two positions, one channel: about the centre the first moment is 3, the second 5; 4 and 1 are asked for."""
    found = {"content": (tf.constant(2.0), tf.constant(16.0)), "limits": (tf.constant(4.0), tf.constant(2.0))}
    found["variation"] = tuple(map(tf.constant, (2.0, 6.0, 4.0, 20.0)))
    moments = {"conv1_1": (tf.constant(2.0), tf.constant([6.0]), tf.constant([[10.0]]))}
    found["style"] = [moments, moments]
    style = {"centre": np.float32([1]), "second": np.float32([[4]]), "share": 2.0, "lambda": 8.0}
    target = {"style": [{"layers": {"conv1_1": style}, "area": area} for area in (0.75, 0.5)]}
    J, J_content, J_style = costs(found, target, {"alpha": 10.0, "beta": 40.0, "limits": 6.0, "variation": 3.0})
    assert float(J_content) == 2  # 16 / (4 * 2)
    assert float(J_style) == 1.25 * 8 * ((4 - 5) ** 2 + 2 * 3**2) / 4
    assert float(J) == 10 * 2 + 40 * 1.25 * 38 + 6 * 2 / 4 + 3 * (6 / 2 + 20 / 4)


def test_bfloat16_sees_nearly_the_same_and_keeps_the_weights(small_vgg, C, S):
    exact = Objective(small_vgg, C, S, Settings())
    quick = Objective(small_vgg.in_bfloat16, C, S, Settings(), alike=exact)
    assert quick.weights is exact.weights
    G = nst.start_image(C, "course")
    assert 0 < abs(float(quick(G)[0]) / float(exact(G)[0]) - 1) < 0.05


def test_every_size_shares_the_networks_graphs(random_weights, monkeypatch):
    vgg = nst.build_vgg19(random_weights, (nst.CONTENT_LAYER, *nst.STYLE_LAYERS))
    traces, whole_call = [], type(vgg).__call__
    monkeypatch.setattr(type(vgg), "__call__", lambda self, x: traces.append(x.shape) or whole_call(self, x))
    # Traced: the targets of C and of S, J, and J with its gradient; all but S's for each content layer.
    for n, statistics in ((32, "covariance"), (48, "covariance"), (33, "gram"), (64, "gram"), (70, "covariance")):
        C, S = (tf.random.stateless_uniform((1, n, n + extra, 3), (n, extra)) for extra in (5, 0))
        objective = Objective(vgg, C, S, Settings(statistics=statistics, beta=float(n)))
        objective(C), objective.value_and_gradient(C)
        assert len(traces) == (4 if n in (32, 48) else 7)


def test_the_strength_grows_with_size_beyond_400_px_unless_it_is_given(small_vgg, S):
    def beta(n_W, **settings):
        return Objective(small_vgg, tf.fill((1, 40, n_W, 3), 0.4), S, Settings(**settings)).weights.beta

    assert beta(64) == beta(400) == 18
    assert beta(800) == pytest.approx(18 * 2**0.8)
    assert beta(800, beta=7) == 7 and beta(800, statistics="gram") == 100
