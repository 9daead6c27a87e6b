"""The bundled network: its plan, its numbers, and what it sees in one fixed picture."""

import json
from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf
from test_network import assert_close, float64_activations

import nst_utils as nst
from nst_support import weight_files

LAYERS = nst.LAYERS[: nst.LAYERS.index("conv5_1") + 1]
# Means of the activations of `fixed_picture`, as recorded when the network was trained.
MEANS = {
    "conv1_1": 3.16324,
    "conv1_2": 2.14128,
    "conv2_1": 1.3852,
    "conv2_2": 1.54254,
    "conv3_1": 1.97553,
    "conv3_2": 0.682823,
    "conv3_3": 1.03205,
    "conv3_4": 0.463179,
    "conv4_1": 0.807163,
    "conv4_2": 1.16107,
    "conv4_3": 0.145401,
    "conv4_4": 0.162645,
    "conv5_1": 0.408494,
}


@pytest.fixture(scope="module")
def weights():
    return weight_files.read_weights(weight_files.SLIM)


def fixed_picture():
    rows, columns = np.meshgrid(np.arange(48), np.arange(64), indexing="ij")
    waves = [np.sin(rows / 3) + np.cos(columns / 5), np.sin((rows + columns) / 4), np.cos(rows * columns / 90)]
    return (0.5 + 0.25 * np.stack(waves, -1))[None].astype(np.float32).clip(0, 1)


def test_it_has_the_plan_of_vgg19_in_float32(weights):
    assert tuple(weights) == LAYERS
    widths = {name[4]: bias.size for name, (_, bias) in weights.items()}
    for before, name in pairwise((None, *LAYERS)):
        kernel, bias = weights[name]
        n_in = 3 if before is None else widths[before[4]]
        assert kernel.shape == (3, 3, n_in, widths[name[4]])
        for array in (kernel, bias):
            assert array.dtype == np.float32 and np.isfinite(array).all() and array.std() > 0


def arithmetic(widths):
    """Multiplications per pixel of a forward pass to conv5_1."""
    total, n_in = 0, 3
    for name in LAYERS:
        n_out = widths[int(name[4]) - 1]
        total += 9 * n_in * n_out / 4 ** (int(name[4]) - 1)
        n_in = n_out
    return total


def test_it_is_small(weights):
    assert weight_files.SLIM.stat().st_size <= 2.5e6
    widths = [weights[f"conv{block}_1"][1].size for block in range(1, 6)]
    assert arithmetic(widths) <= arithmetic((64, 128, 256, 512, 512)) / 12


def test_it_records_how_it_was_trained(weights):
    with np.load(weight_files.SLIM, allow_pickle=False) as file:
        settings = json.loads(str(file["settings"]))
    assert settings["widths"] == [weights[f"conv{block}_1"][1].size for block in range(1, 6)]
    assert settings["pooling"] == "average" and settings["padding"] == "zero, same"
    assert settings["steps"] > 1000 and settings["seed"] is not None and settings["teacher"]
    assert all(0 < error < 1 for error in settings["held_out_error"].values())


def test_its_activations_are_those_of_a_plain_convolution(weights):
    image = fixed_picture()
    assert_close(nst.build_vgg19(weights, LAYERS)(image), float64_activations(image, weights, "average"))


def test_it_sees_what_it_saw_when_it_was_trained():
    vgg = nst.load_vgg19("vgg19-slim", tuple(MEANS))
    for name, a in vgg(fixed_picture()).items():
        assert float(tf.reduce_mean(a)) == pytest.approx(MEANS[name], rel=1e-3), name
