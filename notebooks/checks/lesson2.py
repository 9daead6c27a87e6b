"""The checks of lesson 2: the receptive field, the costs of one kind of memory, and the shuffle."""

import functools

import numpy as np

import nst_utils as nst
from notebooks.checks.machinery import (
    ODD_G,
    CheckFailed,
    Lesson,
    attempt,
    call,
    count,
    examine_cost,
    name_the_mistake,
    no_gradient,
    only_numpy_remark,
)
from notebooks.checks.machinery import ODD_S as ODD_C
from notebooks.checks.relative import (
    GAINS,
    LARGER,
    MISTAKES,
    STYLE,
    examine_relative_error,
    gram,
    per_position,
    relative_error,
    tiny_network,
)
from nst_utils import tf

_lesson = Lesson()
CHECKS, check_all = _lesson.checks, _lesson.check_all

# ------------------------------------------------------------------------------------ the receptive field


def _at_a_pool(r, step):
    return r + step, 2 * step


def _at_a_convolution(r, step):
    return r + 2 * step, step


def _pool_before(name):
    return name.endswith("_1") and name != "conv1_1"


def _field(pool=_at_a_pool, convolution=_at_a_convolution, pool_before=_pool_before, start=1, end=1, order=1):
    """A walk down to a layer, as a function of the layer's name. end: 0 to stop before it; order: -1, pools last."""

    def walk(layer):
        r, step = start, 1
        for name in nst.LAYERS[: nst.LAYERS.index(layer) + end]:
            for rule in ([pool] * pool_before(name) + [convolution])[::order]:
                r, step = rule(r, step)
        return r, step

    return walk


@_lesson.check
def check_receptive_field(receptive_field):
    """receptive_field(layer) -> (r, step), both in px."""
    right = _field()

    mistakes = [
        ("returned in the other order: return r, step.", lambda layer: right(layer)[::-1]),
        ("a pool makes r larger as well: r + step, before the step doubles.", _field(lambda r, step: (r, 2 * step))),
        ("a pool doubles the step.", _field(lambda r, step: (r + step, step))),
        (
            "the step is doubled before r has grown: a pool adds the old step to r, and then doubles it.",
            _field(lambda r, step: (r + 2 * step, 2 * step)),
        ),
        ("the pools are missing: one stands before every block but the first.", _field(lambda *now: now)),
        (
            "there is no pool before conv1_1: the first block begins with the picture itself.",
            _field(pool_before=lambda name: name.endswith("_1")),
        ),
        (
            "a pool stands before each new block only, where the name ends in _1, not before every convolution.",
            _field(pool_before=lambda name: name != "conv1_1"),
            _field(pool_before=lambda name: True),
        ),
        (
            "a 3x3 convolution looks one position further to *every* side: it adds 2 step, not step.",
            _field(convolution=lambda r, step: (r + step, step)),
        ),
        (
            "a convolution looks one position further, which is step pixels: it adds 2 step, not 2.",
            _field(convolution=lambda r, step: (r + 2, step)),
        ),
        (
            "a 3x3 convolution adds 2 step: the position in the middle was there before.",
            _field(convolution=lambda r, step: (r + 3 * step, step)),
        ),
        ("the pool comes first, and then the convolution of the new block.", _field(order=-1)),
        ("the convolution of the layer itself is missing: go up to and including it.", _field(end=0)),
        ("r starts as 1: a pixel sees itself.", _field(start=0)),
    ]
    got = [attempt("receptive_field", receptive_field, layer) for layer in nst.LAYERS]
    if got[0] is None:
        raise CheckFailed("receptive_field: it returns nothing. Is the `return` missing?")
    if any(np.shape(pair) != (2,) for pair in got):
        raise CheckFailed("receptive_field: return two numbers, r and step.")
    for layer, pair in zip(nst.LAYERS, got, strict=True):
        if tuple(pair) != right(layer):
            name_the_mistake("receptive_field", got, [(layer,) for layer in nst.LAYERS], mistakes)
            r, step = pair
            raise CheckFailed(
                f"receptive_field: for {layer} it returns r = {r} and step = {step}, where "
                "{} and {} are right. Follow the rules by hand as far as there.".format(*right(layer))
            )
    return ""


