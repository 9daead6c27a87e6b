"""The zip for Colab, and the first cell of a notebook, which fetches and unpacks it into an empty folder."""

import functools
import json
import os
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zipfile import ZipFile

import make_colab
import pytest

PROJECT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("0*.ipynb"))


def first_cell(notebook):
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return next("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


@pytest.fixture(scope="module")
def data():
    return make_colab.zipped(PROJECT)


@pytest.fixture(scope="module")
def server(tmp_path_factory, data):
    """The address of a server with the zip, whole and otherwise."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "whole.zip").write_bytes(data)
    (folder / "truncated.zip").write_bytes(data[: len(data) // 2])
    (folder / "damaged.zip").write_bytes(data[: len(data) // 2] + b"\0" * 64 + data[len(data) // 2 + 64 :])
    (folder / "page.zip").write_text("<html>Sign in first</html>")
    with ZipFile(folder / "stranger.zip", "w") as archive:
        archive.writestr("photos/cat.txt", "cat")
    with ZipFile(folder / "topped.zip", "w") as archive, ZipFile(folder / "whole.zip") as whole:
        for name in whole.namelist():
            archive.writestr(f"project-main/{name}", whole.read(name))
    handler = functools.partial(QuietHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves a folder; `cut.zip` is the whole zip from a connection that ends half-way."""

    def do_GET(self):
        if self.path != "/cut.zip":
            return super().do_GET()
        whole = (Path(self.directory) / "whole.zip").read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(whole)))
        self.end_headers()
        self.wfile.write(whole[: len(whole) // 2])

    def log_message(self, *_):
        pass


@pytest.fixture
def run_first_cell(tmp_path, monkeypatch):
    """Run a first cell with a given PROJECT_ZIP in a new, empty folder; returns the project it found."""
    folder = tmp_path / "content" / "empty"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    def run(project_zip, notebook=NOTEBOOKS[0]):
        source = first_cell(notebook)
        line = 'PROJECT_ZIP = ""'
        assert source.startswith(line)
        names = {}
        exec(source.replace(line, f"PROJECT_ZIP = {project_zip!r}", 1), names)
        assert sys.path[0] == str(names["project"])
        return names["project"]

    return run


def files_below(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["whole.zip", "topped.zip"])
def test_the_project_arrives_whole_from_an_address(run_first_cell, server, name):
    project = run_first_cell(f"{server}/{name}")
    assert project == Path.cwd() / "nst"
    assert files_below(project) == {
        path.relative_to(PROJECT).as_posix(): path.read_bytes() for path in make_colab.contents(PROJECT)
    }
    assert os.listdir() == ["nst"]  # nothing else is left lying about
    assert run_first_cell("") == project  # a second run finds it


def test_the_project_arrives_from_an_uploaded_file(run_first_cell, data):
    Path("uploaded.zip").write_bytes(data)
    project = run_first_cell("uploaded.zip")
    assert (project / "nst_utils.py").read_bytes() == (PROJECT / "nst_utils.py").read_bytes()


@pytest.mark.parametrize(
    ("project_zip", "reason"),
    [
        ("{server}/missing.zip", "404"),
        ("{server}/truncated.zip", "not a zip file"),
        ("{server}/cut.zip", "retrieval incomplete"),
        ("{server}/damaged.zip", "Bad CRC|Error -3"),
        ("{server}/page.zip", "not a zip file"),
        ("{server}/stranger.zip", "StopIteration"),
        ("http://127.0.0.1:9/whole.zip", "refused"),
        ("nowhere.zip", "No such file"),
        ("", "No such file"),
    ],
)
def test_a_wrong_project_zip_is_named_and_leaves_nothing(run_first_cell, server, data, project_zip, reason):
    project_zip = project_zip.format(server=server)
    with pytest.raises(RuntimeError, match=reason) as caught:
        run_first_cell(project_zip)
    assert str(caught.value).startswith(f"PROJECT_ZIP = {project_zip!r} is no whole zip of the project (")
    assert caught.value.__suppress_context__  # the reader sees this one alone
    assert os.listdir() == []
    assert run_first_cell(f"{server}/whole.zip").is_dir()  # once put right, it works


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_begins_with_the_same_cell(notebook):
    assert first_cell(notebook) == first_cell(NOTEBOOKS[0])


def test_in_a_clone_the_project_is_found_where_it_is(run_first_cell, monkeypatch):
    for folder in (PROJECT, PROJECT / "notebooks", PROJECT / "notebooks" / "exercises"):
        monkeypatch.chdir(folder)
        assert run_first_cell("") == PROJECT


def test_the_same_project_gives_the_same_zip(tmp_path, data):
    for path in make_colab.contents(PROJECT):
        copy = tmp_path / path.relative_to(PROJECT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
        os.utime(copy, (1e9, 1e9))
    assert make_colab.zipped(tmp_path) == data


def test_a_project_with_something_missing_is_refused(tmp_path):
    (tmp_path / "nst_utils.py").touch()
    with pytest.raises(FileNotFoundError, match=r"studio/\*\.py"):
        make_colab.zipped(tmp_path)


def test_make_colab_says_where_and_how_big(tmp_path, monkeypatch, capsys, data):
    monkeypatch.setattr(make_colab, "zipped", lambda _: data)
    monkeypatch.setattr(make_colab, "PROJECT", tmp_path)
    make_colab.main()
    written = tmp_path / "outputs" / "neural-style-transfer.zip"
    assert written.read_bytes() == data
    said = capsys.readouterr().out
    assert "outputs/neural-style-transfer.zip" in said and f"{len(data) / 1e6:.1f} MB" in said


def test_a_failed_write_leaves_the_old_zip(tmp_path, monkeypatch, data):
    old = tmp_path / "outputs" / "neural-style-transfer.zip"
    old.parent.mkdir()
    old.write_bytes(b"old")

    def full_disk(self, data):
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    monkeypatch.setattr(make_colab, "PROJECT", tmp_path)
    monkeypatch.setattr(make_colab, "zipped", lambda _: data)
    with pytest.raises(SystemExit, match=r"not written.*No space left"):
        make_colab.main()
    assert old.read_bytes() == b"old" and os.listdir(old.parent) == [old.name]


@pytest.mark.slow
def test_the_controls_work_with_the_ipywidgets_that_colab_has(tmp_path):
    there = tmp_path / "packages"
    install = [
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--target",
        str(there),
        "ipywidgets==7.7.1",
        "ipython_genutils",
    ]
    if subprocess.run([sys.executable, *install], capture_output=True).returncode:
        pytest.skip("ipywidgets 7.7.1 cannot be installed: no network?")
    environment = os.environ | {"PYTHONPATH": f"{there}{os.pathsep}{PROJECT}"}
    found = subprocess.run(
        [sys.executable, "-c", "import ipywidgets; print(ipywidgets.__version__)"],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert found.stdout == "7.7.1\n"
    files = [PROJECT / "tests" / f"test_{name}.py" for name in ("widgets", "choices", "what_if")]
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, files)]
    done = subprocess.run(tests, cwd=PROJECT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
