"""Stylise with fewer, better steps: from a coarse picture to the fine one, by bounded L-BFGS."""

import time
from dataclasses import replace

import numpy as np
from tqdm.auto import tqdm

import nst_utils as nst
from nst_utils import keras, tf
from studio.lbfgs import MEMORY, Phase, Stopped, minimise

SMALLEST = 16  # px, below which conv5_1 has nothing left
COARSEST = 150  # px, long side: a picture is halved as long as it stays as large as this
COARSE_EVALUATIONS, FINE_EVALUATIONS = 80, 60  # per size below the full one, and at it
MOST_BFLOAT16 = 60  # evaluations at full size, after which its rounding costs more than it saves
LARGEST = 4_000_000  # px, above which the memory of L-BFGS is better spent on the picture: Adam
ADAM_RATE = 0.02
METHODS = ("lbfgs", "adam", "auto")
OVERHEAD = 1.1  # of the optimiser's own work over the evaluations
TOLERANCE = {"float32": 1e-6, "bfloat16": 1e-3}  # relative error of J


def resized(image, size):
    """The image (1, ., ., 3) at size = (n_H, n_W), in [0, 1]."""
    return tf.clip_by_value(tf.image.resize(image, size, "lanczos3", antialias=True), 0, 1)


def value_and_gradient(objective):
    """objective: G -> (J, ...), as one traced function G -> (J, dJ/dG)."""

    @tf.function(autograph=False)  # there is nothing to convert, and looking takes a second
    def evaluate(G):
        with tf.GradientTape() as tape:
            tape.watch(G)
            J = objective(G)[0]
        return J, tape.gradient(J, G)

    return evaluate


def lbfgs(objective, start, evaluations):
    """The best image in [0, 1] that bounded L-BFGS finds from `start`, (1, n_H, n_W, 3).

    objective: G -> (J, ...). evaluations: at most so many of J and its gradient together.
    Raises FloatingPointError if J is not finite at the start.
    """
    best = (np.inf, start)
    try:
        for _, J, G in minimise([Phase(value_and_gradient(objective), evaluations)], start):
            best = min(best, (J, G), key=lambda pair: pair[0])
    except Stopped:
        pass  # at a minimum
    return tf.constant(best[1])


# ------------------------------------------------------------------------------------ precision


def has_fast_bfloat16():
    """Does this machine multiply bfloat16 numbers faster than float32 ones?"""
    return nst.has_bfloat16() and not tf.config.list_physical_devices("GPU")  # which has TF32


def in_bfloat16(vgg):
    """The same network with bfloat16 convolutions."""
    layers = {layer.name: layer for layer in vgg.layers}
    weights = {name: layer.get_weights() for name, layer in layers.items() if name in nst.LAYERS}
    pooling = "max" if any(isinstance(layer, keras.layers.MaxPooling2D) for layer in layers.values()) else "average"
    return nst.build_vgg19(weights, list(vgg.output), pooling, dtype="bfloat16")


# ------------------------------------------------------------------------------------ the engine


def carried_up(G, c, C):
    """G, made for the coarse content c, at the size of the finer content C, with the detail that c lacks."""
    size = C.shape[1:3]
    return tf.clip_by_value(C + tf.image.resize(G - c, size, "bicubic"), 0, 1)


class _Scale:
    """One size of the ladder: C and S there, and J of a G of that size."""

    def __init__(self, C, S, size, count, networks, weights, beta):
        factor = size[0] / C.shape[1]
        smaller = [max(SMALLEST, round(n * factor)) for n in S.shape[1:3]]
        self.C, S = (C, S) if factor == 1 else (resized(C, size), resized(S, smaller))
        self.count, self.vgg = count, networks["float32"]
        exact = nst.Objective(self.vgg, self.C, S, weights)
        if weights is None:
            exact.weights = replace(exact.weights, beta=beta)
        self.evaluate = {"float32": value_and_gradient(exact)}
        self.measure = tf.function(exact, autograph=False)
        if "bfloat16" in networks:
            self.evaluate["bfloat16"] = value_and_gradient(
                nst.Objective(networks["bfloat16"], self.C, S, exact.weights)
            )

    def phases(self, plan):
        """plan: {precision: share of the evaluations}, of which the last gets what rounding leaves."""
        left, phases = self.count, []
        for i, (name, share) in enumerate(plan.items(), 1):
            n = left if i == len(plan) else round(self.count * share)
            phases.append(Phase(self.evaluate[name], n, TOLERANCE[name]))
            left -= n
        return [phase for phase in phases if phase.evaluations]

    def search(self, plan, G, method):
        """Yield (evaluations so far, G), with L-BFGS or Adam."""
        if method == "adam":
            yield from _adam(self.phases(plan), G)
            return
        try:
            for used, _, better in minimise(self.phases(plan), G):
                yield used, better
        except Stopped as reason:
            print(f"At {G.shape[2]}x{G.shape[1]} px the search ended early: {reason}.")


