"""Importing the course costs TensorFlow's own import and hardly more, and prints nothing."""

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
