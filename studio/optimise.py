"""Stylise with fewer, better steps: from a coarse picture to the fine one, by bounded L-BFGS."""

import contextlib
import dataclasses
import functools
import time
from dataclasses import dataclass

import numpy as np
from tqdm.auto import tqdm

import nst_utils as nst
from nst_support.memory import free_bytes, gpu_bytes
from nst_support.pictures import shrunk_size
from nst_support.startup import has_fast_bfloat16, has_gpu, interrupted
from nst_utils import tf
from studio import devices, estimate
from studio.adam import Adam
from studio.axes import LEAST, SHARE, share_along_axes
from studio.colours import with_colours_of
from studio.far_tiles import FarTiles
from studio.lbfgs import LBFGS, Phase, Stopped
from studio.levels import as_saved, checked, floats
from studio.objective import Objective
from studio.regions import Regions
from studio.scales import FINE_EVALUATIONS, carried_up, check_sides, ladder, resized, seeded
from studio.settings import Settings
from studio.tiles import TiledObjective

MOST_BFLOAT16 = 60  # evaluations at full size, after which its rounding costs more than it saves
TOLERANCE = {"float32": 1e-6, "bfloat16": 1e-3}  # relative error of J
UNITS = 1000  # of a progress bar, in which a run counts its work: evaluations times pixels
EVERY = 10  # evaluations between two records
RARELY = 8  # times as many at the coarse sizes of a picture in tiles
HELD = 4  # pictures of the full size, while the search is at a smaller one
BAR = "{l_bar}{bar}| {elapsed}<{remaining}{postfix}"
TINY, FLAT = 64, 0.02  # px, and spread of values, below which S has no strokes to show


def stylise(C, S, vgg=None, settings=None, *, start=None, masks=(), style_masks=(), visible=None, bar=True, **changes):
    """Stylise C as S. A generator of `nst.Record`s, like `nst.train`, in far fewer steps.

    C: an image. S: an image, or a list of them, whose statistics are mixed. vgg: from `nst.load_vgg19`; None: what
    the preset says, loaded once. settings: `Settings`; changes: fields of it by name, as in
    stylise(C, S, beta=30, evaluations=(80, 60)).
    start: an image of C's size to go on from, at that size alone unless evaluations says otherwise; or a
    kind of `nst.start_image`. bar: show progress; or a tqdm of your own, which then goes on by `UNITS`.
    masks: an array (h, w) in [0, 1] for each S, of C's shape: where in the picture it counts. One may be missing:
    the last S then gets what the others leave; with one S and one mask, the rest keeps to C.
    style_masks: for each S, of its shape: which part of it counts. visible: (h, w), C's opacity.

    Prints how much time and memory it will take before the first step. A record's step counts
    evaluations at all sizes; its image has C's size, its costs are that image's, in float32. Ctrl-C:
    a last record, of the picture so far, then KeyboardInterrupt, so that a loop over many pictures ends.
    Raises ValueError for bad input, TypeError for an unknown setting, both before any work, and
    FloatingPointError if J is not finite from the start.
    """
    settings = (settings or Settings()).changed(**changes)
    if isinstance(start, str):
        settings, start = settings.changed(start=start), None
    return Run(C, S, vgg, settings, start, masks, style_masks, visible).records(bar)


@functools.cache
def found_network():
    """The network that the preset names, loaded once."""
    run = nst.find_preset()
    return nst.load_vgg19(run.network, download=run.download)


def _warn_of_a_poor_style(name, S):
    if max(S.shape[1:3]) < TINY:
        print(f"{name} is only {S.shape[2]}x{S.shape[1]} px: there is hardly a stroke in it. A larger one gives more.")
    elif float(tf.reduce_max(tf.math.reduce_std(floats(S), [0, 1, 2]))) < FLAT:
        print(f"{name} is nearly one colour: there is no stroke in it, so little but noise can come of it.")


@dataclass(frozen=True)
class _Scale:
    """One size: C there, what a finer picture's detail is told by, and J of a G of that size by precision."""

    C: tf.Tensor
    base: tf.Tensor
    objectives: dict
    depth: float  # of the notch, see `axes`

    def phases(self, count, plan):
        """plan: {precision: share of the evaluations}, of which the last gets what rounding leaves."""
        left, phases = count, []
        for i, (name, share) in enumerate(plan.items(), 1):
            n = left if i == len(plan) else round(count * share)
            phases.append(Phase(self.objectives[name].value_and_gradient, n, TOLERANCE[name]))
            left -= n
        return [phase for phase in phases if phase.evaluations]


