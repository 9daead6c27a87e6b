"""What all checks share: how a function is called, how results are compared, and how a mistake is named.

A check calls the learner's function on small inputs whose results can be worked out by hand. Where a
result is wrong, it is compared with what each classic mistake would give, and the message names the
one that fits. Only results count: reshape or einsum, NumPy or TensorFlow, float32 or float64.
"""

import contextlib
import functools
import inspect
import re
import sys
import textwrap
import types

import numpy as np

from notebooks.checks.plain_words import NO_NUMPY, said_by, where, why_it_stopped
from notebooks.checks.remarks import loop_remark, only_numpy_remark
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
            print(f"{name}: right. {self._remark_on(name, function)}".rstrip())

        return check

    def _remark_on(self, name, function):
        """A remark on a right function, or "". Raises CheckFailed or NotWritten."""
        if not callable(function):
            raise CheckFailed(f"{name}: hand over the function itself, check_{name}({name}), not its result.")
        try:
            with _quiet():
                return self.checks[name](function)
        except NotImplementedError as error:
            hint = said_by(error).split(": ", 1)[1].strip()
            raise NotWritten(hint or f"{name} is not written.") from None
        except CheckFailed:
            raise
        except (Exception, SystemExit) as error:
            if not where(function, error):
                raise
            raise CheckFailed(f"{name}: {why_it_stopped(function, error)}") from error

    def check_all(self, namespace=None):
        """Print how many exercises are right, and what is open.

        namespace: {name: function}, the caller's by default.
        """
        namespace = sys._getframe(1).f_globals if namespace is None else namespace
        still_open = {}
        for name in self.checks:
            try:
                if name not in namespace:
                    raise NotImplementedError
                self._remark_on(name, namespace[name])
            except CheckFailed as error:
                still_open[name] = str(error)
            except NotImplementedError:
                still_open[name] = f"{name}: not written yet."
        print(f"{len(self.checks) - len(still_open)} of {len(self.checks)} right.", *still_open.values(), sep="\n")


@contextlib.contextmanager
def _quiet():
    """TensorFlow does not warn that a tf.function is traced anew: a check calls it with many inputs."""
    logger = tf.get_logger()
    before = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(before)


# ------------------------------------------------------------------------------------ calling


def attempt(name, function, *inputs, advice=""):
    """What the function returns for these inputs. A mistake that stops it is put in words.

    advice: a sentence to add, or a function that finds one for an error's message.
    """
    try:
        return function(*inputs)
    except CheckFailed:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, NotImplementedError) and not re.search(NO_NUMPY, str(error)):
            raise
        more = advice(str(error)) if callable(advice) else advice
        raise CheckFailed(f"{name}: {why_it_stopped(function, error)} {more}".rstrip()) from error


def call(name, function, inputs, advice=""):
    """(result as a float64 array, why only NumPy inputs work, or ""). A mistake that stops it is put in words.

    The function gets tensors, which nobody can change, and then NumPy arrays that cannot be written to.
    """
    given = tf.nest.map_structure(tf.constant, inputs)
    try:
        with _dicts_kept(name, function, given):
            result, reason = attempt(name, function, *given, advice=advice), ""
    except CheckFailed as error:
        reason = str(error.__cause__ or error)
        try:
            result = _on_arrays(name, function, inputs)
        except CheckFailed:
            raise
        except (Exception, SystemExit):
            raise error from None
    else:
        _arrays_kept(name, function, inputs)
    if result is None:
        raise CheckFailed(f"{name}: it returns nothing. Is the `return` missing?")
    if isinstance(result, tuple):
        comma = " Is there a comma behind it?" if len(result) == 1 else ""
        raise CheckFailed(f"{name}: it returns a tuple of {len(result)}, not an array.{comma}")
    try:
        return as_numbers(result), reason
    except (TypeError, ValueError):
        raise CheckFailed(f"{name}: it returns a {type(result).__name__}, not an array of numbers.") from None


def as_numbers(result):
    """The result as a float64 array. Raises TypeError or ValueError if it is none.

    NumPy would make a number of a str, nan of None, and a real number of a complex one.
    """
    array = np.asarray(getattr(result, "numpy", lambda: result)())  # asarray alone stops at a bfloat16 tensor
    no_numbers = array.dtype.kind in "USO" and any(isinstance(part, str | bytes | None) for part in array.ravel())
    if no_numbers or array.dtype.kind == "c":
        raise TypeError
    return array.astype(np.float64)


