"""What can be known of a painting before TensorFlow is loaded: is its input good, is there room, does it fit?"""

import contextlib
import functools
import hashlib
import math
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from nst_support import weight_files
from nst_support.layers import LAYERS
from nst_support.memory import NO_LIMIT, free_bytes, in_words
from nst_support.pictures import DECODED, check_ending, check_fits, picture_size, shrunk_size
from studio import checkpoint, estimate, recipe
from studio.estimate import SPARE
from studio.masks import check_aspect, check_count, number_of
from studio.scheduler import workers_here

SMALLEST = 16  # px
WITH_QUALITY = (".jpg", ".jpeg")


def check(painting, force=False, resume=False):
    """Raise ValueError or OSError for what cannot be painted, by the heads of its files.

    force: an output that is there may be replaced. resume: as may that of a run that is gone on with.
    """
    output, settings = check_ending(painting.output), painting.settings
    _check_quality(painting)
    content = shrunk_size(picture_size(painting.content), settings.size)
    _check_sides(painting.content, settings.size)
    for path in painting.inputs.values():
        check_fits(path)
    check_shared(painting)
    _check_iterations(painting, content)
    _check_masks(painting)
    going_on = resume and _can_go_on(painting)
    layout = _Sizes(painting).layout(widths_of(painting), settings.size, min(free_bytes(), settings.memory or NO_LIMIT))
    room = 4 * math.prod(content) + 2**16 + (1 if going_on else 2) * estimate.checkpoint_bytes(content, layout)
    check_new(output, "-o", painting.inputs, force or going_on, room)


def _can_go_on(painting):
    """Is there a checkpoint of this painting? Raises ValueError for one of another."""
    place = checkpoint.path_of(painting.output)
    numbers = checkpoint.numbers_in(place)
    if numbers is None:
        return False
    if numbers["identity"] != recipe.identity(painting):
        raise ValueError(
            f"{place}: is of other pictures or settings. Give those again, remove it, or choose another -o."
        )
    return True


def check_shared(painting):
    """Raise ValueError or OSError for what paintings of several contents share: styles, their masks, the network."""
    long_side, count = painting.settings.size, len(painting.styles)
    scales, _ = painting.settings.per_style(count)
    for path, scale in zip(painting.styles, scales, strict=True):
        _check_sides(path, long_side, scale)
    if painting.style_masks:
        if len(painting.style_masks) != count:
            masks, styles = number_of(len(painting.style_masks), "style mask"), number_of(count, "style")
            raise ValueError(f"{masks} for {styles}: give one for each, in their order.")
        for mask, style, scale in zip(painting.style_masks, painting.styles, scales, strict=True):
            _check_fit(mask, style, long_side * scale)
    widths_of(painting)


def _check_fit(path, picture, long_side):
    """Is the file at `path` of the shape of `picture`, as it is and as it is painted?"""
    whole = picture_size(picture)
    for size in (whole, shrunk_size(whole, max(1, round(long_side)))):
        check_aspect(str(path), picture_size(path), str(picture), size)


def has_quality(path):
    return path.suffix.lower() in WITH_QUALITY


def _check_quality(painting):
    if painting.quality is None:
        return
    if not has_quality(painting.output):
        raise ValueError(f"{painting.output}: --quality is of a JPEG. Leave it out, or save as .jpg.")
    if not 1 <= painting.quality <= 100:
        raise ValueError(f"--quality {painting.quality}: a whole number from 1 to 100.")


def _check_sides(path, long_side, scale=1.0):
    """scale: of a style."""
    size = picture_size(path)
    (n_H, n_W), options = shrunk_size(size, long_side * scale), "--size" if scale >= 1 else "--size or --style-scale"
    if min(size) < SMALLEST:
        raise ValueError(f"{path}: only {n_W}x{n_H} px, and {SMALLEST} px is the least. Take a larger picture.")
    if min(n_H, n_W) < SMALLEST:
        raise ValueError(
            f"{path}: {n_W}x{n_H} px at this size, and {SMALLEST} px is the least. Take a larger {options}, or cut it."
        )


def smallest_size(painting):
    """The smallest size, in px, at which the content and every style have sides that are long enough."""
    scales, _ = painting.settings.per_style(len(painting.styles))
    sizes = map(picture_size, (painting.content, *painting.styles))
    return max(math.ceil(SMALLEST * max(size) / min(size) / s) for size, s in zip(sizes, (1.0, *scales), strict=True))


def _check_iterations(painting, size):
    """size: (n_H, n_W) of the content, as it is painted."""
    evaluations = painting.settings.evaluations
    count = 1 if evaluations is None or np.isscalar(evaluations) else len(evaluations)
    n_H, n_W = (round(n / 2 ** (count - 1)) for n in size)
    if min(n_H, n_W) < SMALLEST:
        raise ValueError(
            f"--iterations for {count} sizes: at the first, {painting.content} would be {n_W}x{n_H} px, and {SMALLEST} "
            "px is the least. Give fewer numbers, or take a larger --size."
        )


def _check_masks(painting):
    """The number and the shapes of what has to fit the content."""
    content, masks = painting.content, painting.masks
    if masks:
        if painting.settings.blend_weights is not None:
            raise ValueError("--style-blend-weights beside --mask: a mask says where a style counts. Give one of them.")
        check_count([picture_size(mask) for mask in masks], len(painting.styles))
    for path in (*masks, *([painting.start_file] if painting.start_file else [])):
        _check_fit(path, content, painting.settings.size)