# ------------------------------------------------------------------------------------ the relative error and the costs


@_lesson.check
def check_relative_error(relative_error):
    """relative_error(target, value), of one shape -> sum (target - value)^2 / sum target^2."""
    return examine_relative_error(relative_error)


def _cost_of(name, make_J, what):
    """(image, G) -> the number that make_J(what, image)(G) returns, on the tiny network."""

    @functools.wraps(make_J)
    def cost(image, G):
        J = make_J(what, image, vgg=tiny_network)
        if J is None:
            raise CheckFailed(f"{name}: it returns nothing. Is `return J` missing?")
        if not callable(J):
            raise CheckFailed(f"{name}: it returns a cost, and should return a function: define J(G), and return J.")
        found = J(G)
        if found is None:
            raise CheckFailed(f"{name}: its J returns nothing. Is the `return` missing?")
        if isinstance(found, tuple | list):
            raise CheckFailed(f"{name}: its J returns a {type(found).__name__}; return the cost alone, one number.")
        return found

    return cost


def _examine_memory(name, make_J, what, right, probes, mistakes, advice):
    cost = _cost_of(name, make_J, what)
    return examine_cost(name, cost, right, probes, mistakes, advice, "its own image") or no_gradient(
        lambda G: cost(tf.constant(ODD_C), G), ODD_G
    )


@_lesson.check
def check_content_cost(content_cost):
    """content_cost(layer, image, vgg) -> J; J(G) -> the relative error of G's activations at the layer."""

    def compare(layer, error=relative_error):
        return lambda C, G: error(tiny_network(C)[layer], tiny_network(G)[layer])

    advice = "Its arguments are layer, image=C and vgg=vgg; take both activations with this vgg, a_C those of `image`."
    probes, remark = ((ODD_C, ODD_G), (ODD_G, LARGER[:, 2:]), (ODD_C, ODD_C)), ""
    for layer in ("conv2_1", "conv5_1", "conv4_2"):
        mistakes = [
            (
                "the pictures are compared; compare their activations at the layer.",
                relative_error,
            ),
            *(
                (f"it compares at {other}, where {layer} was asked for: use the argument `layer`.", compare(other))
                for other in GAINS
                if other != layer
            ),
            (
                "Gram matrices are compared, which is for style; compare the activations.",
                compare(layer, lambda a, b: relative_error(gram(a), gram(b))),
            ),
            *((sentence, *(compare(layer, error) for error in errors)) for sentence, *errors in MISTAKES),
        ]
        remark = _examine_memory("content_cost", content_cost, layer, compare(layer), probes, mistakes, advice)
    return remark


@_lesson.check
def check_style_cost(style_cost):
    """style_cost(layers, image, vgg) -> J; J(G) -> the mean relative error of G's Gram matrices."""

    def errors(layers, of=per_position, error=relative_error):
        return lambda S, G: np.array([error(of(tiny_network(S)[n]), of(tiny_network(G)[n])) for n in layers])

    def mean(layers, of=per_position, error=relative_error):
        return lambda S, G: errors(layers, of, error)(S, G).mean()

    advice = "Its arguments are layers, image=S and vgg=vgg; at each of `layers` take seen_S[layer] and seen_G[layer]."
    even, uneven, remark = ((ODD_C, ODD_G), (ODD_G, ODD_C), (ODD_C, ODD_C)), ((LARGER, ODD_G),), ""
    for layers in (["conv1_1"], ["conv1_1", "conv3_1", "conv5_1"]):
        every, number = errors(layers), len(layers)
        mistakes = [
            (
                "activations are compared; compare their Gram matrices.",
                mean(layers, of=lambda a: a),
            ),
            (
                "the sum over the layers; divide it by how many there are, len(layers).",
                lambda S, G, every=every: every(S, G).sum(),
            ),
            (
                "divided by 5 whatever the layers are; divide by len(layers).",
                lambda S, G, every=every: every(S, G).sum() / 5,
            ),
            (
                "only the last layer counts: add up in the loop, and divide after it.",
                lambda S, G, every=every: every(S, G)[-1],
                lambda S, G, every=every, number=number: every(S, G)[-1] / number,
            ),
            (
                "only the first layer counts: return after the loop, not in it.",
                lambda S, G, every=every: every(S, G)[0],
                lambda S, G, every=every, number=number: every(S, G)[0] / number,
            ),
            (
                "it goes through all layers of the network; go through `layers`.",
                mean(GAINS),
                lambda S, G, number=number: errors(GAINS)(S, G).sum() / number,
            ),
            ("it goes through all five style layers; go through `layers`.", mean(STYLE)),
            *((sentence, *(mean(layers, error=error) for error in formulas)) for sentence, *formulas in MISTAKES),
        ]
        remark = _examine_memory("style_cost", style_cost, layers, mean(layers), even, mistakes, advice)
        mistakes = [
            (
                "right where S and G are of one size; where they differ, take nst.gram_per_position of each: "
                "a bare Gram matrix grows with the number of positions.",
                mean(layers, of=gram),
            ),
        ]
        differ = "Here S and G differ in size, which is allowed: only their Gram matrices meet."
        _examine_memory("style_cost", style_cost, layers, mean(layers), uneven, mistakes, differ)
    return remark


