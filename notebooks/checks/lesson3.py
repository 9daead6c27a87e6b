"""The checks of lesson 3: the yardstick, total variation, and the settings of others."""

import functools

import numpy as np

from notebooks.checks.machinery import (
    ODD_G,
    CheckFailed,
    Lesson,
    attempt,
    count,
    examine_cost,
    examine_numbers,
    no_gradient,
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

CONTENT = ("conv1_1", "conv2_1", "conv3_1", "conv4_2", "conv5_1")  # conv4_1 may be among them, but nobody asks for it

_lesson = Lesson()
CHECKS, check_all = _lesson.checks, _lesson.check_all

# ------------------------------------------------------------------------------------ the yardstick


@_lesson.check
def check_relative_error(relative_error):
    """relative_error(target, value), as in lesson 2, and also of a float32 and a bfloat16."""
    remark = examine_relative_error(relative_error)
    exact = tf.constant(count(2, 3) + 1)
    advice = "In section 9 one of the two is bfloat16: cast both to float32 first."
    attempt("relative_error", relative_error, exact, tf.cast(exact, tf.bfloat16), advice=advice)
    return remark


def _of_grams(error, of=per_position):
    return lambda a, b: error(of(a), of(b))


def _from(target, error=relative_error):
    """An error of G's activations at one layer against those of C or of S."""
    return lambda at: error(at[target], at["G"])


RIGHT_CONTENT, RIGHT_STYLE = _from("C"), _from("S", _of_grams(relative_error))
CONTENT_MISTAKES = [
    ("G is compared with S; the content is that of C.", _from("S")),
    ("Gram matrices are compared; content compares the activations.", _from("C", _of_grams(relative_error))),
    *((sentence, *(_from("C", error) for error in errors)) for sentence, *errors in MISTAKES),
]
STYLE_MISTAKES = [
    ("G is compared with C; the style is that of S.", _from("C", _of_grams(relative_error))),
    ("activations are compared; style compares the Gram matrices.", _from("S")),
    *((sentence, *(_from("S", _of_grams(error)) for error in errors)) for sentence, *errors in MISTAKES),
]
UNEVEN_MISTAKES = [
    (
        "right where S and G are of one size; where they differ, take nst.gram_per_position of each: "
        "a bare Gram matrix grows with the number of positions.",
        _from("S", _of_grams(relative_error, gram)),
    )
]


def _returned_by(errors_seen_by, C, S, G):
    """Whatever the learner's function gives for this G, on the tiny network."""
    name = "errors_seen_by"

    @functools.wraps(errors_seen_by)
    def both(C, S, G):
        errors = errors_seen_by(tiny_network, C, S)
        if errors is None:
            raise CheckFailed(f"{name}: it returns nothing. Is `return errors` missing?")
        if not callable(errors):
            raise CheckFailed(f"{name}: it returns errors, and should return the function errors, which takes a G.")
        return errors(G)

    advice = "Its arguments are vgg, C=C and S=S."
    if S.shape != C.shape:
        advice = "Here S differs from C and G in size, which is allowed: only Gram matrices meet."
    return attempt(name, both, *map(tf.constant, (C, S, G)), advice=advice)


def _both_errors(errors_seen_by, C, S, G):
    """({layer: content error}, {layer: style error}), as the learner's function gives them."""
    name, returned = "errors_seen_by", _returned_by(errors_seen_by, C, S, G)
    if returned is None:
        raise CheckFailed(f"{name}: its errors returns nothing. Is the `return` missing?")
    if not isinstance(returned, tuple) or len(returned) != 2 or not all(isinstance(part, dict) for part in returned):
        raise CheckFailed(f"{name}: its errors should return two dicts {{layer: error}}, content and style.")
    content, style = returned
    if "conv4_2" in style and "conv4_2" not in content:
        raise CheckFailed(f"{name}: returned in the other order: content first, then style.")
    for what, got, layers in (("content", content, CONTENT), ("style", style, STYLE)):
        if missing := [layer for layer in layers if layer not in got]:
            raise CheckFailed(f"{name}: the {what} errors have no {missing[0]}.")
    if extra := [layer for layer in style if layer not in STYLE]:
        raise CheckFailed(f"{name}: {extra[0]} is no style layer: go through STYLE.")
    return content, style


@_lesson.check
def check_errors_seen_by(errors_seen_by):
    """errors_seen_by(vgg, C, S) -> errors; errors(G) -> ({layer: content error}, {layer: style error})."""
    for S, of_content, of_style in (
        (LARGER[:, 2:], CONTENT_MISTAKES, STYLE_MISTAKES),
        (LARGER, CONTENT_MISTAKES[1:], UNEVEN_MISTAKES),
    ):
        content, style = _both_errors(errors_seen_by, ODD_C, S, ODD_G)
        activations = {image: tiny_network(pixels) for image, pixels in (("C", ODD_C), ("S", S), ("G", ODD_G))}
        probes = {layer: ({image: a[layer] for image, a in activations.items()},) for layer in GAINS}
        for what, errors, layers, right, mistakes in (
            ("content", content, CONTENT, RIGHT_CONTENT, of_content),
            ("style", style, STYLE, RIGHT_STYLE, of_style),
        ):
            asked = {layer: errors[layer] for layer in layers}
            examine_numbers(f"errors_seen_by: {what}", asked, right, probes, mistakes)

    def one_of_each(G):
        content, style = _both_errors(errors_seen_by, ODD_C, ODD_G, G)
        return content["conv4_2"] + style["conv1_1"]

    return no_gradient(one_of_each, ODD_G)


# ------------------------------------------------------------------------------------ total variation


def _variation(of=np.square, mean=np.mean, down=1, across=1):
    return lambda G: down * mean(of(np.diff(G, axis=1))) + across * mean(of(np.diff(G, axis=2)))


@_lesson.check
def check_total_variation(total_variation):
    """total_variation(G), an image (1, n_H, n_W, 3) -> the mean squared difference down plus that across."""

    def together(G):
        down, across = np.diff(G, axis=1), np.diff(G, axis=2)
        return (np.sum(down**2) + np.sum(across**2)) / (down.size + across.size)

    def round_the_border(G):
        return np.mean((G - np.roll(G, 1, 1)) ** 2) + np.mean((G - np.roll(G, 1, 2)) ** 2)

    def second_neighbours(G):
        return np.mean((G[:, 2:] - G[:, :-2]) ** 2) + np.mean((G[:, :, 2:] - G[:, :, :-2]) ** 2)

    def channels(G):
        return np.mean(np.diff(G, axis=3) ** 2)

    right = _variation()
    mistakes = [
        ("it looks down only; add the differences across, along axis 2.", _variation(across=0)),
        ("it looks across only; add the differences down, along axis 1.", _variation(down=0)),
        ("the differences are not squared.", _variation(lambda d: d), _variation(np.abs)),
        ("this is the sum; take the mean of the squares.", _variation(mean=np.sum)),
        ("squared after the mean; square each difference first.", _variation(lambda d: d, lambda d: np.mean(d) ** 2)),
        (
            "the last row is compared with the first: a roll goes round the border. Compare G[:, 1:] with G[:, :-1].",
            round_the_border,
        ),
        ("half of it: add the two means, without a further mean.", lambda G: right(G) / 2),
        ("one mean over both directions; take a mean of each, and add them.", together, lambda G: 2 * together(G)),
        ("this is its square root; take the squares as they are.", lambda G: right(G) ** 0.5, _variation(mean=_root)),
        ("pixels two apart are compared; neighbours are one apart.", second_neighbours),
        (
            "the channels of a pixel are compared as well: axis 3 is colour, axes 1 and 2 are down and across.",
            channels,
            lambda G: channels(G) + _variation(down=0)(G),
            lambda G: channels(G) + right(G),
        ),
        ("the two are subtracted; add them.", _variation(across=-1), _variation(down=-1)),
    ]
    wide = np.concatenate([ODD_C, 2 * ODD_G], axis=2)
    probes = (wide,), (wide.transpose(0, 2, 1, 3)[:, ::-1],), (count(1, 3, 4, 3) ** 2 / 100,), (0 * wide + 0.5,)
    remark = examine_cost("total_variation", total_variation, right, probes, mistakes, nothing="one colour everywhere")
    return remark or no_gradient(total_variation, wide)


def _root(squares):
    return np.sqrt(np.mean(squares))


# ------------------------------------------------------------------------------------ the settings of others

SIZES = dict(zip(GAINS, ((35, 2), (24, 3), (15, 4), (8, 5), (6, 7), (2, 9)), strict=True))  # {layer: (n, c)}


def _content_factor(n, c):
    return n + 10 * c


def _style_factor(n, c):
    return 3 * n + c


def _translated(factor, scale, layer=None):
    """(n, c) -> a weight in our words; layer: whose n and c are taken instead."""

    def weight(n, c):
        n, c = SIZES[layer] if layer else (n, c)
        return factor(n, c) * scale(n, c)

    return weight


def _of_content(n, c):
    return 4 * n * c


def _of_style(n, c):
    return 4 * c**2 * n**2


def _inverse(scale):
    return lambda n, c: 1 / scale(n, c)


def _swapped(factor):
    return lambda n, c: factor(c, n)


_content, _style = (functools.partial(_translated, factor) for factor in (_content_factor, _style_factor))
ALPHA_MISTAKES = [
    ("the 4 of 4 n c is missing.", _content(lambda n, c: n * c)),
    ("content_factor alone is not alpha: multiply it by 4 n c.", _content(lambda n, c: 1)),
    ("divided by 4 n c; multiply by it.", _content(_inverse(_of_content))),
    ("this is the style's factor; alpha takes content_factor.", _style(_of_content)),
    ("multiplied by 4 c^2 n^2, which is for style; content has 4 n c.", _content(_of_style)),
    (
        "n and c are swapped: content_factor(n, c), and sizes gives n first.",
        _translated(_swapped(_content_factor), _of_content),
    ),
    *(
        (f"these are n and c of {layer}; content is compared at conv4_2.", _content(_of_content, layer))
        for layer in SIZES
        if layer != "conv4_2"
    ),
]
BETA_LAMBDA_MISTAKES = [
    ("the 4 of 4 c^2 n^2 is missing.", _style(lambda n, c: c**2 * n**2)),
    ("n is not squared: it is 4 c^2 n^2.", _style(lambda n, c: 4 * c**2 * n)),
    ("c is not squared: it is 4 c^2 n^2.", _style(lambda n, c: 4 * c * n**2)),
    ("neither n nor c is squared: it is 4 c^2 n^2.", _style(_of_content)),
    ("n is missing: it is 4 c^2 n^2.", _style(lambda n, c: 4 * c**2)),
    ("style_factor alone is not it: multiply by 4 c^2 n^2.", _style(lambda n, c: 1)),
    ("divided by 4 c^2 n^2; multiply by it.", _style(_inverse(_of_style))),
    ("this is the content's factor; beta lambda takes style_factor.", _content(_of_style)),
    (
        "n and c are swapped: style_factor(n, c), and sizes gives n first.",
        _translated(_swapped(_style_factor), _of_style),
    ),
    ("these are n and c of conv4_2 at every layer; take those of the layer.", _style(_of_style, "conv4_2")),
    ("a further fifth: the source's own lambda is in style_factor.", _style(lambda n, c: _of_style(n, c) / 5)),
]


@_lesson.check
def check_in_ours(in_ours):
    """in_ours(content_factor, style_factor, sizes) -> (alpha, {layer: beta lambda}). sizes: {layer: (n, c)}."""
    name = "in_ours"
    advice = "content_factor and style_factor are functions of n and c, sizes is {layer: (n, c)}."
    returned = attempt(name, in_ours, _content_factor, _style_factor, SIZES, advice=advice)
    if returned is None:
        raise CheckFailed(f"{name}: it returns nothing. Is the `return` missing?")
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise CheckFailed(f"{name}: return two things: alpha, and a dict of beta lambda for each layer.")
    alpha, beta_lambda = returned
    if isinstance(alpha, dict):
        raise CheckFailed(f"{name}: returned in the other order: alpha first.")
    if not isinstance(beta_lambda, dict):
        raise CheckFailed(f"{name}: beta lambda is a dict, {{layer: weight}}: every layer has its own.")
    if missing := [layer for layer in STYLE if layer not in beta_lambda]:
        raise CheckFailed(f"{name}: beta lambda has no {missing[0]}.")
    if extra := [layer for layer in beta_lambda if layer not in STYLE]:
        raise CheckFailed(f"{name}: {extra[0]} is no style layer: go through STYLE, not through sizes.")
    in_order = {layer: beta_lambda[layer] for layer in STYLE}
    examine_numbers(f"{name}: alpha", {"conv4_2": alpha}, _content(_of_content), SIZES, ALPHA_MISTAKES)
    examine_numbers(f"{name}: beta lambda", in_order, _style(_of_style), SIZES, BETA_LAMBDA_MISTAKES)
    return ""
