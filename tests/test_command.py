"""The command `nst` within this process: what it refuses, in which words, and what works all the same.

The folder that each test works in holds pictures of 64x48 px, by these names, if nothing else is said.
"""

import collections
import contextlib
import dataclasses
import json
import os
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import picture
from PIL import Image
from test_images import ordinary_user, posix

import nst_utils as nst
from nst_support import weight_files
from nst_support.memory import in_words
from nst_support.pictures import read_text, save_image
from studio import arguments, command, estimate, precheck, recipe
from studio.lbfgs import LBFGS
from studio.painting import Canvas, Painting
from studio.settings import Settings

BOX = (slice(12, 36), slice(16, 48))
Done = collections.namedtuple("Done", "code out err")


# --- The folder, the network and the command ---------------------------------------------------------------


def grey(path, values):
    Image.fromarray(np.uint8(values)).save(path)


def coloured(path, seed=0, size=(48, 64), **options):
    save_image(picture(*size, seed), path, **options)
    return path


@pytest.fixture(scope="module")
def template(tmp_path_factory, small_vgg):
    """A folder with pictures good and bad; made.png is the photo painted, with the settings `-i 3`."""
    folder = tmp_path_factory.mktemp("template")
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        for name, seed in (("photo.jpg", 0), ("second.png", 2), ("painting.png", 1), ("other.png", 3)):
            coloured(Path(name), seed)
        coloured(Path("large.png"), 4, (300, 400))
        for ending in ("jpg", "png"):
            noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
            Image.fromarray(noise).save(f"cut.{ending}")
            whole = Path(f"cut.{ending}").read_bytes()
            Path(f"cut.{ending}").write_bytes(whole[: len(whole) // 2])
        Path("empty.jpg").touch()
        Path("text.jpg").write_text("Dear diary")
        Path("phone.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
        shutil.copy("photo.jpg", "a_jpeg.png")
        claims = bytearray(Path("second.png").read_bytes())
        claims[16:24] = struct.pack(">II", 10**6, 10**6)
        claims[29:33] = struct.pack(">I", zlib.crc32(claims[12:29]))
        Path("huge.png").write_bytes(claims)
        coloured(Path("clear.png"), alpha=np.zeros((48, 64)))
        half = np.zeros((48, 64))
        half[BOX] = 1
        coloured(Path("glass.png"), alpha=half)
        grey("mask.png", 255 * half)
        grey("rest.png", 255 * (1 - half))
        grey("black.png", 0 * half)
        grey("two_percent.png", np.full((306, 400), 255))
        grey("rounded.png", np.full((100, 133), 255))
        coloured(Path("dot.png"), size=(1, 1))
        coloured(Path("thin.png"), size=(3, 400))
        for name in ("nothing", "folder.jpg", "pictures", "twins", "kept", "only_made"):
            Path(name).mkdir()
        for name in ("pictures/a.jpg", "pictures/b.png", "pictures/c.png", "twins/photo.jpg"):
            coloured(Path(name), len(name))
        Path("pictures/notes.txt").write_text("not a picture")
        coloured(Path("kept/step_00020.png"))
        Path("film.gif").write_bytes(b"an older film")
        coloured(Path("there.png"), 9)
        os.symlink("photo.jpg", "link.png")
        patch.setattr(command, "network_of", lambda painting: small_vgg)
        assert command.main(["photo.jpg", "painting.png", "-i", "3", "-o", "made.png"]) == 0
        shutil.copy("made.png", "only_made/made.png")
        _with_recipes()
    return folder


def _with_recipes():
    """made.png by other names, with recipes that cannot be followed."""
    good = recipe.read("made.png")
    network, content = good["network"], good["content"]
    spoilt = {
        "elsewhere": {"network": network | {"sha256": "00", "file": "vgg16.h5"}},
        "missing": {"content": content | {"path": "gone.jpg"}},
        "changed": {"content": content | {"sha256": "00"}},
        "newer": {"format": 99, "program": "neural-style-transfer 7"},
        "damaged": {"network": 3},
        "nonsense": {"settings": {"brush": 3}},
    }
    for name, changes in spoilt.items():
        coloured(Path(f"made_{name}.png"), text=json.dumps(good | changes))


@pytest.fixture
def here(template, tmp_path, monkeypatch):
    """A copy of that folder, where the process now is."""
    folder = tmp_path / "here"
    shutil.copytree(template, folder, symlinks=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def nst_(capfd):
    """Run a command line, and return what became of it as `Done`; progress bars are left out."""

    def run(line):
        capfd.readouterr()
        code = command.main(shlex.split(line) if isinstance(line, str) else line)
        out, err = capfd.readouterr()
        return Done(code, out, "".join(line for line in err.splitlines(True) if "%|" not in line and line.strip()))

    return run


@pytest.fixture
def refused(here, nst_, monkeypatch):
    """Run a command line that has to be refused, with all that this means, and return its line."""

    temporary = here.parent / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    def no_network(painting):
        raise AssertionError("the network is loaded, and so TensorFlow")

    monkeypatch.setattr(command, "network_of", no_network)

    def refuse(line):
        before, locks = everything_in(here), os.listdir(temporary)
        code, _, err = nst_(line)
        assert (code, err.count("\n"), err[:5]) == (2, 1, "nst: "), err
        assert everything_in(here) == before
        assert os.listdir(temporary) == locks  # those of others
        assert "Errno" not in err and "Traceback" not in err
        return err

    return refuse


def everything_in(folder):
    """{path: what is there} of all files, folders and links."""
    found = {}
    for path in sorted(folder.rglob("*")):
        what = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[path] = what, path.lstat().st_mtime_ns if path.is_file() else None
    return found


@pytest.fixture
def networks(here, small_vgg, monkeypatch):
    """The paintings whose network was loaded: from now on a tiny one."""
    loaded = []

    def network_of(painting):
        loaded.append(painting)
        return small_vgg

    monkeypatch.setattr(command, "network_of", network_of)
    return loaded


@pytest.fixture
def works(networks, nst_):
    """Run a command line that has to work, quickly, and return what it prints."""

    def work(line):
        code, out, err = nst_(f"{line} -i 2" if isinstance(line, str) else [*line, "-i", "2"])
        assert code == 0 and "nst:" not in err, err
        return out

    return work


# --- Bad input: one line, exit code 2, nothing lost, and TensorFlow not loaded ------------------------------

ROLES = {
    "content": "{} painting.png",
    "style": "photo.jpg {}",
    "styles": "photo.jpg --styles painting.png {}",
    "style of several": "photo.jpg second.png {}",
    "mask": "photo.jpg painting.png --mask {}",
    "style mask": "photo.jpg painting.png --style-mask {}",
    "start": "photo.jpg painting.png --init {}",
}
BAD = {
    "gone.jpg": "gone.jpg: no such file",
    "folder.jpg": "folder.jpg: a folder, not a picture",
    "empty.jpg": "empty.jpg: an empty file. Get a fresh copy",
    "text.jpg": "text.jpg: not a picture that can be read here (JPEG, PNG,",
    "phone.heic": "phone.heic: not a picture that can be read here",
    "cut.jpg": "cut.jpg: cut short or damaged",
    "cut.png": "cut.png: cut short or damaged",
    "huge.png": "huge.png: 1000000x1000000 px take 7.0 TB of memory to read, and",
    "clear.png": "clear.png: transparent everywhere",
    "https://example.org/a.jpg": "https://example.org/a.jpg: a web address, not a file here. Download it first",
    "dot.png": "dot.png: only 1x1 px, and 16 px is the least. Take a larger picture",
    "thin.png": "thin.png: only 400x3 px, and 16 px is the least",
    "/dev/null": "/dev/null: a device or a pipe, not a file",
}
INSTEAD = {
    ("content", "folder.jpg"): "folder.jpg: no picture is in this folder",
    ("start", "gone.jpg"): "--init gone.jpg: no such file, nor one of the kinds content, noise, course, course-2017",
    ("mask", "clear.png"): "clear.png is empty: black everywhere",
    ("style mask", "clear.png"): "clear.png is empty: black everywhere",
} | {
    (role, name): f"{name} is {size} px and {'painting.png' if role == 'style mask' else 'photo.jpg'} 64x48 px: not of"
    for role in ("mask", "style mask", "start")
    for name, size in (("dot.png", "1x1"), ("thin.png", "400x3"))
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("role", ROLES)
def test_a_bad_picture_in_every_role(refused, role, name):
    assert INSTEAD.get((role, name), BAD[name]) in refused(ROLES[role].format(name))


PAIR = "photo.jpg painting.png"
REFUSED = [
    # which pictures
    ("", "no pictures: nst CONTENT STYLE, such as nst photo.jpg painting.jpg"),
    ("--size 100", "no pictures"),
    ("photo.jpg", "a content and a style are needed"),
    ("--styles painting.png photo.jpg", "a content and a style are needed: nst CONTENT STYLE, pictures first"),
    ("--styles painting.png", "a content and a style are needed"),
    ("'' painting.png", "PICTURE: an empty name"),
    ("photo.jpg ''", "PICTURE: an empty name"),
    ("*.tif painting.png", "*.tif: no file is named like that. Check the pattern"),
    ("nothing painting.png", "nothing: no picture is in this folder"),
    ("only_made painting.png", "only_made: only pictures that nst made itself are in this folder"),
    ("photo.jpg twins/photo.jpg painting.png", "photo-jpg_painting.png: two contents of one name would be saved there"),
    # options and their values
    (f"{PAIR} --iteration 5", "unknown option --iteration: did you mean --iterations? See nst --help."),
    (f"{PAIR} --xyz", "unknown option --xyz. See nst --help."),
    (f"{PAIR} -q", "unknown option -q"),
    (f"{PAIR} —size 100", "—size: it begins with a long dash"),
    (f"{PAIR} --size", "-s/--size: expected one argument"),
    (f"{PAIR} -s 15", "-s/--size: '15' is no whole number from 16 to 100,000"),
    (f"{PAIR} -s 100001", "-s/--size: '100001' is no whole number"),
    (f"{PAIR} -s 600px", "-s/--size: '600px' is no whole number"),
    (f"{PAIR} -s 99.5", "-s/--size: '99.5' is no whole number"),
    (f"{PAIR} --strength 101", "--strength: '101' is no number from 0 to 100"),
    (f"{PAIR} --strength -1", "--strength: '-1' is no number from 0 to 100"),
    (f"{PAIR} --strength nan", "--strength: 'nan' is no number from 0 to 100"),
    (f"{PAIR} --strength much", "--strength: 'much' is no number from 0 to 100"),
    (f"{PAIR} --style-scale 0", "--style-scale: '0' is no number from 0.1 to 10"),
    (f"{PAIR} --style-scale 11", "--style-scale: '11' is no number from 0.1 to 10"),
    (f"{PAIR} --style-scale 1 2", "--style-scale = (1.0, 2.0): there is 1 style"),
    (f"{PAIR} --style-blend-weights 1 2", "--style-blend-weights = (1.0, 2.0): there is 1 style"),
    (f"photo.jpg --styles {PAIR} --style-blend-weights 1 2 3", "weights = (1.0, 2.0, 3.0): there are 2 styles"),
    (f"photo.jpg --styles {PAIR} --style-blend-weights 0 0", "--style-blend-weights = (0.0, 0.0): at least one"),
    (f"{PAIR} --style-blend-weights", "--style-blend-weights: expected at least one argument"),
    (f"{PAIR} --style-blend-weights -1", "--style-blend-weights: '-1' is no number from 0 to 1,000,000"),
    (f"{PAIR} -i 0", "-i/--iterations: '0' is no whole number from 1 to 1,000,000"),
    (f"{PAIR} -i 5.5", "-i/--iterations: '5.5' is no whole number"),
    (f"-i 5 {PAIR}", "-i/--iterations: 'photo.jpg' is no whole number from 1 to 1,000,000; pictures are named before"),
    (f"{PAIR} -i 5 5 5", "--iterations for 3 sizes: at the first, photo.jpg would be 16x12 px"),
    (f"{PAIR} --seed -1", "--seed: '-1' is no whole number from 0"),
    (f"{PAIR} --seed x", "--seed: 'x' is no whole number from 0"),
    (f"{PAIR} --save-every 0", "--save-every: '0' is no whole number from 1"),
    (f"{PAIR} --style-weight -1", "--style-weight: '-1' is no number from 0"),
    (f"{PAIR} --style-weight inf", "--style-weight: 'inf' is no number from 0"),
    (f"{PAIR} --tv-weight -1", "--tv-weight: '-1' is no number from 0"),
    (f"{PAIR} --optimizer sgd", "--optimizer: invalid choice: 'sgd' (choose from"),
    (f"{PAIR} --precision float16", "--precision: invalid choice: 'float16'"),
    (f"{PAIR} --statistics mean", "--statistics: invalid choice: 'mean'"),
    (f"{PAIR} --pooling sum", "--pooling: invalid choice: 'sum'"),
    (f"{PAIR} --network vgg16", "--network: invalid choice: 'vgg16'"),
    (f"{PAIR} --preserve-colors=red", "--preserve-colors: invalid choice: 'red'"),
    (f"{PAIR} --preserve-colors red", "--preserve-colors: invalid choice: 'red'"),
    (f"{PAIR} --init nois", "--init nois: no such file, nor one of the kinds"),
    (f"{PAIR} --init", "--init: expected one argument"),
    (
        f"{PAIR} --content-layer conv9_1",
        "--content-layer: layer 'conv9_1': not one of VGG-19's names; they are conv1_1",
    ),
    (f"{PAIR} --style-layers block1_conv1", "--style-layers: layer 'block1_conv1': not one of VGG-19's names; here"),
    (f"{PAIR} --style-layers conv1_1=0", "--style-layers: 'conv1_1=0': the share of a layer is a number above 0"),
    (f"{PAIR} --style-layers conv1_1=", "--style-layers: 'conv1_1=': the share of a layer is a number"),
    (f"{PAIR} --style-layers conv1_1=nan", "--style-layers: 'conv1_1=nan': the share of a layer"),
    (f"{PAIR} --strength 5 --style-weight 5", "--strength beside --style-weight: both say how much style"),
    (f"{PAIR} --quality 50", "photo_painting.png: --quality is of a JPEG. Leave it out, or save as .jpg"),
    (f"{PAIR} --quality 101 -o new.jpg", "--quality: '101' is no whole number from 1 to 100"),
    (f"{PAIR} --quality 0 -o new.jpg", "--quality: '0' is no whole number from 1 to 100"),
    # masks
    (f"{PAIR} --mask black.png", "black.png is empty: black everywhere"),
    (f"{PAIR} --style-mask black.png", "black.png is empty"),
    (f"{PAIR} --mask mask.png rest.png", "2 masks for 1 style: give one for each style"),
    (f"photo.jpg --styles {PAIR} other.png --mask mask.png", "1 mask for 3 styles: give one for each"),
    (f"photo.jpg --styles {PAIR} --style-mask mask.png", "1 style mask for 2 styles: give one for each"),
    ("large.png painting.png --mask two_percent.png", "two_percent.png is 400x306 px and large.png 400x300 px: not of"),
    (f"{PAIR} --mask mask.png --style-blend-weights 1", "--style-blend-weights beside --mask"),
    # what is written
    (f"{PAIR} -o there.png", "there.png: is there already. Choose another -o, or replace it with --force"),
    (f"{PAIR} -o new", "new: the ending '' is unknown. Choose from .png .jpg"),
    (f"{PAIR} -o new.gif", "new.gif: the ending '.gif' is unknown"),
    (f"{PAIR} -o ''", "-o/--output: an empty name"),
    (f"{PAIR} -o s3://bucket/new.png", "s3://bucket/new.png: a web address"),
    (f"{PAIR} -o photo.jpg", "photo.jpg: is the content, which would be lost. Choose another -o"),
    (f"{PAIR} -o photo.jpg --force", "photo.jpg: is the content, which would be lost"),
    (f"{PAIR} -o ./nothing/../painting.png --force", "painting.png: is the style, which would be lost"),
    (f"{PAIR} -o link.png", "link.png: is the content, which would be lost"),
    (f"{PAIR} -o link.png --force", "link.png: is the content, which would be lost"),
    (f"{PAIR} -o mask.png --mask mask.png --force", "mask.png: is the mask, which would be lost"),
    (f"{PAIR} -o there.png --init there.png --force", "there.png: is the start picture, which would be lost"),
    (f"{PAIR} -o /proc/new.png", "/proc: cannot write there"),
    (f"{PAIR} -o /proc/new/new.png", "/proc/new: cannot write there"),
    (f"{PAIR} -o text.jpg/new.png", "text.jpg: "),
    (f"{PAIR} -o {'a' * 300}.png", "aaa.png: file name too long. Check the path"),
    ("photo.jpg second.png painting.png -o new.png", "new.png: several contents need a folder. Name one, such as -o"),
    ("photo.jpg second.png painting.png -o there.png", "there.png: several contents need a folder"),
    ("photo.jpg second.png painting.png -o /proc/new", "/proc/new: cannot write there"),
    ("pictures painting.png -o pictures/notes.txt/", "is a file, not a folder"),
    (
        "glass.png painting.png -o new.jpg",
        "new.jpg: glass.png is transparent in places, which .jpg cannot hold. Save as",
    ),
    ("glass.png painting.png -o new.bmp", "new.bmp: glass.png is transparent in places, which .bmp cannot hold"),
    # on the way
    (f"{PAIR} --timelapse new.avi", "new.avi: the ending '.avi' is unknown. Choose .gif or .mp4"),
    (f"{PAIR} --timelapse film.gif", "film.gif: is there already. Choose another --timelapse, or replace it"),
    (f"{PAIR} --timelapse /proc/new.gif", "/proc: cannot write there (No such file or directory). Check that you may"),
    (f"{PAIR} --snapshots kept", "kept: holds pictures of an earlier run. Choose other --snapshots"),
    ("kept/step_00020.png painting.png --snapshots kept --force", "kept/step_00020.png: the content is among the snap"),
    (f"{PAIR} --snapshots text.jpg", "text.jpg is a file, not a folder. Choose another --snapshots"),
    (f"{PAIR} -o kept/step_00040.png --snapshots kept --force", "kept/step_00040.png: is among the snapshots"),
    # of one content only
    ("photo.jpg second.png painting.png --mask mask.png", "--mask is of one content"),
    ("photo.jpg second.png painting.png --init there.png", "--init FILE is of one content"),
    ("pictures painting.png --preview", "--preview is of one content"),
    ("pictures painting.png --timelapse new.gif", "--timelapse is of one content. For several, --snapshots"),
    ("pictures painting.png --quality 90", "--quality is of a JPEG, and several contents are saved as .png"),
    # recipes
    ("recipe", "the following arguments are required: PICTURE. See nst recipe --help"),
    ("recipe gone.png", "gone.png: no such file"),
    ("recipe photo.jpg", "photo.jpg: no recipe in it"),
    ("recipe text.jpg", "text.jpg: not a picture"),
    ("recipe nothing", "nothing: a folder, not a picture"),
    ("recipe made.png other.png", "unrecognized arguments: other.png. See nst recipe --help"),
    ("recipe made_newer.png", "made_newer.png: its recipe is of another version of nst (neural-style-transfer 7)"),
    ("again", "the following arguments are required: PICTURE"),
    ("again photo.jpg", "photo.jpg: no recipe in it"),
    ("again text.jpg", "text.jpg: not a picture"),
    ("again nothing", "nothing: a folder, not a picture"),
    ("again made.png -o there.png", "there.png: is there already"),
    ("again made.png -o made.png", "made.png: is there already"),
    ("again made.png -o photo.jpg --force", "photo.jpg: is the content, which would be lost"),
    ("again made.png --size 3", "unknown option --size"),
    ("again made_missing.png", "gone.jpg: the content of made_missing.png is missing. Put it there again"),
    ("again made_changed.png", "photo.jpg: the content of made_changed.png has changed since"),
    ("again made_elsewhere.png", "made_elsewhere.png: was made with another network, vgg16.h5, which is not here"),
    ("again made_newer.png", "made_newer.png: its recipe is of another version"),
    ("again made_damaged.png", "made_damaged.png: the recipe in it is damaged"),
    ("again made_nonsense.png", "made_nonsense.png: the recipe in it is damaged"),
]


@pytest.mark.parametrize(("line", "words"), REFUSED, ids=[line or "nothing" for line, _ in REFUSED])
def test_bad_input(refused, line, words):
    assert words in refused(line)


def test_a_picture_smaller_than_the_network_sees(refused):
    assert "large.png: 20x15 px at this size, and 16 px is the least. Take a larger --size" in refused(
        "large.png painting.png --size 20"
    )
    assert "other.png: 13x10 px at this size, and 16 px is the least. Take a larger --size or --style-scale" in refused(
        "photo.jpg other.png --style-scale 0.2 --size 64"
    )


@posix
@pytest.mark.parametrize("role", ROLES)
def test_a_picture_that_may_not_be_read(here, nst_, role):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for name in ("photo.jpg", "second.png", "painting.png"):
            shutil.copy(name, folder)
        os.chmod(shutil.copy("photo.jpg", Path(folder, "closed.png")), 0)
        with contextlib.chdir(folder), ordinary_user():
            code, _, line = nst_(ROLES[role].format("closed.png"))
    assert code == 2 and line.count("\n") == 1
    assert "closed.png: permission denied. Check the path, and that you may use it." in line


@posix
def test_a_folder_that_may_not_be_written(here, nst_):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for name in ("photo.jpg", "painting.png"):
            shutil.copy(name, folder)
        with contextlib.chdir(folder), ordinary_user():
            code, _, line = nst_(f"{PAIR} -o new.png")
        assert code == 2 and line.count("\n") == 1
        assert sorted(os.listdir(folder)) == ["painting.png", "photo.jpg"]
    assert ".: cannot write there (Permission denied). Check that you may, or choose another -o." in line


def test_a_disk_that_is_too_full(refused, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: collections.namedtuple("Usage", "free")(20_000))
    assert "nothing: 20 kB free, and 3.2 MB are needed. Free some space there." in refused(f"{PAIR} -o nothing/new.png")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: collections.namedtuple("Usage", "free")(200_000))
    monkeypatch.setattr(precheck.estimate, "checkpoint_bytes", lambda *_: 0)
    assert "1.0 MB are needed" in refused(f"{PAIR} --snapshots nothing")


@pytest.mark.parametrize("force", ["", " --force"])
def test_a_broken_or_missing_network(refused, tmp_path, monkeypatch, force):
    assert "no such file. `make weights` fetches it." in refused(f"{PAIR} --network vgg19{force}")
    for content, words in ((None, "is missing"), (b"", "empty"), (b"PK\x03\x04" + bytes(99), "damaged, or not what")):
        slim = tmp_path / f"slim{len(content or '')}.npz"
        monkeypatch.setattr(weight_files, "SLIM", slim)
        if content is not None:
            slim.write_bytes(content)
        for line in (f"{PAIR}{force}", f"photo.jpg second.png painting.png{force}", f"again made.png{force}"):
            if "again" in line and content is not None:
                continue
            found = refused(line)
            assert words in found or "another network" in found


def test_a_network_that_is_not_as_deep_as_asked(refused, random_weights, tmp_path, monkeypatch):
    arrays = {
        f"{n}/{part}": a for n in nst.LAYERS[:9] for part, a in zip(("kernel", "bias"), random_weights[n], strict=True)
    }
    np.savez(tmp_path / "slim.npz", **arrays)
    monkeypatch.setattr(weight_files, "SLIM", tmp_path / "slim.npz")
    assert "slim.npz: this network has no conv4_2. Choose layers that are not as deep" in refused(PAIR)


def leanest(monkeypatch, size):
    """So little memory that `size` fits, in the smallest tiles and by Adam, and nothing larger does."""
    painting = Painting(content=Path("large.png"), styles=(Path("painting.png"),), output=Path("new.png"))
    painting = Painting(**{**vars(painting), "settings": Settings(size=size)})
    monkeypatch.setattr(precheck, "free_bytes", lambda: 0)
    need = int(precheck.memory_of(painting)) + 1
    monkeypatch.setattr(precheck, "free_bytes", lambda: need)
    return painting


def test_too_large_for_the_memory_even_in_tiles_names_a_size_that_fits(refused, works, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    middle = leanest(monkeypatch, 200)
    line = refused("large.png painting.png -o new.png")
    assert "large.png at 400x300 px takes about" in line and "The largest size that fits is --size 200." in line
    assert "--size 200." in refused("large.png painting.png -o new.png --size 201")
    precheck.check_memory(middle)
    monkeypatch.setattr(precheck, "free_bytes", lambda: 10**6)
    assert "1.0 MB are free. Close other programs." in refused("large.png painting.png -o new.png")
    monkeypatch.setattr(precheck, "free_bytes", lambda: 10**12)
    assert "and 2.0 MB are free. Close" in refused("large.png painting.png -o new.png --memory 2MB")
    assert "--memory: '2' is no amount of memory" in refused("large.png painting.png -o new.png --memory 2")


def test_workers_on_this_machine_take_memory_too(works, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    middle = leanest(monkeypatch, 200)
    alone, of_each = precheck.free_bytes(), estimate.worker_bytes(precheck.widths_of(middle))
    assert of_each > estimate.TENSORFLOW
    monkeypatch.setattr(precheck, "free_bytes", lambda: alone + 2 * of_each)
    precheck.check_memory(middle, "local:2")
    precheck.check_memory(middle, "tcp://host:8786")
    large = dataclasses.replace(middle, settings=middle.settings.changed(size=201))
    with pytest.raises(MemoryError, match=f"and {in_words(round(alone))} are free beside 2 workers. The largest"):
        precheck.check_memory(large, "local:2")
    monkeypatch.setattr(precheck, "free_bytes", lambda: 3 * of_each)
    with pytest.raises(MemoryError, match=r"local:3: so many workers take more memory than is free. Take fewer."):
        precheck.check_memory(middle, "local:3")


def test_the_size_that_fits_works_and_force_tries_what_may_not_fit(works, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    leanest(monkeypatch, 64)
    works("large.png painting.png -o new.png --size 64")
    works("photo.jpg painting.png -o forced.png --force")


def test_debug_shows_where(here, nst_, monkeypatch):
    code, _, err = nst_("gone.jpg painting.png --debug")
    assert code == 2 and err.startswith("Traceback") and err.splitlines()[-1].startswith("nst: gone.jpg: no such file")


def test_a_fault_of_the_program_is_told_from_bad_input(here, nst_, monkeypatch):
    monkeypatch.setattr(precheck, "check", lambda *_: {}["brush"])
    assert nst_(PAIR) == (
        1,
        "",
        "nst: a fault of the program, KeyError: 'brush'. Run it with --debug and report what it shows.\n",
    )


def test_tensorflow_is_not_imported_for_any_of_this(here):
    lines = [
        "",
        "gone.jpg painting.png",
        "cut.png painting.png",
        f"{PAIR} -s 5",
        f"{PAIR} --mask black.png",
        f"{PAIR} -i 5 5 5",
    ]
    lines += ["photo.jpg second.png cut.jpg", "again made_changed.png", f"{PAIR} --timelapse film.gif", "--help"]
    code = (
        "import sys, shlex\nfrom studio import command\n"
        "codes = [command.main(shlex.split(line)) for line in sys.argv[1:]]\n"
        "print(codes, sorted({'tensorflow', 'keras', 'scipy', 'matplotlib'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", code, *lines], env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == f"{[2] * (len(lines) - 1) + [0]} []", done.stderr


# --- What works all the same -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "with blanks.png",
        "quo'te\".png",
        "new\nline.png",
        "Málaga 京都 🎨.png",
        "[1].png",
        "-x.png",
        os.fsdecode(b"\xff.png"),
    ],
)
def test_names_of_every_kind(works, here, nst_, name):
    for old in ("photo.jpg", "painting.png"):
        shutil.copy(old, f"{old[:4]}{name}" if not name.startswith("-") else name)
    content, style = (name, name) if name.startswith("-") else (f"phot{name}", f"pain{name}")
    folder = here / f"in {Path(name).stem}"
    works([f"./{content}", f"./{style}", "-o", str(folder / name)])
    assert recipe.read(folder / name)["content"]["path"] == f"../{content}"
    assert nst_(["recipe", str(folder / name)]).code == 0
    assert nst_(["again", str(folder / name)]).code == 0
    pixels = [np.asarray(Image.open(folder / f"{Path(name).stem}{more}.png")) for more in ("", "_again")]
    np.testing.assert_array_equal(*pixels)


WORKS = [
    (f"{PAIR}", "photo_painting.png"),
    ("photo.jpg -o new.png painting.png", "new.png"),
    ("-o new.png -s 64 photo.jpg painting.png", "new.png"),
    ("photo.jpg painting.png --preserve-colors", "photo_painting.png"),
    ("photo.jpg --preserve-colors painting.png", "photo_painting.png"),
    ("--preserve-colors brightness photo.jpg painting.png", "photo_painting.png"),
    (f"{PAIR} -o nothing", "nothing/photo_painting.png"),
    (f"{PAIR} -o new/", "new/photo_painting.png"),
    (f"{PAIR} -o a/b/new.PNG", "a/b/new.PNG"),
    (f"{PAIR} -o there.png --force", "there.png"),
    (f"{PAIR} -o new.jpg --quality 40", "new.jpg"),
    (f"{PAIR} -o new.bmp", "new.bmp"),
    ("a_jpeg.png painting.png", "a_jpeg_painting.png"),
    ("photo.jpg a_jpeg.png", "photo_a_jpeg.png"),
    ("photo.jpg photo.jpg painting.png", "photo_painting.png"),
    ("link.png painting.png", "link_painting.png"),
    ("glass.png painting.png", "glass_painting.png"),
    (f"{PAIR} --mask mask.png", "photo_painting.png"),
    (f"photo.jpg --styles {PAIR} --mask mask.png", "photo_photo_painting.png"),
    (f"photo.jpg --styles {PAIR} --mask mask.png rest.png --style-mask rest.png mask.png", "photo_photo_painting.png"),
    (f"photo.jpg --styles {PAIR} --style-blend-weights 3 1 --style-scale 1 2", "photo_photo_painting.png"),
    (f"{PAIR} --init noise --style-layers conv1_1 conv3_1=0.5", "photo_painting.png"),
    (f"{PAIR} --init there.png", "photo_painting.png"),
    ("rounded.png painting.png --mask mask.png -s 50", "rounded_painting.png"),
    ("mask.png painting.png --mask rounded.png", "mask_painting.png"),
    (f"{PAIR} --timelapse film.gif --snapshots kept --force", "film.gif"),
    (f"{PAIR} --timelapse nothing/new.gif", "nothing/new.gif"),
    (f"{PAIR} --snapshots a/b", "a/b/step_00002.png"),
    (f"{PAIR} --preview", "photo_painting_preview.png"),
]


@pytest.mark.parametrize(("line", "made"), WORKS, ids=[line for line, _ in WORKS])
def test_it_works(works, here, line, made):
    before = everything_in(here)
    out = works(line)
    assert made.split("/")[-1] in out or "--snapshots a/b" in line
    Image.open(made).load()
    after, made = everything_in(here), here / made
    assert after[made] != before.get(made)
    replaced = {path for path in before if after.get(path) != before[path]}
    may_be = {made, here / "film.gif", here / "kept" / "step_00020.png"} if "--force" in line else set()
    assert {path for path in replaced if before[path][1] is not None} <= may_be
    assert not [path for path in after if path.name.startswith(".")]


def test_snapshots_of_an_earlier_run_go_only_with_force(works, here):
    coloured(Path("kept/step_of_mine.png"))
    works(f"{PAIR} --snapshots kept --force")
    assert sorted(os.listdir("kept")) == ["step_00000.png", "step_00002.png", "step_of_mine.png"]


def test_a_preview_that_was_seen_before_does_not_stand_in_the_way_but_a_picture_does(works, nst_, here):
    works(f"{PAIR} --preview")
    Path("photo_painting.png").unlink()
    works(f"{PAIR} --preview --strength 70")
    coloured(Path("new_preview.png"))
    code, _, err = nst_(f"{PAIR} --preview -o new.png")
    assert code == 2 and "new_preview.png: is there already" in err and not Path("new.png").exists()


def test_a_preview_is_smaller_but_not_too_small_to_be_painted(works):
    works("large.png painting.png --preview -s 400")
    assert Image.open("large_painting_preview.png").size == (100, 75)
    works(f"{PAIR} --preview")
    assert Image.open("photo_painting_preview.png").size == (22, 16)


def test_a_dry_run_paints_nothing(networks, nst_, here):
    before = everything_in(here)
    for line in (PAIR, "pictures painting.png"):
        code, out, _ = nst_(f"{line} -i 3 --dry-run")
        assert code == 0 and "memory" in out
    assert everything_in(here) == before


def test_again_makes_every_pixel_anew_and_takes_a_folder(networks, nst_):
    assert nst_("again made.png").code == 0
    assert nst_("again made.png -o nothing --resume").code == 0  # as a run that is stopped advises
    for path in ("made_again.png", "nothing/made_again.png"):
        np.testing.assert_array_equal(*(np.asarray(Image.open(p)) for p in ("made.png", path)))


def test_again_of_a_jpeg_as_png_needs_no_quality(works, nst_):
    works(f"{PAIR} -o new.jpg --quality 50")
    assert nst_("again new.jpg -o new.png").code == 0 and Image.open("new.png").format == "PNG"


def test_again_with_the_bundled_network_after_the_full_one_has_come(networks, nst_, monkeypatch, tmp_path):
    choose, full = weight_files.choose, tmp_path / "full.h5"
    full.write_bytes(b"another")
    monkeypatch.setattr(weight_files, "choose", lambda name: choose(name) if name == "vgg19-slim" else (full, "full"))
    assert nst_("again made.png").code == 0 and networks[0].network == "vgg19-slim"


def test_a_recipe_is_printed_as_json(here, nst_):
    code, out, err = nst_("recipe made.png")
    assert (code, err) == (0, "") and json.loads(out)["settings"]["evaluations"] == 3
    assert json.loads(out) == json.loads(read_text("made.png"))


def test_help_and_version(nst_):
    code, out, _ = nst_("--help")
    lines = out.splitlines()
    assert code == 0 and 40 < len(lines) <= 80 and max(map(len, lines)) <= 100
    assert nst_("--version")[:2] == (0, f"nst {recipe.version_of('neural-style-transfer')}\n")


# --- On the way --------------------------------------------------------------------------------------------


def interrupting(monkeypatch, kind=KeyboardInterrupt, at=2):
    """Ctrl-C, or another exception, after so many records."""
    steps, seen = LBFGS._steps, []

    def interrupted(self):
        for one in steps(self):
            yield one
            seen.append(one)
            if len(seen) == at:
                raise kind

    monkeypatch.setattr(LBFGS, "_steps", interrupted)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, command._Terminated])
def test_ctrl_c_keeps_the_best_so_far_and_the_film(networks, nst_, here, monkeypatch, kind):
    interrupting(monkeypatch, kind)
    code, out, err = nst_(f"{PAIR} -i 50 --save-every 1 --timelapse new.gif --snapshots a")
    assert code == (130 if kind is KeyboardInterrupt else 143)
    assert err.count("\n") == 1 and "Stopped by hand after 2 evaluations. The picture so far: photo_painting.png" in err
    found = recipe.read("photo_painting.png")["result"]
    assert found["evaluations"] == 2 and not found["finished"]
    assert "new.gif" in out and Image.open("new.gif").n_frames >= 2  # of pictures hardly changed
    assert len(os.listdir("a")) == 3


def test_ctrl_c_before_the_first_picture_leaves_an_older_one(networks, nst_, here, monkeypatch):
    monkeypatch.setattr(Canvas, "run", lambda *_: signal.raise_signal(signal.SIGINT))
    before = everything_in(here)
    code, _, err = nst_(f"{PAIR} -o there.png --force")
    assert (code, err) == (130, "Stopped. There is no picture yet.\n")
    assert everything_in(here) == before


def test_sigterm_while_the_input_is_checked(here, nst_, monkeypatch):
    monkeypatch.setattr(precheck, "check", lambda *_: signal.raise_signal(signal.SIGTERM))
    assert nst_(PAIR) == (143, "", "Stopped from outside.\n")


def test_handlers_are_as_before_afterwards(works):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    works(PAIR)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


class ResourceExhaustedError(Exception):
    """As TensorFlow's."""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ResourceExhaustedError("OOM when allocating"), "nst: out of memory. Take a smaller --size"),
        (MemoryError(), "nst: out of memory. Take a smaller --size"),
        (FloatingPointError("J is not finite."), "nst: J is not finite."),
    ],
)
def test_a_failure_on_the_way_is_no_bad_input(networks, nst_, monkeypatch, error, words):
    def fail(*_):
        raise error

    monkeypatch.setattr(Canvas, "run", fail)
    code, _, err = nst_(f"{PAIR} --timelapse new.gif")
    assert code == 1 and err.startswith(words) and err.count("\n") == 1


