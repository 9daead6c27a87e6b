"""What all checks share: how a function is called, how results are compared, and how a mistake is put in words.

A check calls the learner's function on small inputs whose results can be worked out by hand. Where a
result is wrong, it is compared with what each classic mistake would give, and the message names the
one that fits. Only results count: reshape or einsum, NumPy or TensorFlow, float32 or float64.
"""

import functools
import inspect
import re
import sys
import textwrap
import traceback

import numpy as np

from nst_utils import tf

TOLERANCE = 0.02  # relative: TF32 and bfloat16 round a result by less, every mistake here changes one by more
NEAR_ZERO = 1e-3


class _InWords:
    advice = ""

    def _render_traceback_(self):  # Jupyter shows this instead of the way through the check
        return [textwrap.fill(f"Not yet. {self} {self.advice}".rstrip(), 100)]


class CheckFailed(_InWords, AssertionError):
    """The function does something else than it should: what, in words."""


class NotWritten(_InWords, NotImplementedError):
    """The function, or one that it calls, is not written yet."""

    advice = "(It is written? Then its cell has not run, or ended in an error.)"


class Lesson:
    """The checks of one lesson. checks: {name of the exercise: what examines a function and returns a remark}."""

    def __init__(self):
        self.checks = {}

    def check(self, examine):
        """Make `examine`, which raises CheckFailed or returns a remark, a check that prints one line.

        The check raises CheckFailed or NotWritten.
        """
        name = examine.__name__.removeprefix("check_")
        self.checks[name] = examine

        @functools.wraps(examine)
        def check(function):
            if not callable(function):
                raise CheckFailed(f"{name}: hand over the function itself, check_{name}({name}), not its result.")
            try:
                remark = examine(function)
            except NotImplementedError as error:
                raise NotWritten(str(error) or f"{name} is not written.") from None
            print(f"{name}: right. {remark}".rstrip())

        return check

    def check_all(self, namespace=None):
        """Print how many exercises are right, and what is open.

        namespace: {name: function}, the caller's by default.
        """
        namespace = sys._getframe(1).f_globals if namespace is None else namespace
        still_open = {}
        for name, examine in self.checks.items():
            try:
                if name not in namespace:
                    raise NotImplementedError
                examine(namespace[name])
            except CheckFailed as error:
                still_open[name] = str(error)
            except NotImplementedError:
                still_open[name] = f"{name}: not written yet."
        print(f"{len(self.checks) - len(still_open)} of {len(self.checks)} right.", *still_open.values(), sep="\n")


# ------------------------------------------------------------------------------------ calling


def attempt(name, function, *inputs, advice=""):
    """What the function returns for these inputs. A mistake that stops it is put in words."""
    try:
        return function(*inputs)
    except (NotImplementedError, CheckFailed):
        raise
    except Exception as error:
        raise CheckFailed(f"{name}: {_why_it_stopped(function, error)} {advice}".rstrip()) from error


def call(name, function, inputs, advice=""):
    """(result as a float64 array, whether only NumPy inputs work). A mistake that stops it is put in words."""
    try:
        result, only_numpy = attempt(name, function, *tf.nest.map_structure(tf.constant, inputs), advice=advice), False
    except CheckFailed as error:
        try:
            result, only_numpy = function(*inputs), True
        except Exception:
            raise error from None
    if result is None:
        raise CheckFailed(f"{name}: it returns nothing. Is the `return` missing?")
    try:
        return np.asarray(result, np.float64), only_numpy
    except (TypeError, ValueError):
        raise CheckFailed(f"{name}: it returns a {type(result).__name__}, not an array of numbers.") from None


def _why_it_stopped(function, error):
    code = getattr(inspect.unwrap(function), "__code__", None)
    lines = [f.line for f in traceback.extract_tb(error.__traceback__) if code and f.filename == code.co_filename]
    where = f" in the line `{lines[-1]}`" if lines and lines[-1] else ""
    reason = re.sub(r"\{\{.*?\}\}|\[Op:.*", "", str(error)).strip().split("\n")[0]
    return f"it stopped{where} with {type(error).__name__}: {reason.rstrip('. ')}."


