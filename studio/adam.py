"""Adam on the pixels of G, for pictures so large that the memory of L-BFGS is better spent on the picture."""

import numpy as np

from nst_utils import keras, tf

RATE = 0.02


class Adam:
    """A search: an iterator over (steps so far, J, G) for `lbfgs.Phase`s, one after the other. G stays in [0, 1].

    depth is for `lbfgs.LBFGS` alone: Adam has no filter. state: from `state`, of an earlier search, which then goes on.

    A step to a cost that is not finite is taken back, and the next ones are a tenth as long. Raises
    FloatingPointError if J is not finite at the start, or stays so.
    """

    def __init__(self, phases, start, depth=1.0, state=None):
        self.phases, self.G, self.good = phases, tf.Variable(start), tf.identity(start)
        self.used = self.phase = self.in_phase = 0
        self.rate = RATE
        self._begin()
        if state is not None:
            self._restore(state)

    def _begin(self):
        self.optimizer = keras.optimizers.Adam(self.rate)
        self.optimizer.build([self.G])

    def __iter__(self):
        while self.phase < len(self.phases):
            phase = self.phases[self.phase]
            while self.in_phase < phase.evaluations:
                J, gradient = phase.value_and_gradient(tf.convert_to_tensor(self.G))
                self.used, self.in_phase = self.used + 1, self.in_phase + 1
                if not np.isfinite(float(J)):
                    self._take_back()
                    continue
                self.good = tf.identity(self.G)
                self.optimizer.apply_gradients([(gradient, self.G)])
                self.G.assign(tf.clip_by_value(self.G, 0, 1))
                yield self.used, float(J), self.good
            self.phase, self.in_phase = self.phase + 1, 0

    def _take_back(self):
        if self.used == 1 or self.rate < RATE * 1e-3:
            raise FloatingPointError("J is not finite. Use a smaller beta, or another picture.")
        self.G.assign(self.good)
        self.rate /= 10
        self._begin()

    def state(self):
        """({name: number}, {name: array}): all that a search needs to go on from its last step."""
        numbers = {name: getattr(self, name) for name in ("used", "phase", "in_phase", "rate")}
        moments = {f"optimizer{i}": variable.numpy() for i, variable in enumerate(self.optimizer.variables)}
        return numbers, {"G": self.G.numpy(), "good": self.good.numpy(), **moments}

    def _restore(self, state):
        numbers, arrays = state
        for name in ("used", "phase", "in_phase", "rate"):
            setattr(self, name, numbers[name])
        self._begin()
        self.G.assign(arrays["G"])
        self.good = tf.constant(arrays["good"])
        for i, variable in enumerate(self.optimizer.variables):
            variable.assign(arrays[f"optimizer{i}"])
