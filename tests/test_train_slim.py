"""The training tool on a toy: it learns, resumes exactly, widens, and its comparison catches a slice."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import train_slim
from PIL import Image

import nst_utils as nst
from nst_support import weight_files
from nst_utils import tf

TOOL = Path(train_slim.__file__)
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


def sources(toys):
    return "--teacher", toys / "teacher.npz", "--pictures", toys / "pictures"


def train(toys, work, steps, every=3, widths=WIDTHS, more=()):
    out = work.with_suffix(".npz")
    settings = ["--widths", *widths, *more, "--batch", 2, "--side", 32, "--every", every, "--float32", "--seed", 5]
    done = tool("--steps", steps, *settings, *sources(toys), "--work", work, "--out", out)
    assert done.returncode == 0, done.stderr
    return out, done.stdout


@pytest.mark.slow
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
    for error in ("held_out_error", "held_out_gram_error", "held_out_covariance_error"):
        assert set(settings[error]) == set(settings["layer_weights"])


def test_a_wider_network_still_computes_what_it_did(toys, tmp_path, C):
    narrow, _ = train(toys, tmp_path / "narrow", steps=1)
    wide, _ = train(toys, tmp_path / "wide", steps=0, widths=(3, 4, 6, 5, 9), more=["--start", narrow])
    before, after = (
        nst.build_vgg19(weight_files.read_weights(path), ("conv2_2", "conv3_1", "conv4_2", "conv5_1"))(C)
        for path in (narrow, wide)
    )
    assert [a.shape[-1] for a in after.values()] == [4, 6, 5, 9]
    for name, a in before.items():
        np.testing.assert_allclose(after[name][..., : a.shape[-1]], a, rtol=1e-5, atol=1e-5)
        new = np.asarray(after[name][..., a.shape[-1] :])
        assert new.size == 0 or new.std() > 0
    refused = tool("--widths", 3, 4, 4, 5, 4, "--start", narrow, *sources(toys), "--work", tmp_path / "none")
    assert "conv5_1 has 5 channels" in refused.stderr and "Traceback" not in refused.stderr


def test_stylised_pictures_join_the_training_at_their_own_size(toys, tmp_path):
    (tmp_path / "results").mkdir()
    Image.new("RGB", (48, 40), "red").save(tmp_path / "results" / "0.png")
    out, _ = train(toys, tmp_path / "work", steps=1, more=["--results", tmp_path / "results"])
    with np.load(out, allow_pickle=False) as file:
        settings = json.loads(str(file["settings"]))
    assert (settings["pictures"], settings["results"]) == (4, 1)
    pictures = train_slim.Pictures([toys / "pictures"], 32, 8, 5, tmp_path / "results")
    assert [image.shape for image in pictures.train[1][0]] == [(40, 48, 3)]
    assert len(pictures.test) == 1  # of the others
    crops = np.concatenate([pictures.step(i) for i in range(40)])
    red = crops[..., 0].mean((1, 2)) - crops[..., 1:].mean((1, 2, 3)) > 0.8  # most stay unblended and unchanged
    assert 0.05 < red.mean() < train_slim.RESULTS_SHARE


def test_no_head_beats_the_floor(toys):
    def least(widths):
        done = tool("--floor", "--widths", *widths, "--batch", 2, "--side", 32, "--float32", *sources(toys))
        assert done.returncode == 0, done.stderr
        return {words[0]: float(words[3]) for words in map(str.split, done.stdout.splitlines()[1:])}

    full, narrow = least((4, 5, 6, 7, 8)), least((3, 4, 4, 5, 5))
    assert full == dict.fromkeys(train_slim.LAYER_WEIGHTS, 0)
    assert narrow.keys() == full.keys() and min(narrow.values()) >= 0 and narrow["conv1_1"] > 0

    # one layer by another way: the head that least squares finds on the best channels there can be
    teacher = train_slim.Teacher([toys / "teacher.npz"])
    pictures = train_slim.Pictures([toys / "pictures"], 32, 2, 1)
    scale = train_slim.channel_scale(teacher(pictures.calibration())["conv3_1"][0])
    a = np.reshape(teacher(tf.constant(pictures.held_out()))["conv3_1"][0] * scale, (-1, 6)).astype(np.float64)
    centred = a - a.mean(0)
    kept = np.linalg.svd(centred, full_matrices=False)[2][:4]
    assert narrow["conv3_1"] == pytest.approx(np.mean((centred - centred @ kept.T @ kept) ** 2), abs=1e-3)


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