def check_new(path, option, inputs, force, size):
    """Raise ValueError or OSError where a file of `size` bytes cannot be written, or where it would replace another.

    option: that names it. inputs: {what it is: path} of pictures that must not be lost. force: replace others.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path}: a folder. Name a file in it.")
    if path.exists():
        for name, source in inputs.items():
            if path.samefile(source):
                raise ValueError(f"{path}: is the {name}, which would be lost. Choose another {option}.")
        if not force:
            raise FileExistsError(f"{path}: is there already. Choose another {option}, or replace it with --force.")
    check_room(path.parent, size, option)


def check_room(folder, size, option="-o"):
    """Raise OSError where `size` bytes cannot be written into a folder, which is made when it is needed.

    option: that names it.
    """
    there = Path(folder).absolute()
    while not there.exists():
        there = there.parent
    if not there.is_dir():
        raise NotADirectoryError(f"{folder}: {there} is a file, not a folder. Choose another {option}.")
    try:
        with tempfile.NamedTemporaryFile(dir=there, prefix=".nst-"):
            pass
    except OSError as error:
        raise type(error)(
            f"{folder}: cannot write there ({error.strerror}). Check that you may, or choose another {option}."
        ) from None
    free = shutil.disk_usage(there).free
    if free < size:
        raise OSError(f"{folder}: {in_words(free)} free, and {in_words(size)} are needed. Free some space there.")


@contextlib.contextmanager
def one_writer(path):
    """Hold the right to write a file. Yields a function: has it been written meanwhile?

    Raises FileExistsError where another process has that right.
    """
    name = hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:16]
    user = os.getuid() if hasattr(os, "getuid") else ""  # others' locks may not be opened
    place = Path(tempfile.gettempdir()) / f"nst-{user}-{name}.lock"
    lock = FileLock(place)
    try:
        lock.acquire(timeout=0)
        while not place.exists():  # removed by the one before, after this one had opened it
            lock.release()
            lock.acquire(timeout=0)
    except Timeout:
        raise FileExistsError(f"{path}: another process paints it at this moment. Choose another -o.") from None
    before = _state(path)
    try:
        yield lambda: _state(path) not in (before, None)
    finally:
        with contextlib.suppress(OSError):  # Windows removes no open file
            place.unlink()
        lock.release()


def _state(path):
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def check_memory(painting, scheduler=None):
    """Raise MemoryError, naming the largest size that fits, where a painting takes more than is free.

    scheduler: its address, where the painting's tiles are computed.
    """
    if shutil.which("nvidia-smi"):
        return  # it is the GPU's memory that counts
    sizes, widths, free, workers = _Sizes(painting), widths_of(painting), free_bytes(), workers_here(scheduler)
    long_side = max(sizes.of_content(painting.settings.size))
    free = min(free - workers * estimate.worker_bytes(widths), painting.settings.memory or free)
    if free <= 0:
        raise MemoryError(f"{scheduler}: so many workers take more memory than is free. Take fewer.")
    need = sizes.memory(widths, long_side, free)
    if need <= free:
        return
    smaller = () if painting.layouts else range(long_side - 1, smallest_size(painting) - 1, -1)
    fits = next((size for size in smaller if sizes.memory(widths, size, free) <= free), None)
    n_H, n_W = sizes.of_content(long_side)
    advice = f"The largest size that fits is --size {fits}." if fits else "Close other programs."
    left = f" beside {workers} workers" if workers else ""
    raise MemoryError(
        f"{painting.content} at {n_W}x{n_H} px takes about {in_words(round(need))} of memory, and {in_words(free)} are "
        f"free{left}. {advice}"
    )


def memory_of(painting):
    """About how many bytes the process takes for a painting, TensorFlow and the files included."""
    free = min(free_bytes(), painting.settings.memory or NO_LIMIT)
    return _Sizes(painting).memory(widths_of(painting), painting.settings.size, free)


class _Sizes:
    """The sizes of a painting's files, read once."""

    def __init__(self, painting):
        self.settings, self.layouts = painting.settings, painting.layouts
        self.files = [picture_size(path) for path in painting.inputs.values()]
        self.styles = self.files[1 : 1 + len(painting.styles)]
        self.scales, _ = painting.settings.per_style(len(painting.styles))
        self.masks = len(painting.styles) if painting.masks else 0

    def of_content(self, long_side):
        return shrunk_size(self.files[0], long_side)

    def memory(self, widths, long_side, free):
        """free: bytes, by which it is chosen how the picture is painted."""
        reading = DECODED * max(n_H * n_W for n_H, n_W in self.files)
        styles = [shrunk_size(size, long_side * scale) for size, scale in zip(self.styles, self.scales, strict=True)]
        layout = self.layout(widths, long_side, free)
        looking = 0 if layout.tile else max(estimate.memory_of_targets(widths, size) for size in styles)
        return SPARE * (estimate.TENSORFLOW + max(reading, looking, layout.need))

    def layout(self, widths, long_side, free):
        if self.layouts:
            return self.layouts[-1]
        size, settings, left = self.of_content(long_side), self.settings, free - SPARE * estimate.TENSORFLOW
        return estimate.layout(widths, settings.content, size, settings.optimizer, left, 2, self.masks)


def widths_of(painting):
    """{layer: channels} of the network, as deep as it is computed.

    Raises ValueError for a weight file that is broken or not as deep, FileNotFoundError for one that is missing.
    """
    path, _ = weight_files.choose(painting.network)
    status, widths = os.stat(path), {}
    found = _widths(path, status.st_size, status.st_mtime_ns)
    for name in LAYERS[: 1 + max(map(LAYERS.index, (painting.settings.content, *painting.settings.layers)))]:
        if name not in found:
            raise ValueError(f"{path}: this network has no {name}. Choose layers that are not as deep, or a --network.")
        widths[name] = found[name]
    return widths


@functools.lru_cache(maxsize=4)  # read once for many contents
def _widths(path, size, changed):
    return {name: len(bias) for name, (_, bias) in weight_files.read_weights(path).items()}
