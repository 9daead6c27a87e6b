"""Settings: plain values, checked when made; and the path of strength."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

import nst_utils as nst
from studio.settings import CHOICES, MANNERS, RANGES, Settings
from studio.strength import PATH, factor


def test_the_courses_manner_is_the_courses():
    gram = MANNERS["gram"]
    assert (gram.content_layer, gram.style_layers) == (nst.CONTENT_LAYER, nst.STYLE_LAYERS)
    assert Settings(statistics="gram").beta_at(3000, 4000) == 100  # of nst.balanced_weights


def test_every_field_is_explained_and_checked():
    for field in dataclasses.fields(Settings):
        if field.name == "weights":
            continue
        assert field.metadata["help"] and field.metadata["group"]
        assert field.name in (*CHOICES, *RANGES, "content_layer", "style_layers")


def test_no_tensorflow_is_needed_to_make_them():
    code = "import sys, studio.arguments, studio.precheck, studio.recipe; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 8}, "size = 8: a whole number from 16"),
        ({"size": 99.5}, "size = 99.5: a whole number"),
        ({"strength": 101}, "strength = 101: a number from 0 to 100"),
        ({"strength": 50, "beta": 3}, "strength beside beta"),
        ({"style_scale": ()}, r"style_scale = \(\): a number"),
        ({"style_scale": (1, 20)}, r"style_scale = \(1, 20\): a number from 0.1 to 10, or several"),
        ({"blend_weights": (0, 0)}, "at least one has to be above 0"),
        ({"blend_weights": (1, -1)}, "a number from 0"),
        ({"preserve_colors": "all"}, "preserve_colors 'all': not known. Choose one of palette, brightness"),
        ({"pooling": "sum"}, "pooling 'sum': not known. Choose one of average, max"),
        ({"tv_weight": -1}, "tv_weight = -1"),
        ({"content_layer": "block4_conv2"}, "here it is conv4_2"),
        ({"style_layers": "conv1_1"}, "style_layers = 'conv1_1': names of layers"),
        ({"style_layers": {}}, "names of layers"),
        ({"style_layers": {"conv1_1": 0}}, "a share is a number above 0"),
        ({"style_layers": ["conv9_1"]}, "not one of VGG-19's names"),
        ({"style_layers": ["conv1_1"], "weights": nst.CostWeights()}, "style_layers beside weights"),
        ({"strength": 3, "weights": nst.CostWeights()}, "strength beside weights"),
    ],
)
def test_a_bad_value_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        Settings(**changes)


def test_what_was_chosen_makes_the_same_settings_again():
    settings = Settings(size=300, style_layers=("conv1_1", "conv2_1"), evaluations=[3, 4], blend_weights=[1, 2])
    assert settings.chosen() == {
        "size": 300,
        "style_layers": {"conv1_1": 1.0, "conv2_1": 1.0},
        "evaluations": (3, 4),
        "blend_weights": (1, 2),
    }
    assert Settings(**settings.chosen()) == settings and Settings().chosen() == {}


def test_one_number_is_for_every_style_and_shares_sum_to_1():
    assert Settings(style_scale=2).per_style(3)[0] == [2, 2, 2]
    np.testing.assert_allclose(Settings(blend_weights=(3, 1)).per_style(2)[1], [0.75, 0.25])


def test_strength_runs_from_nothing_through_the_default_upwards():
    assert (
        factor(0) == 0 and factor(50) == 1 and Settings(strength=50).beta_at(300, 400) == Settings().beta_at(300, 400)
    )
    values = [factor(strength) for strength in range(101)]
    assert np.all(np.diff(values) > 0)
    assert list(PATH) == list(range(0, 101, 10))
    assert Settings(strength=30, statistics="gram").beta_at(300, 400) == pytest.approx(100 * factor(30))
