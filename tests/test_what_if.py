"""The lessons' sliders: each choice is shown, one that depends on another follows it, and there is a still."""

import io
import re
from base64 import b64decode

import ipywidgets
import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from studio import what_if
from studio.what_if import WhatIf, enlarged

CHANNELS = {"conv1_1": (4, 2), "conv2_1": (7, 5, 6)}


def show(layer, channel):
    assert channel in CHANNELS[layer], "a channel of another layer was asked for"
    return f"{layer}, channel {channel}", np.full((1, 3, 4, 3), channel / 10, np.float32)


@pytest.fixture
def slider():
    slider = WhatIf(show, layer=CHANNELS, channel=lambda layer: CHANNELS[layer])
    slider.box = slider.widgets()
    return slider


def seen(slider):
    """(caption, brightness in tenths) of the picture that is shown."""
    page = BeautifulSoup(slider.page.value, "html.parser")
    image = Image.open(io.BytesIO(b64decode(re.sub("^.*,", "", page.img["src"]))))
    assert page.img["alt"] == page.figcaption.get_text()
    return page.figcaption.get_text(), round(np.asarray(image).mean() / 25.5)


def test_the_first_choices_are_shown_at_once_and_every_slider_has_a_label(slider):
    assert seen(slider) == ("conv1_1, channel 4", 4)
    assert [child.description for child in slider.box.children[:-1]] == ["layer", "channel"]
    assert all(isinstance(child, ipywidgets.SelectionSlider) for child in slider.box.children[:-1])


def test_the_picture_follows_a_slider_and_a_later_choice_the_one_before_it(slider):
    slider.sliders["channel"].value = 2
    assert seen(slider) == ("conv1_1, channel 2", 2)
    slider.sliders["layer"].value = "conv2_1"
    assert slider.sliders["channel"].options == (7, 5, 6)
    assert seen(slider) == ("conv2_1, channel 7", 7)
    slider.sliders["channel"].value = 6
    assert seen(slider) == ("conv2_1, channel 6", 6)


def test_a_choice_that_depends_on_no_other_stays_where_it_is():
    slider = WhatIf(lambda a, b: (f"{a}{b}", np.zeros((1, 2, 2, 3))), a="xy", b="uvw")
    slider.widgets()
    slider.sliders["b"].value = "w"
    slider.sliders["a"].value = "y"
    assert seen(slider)[0] == "yw"


def test_where_nobody_is_there_to_move_it_the_first_choice_goes_through_its_values(monkeypatch):
    drawn = []
    monkeypatch.setattr(what_if.figures, "show_grid", drawn.extend)
    WhatIf(show, layer=CHANNELS, channel=lambda layer: CHANNELS[layer])._ipython_display_()
    assert [caption for caption, _ in drawn] == ["conv1_1, channel 4", "conv2_1, channel 7"]


def test_a_small_picture_is_enlarged_and_a_large_one_is_not():
    small = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3)
    large = enlarged(small)
    assert large.shape == (1, what_if.WIDTH, what_if.WIDTH, 3)
    np.testing.assert_array_equal(large[0, [0, -1]][:, [0, -1]], small[0])
    assert enlarged(np.zeros((1, 5, what_if.WIDTH, 3))).shape[2] == what_if.WIDTH
