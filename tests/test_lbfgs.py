"""The engine: its steps are those of the textbook, it keeps its bounds, budget and temper."""

import contextlib
from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf
from threadpoolctl import threadpool_info, threadpool_limits

from studio.adam import Adam
from studio.lbfgs import LBFGS, InverseHessian, Phase, Stopped, lbfgs, natural_filter, value_and_gradient


def bowl(shape=(1, 9, 7, 3), seed=0):
    """A quadratic cost whose lowest point lies partly outside [0, 1]: (target, curvature, G -> J)."""
    target = tf.constant(np.random.default_rng(seed).uniform(-0.3, 1.3, shape), tf.float32)
    curvature = tf.constant(np.random.default_rng(seed + 1).uniform(0.1, 3, shape), tf.float32)
    return target, curvature, lambda G: tf.reduce_sum(curvature * (G - target) ** 2)


def phase(objective, evaluations):
    return [Phase(value_and_gradient(objective), evaluations)]


# ------------------------------------------------------------------------------------ the optimiser


def test_the_filter_is_symmetric_and_positive():
    shape = (1, 5, 6, 3)
    P = natural_filter(shape)
    matrix = np.stack([np.ravel(P(np.float32(e.reshape(shape)))) for e in np.eye(90)])
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-6)
    assert np.linalg.eigvalsh(matrix).min() > 0.01


@pytest.mark.parametrize("part", [7, 2**20])
def test_the_inverse_hessian_is_the_textbooks(part, monkeypatch):
    """Against BFGS' update written out as products of matrices, in float64, with more pairs than memory."""
    monkeypatch.setattr("studio.lbfgs.PART", part)
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


def test_without_pairs_it_is_the_filter_at_the_scale_of_the_last_step():
    shape, rng = (1, 4, 5, 3), np.random.default_rng(0)
    P, (s, y, g) = natural_filter(shape), rng.random((3, *shape)).astype(np.float32)
    estimate = InverseHessian(P, shape, memory=0)
    np.testing.assert_array_equal(estimate(g), P(g))
    estimate.learn(s, y)
    scale = np.vdot(s, y) / np.vdot(y, P(y))
    assert abs(scale - 1) > 0.1
    np.testing.assert_allclose(estimate(g), scale * P(g), rtol=1e-5)
    assert estimate.steps.size == estimate.filtered.size == 0


@pytest.mark.parametrize("memory", [0, 1, 3])
def test_with_few_pairs_it_finds_the_minimum_too(memory):
    target, _, J = bowl()
    *_, (_, _, G) = until_stopped(LBFGS(phase(J, 300), 0.5 + 0 * target, memory=memory))
    np.testing.assert_allclose(G, np.clip(target, 0, 1), atol=5e-3)


def test_adam_is_the_textbooks_within_the_bounds():
    """Kingma and Ba, as at the end of section 2, in float64; more rows than are worked on at a time."""
    target, curvature, J = bowl((1, 150, 3, 3))
    G, m, v = np.full(target.shape, 0.5), 0.0, 0.0
    expected = [G]
    for t in range(1, 30):
        slope = 2 * np.float64(curvature) * (G - target)
        m, v = 0.9 * m + 0.1 * slope, 0.999 * v + 0.001 * slope**2
        step = 0.02 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7)
        G = np.clip(G - step, 0, 1)
        expected.append(G)
    found = [G for _, _, G in Adam(phase(J, 30), 0.5 + 0 * target)]
    assert len(found) == 30 and np.any(found[-1] == 1)
    for ours, theirs in zip(found, expected, strict=True):  # each a picture of its own
        np.testing.assert_allclose(ours, theirs, atol=2e-4)


@pytest.mark.parametrize("size_of_cost", [1e-4, 1.0, 1e12])
def test_it_finds_a_known_minimum_within_the_bounds(size_of_cost):
    target, _, J = bowl()
    G = lbfgs(lambda G: size_of_cost * J(G), 0.5 + 0 * target, 150)
    # The cost is float32, so it is flat to within about the root of its precision.
    np.testing.assert_allclose(G, np.clip(target, 0, 1), atol=3e-3)


