"""A painting in the background: what it leaves, and how it is stopped."""

import threading

import numpy as np
import pytest
from conftest import picture
from PIL import Image, ImageSequence

import nst_utils as nst
from nst_support.pictures import save_image
from studio import Painting, full_run, recipe
from studio.full_run import FullRun
from studio.objective import Objective
from studio.settings import Settings


@pytest.fixture
def painting(tmp_path):
    save_image(picture(60, 80, 0), tmp_path / "photo.png")
    save_image(picture(90, 70, 1), tmp_path / "painting.png")
    return Painting(
        content=tmp_path / "photo.png",
        styles=(tmp_path / "painting.png",),
        output=tmp_path / "new.png",
        settings=Settings(size=48, evaluations=(6, 8), every=2),
    )


def test_it_leaves_the_best_picture_its_recipe_and_its_film(painting, small_vgg, tmp_path):
    shares, left = [], []

    def watch(run):
        shares.append(run.share)
        left.append(run.seconds_left)

    run = FullRun(painting, small_vgg, watch)
    assert run.state == full_run.READY
    path = run.start().wait()
    assert run.state == full_run.DONE and path == tmp_path / "new.png"
    np.testing.assert_array_equal(nst.load_image(path), run.best.image)
    assert min(J for step, J in run.costs if step) == run.best.J and run.costs[-1][0] == 14
    assert recipe.read(path)["result"]["evaluations"] == run.best.step
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == pytest.approx(1)
    assert left[0] is None and left[2] > 0 and left[-1] is None
    with Image.open(run.save_film(tmp_path / "film.gif")) as film:
        frames = [np.asarray(frame.convert("RGB"), np.int16) for frame in ImageSequence.Iterator(film)]
    assert len(frames) > 3 and frames[0].shape == (36, 48, 3) and np.ptp(frames, axis=0).max() > 20
    assert run.save_film(tmp_path / "film.mp4").read_bytes()[4:8] == b"ftyp"


def test_stopped_it_keeps_the_best_so_far(painting, small_vgg):
    seen = threading.Event()

    def watch(run):
        if run.costs[-1][0] >= 4:
            run.stop()
            seen.set()

    run = FullRun(painting, small_vgg, watch)
    path = run.start().wait()
    assert seen.is_set() and run.state == full_run.STOPPED and run.costs[-1][0] < 14
    np.testing.assert_array_equal(nst.load_image(path), run.best.image)
    found = recipe.read(path)["result"]
    assert not found["finished"] and found["evaluations"] == run.best.step


def test_what_fails_on_the_way_is_told(painting, small_vgg, monkeypatch):
    def fail(self, G):
        raise MemoryError("no room")

    run = FullRun(painting, small_vgg)
    monkeypatch.setattr(Objective, "value_and_gradient", fail)
    with pytest.raises(RuntimeError, match="no room"):
        run.start().wait()
    assert run.state == full_run.FAILED and not painting.output.exists()


def test_a_bad_file_is_refused_before_any_work(painting, small_vgg):
    painting.content.write_bytes(b"no picture")
    with pytest.raises(ValueError, match="not a picture"):
        FullRun(painting, small_vgg)


def test_ctrl_c_while_waiting_stops_it_and_keeps_the_best(painting, small_vgg, monkeypatch):
    run, join, calls = FullRun(painting, small_vgg), threading.Thread.join, iter(range(10))

    def interrupted(thread, timeout=None):
        if next(calls) == 0:
            while not run.best:
                pass
            raise KeyboardInterrupt
        join(thread, timeout)

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.start().wait()
    monkeypatch.undo()
    assert run.state in (full_run.STOPPED, full_run.DONE)
    np.testing.assert_array_equal(nst.load_image(painting.output), run.best.image)
