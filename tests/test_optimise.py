"""Bounded L-BFGS: it moves, stays in bounds, keeps its budget, and finds a known minimum."""

import numpy as np
import pytest
import tensorflow as tf

import nst_utils as nst
from studio.optimise import coarse_to_fine, lbfgs


@pytest.mark.parametrize("size_of_cost", [1e-4, 1.0, 1e12])
def test_it_finds_a_known_minimum_within_the_bounds(size_of_cost):
    target = tf.constant(np.random.default_rng(0).uniform(-0.3, 1.3, (1, 9, 7, 3)), tf.float32)
    curvature = tf.constant(np.random.default_rng(1).uniform(0.1, 3, target.shape), tf.float32)
    G = lbfgs(lambda G: (size_of_cost * tf.reduce_sum(curvature * (G - target) ** 2),), 0.5 + 0 * target, 100)
    # The cost is float32, so it is flat to within about the root of its precision.
    np.testing.assert_allclose(G, np.clip(target, 0, 1), atol=3e-3)


def test_it_keeps_its_budget():
    calls = tf.Variable(0)

    def objective(G):
        calls.assign_add(1)
        return (tf.reduce_sum((G - 0.3) ** 4),)

    lbfgs(objective, tf.fill((1, 4, 4, 3), 0.9), 7)
    assert int(calls) == 7


def test_it_stops_at_a_cost_that_is_not_finite():
    with pytest.raises(FloatingPointError, match="no longer finite"):
        lbfgs(lambda G: (tf.reduce_sum(G) * float("nan"),), tf.fill((1, 4, 4, 3), 0.9), 7)


def test_coarse_to_fine_beats_as_many_steps_of_adam(small_vgg, C, S):
    G, (J, _, _) = coarse_to_fine(small_vgg, C, S, evaluations=(20, 20))
    assert G.shape == C.shape and float(tf.reduce_min(G)) >= 0 and float(tf.reduce_max(G)) <= 1
    *_, adam = nst.train(small_vgg, C, S, steps=40, learning_rate=0.02, every=40)
    assert J < adam.J
