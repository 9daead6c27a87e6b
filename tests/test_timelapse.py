"""A film of a run: what is kept, what is chosen, and whether the files show it."""

import itertools
import re
import sys

import imageio.v3 as imageio
import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image, ImageSequence

import nst_utils as nst
from studio import timelapse
from studio.timelapse import Timelapse, check_ending, evenly_spaced
from tests.conftest import picture

A, B = (0.3 + 0.4 * np.asarray(picture(45, 60, seed)) for seed in (1, 2))  # about as colourful as photographs


def between(share, a=A, b=B):
    return np.float32(a + (b - a) * share)


def slowing(steps, after=5, a=A, b=B):
    """Pictures whose change per step falls off like 1 / n; in [0, 1] of the way."""
    way = np.cumsum(1 / np.arange(after, after + steps))
    return [between(share, a, b) for share in (way - way[0]) / (way[-1] - way[0])]


def frames_of(path):
    """(count, n_H, n_W, 3) in [0, 1], as a player shows them."""
    if path.suffix == ".mp4":
        return imageio.imread(path, index=None, plugin="FFMPEG") / 255
    with Image.open(path) as gif:
        return np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(gif)]) / 255


def distances(pictures):
    return np.array([np.sqrt(np.mean((np.float64(a) - b) ** 2)) for a, b in itertools.pairwise(pictures)])


def film(path, images, **options):
    it = Timelapse(path, **options)
    for image in images:
        it.add(image)
    return it


# --- Which pictures --------------------------------------------------------------------------------------


def test_the_frames_of_a_run_that_slows_down_change_alike():
    images = slowing(160)
    change = distances(images)
    assert change.max() / change.min() > 20
    every_fourth = distances(images[::4])
    assert every_fourth.max() / every_fourth.min() > 10  # what even steps would give
    chosen = distances([images[i] for i in evenly_spaced(np.cumsum([0, *change]), 20)])
    assert len(chosen) == 19 and chosen.max() / chosen.min() < 2


def test_the_choice_is_the_best_of_all():
    rng = np.random.default_rng(0)
    for n, count in ((8, 3), (9, 5), (10, 2), (10, 9), (7, 6)):
        positions = np.cumsum([0, *rng.exponential(size=n - 1) ** 2])
        ways = [(0, *inner, n - 1) for inner in itertools.combinations(range(1, n - 1), count - 2)]
        best = min(ways, key=lambda way: np.sum(np.diff(positions[list(way)]) ** 2))
        assert evenly_spaced(positions, count) == list(best)


@pytest.mark.parametrize(("n", "count"), [(1, 2), (2, 2), (5, 5), (5, 9)])
def test_few_pictures_are_all_chosen(n, count):
    assert evenly_spaced(np.arange(n), count) == list(range(n))


def test_pictures_at_one_place_are_no_trouble():
    chosen = evenly_spaced(np.array([0, 0, 0, 1, 1, 2, 3, 3, 3]), 4)
    assert len(set(chosen)) == 4 and chosen[0] == 0 and chosen[-1] == 8
    assert sorted(np.array([0, 0, 0, 1, 1, 2, 3, 3, 3])[chosen]) == [0, 1, 2, 3]


def test_memory_is_bounded_and_what_remains_changes_alike(tmp_path):
    images, it = slowing(1000, after=60, a=A * 0, b=1 - A * 0), Timelapse(tmp_path / "a.gif", frames=10)
    for image in images:
        it.add(image)
        assert len(it.kept) <= 40 and it.kept[0].nbytes == 45 * 60 * 3
    np.testing.assert_allclose(it.kept[0] / 255, images[0][0], atol=0.5001 / 255)
    np.testing.assert_allclose(it.kept[-1] / 255, images[-1][0], atol=0.5001 / 255)
    frames = frames_of(it.save())
    assert len(frames) == 10
    chosen = distances(timelapse._evenly_changing([one / 255 for one in it.kept], 10))
    assert len(chosen) == 9 and chosen.max() / chosen.min() < 2


