"""A run as a short film, GIF or MP4, in which every moment changes about as much as the next."""

import contextlib
import errno
import io
import itertools
import numbers
import subprocess
import tempfile

import imageio_ffmpeg
import numpy as np
from PIL import Image

from nst_support.pictures import as_path, check_image
from nst_support.whole_file import whole_file, write_whole

ENDINGS = (".gif", ".mp4")
TICKS = 25  # per second, in which a picture is shown for a whole number of them; a GIF counts in 1/100 s
SECONDS, HELD = 4, 1  # of the way, and of the last picture
RANGES = {"long_side": (16, 4096), "frames": (2, SECONDS * TICKS)}
MOST_KEPT, LEFT = 4, 2  # times `frames`: from the first number of pictures on, they are thinned to the second
GIF_BYTES, AS_BEFORE = 3_000_000, 255  # the last number of a colour is that of transparency
UNSEEN = (8, 12, 16)  # levels of 255, by which a pixel of a GIF may be off before it is drawn anew: the first that fits
SAMPLE = 60_000  # pixels from which the palette of a GIF is made: more take long and gain nothing


def check_ending(path):
    """`path` as a pathlib.Path, if a film can be written under that name.

    Raises ValueError for another ending than .gif and .mp4, and for .mp4 where there is no ffmpeg for this machine;
    TypeError for anything but a path.
    """
    path = as_path(path)
    if path.suffix.lower() not in ENDINGS:
        raise ValueError(f"{path}: the ending {path.suffix!r} is unknown. Choose {' or '.join(ENDINGS)}.")
    if path.suffix.lower() == ".mp4":
        try:
            imageio_ffmpeg.get_ffmpeg_exe()
        except RuntimeError as error:
            raise ValueError(f"{path}: there is no ffmpeg for this machine, which .mp4 needs. Choose .gif.") from error
    return path


class Timelapse:
    """A film of a run's pictures: give it each with `add`, then `save`, at any moment and as often as you like.

    path: ending in .gif or .mp4, see `check_ending`. long_side: px; a picture is shrunk to it, never enlarged.
    frames: of the film, 2 to 100. It takes about 4 seconds, and shows the last picture for one more.
    Holds at most 4 times as many small pictures, so memory is bounded however long the run.
    Raises ValueError for another path or number.
    """

    def __init__(self, path, long_side=480, frames=48):
        self.path, self.long_side, self.frames = check_ending(path), long_side, frames
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not (isinstance(value, numbers.Integral) and low <= value <= high):
                raise ValueError(f"{name} = {value!r}: a whole number from {low} to {high}.")
        self.kept = []  # uint8 (n_H, n_W, 3), all of the last one's size

    def add(self, image):
        """Keep a small copy of an image (1, n_H, n_W, 3), if it differs from the one before."""
        pixels = np.rint(check_image("a picture of the timelapse", image)[0].numpy().clip(0, 1) * 255).astype(np.uint8)
        n_H, n_W = pixels.shape[:2]
        scale = min(1.0, self.long_side / max(n_H, n_W))
        pixels = _resized(pixels, max(1, round(n_H * scale)), max(1, round(n_W * scale)))
        self.kept = [_resized(one, *pixels.shape[:2]) for one in self.kept]
        if not (self.kept and np.array_equal(self.kept[-1], pixels)):
            self.kept.append(pixels)
        if len(self.kept) > MOST_KEPT * self.frames:
            self.kept = _evenly_changing(self.kept, LEFT * self.frames)

    def save(self):
        """Write the film: `frames` pictures, evenly spaced in change, the first and the last among them.

        Change is the root mean square distance between neighbours, summed up. Where fewer pictures differ, it is
        those. A GIF is made smaller until it has less than 3 MB. Sides of an MP4 are made even by repeating a border.
        The file appears whole or not at all. Returns its pathlib.Path.
        Raises ValueError if no picture was added, OSError where the disk refuses.
        """
        if not self.kept:
            raise ValueError(f"{self.path}: there is no film of no pictures. Add some before saving.")
        pictures = _evenly_changing(self.kept, self.frames)
        ticks = max(1, round(SECONDS * TICKS / max(1, len(pictures) - 1)))
        if self.path.suffix.lower() == ".gif":
            return write_whole(self.path, _small_gif(pictures, ticks))
        with whole_file(self.path) as temporary:
            _write_mp4(pictures, ticks, temporary)
        return self.path


def _resized(pixels, n_H, n_W):
    if pixels.shape[:2] == (n_H, n_W):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((n_W, n_H), Image.Resampling.LANCZOS))


def _evenly_changing(pictures, count):
    changes = [
        float(np.sqrt(np.mean(np.square(np.subtract(a, b, dtype=np.float32))))) for a, b in itertools.pairwise(pictures)
    ]
    return [pictures[i] for i in evenly_spaced(np.cumsum([0.0, *changes]), count)]


