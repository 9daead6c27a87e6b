#!/usr/bin/env python3
"""Execute a notebook from a terminal, with progress, and keep it as a page.

    python tools/run_notebook.py notebooks/01_neural_style_transfer.ipynb

Writes outputs/NAME.html, and names every file in outputs/ that the notebook wrote. The notebook
itself stays as it is, unless --save stores the new output in it (as for committing).
"""

import argparse
import asyncio
import contextlib
import re
import sys
import time
from pathlib import Path

# What takes long to import is imported in the functions, where Ctrl-C is caught.

PROJECT = Path(__file__).resolve().parent.parent
OUTPUTS = PROJECT / "outputs"
PICTURE = OUTPUTS / "generated.png"
INTERRUPTED = 130  # what a shell returns for a command that Ctrl-C ended
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


async def execute(notebook, folder):
    """Run all cells in `folder`, showing which stage is at work. Raises CellExecutionError and DeadKernelError.

    If cancelled, the cell that runs is interrupted, so that it can keep what it has.
    """
    from jupyter_client import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import DeadKernelError
    from pages import heading_of
    from tqdm import tqdm

    kernel, ready = AsyncKernelManager(kernel_name="python3"), False
    client = NotebookClient(notebook, km=kernel, timeout=None, coalesce_streams=True)
    client.reset_execution_trackers()
    count = sum(cell.cell_type == "code" for cell in notebook.cells)
    with tqdm(total=count, bar_format="{percentage:3.0f} % |{bar}| {n}/{total} cells, {elapsed} {desc}") as bar:
        bar.set_description_str("starting", refresh=True)
        try:
            # Not that its connection is unencrypted; and nothing of it in the history that IPython recalls.
            options = ["--log-level=ERROR", "--HistoryManager.hist_file=:memory:"]
            await kernel.start_kernel(cwd=str(folder), extra_arguments=options)
            await client.async_start_new_kernel_client()
            ready = True
            for i, cell in enumerate(notebook.cells):
                if heading := heading_of(cell):
                    bar.set_description_str(heading[:40])
                await client.async_execute_cell(cell, i)
                bar.update(cell.cell_type == "code")
        except (asyncio.CancelledError, DeadKernelError) as error:
            if not asyncio.current_task().cancelling():
                raise
            if ready:
                await interrupt(kernel, client.kc)
            raise asyncio.CancelledError from error  # nbclient takes a cancelled task for a dead kernel
        finally:
            if kernel.has_kernel:
                await kernel.shutdown_kernel(now=not ready)
            if client.kc is not None:
                client.kc.stop_channels()


async def interrupt(kernel, client, seconds=20):
    """Interrupt the cell that runs, and wait until it has ended, but not for ever."""
    if await kernel.is_alive():
        await kernel.interrupt_kernel()
        with contextlib.suppress(TimeoutError):
            await client.kernel_info(reply=True, timeout=seconds)  # answered after the cell


def clean(notebook):
    """Drop what differs from run to run and teaches nothing: the times of each cell."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)


def in_words(error):
    """Where a cell failed, and its error's own message, without the way through the code."""
    lines = re.findall(r"^Cell In\[.*?^-+> *\d+ (.*?)$", COLOURS.sub("", error.traceback), re.M | re.S)
    where = f"In the line: {lines[-1].strip()}\n" if lines else ""
    return f"{where}{error.ename}: {COLOURS.sub('', error.evalue)}".rstrip(": ")


def written_since(moment):
    """The files and folders in outputs/ with something newer, and what is newer in each."""
    for path in sorted(OUTPUTS.iterdir()):
        files = [f for f in ([path] if path.is_file() else path.glob("*.*")) if f.stat().st_mtime >= moment - 1]
        if files and not path.name.startswith("."):
            yield path, files


def run(args):
    """Execute the notebook and write what it gives."""
    import nbformat
    from pages import PageExporter

    from nst_support.whole_file import write_whole

    notebook = nbformat.read(args.notebook, as_version=4)
    print(f"Running {args.notebook} ...", flush=True)
    with contextlib.closing(execute(notebook, args.notebook.parent)) as execution:  # if Ctrl-C comes before it starts
        asyncio.run(execution)
    clean(notebook)
    write_whole(OUTPUTS / f"{args.notebook.stem}.html", PageExporter().from_notebook_node(notebook)[0].encode())
    if args.save:
        write_whole(args.notebook, (nbformat.writes(notebook) + "\n").encode())


def attempt(args):
    """`run`, with an error as a few lines unless --debug asks for all of them. Returns an exit status."""
    try:
        run(args)
    except (OSError, ImportError, ValueError) as error:
        if args.debug:
            raise
        print(f"{args.notebook}: {error}", file=sys.stderr)
    except Exception as error:
        from nbclient.exceptions import CellExecutionError, DeadKernelError

        if isinstance(error, CellExecutionError):
            said = f"a cell failed.\n{error.traceback if args.debug else in_words(error)}"
            print(f"{args.notebook}: {said}", file=sys.stderr)
        elif isinstance(error, DeadKernelError) and not args.debug:
            advice = "Close other programs, or set NST_PRESET=smoke for small pictures"
            print(f"{args.notebook}: Python ended, mostly for lack of memory. {advice}.", file=sys.stderr)
        else:
            raise
    else:
        return 0
    return 1


def main():
    began, wall_clock = time.perf_counter(), time.time()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--save", action="store_true", help="store the output in the notebook as well")
    parser.add_argument("--debug", action="store_true", help="show the whole traceback of an error")
    args = parser.parse_args()
    if not args.notebook.is_file():
        sys.exit(f"{args.notebook}: no such notebook. They are in {PROJECT / 'notebooks'}.")
    try:
        status = attempt(args)
        if status == 0:
            print(f"Done in {time.perf_counter() - began:.0f} s. Written:")
            for path, files in written_since(wall_clock):
                count = "" if path.is_file() else f"{len(files)} files, "
                size = sum(f.stat().st_size for f in files) / 1000
                print(f"  {path.relative_to(PROJECT)}  ({count}{size:.0f} kB)")
    except KeyboardInterrupt:
        sys.unraisablehook = lambda _: None  # asyncio's half-made objects complain when they go
        picture = PICTURE.is_file() and PICTURE.stat().st_mtime >= wall_clock
        best = f"The best picture so far is {PICTURE.relative_to(PROJECT)}." if picture else "There is no picture yet."
        print(f"\nStopped. {best}", file=sys.stderr)
        status = INTERRUPTED
    sys.exit(status)


if __name__ == "__main__":
    main()
