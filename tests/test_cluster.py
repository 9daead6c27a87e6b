"""Many machines: two worker processes on 127.0.0.1, of which one is killed. With Dask alone; small pictures."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from conftest import picture
from PIL import Image

from nst_support.pictures import save_image
from studio import command, estimate, paint, painting, precheck, recipe
from studio.optimise import Run
from studio.scales import seeded
from studio.settings import Settings
from studio.tiles import TiledObjective

MISSING = "Dask is not installed: pip install -e '.[cluster]', which make test-all does"
distributed = pytest.importorskip("distributed", reason=MISSING)
from studio import cluster, far_pictures  # noqa: E402  need Dask
from studio.far_tiles import FarTiles  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals are Posix'")]
ROOT = Path(__file__).resolve().parents[1]
PATHS = os.pathsep.join([str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
ENVIRONMENT = {**os.environ, "NST_PRESET": "smoke", "PYTHONPATH": PATHS, "TF_NUM_INTRAOP_THREADS": "1"}
SIDE = 96  # px of a tile
PATIENCE = 120  # s, on a machine that others use as well


class Farm:
    """A scheduler and workers, each a process."""

    def __init__(self, folder, paths=PATHS):
        """paths: where the scheduler finds its modules."""
        self.file, self.processes = folder / "scheduler.json", []
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", paths=paths)
        while not (self.file.exists() and self.file.read_text()):
            assert self.scheduler.poll() is None
            time.sleep(0.05)
        self.address = json.loads(self.file.read_text())["address"]

    def _start(self, what, *words, paths=PATHS):
        module = ["-m", f"distributed.cli.dask_{what}", "--scheduler-file", str(self.file), "--no-dashboard"]
        environment = {**ENVIRONMENT, "PYTHONPATH": paths}
        process = subprocess.Popen(
            [sys.executable, *module, *words], cwd=self.file.parent, env=environment, stderr=subprocess.DEVNULL
        )
        self.processes.append(process)
        return process

    def worker(self, paths=PATHS):
        """paths: where it finds its modules."""
        return self._start("worker", "--nthreads", "1", "--no-nanny", paths=paths)

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def farm(tmp_path_factory):
    """A scheduler with one worker that stays."""
    farm = Farm(tmp_path_factory.mktemp("farm"))
    farm.worker()
    yield farm
    farm.end()


@pytest.fixture
def victim(farm):
    """One worker more, which has begun."""
    with distributed.Client(farm.address, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=PATIENCE)
        process = farm.worker()
        client.wait_for_workers(2, timeout=PATIENCE)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def small_tiles(monkeypatch):
    monkeypatch.setattr(estimate, "SIDES_AWAY", (SIDE,))


@pytest.fixture
def killing(monkeypatch):
    """A function that has a process killed with SIGKILL when so many tasks were submitted; and a list of the killed."""
    killed, submit = [], cluster.Crew.submit

    def after(count, process, ready=lambda: True):
        submitted = []

        def submit_and_kill(crew, function, task):
            submitted.append(function)
            future = submit(crew, function, task)
            if len(submitted) >= count and not killed and ready():
                killed.append(len(submitted))
                process.send_signal(signal.SIGKILL)
                process.wait()
            return future

        monkeypatch.setattr(cluster.Crew, "submit", submit_and_kill)

    return after, killed


# ------------------------------------------------------------------------------------ one picture, its tiles


def test_a_worker_that_is_killed_costs_its_tiles_and_nothing_else(farm, victim, killing, small_vgg, small_tiles):
    """The gradient of the first step to float32 rounding, the picture after ten evaluations to one grey level."""
    C, S = picture(138, 203, 5), picture(100, 90, 1)
    settings = Settings(evaluations=10, every=1, precision="float32", content_layer="conv4_2", optimizer="lbfgs")
    kill_after, killed = killing
    with cluster.connected(farm.address) as crew:
        assert crew.count() == 2
        far = Run(C, S, small_vgg, settings, crew=crew)
        assert far.layouts[-1].tile == SIDE
        first = seeded(C, 0)
        J, gradient = far.full.objectives["float32"].value_and_gradient(first)
        kill_after(60, victim)
        *_, last = far.records(bar=False)
        assert killed and crew.count() == 1
    here = Run(C, S, small_vgg, settings)
    here.layouts = far.layouts  # the same tiles, all of this process
    objective = here.full.objectives["float32"]
    assert type(objective) is TiledObjective
    J_here, gradient_here = objective.value_and_gradient(first)
    largest = np.abs(gradient_here).max()
    assert float(J) == pytest.approx(float(J_here), rel=1e-6) and largest > 0
    np.testing.assert_allclose(gradient, gradient_here, rtol=0, atol=1e-6 * largest)
    *_, expected = here.records(bar=False)
    assert last.step == expected.step == 10 and float(J_here) > expected.J
    assert np.abs(np.asarray(last.image) - np.asarray(expected.image)).max() <= 1.001 / 255


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_bytes_moved_are_those_of_the_arithmetic(farm, small_vgg, precision, capsys):
    C, S, settings = picture(138, 203, 5), [picture(60, 70, 1), picture(64, 50, 2)], Settings(content_layer="conv4_2")
    regions = Run(C, S, small_vgg, settings, masks=[np.linspace(0, 1, 203)[None] * np.ones((138, 1))]).regions
    with cluster.connected(farm.address) as crew:
        exact = FarTiles(small_vgg, C, regions.at((138, 203), 16), settings, side=SIDE, crew=crew)
        vgg = small_vgg if precision == "float32" else small_vgg.in_bfloat16
        objective = FarTiles(vgg, C, regions.at((138, 203), 16), settings, exact, side=SIDE, crew=crew)
        objective.value_and_gradient(np.asarray(C))
        assert crew.steps == 1
        assert crew.moved_in_steps == pytest.approx(crew.by_arithmetic, rel=0.1)
        assert crew.moved_in_steps > 3 * 4 * 3 * 138 * 203  # G there twice and its gradient back, without margins
    assert "a step over 1 steps; by arithmetic" in capsys.readouterr().out


@pytest.fixture
def here(tmp_path, small_vgg, monkeypatch):
    """A folder, where the process now is, and a small network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "network_of", lambda painting: small_vgg)
    save_image(picture(40, 50, 1), tmp_path / "painting.png")
    save_image(picture(90, 130, 5), tmp_path / "photo.png")
    return tmp_path


