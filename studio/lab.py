"""The live lab without its widgets: a small picture that a thread improves, always by the newest settings.

Nothing is queued. A change interrupts the search between two evaluations, whatever it is doing, and what changed in
the meantime counts as one change. Targets, weights and strength are arguments of the network's traced functions, so
nothing is traced anew.
"""

import contextlib
import dataclasses
import functools
import threading
import time
from dataclasses import dataclass

from nst_utils import tf
from studio.interrupts import on_interrupt
from studio.lbfgs import LBFGS, Stopped
from studio.optimise import Run
from studio.settings import Settings

SIDE = 256  # px, longer side: 15 evaluations a second on 2 cores, and strokes are seen
MOST = 150  # evaluations after a change, then it rests: more is hardly seen at this size
INTERVAL = 0.25  # s between two pictures handed over
FIRST = 4  # evaluations after a change before its first picture: a look at what was there already tells nothing


@dataclass(frozen=True)
class Preview:
    """What the lab has found at a moment."""

    image: tf.Tensor  # of C's size, as it would be saved
    costs: tuple  # (evaluations since the change, J), for every better picture since then
    change: int  # number of the newest change that it follows
    resting: bool  # nothing more will come until the next change
    settings: Settings  # that it is made by

    @property
    def evaluations(self):
        return self.costs[-1][0]


@dataclass(frozen=True)
class Trouble:
    """Why there is no picture after a change: a sentence for a person."""

    text: str
    change: int


@dataclass(frozen=True)
class _Wanted:
    C: object = None
    styles: tuple = ()
    settings: Settings = dataclasses.field(default_factory=Settings)
    number: int = 0


class _Newer(Exception):
    """Something else is wanted by now."""


class Lab:
    """A picture that is improved in the background until it is told what else to do. It begins at the first `change`.

    watch: called with a `Preview` or a `Trouble`, from the lab's own thread, at most some 4 times a second.
    vgg: from `nst.load_vgg19`, or a function that gives it, called once in that thread. most: evaluations after a
    change. clock: seconds. A kernel has one lab: a new one ends the one before, and so does an interrupt of the kernel.
    """

    newest = None

    def __init__(self, watch, vgg, *, most=MOST, clock=time.monotonic):
        self.watch, self.most, self._clock = watch, most, clock
        self._network = functools.cache(lambda: vgg() if not hasattr(vgg, "traced") else vgg)
        self._changed = threading.Condition()
        self._wanted, self._done, self._paused, self._ended = _Wanted(), 0, False, False
        self._C = self._G = self._shown = None
        end_newest()
        Lab.newest = self
        on_interrupt(end_newest)
        self._thread = threading.Thread(target=self._work, name="lab", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------------------------------ told by others

    def change(self, C=None, styles=None, **settings):
        """Want another C, other styles (a list of images) or settings; what is not named stays. Returns its number.

        The picture on screen is gone on from, unless C is another. Returns at once. Raises ValueError for a setting
        that makes no sense, TypeError for an unknown one.
        """
        with self._changed:
            wanted = self._wanted
            self._wanted = _Wanted(
                wanted.C if C is None else C,
                wanted.styles if styles is None else tuple(styles),
                wanted.settings.changed(**settings),
                wanted.number + 1,
            )
            self._changed.notify_all()
            return self._wanted.number

    def pause(self):
        """Leave the processor to others until `resume`."""
        self._set(paused=True)

    def resume(self):
        self._set(paused=False)

    def end(self):
        """End for good, after the evaluation that is being made."""
        self._set(ended=True)

    def _set(self, **flags):
        with self._changed:
            for name, value in flags.items():
                setattr(self, f"_{name}", value)
            self._changed.notify_all()

    @property
    def settings(self):
        """The `Settings` wanted now."""
        return self._wanted.settings

    @property
    def alive(self):
        return self._thread.is_alive()

    def wait(self, seconds=None):
        """Wait until it rests or has ended. Returns whether it does. Ctrl-C ends it."""
        try:
            with self._changed:
                return self._changed.wait_for(lambda: self._ended or self._done == self._wanted.number, seconds)
        except KeyboardInterrupt:
            self.end()
            raise

    # ------------------------------------------------------------------------------------ its own thread

    def _work(self):
        while (wanted := self._next()) is not None:
            try:
                self._improve(wanted)
            except _Newer:
                continue
            except Exception as error:  # whatever it is, a person is told, and the next change may be a good one
                self._tell(wanted, Trouble(str(error) or repr(error), wanted.number))
            self._set(done=wanted.number)

    def _next(self):
        """What to work on, as soon as there is something; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or (self._done != self._wanted.number and not self._paused))
            return None if self._ended else self._wanted

    def _check(self, wanted):
        if self._wanted is not wanted or self._paused or self._ended:
            raise _Newer

    def _improve(self, wanted):
        run = Run(wanted.C, list(wanted.styles), self._network(), wanted.settings, warn=False)
        self._check(wanted)
        scale = run.scale(len(run.sizes) - 1)
        # Without a style the photograph itself is the best there is: a search would only come near it.
        G = run.first_G(scale) if run.still or self._C is not wanted.C else self._G
        most = 1 if run.still else self.most
        phases = [self._interruptible(phase, wanted) for phase in scale.phases(most, run.plan(len(run.sizes) - 1))]
        costs = []
        with contextlib.suppress(Stopped):
            for used, J, better in LBFGS(phases, G, scale.depth):
                self._C, self._G = wanted.C, better
                costs.append((used, J))
                if used >= FIRST and self._is_due():
                    self._tell(
                        wanted, Preview(run.finished(better), tuple(costs), wanted.number, False, wanted.settings)
                    )
        self._tell(wanted, Preview(run.finished(self._G), tuple(costs), wanted.number, True, wanted.settings))

    def _interruptible(self, phase, wanted):
        def value_and_gradient(G):
            self._check(wanted)
            return phase.value_and_gradient(G)

        return dataclasses.replace(phase, value_and_gradient=value_and_gradient)

    def _is_due(self):
        return self._shown is None or self._clock() - self._shown >= INTERVAL

    def _tell(self, wanted, what):
        self._check(wanted)
        self.watch(what)
        self._shown = self._clock()


def end_newest():
    """End the lab of this process, where there is one."""
    if Lab.newest is not None:
        Lab.newest.end()