def test_every_accepted_picture_is_in_bounds_and_no_worse():
    target, _, J = bowl()
    steps = list(LBFGS(phase(J, 40), 0.5 + 0 * target))
    assert all(float(tf.reduce_min(G)) >= 0 and float(tf.reduce_max(G)) <= 1 for _, _, G in steps)
    assert all(after[1] <= before[1] * (1 + 1e-6) for before, after in pairwise(steps))
    assert len(steps) > 5 and steps[-1][1] < 0.5 * steps[0][1]


def test_it_keeps_its_budget():
    calls = tf.Variable(0)

    def objective(G):
        calls.assign_add(1)
        return tf.reduce_sum((G - 0.3) ** 4)

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
        steps = LBFGS([Phase(value_and_gradient, 10)], 0.5 + 0 * target)
        assert all(blas_threads() == before for _ in until_stopped(steps))


def test_it_stops_at_a_cost_that_is_not_finite_from_the_start():
    with pytest.raises(FloatingPointError, match="not finite at the start"):
        lbfgs(lambda G: tf.reduce_sum(G) * float("nan"), tf.fill((1, 4, 4, 3), 0.9), 7)


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
    calls, evaluate = iter(range(1000)), value_and_gradient(J)

    def sometimes_bad(G):
        cost, gradient = evaluate(G)
        return (cost * bad, gradient * bad) if next(calls) in (1, 2, 9, 17) else (cost, gradient)

    steps = until_stopped(LBFGS([Phase(sometimes_bad, 150)], 0.5 + 0 * target))
    assert all(np.isfinite(cost) and np.isfinite(G).all() for _, cost, G in steps)
    np.testing.assert_allclose(steps[-1][2], np.clip(target, 0, 1), atol=3e-3)


def test_a_wall_of_nan_stops_it_with_the_reason_and_the_last_good_picture():
    start = tf.fill((1, 4, 4, 3), 0.5)

    def walled(G):
        good = bool(tf.reduce_all(start == G))
        return tf.constant(1.0 if good else np.nan), tf.ones_like(G)

    seen = []
    with pytest.raises(Stopped, match="steepest descent"):
        for _, _, G in LBFGS([Phase(walled, 100)], start):
            seen.append(G)
    np.testing.assert_array_equal(seen[-1], start)


@pytest.mark.parametrize(("lies", "recovers"), [(5, True), (30, False)])
def test_a_failed_line_search_restarts_once_along_the_steepest_descent(lies, recovers):
    """While J is said to be higher everywhere, a search fails after 5 evaluations: 1, 0.1, ... 0.0001 of a step."""
    target, _, J = bowl()
    calls, evaluate = iter(range(1000)), value_and_gradient(J)

    def lying(G):
        cost, gradient = evaluate(G)
        return (cost + 1e6, gradient) if 20 <= next(calls) < 20 + lies else (cost, gradient)

    used, _, G = until_stopped(LBFGS([Phase(lying, 200)], 0.5 + 0 * target))[-1]
    assert (used > 25) == recovers
    assert np.allclose(G, np.clip(target, 0, 1), atol=3e-3) == recovers


def test_a_search_goes_on_from_its_state_bit_for_bit():
    rng = np.random.default_rng(0)
    target = rng.random((1, 12, 14, 3)).astype(np.float32)

    def rough(G):
        return tf.reduce_sum((G - target) ** 4) + 0.1 * tf.reduce_sum(tf.abs(tf.sin(9 * G)))

    phases = [Phase(value_and_gradient(rough), 30), Phase(value_and_gradient(lambda G: 2 * rough(G)), 40)]
    whole, states = [], {}
    search = LBFGS(phases, 0.5 + 0 * target, 0.3)
    for item in search:
        whole.append(item)
        numbers, arrays = search.state()
        states[item[0]] = dict(numbers, rows=list(numbers["rows"])), {n: np.array(a) for n, a in arrays.items()}
    assert len(whole) > 35 and max(states) > 60
    for used in list(states)[::7]:
        rest = list(LBFGS(phases, 0.5 + 0 * target, 0.3, state=states[used]))
        expected = [item for item in whole if item[0] > used]
        assert [item[:2] for item in rest] == [item[:2] for item in expected]
        for (_, _, one), (_, _, same) in zip(rest, expected, strict=True):
            np.testing.assert_array_equal(one, same)