def test_in_python_too(farm, here, small_vgg, small_tiles, monkeypatch, capsys):
    monkeypatch.setattr(painting, "network_of", lambda painting: small_vgg)
    made = paint("photo.png", "painting.png", "new.png", evaluations=2, optimizer="lbfgs", scheduler=farm.address)
    assert recipe.read(made)["result"]["finished"]
    out = capsys.readouterr().out
    assert "dashboard http://127.0.0.1:" in out and out.splitlines()[-1].startswith("Moved ")


def test_again_on_the_workers(farm, here, small_tiles, capfd):
    words = ["photo.png", "painting.png", "-o", "new.png", "-i", "2", "--optimizer", "lbfgs"]
    assert command.main([*words, "--scheduler", farm.address]) == 0
    capfd.readouterr()
    assert command.main(["again", "new.png", "--scheduler", farm.address]) == 0
    assert "\nMoved " in capfd.readouterr().out
    first, second = (np.int16(Image.open(path)) for path in ("new.png", "new_again.png"))
    assert np.abs(first - second).max() <= 1


def test_a_scheduler_that_is_killed_leaves_the_checkpoint(here, tmp_path_factory, killing, small_tiles, capfd):
    farm = Farm(tmp_path_factory.mktemp("farm"))
    try:
        farm.worker()
        killing[0](20, farm.scheduler, ready=Path("new.png.checkpoint").exists)
        words = ["photo.png", "painting.png", "-o", "new.png", "-i", "12", "--save-every", "1", "--optimizer", "lbfgs"]
        assert command.main([*words, "--scheduler", farm.address]) == command.FAILED
        told = [line for line in capfd.readouterr().err.splitlines() if line.strip() and "%|" not in line]
        assert told[-1] == f"nst: {farm.address}: the scheduler is gone. Start it again, and go on with --resume."
        assert killing[1] and "Traceback" not in "".join(told) and Path("new.png.checkpoint").exists()
        before = recipe.read("new.png")["result"]["evaluations"]
        assert 0 < before < 12
        assert command.main([*words, "--resume"]) == 0  # on this machine alone
        assert recipe.read("new.png")["result"]["finished"] and not Path("new.png.checkpoint").exists()
    finally:
        farm.end()


