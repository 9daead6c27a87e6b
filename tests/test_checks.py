"""The checks accept every right way to write a function, and name each classic mistake."""

import ast
import itertools
import re
from fractions import Fraction
from pathlib import Path

import lesson1_cases
import lesson2_cases
import lesson3_cases
import nbformat
import numpy as np
import pytest
import tensorflow as tf
from IPython.core.interactiveshell import InteractiveShell
from tensorflow import keras

import nst_utils as nst
from notebooks import checks
from notebooks.checks import lesson1, lesson2, lesson3
from notebooks.checks.machinery import CheckFailed, NotWritten, as_numbers, examine_cost, examine_numbers
from notebooks.checks.remarks import no_gradient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
TEACHING = NOTEBOOKS / "TEACHING.md"
LESSONS = {"01": (lesson1, lesson1_cases), "02": (lesson2, lesson2_cases), "03": (lesson3, lesson3_cases)}
EVERY_LESSON = pytest.mark.parametrize("number", LESSONS)


def cases(which):
    """A test per entry of RIGHT, (number, name, function), or of MISTAKES, (number, name, function, words)."""
    return [
        pytest.param(number, name, *(case if isinstance(case, tuple) else (case,)), id=f"{number} {name}: {what}")
        for number, (_, tables) in LESSONS.items()
        for name, entries in getattr(tables, which).items()
        for what, case in entries.items()
    ]


def check(number, name, function):
    getattr(LESSONS[number][0], f"check_{name}")(function)


def right_ones(number):
    return {name: next(iter(entries.values())) for name, entries in LESSONS[number][1].RIGHT.items()}


@pytest.mark.parametrize("number, name, function", cases("RIGHT"))
def test_a_right_function_passes(number, name, function, capsys):
    check(number, name, function)
    out = capsys.readouterr().out
    assert out.startswith(f"{name}: right.")
    assert "is not that of the formula" not in out


@pytest.mark.parametrize("number, name, function, words", cases("MISTAKES"))
def test_a_mistake_is_named(number, name, function, words):
    with pytest.raises(CheckFailed) as caught:
        check(number, name, function)
    assert str(caught.value).startswith(f"{name}: ")
    assert words in str(caught.value)


@EVERY_LESSON
def test_every_exercise_has_a_check_and_every_check_is_tested(number):
    (path,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
    cells = [c for c in nbformat.read(path, 4).cells if "solution" in c.metadata.get("tags", [])]
    written = [node.name for c in cells for node in ast.parse(c.source).body if isinstance(node, ast.FunctionDef)]
    lesson, tables = LESSONS[number]
    assert list(lesson.CHECKS) == written
    assert set(tables.RIGHT) == set(tables.MISTAKES) == set(written)
    assert all(len(entries) >= 2 for table in (tables.RIGHT, tables.MISTAKES) for entries in table.values())


@pytest.mark.parametrize("number, name", [(n, name) for n, (lesson, _) in LESSONS.items() for name in lesson.CHECKS])
def test_an_unwritten_function_is_not_called_wrong(number, name):
    def stub(*inputs, **keywords):
        raise NotImplementedError("a hint")

    with pytest.raises(NotWritten, match="a hint"):
        check(number, name, stub)
    assert issubclass(NotWritten, NotImplementedError)


def test_what_a_graph_lacks_is_told_as_elsewhere():
    @tf.function
    def gram_matrix(A):
        raise NotImplementedError("gram_matrix is yours to write.")

    def unwritten(A):
        raise NotImplementedError

    with pytest.raises(NotWritten) as caught:
        checks.check_gram_matrix(gram_matrix)
    assert str(caught.value) == "gram_matrix is yours to write."
    with pytest.raises(NotWritten, match=r"^gram_matrix is not written\.$"):
        checks.check_gram_matrix(unwritten)


def test_numpy_alone_passes_with_a_remark(capsys):
    checks.check_gram_matrix(lambda A: A @ A.T)  # a tensor has no .T
    out = capsys.readouterr().out
    assert "NumPy arrays only" in out and "no .T: use tf.transpose(A)" in out


@pytest.mark.parametrize(
    "what, words",
    [
        ("the course's own", "Where they differ, it stops"),
        ("G's size for both", "G's n_H n_W divides both Gram matrices"),
        ("S's size for both", "S's n_H n_W divides both Gram matrices"),
        ("one size only", "Where they differ, it stops"),
    ],
)
def test_what_is_right_for_one_size_only_passes_with_a_remark(what, words, capsys):
    checks.check_compute_layer_style_cost(lesson1_cases.RIGHT["compute_layer_style_cost"][what])
    assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    "name, what, words",
    [
        ("compute_content_cost", "loop", "goes through the numbers one by one"),
        ("compute_content_cost", "numpy", "no gradient"),
        ("unroll", "with the batch", "is then A.shape[2]"),
        ("unroll", "numpy", "no gradient"),
        ("compute_style_cost", "loop", "no gradient"),
    ],
)
def test_what_will_fail_later_is_said_now(name, what, words, capsys):
    check("01", name, lesson1_cases.RIGHT[name][what])
    assert words in capsys.readouterr().out


