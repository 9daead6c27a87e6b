"""Many pictures in one go: one network, one bar, and what failed is told at the end."""

import contextlib
from collections import Counter
from pathlib import Path

from tqdm.auto import tqdm

from nst_support.pictures import is_picture_name
from studio import errors, precheck, recipe
from studio.painting import Canvas, default_output


def outputs_for(contents, styles, folder):
    """A path in `folder` for each content: CONTENT_STYLE.png; the ending is told where two share a stem."""
    names = [default_output(content, styles).stem for content in contents]
    count = Counter(map(str.casefold, names))  # A.png and a.png are one file on many disks
    found = []
    for content, name in zip(contents, names, strict=True):
        if count[name.casefold()] > 1:
            name = default_output(content.with_stem(f"{content.stem}-{content.suffix[1:]}"), styles).stem
        found.append(Path(folder) / f"{name}.png")
    count = Counter(str(path).casefold() for path in found)
    for path in found:
        if count[str(path).casefold()] > 1:
            raise ValueError(f"{path}: two contents of one name would be saved there. Rename one.")
    return found


def pictures_in(folder):
    """The picture files of a folder, by name, without those that have a recipe, and how many these are."""
    found = sorted(path for path in Path(folder).iterdir() if path.is_file() and is_picture_name(path))
    made = [path for path in found if _has_recipe(path)]
    return [path for path in found if path not in made], len(made)


def _has_recipe(path):
    with contextlib.suppress(OSError, ValueError):
        recipe.read(path)
        return True
    return False


class Report:
    """What became of many paintings: made, done already, unfinished, failed with its reason."""

    def __init__(self):
        self.made, self.done, self.unfinished, self.failed = [], [], [], {}

    def print(self):
        for path in self.made:
            print(path)
        for path in self.unfinished:
            print(f"unfinished: {path}")
        if self.done:
            print(f"{len(self.done)} done already, with the same settings.")
        for content, reason in self.failed.items():
            print(f"failed: {content}: {reason.removeprefix(f'{content}: ')}")

    @contextlib.contextmanager
    def guarding(self, painting):
        """A failure within the block is this painting's, and does not go on."""
        try:
            yield
        except Exception as error:
            if not errors.is_expected(error):
                raise
            self.failed[painting.content] = errors.in_one_line(error)


def still_to_do(paintings, report, force=False, resume=False, check_more=lambda painting: None, here=True):
    """The paintings that are neither done nor bad, by the heads of their files; the others go to the report.

    An output that is there is left where it is the same picture, made anew where it is of the same content with
    other settings, and else refused without `force`. check_more: raises ValueError or OSError for one that is bad.
    here: is this machine's memory what counts?
    """
    left = []
    for painting in paintings:
        with report.guarding(painting):
            if not force and recipe.is_done(painting):
                report.done.append(painting.output)
                continue
            precheck.check(painting, force or is_ours(painting), resume)
            check_more(painting)
            if here and not force:
                precheck.check_memory(painting)
            left.append(painting)
    return left


def is_ours(painting):
    """Is the output a picture of the same content, made by nst?"""
    with contextlib.suppress(OSError, ValueError):
        return recipe.read(painting.output)["content"]["sha256"] == recipe.sources(painting)["content"]["sha256"]
    return False


def estimated(paintings, vgg, report):
    """(the paintings without those at the front that cannot be read, about how many seconds they all take)."""
    for i, painting in enumerate(paintings):
        with report.guarding(painting):
            return paintings[i:], len(paintings[i:]) * Canvas(painting).run(vgg).seconds
    return [], 0.0


def paint_all(paintings, vgg, report, *, bar=True, resume=False, watchers_of=lambda painting: ()):
    """Paint them one after the other. One that fails does not stop the rest; Ctrl-C stops all."""
    from studio.optimise import BAR, UNITS  # TensorFlow is loaded by now

    with tqdm(total=UNITS * len(paintings), bar_format=BAR, disable=not bar) as progress:
        for i, painting in enumerate(paintings):
            progress.set_description(f"{painting.content.name} ({i + 1} of {len(paintings)})")
            with report.guarding(painting), precheck.one_writer(painting.output) as has_written:
                try:
                    Canvas(painting).paint(vgg, progress, watchers_of(painting), resume)
                except KeyboardInterrupt:
                    report.unfinished += [painting.output] if has_written() else []
                    raise
                report.made.append(painting.output)
            progress.update(UNITS * (i + 1) - progress.n)
