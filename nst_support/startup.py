"""TensorFlow and Keras, imported quietly and set up as the project needs them; the devices of this machine."""

import contextlib
import functools
import io
import os
import sys
import tempfile
from pathlib import Path


def interrupted(message):
    """A KeyboardInterrupt to raise after Ctrl-C, when everything worth keeping was kept; one line wherever it ends."""
    error = KeyboardInterrupt(message)
    error._render_traceback_ = lambda: [message]  # Jupyter shows this instead of the way through the code
    return error


def _one_line_for_ctrl_c(kind, error, trace):
    if issubclass(kind, KeyboardInterrupt):
        print(f"\n{error}" if str(error) else "\nStopped.", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


if sys.excepthook is sys.__excepthook__:  # nobody else has taken it over
    sys.excepthook = _one_line_for_ctrl_c


@contextlib.contextmanager
def _without_startup_messages():
    """TensorFlow's libraries greet on file descriptor 2 while they load, which tells a reader nothing."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # an error that matters reaches Python as an exception
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # off by default without AVX-512, but faster there too
    with contextlib.suppress(OSError, io.UnsupportedOperation), tempfile.TemporaryFile() as sink:
        sys.stderr.flush()
        kept = os.dup(2)
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


# Keras reads these once, when it is first imported.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_USE_LEGACY_KERAS"] = "0"

with _without_startup_messages():
    import keras
    import tensorflow as tf

    tf.config.list_physical_devices()  # the GPU's libraries greet as well

if (backend := keras.config.backend()) != "tensorflow":  # imported before us, with another one
    raise ImportError(
        f"Keras already runs on {backend} in this process. Set the environment variable KERAS_BACKEND=tensorflow "
        "before Keras is first imported (in a notebook: restart the kernel), or import nst_utils first."
    )
# Whatever keras.json says: the project's contracts are float32, channels last.
keras.config.set_floatx("float32")
keras.config.set_dtype_policy("float32")
keras.config.set_image_data_format("channels_last")

_gpus = tf.config.list_physical_devices("GPU")
for _gpu in _gpus:
    with contextlib.suppress(RuntimeError, ValueError):  # memory is set up once, before the GPU's first use
        tf.config.experimental.set_memory_growth(_gpu, True)


def has_gpu():
    """Is there a GPU that TensorFlow can use?"""
    return bool(_gpus)


def device():
    """The device that computes, in words, and where there is only a CPU, how to come by a GPU."""
    if _gpus:
        return tf.config.experimental.get_device_details(_gpus[0]).get("device_name", "GPU")
    if sys.platform in ("win32", "darwin"):
        return "CPU (for a GPU: WSL2 on Windows, or a GPU runtime in Colab)"
    return "CPU (for a GPU: Colab, or pip install 'tensorflow[and-cuda]' on Linux or WSL2)"


@functools.cache  # asked for every layer
def has_bfloat16():
    """Does this machine multiply bfloat16 numbers itself?"""
    cpu = Path("/proc/cpuinfo")  # absent on Windows and macOS
    return has_gpu() or (cpu.is_file() and any(flag in cpu.read_text() for flag in ("avx512_bf16", "amx_bf16")))


def has_fast_bfloat16():
    """Does this machine multiply bfloat16 numbers faster than float32 ones?"""
    return has_bfloat16() and not has_gpu()  # which has TF32
