"""The engine: records, precision, start, interruption, and what it refuses or warns of before any work."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import nst_utils as nst
from studio import estimate, optimise
from studio.objective import Objective
from studio.optimise import stylise
from studio.settings import Settings


def stylised(vgg, C, S, **options):
    return list(stylise(C, S, vgg, bar=False, **options))


def test_it_beats_as_many_steps_of_adam(small_vgg, C, S):
    *_, last = stylised(small_vgg, C, S, evaluations=40, statistics="gram")
    *_, adam = nst.train(small_vgg, C, S, steps=40, learning_rate=0.02, every=40)
    assert last.J < adam.J


@pytest.mark.parametrize("evaluations", [7, (6, 7)])
@pytest.mark.parametrize("precision", ["auto", "float32", "bfloat16"])
def test_records_are_of_full_size_and_count_every_evaluation(small_vgg, C, S, evaluations, precision):
    records = stylised(small_vgg, C, S, evaluations=evaluations, every=2, precision=precision)
    assert records[0].step == 0 and records[-1].step == np.sum(evaluations)
    assert np.abs(records[0].image - C).mean() < 0.1  # C, with faint noise where it is flat
    objective = Objective(small_vgg.twin("mirror"), C, S, Settings())
    for record in records:
        assert record.image.shape == C.shape
        np.testing.assert_allclose(record.image * 255, np.rint(record.image * 255), atol=1e-4)
        np.testing.assert_allclose(record.J, objective(record.image)[0], rtol=1e-4)


def test_beta_and_weights_are_used(small_vgg, C, S):
    weak, strong = (stylised(small_vgg, C, S, evaluations=30, beta=beta)[-1] for beta in (1, 1000))
    yardstick = Objective(small_vgg.twin("mirror"), C, S, Settings())
    assert float(yardstick(strong.image)[2]) < float(yardstick(weak.image)[2])
    course = nst.CostWeights(10, 40)
    first = stylised(small_vgg, C, S, evaluations=1, weights=course, statistics="gram")[0]
    np.testing.assert_allclose(first.J, nst.Objective(small_vgg, C, S, course)(nst.as_saved(C))[0], rtol=1e-4)


def test_from_a_given_start_it_goes_on_at_full_size(small_vgg, C, S):
    done = stylised(small_vgg, C, S, evaluations=(30, 40))[-1]
    more = stylised(small_vgg, C, S, start=done.image, every=3)
    np.testing.assert_array_equal(more[0].image, done.image)
    assert more[-1].step == optimise.FINE_EVALUATIONS and max(r.J for r in more) <= done.J * (1 + 1e-4)


def test_a_start_keeps_its_detail_through_coarser_sizes(small_vgg, S):
    C = tf.fill((1, 64, 64, 3), 0.5)
    start = tf.tile(tf.constant([[[[0.4], [0.6]], [[0.6], [0.4]]]]), (1, 32, 32, 3))  # a checkerboard of pixels
    first = stylised(small_vgg, C, S, start=start, evaluations=(1, 1), every=1)[-1].image
    assert np.std(first[0, 10:50, 10:50, 0]) > 0.05


def test_a_kind_of_start_works_as_in_train(small_vgg, C, S):
    first = stylised(small_vgg, C, S, start="noise", seed=3, evaluations=1)[0]
    np.testing.assert_array_equal(first.image, nst.as_saved(nst.start_image(C, "noise", seed=3)))


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_a_network_knows_its_pooling_also_in_bfloat16(random_weights, C, pooling):
    vgg = nst.build_vgg19(random_weights, ("conv1_1", "conv3_1"), pooling)
    assert vgg.pooling == vgg.in_bfloat16.pooling == pooling
    exact, quick = vgg(C), vgg.in_bfloat16(C)
    difference = {n: float(tf.norm(a - tf.cast(quick[n], tf.float32)) / tf.norm(a)) for n, a in exact.items()}
    assert difference["conv1_1"] == 0 and 1e-4 < difference["conv3_1"] < 0.03
    assert vgg.in_bfloat16 is vgg.in_bfloat16
    assert nst.gram_per_position(quick["conv3_1"]).dtype == tf.float32


# ------------------------------------------------------------------------------------ interrupted


def interrupt(monkeypatch, at):
    """Ctrl-C at evaluation number `at`."""
    evaluate, calls = Objective.value_and_gradient, iter(range(1000))

    def call(self, G):
        if next(calls) == at:
            raise KeyboardInterrupt
        return evaluate(self, G)

    monkeypatch.setattr(Objective, "value_and_gradient", call)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_ctrl_c_gives_the_picture_so_far_and_then_tells_the_caller(small_vgg, C, S, optimizer, monkeypatch):
    interrupt(monkeypatch, at=22)
    records = []
    with pytest.raises(KeyboardInterrupt, match=r"^Stopped by hand after \d+ evaluations\.$") as caught:
        for record in stylise(C, S, small_vgg, evaluations=50, every=7, optimizer=optimizer, bar=False):
            records.append(record)
    assert 7 < records[-1].step < 22 and records[-1].J < records[0].J
    assert caught.value.__suppress_context__
    assert caught.value._render_traceback_() == [str(caught.value)]


def test_ctrl_c_ends_a_loop_over_many_pictures(small_vgg, C, S, monkeypatch):
    interrupt(monkeypatch, at=10)
    begun = []
    with pytest.raises(KeyboardInterrupt):
        for i in range(3):
            begun.append(i)
            stylised(small_vgg, C, S, evaluations=20)
    assert begun == [0]


def test_ctrl_c_in_train_gives_the_picture_so_far(small_vgg, C, S, monkeypatch):
    step, calls = nst.train_step, iter(range(100))

    def interrupted(*arguments):
        if next(calls) == 6:
            raise KeyboardInterrupt
        return step(*arguments)

    monkeypatch.setattr(nst, "train_step", interrupted)
    records = []
    with pytest.raises(KeyboardInterrupt, match="at step 6"):
        for record in nst.train(small_vgg, C, S, steps=20, every=4):
            records.append(record.step)
    assert records == [0, 4, 6]


@pytest.mark.parametrize(
    ("error", "line"), [("KeyboardInterrupt", "Stopped."), ("interrupted('Stopped by hand.')", "Stopped by hand.")]
)
def test_a_script_that_is_stopped_says_so_in_one_line(error, line):
    code = f"from nst_support.startup import interrupted\nraise {error}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr.strip().splitlines() == [line] and done.returncode in (-2, 130)


def test_adam_takes_back_a_step_to_nan(small_vgg, C, S, monkeypatch):
    evaluate, calls = Objective.value_and_gradient, iter(range(1000))

    def sometimes_bad(self, G):
        J, gradient = evaluate(self, G)
        bad = np.nan if next(calls) in (14, 15) else 1.0
        return J * bad, gradient * bad

    monkeypatch.setattr(Objective, "value_and_gradient", sometimes_bad)
    records = stylised(small_vgg, C, S, evaluations=40, every=5, optimizer="adam", precision="float32")
    assert all(np.isfinite(r.J) and np.isfinite(r.image).all() for r in records)
    assert records[-1].J < records[0].J


@pytest.mark.parametrize(("optimizer", "pairs"), [("lbfgs", 3), ("adam", 0)])
def test_in_tiles_the_picture_is_nearly_the_same(small_vgg, C, S, optimizer, pairs, monkeypatch, capsys):
    def run(tile):
        found = estimate.Layout(optimizer, pairs, tile, 0.0)
        monkeypatch.setattr(estimate, "layout", lambda *_, **__: found)
        return stylised(small_vgg, C, S, evaluations=(6, 5), precision="float32")

    whole, tiled = run(None), run(16)
    assert " in tiles of 16 px: about" in capsys.readouterr().out.splitlines()[-1]
    assert pytest.approx(whole[-1].J, rel=1e-3) == tiled[-1].J and tiled[-1].J < tiled[0].J
    np.testing.assert_allclose(tiled[-1].image, whole[-1].image, atol=0.02)


# ------------------------------------------------------------------------------------ refused before any work


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"evaluations": 0}, "evaluations = 0"),
        ({"evaluations": (10, 2.5)}, "a whole number"),
        ({"evaluations": ()}, "a whole number"),
        ({"evaluations": True}, "a whole number"),
        ({"evaluations": (10, 10, 10)}, r"at the first of 3 sizes C would be 12x8 px, and 16 px is the least"),
        ({"precision": "float16"}, "precision 'float16': not known"),
        ({"optimizer": "sgd"}, "optimizer 'sgd': not known"),
        ({"statistics": "mean"}, "statistics 'mean': not known. Choose one of covariance, gram"),
        ({"every": 0}, "every = 0"),
        ({"every": 2.5}, "every = 2.5"),
        ({"style_scale": 0}, "style_scale = 0"),
        ({"beta": -1}, "beta = -1"),
        ({"beta": float("nan")}, "beta = nan"),
        ({"beta": 1e30}, "beta = 1e[+]30"),
        ({"beta": "more"}, "beta = 'more'"),
        ({"beta": 3, "weights": nst.CostWeights()}, "beta beside weights"),
        ({"weights": {"conv1_1": 1}}, "they are nst.CostWeights"),
        ({"seed": -1}, "seed = -1"),
        ({"start": "zebra"}, "start 'zebra': not known"),
        ({"start": tf.zeros((1, 9, 9, 3))}, "not of the size of C"),
        ({"start": tf.fill((1, 33, 46, 3), 7.0)}, "start has values from 7 to 7"),
    ],
)
def test_a_bad_setting_is_refused(small_vgg, C, S, options, message):
    with pytest.raises(ValueError, match=message):
        stylise(C, S, small_vgg, **options)


def test_an_unknown_setting_is_named(small_vgg, C, S):
    with pytest.raises(TypeError, match=r"strenght: no such setting\. They are size, strength"):
        stylise(C, S, small_vgg, strenght=3)


BAD_IMAGES = [
    (lambda image: image[0], "of shape"),
    (lambda image: "a.jpg", r"= 'a.jpg'.*nst.load_image"),
    (lambda image: image[..., :1], r"an image is \(1, n_H, n_W, 3\)"),
    (lambda image: np.uint8(image * 255), "holds uint8: .* Divide it by 255"),
    (lambda image: image * 255, r"has values from .* Divide it by 255"),
    (lambda image: image * 2 - 1, r"has values from .* Add 1 and halve it"),
    (lambda image: image * 1.1, r"has values from .* Clip it"),
    (lambda image: image / 0, "holds NaN or infinity"),
    (lambda image: np.where(image == np.max(image), np.nan, image), "holds NaN or infinity"),
]


@pytest.mark.parametrize(("spoil", "message"), BAD_IMAGES)
@pytest.mark.parametrize("run", [stylise, lambda C, S, vgg: next(nst.train(vgg, C, S))], ids=["stylise", "train"])
def test_a_bad_image_is_named(small_vgg, C, S, spoil, message, run):
    with pytest.raises(ValueError, match=f"^C .*{message}|^C {message}"):
        run(spoil(C), S, small_vgg)
    with pytest.raises(ValueError, match=f"^S .*{message}|^S {message}"):
        run(C, spoil(S), small_vgg)


def test_float64_images_are_images(small_vgg, C, S):
    one, other = (stylised(small_vgg, kind(C), kind(S), evaluations=3)[-1] for kind in (np.float64, np.float32))
    np.testing.assert_array_equal(one.image, other.image)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps = 0"),
        ({"every": 0}, "every = 0"),
        ({"learning_rate": float("nan")}, "learning_rate = nan"),
        ({"learning_rate": 0}, "learning_rate = 0"),
        ({"start": "zebra"}, "Choose one of content"),
    ],
)
def test_train_refuses_what_makes_no_sense(small_vgg, C, S, settings, message):
    with pytest.raises(ValueError, match=message):
        next(nst.train(small_vgg, C, S, **settings))


def test_train_takes_a_whole_number_as_the_rate(small_vgg, C, S):
    assert len(list(nst.train(small_vgg, C, S, steps=1, learning_rate=1))) == 2


@pytest.mark.parametrize(("n_H", "n_W", "enough"), [(12, 400, 534), (400, 12, 534), (1, 1, 16)])
def test_a_picture_that_would_vanish_is_refused_with_a_size_that_works(small_vgg, C, S, n_H, n_W, enough):
    thin = tf.fill((1, n_H, n_W, 3), 0.5)
    for name, pair in (("C", (thin, S)), ("S", (C, thin))):
        with pytest.raises(ValueError, match=f"^{name} is {n_W}x{n_H} px: .*{enough} px on the longer side"):
            stylise(*pair, small_vgg)
    works = tf.fill((1, *(max(n, round(n * enough / max(n_H, n_W))) for n in (n_H, n_W)), 3), 0.5)
    assert min(works.shape[1:3]) >= small_vgg.smallest


@pytest.mark.parametrize(
    ("style", "line"),
    [
        (tf.ones((1, 80, 80, 3)), "S is nearly one colour"),
        (tf.zeros((1, 80, 80, 3)), "S is nearly one colour"),
        (tf.random.stateless_uniform((1, 20, 20, 3), (0, 0)), "S is only 20x20 px"),
    ],
)
def test_a_style_without_strokes_is_said_to_be_one_and_the_run_goes_on(small_vgg, C, style, line, capsys):
    records = stylise(C, style, small_vgg, evaluations=2, bar=False)
    assert capsys.readouterr().out.startswith(line)
    assert np.isfinite(list(records)[-1].J)


# ------------------------------------------------------------------------------------ the network


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("conv3_2", r"conv3_2: this network was not asked for it. Load it with nst.load_vgg19\(layers=\(.*'conv3_2'\)"),
        ("block3_conv2", "here it is conv3_2"),
        ("conv9_9", "not one of VGG-19's names; they are conv1_1, conv1_2"),
    ],
)
def test_a_layer_that_is_not_computed_is_named_with_what_to_do(small_vgg, C, S, name, message):
    with pytest.raises(ValueError, match=message):
        small_vgg(C)[name]
    with pytest.raises(ValueError, match=message):
        nst.compute_style_cost(small_vgg(S), small_vgg(C), [(name, 1.0)])
    with pytest.raises(ValueError, match=message):
        weights = nst.CostWeights(10, 40, [(name, 0.5), ("conv1_1", 0.5)])
        stylised(small_vgg, C, S, weights=weights)
    with pytest.raises(ValueError, match=message):
        weights = nst.CostWeights(10, 40, {name: 1.0})
        next(nst.train(small_vgg, C, S, weights=weights))


def test_a_network_without_the_content_layer_is_refused(random_weights, C, S):
    vgg = nst.build_vgg19(random_weights, tuple(nst.STYLE_LAYERS))
    with pytest.raises(ValueError, match=r"conv4_2: this network was not asked for it"):
        stylise(C, S, vgg, statistics="gram")


def test_the_network_found_is_what_the_preset_says_and_loaded_once(C, S, monkeypatch):
    loaded = []
    monkeypatch.setenv("NST_PRESET", "smoke")
    monkeypatch.setattr(nst, "load_vgg19", lambda *a, load=nst.load_vgg19, **k: loaded.append((a, k)) or load(*a, **k))
    optimise.found_network.cache_clear()
    for _ in range(2):
        list(stylise(C, S, evaluations=1, bar=False))
    assert loaded == [(("vgg19-slim",), {"download": False})]
    optimise.found_network.cache_clear()


# ------------------------------------------------------------------------------------ the estimate

MEASURE = """
import resource, sys
from benchmarks import evaluation
import nst_utils as nst
from studio import estimate, optimise
from nst_utils import tf

side, network = int(sys.argv[1]), sys.argv[2]
vgg = nst.build_vgg19(evaluation.weights_of(network), evaluation.LAYERS)
size = (side * 3 // 4, side)
C, S = tf.random.uniform((1, *size, 3)), 0.5 * tf.random.uniform((1, *size, 3))
widths = {layer.name: layer.filters for layer in vgg.layers if layer.name in nst.LAYERS}
told = estimate.resident_bytes() + sum(estimate.peak_memory(widths, size))
list(optimise.stylise(C, S, vgg, evaluations=(2, 24), bar=False, precision="float32"))
print(told / (1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read from Linux' /proc")
@pytest.mark.parametrize(
    "arguments", [("512", "slim"), pytest.param(("192", "full"), marks=pytest.mark.slow)], ids=["slim", "full"]
)
def test_the_memory_told_is_that_of_the_whole_process_within_20_percent(arguments):
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *arguments],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert 0.8 < float(done.stdout.splitlines()[-1]) < 1.2