# ------------------------------------------------------------------------------------ many pictures


@pytest.fixture
def photos(here):
    """A folder of six photographs, and one that is cut short."""
    (here / "photos").mkdir()
    for i in range(6):
        save_image(picture(48, 64, i), here / f"photos/{i}.png")
    (here / "photos/cut.png").write_bytes((here / "photos/1.png").read_bytes()[:2000])
    return here


MANY = ["photos", "painting.png", "-o", "out", "-i", "40"]
PAINTED = [f"{i}_painting.png" for i in range(6)]


def test_every_photograph_is_painted_whatever_breaks(farm, victim, photos, capfd):
    """A picture that cannot be read is told at the end; a killed worker's are done by the other; then all is done."""
    with contextlib.ExitStack() as stack:
        (photos / "out").mkdir()
        killer = threading.Thread(target=_kill_at_the_first_picture, args=(photos / "out", victim), daemon=True)
        killer.start()
        assert command.main([*MANY, "--scheduler", farm.address]) == command.FAILED
        stack.callback(killer.join, 10)
    assert victim.poll() is not None
    out, err = capfd.readouterr()
    assert sorted(path.name for path in (photos / "out").iterdir()) == PAINTED
    assert out.splitlines()[-1].startswith("failed: photos/cut.png: cut short or damaged")
    assert "Dask: 2 workers, dashboard http://127.0.0.1:" in out and "Traceback" not in err
    assert "7.0/7" in err.split("\r")[-1]  # one bar over all
    made = recipe.read(photos / "out/3_painting.png")
    assert made["content"]["path"] == "../photos/3.png" and made["result"]["evaluations"] == 40
    (photos / "photos/cut.png").unlink()
    stamps = [path.stat().st_mtime_ns for path in sorted((photos / "out").iterdir())]
    assert command.main([*MANY, "--scheduler", farm.address]) == 0
    assert "6 done already, with the same settings." in capfd.readouterr().out
    assert [path.stat().st_mtime_ns for path in sorted((photos / "out").iterdir())] == stamps


def _kill_at_the_first_picture(folder, process):
    while not any(folder.glob("*.png")):
        time.sleep(0.01)
    process.kill()


@pytest.fixture
def nst(photos):
    """Start the command `nst` as a process, which does not outlive the test."""
    with contextlib.ExitStack() as stack:

        def start(*words):
            pipe = subprocess.PIPE
            process = subprocess.Popen(
                [sys.executable, "-m", "studio", *words],
                cwd=photos,
                env=ENVIRONMENT,
                stdout=pipe,
                stderr=pipe,
                text=True,
            )
            stack.callback(process.kill)
            return process

        yield start


def wait_for(what, process):
    began = time.monotonic()
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.05)


def test_workers_of_this_machine_end_with_ctrl_c(photos, nst):
    """The person's own process and all that it started, within seconds, with what was made told."""
    process = nst(*MANY[:-1], "20", "--scheduler", "local:2")
    wait_for(lambda: list(photos.glob("out/[0-9]*.png")), process)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    began = time.monotonic()
    for each in (process, *children):  # as a terminal does
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            each.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == command.STOPPED and "Traceback" not in err
    assert time.monotonic() - began < 30
    assert not psutil.wait_procs(children, timeout=5)[1]
    assert "out/" in out and all(path.suffix == ".png" for path in (photos / "out").iterdir())


