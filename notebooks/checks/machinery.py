"""What all checks share: how a function is called, how results are compared, and how a mistake is put in words.

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
import traceback
import types

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
    """What the function returns for these inputs. A mistake that stops it is put in words.

    advice: a sentence to add, or a function that finds one for an error's message.
    """
    try:
        return function(*inputs)
    except (NotImplementedError, CheckFailed):
        raise
    except Exception as error:
        more = advice(str(error)) if callable(advice) else advice
        raise CheckFailed(f"{name}: {_why_it_stopped(function, error)} {more}".rstrip()) from error


def call(name, function, inputs, advice=""):
    """(result as a float64 array, why only NumPy inputs work, or ""). A mistake that stops it is put in words.

    The function gets tensors, which nobody can change, and then NumPy arrays that cannot be written to.
    """
    try:
        result, reason = attempt(name, function, *tf.nest.map_structure(tf.constant, inputs), advice=advice), ""
    except CheckFailed as error:
        reason = str(error.__cause__ or error)
        try:
            result = _on_arrays(name, function, inputs)
        except CheckFailed:
            raise
        except Exception:
            raise error from None
    else:
        with contextlib.suppress(*_ANY_OTHER_ERROR):
            _on_arrays(name, function, inputs)
    if result is None:
        raise CheckFailed(f"{name}: it returns nothing. Is the `return` missing?")
    if isinstance(result, tuple):
        raise CheckFailed(f"{name}: it returns a tuple of {len(result)}, not an array. Is there a comma behind it?")
    try:
        return np.asarray(result, np.float64), reason
    except (TypeError, ValueError):
        raise CheckFailed(f"{name}: it returns a {type(result).__name__}, not an array of numbers.") from None


_ANY_OTHER_ERROR = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    tf.errors.OpError,
)


def _on_arrays(name, function, inputs):
    """What the function returns for NumPy arrays, which it may read only. Raises CheckFailed if it changes one."""
    views = tf.nest.map_structure(_read_only, inputs)
    try:
        result = function(*views)
    except ValueError as error:
        if "read-only" in str(error):
            raise CheckFailed(
                f"{name}: it changes its input{_where(function, error)}, and so the picture for all that comes after. "
                "Make a new array: a = a - b, and not a -= b."
            ) from error
        raise
    if any(view.shape != np.shape(array) for view, array in _leaves(views, inputs)):
        raise CheckFailed(f"{name}: it changes the shape of its input. Use tf.reshape, which returns a new tensor.")
    return result


def _leaves(*structures):
    return zip(*map(tf.nest.flatten, structures), strict=True)


def _read_only(array):
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


NONE = "the gradient is None"
IN_TAPE = f"{NONE}: call objective(G) inside `with tf.GradientTape() as tape:`, and take tape.gradient(J, G), J first"
ONE_LAYER = "a dict of all layers stands where the activations of one belong: name the layer, in [ ]"
PAIRS = "apply_gradients wants a list of pairs, the gradient first: [(gradient, G)]"
IN_PLAIN_WORDS = [  # (what the error says, what the line of the function says, what that means)
    (
        r"Matrix size-incompatible: In\[0\]: \[(.*?)\], In\[1\]: \[(.*?)\]",
        "",
        "a matrix of {} times one of {} does not fit",
    ),
    (r"Incompatible shapes: \[(.*?)\] vs\. \[(.*?)\]", "", "entry by entry, as *, + and - go, {} and {} do not fit"),
    ("No gradients provided", "", IN_TAPE),
    ("None values not supported", "", IN_TAPE),
    (r"'dict' and 'dict'|'dict' object has no attribute|convert a value \(\{", "", ONE_LAYER),
    ("object has no attribute '_unique_id'|unpack|iterate|iterable", "apply_gradients", PAIRS),
    ("Cannot update variable with shape", "apply_gradients", f"{PAIRS}, and both of one shape"),
    (
        "`type_value`",
        "",
        "float() and .numpy() take a number out of TensorFlow, which then has no gradient: keep the tensor",
    ),
    ("object has no attribute '_id'", "gradient", "tape.gradient wants one cost: the first of the three, J"),
    ("property 'shape' of", "", "a shape cannot be assigned: use tf.reshape, which returns a new tensor"),
    ("does not support item assignment", "", "a tensor cannot be written into: make a new one"),
    (r"must have the same dtype, got tf\.(\w+) != tf\.(\w+)", "", "a {} and a {} tensor meet: tf.cast one of them"),
    (
        "unsupported operand.*NoneType",
        "",
        "one of the two is None: what a function without `return` gives, or a gradient that the tape did not see",
    ),
    ("expected to be a (\\w+) tensor but is a (\\w+) tensor", "", "a {} and a {} tensor meet: tf.cast one of them"),
]


def _why_it_stopped(function, error):
    where, kind = _where(function, error), type(error).__name__
    if isinstance(error, KeyError):
        return f"it stopped{where}: there is no {error} in the dict."
    if found := NO_SUCH_METHOD.search(str(error)):
        return (
            f"it stopped{where}: tensors have no .{found[1]}: use {INSTEAD.get(found[1], 'a function of TensorFlow')}."
        )
    for said, at, meaning in IN_PLAIN_WORDS:
        if (found := re.search(said, str(error))) and at in where:
            return f"it stopped{where}: {meaning.format(*(part.replace(',', 'x') for part in found.groups()))}."
    reason = re.sub(r"\{\{.*?\}\}|\[Op:.*", "", str(error)).strip().split("\n")[0]
    return f"it stopped{where} with {kind}: {reason.rstrip('. ')}."


def _where(function, error):
    code = getattr(inspect.unwrap(function), "__code__", None)
    lines = [f.line for f in traceback.extract_tb(error.__traceback__) if code and f.filename == code.co_filename]
    return f" in the line `{lines[-1]}`" if lines and lines[-1] else ""


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
    cost = _one_number(name, function)
    calls = [call(name, cost, probe, advice) for probe in probes]
    for value, _ in calls:
        if value.size != 1:
            raise CheckFailed(f"{name}: it returns {size(value)} numbers, but a cost is one: sum over every axis.")
    got, expected = [value.item() for value, _ in calls], [float(right(*probe)) for probe in probes]
    if not same(got, expected):
        _say_what_is_wrong(name, function, probes, got, expected, mistakes, nothing)
    if any(cost.whole) and got != expected and all(value == round(value) for value in got):
        raise CheckFailed(f"{name}: it returns whole numbers: int() cuts off what comes after the point. Leave it out.")
    return only_numpy_remark(next((reason for _, reason in calls if reason), "")) or loop_remark(function, probes[0])


def _say_what_is_wrong(name, function, probes, got, expected, mistakes, nothing):
    if any(np.isnan(got)):
        raise CheckFailed(f"{name}: it returns nan, not a number: 0 was divided by 0, as in the mean over nothing.")
    if same(got, np.trunc(expected)):
        raise CheckFailed(f"{name}: rounded down to a whole number: no // and no int() in a cost, / alone.")
    name_the_mistake(name, got, probes, mistakes)
    for value, wanted in zip(got, expected, strict=True):
        if wanted == 0 and not same([value], [wanted]):
            raise CheckFailed(f"{name}: {nothing} costs {value:.6g}. It must cost 0.")
    for probe, value, wanted in zip(probes, got, expected, strict=True):
        if not same([value], [wanted]):
            raise CheckFailed(f"{name}: it returns {value:.6g} where {wanted:.6g} is right{_for(function, probe)}.")


def _one_number(name, function):
    """The function, which may not return several numbers; `whole` notes whether each result was an int."""

    @functools.wraps(function)
    def cost(*inputs):
        result = function(*inputs)
        if isinstance(result, types.GeneratorType):
            raise CheckFailed(f"{name}: it returns a generator, `... for ... in ...`: return the sum( ) of it.")
        if isinstance(result, tuple | list | dict):
            raise CheckFailed(
                f"{name}: it returns a {type(result).__name__} of {len(result)}; a cost is one number. "
                + (
                    "Is there a comma behind it?"
                    if isinstance(result, tuple) and len(result) == 1
                    else "Add them up, and return the sum."
                )
            )
        cost.whole.append(isinstance(result, int | np.integer))
        return result

    cost.whole = []
    return cost


def _for(function, inputs):
    """ ", for a = [...] and b = [...]": the inputs, small as they are."""
    names = list(inspect.signature(function).parameters)[: len(inputs)]
    words = []
    for name, value in zip(names, inputs, strict=False):
        if isinstance(value, dict):
            layer, value = next(iter(value.items()))
            name = f'{name}["{layer}"]'
        digits = np.array2string(np.squeeze(value), precision=3, separator=" ", threshold=60)
        words.append(f"{name} = {' '.join(digits.split())}")
    return f", for {' and '.join(words)}" if words else ""


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


NO_SUCH_METHOD = re.compile(r"EagerTensor.* has no attribute '([a-z]\w*)'", re.I)
INSTEAD = {
    "T": "tf.transpose(A), or transpose_b=True in tf.matmul",
    "dot": "tf.matmul",
    "mean": "tf.reduce_mean",
    "reshape": "tf.reshape",
    "sum": "tf.reduce_sum",
}


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
    if many < 5 * few:
        return ""
    return (
        "But it goes through the numbers one by one, and a picture has millions: that takes minutes. Use whole tensors."
    )


def _sixteen_times(array):
    return np.tile(array, {4: (1, 4, 4, 1), 2: (1, 16)}.get(np.ndim(array), 1))


def _lines_run(function, inputs):
    """How many lines of its own file the function runs for these inputs; 0 if it stops."""
    function = getattr(function, "python_function", function)  # of a tf.function, which runs its lines once
    code, count, before = getattr(inspect.unwrap(function), "__code__", None), 0, sys.gettrace()

    def trace(frame, event, _):
        nonlocal count
        if not code or frame.f_code.co_filename != code.co_filename:
            return None
        count += 1
        return trace

    sys.settrace(trace)
    try:
        function(*tf.nest.map_structure(tf.constant, inputs))
    except Exception:
        return 0
    finally:
        sys.settrace(before)
    return count


def no_gradient(cost, G):
    """A remark if the optimiser, which wants the gradient of a cost, would find none. G: array."""
    G = tf.constant(G)
    with tf.GradientTape() as tape:
        tape.watch(G)
        J = cost(G)
    if tf.is_tensor(J) and tape.gradient(J, G) is not None:
        return ""
    return (
        "But it has no gradient, which the optimiser needs: NumPy, float() and .numpy() lose it. "
        "Use TensorFlow's functions from G to the result."
    )


def size(array):
    return "x".join(map(str, array.shape)) or "one"


# ------------------------------------------------------------------------------------ what functions are called with


def count(*shape):
    """The numbers 0, 1, 2, ... in this shape: small whole numbers, exact in float32 and in TF32."""
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


ROWS_S = [3, 0, 0], [0, 2, 0], [0, 0, 1], [1, 0, 2], [0, 1, 0], [2, 0, 0]  # channels at odds with one another,
ROWS_G = [0, 1, 2], [2, 0, 0], [0, 3, 0], [1, 0, 1], [0, 0, 4], [1, 2, 0]  # which the counted numbers are not
ODD_S, ODD_G = (np.array(rows, np.float32).reshape(1, 3, 2, 3) for rows in (ROWS_S, ROWS_G))
