"""What works in the background of a notebook's kernel ends when the kernel is interrupted."""

import functools
import sys

_ends = {}  # functions, in the order in which they came


def on_interrupt(end):
    """Have `end()` called at every interrupt of the kernel: in a cell by its error, between two cells by the signal.

    Called again with the same function, or outside a kernel, it changes nothing.
    """
    _ends[end] = None
    _listen()


def _end_all():
    for end in list(_ends):
        end()


@functools.cache
def _listen():
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return
    shell.events.register("post_run_cell", _end_after_an_interrupt)
    # What ipykernel puts in force again after every cell; by itself it ignores the signal between two.
    before = getattr(kernel, "saved_sigint_handler", None)

    def between_cells(number, frame):
        _end_all()
        if callable(before):
            before(number, frame)

    kernel.saved_sigint_handler = between_cells


def _end_after_an_interrupt(result):
    if isinstance(result.error_in_exec, KeyboardInterrupt):
        _end_all()
