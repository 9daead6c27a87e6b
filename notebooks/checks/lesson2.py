"""The checks of lesson 2: the receptive field, the costs of one kind of memory, and the shuffle."""

import contextlib
import copy
import functools
import types

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
    same,
)
from notebooks.checks.machinery import ODD_S as ODD_C
from notebooks.checks.relative import (
    ANOTHER,
    GAINS,
    LARGER,
    MISTAKES,
    STYLE,
    UNEVEN_GRAMS,
    examine_relative_error,
    gram,
    per_position,
    relative_error,
    tiny_network,
)
from notebooks.checks.remarks import no_gradient, only_numpy_remark
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


def _two_numbers(receptive_field, layer):
    found = attempt("receptive_field", receptive_field, layer, advice=f"It was asked for {layer}.")
    if found is None and layer == nst.LAYERS[0]:
        raise CheckFailed("receptive_field: it returns nothing. Is the `return` missing?")
    with contextlib.suppress(ValueError, TypeError):
        pair = np.asarray(found)
        if pair.shape == (2,) and pair.dtype.kind in "iuf":
            return pair
    raise CheckFailed(
        f"receptive_field: return two numbers, r and step, for each of the {len(nst.LAYERS)} layers; "
        f"for {layer} it returns {found!r}."
    )


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
        (
            "the pool comes first, and its doubled step counts for the convolution of the new block already.",
            _field(order=-1),
        ),
        ("the convolution of the layer itself is missing: go up to and including it.", _field(end=0)),
        ("r starts as 1: a pixel sees itself.", _field(start=0)),
    ]
    got = [_two_numbers(receptive_field, layer) for layer in nst.LAYERS]
    r, step = _two_numbers(receptive_field, nst.LAYERS[0])
    if not np.array_equal(got[0], (r, step), equal_nan=True):
        raise CheckFailed(
            f"receptive_field: called for {nst.LAYERS[0]} once more it returns r = {r:g} and step = {step:g}: both "
            "start anew, as 1, in every call."
        )
    for layer, pair in zip(nst.LAYERS, got, strict=True):
        if tuple(pair) != right(layer):
            name_the_mistake("receptive_field", got, [(layer,) for layer in nst.LAYERS], mistakes)
            r, step = pair
            raise CheckFailed(
                f"receptive_field: for {layer} it returns r = {r:g} and step = {step:g}, where "
                "{} and {} are right. Follow the rules by hand as far as there.".format(*right(layer))
            )
    return ""


# ------------------------------------------------------------------------------------ the relative error and the costs


@_lesson.check
def check_relative_error(relative_error):
    """relative_error(target, value), of one shape -> sum (target - value)^2 / sum target^2."""
    return examine_relative_error(relative_error)


def _costs_of(name, make_J, what):
    """(image, G, ...) -> what one J, made by make_J(what, image), returns for each G, on the tiny network."""

    @functools.wraps(make_J)
    def costs(image, *pictures):
        handed_over = copy.copy(what)
        J = make_J(handed_over, image, vgg=tiny_network)
        _say_that_it_is_no_function(name, J)
        found = [_one_cost(name, J(G)) for G in pictures]
        if handed_over != what:
            raise CheckFailed(
                f"{name}: it changes `layers`, and so the list for all that comes after: take a copy, list(layers)."
            )
        return found

    return costs


def _say_that_it_is_no_function(name, J):
    if J is None:
        raise CheckFailed(f"{name}: it returns nothing. Is `return J` missing?")
    if isinstance(J, tuple | list | dict | str | types.GeneratorType):
        raise CheckFailed(
            f"{name}: it returns a {type(J).__name__}, and should return a function: J alone, `return J`."
        )
    if not callable(J):
        raise CheckFailed(f"{name}: it returns a cost, and should return a function: define J(G), and return J.")


def _one_cost(name, found):
    if found is None:
        raise CheckFailed(f"{name}: its J returns nothing. Is the `return` missing?")
    if isinstance(found, tuple | list | dict | str | types.GeneratorType):
        raise CheckFailed(f"{name}: its J returns a {type(found).__name__}; return the cost alone, one number.")
    return found


def _examine_memory(name, make_J, what, right, rounds):
    """Raise CheckFailed, or return a remark. rounds: [(probes, mistakes, advice)]."""
    costs, name_here = _costs_of(name, make_J, what), f"{name}: at {what if isinstance(what, str) else ', '.join(what)}"

    @functools.wraps(make_J)
    def cost(image, G):
        return costs(image, G)[0]

    names = "image", "G"
    remarks = [examine_cost(name_here, cost, right, *this, "its own image", names) for this in rounds]
    advice = rounds[0][-1]
    _examine_later_calls(name, costs, right, advice)
    return next(filter(None, remarks), "") or no_gradient(
        lambda G: attempt(name, cost, tf.constant(ODD_C), G, advice=advice), ODD_G, lambda G: right(ODD_C, G)
    )