class Run:
    """A run of `stylise`: its input, checked when made, its estimate, its records. Arguments as there.

    layouts: an `estimate.Layout` for each size; (): by the memory that is free. warn: print a line on a style that has
    hardly a stroke in it. crew: a `cluster.Crew` that computes the tiles.
    """

    def __init__(
        self, C, S, vgg, settings, start=None, masks=(), style_masks=(), visible=None, layouts=(), warn=True, crew=None
    ):
        self.C, self.settings, self.crew = checked("C", C), settings, crew
        size = shrunk_size(self.C.shape[1:3], settings.size)
        if size != self.C.shape[1:3]:
            self.C = resized(self.C, size)
        styles = list(S) if isinstance(S, list | tuple) else [S]
        names = ["S"] if len(styles) == 1 else [f"S {i}" for i in range(1, len(styles) + 1)]
        styles = [checked(name, S) for name, S in zip(names, styles, strict=True)]
        self.start = None if start is None else nst.first_G(floats(self.C), start)
        self.regions = Regions(self.C, styles, names, masks, style_masks, visible, settings)
        self.vgg = self._network(found_network() if vgg is None else vgg)
        for name, image in (("C", self.C), *zip(names, styles, strict=True)):
            check_sides(name, image, self.vgg.smallest)
        for name, S in zip(names, styles, strict=True) if warn else ():
            _warn_of_a_poor_style(name, S)

        evaluations = settings.evaluations
        if self.start is not None and evaluations is None:
            evaluations = FINE_EVALUATIONS
        self.still = self.start is None and settings.start == "content" and settings.beta_at(*self.C.shape[1:3]) == 0
        if self.still:  # nothing is asked of the style, and C is what is asked of the content
            evaluations = 1
        self.sizes, self.counts = ladder(self.C.shape[1:3], evaluations, self.vgg.smallest)
        self.every = settings.every or EVERY
        self.precision = settings.precision
        if self.precision == "auto" and not has_fast_bfloat16():
            self.precision = "float32"
        self.layouts = list(layouts) or list(map(self._shared, self._layouts(), self.sizes))

    def _shared(self, layout, size):
        """A layout with the tiles that go round several devices, or to the crew."""
        if self.crew is not None:
            return devices.spread(layout, size, self.vgg.deepest, self.crew.count(), estimate.SIDES_AWAY, whole=np.inf)
        count = len(devices.names())
        return devices.spread(layout, size, self.vgg.deepest, count) if count > 1 else layout

    def _layouts(self):
        """An `estimate.Layout` for each size, by the memory that is free now."""
        free, limit = free_bytes(), self.settings.memory
        if limit is not None:
            free = min(free, limit - estimate.resident_bytes())
        if self.crew is not None:
            free -= self.crew.here * estimate.worker_bytes(self.widths)
        on_gpu = (gpu_bytes() or np.inf) if has_gpu() else None
        widths, content, optimizer = self.widths, self.settings.content, self.settings.optimizer
        masks = self.regions.count
        found = [
            estimate.layout(
                widths, content, size, optimizer, free - self.held(i), len(self.plan(i)), masks, on_gpu=on_gpu
            )
            for i, size in enumerate(self.sizes)
        ]
        return [
            estimate.no_larger(layout, size, found[-1], self.sizes[-1], self.vgg.deepest)
            for layout, size in zip(found, self.sizes, strict=True)
        ]

    @property
    def widths(self):
        """{layer: channels} of the network."""
        return {layer.name: layer.filters for layer in self.vgg.layers if layer.name in nst.LAYERS}

    def held(self, i):
        """About how many bytes of things at full size lie in memory while the search is at size i."""
        if i == len(self.sizes) - 1:
            return 0.0  # counted there
        content = self.settings.content
        of_content = self.widths[content] / estimate.stride(content) ** 2 * len(self.plan(len(self.sizes) - 1))
        return 4.0 * np.prod(self.sizes[-1]) * (3 * HELD + of_content)

    @property
    def optimizer(self):
        return self.layouts[-1].optimizer

    def _network(self, vgg):
        vgg.check_computes([self.settings.content, *self.settings.layers])
        return vgg.twin(self.settings.manner.padding, pooling=self.settings.pooling)

    def plan(self, i):
        """{precision: share of the evaluations} at size i."""
        if self.precision != "auto":
            return {self.precision: 1}
        if i < len(self.sizes) - 1:
            return {"bfloat16": 1}
        quick = min(0.5, MOST_BFLOAT16 / self.counts[-1])
        return {"bfloat16": quick, "float32": 1 - quick}

    def scale(self, i):
        settings, C, base = self.settings, self.C, self.C if self.start is None else self.start
        if i < len(self.sizes) - 1:
            C, base = (resized(image, self.sizes[i]) for image in (C, base))
        regions = self.regions.at(self.sizes[i], self.vgg.smallest)
        tile = self.layouts[i].tile
        if tile is None:
            kind, C, base = Objective, tf.convert_to_tensor(floats(C)), floats(base)
        else:
            kind = functools.partial(TiledObjective, side=tile)
            if self.crew is not None:
                kind = functools.partial(FarTiles, side=tile, crew=self.crew)
        exact = kind(self.vgg, C, regions, settings)
        objectives = {"float32": exact}
        if "bfloat16" in self.plan(i):
            objectives["bfloat16"] = kind(self.vgg.in_bfloat16, C, regions, settings, exact)
        depth = 1.0
        if settings.manner.held:
            share = max(share_along_axes(S) for region in regions for S in region.images)
            depth = min(1.0, max(LEAST, SHARE * share))
        return _Scale(C, base, objectives, depth)

    def first_G(self, scale):
        if self.start is not None:
            return scale.base
        if self.settings.start == "content" and self.settings.manner.seeded and not self.still:
            return self.regions.within(seeded(scale.C, self.settings.seed), scale.C)
        return nst.start_image(floats(scale.C), self.settings.start, self.settings.seed)

    def finished(self, G):
        """G as it would be saved: where no style counts, it is C."""
        G = self.regions.within(G, self.C)
        if self.settings.preserve_colors == "brightness":
            G = with_colours_of(G, self.C)
        return nst.as_saved(G) if self.layouts[-1].tile is None else as_saved(G)

    def search(self, scale, i, G, state=None):
        """The search at size i: see `LBFGS`. state: of an earlier one, which then goes on."""
        layout = self.layouts[i]
        kind = Adam if layout.optimizer == "adam" else LBFGS
        return kind(scale.phases(self.counts[i], self.plan(i)), G, scale.depth, layout.pairs, state)

    @functools.cached_property
    def coarsest(self):
        return self.scale(0)

    @functools.cached_property
    def full(self):
        return self.coarsest if len(self.sizes) == 1 else self.scale(len(self.sizes) - 1)

    @property
    def weights(self):
        """The `nst.CostWeights` at full size."""
        return self.full.objectives["float32"].weights

    @functools.cached_property
    def seconds(self):
        """About how long the run takes: from evaluations at the coarsest size, whose graphs are the ones of all."""
        timed = {
            name: estimate.seconds_per_pixel(objective.value_and_gradient, self.coarsest.C)
            for name, objective in self.coarsest.objectives.items()
        }
        per_pixel = [
            self._slowness(layout)
            / self._slowness(self.layouts[0])
            * sum(share * timed.get(name, timed["float32"]) for name, share in self.plan(i).items())
            for i, layout in enumerate(self.layouts)
        ]
        return estimate.total_seconds(self.sizes, self.counts, per_pixel, self.every)

    def _slowness(self, layout):
        """Of an evaluation, with all that compute its tiles."""
        many = len(devices.names()) if self.crew is None else self.crew.speed
        return layout.slowness / (1 if layout.tile is None else many)

    @property
    def memory(self):
        """About how many bytes this process will hold at most."""
        need = max(layout.need + self.held(i) for i, layout in enumerate(self.layouts))
        return estimate.resident_bytes() + need

    def print_estimate(self):
        n_H, n_W = self.sizes[-1]
        how = "steps of Adam" if self.optimizer == "adam" else "evaluations"
        took = f"about {estimate.in_words(self.seconds)} and {self.memory / 1e9:.2g} GB of memory"
        tiles = "" if self.layouts[-1].tile is None else f" in tiles of {self.layouts[-1].tile} px"
        print(f"{n_W}x{n_H} px, {' + '.join(map(str, self.counts))} {how}{tiles}: {took}.")

    def records(self, bar=True, state=None, keep=None):
        """`nst.Record`s, as `stylise` gives them. state: of an earlier run of the same, from which to go on.

        keep: called after every step with a function that gives such a state: ({name: what JSON holds}, {name: array}).
        """
        if state is not None:  # as it was begun, whatever is free now
            self.precision = state[0]["precision"]
            self.layouts = [estimate.Layout(**layout) for layout in state[0]["layouts"]]
        if isinstance(bar, bool):
            self.print_estimate()
            progress = tqdm(total=UNITS, bar_format=BAR, disable=not bar)
        else:
            progress = contextlib.nullcontext(bar)
        with progress as bar:
            yield from _Way(self, state).records(bar, keep)


