"""What stands on the command line of `nst`, as `Painting`s; and a `Painting` as a command line."""

import argparse
import contextlib
import dataclasses
import difflib
import glob
import itertools
import numbers
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from nst_support.layers import check_layers
from nst_support.memory import parse
from nst_support.pictures import as_path
from studio import batch
from studio.painting import EVERY, SIZE, Painting, default_output
from studio.recipe import version_of
from studio.scheduler import parse as parse_scheduler
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
COMMANDS = ("recipe", "again")
SEPARATORS = tuple(filter(None, (os.sep, os.altsep)))
LONG_DASHES = "\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}"  # that word processors and web pages make of --
MOST_SHARE = 1e6
DEBUG = "show where in the code an error arose"
LEFT_OUT = (("size", SIZE), ("every", EVERY))  # of a command line: the same without
DEFAULTS = {"size": SIZE, "evaluations": "80 a size, 60 at the last", "strength": 50, "every": EVERY}


class Parser(argparse.ArgumentParser):
    def error(self, message):
        wrong = next((word for word in message.split() if word.startswith("-")), "").partition("=")[0]
        if message.startswith("unrecognized") and wrong:
            like = difflib.get_close_matches(wrong, self._option_string_actions, 1)
            message = f"unknown option {wrong}" + (f": did you mean {like[0]}?" if like else ".")
        message = message.removeprefix("argument ").rstrip(".")
        raise ValueError(f"{message}{'' if message.endswith('?') else '.'} See {self.prog} --help.")


def _told(read):
    """A `type` of argparse, whose ValueError is the message."""

    def told(text):
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error).rstrip(".")) from None

    return told


@_told
def _path(text):
    if not text:
        raise ValueError("an empty name, perhaps of a variable that is not set")
    return text


@_told
def _content_layer(text):
    check_layers([text])
    return text


@_told
def _style_layer(text):
    """(name, share)"""
    name, equals, share = text.partition("=")
    check_layers([name])
    with contextlib.suppress(ValueError):
        if 0 < float(share if equals else 1) < MOST_SHARE:
            return name, float(share if equals else 1)
    raise ValueError(f"{text!r}: the share of a layer is a number above 0, as in conv3_1=0.5")


def _number(name):
    """Reads the number of a setting, in its range."""
    kind, low, high = RANGES[name]
    kind, what = (int, "whole number") if kind is numbers.Integral else (float, "number")

    def read(text):
        with contextlib.suppress(ValueError):
            if low <= kind(text) <= high:
                return kind(text)
        hint = "; pictures are named before it" if name in SEVERAL and not text[:1].isdigit() else ""
        raise ValueError(f"{text!r} is no {what} from {low:,} to {high:,}{hint}")

    return _told(read)


def _quality(text):
    with contextlib.suppress(ValueError):
        if 1 <= int(text) <= 100:
            return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to 100")


def parser():
    found = Parser(
        prog="nst",
        usage="nst CONTENT [CONTENT ...] STYLE [-o OUT] [options]",
        description=HEAD + TAIL,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=30, width=100),
        allow_abbrev=False,
        add_help=False,
    )
    found.add_argument("pictures", nargs="*", metavar="PICTURE", type=_path, help=argparse.SUPPRESS)
    files = found.add_argument_group("files")
    files.add_argument(
        "-o", "--output", metavar="OUT", type=_path,
        help="the new picture (.png .jpg .webp .tif .bmp), or a folder for several",
    )  # fmt: skip
    several = {"nargs": "+", "type": _path, "default": []}
    files.add_argument("--styles", **several, metavar="STYLE", help="several styles; all other pictures are contents")
    files.add_argument("--mask", **several, metavar="MASK", help="a grey picture for each style, white where it "
                       "counts; without a mask the last style gets the rest")  # fmt: skip
    files.add_argument("--style-mask", **several, metavar="MASK", help="which part of each style counts")
    files.add_argument("--quality", type=_quality, metavar="Q", help="of a JPEG, 1 to 100 (95)")
    files.add_argument("--force", action="store_true", help="replace a file that is there; try what may not fit")
    files.add_argument("--resume", action="store_true", help="go on where a run of the same was stopped")
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
    way.add_argument("--snapshots", metavar="FOLDER", type=_path, help="keep the pictures on the way there")
    way.add_argument("--timelapse", metavar="FILE", type=_path, help="a film of the way, .gif or .mp4")
    _add_scheduler(way)
    way.add_argument("--debug", action="store_true", help=DEBUG)
    way.add_argument("-h", "--help", action="help", help=argparse.SUPPRESS)
    version = f"nst {version_of('neural-style-transfer')}"
    way.add_argument("--version", action="version", version=version, help=argparse.SUPPRESS)
    return found