def _examine_later_calls(name, costs, right, advice):
    @functools.wraps(costs)
    def in_one_array(*inputs):
        return np.concatenate([np.ravel(found) for found in costs(*inputs)])

    pictures = ODD_G, ODD_G[:, ::-1] ** 2, ODD_G
    got, _ = call(name, in_one_array, (ODD_C, *pictures), advice)
    expected = [right(ODD_C, G) for G in pictures]
    if got.size == 3 and same(got, expected):
        return
    if got.size == 3 and same(got, [expected[0]] * 3):
        raise CheckFailed(f"{name}: its J keeps what it saw in its first G: take vgg(G) inside J, in every call.")
    raise CheckFailed(
        f"{name}: its J is right in its first call only: called three times it returns {_in_a_row(got)}, where "
        f"{_in_a_row(expected)} are right. A generator, a zip or a map is used up after one call, and a list made "
        "outside J stays full."
    )


def _in_a_row(numbers):
    return ", ".join(f"{number:.6g}" for number in numbers)


@_lesson.check
def check_content_cost(content_cost):
    """content_cost(layer, image, vgg) -> J; J(G) -> the relative error of G's activations at the layer."""

    def compare(layer, error=relative_error):
        return lambda C, G: error(tiny_network(C)[layer], tiny_network(G)[layer])

    advice = "Its arguments are layer, image=C and vgg=vgg; take both activations with this vgg, a_C those of `image`."
    probes, remark = ((ODD_C, ODD_G), (ODD_G / 4, ANOTHER / 4), (ODD_C, ODD_C)), ""
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
            ("0 for every G: compare the activations of `image` with those of G.", lambda C, G: 0.0),
        ]
        remark = _examine_memory("content_cost", content_cost, layer, compare(layer), [(probes, mistakes, advice)])
    return remark


def _errors(layers, of=per_position, error=relative_error):
    return lambda S, G: np.array([error(of(tiny_network(S)[n]), of(tiny_network(G)[n])) for n in layers])


def _mean(layers, of=per_position, error=relative_error):
    return lambda S, G: _errors(layers, of, error)(S, G).mean()


def _style_mistakes(layers):
    every, number = _errors(layers), len(layers)
    all_but = {out: _errors([layer for layer in layers if layer != out]) for out in layers if number > 1}
    return [
        (
            "activations are compared; compare their Gram matrices.",
            _mean(layers, of=lambda a: a),
        ),
        (
            "the sum over the layers; divide it by how many there are, len(layers).",
            lambda S, G: every(S, G).sum(),
        ),
        (
            "divided by 5 whatever the layers are; divide by len(layers).",
            lambda S, G: every(S, G).sum() / 5,
        ),
        (
            "only the last layer counts: add up in the loop, and divide after it.",
            lambda S, G: every(S, G)[-1],
            lambda S, G: every(S, G)[-1] / number,
        ),
        (
            "only the first layer counts: return after the loop, not in it.",
            lambda S, G: every(S, G)[0],
            lambda S, G: every(S, G)[0] / number,
        ),
        (
            "it goes through all layers of the network; go through `layers`.",
            _mean(GAINS),
            lambda S, G: _errors(GAINS)(S, G).sum() / number,
        ),
        ("it goes through all five style layers; go through `layers`.", _mean(STYLE)),
        *(
            (
                f"{out} is left out: go through all of `layers`.",
                lambda S, G, others=others: others(S, G).mean(),
                lambda S, G, others=others: others(S, G).sum() / number,
            )
            for out, others in all_but.items()
        ),
        *((sentence, *(_mean(layers, error=error) for error in formulas)) for sentence, *formulas in MISTAKES),
        ("0 for every G: compare the Gram matrices of `image` with those of G.", lambda S, G: 0.0),
    ]


@_lesson.check
def check_style_cost(style_cost):
    """style_cost(layers, image, vgg) -> J; J(G) -> the mean relative error of G's Gram matrices."""
    advice = "Its arguments are layers, image=S and vgg=vgg; at each of `layers` take seen_S[layer] and seen_G[layer]."
    differ = "Here S and G differ in size, which is allowed: only their Gram matrices meet."
    even, uneven, remark = ((ODD_C, ODD_G), (ODD_G / 4, ANOTHER / 4), (ODD_C, ODD_C)), ((LARGER, ODD_G),), ""
    for layers in (["conv1_1", "conv3_1", "conv5_1"], ["conv1_1"]):
        uneven_mistakes = [(sentence, _mean(layers, of)) for sentence, of in UNEVEN_GRAMS]
        rounds = (even, _style_mistakes(layers), advice), (uneven, uneven_mistakes, differ)
        remark = _examine_memory("style_cost", style_cost, layers, _mean(layers), rounds)
    return remark


# ------------------------------------------------------------------------------------ the shuffle


