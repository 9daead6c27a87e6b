"""The engine: its steps are those of the textbook, it keeps its bounds, budget and temper."""

import contextlib
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from threadpoolctl import threadpool_info, threadpool_limits

import nst_utils as nst
from studio import optimise
from studio.lbfgs import InverseHessian, Phase, Stopped, minimise, natural_filter
from studio.optimise import lbfgs, stylise


def bowl(shape=(1, 9, 7, 3), seed=0):
    """A quadratic cost whose lowest point lies partly outside [0, 1]: (target, curvature, G -> (J,))."""
    target = tf.constant(np.random.default_rng(seed).uniform(-0.3, 1.3, shape), tf.float32)
    curvature = tf.constant(np.random.default_rng(seed + 1).uniform(0.1, 3, shape), tf.float32)
    return target, curvature, lambda G: (tf.reduce_sum(curvature * (G - target) ** 2),)


def phase(objective, evaluations):
    return [Phase(optimise.value_and_gradient(objective), evaluations)]


# ------------------------------------------------------------------------------------ the optimiser


def test_the_filter_is_symmetric_and_positive():
    shape = (1, 5, 6, 3)
    P = natural_filter(shape)
    matrix = np.stack([np.ravel(P(np.float32(e.reshape(shape)))) for e in np.eye(90)])
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-6)
    assert np.linalg.eigvalsh(matrix).min() > 0.01


def test_the_inverse_hessian_is_the_textbooks():
    """Against BFGS' update written out as products of matrices, in float64, with more pairs than memory."""
    shape, n, rng = (1, 4, 5, 3), 60, np.random.default_rng(0)
    P = natural_filter(shape)
    as_image = lambda v: np.float32(v.reshape(shape))  # noqa: E731
    curvature = rng.normal(size=(n, n))
    curvature = curvature @ curvature.T / n + np.eye(n)
    estimate, pairs = InverseHessian(P, shape, memory=4), []
    for _ in range(7):
        s = rng.normal(size=n)
        pairs.append((s, curvature @ s))
        estimate.learn(*map(as_image, pairs[-1]))
    s, y = pairs[-1]
    H = np.stack([np.ravel(P(as_image(e))) for e in np.eye(n)]).astype(np.float64)
    H *= (s @ y) / (y @ H @ y)
    for s, y in pairs[-4:]:
        V = np.eye(n) - np.outer(s, y) / (s @ y)
        H = V @ H @ V.T + np.outer(s, s) / (s @ y)
    g = rng.normal(size=n)
    np.testing.assert_allclose(np.ravel(estimate(as_image(g))), H @ g, atol=1e-5)


@pytest.mark.parametrize("size_of_cost", [1e-4, 1.0, 1e12])
def test_it_finds_a_known_minimum_within_the_bounds(size_of_cost):
    target, _, J = bowl()
    G = lbfgs(lambda G: (size_of_cost * J(G)[0],), 0.5 + 0 * target, 150)
    # The cost is float32, so it is flat to within about the root of its precision.
    np.testing.assert_allclose(G, np.clip(target, 0, 1), atol=3e-3)


def test_every_accepted_picture_is_in_bounds_and_no_worse():
    target, _, J = bowl()
    steps = list(minimise(phase(J, 40), 0.5 + 0 * target))
    assert all(float(tf.reduce_min(G)) >= 0 and float(tf.reduce_max(G)) <= 1 for _, _, G in steps)
    assert all(after[1] <= before[1] * (1 + 1e-6) for before, after in pairwise(steps))
    assert len(steps) > 5 and steps[-1][1] < 0.5 * steps[0][1]


def test_it_keeps_its_budget():
    calls = tf.Variable(0)

    def objective(G):
        calls.assign_add(1)
        return (tf.reduce_sum((G - 0.3) ** 4),)

    lbfgs(objective, tf.fill((1, 4, 4, 3), 0.9), 7)
    assert int(calls) == 7


def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_numpys_matrix_threads_stay_out_of_the_way_and_come_back():
    target, _, _ = bowl()

    def value_and_gradient(G):
        assert blas_threads() == {1}
        return tf.reduce_sum((G - target) ** 2), 2 * (G - target)

    with threadpool_limits(limits=2, user_api="blas"):
        before = blas_threads()
        assert before == {2}
        steps = minimise([Phase(value_and_gradient, 10)], 0.5 + 0 * target)
        assert all(blas_threads() == before for _ in until_stopped(steps))


