"""What stands on the command line of `nst`, as `Painting`s; and a `Painting` as a command line."""

import argparse
import dataclasses
import glob
import importlib.metadata
import numbers
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from nst_support.pictures import as_path
from studio import batch
from studio.painting import EVERY, SIZE, Painting, default_output
from studio.settings import CHOICES, RANGES, SEVERAL, Settings

HEAD = """\
Paint photographs in the style of a painting: the last picture named is the style.

    nst photo.jpg painting.jpg                           makes photo_painting.png here
    nst photo.jpg painting.jpg -o new.jpg --size 1200    larger, under a name of your own
    nst holiday/ painting.jpg -o painted/                all pictures of a folder
    nst photo.jpg --styles a.jpg b.jpg                   two styles mixed
    nst photo.jpg painting.jpg --mask sky.png            only where sky.png is white
"""
TAIL = """\
    nst recipe PICTURE                                   how a picture was made
    nst again PICTURE [-o NEW]                           make it anew, every pixel equal
"""
FILM_EVERY = 3  # iterations between two pictures that a film chooses from
NOTHING = {"preview": False, "dry_run": False, "snapshots": None, "timelapse": None}  # on the way
DEFAULTS = {"size": SIZE, "evaluations": "80 a size, 60 at the last", "strength": 50, "every": EVERY}


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise ValueError(f"{message[0].lower()}{message[1:]}. See {self.prog} --help.")


def parser():
    found = Parser(
        prog="nst",
        usage="nst CONTENT [CONTENT ...] STYLE [-o OUT] [options]",
        description=HEAD + TAIL,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=30, width=100),
        allow_abbrev=False,
        add_help=False,
    )
    found.add_argument("pictures", nargs="*", metavar="PICTURE", help=argparse.SUPPRESS)
    files = found.add_argument_group("files")
    files.add_argument(
        "-o", "--output", metavar="OUT", help="the new picture (.png .jpg .webp .tif .bmp), or a folder for several"
    )
    files.add_argument("--styles", nargs="+", metavar="STYLE", help="several styles; all other pictures are contents")
    files.add_argument("--mask", nargs="+", metavar="MASK", default=[], help="a grey picture for each style, white "
                       "where it counts; without a mask the last style gets the rest")  # fmt: skip
    files.add_argument("--style-mask", nargs="+", metavar="MASK", default=[], help="which part of each style counts")
    files.add_argument("--quality", type=int, metavar="Q", help="of a JPEG, 1 to 100 (95)")
    files.add_argument("--force", action="store_true", help="replace a file that is there; try what may not fit")
    groups = {}
    for field in _fields():
        group = field.metadata["group"]
        groups[group] = groups.get(group) or found.add_argument_group(group)
        _add_setting(groups[group], field)
    last = groups[group]
    last.add_argument("--network", choices=("auto", "vgg19", "vgg19-slim"), default="auto",
                      help="auto: the full VGG-19 where it was downloaded, else the small one")  # fmt: skip
    way = found.add_argument_group("on the way")
    way.add_argument("--preview", action="store_true", help="first a picture of a quarter of the size")
    way.add_argument("--dry-run", action="store_true", help="say how much time and memory it takes, and stop")
    way.add_argument("--snapshots", metavar="FOLDER", help="keep the pictures on the way there")
    way.add_argument("--timelapse", metavar="FILE", help="a film of the way, .gif or .mp4")
    way.add_argument("--debug", action="store_true", help="show where in the code an error arose")
    way.add_argument("-h", "--help", action="help", help=argparse.SUPPRESS)
    version = f"nst {importlib.metadata.version('neural-style-transfer')}"
    way.add_argument("--version", action="version", version=version, help=argparse.SUPPRESS)
    return found


def _fields():
    return [field for field in dataclasses.fields(Settings) if field.metadata]


def options_of(field):
    """The names of a setting on the command line, such as ("-s", "--size")."""
    return (field.metadata["option"] or "--" + field.name.replace("_", "-")).split("/")


def _add_setting(group, field):
    text, metavar = field.metadata["help"], field.metadata["metavar"]
    default = DEFAULTS.get(field.name, field.default)
    if default not in (None, 0.0) and str(default) not in text:
        text += f" ({default})"
    options = {"dest": field.name, "help": text, "metavar": metavar}
    if field.name in RANGES:
        options["type"] = int if RANGES[field.name][0] is numbers.Integral else float
        options["metavar"] = metavar or "X"
    elif field.name in CHOICES and field.name != "start":
        options["choices"] = [choice for choice in CHOICES[field.name] if choice]
    elif field.name == "start":
        options["metavar"] = "KIND|FILE"
    if field.name in SEVERAL or field.name == "style_layers":
        options["nargs"] = "+"
    group.add_argument(*options_of(field), **options)


@dataclass(frozen=True)
class Request:
    """What the command line asks for."""

    paintings: list
    styles: tuple
    several: bool  # contents, or a folder of them
    skipped: int  # pictures in folders that nst made itself
    args: argparse.Namespace


