"""Adam on the pixels of G, for pictures so large that the memory of L-BFGS is better spent on the picture."""

import numpy as np

from nst_utils import keras, tf

RATE = 0.02


def adam(phases, start, depth=1.0):
    """Yield (steps so far, J, G) for `lbfgs.Phase`s, one after the other. G stays in [0, 1].

    depth is for `lbfgs.minimise` alone: Adam has no filter.

    A step to a cost that is not finite is taken back, and the next ones are a tenth as long. Raises
    FloatingPointError if J is not finite at the start, or stays so.
    """
    G, rate, used = tf.Variable(start), RATE, 0
    optimizer = keras.optimizers.Adam(rate)
    good = tf.identity(G)
    for phase in phases:
        for _ in range(phase.evaluations):
            J, gradient = phase.value_and_gradient(tf.convert_to_tensor(G))
            used += 1
            if np.isfinite(float(J)):
                good = tf.identity(G)
                yield used, float(J), good
            elif used == 1 or rate < RATE * 1e-3:
                raise FloatingPointError("J is not finite. Use a smaller beta, or another picture.")
            else:
                G.assign(good)
                rate /= 10
                optimizer = keras.optimizers.Adam(rate)
                continue
            optimizer.apply_gradients([(gradient, G)])
            G.assign(tf.clip_by_value(G, 0, 1))