def _adam(phases, G):
    """Yield (steps so far, G): Adam on the pixels. A step to a cost that is not finite is taken back."""
    G, rate, used = tf.Variable(G), ADAM_RATE, 0
    optimizer = keras.optimizers.Adam(rate)
    good = tf.identity(G)
    for phase in phases:
        for _ in range(phase.evaluations):
            J, gradient = phase.value_and_gradient(G)
            used += 1
            if np.isfinite(float(J)):
                good = tf.identity(G)
                yield used, good
            elif used == 1 or rate < ADAM_RATE * 1e-3:
                raise FloatingPointError("J is not finite. Use a smaller beta, or another picture.")
            else:
                G.assign(good)
                rate /= 10
                optimizer = keras.optimizers.Adam(rate)
                continue
            optimizer.apply_gradients([(gradient, G)])
            G.assign(tf.clip_by_value(G, 0, 1))


def stylise(
    C,
    S,
    vgg=None,
    *,
    evaluations=None,
    beta=100.0,
    weights=None,
    start=None,
    every=10,
    precision="auto",
    method="auto",
    bar=True,
):
    """Stylise C as S. A generator of `nst.Record`s, like `nst.train`, in far fewer steps.

    C, S: images of any two sizes. vgg: from `nst.load_vgg19`, by default what that finds.
    evaluations: of J and its gradient together, one number (at C's size alone) or one per size from
    coarse to fine, each twice the one before; None chooses. beta: the strength of the style, with
    balanced weights; weights: `nst.Weights` instead. start: an image of C's size, by default C.
    every: evaluations between records. precision: "float32"; "bfloat16" for all convolutions but
    conv1_1; "auto": bfloat16 where the processor multiplies it, but float32 for the last half of the
    evaluations at full size, and for all after its first `MOST_BFLOAT16`. method: "lbfgs", "adam", or
    "auto": Adam above `LARGEST` pixels.
    bar: show progress.

    Prints how much time and memory it will take before the first step. A record's step counts
    evaluations at all sizes; its image has C's size, its costs are that image's, in float32. Ctrl-C
    ends the run with a record of the picture so far. Raises ValueError for bad input before any work,
    FloatingPointError if J is not finite from the start.
    """
    sizes, counts = ladder_and_counts(C, S, evaluations)
    if start is not None and start.shape != C.shape:
        raise ValueError(f"start image {tuple(start.shape)}: not of the size of C, {tuple(C.shape)}. Resize it first.")
    for name, value, known in (("precision", precision, (*TOLERANCE, "auto")), ("method", method, METHODS)):
        if value not in known:
            raise ValueError(f"{name} {value!r}: not known. Choose one of {', '.join(known)}.")
    if not (isinstance(beta, int | float | np.number) and 0 <= beta < np.inf):
        raise ValueError(f"beta = {beta!r}: the strength of the style is a number, 0 or more.")
    if not every >= 1:
        raise ValueError(f"every = {every!r}: at least one evaluation lies between two records.")
    if method == "auto":
        method = "adam" if C.shape[1] * C.shape[2] > LARGEST else "lbfgs"
    if precision == "auto" and not has_fast_bfloat16():
        precision = "float32"

    vgg = nst.load_vgg19() if vgg is None else vgg
    networks = {"float32": vgg} | ({} if precision == "float32" else {"bfloat16": in_bfloat16(vgg)})
    scale = _Scale(C, S, sizes[-1], counts[-1], networks, weights, beta)  # the full one
    coarse_plan = {"float32" if precision == "float32" else "bfloat16": 1}
    quick = min(0.5, MOST_BFLOAT16 / counts[-1])
    plan = {"bfloat16": quick, "float32": 1 - quick} if precision == "auto" else coarse_plan
    _print_estimate(scale, sizes, counts, plan, coarse_plan, every, method)

    began, done, G, here = time.perf_counter(), 0, C if start is None else start, scale

    def record(used):
        image = nst.as_saved(G if here is scale else carried_up(G, here.C, C))
        return nst.Record(used, *map(float, scale.measure(image)), image, time.perf_counter() - began)

    last = record(0)
    began += yield from _handed_over(last)
    with tqdm(total=sum(counts), unit="evaluation", disable=not bar) as progress:
        try:
            for size, count in zip(sizes, counts, strict=True):
                there = scale if size == sizes[-1] else _Scale(C, S, size, count, networks, weights, beta)
                if there is not here:
                    here, G = there, resized(G, size) if done == 0 else carried_up(G, here.C, there.C)
                search = here.search(plan if here is scale else coarse_plan, G, method)
                for used, G in search:
                    progress.update(done + used - progress.n)
                    if done + used >= last.step + every:
                        last = record(done + used)
                        progress.set_postfix(J=f"{last.J:.4g}", size=f"{G.shape[2]}x{G.shape[1]}")
                        began += yield from _handed_over(last)
                done += count
        except KeyboardInterrupt:
            print("Stopped by hand. This is the picture so far.")
            done = progress.n
    if done > last.step:
        yield record(done)


