"""Adam on the pixels of G, for pictures so large that the memory of L-BFGS is better spent on the picture."""

import numpy as np

RATE, MEAN, SQUARES, TINY = 0.02, 0.9, 0.999, 1e-7  # Kingma and Ba (arXiv:1412.6980): alpha, beta 1 and 2, epsilon
ROWS = 64  # of the picture, worked on at a time


class Adam:
    """A search: an iterator over (steps so far, J, G) for `lbfgs.Phase`s, one after the other. G stays in [0, 1].

    depth and memory are for `lbfgs.LBFGS` alone: Adam has no filter, and always holds five pictures. state: from
    `state`, of an earlier search, which then goes on.

    A step to a cost that is not finite is taken back, and the next ones are a tenth as long. Raises
    FloatingPointError if J is not finite at the start, or stays so.
    """

    NUMBERS = ("used", "phase", "in_phase")  # of a state

    def __init__(self, phases, start, depth=1.0, memory=0, state=None):
        self.phases, self.good, self.used, self.phase, self.in_phase = phases, np.asarray(start, np.float32), 0, 0, 0
        self.G, self.gradient = self.good, None  # G is tried next, unless a gradient says where it is
        self.moments = _State(self.G.shape, RATE)
        if state is not None:
            self._restore(state)

    def __iter__(self):
        while self.phase < len(self.phases):
            phase = self.phases[self.phase]
            while self.in_phase < phase.evaluations:
                if self.gradient is not None:  # only now, so that what was yielded is what a state holds
                    self.G = self.moments.step(self.good, self.gradient)
                    self.gradient = None
                J, gradient = phase.value_and_gradient(self.G)
                self.used, self.in_phase = self.used + 1, self.in_phase + 1
                if not np.isfinite(float(J)):
                    self._take_back()
                    continue
                self.good, self.gradient = self.G, np.require(gradient, requirements="W")
                yield self.used, float(J), self.good
            self.phase, self.in_phase = self.phase + 1, 0

    def _take_back(self):
        if self.used == 1 or self.moments.rate < RATE * 1e-3:
            raise FloatingPointError("J is not finite. Use a smaller beta, or another picture.")
        self.G, self.moments = self.good, _State(self.good.shape, self.moments.rate / 10)

    def state(self):
        """({name: number}, {name: array}): all that a search needs to go on from its last step."""
        numbers = {name: getattr(self, name) for name in self.NUMBERS}
        numbers |= {"rate": self.moments.rate, "steps": self.moments.steps}
        arrays = {"G": self.good, "gradient": self.gradient}
        return numbers, arrays | {"mean": self.moments.mean, "squares": self.moments.squares}

    def _restore(self, state):
        numbers, arrays = state
        for name in self.NUMBERS:
            setattr(self, name, numbers[name])
        self.G = self.good = arrays["G"]
        self.gradient = arrays["gradient"]
        self.moments.rate, self.moments.steps = numbers["rate"], numbers["steps"]
        self.moments.mean, self.moments.squares = arrays["mean"], arrays["squares"]


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
