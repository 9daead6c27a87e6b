#!/usr/bin/env python3
"""Execute a notebook from a terminal, with progress, and keep it as a page.

    python tools/run_notebook.py notebooks/01_neural_style_transfer.ipynb

Writes outputs/NAME.html, and names every file in outputs/ that the notebook wrote. The notebook
itself stays as it is, unless --save stores the new output in it (as for committing).
"""

import argparse
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from pages import PageExporter, heading_of
from tqdm import tqdm
from nst_support.whole_file import write_whole

PROJECT = Path(__file__).resolve().parent.parent
OUTPUTS = PROJECT / "outputs"


def execute(notebook, folder):
    """Run all cells in `folder`, showing which stage is at work. Raises CellExecutionError."""
    count = sum(cell.cell_type == "code" for cell in notebook.cells)
    with tqdm(total=count, bar_format="{percentage:3.0f} % |{bar}| {n}/{total} cells, {elapsed} {desc}") as bar:
        bar.set_description_str("starting", refresh=True)

        def show_stage(cell, **_):
            if heading := heading_of(cell):
                bar.set_description_str(heading[:40])

        def count_cell(cell, **_):
            bar.update(cell.cell_type == "code")

        client = NotebookClient(
            notebook,
            timeout=None,
            kernel_name="python3",
            extra_arguments=["--log-level=ERROR"],  # not that its connection is unencrypted
            resources={"metadata": {"path": str(folder)}},
            on_cell_start=show_stage,
            on_cell_complete=count_cell,
        )
        client.execute()


def clean(notebook):
    """Drop what differs from run to run and teaches nothing: the times of each cell."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--save", action="store_true", help="store the output in the notebook as well")
    args = parser.parse_args()
    if not args.notebook.is_file():
        sys.exit(f"{args.notebook}: no such notebook. They are in {PROJECT / 'notebooks'}.")
    began, wall_clock = time.perf_counter(), time.time()
    notebook = nbformat.read(args.notebook, as_version=4)
    print(f"Running {args.notebook} ...")
    try:
        execute(notebook, args.notebook.parent)
    except CellExecutionError as error:
        sys.exit(f"{args.notebook}: a cell failed.\n{error}")
    except KeyboardInterrupt:
        sys.exit("\nStopped. The best picture so far, if there is one yet, is in outputs/generated.png.")
    clean(notebook)
    write_whole(OUTPUTS / f"{args.notebook.stem}.html", PageExporter().from_notebook_node(notebook)[0].encode())
    if args.save:
        write_whole(args.notebook, (nbformat.writes(notebook) + "\n").encode())
    print(f"Done in {time.perf_counter() - began:.0f} s. Written:")
    for path in sorted(OUTPUTS.iterdir()):
        files = [f for f in ([path] if path.is_file() else path.glob("*.*")) if f.stat().st_mtime >= wall_clock - 1]
        if files and not path.name.startswith("."):
            count = "" if path.is_file() else f"{len(files)} files, "
            print(f"  {path.relative_to(PROJECT)}  ({count}{sum(f.stat().st_size for f in files) / 1000:.0f} kB)")


if __name__ == "__main__":
    main()