def test_a_worker_elsewhere_leaves_a_picture_that_nobody_wants_any_more(farm, nst):
    process = nst(*MANY[:-1], "100000", "--scheduler", farm.address)
    with distributed.Client(farm.address, set_as_default=False) as client:

        def at_work():
            return sum(client.run(lambda dask_worker: len(dask_worker.state.tasks)).values())

        wait_for(at_work, process)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == command.STOPPED
        began = time.monotonic()
        while at_work():
            assert time.monotonic() - began < PATIENCE
            time.sleep(0.2)


# ------------------------------------------------------------------------------------ nobody there


@pytest.mark.parametrize("listens", [False, True])
def test_a_scheduler_that_does_not_answer(here, capfd, monkeypatch, listens):
    """Nobody at that address, and somebody who says nothing."""
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if listens:
            silent.listen()
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        assert command.main(["photo.png", "painting.png", "--scheduler", address]) == command.BAD_INPUT
        assert time.monotonic() - began < 5
    (line,) = capfd.readouterr().err.splitlines()
    assert line == (
        f"nst: {address}: no Dask scheduler answers within 1 s. Check the address, or start one: dask scheduler"
    )
    assert not list(here.glob("photo_*"))


def test_a_scheduler_without_workers(here, tmp_path_factory, capfd, monkeypatch):
    monkeypatch.setattr(cluster, "WAITING", 1)
    farm = Farm(tmp_path_factory.mktemp("farm"))
    try:
        assert command.main(["photo.png", "painting.png", "--scheduler", farm.address]) == command.BAD_INPUT
    finally:
        farm.end()
    assert capfd.readouterr().err == f"nst: {farm.address}: has no worker. Start one: dask worker {farm.address}\n"


@pytest.mark.parametrize("where", ["scheduler", "worker"])
def test_another_version_of_this_project_elsewhere(here, tmp_path_factory, small_tiles, capfd, where):
    folder = tmp_path_factory.mktemp("farm")
    (folder / "studio").mkdir()
    (folder / "studio/__init__.py").touch()
    other = os.pathsep.join([str(folder), PATHS])
    farm = Farm(folder, other if where == "scheduler" else PATHS)
    try:
        farm.worker(other if where == "worker" else PATHS)
        words = ["photo.png", "painting.png", "-i", "2", "--optimizer", "lbfgs", "--scheduler", farm.address]
        assert command.main(words) == command.FAILED
    finally:
        farm.end()
    told = [line for line in capfd.readouterr().err.splitlines() if line.strip() and "%|" not in line]
    assert told == [
        f"nst: {farm.address}: a worker does not have this project, or another version of it. Install the same one "
        "where the scheduler and each worker run."
    ]


def test_workers_that_die_over_one_task_are_told_in_one_sentence():
    class Future:
        def result(self):
            raise distributed.KilledWorker("task", None, 3)

    with pytest.raises(cluster.Died, match="4 workers died over one task, perhaps for want of memory"):
        cluster.Crew(None, "tcp://host:8786").result(Future())


def test_more_workers_than_pictures_fit_into_memory(here, monkeypatch):
    paintings = [painting.Painting(content=Path("photo.png"), styles=(Path("painting.png"),), output=Path("new.png"))]
    need = precheck.memory_of(paintings[0])
    monkeypatch.setattr(far_pictures, "free_bytes", lambda: int(2.5 * need))
    far_pictures.check_memory(4 * paintings, "local:2")
    far_pictures.check_memory(1 * paintings, "local:9")
    far_pictures.check_memory(4 * paintings, "tcp://host:8786")
    with pytest.raises(MemoryError, match=r"local:3: 3 pictures at once take about .* Take fewer workers"):
        far_pictures.check_memory(4 * paintings, "local:3")


def test_the_benchmark_runs(farm):
    words = ["--size", "300", "200", "--side", "128", "--turns", "1", "--scheduler", farm.address]
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks/cluster.py", *words], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Workers over one process: " in done.stdout and "by arithmetic" in done.stdout.splitlines()[-1]
    assert float(done.stdout.split("Gradients differ by ")[1].split()[0]) < 1e-6