def recipe_parser():
    found = Parser(prog="nst recipe", description="Print how a picture was made: the recipe in it.", allow_abbrev=False)
    found.add_argument("picture", metavar="PICTURE", type=_path)
    found.add_argument("--debug", action="store_true", help=DEBUG)
    return found


def again_parser():
    found = Parser(prog="nst again", description="Make a picture anew by the recipe in it.", allow_abbrev=False)
    found.add_argument("picture", metavar="PICTURE", type=_path)
    found.add_argument("-o", "--output", metavar="NEW", type=_path, help="the new picture (PICTURE_again)")
    found.add_argument("--force", action="store_true", help="replace a file that is there")
    found.add_argument("--resume", action="store_true", default=True,
                       help="go on where it was stopped, as it does without this")  # fmt: skip
    _add_scheduler(found)
    found.add_argument("--debug", action="store_true", help=DEBUG)
    return found


def _add_scheduler(parser):
    text = "share the work between Dask's workers: tcp://host:8786, or local:4"
    parser.add_argument("--scheduler", metavar="ADDRESS", type=_told(parse_scheduler), help=text)


def output_again(picture, output):
    """The path of `picture` made again. output: as asked for, a file or a folder, or None."""
    name = f"{picture.stem}_again{picture.suffix}"
    if output is None:
        return picture.with_name(name)
    return as_path(output) / name if _is_folder(output) else as_path(output)


def _is_folder(output):
    return as_path(output).is_dir() or output.endswith(SEPARATORS)


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
    if field.name == "memory":
        options["type"] = _told(parse)
    elif field.name in RANGES:
        options["type"] = _number(field.name)
        options["metavar"] = metavar or "X"
    elif field.name in CHOICES and field.name != "start":
        options["choices"] = [choice for choice in CHOICES[field.name] if choice]
    elif field.name == "start":
        options["metavar"], options["type"] = "KIND|FILE", _path
    elif field.name.endswith(("layer", "layers")):
        options["type"] = _content_layer if field.name == "content_layer" else _style_layer
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
    args = parser().parse_intermixed_args(_with_a_kind(argv))
    contents, styles = _pictures(args)
    paths, skipped = _found(contents)
    several = len(paths) > 1 or any(as_path(content).is_dir() for content in contents)
    if args.timelapse and args.every is None:
        args.every = FILM_EVERY
    settings, start_file = _settings(args, len(styles))
    if several:
        _check_several(args, start_file)
    outputs = _outputs(args.output, paths, styles, several)
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


def _check_several(args, start_file):
    of_one = {"--mask": args.mask, "--init FILE": start_file, "--preview": args.preview}
    for option in [option for option, given in of_one.items() if given]:
        raise ValueError(f"{option} is of one content, and these are several. Leave it out, or name one content.")
    if args.timelapse:
        raise ValueError("--timelapse is of one content. For several, --snapshots keeps the pictures on the way.")
    if args.snapshots and args.scheduler:
        raise ValueError("--snapshots beside --scheduler: several contents are painted elsewhere. Leave one out.")
    if args.quality is not None:
        raise ValueError("--quality is of a JPEG, and several contents are saved as .png. Leave it out.")


