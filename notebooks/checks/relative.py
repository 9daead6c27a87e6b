"""What lessons 2 and 3 share: the relative error, and a network small enough to work out by hand."""

import numpy as np

import nst_utils as nst
from notebooks.checks.machinery import ODD_G, attempt, count, examine_cost
from notebooks.checks.machinery import ODD_S as ODD_C
from notebooks.checks.remarks import no_gradient
from nst_utils import tf

GAINS = {  # of the three channels, at each layer
    "conv1_1": (1, 2, 1),
    "conv2_1": (2, 1, 1),
    "conv3_1": (1, 1, 3),
    "conv4_1": (1, 4, 1),
    "conv4_2": (3, 1, 2),
    "conv5_1": (1, 3, 5),
}
STYLE = tuple(nst.STYLE_LAYERS)
TALLER = np.concatenate([ODD_C, ODD_G[:, :2]], axis=1)
LARGER = np.concatenate([TALLER, TALLER[:, ::-1]], axis=2)  # higher and wider, and not in proportion
ANOTHER = LARGER[:, 2:, :2]  # of the size of ODD_C and ODD_G


def tiny_network(image, training=None):
    """A network whose layers multiply the three channels of the image by their `GAINS`. -> {layer: activations}."""
    return {layer: image * np.float32(gains) for layer, gains in GAINS.items()}


def relative_error(target, value):
    return np.sum((target - value) ** 2) / np.sum(target**2)


def gram(a):
    A = a.reshape(-1, a.shape[-1])
    return A.T @ A


def per_position(a):
    return gram(a) / (a.size / a.shape[-1])


UNEVEN = "right where S and G are of one size; where they differ, take nst.gram_per_position of each: "
UNEVEN_GRAMS = [  # (what is then wrong, how the Gram matrix is made)
    (f"{UNEVEN}a bare Gram matrix grows with the number of positions.", gram),
    (f"{UNEVEN}the positions are n_H n_W, and not n_H alone.", lambda a: gram(a) / a.shape[1]),
    (f"{UNEVEN}the positions are n_H n_W, and not n_W alone.", lambda a: gram(a) / a.shape[2]),
]

MISTAKES = [  # in a relative error
    ("this is the bare sum; divide it by the sum of the target's squares.", lambda t, v: np.sum((t - v) ** 2)),
    (
        "target and value are swapped: divide by the sum of the target's squares, not of the value's.",
        lambda t, v: np.sum((t - v) ** 2) / np.sum(v**2),
    ),
    (
        "divided by how many numbers there are; divide by the sum of the target's squares.",
        lambda t, v: np.mean((t - v) ** 2),
    ),
    (
        "the mean over a sum: above and below the line, take the sum of both or the mean of both.",
        lambda t, v: np.mean((t - v) ** 2) / np.sum(t**2),
        lambda t, v: np.sum((t - v) ** 2) / np.mean(t**2),
    ),
    ("the target is not squared: divide by the sum of its squares.", lambda t, v: np.sum((t - v) ** 2) / np.sum(t)),
    (
        "the differences are not squared.",
        lambda t, v: np.sum(t - v) / np.sum(t**2),
        lambda t, v: np.sum(np.abs(t - v)) / np.sum(t**2),
    ),
    (
        "nothing is squared: square each difference, and each number of the target.",
        lambda t, v: np.sum(t - v) / np.sum(t),
        lambda t, v: np.sum(np.abs(t - v)) / np.sum(np.abs(t)),
    ),
    (
        "squared after the sum; square each number first, then sum.",
        lambda t, v: np.sum(t - v) ** 2 / np.sum(t) ** 2,
        lambda t, v: np.sum(t - v) ** 2 / np.sum(t**2),
    ),
    ("this is its square root; take the squares as they are.", lambda t, v: relative_error(t, v) ** 0.5),
    (
        "divided entry by entry; sum first, above and below the line, then divide.",
        lambda t, v: np.sum((t - v) ** 2 / t**2),
        lambda t, v: np.mean((t - v) ** 2 / t**2),
    ),
    (
        "target and value are added; subtract them, so that the error of the target itself is 0.",
        lambda t, v: relative_error(t, -v),
    ),
    (
        "what comes after the point is cut off: no int and no tf.cast to whole numbers.",
        lambda t, v: relative_error(np.trunc(t), np.trunc(v)),
    ),
]


def examine_relative_error(function):
    """Raise CheckFailed, or return a remark, for a relative_error(target, value)."""
    name, target = "relative_error", count(2, 3) + 1
    probes = (
        (target, 0 * target),
        (target, target[::-1, ::-1]),
        (target, target**2 / 4),
        (target / 4, target[::-1] / 4),
        (target, target),
    )
    advice = "Its arguments are target and value."
    remark = examine_cost(name, function, relative_error, probes, MISTAKES, advice, "the target itself")
    return remark or no_gradient(
        lambda value: attempt(name, function, tf.constant(target), value),
        target[::-1],
        lambda value: relative_error(target, value),
    )
