"""What is no mistake and hurts later: NumPy alone, a loop over numbers, a gradient that is lost on the way."""

import sys

import numpy as np

from notebooks.checks.plain_words import INSTEAD, NO_SUCH_METHOD, NOT_THE_LEARNER_S, said_by
from nst_utils import tf


def only_numpy_remark(reason):
    """A remark on a function that works for NumPy arrays only. reason: what stopped it with tensors, or ""."""
    if not reason:
        return ""
    said = "But it takes NumPy arrays only, and activations are tensors"
    if found := NO_SUCH_METHOD.search(reason):
        return f"{said}, which have no .{found[1]}: use {INSTEAD.get(found[1], 'a function of TensorFlow')}."
    return f"{said}: use TensorFlow's functions."


def loop_remark(function, inputs):
    """A remark if a function goes through the numbers one by one: with 16 times the positions it runs more lines."""
    larger = tf.nest.map_structure(_sixteen_times, inputs)
    few, many = (_lines_run(function, arrays) for arrays in (inputs, larger))
    if few == 0 or many < 5 * few:
        return ""
    return (
        "But it goes through the numbers one by one, and a picture has millions: that takes minutes. Use whole tensors."
    )


def _sixteen_times(array):
    return np.tile(array, {4: (1, 4, 4, 1), 2: (1, 16)}.get(np.ndim(array), 1))


def _lines_run(function, inputs):
    """How many lines outside the libraries the function runs for these inputs; 0 if it stops."""
    function = getattr(function, "python_function", function)  # of a tf.function, which runs its lines once
    inputs, count, before = tf.nest.map_structure(tf.constant, inputs), 0, sys.gettrace()

    def trace(frame, event, _):
        nonlocal count
        if frame.f_code.co_filename.startswith(NOT_THE_LEARNER_S):
            return None
        count += 1
        return trace

    try:
        function(*inputs)  # a tf.function among those that it calls runs its lines here
        sys.settrace(trace)
        function(*inputs)
    except (Exception, SystemExit):
        return 0
    finally:
        sys.settrace(before)
    return count


def no_gradient(cost, G, right=None):
    """A remark if the optimiser, which wants the gradient of a cost, would find none, or a wrong one.

    G: array. right: the formula, a function of a float64 array, whose gradient the cost's is compared with.
    """
    G = tf.constant(G)
    try:
        with tf.GradientTape() as tape:
            tape.watch(G)
            J = cost(G)
        gradient = tape.gradient(J, G) if tf.is_tensor(J) else None
    except LookupError:  # an operation of TensorFlow that has none
        gradient = None
    except tf.errors.OpError as error:  # that comes with the tape alone, as between TensorFlow and XLA
        return f"But the optimiser finds no gradient: {said_by(error).splitlines()[0]}"
    if gradient is None:
        return (
            "But it has no gradient, which the optimiser needs: NumPy, float() and .numpy() lose it, and so do "
            "tf.constant, tf.stop_gradient, tf.round, a cast to whole numbers and .assign. "
            "Use TensorFlow's other functions from the input to the result."
        )
    if right is None or _near(np.asarray(tf.convert_to_tensor(gradient), np.float64), _slopes(right, G.numpy())):
        return ""
    return (
        "But its gradient, which the optimiser needs, is not that of the formula: part of the way from the input to "
        "the result goes through NumPy, float(), .numpy() or tf.stop_gradient, which lose it. Use TensorFlow's "
        "functions all the way."
    )


def _near(gradient, right):
    return np.linalg.norm(gradient - right) <= 0.1 * np.linalg.norm(right)


def _slopes(right, at, step=1e-3):
    """The gradient of a function of an array, by central differences."""
    slopes = np.empty(at.shape)
    for index in np.ndindex(at.shape):
        ahead, behind = (np.array(at, np.float64) for _ in range(2))
        ahead[index] += step
        behind[index] -= step
        slopes[index] = (float(right(ahead)) - float(right(behind))) / (2 * step)
    return slopes
