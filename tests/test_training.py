"""The gradient, the course's loop, the start images, snapshots and the timelapse."""

import imageio.v3 as imageio
import numpy as np
import pytest
import tensorflow as tf

import nst_utils as nst
from tests.conftest import picture


def run(vgg, C, S, **settings):
    return list(nst.train(vgg, C, S, **{"steps": 12, "learning_rate": 0.02, "every": 4, **settings}))


@pytest.mark.parametrize("weights", [None, nst.CostWeights()])
def test_gradient_against_a_central_directional_derivative(small_vgg, C, S, weights):
    objective = nst.Objective(small_vgg, C, S, weights)
    G = tf.Variable(nst.start_image(C, "course", seed=4))
    with tf.GradientTape() as tape:
        J = objective(G)[0]
    gradient = tape.gradient(J, G)
    direction = gradient / tf.norm(gradient)
    h = 0.02
    slope = float((objective(G + h * direction)[0] - objective(G - h * direction)[0]) / (2 * h))
    assert slope == pytest.approx(float(tf.norm(gradient)), rel=0.02)


def test_the_objective_is_the_costs_of_the_lesson(small_vgg, C, S):
    G = nst.start_image(C, "course")
    objective = nst.Objective(small_vgg, C, S)
    J, J_content, J_style = objective(G)
    a_C, a_S, a_G = small_vgg(C), small_vgg(S), small_vgg(G)
    weights = objective.weights
    assert float(J_content) == pytest.approx(float(nst.compute_content_cost(a_C["conv4_2"], a_G["conv4_2"])), rel=1e-5)
    assert float(J_style) == pytest.approx(float(nst.compute_style_cost(a_S, a_G, weights.style_layers)), rel=1e-5)
    assert float(J) == pytest.approx(float(weights.alpha * J_content + weights.beta * J_style), rel=1e-5)


def test_runs_of_every_size_share_the_networks_graphs(random_weights, monkeypatch):
    vgg = nst.build_vgg19(random_weights, (nst.CONTENT_LAYER, *nst.STYLE_LAYERS))
    seen, whole_call = [], type(vgg).__call__
    monkeypatch.setattr(type(vgg), "__call__", lambda self, x: seen.append(x.shape) or whole_call(self, x))
    for n in (32, 45, 64):
        run(vgg, picture(n, n + 3, 1), picture(n + 9, n, 2), steps=3, every=1)
        assert len(seen) == 3  # C, S, and J: traced at the first size, and never run by themselves


def test_the_cost_falls_and_the_picture_stays_in_range(small_vgg, C, S):
    before = [w.copy() for w in small_vgg.get_weights()]
    records = run(small_vgg, C, S)
    assert [r.step for r in records] == [0, 4, 8, 12]
    assert records[-1].J < 0.9 * records[0].J
    assert records[0].J_content == pytest.approx(0, abs=1e-3 * records[-1].J_content)  # G starts as C, rounded
    image = records[-1].image.numpy()
    assert image.shape == C.shape and image.min() >= 0 and image.max() <= 1
    assert np.abs(image - C).max() > 0.01
    for old, new in zip(before, small_vgg.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_reported_costs_are_those_of_the_picture_as_saved(small_vgg, C, S):
    record = run(small_vgg, C, S)[-1]
    levels = record.image.numpy() * 255
    np.testing.assert_allclose(levels, levels.round(), atol=1e-3)
    costs = nst.Objective(small_vgg, C, S)(record.image)
    assert [record.J, record.J_content, record.J_style] == pytest.approx([float(c) for c in costs], rel=1e-5)


def test_a_seed_repeats_a_run(small_vgg, C, S):
    one, same, other = (run(small_vgg, C, S, start="course", seed=s)[-1].image.numpy() for s in (7, 7, 8))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.02


def test_a_cost_that_is_not_finite_stops_the_run(small_vgg, C, S):
    records = nst.train(small_vgg, C, S, steps=5, every=1, weights=nst.CostWeights(1e38, 1e38, {"conv1_1": 1e38}))
    with pytest.raises(FloatingPointError, match="learning rate"):
        list(records)


def test_start_images(C):
    np.testing.assert_array_equal(nst.start_image(C, "content"), C)
    for kind in ("noise", "course", "course-2017"):
        image = nst.start_image(C, kind, seed=1).numpy()
        assert image.shape == C.shape and image.min() >= 0 and image.max() <= 1
        np.testing.assert_array_equal(image, nst.start_image(C, kind, seed=1))
    grey = tf.fill(C.shape, 0.5)
    assert 0.24 < np.abs(nst.start_image(grey, "course") - grey).max() <= 0.25
    mean = np.array([123.68, 116.779, 103.939]) / 255
    mix = nst.start_image(tf.ones(C.shape), "course-2017").numpy()
    np.testing.assert_allclose(mix.mean((0, 1, 2)), mean + 0.4 * (1 - mean), atol=0.01)
    assert np.ptp(mix[..., 0]) == pytest.approx(2 * 0.6 * 20 / 255, rel=0.05)
    with pytest.raises(ValueError, match="Choose one of content"):
        nst.start_image(C, "zebra")


def test_a_start_image_of_another_size_is_refused(small_vgg, C, S):
    with pytest.raises(ValueError, match="size of C"):
        next(nst.train(small_vgg, C, S, start=S))


def test_the_best_picture_is_on_disk_at_every_snapshot(tmp_path, C):
    path = tmp_path / "new" / "best.png"
    images = [tf.fill(C.shape, k / 255) for k in (10, 20, 30)]
    records = (nst.Record(i, J, 0, 0, image, 0) for i, (J, image) in enumerate(zip((3, 1, 2), images, strict=True)))
    for record, best in zip(nst.keep_best(records, path), (10, 20, 20), strict=True):
        assert np.unique(imageio.imread(path)) == [best], record.step


def test_timelapse(tmp_path, C):
    images = [tf.fill((1, 300, 200, 3), i / 49) for i in range(50)]
    frames = imageio.imread(nst.save_gif(images, tmp_path / "run.gif"), index=None)
    assert frames.shape[:3] == (24, 240, 160)
    assert frames[0].max() < 5 and frames[-1].min() > 250  # first and last are kept
    assert np.all(np.diff(frames[:, 0, 0, 0].astype(int)) > 0)


@pytest.mark.parametrize("name", ["smoke", "cpu", "full"])
def test_preset_says_in_one_line_what_it_chose(name, capsys, monkeypatch):
    monkeypatch.setenv("NST_PRESET", name)
    assert nst.preset() == nst.PRESETS[name]
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1 and name in printed and "px" in printed
    if not tf.config.list_physical_devices("GPU"):
        assert "Colab" in printed
    assert nst.preset("smoke").name == "smoke"  # an argument comes before the variable


def test_an_unknown_preset_is_refused(monkeypatch):
    monkeypatch.setenv("NST_PRESET", "huge")
    with pytest.raises(ValueError, match="smoke, cpu, full"):
        nst.preset()
