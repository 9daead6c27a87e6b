"""How a picture was made, written into the picture: read it, print it, make it again."""

import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
from pathlib import Path

from nst_support import weight_files
from nst_support.pictures import read_text
from studio.estimate import Layout
from studio.settings import Settings

PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "pillow")
FORMAT = 1
DAMAGED = (ValueError, KeyError, TypeError, AttributeError)  # by somebody who edited it


def version_of(package):
    """Its version; "unknown" where it is not installed, as this project need not be."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(package)
    return "unknown"


def sources(painting):
    """{"content": {"path", "sha256"}, ...} of every file that a painting is made from, the network's included.

    Paths are relative to the folder of the output where they can be, so that a folder can be moved as a whole.
    """
    there, (network, _) = painting.output.absolute().parent, weight_files.choose(painting.network)
    files = {name: {"path": _relative(path, there), "sha256": _sha256(path)} for name, path in painting.inputs.items()}
    return files | {"network": {"name": painting.network, "file": network.name, "sha256": _sha256(network)}}


def _relative(path, folder):
    try:
        return Path(os.path.relpath(Path(path).absolute(), folder)).as_posix()
    except ValueError:  # on another drive of Windows
        return str(Path(path).absolute())


def _sha256(path):
    status = os.stat(path)
    return _sha256_of(os.fspath(path), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=1000)  # a style of a hundred pictures is read once
def _sha256_of(path, size, changed):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def text(painting, found, run, record):
    """The recipe as JSON. found: from `sources`. run: the `optimise.Run`; record: the `nst.Record` that is saved."""
    weights = run.weights
    recipe = {
        "program": f"neural-style-transfer {version_of('neural-style-transfer')}",
        "format": FORMAT,
        **found,
        "settings": plain(painting.settings),
        "quality": painting.quality,
        "result": {
            "J": record.J,
            "J_content": record.J_content,
            "J_style": record.J_style,
            "alpha": weights.alpha,
            "beta": weights.beta,
            "lambda": weights.style_layers,
            "evaluations": record.step,
            "finished": record.step >= sum(run.counts),
            "seconds": round(record.seconds, 1),
            "layouts": [dataclasses.asdict(layout) for layout in run.layouts],
        },
        "machine": machine(),
    }
    # a path that is no Unicode gets JSON's escapes, \udcff
    return json.dumps(recipe, ensure_ascii=False).encode(errors="backslashreplace").decode()


def plain(settings):
    """What differs from the default settings, in values that JSON holds."""
    values = settings.chosen()
    if settings.weights is not None:
        weights = settings.weights
        values["weights"] = {"alpha": weights.alpha, "beta": weights.beta, "style_layers": weights.style_layers}
    return values


def machine():
    """What else decides the last bit of a picture: versions, processor, threads."""
    from nst_support.startup import device, has_fast_bfloat16

    return {
        "python": platform.python_version(),
        **{name: version_of(name) for name in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "device": device().partition(" (")[0],
        "threads": os.cpu_count(),
        "bfloat16": has_fast_bfloat16(),
    }


def read(path):
    """The recipe in a picture file, as a dict. Raises ValueError where it has none, OSError for what is no picture."""
    found = read_text(path)
    try:
        recipe = json.loads(found or "")
        recipe["settings"], recipe["content"]["sha256"]
    except DAMAGED:
        raise ValueError(
            f"{path}: no recipe in it. Only pictures that nst made, and nobody edited, have one."
        ) from None
    if recipe.get("format") != FORMAT:
        raise ValueError(f"{path}: its recipe is of another version of nst ({recipe.get('program')}).")
    return recipe


def painting_of(path, output=None):
    """The `Painting` by the recipe in the picture `path`, to be made anew as `output`.

    Raises FileNotFoundError where a picture that it was made from is missing, ValueError where one has changed.
    """
    from studio.painting import Painting

    path, recipe = Path(path), read(path)
    try:
        sources = {name: (source["path"], source["sha256"]) for name, source in recipe.items() if _is_input(name)}
        network, settings, quality = recipe["network"], settings_of(recipe), recipe["quality"]
        network["name"], network["file"], network["sha256"]
        layouts = tuple(Layout(**layout) for layout in recipe["result"].get("layouts", ()))
    except DAMAGED as error:
        raise ValueError(f"{path}: the recipe in it is damaged ({error}). Take a picture that nobody edited.") from None
    inputs = {name: _unchanged(path, name, *source) for name, source in sources.items()}
    return Painting(
        content=inputs["content"],
        styles=_all(inputs, "style"),
        masks=_all(inputs, "mask"),
        style_masks=_all(inputs, "style mask"),
        start_file=inputs.get("start picture"),
        output=path if output is None else Path(output),
        settings=settings,
        network=_same_network(path, **network),
        quality=quality,
        layouts=layouts,
    )


def _same_network(picture, name, file, sha256):
    """What to call the network of a recipe, which "auto" need not stand for any more."""
    for called in dict.fromkeys((name, "vgg19", "vgg19-slim")):
        with contextlib.suppress(FileNotFoundError):
            if _sha256(weight_files.choose(called)[0]) == sha256:
                return called
    raise ValueError(
        f"{picture}: was made with another network, {file}, which is not here. Put that file into "
        f"{weight_files.FOLDER.name}/."
    )


def settings_of(recipe):
    values = dict(recipe["settings"])
    if "weights" in values:
        import nst_utils as nst

        values["weights"] = nst.CostWeights(**values["weights"])
    return Settings(**values)


def _is_input(name):
    return name in ("content", "start picture") or name.rstrip("0123456789 ") in ("style", "mask", "style mask")


def _all(inputs, name):
    return tuple(path for key, path in inputs.items() if key.rstrip("0123456789 ") == name)


def _unchanged(picture, name, path, sha256):
    path = Path(os.path.normpath(picture.absolute().parent / path))
    if not path.is_file():
        raise FileNotFoundError(f"{path}: the {name} of {picture} is missing. Put it there again.")
    if _sha256(path) != sha256:
        raise ValueError(f"{path}: the {name} of {picture} has changed since. Put the old one there again.")
    return path


def is_done(painting):
    """Is the output there already, finished, from the same files with the same settings?"""
    try:
        found = read(painting.output)
        return found["result"]["finished"] and _deciding(found) == identity(painting)
    except (OSError, *DAMAGED):
        return False


def identity(painting):
    """What decides the picture, as JSON holds it: two paintings of one identity are the same picture."""
    wanted = {**sources(painting), "settings": plain(painting.settings), "quality": painting.quality}
    return json.loads(json.dumps(_deciding(wanted)))


def _deciding(recipe):
    """What in a recipe decides the picture: neither names of files nor how often it was looked at on the way."""
    files = {name: recipe[name]["sha256"] for name in recipe if _is_input(name) or name == "network"}
    settings = {name: value for name, value in recipe["settings"].items() if name not in ("every", "memory")}
    return [files, settings, recipe["quality"]]