def _with_a_kind(argv):
    """argv with the kind of --preserve-colors, which may be left out, so that no picture is taken for it."""
    found = []
    for word, after in itertools.zip_longest(argv, argv[1:], fillvalue="-"):
        found.append(word)
        if word == "--preserve-colors" and (after[:1] in ("", "-") or Path(after).suffix or os.path.exists(after)):
            found.append("palette")
    return found


def _pictures(args):
    """(contents, paths of styles)."""
    contents, styles = list(args.pictures), args.styles
    for word in contents:
        if word[0] in LONG_DASHES and not as_path(word).exists():
            raise ValueError(f"{word}: it begins with a long dash. An option begins with two short ones: --size.")
    if not styles:
        contents, styles = contents[:-1], contents[1:][-1:]
    if not (contents or styles or args.pictures):
        raise ValueError("no pictures: nst CONTENT STYLE, such as nst photo.jpg painting.jpg. See nst --help.")
    if not (contents and styles):
        raise ValueError("a content and a style are needed: nst CONTENT STYLE, pictures first, options after.")
    return contents, tuple(map(as_path, styles))


def _found(contents):
    """The files of contents, which may be folders and patterns; and how many were left out, having been made by nst."""
    found, made = [], 0
    for content in contents:
        path = as_path(content)
        if path.is_dir():
            pictures, skipped = batch.pictures_in(path)
            if not pictures:
                none = "only pictures that nst made itself are" if skipped else "no picture is"
                raise ValueError(f"{content}: {none} in this folder. Name one that holds pictures.")
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
        if folder.suffix and not _is_folder(output):
            raise ValueError(f"{output}: several contents need a folder. Name one, such as -o painted/.")
        return batch.outputs_for(contents, styles, folder)
    if output is None:
        return [default_output(contents[0], styles)]
    return [default_output(contents[0], styles, as_path(output)) if _is_folder(output) else as_path(output)]


def _settings(args, count):
    """(`Settings`, the picture to start from or None). count: of styles."""
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
            changes[field.name] = dict(value)
        else:
            changes[field.name] = value[0] if isinstance(value, list) and len(value) == 1 else value
    try:
        settings = Settings(**changes)
        settings.per_style(count)
    except ValueError as error:
        raise ValueError(in_options(str(error))) from None
    return settings, start_file


def in_options(message):
    """A message about a field of `Settings` in the words of the command line."""
    long = {field.name: options_of(field)[-1] for field in _fields()}
    return re.sub(r"^(\w+)|(?<=beside )(\w+)", lambda match: long.get(match[0], match[0]), message)


def as_command(painting):
    """The command line that makes a painting. Raises ValueError for one that only Python can ask for."""
    if painting.settings.weights is not None:
        raise ValueError(f"{painting.output}: CostWeights have no option. It can be made by studio.paint.")
    words = ["nst", _word(painting.content)]
    words += ["--styles", *map(_word, painting.styles)] if len(painting.styles) > 1 else [_word(painting.styles[0])]
    words += ["-o", _word(painting.output)]
    for option, paths in (("--mask", painting.masks), ("--style-mask", painting.style_masks)):
        words += [option, *map(_word, paths)] if paths else []
    values = painting.settings.chosen() | ({"start": _word(painting.start_file)} if painting.start_file else {})
    for field in _fields():
        if field.name in values and (field.name, values[field.name]) not in LEFT_OUT:
            value = values[field.name]
            if isinstance(value, dict):
                value = [f"{name}={share!r}" for name, share in value.items()]
            if field.name == "memory":
                value = f"{value // 1000}.{value % 1000:03}kB"
            words += [options_of(field)[-1], *map(str, value if isinstance(value, list | tuple) else [value])]
    words += ["--network", painting.network] if painting.network != "auto" else []
    words += ["--quality", str(painting.quality)] if painting.quality is not None else []
    return shlex.join(words)


def _word(path):
    """A path, so that it is taken for no option, command, kind or home folder."""
    text = str(path)
    return f"./{text}" if text.startswith(("-", "~")) or text in (*COMMANDS, *CHOICES["start"]) else text
