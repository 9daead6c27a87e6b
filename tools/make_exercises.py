#!/usr/bin/env python3
"""Make the student copies in notebooks/exercises/ from the solved notebooks.

    python tools/make_exercises.py

In a code cell with the tag "solution", the body of every function becomes a NotImplementedError; a cell
without a function is replaced as a whole. Below it come the result to expect and, folded, the hints that
stand in the cell's metadata, {"exercise": {"hints": ["...", ...]}}, and the solution. All other cells
stay, and so do their stored figures, as the target; but what answers a *Predict first* is folded
(see predictions.py). A notebook without a solution cell has no copy.
"""

import ast
import re
import sys
from pathlib import Path

import nbformat
from predictions import SAID, SHOWN, answers

from nst_support.whole_file import write_whole

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
INTRODUCTION = """\
**This is the student copy**, in which some functions are yours to write: {count} of them. `make lab` in the project's \
folder sets everything up and opens JupyterLab. Run the cells from top to bottom (Shift+Enter). Where one has a \
`raise NotImplementedError(...)`, replace that whole statement by your own lines and run the cell; one that only \
defines a function prints nothing. Then run the cell with `checks.` below, even if yours stopped with an error: it \
says whether they are right, and if not, what went wrong. `checks.check_all()` prints the score at any time.

Below each exercise stand the result to expect and, folded, hints and a solution: open them one by one when you are \
stuck. The figures that are here already are the target, and running a cell replaces its figure by yours. Those that \
answer a *Predict first* are folded below their cell: write your prediction down before you run it. They and the \
numbers were made with the bundled network; another network or size gives others. \
[The solved notebook](../{name}) has them all."""
VERDICT = re.compile(r"^\w+: right\..*\n", re.M)
EXPECTED = "**To expect:**\n\n{}\n"
FOLDED = "<details>\n<summary>{}</summary>\n\n{}\n\n</details>"


def is_solution(cell):
    return cell.cell_type == "code" and "solution" in cell.metadata.get("tags", [])


def stub(cell):
    """(the source of the exercise, how many functions it asks for)."""
    lines, functions = cell.source.split("\n"), []
    for node in ast.parse(cell.source).body:
        if isinstance(node, ast.FunctionDef):
            functions.append(node)
    for node in reversed(functions):
        body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
        first = body[0].lineno - 1
        while lines[first - 1].lstrip().startswith("#"):
            first -= 1  # a comment above the first line tells as much as the line
        lines[first : node.end_lineno] = _not_implemented(f"{node.name} is yours to write.", indent=4)
    return "\n".join(lines if functions else _not_implemented("Yours to write.")), max(1, len(functions))


def _not_implemented(what, indent=0):
    return [" " * indent + f'raise NotImplementedError("{what} Hints and a solution are below, folded.")']


def shown(outputs):
    """What a cell has printed and drawn, as Markdown."""
    printed = "".join(output.text for output in outputs if output.output_type == "stream").strip("\n")
    parts = [f"```text\n{printed}\n```"] if printed else []
    for output in outputs:
        data = output.get("data", {})
        for kind in ("image/jpeg", "image/png", "image/gif"):
            if kind in data:
                alt = output.metadata.get(kind, {}).get("alt", "The figure to expect").translate(BRACKETS)
                parts.append(f"![{alt}](data:{kind};base64,{data[kind]})".replace("\n", ""))
        if "text/html" in data:
            parts.append(data["text/html"])
    return "\n\n".join(parts)


BRACKETS = str.maketrans("[]", "()")  # which would end an alt text


def expected(cell, following):
    """What an exercise should give: what its cell shows, or else what its check's cell prints beside the verdicts."""
    if own := shown(cell.outputs):
        return own
    printed = "".join(output.text for output in following.get("outputs", []) if output.output_type == "stream")
    beside = VERDICT.sub("", printed).strip()
    return f"```text\n{beside}\n```" if beside else ""


def below(cell, following, predicted):
    """The markdown cell under an exercise: what to expect, folded if it answers a prediction; hints; the solution."""
    result, hints = expected(cell, following), cell.metadata.exercise.hints
    parts = [FOLDED.format("The result to expect", result) if predicted else EXPECTED.format(result)] if result else []
    for i, hint in enumerate(hints, 1):
        parts.append(FOLDED.format(f"Hint {i}" if len(hints) > 1 else "Hint", hint))
    parts.append(FOLDED.format("Solution", f"```python\n{cell.source}\n```"))
    return nbformat.v4.new_markdown_cell("\n".join(parts), id=f"{cell.id}-solution")


