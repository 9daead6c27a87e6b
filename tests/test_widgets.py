"""Notebook 04's controls, pressed without a browser: labels, alt texts, and what they set going."""

import io
import threading
import time

import ipywidgets
import numpy as np
import pytest
from bs4 import BeautifulSoup
from conftest import picture

import nst_utils as nst
from nst_support.pictures import save_image
from studio import interrupts, markup, widgets
from studio import lab as labs
from studio.choices import Choices

WAIT = 30  # s, for what takes a fraction of one


@pytest.fixture
def choices(tmp_path, small_vgg, monkeypatch):
    monkeypatch.setenv("NST_PRESET", "smoke")
    monkeypatch.setattr(widgets, "found_network", lambda: small_vgg)
    monkeypatch.setattr(labs, "INTERVAL", 0)
    for seed, name in enumerate(("content/cat", "content/louvre", "style/poppies", "style/waves")):
        save_image(picture(48, 64, seed), tmp_path / "images" / f"{name}.png")
    yield Choices(tmp_path / "images", tmp_path / "mine")
    labs.end_newest()


def everything(widget):
    """A widget and all that it holds."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from everything(child)


def images(box):
    texts = [widget.value for widget in everything(box) if isinstance(widget, ipywidgets.HTML)]
    return [tag for text in texts for tag in BeautifulSoup(text, "html.parser").find_all("img", onload=False)]


def until(true):
    end = time.monotonic() + WAIT
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("panel", [widgets.Picker, widgets.LabPanel, lambda c: widgets.FullRunPanel(c, "x.png")])
def test_every_control_has_a_label_and_every_picture_an_alt_text(choices, panel):
    box = panel(choices).widgets()
    kinds = (ipywidgets.Button, ipywidgets.FileUpload, ipywidgets.IntSlider, ipywidgets.FloatSlider)
    controls = [widget for widget in everything(box) if isinstance(widget, (*kinds, ipywidgets.Dropdown))]
    assert controls
    for control in controls:
        tip = control.tooltip if control.has_trait("tooltip") else control.description_tooltip
        assert control.description and tip
    assert all(image["alt"] for image in images(box))


def test_a_thumbnail_chooses_and_is_marked(choices):
    box = widgets.Picker(choices).widgets()
    buttons = [widget for widget in everything(box) if isinstance(widget, ipywidgets.Button)]
    assert [button.description for button in buttons] == ["cat", "louvre", "poppies", "waves"]
    assert [button.icon for button in buttons] == ["", "check", "check", ""]
    buttons[0].click()
    assert choices.content.stem == "cat" and [button.icon for button in buttons] == ["check", "", "check", ""]
    assert len(images(box)) == 4


def test_an_upload_is_chosen_and_gets_a_thumbnail_on_both_shelves(choices, tmp_path):
    shelves = [widgets.Shelf(choices, kind, kind) for kind in ("content", "style")]
    data = io.BytesIO(save_image(picture(30, 40, 9), tmp_path / "me.png").read_bytes()).getvalue()
    shelves[0]._bring({"new": ({"name": "me.png", "content": memoryview(data)},)})
    assert choices.content == choices.uploads / "me.png" and choices.style.stem == "poppies"
    assert [len(shelf.thumbs.children) for shelf in shelves] == [3, 3]
    shelves[1]._bring({"new": {"bad.png": {"content": b"x", "metadata": {}}}})
    assert "bad.png" in shelves[1].said.value and choices.style.stem == "poppies"


def test_the_lab_follows_its_controls_and_the_picker(choices):
    panel = widgets.LabPanel(choices)
    panel.widgets()
    panel.strength.value, panel.strokes.value, panel.colours.value = 80, 1.5, "palette"
    assert panel.share.disabled and panel.colours.index == 1 and panel.second.index == 0
    panel.second.value = choices.pictures["style"][1]
    panel.share.value = 25
    choices.content = choices.pictures["content"][0]
    assert not panel.share.disabled
    settings = panel.lab.settings
    assert (settings.strength, settings.style_scale, settings.preserve_colors) == (80, 1.5, "palette")
    assert settings.blend_weights == (75, 25) and len(panel.lab._wanted.styles) == 2
    assert panel.lab.wait(WAIT) and "C: cat" in panel.C.value
    (image,) = images(panel.G)
    assert int(image["data-change"]) == panel.lab._wanted.number and int(image["data-evaluations"]) > 0
    assert "<svg" in panel.curve.value and "resting" in panel.said.value


def test_a_lab_that_ended_begins_again_with_the_next_change(choices):
    panel = widgets.LabPanel(choices)
    panel.widgets()
    first = panel.lab
    first.end()
    first._thread.join(WAIT)
    panel.strength.value = 20
    assert panel.lab is not first and panel.lab.wait(WAIT) and panel.lab.settings.strength == 20


def test_the_full_run_starts_stops_and_keeps_the_best(choices, tmp_path):
    panel = widgets.FullRunPanel(choices, tmp_path / "new.png", size=64)
    panel.widgets()
    lab = labs.Lab(lambda _: None, None)
    panel.start.click()
    assert panel.start.disabled and not panel.stop.disabled and lab._paused
    until(lambda: panel.run.best is not None)
    panel.stop.click()
    panel.run.wait()
    until(lambda: not panel.start.disabled)
    assert panel.stop.disabled and not lab._paused
    np.testing.assert_array_equal(nst.load_image(tmp_path / "new.png"), panel.run.best.image)
    assert "new.png" in panel.said.value and images(panel.G)
    assert panel.finished() is panel.run


def test_a_run_that_a_cell_makes_is_small_and_shown_by_the_panel_above(choices, tmp_path, monkeypatch):
    panel = widgets.FullRunPanel(choices, tmp_path / "new.png", size=64)
    panel.widgets()
    monkeypatch.setattr(widgets, "SMALL", 50)
    run = panel.finished()
    until(lambda: not panel.start.disabled)
    assert run.painting.settings.size == 50 and panel.size == 64
    assert run.state == "done" and "new.png" in panel.said.value and "<svg" in panel.curve.value
    (image,) = images(panel.G)
    assert image["alt"].endswith("the best picture of the run") and panel.progress.value == pytest.approx(1)


def test_what_cannot_be_painted_is_said(choices, tmp_path):
    panel = widgets.FullRunPanel(choices, tmp_path / "new.xyz", size=64)
    panel.widgets()
    panel.start.click()
    assert "is unknown" in panel.said.value and not panel.start.disabled


def test_where_nobody_is_there_to_press_it_is_a_still(choices, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(widgets.figures, "show_lab", lambda *arguments: drawn.append(arguments))
    monkeypatch.setattr(widgets.figures, "show_grid", lambda pictures, columns: drawn.append(pictures))
    full = widgets.FullRunPanel(choices, tmp_path / "new.png", size=64)
    for panel in (widgets.Picker(choices), widgets.LabPanel(choices), full):
        panel._ipython_display_()
    contents, styles, (shown, costs, text), (result, _, _) = drawn
    assert list(contents) == ["C: cat", "C: louvre"] and list(styles) == ["S: poppies", "S: waves"]
    assert list(shown) == ["C", "S", "G"] and costs[-1][1] < costs[0][1] and "strength 50" in text
    assert list(result) == ["C", "G"] and (tmp_path / "new.png").exists()
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "lab"])


def records(*images, before=lambda: None):
    """As `stylise` gives them."""
    for image in images:
        before()
        yield nst.Record(0, 1.0, 1.0, 1.0, image, 0.0)


def failing():
    yield 1 / 0


def test_pictures_appear_when_they_are_made_and_trouble_is_said():
    go_on = threading.Event()
    made = widgets.later(records(picture(6, 8, 1), before=lambda: go_on.wait(WAIT)))
    failed = widgets.later(failing())
    box = widgets.Pictures({"now": picture(6, 8, 0), "in a while": made, "never": failed}).widgets()
    assert [image["alt"] for image in images(box)] == ["now"] and "soon" in box.children[1].value
    go_on.set()
    until(lambda: [image["alt"] for image in images(box)] == ["now", "in a while"])
    until(lambda: "never: division by zero" in box.children[2].value)


def test_a_still_of_pictures_waits_for_them_and_fails_with_them(monkeypatch):
    drawn = []
    monkeypatch.setattr(widgets.figures, "show_grid", drawn.append)
    widgets.Pictures({"a": widgets.later(records(6, 7)), "b": 8}).still()
    assert drawn == [{"a": 7, "b": 8}]
    with pytest.raises(ZeroDivisionError):
        widgets.Pictures({"a": widgets.later(failing())}).still()


def test_an_interrupt_ends_pictures_under_way_and_those_that_wait_and_no_later_ones():
    began, go_on, seen = threading.Event(), threading.Event(), []

    def slow():
        seen.append("slow")
        began.set()
        go_on.wait(WAIT)

    under_way = widgets.later(records(6, 7, before=slow))
    waiting = widgets.later(records(8, before=lambda: seen.append("waiting")))
    assert began.wait(WAIT)
    interrupts._end_all()
    go_on.set()
    box = widgets.Pictures({"one": under_way, "two": waiting}).widgets()
    until(lambda: all("stopped by hand." in place.value for place in box.children))
    assert seen == ["slow"]
    assert widgets.later(records(9)).result(WAIT) == 9


def test_what_names_the_sliders_stands_beside_all_of_them(choices):
    boxes = [box for box in everything(widgets.LabPanel(choices).widgets()) if isinstance(box, ipywidgets.VBox)]
    (controls,) = [box for box in boxes if any(isinstance(one, ipywidgets.IntSlider) for one in box.children)]
    sliders = [one for one in controls.children if isinstance(one, (ipywidgets.IntSlider, ipywidgets.FloatSlider))]
    (named,) = [one for one in controls.children if isinstance(one, ipywidgets.HTML)]
    script = BeautifulSoup(named.value, "html.parser").img["onload"]
    assert f"length === {len(sliders)}" in script


def test_a_curve_says_what_it_shows():
    svg = BeautifulSoup(markup.curve([(1, 100.0), (5, 10.0), (9, 1.0)]), "html.parser").svg
    assert svg["role"] == "img" and svg["aria-label"] == "J falls from 100 to 1 in 9 evaluations"
    points = [tuple(map(float, point.split(","))) for point in svg.polyline["points"].split()]
    (x0, y0), (x1, y1), (x2, y2) = points
    assert x1 - x0 == pytest.approx(x2 - x1) and y1 - y0 == pytest.approx(y2 - y1) and y0 < y1 < y2
    assert markup.curve([]) == markup.curve([(1, 3.0)]) == ""


def test_what_a_person_named_is_text_and_not_markup():
    (tag,) = BeautifulSoup(markup.picture(picture(4, 4, 0), '<b>"x"', "<i>", change=3), "html.parser").find_all("img")
    assert tag["alt"] == '<b>"x"' and tag["data-change"] == "3" and "<i>" not in markup.sentence("<i>")
