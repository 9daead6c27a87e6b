"""Bounded L-BFGS that knows what pictures are like.

Quasi-Newton in float32, on whichever device TensorFlow uses, with three things that the textbook's
lacks: the picture stays in [0, 1] at every step (the step is projected, as in Schmidt, Kim and Sra,
"Projected Newton-type methods in machine learning", 2011); the first guess at the inverse Hessian is
not the unit matrix but a filter, since a cost made of features of a picture is stiffest in fine
detail; and a step that finds no finite or no lower cost is taken back.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

MEMORY = 20  # pairs of steps and gradient changes
FIRST_CHANGE = 0.05  # of a pixel, root mean square, at the first step
SUFFICIENT = 1e-4  # Armijo's share of the predicted decrease
SHORTEST = 1e-4  # of a full step, below which the search along a line has failed

# Brightness, red against green, blue against yellow: an orthonormal basis.
OPPONENT = np.array([[1, 1, 1], [1, -1, 0], [1, 1, -2]], np.float32)
OPPONENT /= np.linalg.norm(OPPONENT, axis=1, keepdims=True)


def natural_filter(shape):
    """The first guess at the inverse Hessian: a function from (1, n_H, n_W, 3) to the same.

    Symmetric and positive: brightness is scaled by frequency^-3/4, colour by 0.3 frequency^-1/4, the
    exponents being measured ones. Frequencies are in periods per picture, the lowest counts as 1.
    """
    _, n_H, n_W, _ = shape
    periods = np.hypot(np.fft.fftfreq(n_H)[:, None], np.fft.rfftfreq(n_W)) * max(n_H, n_W)
    periods = np.maximum(periods, 1).astype(np.float32)
    spectrum = tf.constant(np.stack([periods**-0.75, 0.3 * periods**-0.25, 0.3 * periods**-0.25]))
    to_opponent = tf.constant(OPPONENT)

    @tf.function
    def apply(image):
        planes = tf.einsum("hwc,kc->khw", image[0], to_opponent)
        planes = tf.signal.irfft2d(tf.signal.rfft2d(planes) * tf.cast(spectrum, tf.complex64), [n_H, n_W])
        return tf.einsum("khw,kc->hwc", planes, to_opponent)[None]

    return apply


class InverseHessian:
    """The product of the L-BFGS estimate of the inverse Hessian with a vector.

    Compact form of Byrd, Nocedal and Schnabel (Mathematical Programming 63, 1994, eq. 3.1) for any
    symmetric first guess P: a few products of thin matrices instead of a loop over the pairs.
    """

    def __init__(self, first_guess, shape, memory=MEMORY):
        self.P, self.shape, self.memory = first_guess, shape, memory
        n = int(np.prod(shape))
        self.steps, self.filtered = (tf.Variable(tf.zeros([memory, n])) for _ in range(2))  # S and P Y, as rows
        self.forget()

    def forget(self):
        self.rows = []  # from the oldest pair to the newest
        self.SY, self.YPY = np.zeros((2, self.memory, self.memory))  # of SY only the pairs with s not newer than y

    def learn(self, step, change):
        """Take in one step of G and the change of the gradient along it."""
        s, y = tf.reshape(step, [-1]), tf.reshape(change, [-1])
        curvature = float(tf.tensordot(s, y, 1))
        if curvature <= 1e-8 * float(tf.norm(s) * tf.norm(y)):
            return  # not convex along this step: the estimate would not stay positive
        row = self.rows.pop(0) if len(self.rows) == self.memory else len(self.rows)
        self.rows.append(row)
        self.steps[row].assign(s)
        self.filtered[row].assign(tf.reshape(self.P(change), [-1]))
        self.SY[:, row] = tf.linalg.matvec(self.steps, y)
        self.YPY[:, row] = self.YPY[row] = tf.linalg.matvec(self.filtered, y)

    def __call__(self, gradient):
        if not self.rows:
            return self.P(gradient)
        rows = self.rows
        SY, YPY = self.SY[np.ix_(rows, rows)], self.YPY[np.ix_(rows, rows)]
        gamma = SY[-1, -1] / YPY[-1, -1]  # the newest pair sets P's scale
        g = tf.reshape(gradient, [-1])
        Sg, PYg = (tf.linalg.matvec(M, g).numpy().astype(np.float64)[rows] for M in (self.steps, self.filtered))
        R = np.triu(SY)
        a = np.linalg.solve(R, Sg)
        u = np.linalg.solve(R.T, np.diag(SY) * a + gamma * (YPY @ a - PYg))
        of_steps, of_filtered = np.zeros((2, self.memory), np.float32)
        of_steps[rows], of_filtered[rows] = u, -gamma * a
        sums = (
            tf.linalg.matvec(M, w, transpose_a=True) for M, w in ((self.steps, of_steps), (self.filtered, of_filtered))
        )
        return gamma * self.P(gradient) + tf.reshape(tf.add_n(list(sums)), self.shape)


class Stopped(Exception):
    """The search ended before its evaluations did; the message says why."""


@dataclass(frozen=True)
class Phase:
    """A stretch of a search: how J is evaluated, and how often."""

    value_and_gradient: Callable  # G -> (J, dJ/dG)
    evaluations: int  # at most so many calls
    tolerance: float = 1e-6  # relative error of J; a rise below it is none


def minimise(phases, start):
    """Yield (evaluations so far, J, G) at the start and after every accepted step. G stays in [0, 1].

    phases: `Phase`s, one after the other: what is known of the curvature is kept from one to the next.
    start: (1, n_H, n_W, 3). Raises FloatingPointError if J is not finite at the start, and `Stopped`
    where neither the quasi-Newton direction nor after it the (filtered) steepest descent leads down.
    """
    G, used, longest = tf.convert_to_tensor(start), 0, np.inf
    inverse_hessian = InverseHessian(natural_filter(G.shape), G.shape)
    for phase in phases:
        J, gradient = phase.value_and_gradient(G)
        J, used, end = float(J), used + 1, used + phase.evaluations
        if not _finite(J, gradient):
            raise FloatingPointError("J is not finite at the start. Use a smaller beta, or another picture.")
        yield used, J, G
        while used < end:
            held = ((G <= 0) & (gradient > 0)) | ((G >= 1) & (gradient < 0))  # would leave [0, 1]
            direction = -tf.where(held, 0.0, inverse_hessian(tf.where(held, 0.0, gradient)))
            size = float(tf.norm(direction)) / np.sqrt(np.prod(G.shape))  # root mean square change of a pixel
            if size == 0:
                raise Stopped("the gradient is zero: nothing is left to improve")
            step = min(1.0 if inverse_hessian.rows else FIRST_CHANGE / size, longest / size)
            shortest, accepted = SHORTEST * step, False
            while used < end and step >= shortest and not accepted:
                new_G = tf.clip_by_value(G + step * direction, 0, 1)
                new_J, new_gradient = phase.value_and_gradient(new_G)
                new_J, used = float(new_J), used + 1
                slope = float(tf.reduce_sum(gradient * (new_G - G)))
                if not _finite(new_J, new_gradient):
                    step *= 0.1
                    longest = step * size  # for a while no step may be longer than this
                elif slope < 0 and new_J <= J + SUFFICIENT * slope + phase.tolerance * abs(J):
                    accepted = True
                else:  # on to where the parabola through J, its slope and the new J is lowest
                    step *= float(np.clip(slope / (2 * (J + slope - new_J)), 0.1, 0.5)) if slope < 0 else 0.0
            if accepted:
                inverse_hessian.learn(new_G - G, new_gradient - gradient)
                G, J, gradient, longest = new_G, new_J, new_gradient, 2 * longest
                yield used, J, G
            elif used < end:
                if not inverse_hessian.rows:
                    raise Stopped("no step along the steepest descent lowers J any further")
                inverse_hessian.forget()


def _finite(J, gradient):
    return np.isfinite(J) and bool(tf.reduce_all(tf.math.is_finite(gradient)))
