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
from studio.axes import frequencies, notch
from studio.estimate import MEMORY

FIRST_CHANGE = 0.05  # of a pixel, root mean square, at the first step
SUFFICIENT = 1e-4  # Armijo's share of the predicted decrease
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
    cycles, _ = frequencies(n_H, n_W)
    periods = np.maximum(cycles * max(n_H, n_W), 1).astype(np.float32)
    spectrum = np.stack([periods**-0.75, 0.3 * periods**-0.25, 0.3 * periods**-0.25]) * notch(n_H, n_W, depth)

    def apply(image):
        planes = np.ascontiguousarray((image[0] @ OPPONENT.T).transpose(2, 0, 1))
        planes = fft.irfft2(fft.rfft2(planes, workers=2) * spectrum, (n_H, n_W), workers=2)
        return (planes.transpose(1, 2, 0) @ OPPONENT)[None]

    return apply


class InverseHessian:
    """The product of the L-BFGS estimate of the inverse Hessian with a vector.

    Compact form of Byrd, Nocedal and Schnabel (Mathematical Programming 63, 1994, eq. 3.1) for any
    symmetric first guess P: a few products of thin matrices instead of a loop over the pairs. In
    numpy: on a processor TensorFlow took ten times as long for these thin products.
    """

    def __init__(self, first_guess, shape, memory=MEMORY):
        self.P, self.shape, self.memory = first_guess, shape, memory
        self.steps, self.filtered = np.zeros((2, memory, int(np.prod(shape))), np.float32)  # S and P Y, as rows
        self.forget()

    def forget(self):
        self.rows = []  # from the oldest pair to the newest
        self.SY, self.YPY = np.zeros((2, self.memory, self.memory))  # of SY only the pairs with s not newer than y

    def learn(self, step, change):
        """Take in one step of G and the change of the gradient along it."""
        s, y = step.ravel(), change.ravel()
        if np.vdot(s, y) <= 1e-8 * np.linalg.norm(s) * np.linalg.norm(y):
            return  # not convex along this step: the estimate would not stay positive
        row = self.rows.pop(0) if len(self.rows) == self.memory else len(self.rows)
        self.rows.append(row)
        self.steps[row], self.filtered[row] = s, self.P(change).ravel()
        self.SY[:, row] = self.steps @ y
        self.YPY[:, row] = self.YPY[row] = self.filtered @ y

    def __call__(self, gradient):
        if not self.rows:
            return self.P(gradient)
        rows, g = self.rows, gradient.ravel()
        SY, YPY = self.SY[np.ix_(rows, rows)], self.YPY[np.ix_(rows, rows)]
        gamma = SY[-1, -1] / YPY[-1, -1]  # the newest pair sets P's scale
        R = np.triu(SY)
        a = np.linalg.solve(R, (self.steps @ g)[rows])
        u = np.linalg.solve(R.T, np.diag(SY) * a + gamma * (YPY @ a - (self.filtered @ g)[rows]))
        of_steps, of_filtered = np.zeros((2, self.memory), np.float32)
        of_steps[rows], of_filtered[rows] = u, -gamma * a
        correction = of_steps @ self.steps + of_filtered @ self.filtered
        return np.float32(gamma) * self.P(gradient) + correction.reshape(self.shape)


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
    next. start: (1, n_H, n_W, 3). depth: see `natural_filter`. state: from `state`, of an earlier search with these
    phases, which then goes on. Raises FloatingPointError if J is not finite at the start, and `Stopped` where neither
    the quasi-Newton direction nor after it the (filtered) steepest descent leads down.
    """

    def __init__(self, phases, start, depth=1.0, state=None):
        self.phases, self.G, self.used = phases, np.float32(start), 0
        self.phase, self.in_phase, self.J, self.gradient = 0, 0, None, None  # evaluations so far in which phase
        self.line = _Line(InverseHessian(natural_filter(self.G.shape, depth), self.G.shape))
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
                    yield self.used, self.J, self.G
                elif self.in_phase < phase.evaluations:
                    self.line.start_anew()
            self.phase, self.in_phase = self.phase + 1, 0

    def _count(self, evaluations):
        self.used, self.in_phase = self.used + evaluations, self.in_phase + evaluations

    def state(self):
        """({name: number or list of them}, {name: array}): all that a search needs to go on from its last step."""
        known = self.line.inverse_hessian
        numbers = {name: getattr(self, name) for name in ("used", "phase", "in_phase", "J")}
        numbers |= {"longest": self.line.longest, "rows": known.rows}
        filled = slice(0, max(known.rows, default=-1) + 1)  # each in its place, or sums are rounded otherwise
        pairs = {"steps": known.steps[filled], "filtered": known.filtered[filled], "SY": known.SY, "YPY": known.YPY}
        return numbers, {"G": self.G, "gradient": self.gradient, **pairs}

    def _restore(self, state):
        numbers, arrays = state
        for name in ("used", "phase", "in_phase", "J"):
            setattr(self, name, numbers[name])
        self.G, self.gradient, known = arrays["G"], arrays["gradient"], self.line.inverse_hessian
        self.line.longest, known.rows = numbers["longest"], list(numbers["rows"])
        filled = slice(0, len(arrays["steps"]))
        known.steps[filled], known.filtered[filled] = arrays["steps"], arrays["filtered"]
        known.SY[:], known.YPY[:] = arrays["SY"], arrays["YPY"]


class _Line:
    """The search along one direction after the other, and what it knows of their curvature."""

    def __init__(self, inverse_hessian):
        self.inverse_hessian, self.longest = inverse_hessian, np.inf

    def start_anew(self):
        if not self.inverse_hessian.rows:
            raise Stopped("no step along the steepest descent lowers J any further")
        self.inverse_hessian.forget()

    def search(self, phase, G, J, gradient, most):
        """(evaluations made, (G, J, gradient) where J is lower, or None). most: evaluations."""
        known = bool(self.inverse_hessian.rows)
        held = ((G <= 0) & (gradient > 0)) | ((G >= 1) & (gradient < 0))  # would leave [0, 1]
        direction = -np.where(held, 0, self.inverse_hessian(np.where(held, 0, gradient)))
        size = np.sqrt(np.mean(direction**2))  # root mean square change of a pixel
        if size == 0:
            raise Stopped("the gradient is zero: nothing is left to improve")
        step = min(1.0 if known else FIRST_CHANGE / size, self.longest / size)
        shortest, tried = SHORTEST * step, 0
        while tried < most and step >= shortest:
            new_G = np.clip(G + np.float32(step) * direction, 0, 1)
            new_J, new_gradient = _evaluated(phase, new_G)
            tried += 1
            slope = float(np.vdot(gradient, new_G - G))
            if new_J is None:
                step *= 0.1
                self.longest = step * size  # for a while no step may be longer than this
            elif slope < 0 and new_J <= J + SUFFICIENT * slope + phase.tolerance * abs(J):
                self.inverse_hessian.learn(new_G - G, new_gradient - gradient)
                self.longest *= 2
                return tried, (new_G, new_J, new_gradient)
            else:  # on to where the parabola through J, its slope and the new J is lowest
                step *= float(np.clip(slope / (2 * (J + slope - new_J)), 0.1, 0.5)) if slope < 0 else 0.0
        return tried, None


def _evaluated(phase, G):
    """J as a float and its gradient as an array, or (None, None) where either is not finite."""
    J, gradient = phase.value_and_gradient(tf.constant(G))
    J, gradient = float(J), np.asarray(gradient)
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
