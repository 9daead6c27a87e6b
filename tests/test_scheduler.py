"""What is known of a cluster without Dask: addresses, what is missing, bytes by arithmetic."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from studio import arguments, scheduler
from studio.far_tiles import bytes_of_step

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def with_dask(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())


@pytest.mark.parametrize(
    "text", ["tcp://host:8786", "tls://10.0.0.7:1", "tcp://[::1]:8786", "tcp://a-b.c.de:65535", "local:1", "local:64"]
)
def test_addresses(with_dask, text):
    assert scheduler.parse(text) == text


NO_ADDRESSES = ["", "host:8786", "tcp://host", "tcp://:8786", "http://host:80", "tcp://host:8786/x", "tcp://a b:1"]


@pytest.mark.parametrize("text", [*NO_ADDRESSES, "local", "local:0", "local:-2", "local:1.5", "local:9999"])
def test_what_is_no_address(with_dask, text):
    with pytest.raises(ValueError, match=r"write a scheduler as tcp://host:8786, or local:4"):
        scheduler.parse(text)


def test_how_many_workers_are_here():
    assert [scheduler.workers_here(text) for text in ("local:12", "tcp://host:8786", None)] == [12, 0, 0]


def test_without_dask_the_command_that_installs_it_is_told(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError) as told:
        arguments.request(["photo.jpg", "painting.jpg", "--scheduler", "local:2"])
    assert str(told.value) == (
        "--scheduler: Dask is not installed. In the project's folder: pip install -e '.[cluster]'. See nst --help."
    )


def test_snapshots_of_several_are_not_to_be_had_from_elsewhere(with_dask, tmp_path):
    words = [
        str(tmp_path / "a.jpg"),
        str(tmp_path / "b.jpg"),
        "style.jpg",
        "--snapshots",
        "x",
        "--scheduler",
        "local:2",
    ]
    with pytest.raises(ValueError, match="--snapshots beside --scheduler"):
        arguments.request(words)


def test_dask_is_not_imported_unless_it_is_asked_for():
    code = (
        "import studio.painting, studio.command, studio.optimise, sys;"
        "assert not {'dask', 'distributed'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=120)


WIDTHS = {"conv1_1": 2, "conv2_1": 3}


def test_bytes_of_a_step_by_hand():
    """One tile of 8 x 6 px; two style layers, of which the second is the content's: a_C is 4 x 3 x 3 values."""
    pixels = 3 * (8 * 6 * 3 * 4)  # G for both passes, and the gradient
    target, centres = 2 * (4 * 3 * 3 * 4), 2 * (2 + 3) * 4
    moments = 2 * (1 + 2 + 4 + 1 + 3 + 9) * 4  # sums of pass one, slopes of pass two
    assert bytes_of_step((8, 6), 64, WIDTHS, "conv2_1", list(WIDTHS)) == pixels + target + centres + moments
    twice = bytes_of_step((8, 6), 64, WIDTHS, "conv2_1", list(WIDTHS), regions=2, masked=1, of_content=2)
    masks = 2 * (8 * 6 + 4 * 3) * 4
    assert twice == pixels + target // 2 + 2 * (centres + moments) + masks


def test_margins_count_for_every_tile():
    whole = bytes_of_step((160, 320), 1000, WIDTHS, "conv2_1", list(WIDTHS))
    halves = bytes_of_step((160, 320), 160, WIDTHS, "conv2_1", list(WIDTHS))
    small = 2 * (1 + 2 + 4 + 1 + 3 + 9 + 2 + 3) * 4  # sums, slopes and centres, once more
    assert halves == whole + 3 * 3 * 4 * 160 * 2 * 4 + small  # conv2_1 is decided by 4 px on each side