def request(argv):
    """The `Request` of a command line. Raises ValueError or OSError, in the words of the command line."""
    args = parser().parse_args(_with_a_kind(argv))
    contents, styles = _pictures(args)
    paths, skipped = _found(contents)
    several = len(paths) > 1 or any(Path(content).is_dir() for content in contents)
    if args.timelapse and args.every is None:
        args.every = FILM_EVERY
    settings, start_file = _settings(args)
    outputs = _outputs(args.output, paths, styles, several)
    if several and (args.mask or start_file):
        raise ValueError("--mask and --init FILE are of one content. Name one.")
    if several and args.timelapse:
        raise ValueError("--timelapse is of one content. For several, --snapshots keeps the pictures on the way.")
    rest = {
        "styles": styles,
        "settings": settings,
        "masks": tuple(map(as_path, args.mask)),
        "style_masks": tuple(map(as_path, args.style_mask)),
        "start_file": start_file,
        "network": args.network,
        "quality": args.quality,
    }
    paintings = [Painting(content=c, output=o, **rest) for c, o in zip(paths, outputs, strict=True)]
    return Request(paintings, styles, several, skipped, args)


def _with_a_kind(argv):
    """argv with the kind of --preserve-colors, which may be left out, so that no picture is taken for it."""
    found = []
    for i, word in enumerate(argv):
        found.append(word)
        if word == "--preserve-colors" and (i + 1 == len(argv) or argv[i + 1] not in CHOICES["preserve_colors"]):
            found.append("palette")
    return found


def _pictures(args):
    pictures, styles = list(args.pictures), args.styles
    if not styles:
        styles = pictures[1:][-1:]
        pictures = pictures[:-1]
    if not pictures or not styles:
        given = len(args.pictures) + len(args.styles or [])
        raise ValueError(
            "no pictures: nst CONTENT STYLE, such as nst photo.jpg painting.jpg. See nst --help."
            if not given
            else "a content and a style are needed: nst CONTENT STYLE, pictures first, options after."
        )
    return pictures, tuple(map(as_path, styles))


def _found(contents):
    """The files of contents, which may be folders and patterns; and how many were left out, having been made by nst."""
    found, made = [], 0
    for content in contents:
        path = as_path(content)
        if path.is_dir():
            pictures, skipped = batch.pictures_in(path)
            if not pictures:
                raise ValueError(f"{content}: no picture in this folder. Name one that holds pictures.")
            made += skipped
        elif glob.has_magic(content) and not path.exists():  # where the shell does not expand patterns
            pictures = sorted(map(Path, glob.glob(str(path))))
            if not pictures:
                raise FileNotFoundError(f"{content}: no file is named like that. Check the pattern.")
        else:
            pictures = [path]
        found += pictures
    return list(dict.fromkeys(found)), made


def _outputs(output, contents, styles, several):
    if several:
        folder = Path() if output is None else as_path(output)
        if folder.suffix and not folder.is_dir():
            raise ValueError(f"{output}: several contents need a folder. Name one, such as -o painted/.")
        return batch.outputs_for(contents, styles, folder)
    if output is None:
        return [default_output(contents[0], styles)]
    path = as_path(output)
    if path.is_dir() or output.endswith(("/", "\\")):
        return [default_output(contents[0], styles, path)]
    return [path]


def _settings(args):
    """(`Settings`, the picture to start from or None)."""
    changes, start_file = {}, None
    for field in _fields():
        value = getattr(args, field.name)
        if value is None:
            continue
        if field.name == "start" and value not in CHOICES["start"]:
            start_file = as_path(value)
            if not start_file.exists():
                kinds = ", ".join(CHOICES["start"])
                raise FileNotFoundError(f"--init {value}: no such file, nor one of the kinds {kinds}.")
        elif field.name == "style_layers":
            changes[field.name] = dict(map(_layer, value))
        else:
            changes[field.name] = value[0] if isinstance(value, list) and len(value) == 1 else value
    try:
        return Settings(**changes), start_file
    except ValueError as error:
        raise ValueError(in_options(str(error))) from None


def _layer(text):
    name, _, share = text.partition("=")
    try:
        return name, float(share or 1)
    except ValueError:
        raise ValueError(f"--style-layers {text}: the share of a layer is a number, as in conv3_1=0.5.") from None


def in_options(message):
    """A message about a field of `Settings` in the words of the command line."""
    long = {field.name: options_of(field)[-1] for field in _fields()}
    return re.sub(r"^(\w+)|(?<=beside )(\w+)", lambda match: long.get(match[0], match[0]), message)


def as_command(painting):
    """The command line that makes a painting."""
    words = ["nst", str(painting.content)]
    words += ["--styles", *map(str, painting.styles)] if len(painting.styles) > 1 else [str(painting.styles[0])]
    words += ["-o", str(painting.output)]
    for option, paths in (("--mask", painting.masks), ("--style-mask", painting.style_masks)):
        words += [option, *map(str, paths)] if paths else []
    values = painting.settings.chosen() | ({"start": str(painting.start_file)} if painting.start_file else {})
    for field in _fields():
        if field.name in values and values[field.name] != DEFAULTS.get(field.name):
            value = values[field.name]
            if isinstance(value, dict):
                value = [f"{name}={share:g}" for name, share in value.items()]
            words += [options_of(field)[-1], *map(str, value if isinstance(value, list | tuple) else [value])]
    words += ["--network", painting.network] if painting.network != "auto" else []
    words += ["--quality", str(painting.quality)] if painting.quality is not None else []
    return shlex.join(words)
