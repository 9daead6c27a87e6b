#!/usr/bin/env python3
"""How fast do recipes reach the cost with which the original course's 20,000 steps end?

    python benchmarks/optimisers.py            200x150, one pair, bundled network
    python benchmarks/optimisers.py --full     400x300, two pairs
    python benchmarks/optimisers.py --quick    64x48 and 1/50 of the steps: does it run?
    python benchmarks/optimisers.py --torch    adds PyTorch's L-BFGS on the same weights, if torch is there

All in one process, with the same network, pair, size, balanced cost and compiled float32 evaluation.
The cost is that of the picture as saved: clipped, 8 bits, reloaded, float32. Measuring it is not
timed; tracing is not timed either (a constant of a second or two for every recipe). NumPy's matrix
library has one thread in all of them: more of them slow scipy's optimiser down, too.

The recipes' settings are their sources'. Where an update depends on the size of the gradient (SGD's
rate, Adam's epsilon), it is rescaled by the ratio of the gradient's norms at the start under the
source's own cost, on this network, and under this one. Two sources use conv5_2 for the content, which
vgg19-slim does not have: conv5_1 stands in for it in that ratio. The bundled network's activations
are not of VGG-19's size, so the result is then tried times powers of ten, untimed, and the best is taken.
"""

import argparse
import contextlib
import sys
import time
from pathlib import Path

import matplotlib
import numpy as np
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits
from tqdm import tqdm

import nst_utils as nst
from nst_utils import keras, tf
from studio.lbfgs import value_and_gradient
from studio.optimise import stylise
from studio.scales import ladder

PROJECT = Path(__file__).resolve().parent.parent
PAIRS = (("louvre", "poppies"), ("persepolis", "starry_night"))
FACTORS = (2.0, 1.2, 1.05, 1.0)
COARSE = 110  # the engine's evaluations at half the size: its own default is for runs a tenth as long
D2L_MEAN, D2L_STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


# ------------------------------------------------------------------------------------ the sources' own costs


def tutorials_cost(a_C, GS, a_G, G):
    """TensorFlow's tutorial: means of squares; Gram matrices per position; 1e4 content, 1e-2 style."""
    style = [tf.reduce_mean((GS[n] - nst.gram_per_position(a_G[n])) ** 2) for n in nst.STYLE_LAYERS]
    return 1e4 * tf.reduce_mean((a_C - a_G["conv5_1"]) ** 2) + 1e-2 * tf.add_n(style) / len(style)


def keras_cost(a_C, GS, a_G, G):
    """Keras' example: sums; 3 channels, the picture's size in every layer; total variation ** 1.25; values 0..255."""
    positions = G.shape[1] * G.shape[2]
    cost = 2.5e-8 * tf.reduce_sum((a_C - a_G["conv5_1"]) ** 2)
    for n in nst.STYLE_LAYERS:
        sums = [g * (a_G[n].shape[1] * a_G[n].shape[2]) for g in (GS[n], nst.gram_per_position(a_G[n]))]
        squares = tf.reduce_sum((sums[0] - sums[1]) ** 2)
        cost += 1e-6 / len(nst.STYLE_LAYERS) * squares / (4 * 3**2 * positions**2)
    x = 255 * G
    down, right = x[:, :-1, :-1] - x[:, 1:, :-1], x[:, :-1, :-1] - x[:, :-1, 1:]
    return cost + 1e-6 * tf.reduce_sum((down**2 + right**2 + 1e-12) ** 1.25)


class Setting:
    """One pair at one size: the cost, its compiled evaluation, and what is measured along the way."""

    def __init__(self, vgg, C, S):
        self.vgg, self.C, self.S = vgg, C, S
        self.objective = nst.Objective(vgg, C, S)
        self.evaluate = value_and_gradient(lambda G: self.objective(G)[0])
        self.measure = self.objective
        self.evaluate(C), self.measure(C)

    def cost_as_saved(self, G):
        return float(self.measure(nst.as_saved(G))[0])

    def gradient_ratio(self, cost, G):
        """The norm of the gradient of a source's cost at G over that of ours."""
        a_C, a_S = self.vgg(self.C)["conv5_1"], self.vgg(self.S)
        GS = {n: nst.gram_per_position(a_S[n]) for n in nst.STYLE_LAYERS}
        with tf.GradientTape() as tape:
            tape.watch(G)
            J = cost(a_C, GS, self.vgg(G), G)
        return float(tf.norm(tape.gradient(J, G)) / tf.norm(self.evaluate(G)[1]))


# ------------------------------------------------------------------------------------ recipes
# Each is a generator of (evaluations so far, G), given a setting and the number of steps.


def first_order(setting, optimizer, start, steps, clip, to_image=lambda x: x):
    x = tf.Variable(start)
    optimizer.build([x])

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            J = setting.objective(to_image(x))[0]
        optimizer.apply_gradients([(tape.gradient(J, x), x)])
        if clip:
            x.assign(tf.clip_by_value(x, 0, 1))

    step.get_concrete_function()
    yield 0, to_image(x)
    for i in range(1, steps + 1):
        step()
        yield i, to_image(x)


