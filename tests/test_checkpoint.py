"""Going on after an interruption: the writer killed at any moment, and pictures equal in every pixel."""

import contextlib
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import picture

import nst_utils as nst
from nst_support.pictures import save_image
from studio import Painting, checkpoint, optimise, painting, recipe
from studio.optimise import Run
from studio.painting import Canvas
from studio.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
posix = pytest.mark.skipif(os.name != "posix", reason="signals are Posix'")


def test_what_is_saved_is_loaded(tmp_path):
    path = checkpoint.path_of(tmp_path / "new.png")
    assert path.name == "new.png.checkpoint" and checkpoint.load(path) is None and checkpoint.numbers_in(path) is None
    arrays = {"G": np.random.default_rng(0).random((1, 3, 4, 3), np.float32), "rows": np.arange(5)}
    checkpoint.save(path, {"used": 3, "J": 0.1, "rows": [2, 0], "best": None, "name": "é"}, arrays)
    numbers, found = checkpoint.load(path)
    assert numbers == {"used": 3, "J": 0.1, "rows": [2, 0], "best": None, "name": "é"} == checkpoint.numbers_in(path)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    assert path.stat().st_size < sum(array.nbytes for array in arrays.values()) + 2000
    checkpoint.remove(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("spoil", [lambda d: d[:-40], lambda d: b"", lambda d: d[:300] + bytes(50) + d[350:]])
def test_a_damaged_checkpoint_is_told(tmp_path, spoil):
    path = tmp_path / "a.checkpoint"
    checkpoint.save(path, {}, {"G": np.random.default_rng(0).random(500)})
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ValueError, match=r"a\.checkpoint: a damaged checkpoint .* Remove it, and start anew"):
        checkpoint.load(path)


KILLER = """
import os, random, signal, sys, time
from pathlib import Path
import numpy as np
from studio import checkpoint
assert "tensorflow" not in sys.modules

def write(path, n, told):
    while True:
        n += 1
        checkpoint.save(path, {"n": n}, {"a": np.full(200_000, n), "b": np.full(70_000, -n)})
        os.write(told, n.to_bytes(8, "big"))

path, rng, n = Path(sys.argv[1]), random.Random(3), 0
for _ in range(100):
    heard, told = os.pipe()
    child = os.fork()
    if not child:
        write(path, n, told)
    os.close(told)
    first = os.read(heard, 8)
    time.sleep(rng.uniform(0, 0.03))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    said = first + b"".join(iter(lambda: os.read(heard, 8), b""))
    os.close(heard)
    numbers, arrays = checkpoint.load(path)
    assert (arrays["a"] == numbers["n"]).all() and (arrays["b"] == -numbers["n"]).all()
    last = int.from_bytes(said[-8:], "big")
    assert numbers["n"] in (last, last + 1) and last > n, (n, last, numbers)  # named, but perhaps not yet told of
    assert len(os.listdir(path.parent)) <= 2
    n = numbers["n"]
print(n)
"""