def _arrays_kept(name, function, inputs):
    """Raise CheckFailed if the function changes an array. It need not work for arrays."""
    try:
        _on_arrays(name, function, inputs)
    except CheckFailed:
        raise
    except (Exception, SystemExit):
        return


@contextlib.contextmanager
def _dicts_kept(name, function, inputs):
    """Raise CheckFailed if what runs inside changes a dict among the inputs."""
    before = [dict(value) if isinstance(value, dict) else {} for value in inputs]
    yield
    for which, now, was in zip(_names(function, len(inputs)), inputs, before, strict=True):
        if gone := [layer for layer in was if layer not in now]:
            raise CheckFailed(
                f"{name}: it takes {gone[0]} out of {which}, where it is gone for all that comes after. "
                "Leave the dict as it is."
            )
        if was and any(now[layer] is not was.get(layer) for layer in now):
            raise CheckFailed(f"{name}: it writes into {which}, and so for all that comes after. Make a new dict.")


def _names(function, count):
    """What the function calls its first arguments."""
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = []
    return (names + ["its input"] * count)[:count]


def _on_arrays(name, function, inputs):
    """What the function returns for NumPy arrays, which it may read only. Raises CheckFailed if it changes one."""
    views = tf.nest.map_structure(_read_only, inputs)
    given = tf.nest.map_structure(lambda view: view, views)
    try:
        with _dicts_kept(name, function, given):
            result = function(*given)
    except ValueError as error:
        if "read-only" in str(error):
            raise CheckFailed(
                f"{name}: it changes its input{where(function, error)}, and so the picture for all that comes after. "
                "Make a new array: a = a - b, and not a -= b."
            ) from error
        raise
    if any(np.shape(view) != np.shape(array) for view, array in _leaves(views, inputs)):
        raise CheckFailed(f"{name}: it changes the shape of its input. Use tf.reshape, which returns a new tensor.")
    return result


def _leaves(*structures):
    return zip(*map(tf.nest.flatten, structures), strict=True)


def _read_only(array):
    if np.ndim(array) == 0:
        return np.float32(array)  # nobody can change a number: x *= 2 makes a new one
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


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


def examine_cost(
    name, function, right, probes, mistakes, advice="", nothing="an image compared with itself", names=None, asked=""
):
    """Compare a cost with `right` on every probe, a tuple of inputs. Returns a remark or "".

    nothing: what costs 0 where `right` is 0. names: what the learner calls the inputs, by default the function's
    arguments. asked: what else the result depends on, such as 'layer = "conv2_1"'.
    """
    cost = _one_number(name, function)
    calls = [call(name, cost, probe, advice) for probe in (*probes, probes[0])]
    for value, _ in calls:
        if value.size != 1:
            raise CheckFailed(f"{name}: it returns {size(value)} numbers, but a cost is one: sum over every axis.")
    (*got, again), expected = [value.item() for value, _ in calls], [float(right(*probe)) for probe in probes]
    if not np.allclose(again, got[0], rtol=TOLERANCE, atol=NEAR_ZERO, equal_nan=True):
        raise CheckFailed(
            f"{name}: called twice with the same input, it returns {got[0]:.6g} and then {again:.6g}: "
            "it changes something that outlives the call. Make all that it changes anew, inside the function."
        )
    if not same(got, expected):
        _say_what_is_wrong(name, got, expected, probes, mistakes, nothing)
        _show_a_difference(name, got, expected, probes, names or _names(function, len(probes[0])), asked)
    return only_numpy_remark(next((reason for _, reason in calls if reason), "")) or loop_remark(function, probes[0])


def _say_what_is_wrong(name, got, expected, probes, mistakes, nothing):
    if any(np.isnan(got)):
        raise CheckFailed(f"{name}: it returns nan, not a number: 0 was divided by 0, as in the mean over nothing.")
    whole = np.array_equal(got, np.trunc(got))
    if whole and same(got, np.trunc(expected)):
        raise CheckFailed(
            f"{name}: rounded down to a whole number: int() cuts off what comes after the point, and so does //. "
            "So no // and no int() in a cost, / alone."
        )
    if whole and same(got, np.round(expected)):
        raise CheckFailed(f"{name}: rounded to a whole number: leave the cost as it is, without round().")
    name_the_mistake(name, got, probes, mistakes)
    for value, wanted in zip(got, expected, strict=True):
        if wanted == 0 and not same([value], [wanted]):
            raise CheckFailed(f"{name}: {nothing} costs {value:.6g}. It must cost 0.")


