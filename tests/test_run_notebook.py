"""`make run` in a terminal: what it writes, and how it ends when Ctrl-C, a full disk or an error stops it."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

PROJECT = Path(__file__).resolve().parents[1]
FIRST = """
import os, time
from pathlib import Path
outputs = Path("../outputs")
(outputs / "pid").write_text(str(os.getpid()))
"""
TRAIN = """
(outputs / "generated.png").write_bytes(b"best so far")
try:
    time.sleep(100)
except KeyboardInterrupt:
    (outputs / "generated.png").write_bytes(b"last")
    raise
"""
SAVE = """
from nst_support.whole_file import write_whole
write_whole(outputs / "generated.png", bytes(10**6))
"""
SLOW_PAGES = """
import time
from pathlib import Path
class PageExporter:
    def from_notebook_node(self, notebook):
        Path("outputs/saving").touch()
        time.sleep(100)
def heading_of(cell):
    return None
"""
FULL = 30_000  # bytes that a file may have at most, which the system enforces as it does a full disk


@pytest.fixture
def start(tmp_path):
    """Start tools/run_notebook.py on a notebook with these cells, in a project of its own."""
    for folder in ("tools", "notebooks", "outputs"):
        (tmp_path / folder).mkdir()
    for name in ("run_notebook.py", "pages.py"):
        shutil.copy(PROJECT / "tools" / name, tmp_path / "tools")
    started = []

    def start(*sources, options=(), most=None):
        cells = [nbformat.v4.new_markdown_cell("# A lesson"), *map(nbformat.v4.new_code_cell, sources)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "notebooks" / "01_x.ipynb")
        process = subprocess.Popen(
            [sys.executable, "tools/run_notebook.py", "notebooks/01_x.ipynb", *options],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(PROJECT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a process group of its own, as in a terminal
            preexec_fn=most and (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))),
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()


def last_lines(process):
    """(exit status, what stands in the terminal beside the progress bar)."""
    _, stderr = process.communicate(timeout=120)
    return process.returncode, "\n".join(line for line in stderr.splitlines() if line and "cells, " not in line)


def wait_for(path):
    end = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < end, f"{path} never came"
        time.sleep(0.05)


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_notebook_becomes_a_page_and_stays_as_it_is_unless_saved(start, tmp_path):
    stored = tmp_path / "notebooks" / "01_x.ipynb"
    for options, count in (((), 0), (("--save",), 1)):
        process = start("print(6 * 7)", options=options)
        assert last_lines(process)[0] == 0
        assert "42" in (tmp_path / "outputs" / "01_x.html").read_text("utf-8")
        cell = nbformat.read(stored, 4).cells[1]
        assert len(cell.outputs) == count and "execution" not in cell.metadata


@pytest.mark.parametrize("moment", ["starting", "running", "saving"])
def test_ctrl_c_ends_in_one_line_and_loses_nothing(start, tmp_path, moment):
    outputs = tmp_path / "outputs"
    if moment == "saving":
        (tmp_path / "tools" / "pages.py").write_text(SLOW_PAGES)
    process = start(FIRST, "pass" if moment == "saving" else TRAIN, options=["--save"])
    before = (tmp_path / "notebooks" / "01_x.ipynb").read_bytes()
    if moment == "starting":
        process.stdout.readline()  # Running ...
    else:
        wait_for(outputs / {"running": "generated.png", "saving": "saving"}[moment])
    os.killpg(process.pid, signal.SIGINT)
    status, words = last_lines(process)
    picture = "The best picture so far is outputs/generated.png." if moment == "running" else "There is no picture yet."
    assert (status, words) == (130, f"Stopped. {picture}")
    if moment == "running":
        assert (outputs / "generated.png").read_bytes() == b"last"
    if moment != "starting":
        assert not is_running(int((outputs / "pid").read_text()))
    expected = {"starting": set(), "running": {"pid", "generated.png"}, "saving": {"pid", "saving"}}[moment]
    assert set(os.listdir(outputs)) == expected  # no page, and nothing half-written
    assert (tmp_path / "notebooks" / "01_x.ipynb").read_bytes() == before


def test_a_full_disk_in_a_cell_is_told_by_the_file_s_name(start, tmp_path):
    status, words = last_lines(start(FIRST, SAVE, most=FULL))
    assert status == 1
    first, line, reason = words.split("\n")
    assert first == "notebooks/01_x.ipynb: a cell failed."
    assert line == 'In the line: write_whole(outputs / "generated.png", bytes(10**6))'
    assert (
        reason.startswith("OSError: ../outputs/generated.png: cannot write into the folder") and "Free some" in reason
    )
    assert os.listdir(tmp_path / "outputs") == ["pid"]


def test_a_full_disk_for_the_page_is_told_by_the_file_s_name(start, tmp_path):
    status, words = last_lines(start("pass", most=FULL))
    assert status == 1
    assert "\n" not in words and "outputs/01_x.html: cannot write into the folder" in words and "Free some" in words
    assert os.listdir(tmp_path / "outputs") == []


def test_an_error_is_a_few_lines_unless_all_of_them_are_asked_for(start):
    source = "def half(x):\n    assert x % 2 == 0\n\nhalf(3)"
    status, words = last_lines(start(source))
    assert status == 1
    assert words == "notebooks/01_x.ipynb: a cell failed.\nIn the line: assert x % 2 == 0\nAssertionError"
    status, words = last_lines(start(source, options=["--debug"]))
    assert status == 1 and "assert" in words and "half" in words and len(words.split("\n")) > 8