@posix
def test_a_hundred_kills_leave_a_whole_checkpoint(tmp_path):
    command = [sys.executable, "-c", KILLER, str(tmp_path / "a.checkpoint")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 150  # most were killed in the midst of a later one


def test_checkpoints_take_a_twentieth_of_the_time(tmp_path, monkeypatch):
    now, written = [0.0], []

    def save(path, numbers, arrays):
        now[0] += 2.0
        written.append(now[0])

    monkeypatch.setattr(checkpoint, "save", save)
    keeper = checkpoint.Keeper(tmp_path / "a", clock=lambda: now[0])
    while now[0] < 4000:
        now[0] += 1
        keeper(lambda: ({}, {"G": np.zeros(10**6)}))
    assert 0.04 < 2 * len(written) / now[0] <= 0.05
    assert written[0] < 10  # the first is as cheap as a disk is thought to be


def test_a_disk_that_refuses_says_how_to_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    keeper = checkpoint.Keeper(tmp_path / "a.checkpoint", clock=iter(range(0, 10**9, 10**6)).__next__)
    keeper(lambda: ({}, {"G": np.zeros(9)}))
    with pytest.raises(OSError, match=r"a\.checkpoint: cannot write .*No space left.* Then go on with --resume\."):
        keeper(lambda: ({}, {"G": np.zeros(9)}))
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------ the engine


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize("precision", ["auto", "float32"])
def test_from_every_step_a_run_goes_on_bit_for_bit(small_vgg, C, S, optimizer, precision, tmp_path, monkeypatch):
    monkeypatch.setattr(optimise, "has_fast_bfloat16", lambda: True)
    settings = Settings(evaluations=(12, 14), every=5, optimizer=optimizer, precision=precision, seed=2)
    states, whole = [], []

    def keep(state):
        path = tmp_path / f"{len(states)}"
        checkpoint.save(path, *state())
        states.append(path)

    for record in Run(C, S, small_vgg, settings).records(False, keep=keep):
        whole.append(record)
    assert len(states) > 15
    for path in states[::4]:
        state = checkpoint.load(path)
        rest = list(Run(C, S, small_vgg, settings).records(False, state))
        expected = [record for record in whole if record.step > state[0]["last_step"]]
        assert [r.step for r in rest] == [r.step for r in expected]
        for one, same in zip(rest, expected, strict=True):
            assert one.J == same.J
            np.testing.assert_array_equal(one.image, same.image)


# ------------------------------------------------------------------------------------ from files to a file


@pytest.fixture
def here(tmp_path, small_vgg, monkeypatch):
    save_image(picture(60, 80, 0), tmp_path / "photo.png")
    save_image(picture(90, 70, 1), tmp_path / "painting.png")
    monkeypatch.setattr(painting, "network_of", lambda painting: small_vgg)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def of(output, **settings):
    settings = Settings(size=48, evaluations=(10, 30), every=4, **settings)
    return Painting(content=Path("photo.png"), styles=(Path("painting.png"),), output=Path(output), settings=settings)


@pytest.mark.parametrize("ending", ["png", "jpg"])
@pytest.mark.parametrize("stop", [7, 12, 25, 38])
def test_a_picture_that_was_stopped_ends_as_one_that_was_not(here, monkeypatch, ending, stop):
    Canvas(of(f"whole.{ending}")).paint(bar=False)
    monkeypatch.setattr(checkpoint, "SHARE", np.inf)  # at every step

    class Stop(Exception):
        """As if the process were killed: nothing is saved any more."""

    def killed(self, state):
        keep(self, state)
        if state()[0]["now"] >= stop:
            monkeypatch.setattr(painting, "save_image", lambda *_: None)
            raise Stop

    keep = checkpoint.Keeper.__call__
    with monkeypatch.context() as patch, contextlib.suppress(Stop):
        patch.setattr(checkpoint.Keeper, "__call__", killed)
        Canvas(of(f"new.{ending}")).paint(bar=False)
        raise AssertionError("it was not stopped")
    monkeypatch.setattr(painting, "save_image", save_image)
    assert checkpoint.path_of(f"new.{ending}").exists()
    Canvas(of(f"new.{ending}")).paint(bar=False, resume=True)
    assert Path(f"new.{ending}").exists() and not checkpoint.path_of(f"new.{ending}").exists()
    one, same = (nst.load_image(f"{name}.{ending}") for name in ("whole", "new"))
    np.testing.assert_array_equal(one, same)
    results = [recipe.read(f"{name}.{ending}")["result"] for name in ("whole", "new")]
    for result in results:
        del result["seconds"]
    assert results[0] == results[1] and results[0]["finished"]


NST = [sys.executable, "-m", "studio", "photo.png", "painting.png", "-s", "64", "-i", "400", "--save-every", "30"]
ENVIRONMENT = {**os.environ, "NST_PRESET": "smoke", "PYTHONPATH": str(ROOT)}
KILLS = int(os.environ.get("NST_KILLS", "5"))


@pytest.mark.slow
@posix
def test_real_runs_that_are_killed_end_as_one_that_was_not(tmp_path):
    """NST_KILLS=100 pytest -m slow tests/test_checkpoint.py: a hundred kills."""
    for name, seed in (("photo", 0), ("painting", 1)):
        save_image(picture(96, 128, seed), tmp_path / f"{name}.png")
    subprocess.run([*NST, "-o", "whole.png"], cwd=tmp_path, env=ENVIRONMENT, check=True, capture_output=True)
    rng, killed = random.Random(1), 0
    while killed < KILLS:
        process = subprocess.Popen([*NST, "-o", "new.png", "--resume"], cwd=tmp_path, env=ENVIRONMENT,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # fmt: skip
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=rng.uniform(3, 8))
        if process.poll() is None:
            process.kill()
            process.communicate()
            killed += 1
            continue
        assert process.returncode == 0
        np.testing.assert_array_equal(nst.load_image(tmp_path / "new.png"), nst.load_image(tmp_path / "whole.png"))
        (tmp_path / "new.png").unlink()
    done = subprocess.run([*NST, "-o", "new.png", "--resume"], cwd=tmp_path, env=ENVIRONMENT, capture_output=True)
    assert done.returncode == 0
    np.testing.assert_array_equal(nst.load_image(tmp_path / "new.png"), nst.load_image(tmp_path / "whole.png"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["new.png", "painting.png", "photo.png", "whole.png"]
