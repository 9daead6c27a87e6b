"""Stored notebooks are executed, clean and small; run again in the smoke preset, they still prove something."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import imageio.v3 as imageio
import make_colab
import numpy as np
import pytest

import nst_utils as nst

PROJECT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("0*.ipynb"))
SMOKE = nst.PRESETS["smoke"]
EVERY_NOTEBOOK = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path):
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]


@EVERY_NOTEBOOK
def test_a_stored_notebook_is_executed_clean_and_small(path):
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"]
    figures = [output for output in outputs if "image/jpeg" in output.get("data", {})]
    assert figures and all(figure["metadata"]["image/jpeg"]["alt"] for figure in figures)
    assert path.stat().st_size < 3_000_000


LESSONS = [path for path in NOTEBOOKS if path.name[:2] in ("01", "02", "03")]
EVERY_LESSON = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


@EVERY_NOTEBOOK
def test_cells_are_short_and_the_set_up_is_folded(path):
    set_up, *others = code_cells(path)
    assert set_up["metadata"]["jupyter"]["source_hidden"]
    lengths = {cell["id"]: len("".join(cell["source"]).splitlines()) for cell in others}
    assert {name: length for name, length in lengths.items() if length > 12} == {}


@EVERY_LESSON
def test_a_lesson_ends_with_as_many_answers_as_questions_and_a_project(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    recall = "".join(next("".join(c["source"]) for c in cells[-2:] if "## Recall" in "".join(c["source"])))
    questions, answers = recall.split("<details>\n<summary>Answers</summary>\n\n")
    count = len(re.findall(r"^\d+\. ", questions, re.M))
    assert count >= 6 and len(re.findall(r"^\d+\. ", answers.split("</details>")[0], re.M)) == count
    assert "**Your project.**" in answers.split("</details>")[1]


@pytest.fixture(scope="module")
def smoke(tmp_path_factory, environment_elsewhere):
    """Every notebook run by nbval in a project unpacked from the zip for Colab, with outputs of its own.

    So the pictures that somebody has in outputs/ stay, and the zip is seen to be enough.
    """
    folder = tmp_path_factory.mktemp("project")
    ZipFile(io.BytesIO(make_colab.zipped(PROJECT))).extractall(folder)
    notebooks = sorted((folder / "notebooks").glob("0*.ipynb"))
    nbval = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-cell-timeout=300", "--tb=short", *notebooks],
        cwd=folder,
        env=environment_elsewhere | {"NST_PRESET": SMOKE.name},
        capture_output=True,
        text=True,
    )
    return SimpleNamespace(nbval=nbval, images=folder / "images", outputs=folder / "outputs")


def test_every_cell_of_every_notebook_runs(smoke):
    assert smoke.nbval.returncode == 0, smoke.nbval.stdout + smoke.nbval.stderr
    count = sum(len(code_cells(path)) for path in NOTEBOOKS)
    assert f"{count} passed" in smoke.nbval.stdout


def test_the_lesson_leaves_a_picture_that_is_better_and_not_its_content(smoke):
    C = nst.load_image(smoke.images / "content" / "louvre.jpg", SMOKE.long_side)
    S = nst.load_image(smoke.images / "style" / "poppies.jpg", SMOKE.long_side)
    G = nst.load_image(smoke.outputs / "generated.png")
    assert G.shape == C.shape and np.abs(G - C).mean() > 0.01
    J = nst.Objective(nst.load_vgg19(SMOKE.network), C, S)
    assert J(G)[0] < 0.5 * J(C)[0]


def test_the_lesson_leaves_its_snapshots_and_a_timelapse_of_them(smoke):
    assert len(list((smoke.outputs / "adam").glob("*.png"))) == 1 + SMOKE.steps // SMOKE.every
    snapshots = [nst.load_image(path)[0] for path in sorted((smoke.outputs / "engine").glob("*.png"))]
    frames = imageio.imread(smoke.outputs / "timelapse.gif", index=None) / 255
    assert len(frames) == len(snapshots) > 10
    for frame, snapshot in zip(frames, snapshots, strict=True):
        assert np.abs(frame - snapshot).mean() < 0.03  # a GIF has 256 colours
    best = min(np.abs(snapshot - nst.load_image(smoke.outputs / "generated.png")[0]).max() for snapshot in snapshots)
    assert best == 0
    assert np.abs(frames[-1] - frames[0]).mean() > 0.05
