"""From picture files to a picture file: what is to be painted, in plain values, and the painting of it."""

import contextlib
import functools
import time
from dataclasses import dataclass, field
from pathlib import Path

from nst_support.pictures import as_path, holds_alpha, load_grey, load_with_alpha, save_image
from studio import checkpoint, precheck, recipe
from studio.levels import Levels, as_saved, held
from studio.masks import check_mask
from studio.scheduler import connected, parse
from studio.settings import CHOICES, Settings

SIZE = 600  # px, longer side, where nothing else is asked for
EVERY = 20  # evaluations between two pictures on the way
COSTS = ("step", "J", "J_content", "J_style", "seconds")
SAVING = 0.05  # of the time, that pictures on the way may take


@dataclass(frozen=True, kw_only=True)
class Painting:
    """One picture to be made: from which files, how, into which file."""

    content: Path
    styles: tuple
    output: Path
    settings: Settings = field(default_factory=Settings)
    masks: tuple = ()  # of the content, one for each style, in their order; the last may be left out
    style_masks: tuple = ()  # one for each style
    start_file: Path | None = None
    network: str = "auto"
    quality: int | None = None  # of a JPEG
    layouts: tuple = ()  # `estimate.Layout`s, on which the last bit depends; (): by the memory that is free

    def __post_init__(self):
        for name, value in (("size", SIZE), ("every", EVERY)):
            if getattr(self.settings, name) is None:
                object.__setattr__(self, "settings", self.settings.changed(**{name: value}))

    @property
    def inputs(self):
        """{what it is: path} of every picture that is read."""
        named = {"content": self.content, **_numbered("style", self.styles), **_numbered("mask", self.masks)}
        named |= _numbered("style mask", self.style_masks)
        return named if self.start_file is None else named | {"start picture": self.start_file}


def _numbered(name, paths):
    return {name if len(paths) == 1 else f"{name} {i}": path for i, path in enumerate(paths, 1)}


def paint(
    content,
    style,
    output=None,
    *,
    masks=(),
    style_masks=(),
    network="auto",
    quality=None,
    force=False,
    resume=False,
    scheduler=None,
    **changes,
):
    """Paint the picture file `content` in the style of the picture file `style`. Returns the path of the result.

    style: a path, or a list of them, whose statistics are mixed. output: by default content_style.png in the folder
    you are in; .png .jpg .webp .tif or .bmp. masks, style_masks: picture files, white where a style counts, see
    `stylise`. network: "auto", "vgg19" or "vgg19-slim". quality: of a JPEG. force: replace an output that is there.
    changes: fields of `Settings`, as in size=1200, strength=60, preserve_colors="palette"; start may be a picture file.

    resume: go on where an earlier call was stopped. scheduler: of Dask, "tcp://host:8786" or "local:4", whose workers
    compute the tiles of a large picture, see `studio.cluster`; a script that says "local:4" keeps what it does under
    `if __name__ == "__main__":`, because each worker loads it.

    The best picture so far is in the file at any moment. Raises ValueError or OSError for bad input and MemoryError
    for too large a picture, in one sentence and before any work.
    """
    address = None if scheduler is None else parse(scheduler)
    styles = [style] if _is_path(style) else list(style)
    masks, style_masks = ([paths] if _is_path(paths) else list(paths) for paths in (masks, style_masks))
    start = changes.get("start")
    start_file = None if start is None or start in CHOICES["start"] else as_path(changes.pop("start"))
    styles, masks, style_masks = (tuple(map(as_path, paths)) for paths in (styles, masks, style_masks))
    content = as_path(content)
    painting = Painting(
        content=content,
        styles=styles,
        output=default_output(content, styles) if output is None else as_path(output),
        settings=Settings(**changes),
        masks=masks,
        style_masks=style_masks,
        start_file=start_file,
        network=network,
        quality=quality,
    )
    if resume and recipe.is_done(painting):
        return painting.output
    precheck.check(painting, force, resume)
    precheck.check_memory(painting, address)
    with precheck.one_writer(painting.output), connected(address) as crew:
        return Canvas(painting).paint(resume=resume, crew=crew)


def _is_path(path):
    return isinstance(path, str | Path)


def default_output(content, styles, folder=Path()):
    """content_style.png in that folder."""
    return Path(folder) / f"{'_'.join(path.stem for path in (content, *styles))}.png"


