"""What can be known of a painting before TensorFlow is loaded: is its input good, is there room, does it fit?"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from nst_support import weight_files
from nst_support.layers import LAYERS
from nst_support.pictures import check_ending, picture_size
from studio import estimate
from studio.masks import check_aspect, check_mask, completed
from studio.memory import free_bytes, in_words

SPARE = 1.1  # times the memory that the estimate says
DECODED = 7  # bytes a pixel that reading a file takes at most: as decoded, and in the mode that it is turned into
SMALLEST = 16  # px


def check(painting, force=False):
    """Raise ValueError or OSError for what cannot be painted, by the heads of its files. force: replace the output."""
    check_ending(painting.output)
    painting.settings.per_style(len(painting.styles))
    sizes = {name: picture_size(path) for name, path in painting.inputs.items()}
    for name, path in painting.inputs.items():
        if painting.output.exists() and painting.output.samefile(path):
            raise ValueError(f"{painting.output}: the output is the {name}, which would be lost. Choose another -o.")
        if not name.startswith(("mask", "style mask")):
            _check_sides(path, sizes[name], painting.settings.size)
    weight_files.choose(painting.network)
    if painting.quality is not None and painting.output.suffix.lower() not in (".jpg", ".jpeg"):
        raise ValueError(f"{painting.output}: a quality is of a JPEG. Leave it out, or save as .jpg.")
    _check_shapes(painting)
    _check_output(painting, force)


def _check_sides(path, size, long_side):
    n_H, n_W = shrunk(size, long_side)
    if min(n_H, n_W) < SMALLEST:
        raise ValueError(
            f"{path}: {n_W}x{n_H} px at this size, and {SMALLEST} px is the least. Take a larger --size, or cut it."
        )


def shrunk(size, long_side):
    """(n_H, n_W) of a picture brought to that longer side, but never enlarged."""
    scale = min(1.0, long_side / max(size))
    return tuple(max(1, round(n * scale)) for n in size)


def _check_shapes(painting):
    """The number and the shapes of masks."""
    content, styles = painting.content, painting.styles
    if painting.masks:
        if painting.settings.blend_weights is not None:
            raise ValueError("blend weights beside masks: a mask says where a style counts. Give one of the two.")
        completed([np.empty(picture_size(mask), bool) for mask in painting.masks], len(styles))
    if painting.style_masks and len(painting.style_masks) != len(styles):
        raise ValueError(
            f"{len(painting.style_masks)} style masks for {len(styles)} styles: give one for each, in their order."
        )
    pairs = [(mask, content) for mask in painting.masks]
    pairs += zip(painting.style_masks, styles, strict=bool(painting.style_masks))
    pairs += [(painting.start_file, content)] if painting.start_file else []
    for mask, picture in pairs:
        check_aspect(str(mask), picture_size(mask), str(picture), picture_size(picture))


def check_masks(painting, masks, style_masks):
    """Raise ValueError for a mask, as read, that is empty."""
    for path, mask in zip((*painting.masks, *painting.style_masks), (*masks, *style_masks), strict=True):
        check_mask(str(path), mask, "itself", mask.shape)


def _check_output(painting, force):
    path = painting.output
    if path.is_dir():
        raise IsADirectoryError(f"{path}: a folder. Name a picture in it.")
    if path.exists() and not force:
        raise FileExistsError(f"{path}: is there already. Choose another -o, or replace it with --force.")
    check_room(path.parent, 4 * int(np.prod(shrunk(picture_size(painting.content), painting.settings.size))) + 2**16)


def check_room(folder, size):
    """Raise OSError where `size` bytes cannot be written into a folder, which is made when it is needed."""
    there = Path(folder).absolute()
    while not there.exists():
        there = there.parent
    if not there.is_dir():
        raise NotADirectoryError(f"{folder}: {there} is a file, not a folder. Choose another -o.")
    try:
        with tempfile.NamedTemporaryFile(dir=there, prefix=".nst-"):
            pass
    except OSError as error:
        raise type(error)(
            f"{folder}: cannot write there ({error.strerror}). Check that you may, or choose another -o."
        ) from None
    free = shutil.disk_usage(there).free
    if free < size:
        raise OSError(f"{folder}: {in_words(free)} free, and {in_words(size)} are needed. Free some space there.")


@contextlib.contextmanager
def one_writer(path):
    """Hold the right to write a file. Raises FileExistsError where another process has it."""
    name = hashlib.sha256(os.fsencode(Path(path).absolute())).hexdigest()[:16]
    lock = FileLock(Path(tempfile.gettempdir()) / f"nst-{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise FileExistsError(f"{path}: another process paints it at this moment. Choose another -o.") from None
    try:
        yield
    finally:
        lock.release()


def check_memory(painting):
    """Raise MemoryError, naming the largest size that fits, where a painting takes more than is free."""
    if shutil.which("nvidia-smi"):
        return  # it is the GPU's memory that counts
    sizes, widths, free = _Sizes(painting), widths_of(painting), free_bytes()
    long_side = max(sizes.of_content(painting.settings.size))
    need = sizes.memory(widths, long_side)
    if need <= free:
        return
    fits, too_large = 0, long_side
    while too_large - fits > 1:
        middle = (fits + too_large) // 2
        fits, too_large = (middle, too_large) if sizes.memory(widths, middle) <= free else (fits, middle)
    n_H, n_W = sizes.of_content(long_side)
    advice = f"The largest size that fits is --size {fits}." if fits >= SMALLEST else "Close other programs."
    raise MemoryError(
        f"{painting.content} at {n_W}x{n_H} px takes about {in_words(round(need))} of memory, and {in_words(free)} are "
        f"free. {advice}"
    )


def memory_of(painting):
    """About how many bytes the process takes for a painting, TensorFlow and the files included."""
    return _Sizes(painting).memory(widths_of(painting), painting.settings.size)


class _Sizes:
    """The sizes of a painting's files, read once."""

    def __init__(self, painting):
        self.settings = painting.settings
        self.files = [picture_size(path) for path in painting.inputs.values()]
        self.styles = self.files[1 : 1 + len(painting.styles)]
        self.scales, _ = painting.settings.per_style(len(painting.styles))

    def of_content(self, long_side):
        return shrunk(self.files[0], long_side)

    def memory(self, widths, long_side):
        reading = DECODED * max(n_H * n_W for n_H, n_W in self.files)
        styles = [shrunk(size, long_side * scale) for size, scale in zip(self.styles, self.scales, strict=True)]
        looking = max(estimate.memory_of_targets(widths, size) for size in styles)
        size = self.of_content(long_side)
        searching = estimate.peak_memory(widths, size, estimate.fitting(self.settings.optimizer, size))
        return SPARE * (estimate.TENSORFLOW + max(reading, looking, searching))


def widths_of(painting):
    """{layer: channels} of the network, as deep as it is computed. Raises ValueError for a broken weight file."""
    path, _ = weight_files.choose(painting.network)
    deepest = max(map(LAYERS.index, (painting.settings.content, *painting.settings.layers)))
    weights = weight_files.read_weights(path)
    return {name: len(weights[name][1]) for name in LAYERS[: deepest + 1] if name in weights}