def test_pictures_are_shrunk_never_enlarged_and_brought_to_the_last_ones_size(tmp_path):
    it = film(tmp_path / "a.gif", [np.full((1, 30, 40, 3), 0.2)], long_side=20)
    assert it.kept[0].shape == (15, 20, 3)
    it.add(nst.tf.fill((1, 9, 12, 3), 0.4))
    it.add(np.full((1, 90, 120, 3), 0.6, np.float32))
    assert [one.shape for one in it.kept] == [(15, 20, 3)] * 3
    assert [int(one.max()) for one in it.kept] == [51, 102, 153]


def test_a_picture_that_did_not_change_is_kept_once(tmp_path):
    assert len(film(tmp_path / "a.gif", [A, A, B, B, A]).kept) == 3


# --- The files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 12])
def test_a_gif_shows_first_to_last_and_holds_the_last(count, tmp_path):
    images = [between(share) for share in np.linspace(0, 1, count)]
    path = film(tmp_path / "folder" / "a.GIF", images).save()
    assert path == tmp_path / "folder" / "a.GIF"
    frames = frames_of(path)
    assert frames.shape == (count, 45, 60, 3)
    for frame, image in zip(frames, images, strict=True):
        assert np.abs(frame - image[0]).mean() < 0.02
    np.testing.assert_allclose(frames[0], images[0][0], atol=0.1)
    np.testing.assert_allclose(frames[-1], images[-1][0], atol=0.1)
    with Image.open(path) as gif:
        assert count == 1 or gif.info["loop"] == 0
        milliseconds = [gif.seek(i) or gif.info["duration"] for i in range(count)]
    assert milliseconds[-1] == 1000
    assert count == 1 or (4000 <= sum(milliseconds) <= 6000 and len(set(milliseconds[:-1])) == 1)


def test_the_last_frame_of_a_gif_is_right_though_small_changes_wait(tmp_path, monkeypatch):
    """A change too small to be seen is not drawn at every step, but all are in the picture that is held."""
    it = film(tmp_path / "a.gif", [between(share, A, A * 0.9) for share in np.linspace(0, 1, 6)])
    frames, size = frames_of(it.save()), it.path.stat().st_size
    monkeypatch.setattr(timelapse, "UNSEEN", (-1,))
    exact = frames_of(it.save())
    assert size < 0.9 * it.path.stat().st_size
    assert 0 < np.abs(frames[1:-1] - exact[1:-1]).max() < (2 * 8 + 1) / 255 + np.abs(exact[1] - it.kept[1] / 255).max()
    np.testing.assert_array_equal(frames[-1], exact[-1])


def test_flat_black_and_white_need_no_colours_of_their_own(tmp_path):
    plain = [np.full((1, 20, 20, 3), level, np.float32) for level in (0, 1, 0)]
    assert [frame.mean() for frame in frames_of(film(tmp_path / "a.gif", plain).save())] == [0, 1, 0]