class Canvas:
    """A `Painting` whose files are read: checked by `precheck` before. Loads TensorFlow only when it is painted.

    Raises ValueError or OSError for a file that turns out to be damaged.
    """

    def __init__(self, painting):
        self.painting, long_side = painting, painting.settings.size
        C, self.alpha = load_with_alpha(painting.content, long_side)
        if self.alpha is not None and not holds_alpha(painting.output):
            ending = painting.output.suffix
            raise ValueError(
                f"{painting.output}: {painting.content} is transparent in places, which {ending} cannot hold. Save as "
                ".png, .webp or .tif."
            )
        self.C = held(C)
        self.S, self.style_masks = styles_of(painting)
        self.masks = masks_at(painting.masks)
        self.start = None if painting.start_file is None else load_with_alpha(painting.start_file, long_side)[0]

    def run(self, vgg, crew=None):
        """The `optimise.Run` of this painting. crew: a `cluster.Crew` that computes its tiles."""
        from studio.optimise import Run
        from studio.scales import resized

        start = None if self.start is None else resized(self.start, self.C.shape[1:3])
        parts = {"visible": self.alpha, "layouts": self.painting.layouts, "crew": crew}
        return Run(self.C, self.S, vgg, self.painting.settings, start, self.masks, self.style_masks, **parts)

    def paint(self, vgg=None, bar=True, watchers=(), resume=False, crew=None):
        """Paint, keep the best picture so far in the output file, and return its path.

        vgg: as `network_of` gives it. bar: as for `stylise`. watchers: called with every record. resume: go on from the
        checkpoint beside the output, if there is one; the picture is then the one of a run that was never stopped.
        crew: as for `run`.
        Ctrl-C: KeyboardInterrupt, the picture so far being saved.
        """
        vgg = network_of(self.painting) if vgg is None else vgg
        run, place = self.run(vgg, crew), checkpoint.path_of(self.painting.output)
        best = _Best(self.painting, run, self.alpha)
        state = checkpoint.load(place) if resume else None
        if state is not None:
            best.restore(*state)
        keeper = checkpoint.Keeper(place)
        records = run.records(bar, state, lambda state: keeper(lambda: best.added_to(*state())))
        with contextlib.closing(records):
            try:
                for record in records:
                    for watcher in watchers:
                        watcher(record)
                    best.see(record)
            finally:
                best.save()
        checkpoint.remove(place)
        return self.painting.output


class _Best:
    """The best picture so far, in the output file and in checkpoints."""

    def __init__(self, painting, run, alpha):
        self.painting, self.run, self.alpha = painting, run, alpha
        self.sources, self.identity = recipe.sources(painting), recipe.identity(painting)
        self.record = self.saved = None
        self.spent, self.began = 0.0, time.perf_counter()

    def see(self, record):
        if record.step > 0 and (self.record is None or record.J < self.record.J):
            self.record = record
        if self.spent <= SAVING * (time.perf_counter() - self.began):
            start = time.perf_counter()
            self.save()
            self.spent += time.perf_counter() - start

    def save(self):
        if self.record is self.saved:
            return
        text = recipe.text(self.painting, self.sources, self.run, self.record)
        save_image(self.record.image, self.painting.output, self.painting.quality, self.alpha, text)
        self.saved = self.record

    def added_to(self, numbers, arrays):
        """A state of the run, with what it needs to be told from others and with the best picture."""
        numbers = {**numbers, "identity": self.identity, "best": None}
        if self.record is not None:
            numbers["best"] = {name: getattr(self.record, name) for name in COSTS}
            arrays = {**arrays, "best": as_saved(self.record.image).levels}
        return numbers, arrays

    def restore(self, numbers, arrays):
        from nst_utils import Record

        if numbers["best"] is not None:
            self.record = Record(**numbers["best"], image=Levels(arrays["best"]))


def styles_of(painting):
    """(images, masks) of the styles, read. Raises ValueError or OSError for one that is damaged or empty."""
    scales, _ = painting.settings.per_style(len(painting.styles))
    images = [
        held(load_with_alpha(path, max(1, round(painting.settings.size * scale)))[0])
        for path, scale in zip(painting.styles, scales, strict=True)
    ]
    return images, masks_at(painting.style_masks)


def masks_at(paths):
    """Masks, read. Raises ValueError or OSError for one that is damaged or empty."""
    masks = tuple(map(load_grey, paths))
    for path, mask in zip(paths, masks, strict=True):
        check_mask(str(path), mask, "itself", mask.shape)
    return masks


def network_of(painting):
    """The network that a painting asks for, only as deep as it needs; loaded once, when it prints which it is."""
    return _network(painting.network, (painting.settings.content, *painting.settings.layers))


@functools.lru_cache(maxsize=1)  # its traced graphs take more memory than its weights
def _network(name, layers):
    import nst_utils as nst

    return nst.load_vgg19(name, layers, download=nst.find_preset().download)
