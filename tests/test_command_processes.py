"""The command `nst` as real processes: signals, pipes, full disks, two at once. Small pictures, few iterations."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import picture
from PIL import Image

from nst_support.pictures import save_image
from studio import recipe

posix = pytest.mark.skipif(os.name != "posix", reason="signals and limits are Posix'")
NST = [sys.executable, "-m", "studio"]
ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = {**os.environ, "NST_PRESET": "smoke", "PYTHONPATH": str(ROOT), "COLUMNS": "100"}


@pytest.fixture
def here(tmp_path):
    """A folder with a photo and a painting."""
    save_image(picture(48, 64, 0), tmp_path / "photo.png")
    save_image(picture(48, 64, 1), tmp_path / "painting.png")
    return tmp_path


RUNNING = []


@pytest.fixture(autouse=True)
def nothing_runs_on():
    yield
    while RUNNING:
        RUNNING.pop().kill()


def started(folder, *words, **options):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    RUNNING.append(subprocess.Popen([*NST, *words], cwd=folder, env=ENVIRONMENT, text=True, **pipes, **options))
    return RUNNING[-1]


def done(folder, *words, **options):
    process = started(folder, *words, **options)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, [line for line in err.splitlines() if line.strip() and "%|" not in line]


def left_over(folder):
    return sorted(path.name for path in folder.iterdir() if path.name not in ("photo.png", "painting.png"))


def wait_for(path, process):
    began = time.monotonic()
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() - began < 60
        time.sleep(0.02)


LONG = ("photo.png", "painting.png", "-i", "100000", "-o", "new.png", "--save-every", "2")


def test_bad_input_is_told_within_a_second_of_the_start(here):
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        code, _, err = done(here, "photo.png", "gone.png")
        seconds.append(time.perf_counter() - began)
        assert code == 2 and err == [f"nst: gone.png: no such file. Check the spelling; you are in {here}."]
    assert min(seconds) < 1


def test_the_help_fits_on_two_screens(here):
    began = time.perf_counter()
    code, out, err = done(here, "--help")
    assert code == 0 and not err and time.perf_counter() - began < 2
    assert len(out.splitlines()) <= 80 and max(map(len, out.splitlines())) <= 100


@posix
@pytest.mark.parametrize("moment", [0.05, 0.3, 1.0, 2.0])
def test_ctrl_c_before_there_is_a_picture(here, moment):
    process = started(here, *LONG)
    time.sleep(moment)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    if moment == 0.05 and process.returncode == -signal.SIGINT:
        pytest.skip("Python itself had not begun yet")
    assert process.returncode == 130 and "Traceback" not in err
    assert set(left_over(here)) <= {"new.png", "new.png.checkpoint"}


@pytest.mark.slow
@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_stopped_keeps_its_best(here, number, code):
    process = started(here, *LONG)
    wait_for(here / "new.png", process)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code and "Traceback" not in err
    told = err.splitlines()[-1]
    assert "The picture so far: new.png" in told
    kept = ["new.png.checkpoint"] if "Go on with --resume." in told else []  # where one was due by then
    assert left_over(here) == ["new.png", *kept]
    assert 0 < recipe.read(here / "new.png")["result"]["evaluations"] < 100_000


@pytest.mark.slow
@posix
def test_two_runs_with_one_output(here):
    first = started(here, *LONG)
    wait_for(here / "new.png", first)
    code, _, err = done(here, *LONG, "--force")
    assert code == 2 and err == ["nst: new.png: another process paints it at this moment. Choose another -o."]
    assert first.poll() is None
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=60)
    assert first.returncode == 130 and Image.open(here / "new.png").size == (64, 48)


@pytest.mark.slow
@posix
def test_a_file_that_may_not_grow_leaves_the_older_picture(here):
    import resource

    save_image(picture(48, 64, 5), here / "new.png")
    before = (here / "new.png").read_bytes()
    limit = 2000  # bytes, of any file; a picture has about 9,000
    code, _, err = done(
        here, "photo.png", "painting.png", "-i", "5", "-o", "new.png", "--force",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert code in (1, 2) and len(err) == 1 and err[0].startswith("nst: ") and "Traceback" not in err[0]
    assert (here / "new.png").read_bytes() == before and left_over(here) == ["new.png"]


@pytest.mark.slow
@posix
def test_a_reader_that_goes_away(here):
    command = " ".join([*NST, "photo.png painting.png -i 5 -o new.png 2>err.txt | true"])
    assert subprocess.run(command, shell=True, cwd=here, env=ENVIRONMENT, timeout=120).returncode == 0
    assert (here / "new.png").exists() and "Traceback" not in (here / "err.txt").read_text()
    command = " ".join([*NST, "recipe new.png 2>err.txt | head -1"])
    found = subprocess.run(command, shell=True, cwd=here, env=ENVIRONMENT, timeout=60, capture_output=True, text=True)
    assert found.stdout == "{\n" and (here / "err.txt").read_text() == ""


@pytest.mark.slow
def test_from_another_folder_and_made_again(here):
    elsewhere = here / "elsewhere"
    elsewhere.mkdir()
    code, out, _ = done(elsewhere, "../photo.png", "../painting.png", "-i", "8")
    assert code == 0 and "photo_painting.png" in out.splitlines()[-1]
    code, out, _ = done(here, "again", "elsewhere/photo_painting.png", "-o", "again.png")
    assert code == 0
    pixels = [np.asarray(Image.open(path)) for path in (elsewhere / "photo_painting.png", here / "again.png")]
    np.testing.assert_array_equal(*pixels)
    code, out, _ = done(here, "recipe", "again.png")
    assert code == 0 and json.loads(out)["settings"]["evaluations"] == 8


@pytest.mark.slow
def test_many_with_one_that_fails(here):
    many = here / "many"
    many.mkdir()
    for name in ("a", "b"):
        save_image(picture(48, 64, ord(name)), many / f"{name}.png")
    (many / "c.jpg").write_text("not a picture")
    code, out, _ = done(here, "many", "painting.png", "-o", "out", "-i", "5")
    assert code == 1 and sorted(p.name for p in (here / "out").iterdir()) == ["a_painting.png", "b_painting.png"]
    assert out.splitlines()[-1].startswith("failed: many/c.jpg: not a picture that can be read here")
