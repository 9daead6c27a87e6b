"""Importing the course costs TensorFlow's own import and hardly more, and prints nothing."""

import os
import subprocess
import sys
from pathlib import Path

MEASURE = """
import time; began = time.perf_counter()
{imports}
print(time.perf_counter() - began)
"""


def seconds(imports):
    done = subprocess.run(
        [sys.executable, "-c", MEASURE.format(imports=imports)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return float(done.stdout), done.stderr


def test_importing_is_quick_and_silent():
    seconds("import nst_utils")  # files into the disk's cache
    pairs = [(seconds("import tensorflow as tf; tf.keras.layers")[0], *seconds("import nst_utils")) for _ in range(3)]
    assert all(stderr == "" for _, _, stderr in pairs)
    assert min(ours - tensorflow for tensorflow, ours, _ in pairs) < 0.3


USE = """
import numpy as np
import nst_utils as nst
vgg = nst.load_vgg19("vgg19-slim")
C = nst.start_image(np.zeros((1, 32, 40, 3), np.float32), "noise")
*_, last = nst.train(vgg, C, C[:, ::-1], steps=2, every=1)
print(vgg(C)["conv2_1"].shape, vgg(C)["conv2_1"].dtype.name, last.J > 0)
"""


def test_another_set_up_of_keras_makes_no_difference(tmp_path):
    """keras.json and the variables that choose another backend, number format or order of axes."""
    (tmp_path / "keras.json").write_text(
        '{"floatx": "float16", "epsilon": 1e-07, "backend": "torch", "image_data_format": "channels_first"}'
    )
    other = {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": "torch", "TF_USE_LEGACY_KERAS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", USE], env=os.environ | other, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.splitlines()[-1] == "(1, 16, 20, 48) float32 True", done.stderr[-2000:]


def test_a_keras_that_already_runs_on_something_else_is_named():
    code = (
        "import sys, types; keras = sys.modules['keras'] = types.ModuleType('keras');"  # stands for one on PyTorch
        "keras.config = types.SimpleNamespace(backend=lambda: 'torch'); import nst_utils"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and "ImportError: Keras already runs on torch" in done.stderr
    assert "KERAS_BACKEND=tensorflow" in done.stderr