def test_float_in_a_cost_is_remarked_on(capsys):
    checks.check_total_cost(lambda J_content, J_style, alpha=10, beta=40: float(alpha * J_content + beta * J_style))
    assert "NumPy, float() and .numpy() lose it" in capsys.readouterr().out


def half_style(S, G):
    """The style cost whose Gram matrices lose half of their gradient."""

    def gram(a):
        A = lesson1_cases.unrolled(a)
        return tf.matmul(A, np.transpose(A)) / A.shape[1]

    return sum(0.2 * tf.reduce_mean((gram(S[n]) - gram(G[n])) ** 2) / 4 for n in lesson1_cases.WEIGHTS)


def half_relative(t, v):
    return tf.reduce_sum((t - v) * np.asarray(t - v)) / tf.reduce_sum(t**2)


HALVES = {
    "np.transpose": ("gram_matrix", lambda A: tf.matmul(A, np.transpose(A))),
    ".numpy().T": ("gram_matrix", lambda A: tf.matmul(A, A.numpy().T)),
    "stop_gradient": ("gram_matrix", lambda A: tf.matmul(A, tf.stop_gradient(A), transpose_b=True)),
    "d * d.numpy()": (
        "compute_content_cost",
        lambda C, G: tf.reduce_mean((C - G) * (np.asarray(C) - np.asarray(G))) / 4,
    ),
    "layer": ("compute_layer_style_cost", lambda S, G: half_style(*(dict.fromkeys(nst.LAYERS, a) for a in (S, G)))),
    "layers": ("compute_style_cost", half_style),
    "one layer": (
        "compute_style_cost",
        lambda S, G: nst.compute_style_cost(S, {n: a.numpy() if n == "conv5_1" else a for n, a in G.items()}),
    ),
    "float(J_style)": (
        "total_cost",
        lambda J_content, J_style, alpha=10, beta=40: alpha * J_content + beta * float(J_style),
    ),
    "float(J_content)": (
        "total_cost",
        lambda J_content, J_style, alpha=10, beta=40: alpha * float(J_content) + beta * J_style,
    ),
}


LATER_HALVES = [
    ("02", "relative_error", half_relative),
    ("02", "content_cost", lesson2_cases.content(half_relative)),
    ("02", "style_cost", lesson2_cases.style_with(half_relative)),
    ("03", "relative_error", lesson3_cases.in_float32(half_relative)),
    ("03", "errors_seen_by", lesson3_cases.yardstick(lambda c, s, g: half_relative(c, g))),
    ("03", "errors_seen_by", lesson3_cases.style_by(half_relative)),
    ("03", "total_variation", lesson3_cases.variation(lambda d: d * np.asarray(d))),
]


@pytest.mark.parametrize("number, name, function", [("01", *half) for half in HALVES.values()] + LATER_HALVES)
def test_half_a_gradient_is_remarked_on(number, name, function, capsys):
    check(number, name, function)
    assert "is not that of the formula" in capsys.readouterr().out


