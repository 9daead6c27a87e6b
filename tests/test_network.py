"""The network against a plain float64 convolution, its depth, its sizes, and the bundled weights."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import nst_utils as nst

TEACHER = Path(__file__).parents[2] / "shared" / "teacher" / "vgg19_blocks1-3.npz"


def float64_activations(image, weights, pooling):
    """VGG-19 in float64 numpy, written from the paper's description and nothing else."""
    a = np.float64(image)[0, :, :, ::-1] * 255 - [103.939, 116.779, 123.68]
    out = {}
    for name, (kernel, bias) in weights.items():
        if name.endswith("_1") and name != "conv1_1":
            n_H, n_W = a.shape[0] // 2, a.shape[1] // 2
            blocks = a[: 2 * n_H, : 2 * n_W].reshape(n_H, 2, n_W, 2, -1)
            a = blocks.mean((1, 3)) if pooling == "average" else blocks.max((1, 3))
        padded = np.pad(a, ((1, 1), (1, 1), (0, 0)))
        a = sum(
            padded[i : i + a.shape[0], j : j + a.shape[1]] @ np.float64(kernel[i, j])
            for i in range(3)
            for j in range(3)
        )
        a = out[name] = np.maximum(a + bias, 0)
    return out


def assert_close(activations, expected):
    for name, a in activations.items():
        error = np.abs(a[0] - expected[name]).max() / np.abs(expected[name]).max()
        assert error < 1e-5, f"{name}: {error:.1e}"


@pytest.mark.parametrize("pooling", ["average", "max"])
@pytest.mark.parametrize("size", [(16, 16), (37, 50), (64, 33)])
def test_activations_are_those_of_a_plain_convolution(random_weights, pooling, size):
    image = np.random.default_rng(1).random((1, *size, 3)).astype(np.float32)
    vgg = nst.build_vgg19(random_weights, nst.LAYERS, pooling)
    assert_close(vgg(image), float64_activations(image, random_weights, pooling))


@pytest.mark.skipif(not TEACHER.is_file(), reason="the real VGG-19's first blocks are not beside the project")
@pytest.mark.parametrize("pooling", ["average", "max"])
def test_activations_of_the_real_vgg19(pooling):
    with np.load(TEACHER) as file:
        names = [name for name in nst.LAYERS if name < "conv4"]
        keras_names = [f"block{name[4]}_conv{name[6]}" for name in names]
        weights = {n: (file[f"{k}/kernel"], file[f"{k}/bias"]) for n, k in zip(names, keras_names, strict=True)}
    image = np.random.default_rng(2).random((1, 30, 41, 3)).astype(np.float32)
    assert_close(nst.build_vgg19(weights, names, pooling)(image), float64_activations(image, weights, pooling))


def test_a_batch_is_its_pictures_one_by_one(small_vgg):
    images = tf.random.stateless_uniform((3, 32, 48, 3), [1, 2])
    together = small_vgg(images)
    for i in range(3):
        for name, a in small_vgg(images[i : i + 1]).items():
            np.testing.assert_allclose(a[0], together[name][i], rtol=1e-4, atol=1e-4)


def test_nothing_below_the_deepest_layer_is_built(random_weights):
    vgg = nst.build_vgg19(random_weights, ["conv2_1"])
    assert [layer.name for layer in vgg.layers if layer.name.startswith("conv")] == ["conv1_1", "conv1_2", "conv2_1"]
    assert list(vgg(np.zeros((1, 8, 8, 3), np.float32))) == ["conv2_1"]


@pytest.mark.parametrize("deepest, smallest", [("conv1_2", 1), ("conv2_1", 2), ("conv4_2", 8), ("conv5_4", 16)])
def test_too_small_an_image_names_the_smallest_size(random_weights, deepest, smallest):
    vgg = nst.build_vgg19(random_weights, ["conv1_1", deepest])
    assert vgg(np.zeros((1, smallest, smallest, 3), np.float32))[deepest].shape[1:3] == (1, 1)
    if smallest > 1:
        with pytest.raises(ValueError, match=f"smallest side that works is {smallest} px"):
            vgg(np.zeros((1, 100, smallest - 1, 3), np.float32))


def test_the_network_is_frozen(small_vgg):
    assert small_vgg.trainable_variables == []


def test_unknown_layer_and_pooling_are_refused(random_weights):
    with pytest.raises(ValueError, match="conv9_1"):
        nst.build_vgg19(random_weights, ["conv9_1"])
    with pytest.raises(ValueError, match="average or max"):
        nst.build_vgg19(random_weights, ["conv1_1"], pooling="median")