def answer(cell):
    """The outputs of a cell as a folded markdown cell, to stand below it."""
    folded = FOLDED.format(SHOWN, shown(cell.outputs))
    return nbformat.v4.new_markdown_cell(folded, id=f"{cell.id}-answer")


def relinked(markdown, siblings):
    """Links to files, as seen from one folder further down. siblings: notebooks that have a copy there as well."""

    def further_down(match):
        before, target = match.groups()
        return match[0] if target.split("#")[0] in siblings else f"{before}../{target}"

    return re.sub(r"""(\]\(|(?:src|href)=["'])(?![a-z][a-z0-9+.-]*:|[#/])([^)"'\s]+)""", further_down, markdown)


def student_copy(notebook, name, siblings):
    """The student copy of a solved notebook, as the text of a file."""
    copy, count = nbformat.v4.new_notebook(metadata=notebook.metadata), 0
    is_answer = list(answers(notebook.cells))
    cells = list(map(nbformat.from_dict, notebook.cells))
    for cell, following, predicted in zip(cells, [*cells[1:], {}], is_answer, strict=True):
        copy.cells.append(cell)
        if cell.cell_type == "markdown":
            cell.source = relinked(cell.source, siblings)
            if predicted:
                cell.source = FOLDED.format(SAID, cell.source)
        elif is_solution(cell):
            copy.cells.append(below(cell, following, predicted))
            cell.source, exercises = stub(cell)
            cell.outputs, count = [], count + exercises
            cell.metadata = {"tags": ["exercise"]}
        else:
            if "checks." in cell.source:
                cell.outputs = []  # "right" before anything is written would be a lie
            if predicted and shown(cell.outputs):
                copy.cells.append(answer(cell))
                cell.outputs = []
        _without_traces(cell)
    introduction = INTRODUCTION.format(count=count, name=name)
    copy.cells.insert(1, nbformat.v4.new_markdown_cell(introduction, id="student-copy"))
    nbformat.validate(copy)
    return nbformat.writes(copy) + "\n"


def _without_traces(cell):
    """Drop what only the solved notebook needs: tags for its test, counts of its run."""
    tags = [tag for tag in cell.metadata.get("tags", []) if not tag.startswith("nbval")]
    kept = {"tags": tags, "jupyter": cell.metadata.get("jupyter")}
    cell.metadata = {name: value for name, value in kept.items() if value}
    if cell.cell_type == "code":
        cell.execution_count = None
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = None


def student_copies(folder=NOTEBOOKS):
    """{file name: text} of every student copy that belongs to the solved notebooks in `folder`.

    Raises ValueError for a solution cell that has no hint or is not plain Python.
    """
    solved = {}
    for path in sorted(folder.glob("0*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        exercises = [cell for cell in notebook.cells if is_solution(cell)]
        for cell in exercises:
            if not cell.metadata.get("exercise", {}).get("hints"):
                advice = 'Add {"exercise": {"hints": ["..."]}} to its metadata.'
                raise ValueError(f"{path}: solution cell {cell.id} has no hint. {advice}")
            try:
                ast.parse(cell.source)
            except SyntaxError as error:
                raise ValueError(f"{path}: solution cell {cell.id} is not plain Python ({error}).") from error
        if exercises:
            solved[path.name] = notebook
    return {name: student_copy(notebook, name, solved) for name, notebook in solved.items()}


def main():
    try:
        copies = student_copies()
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    folder = NOTEBOOKS / "exercises"
    for path in sorted(folder.glob("*.ipynb")):
        if path.name not in copies:
            path.unlink()
            print(f"removed {path.relative_to(NOTEBOOKS.parent)}: its notebook has no solution cell")
    for name, text in copies.items():
        path = folder / name
        write_whole(path, text.encode())
        print(f"wrote {path.relative_to(NOTEBOOKS.parent)}  ({path.stat().st_size / 1000:.0f} kB)")


if __name__ == "__main__":
    main()
