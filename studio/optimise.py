"""Stylise with fewer, better steps: from a coarse picture to the fine one, by bounded L-BFGS."""

import functools
import time
from dataclasses import dataclass

from tqdm.auto import tqdm

import nst_utils as nst
from nst_support.pictures import check_image
from nst_support.startup import has_fast_bfloat16, interrupted
from nst_utils import tf
from studio import estimate
from studio.adam import adam
from studio.axes import LEAST, SHARE, share_along_axes
from studio.lbfgs import Phase, Stopped, minimise
from studio.objective import Objective
from studio.scales import FINE_EVALUATIONS, carried_up, check_sides, ladder, resized, seeded, style_at
from studio.settings import Settings

MOST_BFLOAT16 = 60  # evaluations at full size, after which its rounding costs more than it saves
LARGEST = 4_000_000  # px, above which the memory of L-BFGS is better spent on the picture: Adam
TOLERANCE = {"float32": 1e-6, "bfloat16": 1e-3}  # relative error of J
TINY, FLAT = 64, 0.02  # px, and spread of values, below which S has no strokes to show


def stylise(C, S, vgg=None, settings=None, *, start=None, bar=True, **changes):
    """Stylise C as S. A generator of `nst.Record`s, like `nst.train`, in far fewer steps.

    C, S: images of any two sizes. vgg: from `nst.load_vgg19`; None: what the preset says, loaded once.
    settings: `Settings`; changes: fields of it by name, as in stylise(C, S, beta=30, evaluations=(80, 60)).
    start: an image of C's size to go on from, at that size alone unless evaluations says otherwise; or a
    kind of `nst.start_image`. bar: show progress.

    Prints how much time and memory it will take before the first step. A record's step counts
    evaluations at all sizes; its image has C's size, its costs are that image's, in float32. Ctrl-C:
    a last record, of the picture so far, then KeyboardInterrupt, so that a loop over many pictures ends.
    Raises ValueError for bad input, TypeError for an unknown setting, both before any work, and
    FloatingPointError if J is not finite from the start.
    """
    settings = (settings or Settings()).changed(**changes)
    if isinstance(start, str):
        settings, start = settings.changed(start=start), None
    C, S = check_image("C", C), check_image("S", S)
    if start is not None:
        start = nst.first_G(C, start)
        if settings.evaluations is None:
            settings = settings.changed(evaluations=FINE_EVALUATIONS)
    vgg = found_network() if vgg is None else vgg
    vgg.check_computes([settings.manner.content_layer, *settings.layers])
    for name, image in (("C", C), ("S", S)):
        check_sides(name, image, vgg.smallest)
    _warn_of_a_poor_style(S)
    return _Run(C, S, vgg, settings, start).records(bar)


@functools.cache
def found_network():
    """The network that the preset names, loaded once."""
    run = nst.find_preset()
    return nst.load_vgg19(run.network, download=run.download)


def _warn_of_a_poor_style(S):
    if max(S.shape[1:3]) < TINY:
        print(f"S is only {S.shape[2]}x{S.shape[1]} px: there is hardly a stroke in it. A larger one gives more.")
    elif float(tf.reduce_max(tf.math.reduce_std(S, [0, 1, 2]))) < FLAT:
        print("S is nearly one colour: there is no stroke in it, so little but noise can come of it.")


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


class _Run:
    """A run of `stylise`, all of whose input is known to be good."""

    def __init__(self, C, S, vgg, settings, start):
        self.C, self.S, self.vgg, self.settings, self.start = C, S, vgg, settings, start
        self.sizes, self.counts = ladder(C.shape[1:3], settings.evaluations, vgg.smallest)
        self.optimizer, self.precision = settings.optimizer, settings.precision
        if self.optimizer == "auto":
            self.optimizer = "adam" if C.shape[1] * C.shape[2] > LARGEST else "lbfgs"
        if self.precision == "auto" and not has_fast_bfloat16():
            self.precision = "float32"

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
        S = style_at(self.S, settings.style_scale * max(self.sizes[i]), self.vgg.smallest)
        exact = Objective(self.vgg.twin(settings.manner.padding), C, S, settings)
        objectives = {"float32": exact}
        if "bfloat16" in self.plan(i):
            objectives["bfloat16"] = Objective(
                self.vgg.twin(settings.manner.padding, "bfloat16"), C, S, settings, exact
            )
        depth = min(1.0, max(LEAST, SHARE * share_along_axes(S))) if settings.manner.held else 1.0
        return _Scale(C, base, objectives, depth)

    def first_G(self, scale):
        if self.start is not None:
            return scale.base
        if self.settings.start == "content" and self.settings.manner.seeded:
            return seeded(scale.C, self.settings.seed)
        return nst.start_image(scale.C, self.settings.start, self.settings.seed)

    def search(self, scale, i, G):
        """Yield (evaluations so far, G)."""
        phases = scale.phases(self.counts[i], self.plan(i))
        try:
            for used, _, better in (adam if self.optimizer == "adam" else minimise)(phases, G, scale.depth):
                yield used, better
        except Stopped as reason:
            print(f"At {G.shape[2]}x{G.shape[1]} px the search ended early: {reason}.")

    def print_estimate(self, coarsest):
        """From evaluations at the coarsest size, which is small and whose graphs are the ones of all sizes."""
        timed = {
            name: estimate.seconds_per_pixel(objective.value_and_gradient, coarsest.C)
            for name, objective in coarsest.objectives.items()
        }
        per_pixel = [
            sum(share * timed.get(name, timed["float32"]) for name, share in self.plan(i).items())
            for i in range(len(self.sizes))
        ]
        seconds = estimate.total_seconds(self.sizes, self.counts, per_pixel, self.settings.every)
        n_H, n_W = self.sizes[-1]
        memory = estimate.resident_bytes() + estimate.peak_memory(self.vgg, self.sizes[-1], self.optimizer)
        how = "steps of Adam" if self.optimizer == "adam" else "evaluations"
        took = f"about {estimate.in_words(seconds)} and {memory / 1e9:.2g} GB of memory"
        print(f"{n_W}x{n_H} px, {' + '.join(map(str, self.counts))} {how}: {took}.")

    def records(self, bar):
        here = self.scale(0)
        self.print_estimate(here)
        top = len(self.sizes) - 1
        full = here if top == 0 else self.scale(top)
        G, done, began = self.first_G(here), 0, time.perf_counter()

        def record(used):
            image = nst.as_saved(G if here is full else carried_up(G, here.base, full.base, full.depth))
            costs = map(float, full.objectives["float32"](image))
            return nst.Record(used, *costs, image, time.perf_counter() - began)

        last = record(0)
        yield last
        began = time.perf_counter() - last.seconds  # what the caller did does not count
        with tqdm(total=sum(self.counts), unit="evaluation", disable=not bar) as progress:
            try:
                for i, count in enumerate(self.counts):
                    if i > 0:
                        there = full if i == top else self.scale(i)
                        here, G = there, carried_up(G, here.base, there.base, there.depth)
                    for used, better in self.search(here, i, G):
                        G = better
                        progress.update(done + used - progress.n)
                        if done + used >= last.step + self.settings.every:
                            last = record(done + used)
                            progress.set_postfix(J=f"{last.J:.4g}", size=f"{G.shape[2]}x{G.shape[1]}")
                            yield last
                            began = time.perf_counter() - last.seconds
                    done += count
            except KeyboardInterrupt:
                if progress.n > last.step:
                    yield record(progress.n)
                raise interrupted(f"Stopped by hand after {progress.n} evaluations.") from None
        if done > last.step:
            yield record(done)