def _pieces(image, size):
    """The pieces of an image (1, n_H, n_W, 3), row by row: a list of tuples of numbers."""
    _, n_H, n_W, n_C = image.shape
    split = image.reshape(n_H // size, size, n_W // size, size, n_C)
    return list(map(tuple, split.transpose(0, 2, 1, 3, 4).reshape(-1, size * size * n_C)))


def _examine_shape(shape, image, whole, size, advice):
    _, n_H, n_W, n_C = whole.shape
    if shape == image.shape:
        raise CheckFailed(f"shuffled: the result is as large as the image, and pieces are cut. {advice}")
    if shape == (1, n_H // size, n_W // size, size * size * n_C):
        raise CheckFailed("shuffled: every position still holds a whole piece: tf.nn.depth_to_space is missing.")
    if shape == (1, n_W, n_H, n_C):
        raise CheckFailed("shuffled: height and width have changed places: reshape back to the shape of the pieces.")
    if shape != whole.shape:
        raise CheckFailed(f"shuffled: the shape is {shape}, and should be {whole.shape}: all whole pieces. {advice}")


def _examine_pixels(mixed, image, whole, size):
    if not np.isin(mixed, image).all():
        raise CheckFailed(
            "shuffled: the pixels have other values than before: move them as they are, without resizing, dividing or "
            "rounding."
        )
    if not np.isin(mixed, whole).all():
        raise CheckFailed(
            "shuffled: what fills no piece is cut off at the top or on the left; cut it off at the bottom and on the "
            "right: image[:, :n_H, :n_W]."
        )
    if not np.array_equal(np.sort(mixed, axis=None), np.sort(whole, axis=None)):
        raise CheckFailed(
            "shuffled: some pixels are lost and others doubled: take each piece once, in the order of a permutation."
        )
    if sorted(_pieces(whole, size)) != sorted(_pieces(mixed, size)):
        raise CheckFailed(
            "shuffled: the pieces are torn apart: what is inside a piece stays as it is. Move a row of numbers per "
            "piece, as tf.nn.space_to_depth makes it."
        )


def _examine_order(mixed, whole, size):
    """Raise CheckFailed if the pieces have not moved one by one. No shuffle of 12 pieces does so by chance."""
    if np.array_equal(mixed, whole):
        raise CheckFailed("shuffled: nothing has moved: gather the pieces in the order of a permutation.")
    before, shape = _pieces(whole, size), (whole.shape[1] // size, whole.shape[2] // size)
    places = np.array([before.index(piece) for piece in _pieces(mixed, size)])
    rows, columns = np.unravel_index(places, shape)
    rows, columns = rows.reshape(shape), columns.reshape(shape)
    if (rows == rows[:, :1]).all() and (columns == columns[:1]).all():
        moved = [what for what, old in (("rows", rows[:, 0]), ("columns", columns[0])) if any(np.diff(old) != 1)]
        raise CheckFailed(
            f"shuffled: whole {' and '.join(moved)} of pieces have moved; "
            "reshape to a row per piece before you shuffle."
        )
    shifts = (places - np.arange(len(places))) % len(places)
    if len(np.unique(shifts)) == 1:
        raise CheckFailed("shuffled: every piece has moved on by as many places: take the order of a permutation.")
    if np.sum(shifts == 0) > len(places) / 2:
        raise CheckFailed("shuffled: most pieces are where they were: take the order of a permutation of all.")


def _examine_pieces(shuffled, image, size, note=""):
    """Raise CheckFailed, or return (the result, the image cut to whole pieces, why only NumPy arrays work, or "")."""

    @functools.wraps(shuffled)
    def in_pieces(image):
        return shuffled(image, size)

    whole = image[:, : image.shape[1] // size * size, : image.shape[2] // size * size]
    (n_H, n_W), kept = image.shape[1:3], f"{whole.shape[1]}x{whole.shape[2]} px"
    call("shuffled", in_pieces, (whole,), f"The image is {kept} here, the pieces {size}x{size}. {note}".rstrip())
    advice = f"The image is {n_H}x{n_W} px, the pieces {size}x{size}: cut it to whole pieces, {kept}, first. {note}"
    mixed, reason = call("shuffled", in_pieces, (image,), advice.rstrip())
    _examine_shape(mixed.shape, image, whole, size, advice.rstrip())
    _examine_pixels(mixed, image, whole, size)
    return mixed, whole, reason


@_lesson.check
def check_shuffled(shuffled):
    """shuffled(image, size) -> the image, cut to whole pieces of size x size px, in another order of the pieces."""
    mixed, whole, reason = _examine_pieces(shuffled, (count(1, 7, 9, 3) + 1) / 256, 2)
    _examine_order(mixed, whole, 2)
    note = "Is `size` used throughout, and no 2, 4 or 12 in its place?"
    _examine_pieces(shuffled, (count(1, 7, 11, 3) + 1) / 256, 3, note)
    return only_numpy_remark(reason)