# ------------------------------------------------------------------------------------ comparing


def same(got, expected):
    return all(np.allclose(g, e, rtol=TOLERANCE, atol=NEAR_ZERO) for g, e in zip(got, expected, strict=True))


def name_the_mistake(name, got, probes, mistakes):
    """Raise with the sentence of the first mistake that gives these results. mistakes: [(sentence, formula, ...)]."""
    for sentence, *formulas in mistakes:
        for formula in formulas:
            with np.errstate(all="ignore"):  # a wrong formula may divide by 0
                results = [formula(*probe) for probe in probes]
            if same(got, results):
                raise CheckFailed(f"{name}: {sentence}")


def examine_cost(name, function, right, probes, mistakes, advice="", nothing="an image compared with itself"):
    """Compare a cost with `right` on every probe, a tuple of inputs. Returns a remark or "".

    nothing: what costs 0 where `right` is 0.
    """
    calls = [call(name, function, probe, advice) for probe in probes]
    for value, _ in calls:
        if value.size != 1:
            raise CheckFailed(f"{name}: it returns {size(value)} numbers, but a cost is one: sum over every axis.")
    got, expected = [value.item() for value, _ in calls], [float(right(*probe)) for probe in probes]
    if not same(got, expected):
        name_the_mistake(name, got, probes, mistakes)
        for value, wanted in zip(got, expected, strict=True):
            if wanted == 0 and not same([value], [wanted]):
                raise CheckFailed(f"{name}: {nothing} costs {value:.6g}. It must cost 0.")
        value, wanted = next(pair for pair in zip(got, expected, strict=True) if not same(*([x] for x in pair)))
        raise CheckFailed(f"{name}: it returns {value:.6g} where {wanted:.6g} is right. Compare it with the formula.")
    return only_numpy_remark(any(flag for _, flag in calls))


def examine_numbers(name, numbers, right, probes, mistakes):
    """Compare a number for each layer with `right`. numbers: {layer: number}; probes: {layer: tuple of inputs}."""
    asked, got = [probes[layer] for layer in numbers], []
    for layer, number in numbers.items():
        if np.size(number) != 1:
            raise CheckFailed(f"{name}: for {layer} there are {size(np.asarray(number))} numbers; it should be one.")
        try:
            got.append(np.asarray(number, np.float64).item())
        except (TypeError, ValueError):
            raise CheckFailed(f"{name}: for {layer} there is a {type(number).__name__}, not a number.") from None
    if not same(got, [right(*probe) for probe in asked]):
        name_the_mistake(name, got, asked, mistakes)
        for layer, probe, number in zip(numbers, asked, got, strict=True):
            if not same([number], [wanted := right(*probe)]):
                raise CheckFailed(f"{name}: {number:.6g} at {layer}, where {wanted:.6g} is right: follow the formula.")


def only_numpy_remark(flag):
    return "But it takes NumPy arrays only, and activations are tensors: begin with np.asarray(...)." if flag else ""


def no_gradient(cost, G):
    """A remark if the optimiser, which wants the gradient of a cost, would find none. G: array."""
    G = tf.constant(G)
    with tf.GradientTape() as tape:
        tape.watch(G)
        J = cost(G)
    if tf.is_tensor(J) and tape.gradient(J, G) is not None:
        return ""
    return "But it has no gradient, which the optimiser needs: use TensorFlow's functions from G to the result."


def size(array):
    return "x".join(map(str, array.shape)) or "one"


# ------------------------------------------------------------------------------------ what functions are called with


def count(*shape):
    """The numbers 0, 1, 2, ... in this shape: small whole numbers, exact in float32 and in TF32."""
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


ROWS_S = [3, 0, 0], [0, 2, 0], [0, 0, 1], [1, 0, 2], [0, 1, 0], [2, 0, 0]  # channels at odds with one another,
ROWS_G = [0, 1, 2], [2, 0, 0], [0, 3, 0], [1, 0, 1], [0, 0, 4], [1, 2, 0]  # which the counted numbers are not
ODD_S, ODD_G = (np.array(rows, np.float32).reshape(1, 3, 2, 3) for rows in (ROWS_S, ROWS_G))