def test_a_gradient_is_compared_with_that_of_the_formula():
    at = np.array([[1.0, -2.0], [3.0, 0.5]], np.float32)
    for cost, words in ((lambda G: tf.reduce_sum(G**3), ""), (lambda G: 2 * tf.reduce_sum(G**3), "of the formula")):
        assert words in no_gradient(cost, at, right=lambda G: np.sum(G**3))
        assert no_gradient(cost, at) == ""
    assert no_gradient(lambda G: tf.reduce_sum(G**3), at, right=lambda G: np.sum(G**3)) == ""


@pytest.mark.parametrize(
    "lose", [tf.stop_gradient, tf.round, lambda d: tf.cast(d, tf.int32), lambda d: tf.Variable(0 * d).assign(d)]
)
def test_what_loses_a_gradient_is_named(lose, capsys):
    checks.check_compute_content_cost(lambda C, G: tf.reduce_mean(tf.cast(lose(4 * (C - G)), tf.float32) ** 2) / 64)
    out = capsys.readouterr().out
    assert all(word in out for word in ("no gradient", "tf.stop_gradient", "tf.round", "whole numbers", ".assign"))


def test_what_tensorflow_cannot_differentiate_has_no_gradient(capsys):
    def by_unique(a_C, a_G):
        return tf.reduce_sum(tf.unique(tf.reshape((a_C - a_G) ** 2, [-1]))[0])

    assert "no gradient" in no_gradient(lambda G: by_unique(0, G), np.float32([1, 2, 2]))


def test_a_loop_in_a_helper_of_another_cell_is_remarked_on(capsys):
    cell = {}
    source = "def add(numbers):\n    total = 0.0\n    for n in numbers:\n        total += n\n    return total\n"
    exec(compile(source, "another cell", "exec"), cell)
    checks.check_compute_content_cost(lambda C, G: cell["add"](tf.reshape((C - G) ** 2, [-1])) / (4 * np.prod(G.shape)))
    assert "goes through the numbers one by one" in capsys.readouterr().out


def test_a_helper_that_is_a_graph_is_not_called_a_loop(capsys):
    helper = tf.function(lesson1_cases.content)
    checks.check_compute_content_cost(lambda C, G: helper(C, G))
    assert capsys.readouterr().out == "compute_content_cost: right.\n"


@pytest.mark.parametrize(
    "number", ["10", ("10",), (10,), [10.0], (10, [4, 5, 6]), None, 10j, np.ones((2, 2)), {"J": 10}, tf.constant("10")]
)
def test_what_is_no_number_is_not_taken_for_one(number):
    with pytest.raises(CheckFailed, match=r"^errors: .*conv1_1"):
        examine_numbers("errors", {"conv1_1": number}, lambda x: x, {"conv1_1": (10,)}, [])
    with pytest.raises(CheckFailed, match=r"^J: "):
        examine_cost("J", lambda x: number, lambda x: 10, ((10.0,),), [])


@pytest.mark.parametrize(
    "number", [10, np.float16(10), Fraction(10), [[10.0]], tf.constant(10, tf.bfloat16), tf.Variable(10.0)]
)
def test_a_number_may_be_of_any_kind(number):
    assert as_numbers(number).item() == 10


def test_a_difference_is_shown_in_the_learner_s_words():
    with pytest.raises(CheckFailed, match=re.escape('1 is right, for layer = "conv2_1" and image = 7. and G = 8.')):
        asked = 'layer = "conv2_1"'
        examine_cost("J", lambda *a: 2.0, lambda *a: 1, ((7.0, 8.0),), [], names=("image", "G"), asked=asked)
    with pytest.raises(CheckFailed, match=re.escape("1 is right, for its input = 3..")):
        examine_cost("J", dict.fromkeys([3.0], 2.0).__getitem__, lambda a: 1, ((3.0,),), [])


