"""What a person may choose in notebook 04, and what they bring: no widget, no TensorFlow."""

import io
import shlex
from pathlib import Path

import numpy as np
import pytest
import traitlets
from PIL import Image

from studio import arguments
from studio.choices import Choices, uploaded
from studio.settings import Settings


def encoded(size=(60, 40), kind="PNG"):
    data = io.BytesIO()
    Image.fromarray(np.full((size[1], size[0], 3), 90, np.uint8)).save(data, kind)
    return data.getvalue()


@pytest.fixture
def choices(tmp_path):
    for kind, names in (("content", ("cat", "louvre")), ("style", ("mosaic", "poppies", "waves"))):
        (tmp_path / "images" / kind).mkdir(parents=True)
        for name in names:
            (tmp_path / "images" / kind / f"{name}.png").write_bytes(encoded())
    (tmp_path / "images" / "content" / "notes.txt").write_text("no picture")
    return Choices(tmp_path / "images", tmp_path / "mine")


def test_it_begins_with_the_shipped_pictures(choices):
    assert [path.name for path in choices.pictures["content"]] == ["cat.png", "louvre.png"]
    assert (choices.content.stem, choices.style.stem, choices.second) == ("louvre", "poppies", None)
    assert Settings(**choices.settings).beta_at(200, 200) == Settings().beta_at(200, 200)


def test_what_is_brought_is_kept_and_chosen_and_there_the_next_time(choices, tmp_path):
    seen = []
    choices.observe(seen.append, ["content", "pictures"])
    path = choices.bring("me.PNG", encoded(), "content")
    assert path == tmp_path / "mine" / "me.PNG" and path.read_bytes() == encoded()
    assert choices.content == path and [change["name"] for change in seen] == ["pictures", "content"]
    assert choices.pictures["content"][0] == choices.pictures["style"][0] == path
    choices.bring("me.PNG", encoded((90, 30)))
    assert len(choices.pictures["content"]) == 3
    again = Choices(tmp_path / "images", tmp_path / "mine")
    assert again.pictures["content"][0] == path and again.content.stem == "louvre"


@pytest.mark.parametrize("name", ["../../etc/x.png", "..\\..\\x.png", "/x.png"])
def test_a_name_cannot_lead_out_of_the_folder(choices, tmp_path, name):
    assert choices.bring(name, encoded()) == tmp_path / "mine" / "x.png"


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("notes.txt", b"x", "not the name of a picture"),
        ("x.png", b"x", "not a picture that can be read"),
        ("x.png", b"", "an empty file"),
    ],
)
def test_what_is_no_picture_is_refused_and_not_kept(choices, tmp_path, name, data, words):
    with pytest.raises(ValueError, match=words):
        choices.bring(name, data, "content")
    assert choices.content.stem == "louvre" and not list((tmp_path / "mine").glob("*"))


@pytest.mark.parametrize(
    ("second", "share", "styles", "weights"),
    [
        (None, 50, ["poppies"], None),
        ("waves", 30, ["poppies", "waves"], (70, 30)),
        ("waves", 0, ["poppies"], None),
        ("waves", 100, ["waves"], None),
        ("poppies", 40, ["poppies"], None),
    ],
)
def test_a_style_without_a_share_is_none(choices, second, share, styles, weights):
    choices.second = next((p for p in choices.pictures["style"] if p.stem == second), None)
    choices.share = share
    assert [path.stem for path in choices.styles] == styles and choices.settings["blend_weights"] == weights


def test_the_command_line_says_the_same(choices, tmp_path):
    choices.second, choices.share = choices.pictures["style"][2], 25
    choices.strength, choices.style_scale, choices.preserve_colors = 70, 1.5, "palette"
    painting = choices.painting(tmp_path / "new.png", size=800)
    (found,) = arguments.request(shlex.split(arguments.as_command(painting))[1:]).paintings
    assert found.settings == painting.settings and found.settings.size == 800
    assert (found.content, found.styles, found.output) == (painting.content, painting.styles, painting.output)


def test_a_choice_that_makes_no_sense_is_refused(choices):
    for name, value in (("strength", 101), ("share", -1), ("preserve_colors", "sepia"), ("content", "louvre")):
        with pytest.raises(traitlets.TraitError):
            setattr(choices, name, value)


def test_an_upload_of_ipywidgets_7_and_of_8():
    seven = {"a.png": {"metadata": {"name": "a.png", "type": "image/png", "size": 3}, "content": b"abc"}}
    eight = ({"name": "a.png", "type": "image/png", "size": 3, "content": memoryview(b"abc"), "last_modified": None},)
    assert uploaded(seven) == uploaded(eight) == [("a.png", b"abc")]
    assert uploaded({}) == uploaded(()) == []


def test_choosing_loads_no_tensorflow():
    import subprocess
    import sys

    code = "import sys, studio.choices; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], check=False).returncode == 0
