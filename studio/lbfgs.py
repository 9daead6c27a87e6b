"""Bounded L-BFGS that knows what pictures are like.

Quasi-Newton in float32, around a cost on whichever device TensorFlow uses, with three things that the textbook's
lacks: the picture stays in [0, 1] at every step (the step is projected, as in Schmidt, Kim and Sra,
"Projected Newton-type methods in machine learning", 2011); the first guess at the inverse Hessian is
not the unit matrix but a filter, since a cost made of features of a picture is stiffest in fine
detail; and a step that finds no finite or no lower cost is taken back.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.fft as fft
from threadpoolctl import ThreadpoolController

from nst_support.startup import tf
from studio.axes import frequencies, in_strips, notch
from studio.estimate import MEMORY

FIRST_CHANGE = 0.05  # of a pixel, root mean square, at the first step
SUFFICIENT = 1e-4  # Armijo's share of the predicted decrease
PART = 2**20  # values
SHORTEST = 1e-4  # of a full step, below which the search along a line has failed

# Brightness, red against green, blue against yellow: an orthonormal basis.
OPPONENT = np.array([[1, 1, 1], [1, -1, 0], [1, 1, -2]], np.float32)
OPPONENT /= np.linalg.norm(OPPONENT, axis=1, keepdims=True)


def natural_filter(shape, depth=1.0):
    """The first guess at the inverse Hessian: a function from (1, n_H, n_W, 3) to the same.

    Symmetric and positive: brightness is scaled by frequency^-3/4, colour by 0.3 frequency^-1/4, the
    exponents being measured ones. Frequencies are in periods per picture, the lowest counts as 1.
    depth: of the notch that holds back fine lines along the axes, see `axes`; it has to be above 0.
    """
    _, n_H, n_W, _ = shape

    def periods(rows, exponent):
        cycles, _ = frequencies(n_H, n_W, rows)
        return np.maximum(cycles * max(n_H, n_W), 1).astype(np.float32) ** exponent * notch(n_H, n_W, depth, rows)

    of_brightness = in_strips(n_H, lambda rows: periods(rows, -0.75))
    of_colour = in_strips(n_H, lambda rows: 0.3 * periods(rows, -0.25))

    def apply(image):
        filtered = np.zeros_like(image)
        for axis, spectrum in zip(OPPONENT, (of_brightness, of_colour, of_colour), strict=True):
            transform = fft.rfft2(image[0] @ axis, workers=2, overwrite_x=True)
            transform *= spectrum
            plane = fft.irfft2(transform, (n_H, n_W), workers=2, overwrite_x=True)
            del transform
            for colour, share in enumerate(axis):
                if share:
                    filtered[0, ..., colour] += share * plane
        return filtered

    return apply


class InverseHessian:
    """The product of the L-BFGS estimate of the inverse Hessian with a vector.

    Compact form of Byrd, Nocedal and Schnabel (Mathematical Programming 63, 1994, eq. 3.1) for any
    symmetric first guess P: a few products of thin matrices instead of a loop over the pairs. In
    numpy: on a processor TensorFlow took ten times as long for these thin products. With a memory of
    no pair it is P at the scale that the last one set (as in Barzilai and Borwein, 1988).
    """

    def __init__(self, first_guess, shape, memory=MEMORY):
        self.P, self.shape, self.memory = first_guess, shape, memory
        self.steps, self.filtered = np.zeros((2, memory, int(np.prod(shape))), np.float32)  # S and P Y, as rows
        self.forget()

    def forget(self):
        self.scale = None  # of P, set by the newest pair
        self.rows = []  # from the oldest pair to the newest
        self.SY, self.YPY = np.zeros((2, self.memory, self.memory))  # of SY only the pairs with s not newer than y

    def learn(self, step, change):
        """Take in one step of G and the change of the gradient along it."""
        s, y = step.ravel(), change.ravel()
        sy = np.vdot(s, y)
        if sy <= 1e-8 * np.linalg.norm(s) * np.linalg.norm(y):
            return  # not convex along this step: the estimate would not stay positive
        filtered = self.P(change).ravel()
        self.scale = np.float64(sy) / np.vdot(y, filtered)
        if not self.memory:
            return
        row = self.rows.pop(0) if len(self.rows) == self.memory else len(self.rows)
        self.rows.append(row)
        self.steps[row], self.filtered[row] = s, filtered
        self.SY[:, row] = self.steps @ y
        self.YPY[:, row] = self.YPY[row] = self.filtered @ y

    def __call__(self, gradient):
        found, rows, g = self.P(gradient), self.rows, gradient.ravel()
        if self.scale is None:
            return found
        found *= np.float32(self.scale)
        if rows:
            SY, YPY = self.SY[np.ix_(rows, rows)], self.YPY[np.ix_(rows, rows)]
            R = np.triu(SY)
            a = np.linalg.solve(R, (self.steps @ g)[rows])
            u = np.linalg.solve(R.T, np.diag(SY) * a + self.scale * (YPY @ a - (self.filtered @ g)[rows]))
            of_steps, of_filtered = np.zeros((2, self.memory), np.float32)
            of_steps[rows], of_filtered[rows] = u, -self.scale * a
            for part in _parts(g.size):
                found.reshape(-1)[part] += of_steps @ self.steps[:, part] + of_filtered @ self.filtered[:, part]
        return found


def _parts(n):
    """Slices of n values, each small beside a picture: a copy of one costs nothing."""
    return [slice(i, i + PART) for i in range(0, n, PART)]


class Stopped(Exception):
    """The search ended before its evaluations did; the message says why."""


@dataclass(frozen=True)
class Phase:
    """A stretch of a search: how J is evaluated, and how often."""

    value_and_gradient: Callable  # G -> (J, dJ/dG)
    evaluations: int  # at most so many calls
    tolerance: float = 1e-6  # relative error of J; a rise below it is none


class LBFGS:
    """A search: an iterator over (evaluations so far, J, G) at the start and after every accepted step.

    G stays in [0, 1]. phases: `Phase`s, one after the other: what is known of the curvature is kept from one to the
    next. start: (1, n_H, n_W, 3). depth: see `natural_filter`. memory: pairs of a step and its change of the gradient
    that are kept; beside them it holds five pictures. state: from `state`, of an earlier search with these phases,
    which then goes on. Raises FloatingPointError if J is not finite at the start, and `Stopped` where neither the
    quasi-Newton direction nor after it the (filtered) steepest descent leads down.
    """

    NUMBERS = ("used", "phase", "in_phase", "J")  # of a state

    def __init__(self, phases, start, depth=1.0, memory=MEMORY, state=None):
        self.phases, self.G, self.used = phases, np.asarray(start, np.float32), 0
        self.phase, self.in_phase, self.J, self.gradient = 0, 0, None, None  # evaluations so far in which phase
        shape = self.G.shape
        self.line = _Line(InverseHessian(natural_filter(shape, depth), shape, memory))
        if state is not None:
            self._restore(state)

    def __iter__(self):
        steps, threads = self._steps(), ThreadpoolController()
        while True:
            # The threads of NumPy's matrix library spin while they wait, in TensorFlow's way: with one, nobody waits.
            with threads.limit(limits=1, user_api="blas"):
                item = next(steps, None)
            if item is None:
                return
            yield item

    def _steps(self):
        while self.phase < len(self.phases):
            phase = self.phases[self.phase]
            if self.in_phase == 0:
                self.J, self.gradient = _evaluated(phase, self.G)
                self._count(1)
                if self.J is None:
                    raise FloatingPointError("J is not finite at the start. Use a smaller beta, or another picture.")
                yield self.used, self.J, self.G
            while self.in_phase < phase.evaluations:
                left = phase.evaluations - self.in_phase
                tried, found = self.line.search(phase, self.G, self.J, self.gradient, left)
                self._count(tried)
                if found is not None:
                    self.G, self.J, self.gradient = found
                    del found  # or it would be held through the next step
                    yield self.used, self.J, self.G
                elif self.in_phase < phase.evaluations:
                    self.line.start_anew()
            self.phase, self.in_phase = self.phase + 1, 0

    def _count(self, evaluations):
        self.used, self.in_phase = self.used + evaluations, self.in_phase + evaluations

    def state(self):
        """({name: number or list of them}, {name: array}): all that a search needs to go on from its last step."""
        known = self.line.inverse_hessian
        numbers = {name: getattr(self, name) for name in self.NUMBERS}
        scale = None if known.scale is None else float(known.scale)
        numbers |= {"longest": self.line.longest, "rows": known.rows, "scale": scale}
        filled = slice(0, max(known.rows, default=-1) + 1)  # each in its place, or sums are rounded otherwise
        pairs = {"steps": known.steps[filled], "filtered": known.filtered[filled], "SY": known.SY, "YPY": known.YPY}
        return numbers, {"G": self.G, "gradient": self.gradient, **pairs}

    def _restore(self, state):
        numbers, arrays = state
        for name in self.NUMBERS:
            setattr(self, name, numbers[name])
        self.G, self.gradient, known = arrays["G"], arrays["gradient"], self.line.inverse_hessian
        self.line.longest, known.rows = numbers["longest"], list(numbers["rows"])
        known.scale = None if numbers["scale"] is None else np.float64(numbers["scale"])
        filled = slice(0, len(arrays["steps"]))
        known.steps[filled], known.filtered[filled] = arrays["steps"], arrays["filtered"]
        known.SY[:], known.YPY[:] = arrays["SY"], arrays["YPY"]


class _Line:
    """The search along one direction after the other, and what it knows of their curvature."""

    def __init__(self, inverse_hessian):
        self.inverse_hessian, self.longest = inverse_hessian, np.inf

    def start_anew(self):
        if self.inverse_hessian.scale is None:
            raise Stopped("no step along the steepest descent lowers J any further")
        self.inverse_hessian.forget()

    def search(self, phase, G, J, gradient, most):
        """(evaluations made, (G, J, gradient) where J is lower, or None). most: evaluations."""
        known = self.inverse_hessian.scale is not None
        held = ((G <= 0) & (gradient > 0)) | ((G >= 1) & (gradient < 0))  # would leave [0, 1]
        direction = self.inverse_hessian(_but(held, gradient.copy()))
        _but(held, np.negative(direction, out=direction))
        size = float(np.linalg.norm(direction)) / np.sqrt(direction.size)  # root mean square change of a pixel
        if size == 0:
            raise Stopped("the gradient is zero: nothing is left to improve")
        step = min(1.0 if known else FIRST_CHANGE / size, self.longest / size)
        shortest, tried = SHORTEST * step, 0
        while tried < most and step >= shortest:
            new_G = np.float32(step) * direction
            new_G += G
            new_J, new_gradient = _evaluated(phase, np.clip(new_G, 0, 1, out=new_G))
            tried += 1
            slope = _slope(gradient.ravel(), new_G.ravel(), G.ravel())
            if new_J is None:
                step *= 0.1
                self.longest = step * size  # for a while no step may be longer than this
            elif slope < 0 and new_J <= J + SUFFICIENT * slope + phase.tolerance * abs(J):
                # In place of what is not needed any more.
                self.inverse_hessian.learn(
                    np.subtract(new_G, G, out=direction), np.subtract(new_gradient, gradient, out=gradient)
                )
                self.longest *= 2
                return tried, (new_G, new_J, new_gradient)
            else:  # on to where the parabola through J, its slope and the new J is lowest
                step *= float(np.clip(slope / (2 * (J + slope - new_J)), 0.1, 0.5)) if slope < 0 else 0.0
        return tried, None


def _but(held, values):
    """The values, 0 where held."""
    values[held] = 0
    return values


def _slope(gradient, new_G, G):
    """The change of J that the gradient predicts."""
    return float(sum(np.vdot(gradient[part], new_G[part] - G[part]) for part in _parts(G.size)))


def _evaluated(phase, G):
    """J as a float and its gradient as an array of our own, or (None, None) where either is not finite."""
    J, gradient = phase.value_and_gradient(G)
    J, gradient = float(J), np.require(gradient, requirements="W")
    return (J, gradient) if np.isfinite(J) and np.isfinite(gradient).all() else (None, None)


def value_and_gradient(cost):
    """cost: G -> J, a scalar, as one traced function G -> (J, dJ/dG)."""

    @tf.function(autograph=False)  # there is nothing to convert, and looking takes a second
    def evaluate(G):
        with tf.GradientTape() as tape:
            tape.watch(G)
            J = cost(G)
        return J, tape.gradient(J, G)

    return evaluate


def lbfgs(cost, start, evaluations):
    """The best image in [0, 1] that bounded L-BFGS finds from `start`, (1, n_H, n_W, 3).

    cost: G -> J, a scalar. evaluations: at most so many of J and its gradient together.
    Raises FloatingPointError if J is not finite at the start.
    """
    best = (np.inf, start)
    try:
        for _, J, G in LBFGS([Phase(value_and_gradient(cost), evaluations)], start):
            best = min(best, (J, G), key=lambda pair: pair[0])
    except Stopped:
        pass  # at a minimum
    return tf.constant(best[1])