def original(setting, steps):
    start = nst.start_image(setting.C, "course")
    yield from first_order(setting, keras.optimizers.Adam(0.001), start, steps, clip=True)


def tuned(setting, steps, name, make, first, what, clip):
    """The optimiser `make(number)` whose number is `first` or a power of ten times that: the best of short trials."""
    trials = {}
    for power in range(-4, 5):
        *_, (_, G) = first_order(setting, make(first * 10.0**power), setting.C, max(5, steps // 20), clip)
        trials[power] = setting.cost_as_saved(G)
    best = min(trials, key=lambda power: trials[power] if np.isfinite(trials[power]) else np.inf)
    tqdm.write(f"  {name}: {what} {first * 10.0**best:.3g}, which is {first:.3g} by the ratio, times 1e{best} by trial")
    return make(first * 10.0**best)


def tensorflow_tutorial(setting, steps):
    def make(epsilon):
        return keras.optimizers.Adam(0.02, beta_1=0.99, epsilon=epsilon)

    first = 0.1 / setting.gradient_ratio(tutorials_cost, setting.C)
    adam = tuned(setting, steps, "TensorFlow's tutorial", make, first, "epsilon", clip=True)
    yield from first_order(setting, adam, setting.C, steps, clip=True)


def keras_example(setting, steps):
    def make(rate):
        return keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(rate, 100, 0.96))

    # A step of 100 on values 0..255 is one of 100 / 255^2 on values 0..1: both the gradient and the unit change.
    first = 100 / 255**2 * setting.gradient_ratio(keras_cost, setting.C)
    sgd = tuned(setting, steps, "Keras' example", make, first, "rate", clip=False)
    yield from first_order(setting, sgd, setting.C, steps, clip=False)


def dive_into_deep_learning(setting, steps):
    rate = keras.optimizers.schedules.ExponentialDecay(0.3, decay_steps=50, decay_rate=0.8, staircase=True)
    start = (setting.C - D2L_MEAN) / D2L_STD  # it optimises normalised pixels
    yield from first_order(
        setting, keras.optimizers.Adam(rate), start, steps, clip=False, to_image=lambda x: x * D2L_STD + D2L_MEAN
    )


class _Enough(Exception):
    """The evaluations are used up."""


def called_back(run, steps):
    """Yield (evaluations, G, seconds) of a library that cannot be a generator: `run(record)`, record(G) per call."""
    seen, count, due, began = [], 0, 0, time.perf_counter()

    def record(G):
        nonlocal count, due, began
        count += 1
        if count >= due:
            now = time.perf_counter()
            seen.append((count, np.array(G, np.float32), now - began))
            due = next_due(count)
            began += time.perf_counter() - now
        if count >= steps:
            raise _Enough

    with contextlib.suppress(_Enough):
        run(record)
    yield from seen


def scipys(setting, steps):
    """Pixel space, float64, default memory; the first step is scaled to 0.1 of a pixel."""
    shape, scale = setting.C.shape, None

    def run(record):
        def cost(x):
            nonlocal scale
            J, gradient = setting.evaluate(tf.constant(x.reshape(shape), tf.float32))
            J, gradient = float(J), np.float64(gradient).ravel()
            record(x.reshape(shape))
            scale = scale or 0.1 * np.sqrt(x.size) / np.linalg.norm(gradient)
            return J * scale, gradient * scale

        x = np.float64(setting.C).ravel()
        options = {"maxiter": steps, "maxfun": steps, "ftol": 0, "gtol": 0}
        minimize(cost, x, jac=True, method="L-BFGS-B", bounds=[(0, 1)] * x.size, options=options)

    yield from called_back(run, steps)


def engine(precision):
    """`stylise` itself, on the course's cost; its seconds include the costs of its own records."""

    def recipe(setting, steps):
        _, counts = ladder(setting.C.shape[1:3], None, setting.vgg.smallest)
        counts = [COARSE] * (len(counts) - 1) + [steps]
        with contextlib.redirect_stdout(sys.stderr):  # the estimate
            options = {"evaluations": counts, "precision": precision, "statistics": "gram"}
            records = stylise(setting.C, setting.S, setting.vgg, bar=False, **options)
            for record in records:
                yield record.step, record.image, record.seconds

    return recipe


def torchs(setting, steps):
    from torch_lbfgs import minimise_with_torch

    weights = {layer.name: layer.get_weights() for layer in setting.vgg.layers if layer.name in nst.LAYERS}
    yield from called_back(lambda record: minimise_with_torch(weights, setting, steps, record), steps)


RECIPES = {
    "original course: Adam 0.001, 20,000": (original, 20_000),
    "TensorFlow's tutorial: Adam 0.02, 1,000": (tensorflow_tutorial, 1000),
    "Keras' example: SGD, 4,000": (keras_example, 4000),
    "d2l: Adam 0.3 decayed, 500": (dive_into_deep_learning, 500),
    "scipy: L-BFGS-B in pixels, 1,000": (scipys, 1000),
    "engine, float32": (engine("float32"), 600),
    "engine, bfloat16 first": (engine("auto"), 600),
}


# ------------------------------------------------------------------------------------ running and reporting


def next_due(count):
    """Measure after every step at first, later when 2 % more steps are done."""
    return max(count + 1, int(count * 1.02))


def course_of(recipe, setting, steps, name):
    """Rows (evaluations, seconds, cost as saved) along the way; what comes before the first item is set-up."""
    rows, seconds, due = [], None, 0
    steps_taken = recipe(setting, steps)
    with tqdm(total=steps, desc=name[:28], leave=False) as bar:
        while True:
            began = time.perf_counter()
            item = next(steps_taken, None)
            seconds = 0.0 if seconds is None else seconds + time.perf_counter() - began
            if item is None:
                return np.array(rows)
            count, G, *own_seconds = item
            if count >= due or count == steps:
                rows.append((count, own_seconds[0] if own_seconds else seconds, setting.cost_as_saved(G)))
                bar.update(count - bar.n)
                due = next_due(count)


def first_below(rows, level):
    """(evaluations, seconds) where the cost first is at most `level`, or None."""
    below = rows[rows[:, 2] <= level]
    return tuple(below[0, :2]) if len(below) else None


def report(courses):
    """The table, as lines of text."""
    (first, reference), *_ = courses.items()
    target = reference[-1, 2]
    yield f"The cost at the end of '{first}': {target:.4f}. Seconds (evaluations) until the cost is so many times that:"
    yield f"{'':42}" + "".join(f"{f'{factor}x':>18}" for factor in FACTORS) + f"{'at the end':>16}"
    for name, rows in courses.items():
        cells = [first_below(rows, factor * target) for factor in FACTORS]
        texts = [f"{cell[1]:.1f} ({cell[0]:.0f})" if cell else "-" for cell in cells]
        yield f"{name:42}" + "".join(f"{text:>18}" for text in texts) + f"{rows[-1, 2] / target:>15.3f}x"
    others = [rows for name, rows in courses.items() if name != first and not name.startswith("engine")]
    for name, rows in courses.items():
        if not name.startswith("engine"):
            continue
        for factor in FACTORS:
            mine = first_below(rows, factor * target)
            rival = [cell[1] for cell in (first_below(r, factor * target) for r in others) if cell]
            if mine:
                against = f", 1/{min(rival) / mine[1]:.1f} of the best other recipe's" if rival else ""
                yield f"{name}: {factor}x in 1/{reference[-1, 1] / mine[1]:.0f} of the original's whole time{against}"


def draw(courses, title, path):
    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(9, 5.5), layout="constrained")
    dashes = iter("-:")
    for name, rows in courses.items():
        look = {"linewidth": 1.3}
        if name.startswith("engine"):
            look = {"linewidth": 2.5, "color": "black", "linestyle": next(dashes)}
        axis.loglog(rows[1:, 1], rows[1:, 2], label=name, **look)
    end = next(iter(courses.values()))[-1, 2]
    axis.axhline(end, color="grey", linestyle=":", linewidth=1)
    axis.set(title=title, xlabel="seconds", ylabel="cost of the picture as saved", ylim=(0.9 * end, 30 * end))
    axis.legend(fontsize=9)
    axis.grid(which="both", alpha=0.2)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--full", action="store_true", help="400x300, two pairs")
    size.add_argument("--quick", action="store_true", help="64x48, 1/50 of the steps")
    parser.add_argument("--torch", action="store_true", help="add PyTorch's L-BFGS")
    parser.add_argument("--network", default="vgg19-slim", choices=("vgg19-slim", "vgg19"))
    parser.add_argument("--out", type=Path, default=PROJECT / "outputs", help="folder of the diagrams")
    args = parser.parse_args()
    recipes = dict(RECIPES)
    if args.torch:
        try:
            import torch  # noqa: F401
        except ImportError:
            sys.exit("--torch: PyTorch is not installed here. .venv/bin/pip install torch, or leave --torch out.")
        recipes["PyTorch: L-BFGS in pixels, 1,000"] = (torchs, 1000)
    threadpool_limits(limits=1, user_api="blas")
    side, share = (400, 1) if args.full else (64, 50) if args.quick else (200, 1)
    vgg = nst.load_vgg19(args.network)
    for content, style in PAIRS if args.full else PAIRS[:1]:
        images = PROJECT / "images"
        C, S = (nst.load_image(images / k / f"{n}.jpg", side) for k, n in (("content", content), ("style", style)))
        setting, title = Setting(vgg, C, S), f"{content} as {style}, {C.shape[2]}x{C.shape[1]}, {args.network}"
        print(f"\n{title}")
        courses = {}
        for name, (recipe, steps) in recipes.items():
            courses[name] = course_of(recipe, setting, steps // share, name)
            tqdm.write(f"  {name}: {courses[name][-1, 1]:.0f} s, cost {courses[name][-1, 2]:.4f}")
        print(*report(courses), sep="\n")
        path = args.out / f"optimisers_{content}_{C.shape[2]}.png"
        draw(courses, title, path)
        print(f"Drawn: {path}")


if __name__ == "__main__":
    main()