def test_it_stops_at_a_cost_that_is_not_finite_from_the_start():
    with pytest.raises(FloatingPointError, match="not finite at the start"):
        lbfgs(lambda G: (tf.reduce_sum(G) * float("nan"),), tf.fill((1, 4, 4, 3), 0.9), 7)


def until_stopped(steps):
    """All that a search yields, whether or not it stops before its budget is spent."""
    seen = []
    with contextlib.suppress(Stopped):
        for step in steps:
            seen.append(step)
    return seen


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_step_to_a_cost_that_is_not_finite_is_taken_back(bad):
    target, _, J = bowl()
    calls, evaluate = iter(range(1000)), optimise.value_and_gradient(J)

    def sometimes_bad(G):
        cost, gradient = evaluate(G)
        return (cost * bad, gradient * bad) if next(calls) in (1, 2, 9, 17) else (cost, gradient)

    steps = until_stopped(minimise([Phase(sometimes_bad, 150)], 0.5 + 0 * target))
    assert all(np.isfinite(cost) and np.isfinite(G).all() for _, cost, G in steps)
    np.testing.assert_allclose(steps[-1][2], np.clip(target, 0, 1), atol=3e-3)


def test_a_wall_of_nan_stops_it_with_the_reason_and_the_last_good_picture():
    start = tf.fill((1, 4, 4, 3), 0.5)

    def walled(G):
        good = bool(tf.reduce_all(start == G))
        return tf.constant(1.0 if good else np.nan), tf.ones_like(G)

    seen = []
    with pytest.raises(Stopped, match="steepest descent"):
        for _, _, G in minimise([Phase(walled, 100)], start):
            seen.append(G)
    np.testing.assert_array_equal(seen[-1], start)


@pytest.mark.parametrize(("lies", "recovers"), [(5, True), (30, False)])
def test_a_failed_line_search_restarts_once_along_the_steepest_descent(lies, recovers):
    """While J is said to be higher everywhere, a search fails after 5 evaluations: 1, 0.1, ... 0.0001 of a step."""
    target, _, J = bowl()
    calls, evaluate = iter(range(1000)), optimise.value_and_gradient(J)

    def lying(G):
        cost, gradient = evaluate(G)
        return (cost + 1e6, gradient) if 20 <= next(calls) < 20 + lies else (cost, gradient)

    used, _, G = until_stopped(minimise([Phase(lying, 200)], 0.5 + 0 * target))[-1]
    assert (used > 25) == recovers
    assert np.allclose(G, np.clip(target, 0, 1), atol=3e-3) == recovers


# ------------------------------------------------------------------------------------ the engine


def stylised(vgg, C, S, **options):
    return list(stylise(C, S, vgg, bar=False, **options))


def test_it_beats_as_many_steps_of_adam(small_vgg, C, S):
    *_, last = stylised(small_vgg, C, S, evaluations=40)
    *_, adam = nst.train(small_vgg, C, S, steps=40, learning_rate=0.02, every=40)
    assert last.J < adam.J


@pytest.mark.parametrize("evaluations", [7, (6, 7), (3, 4, 5)])
@pytest.mark.parametrize("precision", ["auto", "float32", "bfloat16"])
def test_records_are_of_full_size_and_count_every_evaluation(small_vgg, C, S, evaluations, precision):
    records = stylised(small_vgg, C, S, evaluations=evaluations, every=2, precision=precision)
    assert records[0].step == 0 and records[-1].step == np.sum(evaluations)
    np.testing.assert_array_equal(records[0].image, nst.as_saved(C))
    objective = nst.Objective(small_vgg, C, S)
    for record in records:
        assert record.image.shape == C.shape
        np.testing.assert_allclose(record.image * 255, np.rint(record.image * 255), atol=1e-4)
        np.testing.assert_allclose(record.J, objective(record.image)[0], rtol=1e-4)


def test_beta_weights_and_start_are_used(small_vgg, C, S):
    weak, strong = (stylised(small_vgg, C, S, evaluations=30, beta=beta)[-1] for beta in (1, 1000))
    yardstick = nst.Objective(small_vgg, C, S)
    assert float(yardstick(strong.image)[2]) < float(yardstick(weak.image)[2])
    course = nst.CostWeights(10, 40)
    first = stylised(small_vgg, C, S, evaluations=1, weights=course, start=1 - C)[0]
    np.testing.assert_allclose(first.J, nst.Objective(small_vgg, C, S, course)(nst.as_saved(1 - C))[0], rtol=1e-4)