def gram_that_wants_no_tape(A):
    if tf.is_tensor(A) and A.shape == (3, 4) and next(gram_that_wants_no_tape.calls) > 2:
        raise ValueError("enough")
    return lesson1_cases.gram(A)


def test_a_function_that_fails_late_is_told_where(capsys):
    """Also where the check calls it once more, to look at its gradient."""
    gram_that_wants_no_tape.calls = itertools.count()
    with pytest.raises(CheckFailed, match=r"^gram_matrix: it stopped in the line `raise ValueError.* enough"):
        checks.check_gram_matrix(gram_that_wants_no_tape)
    gram_that_wants_no_tape.calls = itertools.count()
    checks.check_all(right_ones("01") | {"gram_matrix": gram_that_wants_no_tape})
    assert capsys.readouterr().out.startswith("6 of 7 right.\ngram_matrix: it stopped")


def test_check_all_takes_whatever_stands_under_a_name(capsys):
    for wrong in (3.0, None, lesson1_cases.leaves, lesson1_cases.stops, lesson1_cases.asserts):
        checks.check_all(dict.fromkeys(lesson1.CHECKS, wrong))
        assert capsys.readouterr().out.startswith("0 of 7 right.\n")


def test_no_check_changes_what_the_next_one_gets(capsys):
    """Functions that write into their arrays or give them another shape leave the checks' own as they are."""
    for what in ("an input is changed", "a shape is assigned"):
        with pytest.raises(CheckFailed):
            checks.check_compute_content_cost(lesson1_cases.MISTAKES["compute_content_cost"][what][0])
    checks.check_all(right_ones("01"))
    assert capsys.readouterr().out == "7 of 7 right.\n"


def test_whole_tensors_are_not_called_a_loop(capsys):
    right = [(name, next(iter(lesson1_cases.RIGHT[name].values()))) for name in ("unroll", "gram_matrix")]
    ways = {
        "compute_content_cost": ("course", "graph", "an object", "partial"),
        "unroll": ("an object",),
        "gram_matrix": ("partial", "the library's"),
        "total_cost": ("graph", "an object", "augmented"),
    }
    right += [(name, lesson1_cases.RIGHT[name][way]) for name in ways for way in ways[name]]
    for name, function in right:
        check("01", name, function)
        assert capsys.readouterr().out == f"{name}: right.\n"


def test_numpy_alone_is_examined_as_thoroughly(capsys):
    def numpy_only(a_S, a_G):
        S, G = (a.reshape(-1, a.shape[-1]) for a in (a_S, a_G))  # a tensor has no .reshape
        return np.sum((S.T @ S - G.T @ G) ** 2) / (4 * S.shape[1] ** 2 * len(G) ** 2)

    checks.check_compute_layer_style_cost(numpy_only)
    out = capsys.readouterr().out
    assert "a tensor" not in out and "no .reshape: use tf.reshape" in out and "G's n_H n_W divides both" in out
    with pytest.raises(CheckFailed, match="4 times too large"):
        checks.check_compute_layer_style_cost(lambda a_S, a_G: 4 * numpy_only(a_S, a_G))


@pytest.mark.parametrize(
    "number, name, right, flat",
    [
        ("02", "relative_error", "course", "numpy"),
        ("02", "relative_error", "course", "a float"),
        ("02", "relative_error", "course", "stopped"),
        ("02", "content_cost", "course", "numpy"),
        ("02", "style_cost", "course", "numpy"),
        ("03", "relative_error", "course", "numpy"),
        ("03", "errors_seen_by", "course", "numpy, without conv4_1"),
        ("03", "errors_seen_by", "course", "content in floats"),
        ("03", "errors_seen_by", "course", "style in floats"),
        ("03", "total_variation", "course", "numpy"),
    ],
)
def test_a_cost_without_a_gradient_passes_with_a_remark(number, name, right, flat, capsys):
    functions = LESSONS[number][1].RIGHT[name]
    check(number, name, functions[right])
    assert capsys.readouterr().out == f"{name}: right.\n"
    check(number, name, functions[flat])
    assert "no gradient" in capsys.readouterr().out