class _Way:
    """How far a run is: at which size, in which search."""

    NUMBERS = ("i", "done", "now", "last_step", "seconds")  # of a state

    def __init__(self, run, state):
        self.run, self.resumed = run, state is not None
        self.i = self.done = self.now = self.last_step = self.shown = 0  # size, evaluations before it, in all, told of
        self.seconds, self.search = 0.0, None
        self.here = run.coarsest
        if not self.resumed:
            self.G = run.first_G(self.here)
            return
        numbers, arrays = state
        for name in self.NUMBERS:
            setattr(self, name, numbers[name])
        self.here, self.G = self._scale(), arrays["G"]
        self.search = run.search(self.here, self.i, self.G, (numbers["search"], arrays))

    def _scale(self):
        run = self.run
        return run.coarsest if self.i == 0 else run.full if self.i == len(run.sizes) - 1 else run.scale(self.i)

    def state(self):
        numbers, arrays = self.search.state()
        how = {"precision": self.run.precision, "layouts": list(map(dataclasses.asdict, self.run.layouts))}
        return {name: getattr(self, name) for name in self.NUMBERS} | how | {"search": numbers}, arrays

    def record(self, progress):
        here, full = self.here, self.run.full
        image = self.run.finished(self.G if here is full else carried_up(self.G, here.base, full.base, full.depth))
        costs = list(map(float, full.objectives["float32"](image)))
        progress.set_postfix_str(f"J {costs[0]:.4g} at {self.G.shape[2]}x{self.G.shape[1]} px")
        self.last_step = self.now
        return nst.Record(self.now, *costs, image, self.seconds)

    @property
    def every(self):
        """Evaluations between two records here: looking at the full size in tiles costs more than a coarse step."""
        coarse = self.i < len(self.run.sizes) - 1 and self.run.layouts[-1].tile is not None
        return self.run.every * (RARELY if coarse else 1)

    def records(self, progress, keep):
        self.show(progress)
        if not self.resumed:
            yield self.record(progress)
        try:
            while self.i < len(self.run.sizes):
                if self.search is None:
                    self.climb()
                yield from self.at_this_size(progress, keep)
                self.done += self.run.counts[self.i]
                self.i, self.search = self.i + 1, None
        except KeyboardInterrupt:
            if self.now > self.last_step:
                yield self.record(progress)
            raise interrupted(f"Stopped by hand after {self.now} evaluations.") from None
        progress.update(UNITS - self.shown)
        if self.done > self.last_step:
            self.now = self.done
            yield self.record(progress)

    def climb(self):
        """To the next size, and begin the search there."""
        if self.i > 0:
            before, self.here = self.here, self._scale()
            self.G = carried_up(self.G, before.base, self.here.base, self.here.depth)
        self.search = self.run.search(self.here, self.i, self.G)

    def at_this_size(self, progress, keep):
        began = time.perf_counter()
        try:
            for used, _, G in self.search:
                self.G, self.now = G, self.done + used
                self.seconds, began = self.seconds + time.perf_counter() - began, time.perf_counter()
                self.show(progress)
                if self.now >= self.last_step + self.every:
                    yield self.record(progress)
                if keep is not None:
                    keep(self.state)
                began = time.perf_counter()  # what the caller did does not count
        except Stopped as reason:
            print(f"At {self.G.shape[2]}x{self.G.shape[1]} px the search ended early: {reason}.")

    def show(self, progress):
        run, pixels = self.run, np.prod(self.run.sizes, 1)
        worked = np.dot(run.counts[: self.i], pixels[: self.i]) + (self.now - self.done) * pixels[self.i]
        shown = int(UNITS * worked / np.dot(run.counts, pixels))
        progress.update(shown - self.shown)
        self.shown = shown