def test_bfloat16_is_nearly_float32_and_only_nearly(small_vgg, C):
    exact, quick = small_vgg(C), optimise.in_bfloat16(small_vgg)(C)
    for name, a in exact.items():
        difference = float(tf.norm(a - tf.cast(quick[name], tf.float32)) / tf.norm(a))
        assert difference == 0 if name == "conv1_1" else 1e-4 < difference < 0.03
    assert tf.reduce_all(nst.gram_per_position(quick["conv3_1"]) < np.inf)
    assert nst.gram_per_position(quick["conv3_1"]).dtype == tf.float32


def test_the_networks_own_pooling_stays_in_bfloat16(random_weights, C):
    for pooling in ("average", "max"):
        vgg = nst.build_vgg19(random_weights, ("conv3_1",), pooling)
        twin = optimise.in_bfloat16(vgg)
        np.testing.assert_allclose(twin(C)["conv3_1"], vgg(C)["conv3_1"], rtol=0.1, atol=0.05)


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_ctrl_c_ends_with_the_picture_so_far(small_vgg, C, S, method, monkeypatch, capsys):
    traced = optimise.value_and_gradient

    def interrupted(objective):
        evaluate, calls = traced(objective), iter(range(1000))

        def call(G):
            if next(calls) == 20:
                raise KeyboardInterrupt
            return evaluate(G)

        return call

    monkeypatch.setattr(optimise, "value_and_gradient", interrupted)
    records = stylised(small_vgg, C, S, evaluations=50, every=7, method=method, precision="float32")
    assert 7 < records[-1].step < 20 and records[-1].J < records[0].J
    assert "Stopped by hand" in capsys.readouterr().out


def test_adam_takes_back_a_step_to_nan(small_vgg, C, S, monkeypatch):
    traced = optimise.value_and_gradient

    def sometimes_bad(objective):
        evaluate, calls = traced(objective), iter(range(1000))

        def call(G):
            J, gradient = evaluate(G)
            bad = np.nan if next(calls) in (12, 13) else 1.0
            return J * bad, gradient * bad

        return call

    monkeypatch.setattr(optimise, "value_and_gradient", sometimes_bad)
    records = stylised(small_vgg, C, S, evaluations=40, every=5, method="adam", precision="float32")
    assert all(np.isfinite(r.J) and np.isfinite(r.image).all() for r in records)
    assert records[-1].J < records[0].J


def test_a_very_large_picture_is_left_to_adam(small_vgg, C, S, monkeypatch, capsys):
    monkeypatch.setattr(optimise, "LARGEST", 1000)
    records = stylised(small_vgg, C, S, evaluations=20)
    assert "20 steps of Adam" in capsys.readouterr().out
    assert records[-1].J < records[0].J


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"evaluations": 0}, "evaluations = 0"),
        ({"evaluations": (10, 2.5)}, "a whole number"),
        ({"evaluations": ()}, "a whole number"),
        ({"precision": "float16"}, "precision 'float16': not known"),
        ({"method": "sgd"}, "method 'sgd': not known"),
        ({"every": 0}, "every = 0"),
        ({"beta": -1}, "beta = -1"),
        ({"beta": float("nan")}, "beta = nan"),
        ({"beta": "more"}, "beta = 'more'"),
        ({"start": tf.zeros((1, 9, 9, 3))}, "not of the size of C"),
    ],
)
def test_bad_input_is_refused_before_any_work(small_vgg, C, S, options, message):
    with pytest.raises(ValueError, match=message):
        next(stylise(C, S, small_vgg, **options))
    with pytest.raises(ValueError, match="C of shape"):
        next(stylise(C[0], S, small_vgg))
    with pytest.raises(ValueError, match=r"S = 'a.jpg'.*nst.load_image"):
        next(stylise(C, "a.jpg", small_vgg))


MEASURE = """
import resource, sys
sys.path.insert(0, "benchmarks")
import evaluation
import nst_utils as nst
from studio import optimise
from nst_utils import tf

def now():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

side, network = int(sys.argv[1]), sys.argv[2]
vgg = nst.build_vgg19(evaluation.weights_of(network), evaluation.LAYERS)
size = (side * 3 // 4, side)
C, S = tf.random.uniform((1, *size, 3)), 0.5 * tf.random.uniform((1, *size, 3))
before = now()
list(optimise.stylise(C, S, vgg, evaluations=(2, 24), bar=False, precision="float32"))
peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(optimise.peak_memory(vgg, size, coarse=True) / (peak - before))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read from Linux' /proc")
@pytest.mark.parametrize("arguments", [("512", "slim"), ("192", "full")], ids=" ".join)
def test_the_memory_estimate_is_within_30_percent(arguments):
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *arguments],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert 0.7 < float(done.stdout.splitlines()[-1]) < 1.3
