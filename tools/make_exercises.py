#!/usr/bin/env python3
"""Make the student copies in notebooks/exercises/ from the solved notebooks.

    python tools/make_exercises.py

In a code cell with the tag "solution", the body of every function becomes a NotImplementedError with
the hint that stands in the cell's metadata, {"exercise": {"hint": "..."}}; a cell without a function
is replaced as a whole. Below it come the result to expect and the solution, folded. All other cells
stay, and so do their stored figures, as the target. A notebook without a solution cell has no copy.
"""

import ast
import json
import re
import sys
import textwrap
from pathlib import Path

import nbformat

from nst_support.whole_file import write_whole

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
INTRODUCTION = """\
**This is the student copy**, in which some functions are yours to write: {count} of them. `make lab` in the project's \
folder sets everything up and opens JupyterLab. Run the cells from top to bottom (Shift+Enter). Where one stops with \
`NotImplementedError`, replace that whole statement, `raise` and hint, by your own lines and run the cell again. Then \
run the cell with `checks.` below, even if yours stopped with an error: it says whether they are right, and if not, \
what went wrong. `checks.check_all()` prints the score at any time.

Below each exercise stand the result to expect and a solution, folded: open it when you are stuck. The figures that \
are here already are the target, and running a cell replaces its figure by yours. They and the numbers were made with \
the bundled network at 400 px; another network or size gives others. [The solved notebook](../{name}) has them all."""
EXPECTED_TEXT = "**To expect:**\n\n```text\n{}\n```\n"
EXPECTED_FIGURE = "**To expect:**\n\n![The figure to expect](data:{};base64,{})\n"
FOLDED = "<details>\n<summary>Solution</summary>\n\n```python\n{}\n```\n\n</details>"


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
        lines[first : node.end_lineno] = _not_implemented(f"{node.name} is yours to write.", cell, indent=4)
    return "\n".join(lines if functions else _not_implemented("Yours to write.", cell)), max(1, len(functions))


def _not_implemented(what, cell, indent=0):
    words = [json.dumps(line, ensure_ascii=False) for line in _wrapped(f"{what} {cell.metadata.exercise.hint}")]
    lines = ["raise NotImplementedError(", *(f"    {line}" for line in words), ")"]
    return [" " * indent + line for line in lines]


def _wrapped(text):
    """Lines of at most about 88 characters, never broken inside `code`."""
    joined = re.sub(r"`[^`]*`", lambda code: code[0].replace(" ", "\N{NO-BREAK SPACE}"), text)
    lines = textwrap.wrap(joined, 88, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\n", " \n").replace("\N{NO-BREAK SPACE}", " ").split("\n")


def below(cell):
    """The markdown cell under an exercise: what to expect, and the solution, folded."""
    expected = ""
    printed = "".join(output.text for output in cell.outputs if output.output_type == "stream").strip("\n")
    if printed:
        expected += EXPECTED_TEXT.format(printed)
    for output in cell.outputs:
        for kind in ("image/jpeg", "image/png", "image/gif"):
            if kind in output.get("data", {}):
                expected += EXPECTED_FIGURE.format(kind, output.data[kind].replace("\n", ""))
    source = "\n".join(filter(None, [expected, FOLDED.format(cell.source)]))
    return nbformat.v4.new_markdown_cell(source, id=f"{cell.id}-solution")


def relinked(markdown, siblings):
    """Links to files, as seen from one folder further down. siblings: notebooks that have a copy there as well."""

    def further_down(match):
        before, target = match.groups()
        return match[0] if target.split("#")[0] in siblings else f"{before}../{target}"

    return re.sub(r"""(\]\(|(?:src|href)=["'])(?![a-z][a-z0-9+.-]*:|[#/])([^)"'\s]+)""", further_down, markdown)


def student_copy(notebook, name, siblings):
    """The student copy of a solved notebook, as the text of a file."""
    copy, count = nbformat.v4.new_notebook(metadata=notebook.metadata), 0
    for cell in notebook.cells:
        cell = nbformat.from_dict(cell)
        tags = [tag for tag in cell.metadata.get("tags", []) if not tag.startswith("nbval")]
        copy.cells.append(cell)
        if cell.cell_type == "markdown":
            cell.source = relinked(cell.source, siblings)
        elif is_solution(cell):
            copy.cells.append(below(cell))
            cell.source, exercises = stub(cell)
            cell.outputs, tags, count = [], ["exercise"], count + exercises
        elif cell.cell_type == "code" and "checks." in cell.source:
            cell.outputs = []  # "right" before anything is written would be a lie
        cell.metadata = {"tags": tags} if tags else {}
        if cell.cell_type == "code":
            cell.execution_count = None
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = None
    introduction = INTRODUCTION.format(count=count, name=name)
    copy.cells.insert(1, nbformat.v4.new_markdown_cell(introduction, id="student-copy"))
    nbformat.validate(copy)
    return nbformat.writes(copy) + "\n"


def student_copies(folder=NOTEBOOKS):
    """{file name: text} of every student copy that belongs to the solved notebooks in `folder`.

    Raises ValueError for a solution cell that has no hint or is not plain Python.
    """
    solved = {}
    for path in sorted(folder.glob("0*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        exercises = [cell for cell in notebook.cells if is_solution(cell)]
        for cell in exercises:
            if not cell.metadata.get("exercise", {}).get("hint"):
                advice = 'Add {"exercise": {"hint": "..."}} to its metadata.'
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
