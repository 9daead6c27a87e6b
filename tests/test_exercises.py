"""The student copies: as generated, and a learner's way through them from stub to stub."""

import ast
import io
import re
from itertools import pairwise
from pathlib import Path
from zipfile import ZipFile

import make_colab
import make_exercises
import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

PROJECT = Path(__file__).resolve().parents[1]
STORED = sorted((PROJECT / "notebooks" / "exercises").glob("*.ipynb"))
EVERY_COPY = pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
HINT = {"exercise": {"hints": ["Look up.", "Then down."]}, "tags": ["solution"]}


def code(source, id="c", outputs=(), **metadata):
    return nbformat.v4.new_code_cell(source, id=id, outputs=list(outputs), metadata=metadata, execution_count=3)


def copy_of(*cells, siblings=()):
    """The cells of the student copy of a notebook with a title and these cells, after title and introduction."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Title", id="title"), *cells])
    return nbformat.reads(make_exercises.student_copy(notebook, "01_x.ipynb", siblings), 4).cells[2:]


def is_exercise(cell):
    return "exercise" in cell.metadata.get("tags", [])


def folded_solution(cell):
    return re.search(
        r"<details>\n<summary>Solution</summary>\n\n```python\n(.*?)\n```\n\n</details>", cell.source, re.S
    )[1]


def test_the_stored_copies_are_what_the_tool_makes():
    copies = make_exercises.student_copies()
    assert copies
    assert {path.name: path.read_text("utf-8") for path in STORED} == copies, "run tools/make_exercises.py"


@EVERY_COPY
def test_a_copy_is_small_and_holds_no_open_solution(path):
    assert path.stat().st_size < 3_000_000
    cells = nbformat.read(path, 4).cells
    assert len({cell.id for cell in cells}) == len(cells)
    for cell, below in pairwise(cells):
        if is_exercise(cell):
            names = [node.name for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef)]
            assert cell.source.count("raise NotImplementedError(") == max(1, len(names))
            assert not cell.outputs
            assert folded_solution(below)
            assert re.match(
                r"(\*\*To expect:\*\*|<details>\n<summary>The result to expect<)[^`]*```text\n\S", below.source
            )


@pytest.mark.slow
@EVERY_COPY
def test_a_learner_meets_only_stubs_and_passes_with_the_folded_solutions(path, tmp_path, environment_elsewhere):
    """In a project unpacked from the zip for Colab: at each stub NotImplementedError, then its solution, to the end.

    The checks are those from the zip.
    """
    ZipFile(io.BytesIO(make_colab.zipped(PROJECT))).extractall(tmp_path)
    folder = tmp_path / "notebooks" / "exercises"
    notebook = nbformat.read(folder / path.name, 4)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}})
    stubs = 0
    with client.setup_kernel(env=environment_elsewhere | {"NST_PRESET": "smoke"}):
        for i, cell in enumerate(notebook.cells):
            if is_exercise(cell):
                stubs += 1
                with pytest.raises(CellExecutionError) as caught:  # here, or where it is first called
                    for j, following in enumerate(notebook.cells[i:], i):
                        assert j == i or not is_exercise(following), "a stub that nothing calls"
                        client.execute_cell(following, j)
                assert caught.value.ename in ("NotImplementedError", "NotWritten")  # by itself, or by its check
                assert "yours to write" in caught.value.evalue
                cell.source = folded_solution(notebook.cells[i + 1])
            client.execute_cell(cell, i)
        where = nbformat.v4.new_code_cell("print(checks.__file__)")
        notebook.cells.append(where)
        client.execute_cell(where, len(notebook.cells) - 1)
    assert where.outputs[0].text.startswith(str(tmp_path / "notebooks" / "checks"))
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert stubs == sum(map(is_exercise, notebook.cells)) > 0
    assert re.findall(r"(\d+) of \1 right", printed)


SOLVED = '''@tf.function
def area(width, height=2):
    """The area."""

    # side by side
    result = width * height
    return result


layers = {"a": 1}


def twice(x):
    def inner(y):
        return 2 * y

    return inner(x)


print(area(3))'''

STUB = '''@tf.function
def area(width, height=2):
    """The area."""

    raise NotImplementedError("area is yours to write. Hints and a solution are below, folded.")


layers = {"a": 1}


def twice(x):
    raise NotImplementedError("twice is yours to write. Hints and a solution are below, folded.")


print(area(3))'''


def test_a_solution_becomes_a_stub_with_its_solution_below():
    printed = nbformat.v4.new_output("stream", name="stdout", text="6\n")
    exercise, below = copy_of(code(SOLVED, outputs=[printed], **HINT))
    assert exercise.source == STUB
    assert exercise.metadata == {"tags": ["exercise"]} and exercise.execution_count is None and not exercise.outputs
    assert folded_solution(below) == SOLVED
    assert below.source.startswith("**To expect:**\n\n```text\n6\n```\n")
    assert below.id == "c-solution"


def test_a_solution_without_a_function_is_replaced_as_a_whole():
    exercise, below = copy_of(code("answer = 6 * 7", **HINT))
    with pytest.raises(NotImplementedError, match="Yours to write"):
        exec(exercise.source)
    assert folded_solution(below) == "answer = 6 * 7" and "To expect" not in below.source


def test_hints_are_folded_one_by_one_above_the_solution():
    _, below = copy_of(code("def f(a):\n    return a", **HINT))
    folds = re.findall(r"<details>\n<summary>(.*?)</summary>\n\n(.*?)\n\n</details>", below.source, re.S)
    assert [summary for summary, _ in folds] == ["Hint 1", "Hint 2", "Solution"]
    assert [inside for _, inside in folds[:2]] == ["Look up.", "Then down."]


def test_what_answers_a_prediction_is_folded_until_the_next_text():
    def markdown(text, id):
        return nbformat.v4.new_markdown_cell(text, id=id)

    figure = nbformat.v4.new_output(
        "display_data", data={"image/jpeg": "QUJD\n"}, metadata={"image/jpeg": {"alt": "a [b]"}}
    )
    table = nbformat.v4.new_output("execute_result", data={"text/html": "<table></table>"}, execution_count=3)
    cells = copy_of(
        markdown("*Predict first*: how large?", "m1"),
        code("draw()", "a", [figure]),
        markdown("**So**: large.", "m2"),
        code("table()", "b", [table]),
        markdown("**So** it is no question any more.", "m3"),
        markdown("Next.", "m4"),
        code("draw()", "d", [figure]),
        markdown("**So**: answers nothing.", "m5"),
    )
    _, first, answer, so, second, numbers, still_so, next_one, open_one, open_so = cells
    assert not first.outputs and not second.outputs and len(open_one.outputs) == 1
    assert answer.source.startswith("<details>") and "![a (b)](data:image/jpeg;base64,QUJD)" in answer.source
    assert "<table></table>" in numbers.source
    for cell in (so, still_so):
        assert cell.source.startswith("<details>\n<summary>So</summary>") and "**So**" in cell.source
    assert next_one.source == "Next." and open_so.source == "**So**: answers nothing."


def test_the_result_of_an_exercise_that_answers_a_prediction_is_folded():
    printed = nbformat.v4.new_output("stream", name="stdout", text="3\n")
    question = nbformat.v4.new_markdown_cell("*Predict first*: what?", id="m")
    *_, below = copy_of(question, code("def f():\n    return 3", outputs=[printed], **HINT))
    assert "<summary>The result to expect</summary>\n\n```text\n3\n```" in below.source


def test_an_exercise_that_prints_nothing_expects_what_its_check_prints_beside_the_verdict():
    printed = nbformat.v4.new_output("stream", name="stdout", text="f: right. But slow.\nf(2) = 4\n")
    check = code("checks.check_f(f)\nprint('f(2) =', f(2))", "k", [printed])
    exercise, below, checked = copy_of(code("def f(x):\n    return x * x", **HINT), check)
    assert below.source.startswith("**To expect:**\n\n```text\nf(2) = 4\n```\n") and "right" not in below.source
    assert not exercise.outputs and not checked.outputs


def test_what_the_reader_need_not_see_stays_folded():
    (cell,) = copy_of(code("import sys", jupyter={"source_hidden": True}, tags=["setup"]))
    assert cell.metadata == {"tags": ["setup"], "jupyter": {"source_hidden": True}}


def test_figures_stay_as_the_target_and_verdicts_do_not():
    figure = nbformat.v4.new_output("display_data", data={"image/jpeg": "QUJD\n", "text/plain": "<Figure>"})
    verdict = nbformat.v4.new_output("stream", name="stdout", text="gram_matrix: right.\n")
    drawn, checked, solved, below = copy_of(
        code("draw()", "a", [figure], tags=["nbval-check-output"]),
        code("checks.check_gram_matrix(gram_matrix)", "b", [verdict]),
        code("def f():\n    return 1\n\n\ndraw()", "c", [figure], **HINT),
    )
    assert drawn.outputs == [figure] and drawn.metadata == {}
    assert checked.outputs == [] and checked.source == "checks.check_gram_matrix(gram_matrix)"
    assert solved.outputs == []
    assert "![The figure to expect](data:image/jpeg;base64,QUJD)" in below.source


def test_links_lead_to_the_same_files_from_one_folder_further_down():
    text = (
        "[02](02_b.ipynb#x) [04](04_d.ipynb) ![s](../images/s.jpg) [web](https://a.b/c) [here](#top) <img src='x.png'>"
    )
    (cell,) = copy_of(nbformat.v4.new_markdown_cell(text, id="m"), siblings={"02_b.ipynb"})
    assert cell.source == (
        "[02](02_b.ipynb#x) [04](../04_d.ipynb) ![s](../../images/s.jpg) [web](https://a.b/c) [here](#top) "
        "<img src='../x.png'>"
    )


def notebook_file(folder, name, *cells):
    nbformat.write(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# T", id="t"), *cells]), folder / name
    )


def test_only_notebooks_with_solutions_have_copies_and_old_copies_go(tmp_path, monkeypatch, capsys):
    (tmp_path / "notebooks" / "exercises").mkdir(parents=True)
    folder = tmp_path / "notebooks"
    (folder / "exercises" / "09_old.ipynb").write_text("{}")
    notebook_file(folder, "01_a.ipynb", code("def f():\n    return 1", **HINT))
    notebook_file(folder, "04_d.ipynb", code("print(1)"))
    monkeypatch.setattr(make_exercises, "NOTEBOOKS", folder)
    monkeypatch.setattr(make_exercises.student_copies, "__defaults__", (folder,))
    make_exercises.main()
    assert [path.name for path in (folder / "exercises").iterdir()] == ["01_a.ipynb"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("removed ") and "09_old.ipynb" in lines[0]
    assert lines[1].startswith("wrote ") and "01_a.ipynb" in lines[1]


@pytest.mark.parametrize(
    "cell, words",
    [
        (code("def f():\n    return 1", tags=["solution"]), "solution cell c has no hint"),
        (code("%timeit f()", **HINT), "solution cell c is not plain Python"),
    ],
)
def test_a_solution_that_cannot_become_an_exercise_is_named(cell, words, tmp_path):
    notebook_file(tmp_path, "01_a.ipynb", cell)
    with pytest.raises(ValueError, match=words):
        make_exercises.student_copies(tmp_path)
