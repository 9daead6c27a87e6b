"""The pictures in images/: how they are made, and that what is there may be shipped."""

import sys

import make_images
import numpy as np
import pytest
from PIL import Image

IMAGES = make_images.IMAGES
SIZE = (96, 72)
MOST_BYTES, MOST_MADE_BYTES = 14_000_000, 8_000_000
SHIPPED = sorted(p for folder in ("content", "style") for p in (IMAGES / folder).glob("*.jpg"))


@pytest.fixture(scope="module")
def small():
    """A small version of a made picture, rendered once for all the tests of it."""
    kept = {}

    def render(name):
        if name not in kept:
            kept[name] = make_images.MADE[name].render(*SIZE, 11)
        return kept[name]

    return render


@pytest.mark.parametrize("name", make_images.MADE)
def test_small_version_is_a_picture(small, name):
    picture = small(name)
    assert picture.shape == (SIZE[1], SIZE[0], 3)
    assert picture.dtype == np.float32
    assert np.isfinite(picture).all()
    assert picture.min() >= 0 and picture.max() <= 1
    luminance = picture @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    assert luminance.std() > 0.05
    colours = np.unique(np.round(picture * 255).astype(np.uint8).reshape(-1, 3), axis=0)
    assert len(colours) > 300


@pytest.mark.parametrize("name", make_images.MADE)
def test_same_seed_same_picture_other_seed_another(small, name):
    render = make_images.MADE[name].render
    assert np.array_equal(small(name), render(*SIZE, 11))
    assert np.abs(small(name) - render(*SIZE, 12)).mean() > 0.002


def test_nothing_is_missing():
    assert {p.stem for p in SHIPPED} == {*make_images.MADE, *make_images.PHOTOGRAPHS}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_picture_has_a_row_and_opens(path):
    rows = (IMAGES / "SOURCES.md").read_text(encoding="utf-8").splitlines()
    thumbnail = f'src="{path.parent.name}/{path.name}"'
    assert sum(thumbnail in row and row.count("|") >= 6 for row in rows) == 1
    with Image.open(path) as picture:
        picture.load()
        assert picture.format == "JPEG" and picture.mode == "RGB"
        assert picture.size == (1600, 1200) if path.stem in make_images.MADE else max(picture.size) <= 800


def test_folder_stays_small():
    assert sum(p.stat().st_size for p in IMAGES.rglob("*") if p.is_file()) <= MOST_BYTES
    assert sum(p.stat().st_size for p in SHIPPED if p.stem in make_images.MADE) <= MOST_MADE_BYTES


def test_command_makes_one_picture_by_name(tmp_path, capsys):
    make_images.main(["louvre", "--width", "80", "--out", str(tmp_path)])
    made = [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()]
    assert made == ["content/louvre.jpg"]
    with Image.open(tmp_path / "content" / "louvre.jpg") as picture:
        assert picture.size == (80, 60)
    assert "louvre.jpg: 80 x 60, " in capsys.readouterr().out


def test_command_refuses_an_unknown_name_in_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        make_images.main(["mona_lisa", "--out", str(tmp_path)])
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("mona_lisa: no such picture.") and said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_absent_package_is_named_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.data", None)
    said = make_images.make(("coffee", 800, tmp_path / "coffee.jpg"))
    assert said == "coffee.jpg: not made, it comes with a package. pip install scikit-image"
    assert not list(tmp_path.iterdir())