def _handed_over(record):
    """Yield a record; returns the seconds that the caller took with it."""
    began = time.perf_counter()
    yield record
    return time.perf_counter() - began


def ladder_and_counts(C, S, evaluations):
    """Sizes (n_H, n_W) from coarse to fine, and the evaluations at each."""
    for name, image in (("C", C), ("S", S)):
        shape = getattr(image, "shape", None)
        if shape is None or len(shape) != 4 or shape[0] != 1 or shape[-1] != 3:
            found = f"= {image!r}" if shape is None else f"of shape {tuple(shape)}"
            raise ValueError(f"{name} {found}: an image is (1, n_H, n_W, 3), see nst.load_image.")
    size = C.shape[1:3]
    if evaluations is None:
        halvings = max(0, int(np.log2(max(size) / COARSEST)))
        evaluations = [COARSE_EVALUATIONS] * halvings + [FINE_EVALUATIONS]
    counts = [evaluations] if np.isscalar(evaluations) else list(evaluations)
    if not counts or not all(n == int(n) and n >= 1 for n in counts):
        raise ValueError(f"evaluations = {evaluations!r}: a whole number, 1 or more, or one for each size.")
    halvings = range(len(counts) - 1, -1, -1)
    return [tuple(max(SMALLEST, round(n / 2**i)) for n in size) for i in halvings], [int(n) for n in counts]


# ------------------------------------------------------------------------------------ the estimate

# Measured with both networks from 256 to 1024 px: what a search holds per pixel beside the
# activations (pictures, gradients, the convolutions' own workspace; L-BFGS' pairs), in float32
# planes of three colours; how often it holds the activations; what compiled code takes in bytes;
# and how often the weights stand in it, for the size asked for and for the coarser ones together.
PLANES, PLANES_OF_LBFGS, COPIES, CODE = 15, 2 * MEMORY, 1.7, 80e6
WEIGHTS, WEIGHTS_OF_COARSE = 20, 8


def peak_memory(vgg, size, method="lbfgs", coarse=False):
    """About how many bytes a search at this size (n_H, n_W) needs, beside what the process holds already.

    coarse: does it begin at a coarser size?
    """
    channels, width, side = 0.0, 0, 1
    for layer in vgg.layers:
        if layer.name in nst.LAYERS:
            width = layer.filters
        elif not layer.name.startswith("pool"):
            continue
        else:
            side *= 2
        channels += width / side**2
    planes = PLANES + (PLANES_OF_LBFGS if method == "lbfgs" else 0)
    weights = vgg.count_params() * (WEIGHTS + coarse * WEIGHTS_OF_COARSE)
    return CODE + float(4 * (weights + np.prod(size) * (3 * planes + COPIES * channels)))


def _seconds(function, G):
    """Of a first call, which traces, and of a second."""
    times = []
    for _ in range(2):
        began = time.perf_counter()
        function(G)[0].numpy()
        times.append(time.perf_counter() - began)
    return times


def _print_estimate(scale, sizes, counts, plan, coarse_plan, every, method):
    timed = {name: _seconds(scale.evaluate[name], scale.C) for name in {**plan, **coarse_plan}}
    seconds = sum(counts) / every * _seconds(scale.measure, scale.C)[1]
    for size, count in zip(sizes, counts, strict=True):
        coarse = size != sizes[-1]
        pixels, shares = np.prod(size) / np.prod(sizes[-1]), coarse_plan if coarse else plan
        seconds += OVERHEAD * count * pixels * sum(share * timed[name][1] for name, share in shares.items())
        seconds += coarse * sum(timed[name][0] - timed[name][1] for name in shares)  # it is traced for each size
    n_H, n_W = sizes[-1]
    gigabytes = peak_memory(scale.vgg, sizes[-1], method, len(sizes) > 1) / 1e9
    how = "steps of Adam" if method == "adam" else "evaluations"
    took = f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
    print(f"{n_W}x{n_H} px, {' + '.join(map(str, counts))} {how}: about {took} and {gigabytes:.2g} GB of memory.")