def test_a_gif_that_would_be_too_large_is_made_smaller(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    images = [rng.random((1, 60, 80, 3)).astype(np.float32) for _ in range(5)]
    it = film(tmp_path / "a.gif", images)
    large = len(it.save().read_bytes())
    monkeypatch.setattr(timelapse, "GIF_BYTES", large // 2)
    assert large // 8 < len(it.save().read_bytes()) <= large // 2
    n_H, n_W = frames_of(it.path).shape[1:3]
    assert n_H < 60 and n_W / n_H == pytest.approx(80 / 60, rel=0.05)
    monkeypatch.setattr(timelapse, "GIF_BYTES", 1)  # it ends all the same
    assert len(frames_of(it.save())) == 5


@pytest.mark.parametrize(("size", "even"), [((44, 60), (44, 60)), ((45, 61), (46, 62)), ((45, 60), (46, 60))])
def test_an_mp4_has_even_sides_the_right_frames_and_plays_everywhere(size, even, tmp_path):
    a, b = (0.3 + 0.4 * np.asarray(picture(*size, seed)) for seed in (1, 2))
    path = film(tmp_path / "a.mp4", [between(share, a, b) for share in np.linspace(0, 1, 26)]).save()
    frames = frames_of(path)
    assert frames.shape == (25 * 4 + 25, *even, 3)  # each for 4/25 s, the last for 1 s
    about = imageio_ffmpeg.read_frames(path).__next__()
    assert about["codec"] == "h264" and about["fps"] == 25 and about["duration"] == pytest.approx(5, abs=0.1)
    assert re.match(r"yuv420p\(tv, bt709", about["pix_fmt"])
    for frame, image in ((frames[0], a), (frames[48], between(0.48, a, b)), (frames[100], b), (frames[-1], b)):
        shown = frame[: size[0], : size[1]]
        assert np.abs(shown - image[0]).mean() < 0.02
        np.testing.assert_allclose(shown.mean((0, 1)), image[0].mean((0, 1)), atol=0.01)  # a mix-up of colours shows
        np.testing.assert_allclose(frame[-1, -1], image[0, -1, -1], atol=0.1)


@pytest.mark.parametrize("count", [1, 2])
def test_an_mp4_of_few_pictures(count, tmp_path):
    frames = frames_of(film(tmp_path / "a.mp4", [A, B][:count]).save())
    assert len(frames) == 25 + 100 * (count - 1)
    assert np.abs(frames[0, :45] - A[0]).mean() < 0.02 and np.abs(frames[-1, :45] - [A, B][count - 1][0]).mean() < 0.02


def test_a_run_may_go_on_after_saving(tmp_path):
    it = film(tmp_path / "a.gif", [A, between(0.5)])
    assert len(frames_of(it.save())) == 2
    it.add(B)
    frames = frames_of(it.save())
    assert len(frames) == 3 and np.abs(frames[-1] - B[0]).mean() < 0.02


# --- What goes wrong -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".avi", ".png", "", ".mp4.bak"])
def test_another_ending_is_refused_before_any_work(ending, tmp_path):
    path = tmp_path / f"film{ending}"
    message = f"{path}: the ending {path.suffix!r} is unknown. Choose .gif or .mp4."
    for refuse in (check_ending, Timelapse):
        with pytest.raises(ValueError, match=re.escape(message)):
            refuse(str(path))


def test_known_endings_pass():
    assert str(check_ending("a.GIF")) == "a.GIF" and check_ending("b/c.mp4").name == "c.mp4"


def test_where_there_is_no_ffmpeg_that_is_said_before_any_work(monkeypatch):
    def missing():
        raise RuntimeError("No ffmpeg exe could be found.")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", missing)
    with pytest.raises(ValueError, match=r"a\.mp4: there is no ffmpeg for this machine"):
        Timelapse("a.mp4")
    assert Timelapse("a.gif").kept == []


@pytest.mark.parametrize(("name", "value"), [("frames", 1), ("frames", 101), ("frames", 2.5), ("long_side", 15)])
def test_numbers_that_make_no_sense_are_named(name, value):
    with pytest.raises(ValueError, match=f"^{name} = {value}: a whole number from"):
        Timelapse("a.gif", **{name: value})


@pytest.mark.parametrize("name", ["a.gif", "a.mp4"])
def test_no_pictures_make_no_film(name, tmp_path):
    with pytest.raises(ValueError, match="there is no film of no pictures"):
        Timelapse(tmp_path / name).save()
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_image_is_refused(tmp_path):
    with pytest.raises(ValueError, match="a picture of the timelapse has values from"):
        Timelapse(tmp_path / "a.gif").add(A * 255)


def test_an_encoder_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    it = film(tmp_path / "a.mp4", [A, B])
    before = it.save().read_bytes()
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", lambda: sys.executable)  # knows none of the options
    with pytest.raises(OSError, match=r"a\.mp4: .*ffmpeg says .*option"):
        it.save()
    assert it.path.read_bytes() == before and list(tmp_path.iterdir()) == [it.path]