def evenly_spaced(positions, count):
    """The indices of `count` of these rising numbers, first and last among them, in as equal distances as can be.

    That is, with the least sum of squared distances; found exactly, by dynamic programming. All, where there are
    no more than `count`.
    """
    n = len(positions)
    if n <= count:
        return list(range(n))
    squares = np.square(np.subtract.outer(positions, positions, dtype=np.float64)).T
    squares[np.tril_indices(n)] = np.inf  # only forwards
    least, came_from = squares[0], []  # sum of squares on the best way to each, in one step, two, ...
    for _ in range(count - 2):
        sums = least[:, None] + squares
        came_from.append(sums.argmin(0))
        least = sums.min(0)
    way = [n - 1]
    for previous in reversed(came_from):
        way.append(int(previous[way[-1]]))
    return [0, *reversed(way)]


def _small_gif(pictures, ticks):
    """The bytes of a GIF below the limit: changes wait longer, and where that is not enough, it is smaller."""
    for unseen in UNSEEN:
        data = _gif(pictures, ticks, unseen)
        if len(data) <= GIF_BYTES:
            return data
    while len(data) > GIF_BYTES and min(pictures[0].shape[:2]) > 16:
        scale = max(0.5, 0.95 * np.sqrt(GIF_BYTES / len(data)))
        size = [int(n * scale) for n in pictures[0].shape[:2]]
        pictures = [_resized(one, *size) for one in pictures]
        data = _gif(pictures, ticks, unseen)
    return data


def _gif(pictures, ticks, unseen):
    """The bytes of a GIF in one palette, where only those pixels are drawn anew that would be visibly off.

    Without dithering, which flickers, and with what repeats left transparent it has a third of the bytes that a
    palette for each frame takes.
    """
    colours = _palette(pictures)
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours.tobytes())
    frames, shown = [], None
    for i, pixels in enumerate(pictures):
        nearest = np.asarray(Image.fromarray(pixels).quantize(palette=palette, dither=Image.Dither.NONE))
        if shown is None:
            drawn = shown = nearest
        else:
            off = np.abs(np.subtract(colours[shown], pixels, dtype=np.int16)).max(-1)
            same = (nearest == shown) | ((off <= unseen) & (i < len(pictures) - 1))
            drawn, shown = np.where(same, np.uint8(AS_BEFORE), nearest), np.where(same, shown, nearest)
        frames.append(Image.fromarray(drawn))
        frames[-1].putpalette(colours.tobytes())
    milliseconds = [1000 * ticks // TICKS] * (len(frames) - 1) + [1000 * HELD]
    options = {"duration": milliseconds, "loop": 0, "disposal": 1, "transparency": AS_BEFORE, "optimize": False}
    encoded = io.BytesIO()
    frames[0].save(encoded, "GIF", save_all=True, append_images=frames[1:], **options)
    return encoded.getvalue()


def _palette(pictures):
    """Up to 255 colours of these pictures, (256, 3) uint8; what is left repeats the first, which is found before it."""
    step = int(np.ceil(np.sqrt(len(pictures) * pictures[0].size / 3 / SAMPLE)))
    some = np.concatenate([one[::step, ::step] for one in pictures])
    chosen = Image.fromarray(some).quantize(AS_BEFORE, Image.Quantize.MEDIANCUT, kmeans=1)
    found = np.reshape(chosen.getpalette(), (-1, 3))[: chosen.getextrema()[1] + 1]
    return np.concatenate([found, np.tile(found[0], (256 - len(found), 1))]).astype(np.uint8)


def _write_mp4(pictures, ticks, path):
    """H.264 with colour at half the size, BT.709, which every player shows; for that, sides must be even."""
    n_H, n_W = pictures[0].shape[:2]
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{n_W + n_W % 2}x{n_H + n_H % 2}", "-framerate", str(TICKS)]
    colour = ["-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", "-color_range", "tv"]
    colour += ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
    coding = ["-c:v", "libx264", "-crf", "18", "-movflags", "+faststart", "-y", f"file:{path}"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *source, "-i", "-", *colour, *coding]
    with tempfile.TemporaryFile() as log:
        code = _pipe(_ticking(pictures, ticks), command, log)
        log.seek(0)
        said = log.read().decode(errors="replace").strip()
    if code:
        reason = errno.ENOSPC if "No space left" in said else errno.EIO
        raise OSError(reason, f"ffmpeg says {said[-300:] or 'nothing, and ended early'}")


def _ticking(pictures, ticks):
    """The bytes of each frame at 1/25 s, with even sides."""
    n_H, n_W = pictures[0].shape[:2]
    for i, pixels in enumerate(pictures):
        frame = np.pad(pixels, ((0, n_H % 2), (0, n_W % 2), (0, 0)), "edge").tobytes()
        yield from itertools.repeat(frame, ticks if i < len(pictures) - 1 else HELD * TICKS)


def _pipe(frames, command, log):
    """Give the frames to a program, which writes its messages to the file `log`. Returns its exit status."""
    program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
    with program, contextlib.suppress(OSError):  # it has ended early, and its log says why
        for frame in frames:
            program.stdin.write(frame)
        program.stdin.close()
    return program.returncode