def test_a_disk_that_fills_up_leaves_the_older_picture(networks, nst_, here, monkeypatch):
    before = everything_in(here)
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    code, _, err = nst_(f"{PAIR} -o there.png --force -i 2")
    assert code == 1 and err.startswith("nst: there.png") and ": cannot write" in err and err.count("\n") == 1
    assert "No space left on device. Free some space there" in err
    assert everything_in(here) == before


def test_another_process_that_paints_the_same_is_left_alone(refused, monkeypatch):
    os.symlink("nothing", "also_nothing")
    with precheck.one_writer("nothing/new.png"):
        line = refused(f"{PAIR} -o also_nothing/new.png")
    assert "also_nothing/new.png: another process paints it at this moment. Choose another -o." in line


def test_a_reader_that_goes_away_does_not_end_the_work(networks, here, capfd, monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", buffering=1) as closed, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", closed)
        assert command.main([*PAIR.split(), "-i", "2"]) == 0
    assert Path("photo_painting.png").exists() and "nst:" not in capfd.readouterr().err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_for_what_it_prints_is_told(networks, here, capfd, monkeypatch):
    with open(os.open("/dev/full", os.O_WRONLY), "w", buffering=1) as full, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", full)
        assert command.main([*PAIR.split(), "-i", "2"]) == 1
    assert Path("photo_painting.png").exists()
    assert "nst: what it prints could not be written: No space left on device." in capfd.readouterr().err


