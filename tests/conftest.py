"""Small networks and pictures that many tests use."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

import nst_utils as nst
from nst_utils import tf

HIDE = "import sys; sys.path[:] = [path for path in sys.path if path != {!r}]"
NARROW = dict(zip("12345", (4, 5, 6, 7, 8), strict=True))

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # in a shell's background; children would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def random_weights():
    """He-initialised weights for the whole plan of VGG-19, a few channels wide."""
    rng, weights, n_in = np.random.default_rng(3), {}, 3
    for name in nst.LAYERS:
        n_out = NARROW[name[4]]
        spread = np.sqrt(2 / (9 * n_in)) / (128 if name == "conv1_1" else 1)
        kernel = rng.normal(0, spread, (3, 3, n_in, n_out)).astype(np.float32)
        weights[name] = kernel, rng.normal(0, 0.1, n_out).astype(np.float32)
        n_in = n_out
    return weights


@pytest.fixture(scope="session")
def small_vgg(random_weights):
    return nst.build_vgg19(random_weights, (nst.CONTENT_LAYER, *nst.STYLE_LAYERS))


@pytest.fixture(scope="session")
def environment_elsewhere(tmp_path_factory):
    """The environment of a process that does not find this project, though it is installed: as in Colab."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "sitecustomize.py").write_text(HIDE.format(str(Path(__file__).resolve().parents[1])))
    return {name: value for name, value in os.environ.items() if name != "MPLBACKEND"} | {"PYTHONPATH": str(folder)}


def picture(n_H, n_W, seed):
    """A smooth random picture, (1, n_H, n_W, 3)."""
    rough = np.random.default_rng(seed).random((1, 5, 6, 3)).astype(np.float32)
    return tf.clip_by_value(tf.image.resize(rough, (n_H, n_W), "bicubic"), 0, 1)


@pytest.fixture(scope="session")
def C():
    return picture(33, 46, 0)


@pytest.fixture(scope="session")
def S():
    return picture(40, 35, 1)


SLOWEST = (
    "test_browser",
    "test_notebooks",
    "test_exercises",
    "test_stylise",
    "test_train_slim",
    "test_benchmarks",
    "test_import",
)


def pytest_collection_modifyitems(items):
    """The files that take longest come first, so that no process idles while the other has a long one left."""
    rank = {name: place for place, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))
