"""A painting made in the background: watched, stopped, filmed; its best picture is in its file at any moment."""

import threading
import time

import numpy as np

from studio import precheck
from studio.optimise import UNITS
from studio.painting import Canvas
from studio.timelapse import Timelapse

READY, PAINTING, STOPPED, DONE, FAILED = "ready", "painting", "stopped", "done", "failed"


class FullRun:
    """One `Painting`, painted in a thread of its own.

    painting: an output that is there is replaced. watch: called with this run, from its thread, with every picture on
    the way, at most as often as `painting.settings.every` says, and once at the end. vgg: from `nst.load_vgg19`.
    Raises ValueError, OSError or MemoryError, in one sentence, for what cannot be painted.
    """

    def __init__(self, painting, vgg, watch=lambda run: None):
        precheck.check(painting, force=True)
        precheck.check_memory(painting)
        self.painting, self.vgg, self.watch = painting, vgg, watch
        self.state, self.trouble = READY, ""
        self.image, self.best, self.costs = None, None, []  # of now; of the least J; (evaluations, J)
        self._film = Timelapse(painting.output.with_suffix(".gif"))
        self._share, self._began, self._stopping = 0.0, None, threading.Event()
        self._thread = threading.Thread(target=self._paint, name="full run", daemon=True)

    def start(self):
        """Begin, and return at once."""
        self.state, self._began = PAINTING, time.monotonic()
        self._thread.start()
        return self

    def stop(self):
        """End after the evaluation being made. The best picture so far is in the file."""
        self._stopping.set()

    def wait(self):
        """Wait for the end and return the path of the picture. Ctrl-C stops the run, keeps the best and goes on up."""
        try:
            while self._thread.is_alive():
                self._thread.join(0.1)
        except KeyboardInterrupt:
            self.stop()
            self._thread.join()
            raise
        if self.state == FAILED:
            raise RuntimeError(self.trouble)
        return self.painting.output

    @property
    def seconds_left(self):
        """About how long it will take from now on, or None where that is not known yet."""
        if self.state != PAINTING or self._share < 0.02:
            return None
        return (time.monotonic() - self._began) * (1 - self._share) / self._share

    @property
    def share(self):
        """Of the work that is done, 0 to 1."""
        return self._share

    def save_film(self, path, **options):
        """Write the pictures on the way as a film, .gif or .mp4; options: of `Timelapse`. Returns its path."""
        film = Timelapse(path, **options)
        for pixels in self._film.kept:
            film.add(np.float32(pixels[None]) / 255)
        return film.save()

    # ------------------------------------------------------------------------------------ its own thread

    def _paint(self):
        try:
            with precheck.one_writer(self.painting.output):
                Canvas(self.painting).paint(self.vgg, bar=self, watchers=[self._seen])
            self.state = DONE
        except KeyboardInterrupt:
            self.state = STOPPED
        except Exception as error:  # in a thread nobody else would hear of it
            self.state, self.trouble = FAILED, str(error) or repr(error)
        self.watch(self)

    def _seen(self, record):
        self.image = record.image
        self.costs.append((record.step, record.J))
        self._film.add(record.image)
        if record.step > 0 and (self.best is None or record.J < self.best.J):
            self.best = record
        self.watch(self)

    # What `Run` asks of a progress bar. KeyboardInterrupt is how it is told to end with the picture it has.

    def update(self, units):
        self._share = min(1.0, self._share + units / UNITS)
        if self._stopping.is_set() and self._share < 1:
            raise KeyboardInterrupt

    def set_postfix_str(self, text):
        pass