def test_without_any_stream_it_works(networks, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        patch.setattr(sys, "stderr", None)
        assert command.main([*PAIR.split(), "-i", "2"]) == 0
    assert Path("photo_painting.png").exists()


# --- Several contents --------------------------------------------------------------------------------------

MADE = ["a_painting.png", "b_painting.png", "c_painting.png"]


def stamps(names=MADE):
    return {name: os.stat(f"out/{name}").st_mtime_ns for name in names if os.path.exists(f"out/{name}")}


def test_a_folder_is_painted_with_one_network(networks, nst_):
    code, out, _ = nst_("pictures painting.png -o out -i 2")
    assert code == 0 and len(networks) == 1
    assert sorted(os.listdir("out")) == MADE and all(f"out/{name}" in out for name in MADE)
    assert "3 contents, style painting.png" in out and "3 to paint: about" in out


def test_what_is_done_is_left_and_made_anew_with_other_settings(networks, nst_):
    assert nst_("pictures painting.png -o out -i 2").code == 0
    first = stamps()
    code, out, _ = nst_("pictures painting.png -o out -i 2")
    assert code == 0 and stamps() == first and "3 done already" in out and len(networks) == 1
    Path("out/b_painting.png").unlink()
    assert nst_("pictures painting.png -o out -i 2").code == 0
    assert {name for name, time in stamps().items() if time != first[name]} == {"b_painting.png"}
    second = stamps()
    assert nst_("pictures painting.png -o out -i 3").code == 0
    assert all(stamps()[name] != second[name] for name in MADE)
    assert recipe.read("out/a_painting.png")["settings"]["evaluations"] == 3


@pytest.mark.parametrize("bad", ["a.jpg", "b.png", "c.png"])
@pytest.mark.parametrize("with_", ["cut.png", "text.jpg", "dot.png"])
def test_one_that_fails_does_not_stop_the_rest(networks, nst_, bad, with_):
    shutil.copy(with_, f"pictures/{bad}")
    code, out, err = nst_("pictures painting.png -o out -i 2")
    name = f"{bad[0]}_painting.png"
    assert code == 1 and sorted(os.listdir("out")) == [made for made in MADE if made != name] and len(networks) == 1
    assert out.splitlines()[-1].startswith(f"failed: pictures/{bad}: ") and "Traceback" not in err
    assert out.count("failed: ") == 1


def test_out_of_memory_at_one_does_not_stop_the_rest(networks, nst_, monkeypatch):
    real = Canvas.paint

    def paint(self, *args):
        if self.painting.content.name == "b.png":
            raise ResourceExhaustedError("OOM")
        return real(self, *args)

    monkeypatch.setattr(Canvas, "paint", paint)
    code, out, _ = nst_("pictures painting.png -o out -i 2")
    assert code == 1 and sorted(os.listdir("out")) == [MADE[0], MADE[2]]
    assert "failed: pictures/b.png: out of memory." in out


def test_a_picture_of_somebody_else_is_replaced_only_with_force(networks, nst_):
    Path("out").mkdir()
    coloured(Path("out/b_painting.png"))
    before = stamps()
    code, out, _ = nst_("pictures painting.png -o out -i 2")
    assert code == 1 and "failed: pictures/b.png: out/b_painting.png: is there already" in out
    assert stamps()["b_painting.png"] == before["b_painting.png"] and len(stamps()) == 3
    assert nst_("pictures painting.png -o out -i 2 --force").code == 0
    assert recipe.read("out/b_painting.png")


@pytest.mark.parametrize("unfinished", [False, True])
def test_ctrl_c_stops_all_and_tells_what_was_made(networks, nst_, monkeypatch, unfinished):
    real = Canvas.paint

    def paint(self, *args):
        if self.painting.content.name != "b.png":
            return real(self, *args)
        if unfinished:
            real(self, *args)
        raise KeyboardInterrupt

    monkeypatch.setattr(Canvas, "paint", paint)
    code, out, err = nst_("pictures painting.png -o out -i 2")
    assert code == 130 and "out/a_painting.png" in out.splitlines() and "c_painting" not in out
    assert ("unfinished: out/b_painting.png" in out) == unfinished
    assert err.count("\n") == 1 and "Traceback" not in err


def test_pictures_that_nst_made_are_no_contents(networks, nst_):
    shutil.copy("made.png", "pictures/made.png")
    code, out, _ = nst_("pictures painting.png -o out -i 2")
    assert code == 0 and sorted(os.listdir("out")) == MADE and "1 picture that nst made itself: left out." in out


def test_contents_of_one_stem_are_told_apart(networks, nst_):
    shutil.copy("pictures/b.png", "pictures/a.PNG")
    assert nst_("pictures painting.png -o out -i 2").code == 0
    assert sorted(os.listdir("out")) == ["a-PNG_painting.png", "a-jpg_painting.png", *MADE[1:]]


def test_patterns_are_expanded_where_the_shell_does_not(networks, nst_):
    assert nst_("'pictures/*.png' painting.png -o out -i 2").code == 0
    assert sorted(os.listdir("out")) == MADE[1:]


def test_snapshots_of_several_are_kept_apart(networks, nst_):
    assert nst_("pictures painting.png -o out -i 2 --snapshots kept").code == 0
    assert sorted(os.listdir("kept")) == ["a_painting", "b_painting", "c_painting", "step_00020.png"]
    assert sorted(os.listdir("kept/a_painting")) == ["step_00000.png", "step_00002.png"]
    code, out, _ = nst_("pictures painting.png -o out -i 3 --snapshots kept")
    assert code == 1 and out.count("holds pictures of an earlier run") == 3
    assert nst_("pictures painting.png -o out -i 3 --snapshots kept --force").code == 0
    assert sorted(os.listdir("kept/a_painting")) == ["step_00000.png", "step_00003.png"]


# --- A painting as a command line --------------------------------------------------------------------------

MANY = {
    "size": 500,
    "strength": 50,
    "style_scale": (1.5, 2),
    "blend_weights": (3, 1 / 3),
    "preserve_colors": "palette",
    "evaluations": (30, 40),
    "start": "noise",
    "seed": 7,
    "optimizer": "adam",
    "memory": 4_000_000_001,
    "precision": "float32",
    "every": 5,
    "statistics": "gram",
    "content_layer": "conv4_2",
    "style_layers": {"conv1_1": 1 / 3, "conv3_1": 1},
    "tv_weight": 1e-5,
    "pooling": "max",
}
P, S1, S2 = Path("my photo.jpg"), Path("s 1.png"), Path("it's.png")
PAINTINGS = [
    Painting(content=P, styles=(S1,), output=Path("new folder/new.png")),
    Painting(content=P, styles=(S1, S2), output=Path("new.png"), settings=Settings(**MANY), network="vgg19-slim"),
    Painting(content=P, styles=(S1,), output=Path("new.jpg"), settings=Settings(beta=1 / 3), quality=80),
    Painting(content=P, styles=(S1,), output=Path("new.jpg"), settings=Settings(evaluations=60, strength=0)),
    Painting(content=P, styles=(S1, S2), output=Path("n.png"), masks=(Path("m 1.png"),), style_masks=(P, P)),
    Painting(content=P, styles=(S1,), output=Path("-o.png"), start_file=Path("noise")),
    Painting(content=Path("recipe"), styles=(Path("-s"),), output=Path("~.png"), start_file=Path("go on.png")),
    Painting(content=Path("/a/again"), styles=(Path("[1] *?.png"),), output=Path("京都\n.png")),
]


@pytest.mark.parametrize("painting", PAINTINGS, ids=range(len(PAINTINGS)))
def test_a_painting_is_told_by_its_command_line(painting, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if painting.start_file:
        painting.start_file.touch()
    words = shlex.split(arguments.as_command(painting))
    assert words[0] == "nst"
    asked = arguments.request(words[1:])
    assert asked.paintings == [painting] and not asked.several


def test_every_setting_has_an_option(tmp_path):
    fields = {field.name for field in arguments._fields()}
    assert fields == {*MANY, "beta"} and set(vars(Settings())) - fields == {"weights"}


def test_cost_weights_have_no_option():
    painting = Painting(content=P, styles=(S1,), output=P, settings=Settings(weights=nst.CostWeights(1, 2)))
    with pytest.raises(ValueError, match=r"my photo\.jpg: CostWeights have no option"):
        arguments.as_command(painting)