def _show_a_difference(name, got, expected, probes, names, asked):
    for probe, value, wanted in zip(probes, got, expected, strict=True):
        if not same([value], [wanted]):
            shown = shown_inputs(names, probe, asked)
            raise CheckFailed(f"{name}: it returns {value:.6g} where {wanted:.6g} is right, for {shown}.")


def _one_number(name, function):
    """The function, which may return neither several things nor words."""

    @functools.wraps(function)
    def cost(*inputs):
        result = function(*inputs)
        if isinstance(result, types.GeneratorType):
            raise CheckFailed(f"{name}: it returns a generator, `... for ... in ...`: return the sum( ) of it.")
        if isinstance(result, str):
            raise CheckFailed(f"{name}: it returns a str, not a number: leave its form to the print that shows it.")
        if isinstance(result, tuple | list | dict):
            raise CheckFailed(
                f"{name}: it returns a {type(result).__name__} of {len(result)}; a cost is one number. "
                f"{_how_to_make_it_one(result)}"
            )
        return result

    return cost


def _how_to_make_it_one(result):
    if isinstance(result, dict):
        return "Return the number alone."
    if len(result) == 1:
        return "Is there a comma behind it?" if isinstance(result, tuple) else "Leave out the [ ] around it."
    if all(map(_is_number, result)):
        return "Put them together as the formula says." if len(result) == 2 else "Add them up, and return the sum."
    return "Return the cost alone."


def _is_number(value):
    try:
        return as_numbers(value).size == 1
    except (TypeError, ValueError):
        return False


def shown_inputs(names, inputs, asked=""):
    """ "a = [...] and b = [...]": the inputs, small as they are. asked: what else to name, in front."""
    words = [asked] if asked else []
    for name, value in zip(names, inputs, strict=False):
        if isinstance(value, dict):
            layer, value = next(iter(value.items()))
            name = f'{name}["{layer}"]'
        digits = np.array2string(np.squeeze(value), precision=3, separator=" ", threshold=60)
        words.append(f"{name} = {' '.join(digits.split())}")
    return " and ".join(words)


def examine_numbers(name, numbers, right, probes, mistakes):
    """Compare a number for each layer with `right`. numbers: {layer: number}; probes: {layer: tuple of inputs}."""
    asked, got = [probes[layer] for layer in numbers], [_number_at(name, *entry) for entry in numbers.items()]
    if not same(got, [right(*probe) for probe in asked]):
        name_the_mistake(name, got, asked, mistakes)
        for layer, probe, number in zip(numbers, asked, got, strict=True):
            if not same([number], [wanted := right(*probe)]):
                raise CheckFailed(f"{name}: {number:.6g} at {layer}, where {wanted:.6g} is right: follow the formula.")


def _number_at(name, layer, number):
    try:
        if isinstance(number, tuple | list):
            raise TypeError
        array = as_numbers(number)
    except (TypeError, ValueError):
        raise CheckFailed(f"{name}: for {layer} there is a {type(number).__name__}, not a number.") from None
    if array.size != 1:
        raise CheckFailed(f"{name}: for {layer} there are {size(array)} numbers; it should be one.")
    return array.item()


def size(array):
    return "x".join(map(str, array.shape)) or "one"


# ------------------------------------------------------------------------------------ what functions are called with


def count(*shape):
    """The numbers 0, 1, 2, ... in this shape: small whole numbers, exact in float32 and in TF32."""
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


ROWS_S = [3, 0, 0], [0, 2, 0], [0, 0, 1], [1, 0, 2], [0, 1, 0], [2, 0, 0]  # channels at odds with one another,
ROWS_G = [0, 1, 2], [2, 0, 0], [0, 3, 0], [1, 0, 1], [0, 0, 4], [1, 2, 0]  # which the counted numbers are not
ODD_S, ODD_G = (np.array(rows, np.float32).reshape(1, 3, 2, 3) for rows in (ROWS_S, ROWS_G))