def test_mixing_a_batch_passes_with_a_remark(capsys):
    checks.check_compute_layer_style_cost(lesson1_cases.layer_cost)
    assert "Two images in a batch" in capsys.readouterr().out

    def one_image_only(a_S, a_G):
        S, G = (
            tf.matmul(A, A, transpose_b=True) / A.shape[1]
            for A in (lesson1_cases.unrolled(a_S), lesson1_cases.unrolled(a_G))
        )
        return tf.reduce_mean((S - G) ** 2) / 4

    for apart in (one_image_only, nst.compute_layer_style_cost):
        checks.check_compute_layer_style_cost(apart)
        assert "batch" not in capsys.readouterr().out


@EVERY_LESSON
def test_the_teacher_s_table_quotes_what_the_checks_say(number):
    tables = LESSONS[number][1]
    said = {name: [] for name in tables.MISTAKES}
    for name, entries in tables.MISTAKES.items():
        for function, _ in entries.values():
            with pytest.raises(CheckFailed) as caught:
                check(number, name, function)
            said[name].append(str(caught.value).lower())
    section = TEACHING.read_text("utf-8").split(f"## Notebook {number}: what goes wrong")[1].split("\n## ")[0]
    rows = re.findall(r"^\| .* \| (`check_.*`) \| \"(.*)\" \|$", section, re.M)
    assert set(re.findall(r"`check_(\w+)`", section)) == set(said)
    for names, quote in rows:
        for name in re.findall(r"`check_(\w+)`", names):
            assert any(quote.lower() in sentence for sentence in said[name]), f"{name}: {quote}"


def test_check_all_prints_a_score(capsys):
    functions = right_ones("01")
    checks.check_all(functions)
    assert capsys.readouterr().out == "7 of 7 right.\n"
    del functions["unroll"]
    functions["gram_matrix"] = lambda A: tf.matmul(A, A, transpose_a=True)
    checks.check_all(functions)
    score, *still_open = capsys.readouterr().out.splitlines()
    assert score == "5 of 7 right."
    assert still_open[0] == "unroll: not written yet."
    assert still_open[1].startswith("gram_matrix: your Gram matrix is 4x4")


@EVERY_LESSON
def test_check_all_finds_the_functions_of_its_caller(number, capsys):
    exec("checks.check_all()", {"checks": LESSONS[number][0], **right_ones(number)})
    count = len(LESSONS[number][0].CHECKS)
    assert capsys.readouterr().out == f"{count} of {count} right.\n"


def test_in_a_notebook_the_words_stand_alone(capsys):
    shell = InteractiveShell(user_ns={"checks": checks, "tf": tf})
    shell.run_cell(
        "def gram_matrix(A):\n    B = A\n    return tf.matmul(A, B)\n\n\nchecks.check_gram_matrix(gram_matrix)"
    )
    out = capsys.readouterr().out
    assert "Traceback" not in out and "checks/" not in out
    assert out.startswith("Not yet. gram_matrix: it stopped in the line `return tf.matmul(A, B)`")
    assert max(map(len, out.splitlines())) <= 100
    shell.run_cell(
        "def unroll(a):\n    raise NotImplementedError('unroll is yours to write.')\n\n\nchecks.check_unroll(unroll)"
    )
    words = "Not yet. unroll is yours to write. (It is written? Then its cell has not run, or ended in an error.)\n"
    assert capsys.readouterr().out == words


def test_the_step_trains():
    """An independent look at what `check_train_step` calls right: J falls, pixels stay in range."""
    G, target = tf.Variable(tf.fill([1, 2, 2, 3], 0.5)), 1.5

    def objective(G):
        J = tf.reduce_sum((G - target) ** 2)
        return J, J, J

    costs = [float(lesson1_cases.step()(G, keras.optimizers.SGD(0.1), objective)[0]) for _ in range(20)]
    assert costs[0] > costs[-1] == pytest.approx(12 * 0.25)
    assert float(tf.reduce_max(G)) == 1
