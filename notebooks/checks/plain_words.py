"""What an error of Python or TensorFlow means to a learner, and in which of their lines it arose."""

import inspect
import os
import re
import traceback
from pathlib import Path

import numpy as np

from nst_utils import tf

NOT_THE_LEARNER_S = (  # how the files begin whose lines are not the learner's
    "<frozen",
    "<__array_function__",
    *(
        str(Path(path).parents[up])
        for path, up in ((os.__file__, 0), (np.__file__, 1), (tf.__file__, 1), (__file__, 0))
    ),
    str(Path(__file__).parents[2] / "nst_"),
)
NO_SUCH_METHOD = re.compile(r"(?:Eager|Symbolic)Tensor.* has no attribute '([a-z]\w*)'", re.I)
INSTEAD = {
    "T": "tf.transpose(A), or transpose_b=True in tf.matmul",
    "dot": "tf.matmul",
    "mean": "tf.reduce_mean",
    "reshape": "tf.reshape",
    "sum": "tf.reduce_sum",
}
NO_NUMPY = r"symbolic tf\.Tensor|'SymbolicTensor' object has no attribute 'numpy'|eager execution is enabled"
NONE = "the gradient is None"
IN_TAPE = (
    f"{NONE}: call objective(G) inside `with tf.GradientTape() as tape:`, without float(), .numpy() or tf.constant() "
    "on the way from G to J, and take tape.gradient(J, G), J first"
)
ONE_LAYER = "a dict of all layers stands where the activations of one belong: name the layer, in [ ]"
PAIRS = "apply_gradients wants a list of pairs, the gradient first: [(gradient, G)]"
IN_PLAIN_WORDS = [  # (what the error says, what the line of the function says, what that means)
    ("^KeyError: (.*)", "", "there is no {} in the dict"),
    ("^SystemExit", "", "exit() ends the whole notebook: leave it out"),
    (NO_NUMPY, "", "NumPy does not work inside tf.function: use TensorFlow's functions, or leave @tf.function out"),
    (
        r"Matrix size-incompatible: In\[0\]: \[(.*?)\], In\[1\]: \[(.*?)\]",
        "",
        "a matrix of {} times one of {} does not fit",
    ),
    (r"Incompatible shapes: \[(.*?)\] vs\. \[(.*?)\]", "", "entry by entry, as *, + and - go, {} and {} do not fit"),
    ("not in (the )?list of allowed values: int8", r"\^", "^ is not a power in Python: write **"),
    ("No gradients provided", "", IN_TAPE),
    ("None values not supported|convert a value .None", "gradient|assign", IN_TAPE),
    (
        "None values not supported|Failed to convert elements of .*None",
        "",
        "one of the numbers is None, as a size is that tf.function does not know: take tf.shape(a), or leave "
        "@tf.function out",
    ),
    ("Unknown variable", "apply_gradients", "this moves a copy of G; give apply_gradients G itself"),
    (r"'dict' and 'dict'|'dict' object has no attribute|convert a value \(\{", "", ONE_LAYER),
    ("object has no attribute '_unique_id'|unpack|iterate|iterable", "apply_gradients", PAIRS),
    ("Cannot update variable with shape", "apply_gradients", f"{PAIRS}, and both of one shape"),
    (
        "`type_value`: <",
        "gradient",
        "tape.gradient wants what objective(G) gave, and not the function: the first of the three, J",
    ),
    (
        "`type_value`",
        "",
        "float() and .numpy() take a number out of TensorFlow, which then has no gradient: keep the tensor",
    ),
    ("object has no attribute '_id'", "gradient", "tape.gradient wants one cost, a tensor: the first of the three, J"),
    ("property 'shape' of", "", "a shape cannot be assigned: use tf.reshape, which returns a new tensor"),
    ("does not support item assignment", "", "a tensor cannot be written into: make a new one"),
    (r"must have the same dtype, got tf\.(\w+) != tf\.(\w+)", "", "a {} and a {} tensor meet: tf.cast one of them"),
    (
        "unsupported operand.*NoneType",
        "",
        "one of the two is None: what a function without `return` gives, a gradient that the tape did not see, or a "
        "size that tf.function does not know",
    ),
    ("expected to be a (\\w+) tensor but is a (\\w+) tensor", "", "a {} and a {} tensor meet: tf.cast one of them"),
]


def why_it_stopped(function, error):
    """A sentence. function: that of the learner, which raised the error."""
    line, said = where(function, error), said_by(error)
    for pattern, at, meaning in IN_PLAIN_WORDS:
        if (found := re.search(pattern, said)) and re.search(at, line):
            return f"it stopped{line}: {meaning.format(*(part.replace(',', 'x') for part in found.groups('')))}."
    if found := NO_SUCH_METHOD.search(said):
        return (
            f"it stopped{line}: tensors have no .{found[1]}: use {INSTEAD.get(found[1], 'a function of TensorFlow')}."
        )
    reason = re.sub(r" for '\{\{.*|\{\{.*?\}\} *|\[Op:.*", "", said).strip().split("\n")[0]
    return f"it stopped{line} with {reason.rstrip('.: ')}."


def said_by(error):
    """The error as "Kind: message", also one from inside a tf.function, which tells the way there first."""
    inside = re.search(r"^in user code:.*?\n\n    (\w+: .*)", str(error), re.S)
    return inside[1] if inside else f"{type(error).__name__}: {error}"


def _code(function):
    """The code of a function, or of what an object that can be called runs; None if that is not Python."""
    function = inspect.unwrap(function)
    function = getattr(function, "func", function)  # of a functools.partial
    return getattr(function, "__code__", None) or getattr(function.__call__, "__code__", None)


def where(function, error):
    """ " in the line `...`": the last one of the learner's, or ""."""
    code = _code(function)
    lines = [f.line for f in traceback.extract_tb(error.__traceback__) if code and f.filename == code.co_filename]
    if str(error).startswith("in user code:"):
        frames = re.findall(r'File "(.*)", line .*\n +(.*)', str(error))
        lines = [line for file, line in frames if not file.startswith(NOT_THE_LEARNER_S)]
    return f" in the line `{lines[-1]}`" if lines and lines[-1] else ""
