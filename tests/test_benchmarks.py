"""The benchmarks run, and what they compute from their measurements is right."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import nst_utils as nst
from benchmarks import evaluation, optimisers

PROJECT = Path(__file__).parents[1]


def run(*arguments):
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=PROJECT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_race_of_recipes_runs_and_reports_every_recipe(tmp_path):
    output = run("benchmarks/optimisers.py", "--quick", "--out", tmp_path)
    assert [p.stat().st_size > 10_000 for p in tmp_path.glob("*.png")] == [True]
    for name, (_, steps) in optimisers.RECIPES.items():
        assert f"{name}: " in output
        line = next(line for line in output.splitlines() if line.startswith(f"{name:42}"))
        assert float(line.split()[-1].rstrip("x")) > 0 and steps >= 500
    assert "epsilon" in output and "rate" in output  # the factors are printed


def test_time_to_a_level_is_the_first_time():
    rows = np.array([[0, 0.0, 9.0], [10, 1.0, 4.0], [20, 2.0, 5.0], [30, 3.0, 2.0]])
    assert optimisers.first_below(rows, 5.0) == (10, 1.0)
    assert optimisers.first_below(rows, 2.0) == (30, 3.0)
    assert optimisers.first_below(rows, 1.9) is None


def test_evaluating_is_timed_and_its_memory_measured():
    output = run("benchmarks/evaluation.py", "--sides", 64, "--repeats", 1, "--networks", "slim")
    row = next(line.split() for line in output.splitlines() if line.startswith("tensorflow slim"))
    assert row[2:4] == ["64x48", "float32"] and 0 < float(row[4]) < 60


def test_operations_are_counted_by_hand():
    weights = {
        "conv1_1": (np.zeros((3, 3, 3, 2)), np.zeros(2)),  # 54 multiplications at each of 32 x 24 positions
        "conv2_1": (np.zeros((3, 3, 2, 5)), np.zeros(5)),  # 90 at each of 16 x 12
    }
    assert evaluation.operations(weights, 32) == 4 * (54 * 32 * 24 + 90 * 16 * 12)


def test_torch_sees_the_same_cost(random_weights, small_vgg, C, S):
    torch = pytest.importorskip("torch")
    from benchmarks.torch_lbfgs import cost

    objective = nst.Objective(small_vgg, C, S)
    G = tf.reverse(C, [1])
    there = cost({n: random_weights[n] for n in nst.LAYERS[:13]}, objective)
    np.testing.assert_allclose(
        float(there(torch.tensor(np.asarray(G)).permute(0, 3, 1, 2))), float(objective(G)[0]), rtol=1e-4
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from Linux' /proc")
@pytest.mark.parametrize("how", ["given", "train"])
def test_run_after_run_leaves_nothing_in_memory(how):
    lines = run("benchmarks/memory.py", "--networks", "slim", "--how", how, "--runs", 15).splitlines()
    assert [line.split()[:3] for line in lines] == [[how, "slim", str(n)] for n in (5, 10, 15)]
    assert float(lines[-1].split()[-1].rstrip("%")) < 2.5  # a graph a run would be 10 %


@pytest.mark.slow
def test_time_and_memory_against_size_are_printed_and_drawn(tmp_path):
    output = run("benchmarks/scale.py", "--sides", 96, "--tiles", 48, "--out", tmp_path)
    rows = [line.split() for line in output.splitlines() if line.split()[0] == "96x72"]
    assert [row[1] for row in rows] == ["-", "48"]
    assert all(float(value) > 0 for row in rows for value in row[2:5])
    assert (tmp_path / "scale.png").stat().st_size > 10_000
