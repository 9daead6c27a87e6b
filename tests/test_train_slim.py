"""The training tool on a toy: it learns, resumes exactly, and its comparison catches a slice."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nst_utils as nst
from nst_support import weight_files

TOOL = Path(__file__).parents[1] / "tools" / "train_slim.py"
WIDTHS = (3, 4, 4, 5, 5)


@pytest.fixture(scope="module")
def toys(tmp_path_factory, random_weights):
    """A teacher of random weights and a folder of pictures."""
    folder = tmp_path_factory.mktemp("toys")
    arrays = {
        f"{n}/{part}": a for n, pair in random_weights.items() for part, a in zip(("kernel", "bias"), pair, strict=True)
    }
    np.savez(folder / "teacher.npz", **arrays)
    (folder / "pictures").mkdir()
    rng = np.random.default_rng(0)
    for i in range(5):
        rough = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
        rough.resize((96, 72), Image.BICUBIC).save(folder / "pictures" / f"{i}.png")
    return folder


def tool(*arguments):
    command = [sys.executable, TOOL, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def train(toys, work, steps, every=3):
    out = work.with_suffix(".npz")
    settings = ["--widths", *WIDTHS, "--batch", 2, "--side", 32, "--every", every, "--float32", "--seed", 5]
    where = ["--teacher", toys / "teacher.npz", "--pictures", toys / "pictures", "--work", work, "--out", out]
    done = tool("--steps", steps, *settings, *where)
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def gram_errors(output):
    lines = [line for line in output.splitlines() if "held-out" in line]
    return [float(line.split("5_1 ")[1].split("/")[1]) for line in lines]


def test_it_learns_and_resumes_where_it_stopped(toys, tmp_path):
    whole, output = train(toys, tmp_path / "whole", steps=6)
    _again, resumed = train(toys, tmp_path / "whole", steps=6)
    assert "resuming at step 6" in resumed and "step 3" in output
    halved = tmp_path / "halved"
    (halved).mkdir()
    for file in (tmp_path / "whole").glob("ckpt-1.*"):  # what was there when step 3 was done
        (halved / file.name).write_bytes(file.read_bytes())
    (halved / "checkpoint").write_text('model_checkpoint_path: "ckpt-1"\nall_model_checkpoint_paths: "ckpt-1"\n')
    second_half, resumed = train(toys, halved, steps=6)
    assert "resuming at step 3" in resumed
    for name, (kernel, bias) in weight_files.read_weights(whole).items():
        other_kernel, other_bias = weight_files.read_weights(second_half)[name]
        np.testing.assert_array_equal(kernel, other_kernel)
        np.testing.assert_array_equal(bias, other_bias)
    with np.load(whole, allow_pickle=False) as file:
        settings = json.loads(str(file["settings"]))
    assert settings["widths"] == list(WIDTHS) and settings["steps"] == 6 and settings["pictures"] == 4
    assert set(settings["held_out_error"]) == set(settings["layer_weights"])


def test_the_comparison_tells_a_slice_of_the_teacher_from_a_trained_network(toys, tmp_path, random_weights):
    trained, _ = train(toys, tmp_path / "trained", steps=1)
    sliced, kept = {}, np.arange(3)
    for name in nst.LAYERS[:13]:
        kernel, bias = random_weights[name]
        chosen = np.sort(np.random.default_rng(len(sliced)).permutation(len(bias))[: WIDTHS[int(name[4]) - 1]])
        sliced[f"{name}/kernel"], sliced[f"{name}/bias"] = kernel[:, :, kept][..., chosen], bias[chosen]
        kept = chosen
    np.savez(tmp_path / "sliced.npz", **sliced)

    def smallest_cosine(path):
        printed = tool("--compare", toys / "teacher.npz", "--out", path).stdout
        return min(float(line.split()[1]) for line in printed.splitlines() if line.startswith("  conv"))

    assert smallest_cosine(tmp_path / "sliced.npz") > 0.99
    assert smallest_cosine(trained) < 0.8


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--teacher", "none.h5", "--pictures", "."], "none.h5: no such file"),
        (["--pictures", "."], "--teacher and --pictures"),
        (["--teacher", "x.h5", "--pictures", ".", "--side", "100"], "multiple of 16"),
    ],
)
def test_mistakes_get_one_line(arguments, message):
    done = tool(*arguments)
    assert done.returncode != 0 and message in done.stderr and "Traceback" not in done.stderr