# ------------------------------------------------------------------------------------ the shuffle


def _pieces(image, size):
    """The pieces of an image (1, n_H, n_W, 3) as rows of numbers, in rows: (rows, columns, size * size * 3)."""
    _, n_H, n_W, n_C = image.shape
    split = image.reshape(n_H // size, size, n_W // size, size, n_C)
    return split.transpose(0, 2, 1, 3, 4).reshape(n_H // size, n_W // size, -1)


def _sorted_rows(table):
    return np.array(sorted(map(tuple, table)))


@_lesson.check
def check_shuffled(shuffled):
    """shuffled(image, size) -> the image, cut to whole pieces of size x size px, in another order of the pieces."""
    size, image = 2, count(1, 7, 9, 3)
    whole = image[:, :6, :8]

    @functools.wraps(shuffled)
    def in_pieces(image):
        return shuffled(image, size)

    call("shuffled", in_pieces, (whole,), f"The image is 6x8 px here, the pieces {size}x{size}.")
    advice = f"The image is 7x9 px, the pieces {size}x{size}: cut it to whole pieces, 6x8 px, first."
    mixed, reason = call("shuffled", in_pieces, (image,), advice)
    if mixed.shape == image.shape:
        raise CheckFailed(f"shuffled: the result is as large as the image, and pieces are cut. {advice}")
    if mixed.shape == (1, 3, 4, 12):
        raise CheckFailed("shuffled: every position still holds a whole piece: tf.nn.depth_to_space is missing.")
    if mixed.shape == (1, 8, 6, 3):
        raise CheckFailed("shuffled: height and width have changed places: reshape back to the shape of the pieces.")
    if mixed.shape != whole.shape:
        raise CheckFailed(f"shuffled: the shape is {mixed.shape}, and should be {whole.shape}: all whole pieces.")
    if np.array_equal(mixed, whole):
        raise CheckFailed("shuffled: nothing has moved: gather the pieces in the order of a permutation.")
    if not np.array_equal(np.sort(mixed, axis=None), np.sort(whole, axis=None)):
        raise CheckFailed(
            "shuffled: some pixels are lost and others doubled: take each piece once, in the order of a permutation."
        )
    before, after = _pieces(whole, size), _pieces(mixed, size)
    if not np.array_equal(_sorted_rows(before.reshape(12, -1)), _sorted_rows(after.reshape(12, -1))):
        raise CheckFailed(
            "shuffled: the pieces are torn apart: what is inside a piece stays as it is. Move a row of numbers per "
            "piece, as tf.nn.space_to_depth makes it."
        )
    if np.array_equal(_sorted_rows(before.reshape(3, -1)), _sorted_rows(after.reshape(3, -1))):
        raise CheckFailed("shuffled: whole rows of pieces have moved; reshape to a row per piece before you shuffle.")
    return only_numpy_remark(reason)
