"""Adam on the pixels of G, for pictures so large that the memory of L-BFGS is better spent on the picture."""

import numpy as np

RATE, MEAN, SQUARES, TINY = 0.02, 0.9, 0.999, 1e-7  # Kingma and Ba (arXiv:1412.6980): alpha, beta 1 and 2, epsilon
ROWS = 64  # of the picture, worked on at a time


def adam(phases, start, depth=1.0, memory=0):
    """Yield (steps so far, J, G) for `lbfgs.Phase`s, one after the other. G stays in [0, 1].

    depth and memory are for `lbfgs.minimise` alone: Adam has no filter, and always holds five pictures.

    A step to a cost that is not finite is taken back, and the next ones are a tenth as long. Raises
    FloatingPointError if J is not finite at the start, or stays so.
    """
    G = good = np.asarray(start, np.float32)
    del start  # or it would be held until the end
    used, state = 0, _State(G.shape, RATE)
    for phase in phases:
        for _ in range(phase.evaluations):
            J, gradient = phase.value_and_gradient(G)
            used += 1
            if np.isfinite(float(J)):
                good = G
                yield used, float(J), good
                G = state.step(good, np.require(gradient, requirements="W"))
            elif used == 1 or state.rate < RATE * 1e-3:
                raise FloatingPointError("J is not finite. Use a smaller beta, or another picture.")
            else:
                G, state = good, _State(G.shape, state.rate / 10)


class _State:
    """What Adam remembers: two pictures."""

    def __init__(self, shape, rate):
        self.rate, self.steps = rate, 0
        self.mean, self.squares = np.zeros((2, *shape), np.float32)

    def step(self, G, gradient):
        """The next G, in place of the gradient."""
        self.steps += 1
        rate = np.float32(self.rate * np.sqrt(1 - SQUARES**self.steps) / (1 - MEAN**self.steps))
        for i in range(0, G.shape[1], ROWS):
            rows = np.s_[:, i : i + ROWS]
            slope, mean, squares = gradient[rows], self.mean[rows], self.squares[rows]
            mean += np.float32(1 - MEAN) * (slope - mean)
            squares += np.float32(1 - SQUARES) * (slope**2 - squares)
            slope[:] = np.clip(G[rows] - rate * mean / (np.sqrt(squares) + np.float32(TINY)), 0, 1)
        return gradient
