"""The checks of lesson 3: the yardstick, total variation, and the settings of others."""

import functools

import numpy as np

from notebooks.checks.machinery import (
    ODD_G,
    CheckFailed,
    Lesson,
    as_numbers,
    attempt,
    count,
    examine_cost,
    examine_numbers,
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
    per_position,
    relative_error,
    tiny_network,
)
from notebooks.checks.remarks import no_gradient
from nst_utils import tf

CONTENT = ("conv1_1", "conv2_1", "conv3_1", "conv4_2", "conv5_1")  # conv4_1 may be among them, but nobody asks for it

_lesson = Lesson()
CHECKS, check_all = _lesson.checks, _lesson.check_all

# ------------------------------------------------------------------------------------ the yardstick


def _as_float(number):
    return as_numbers(number).item()


def _examine_formats(function):
    """Raise CheckFailed if a relative error is not worked out in float32, whatever the formats of its arguments."""
    rounded = tf.constant(512 * 2 ** count(2, 3))  # its square is too large for float16
    near, coarse = rounded * (1 + 1 / 300), tf.cast(rounded, tf.bfloat16)  # near, in bfloat16, is coarse
    advice = "In section 9 one of the two is bfloat16: cast both to float32 first."
    for target, value in ((near, coarse), (coarse, near), (coarse, coarse / 2)):
        result = attempt("relative_error", function, target, value, advice=advice)
        formats = f"for a {target.dtype.name} and a {value.dtype.name}"
        if result is None:
            raise CheckFailed(f"relative_error: {formats} it returns nothing. Does every way end in a `return`?")
        wanted = relative_error(*(np.asarray(a, np.float64) for a in (target, value)))
        got = attempt("relative_error", _as_float, result)
        if not abs(got - wanted) < 0.1 * wanted or getattr(result, "dtype", None) in (tf.bfloat16, tf.float16):
            raise CheckFailed(
                f"relative_error: {formats} it returns {got:.3g}, where {wanted:.3g} is right to more digits than "
                "bfloat16, float16 or whole numbers have: cast both to float32 first."
            )


@_lesson.check
def check_relative_error(relative_error):
    """relative_error(target, value), as in lesson 2, and also of a float32 and a bfloat16."""
    remark = examine_relative_error(relative_error)
    _examine_formats(relative_error)
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
    ("0 for every G: compare the activations of C with those of G.", lambda at: 0.0),
]
STYLE_MISTAKES = [
    ("G is compared with C; the style is that of S.", _from("C", _of_grams(relative_error))),
    ("activations are compared; style compares the Gram matrices.", _from("S")),
    (
        "a fifth of each layer's error: return every error as it is, without the 1/5 of their sum.",
        lambda at: RIGHT_STYLE(at) / 5,
    ),
    *((sentence, *(_from("S", _of_grams(error)) for error in errors)) for sentence, *errors in MISTAKES),
    ("0 for every G: compare the Gram matrices of S with those of G.", lambda at: 0.0),
]
UNEVEN_MISTAKES = [
    *((sentence, _from("S", _of_grams(relative_error, of))) for sentence, of in UNEVEN_GRAMS),
    ("the S of an earlier call is kept: take vgg(S) in every call.", _from("the S before", _of_grams(relative_error))),
]


def _errors_of(errors_seen_by, S):
    """What errors, made for C and this S on the tiny network, returns for each of any number of G: a list."""
    name, advice = "errors_seen_by", "Its arguments are vgg, C=C and S=S."
    if S.shape != ODD_C.shape:
        advice = "Here S differs from C and G in size, which is allowed: only Gram matrices meet."
    errors = attempt(name, errors_seen_by, tiny_network, tf.constant(ODD_C / 4), tf.constant(S), advice=advice)
    if errors is None:
        raise CheckFailed(f"{name}: it returns nothing. Is `return errors` missing?")
    if not callable(errors):
        raise CheckFailed(f"{name}: it returns errors, and should return the function errors, which takes a G.")

    @functools.wraps(errors_seen_by)
    def in_a_list(*pictures):
        return [errors(G) for G in pictures]

    return lambda *pictures: attempt(name, in_a_list, *map(tf.constant, pictures), advice=advice)


def _are_two_dicts(returned):
    return isinstance(returned, tuple | list) and [isinstance(part, dict) for part in returned] == [True, True]


def _both_errors(errors, G):
    """({layer: content error}, {layer: style error}), as the learner's function gives them. errors: of `_errors_of`."""
    name, (returned,) = "errors_seen_by", errors(G)
    if returned is None:
        raise CheckFailed(f"{name}: its errors returns nothing. Is the `return` missing?")
    if not _are_two_dicts(returned):
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


def _probes(S, G):
    """What the right errors and the mistaken ones are worked out from: {layer: ({image: activations},)}."""
    pictures = {"C": ODD_C / 4, "S": S, "the S before": ANOTHER, "G": G}
    activations = {image: tiny_network(pixels) for image, pixels in pictures.items()}
    return {layer: ({image: a[layer] for image, a in activations.items()},) for layer in GAINS}


def _in_a_row(content, style):
    """The errors that are asked for, as floats; nan for one that is missing."""
    every = [content.get(layer, np.nan) for layer in CONTENT] + [style.get(layer, np.nan) for layer in STYLE]
    return list(map(_as_float, every))


def _right_in_a_row(S, G):
    probes = _probes(S, G)
    return [
        right(*probes[layer]) for right, layers in ((RIGHT_CONTENT, CONTENT), (RIGHT_STYLE, STYLE)) for layer in layers
    ]


def _examine_first_call(errors, S, of_content, of_style):
    content, style = _both_errors(errors, ODD_G / 4)
    probes = _probes(S, ODD_G / 4)
    for what, found, layers, right, mistakes in (
        ("content", content, CONTENT, RIGHT_CONTENT, of_content),
        ("style", style, STYLE, RIGHT_STYLE, of_style),
    ):
        examine_numbers(f"errors_seen_by: {what}", {n: found[n] for n in layers}, right, probes, mistakes)


def _examine_later_calls(errors):
    name, pictures = "errors_seen_by", (ODD_G / 4, ODD_G[:, ::-1] ** 2, ODD_G / 4)
    returned = errors(*pictures)
    if all(map(_are_two_dicts, returned)):
        if any(first is last for first, last in zip(returned[0], returned[2], strict=True)):
            raise CheckFailed(
                f"{name}: its errors returns the same dict in every call, and so changes what it returned before: "
                "make both dicts inside errors."
            )
        got = [attempt(name, _in_a_row, *both) for both in returned]
        expected = [_right_in_a_row(ANOTHER, G) for G in pictures]
        if same(got, expected):
            return
        if same(got, [expected[0]] * 3):
            raise CheckFailed(f"{name}: its errors keeps what it saw in its first G: take vgg(G) inside errors.")
    raise CheckFailed(
        f"{name}: its errors is right in its first call only. A generator, a zip or a map is used up after one call, "
        "and what is made outside errors stays as the last call left it."
    )


def _no_gradient_at(errors, which, layer):
    """A remark if one error has no gradient or a wrong one. which: 0 for content, 1 for style."""
    right = (RIGHT_CONTENT, RIGHT_STYLE)[which]
    return no_gradient(
        lambda G: _both_errors(errors, G)[which][layer], ODD_G / 4, lambda G: right(*_probes(ANOTHER, G)[layer])
    )


@_lesson.check
def check_errors_seen_by(errors_seen_by):
    """errors_seen_by(vgg, C, S) -> errors; errors(G) -> ({layer: content error}, {layer: style error})."""
    errors = _errors_of(errors_seen_by, ANOTHER)
    _examine_first_call(errors, ANOTHER, CONTENT_MISTAKES, STYLE_MISTAKES)
    _examine_first_call(_errors_of(errors_seen_by, LARGER), LARGER, CONTENT_MISTAKES[1:], UNEVEN_MISTAKES)
    _examine_later_calls(errors)
    every = [(0, layer) for layer in CONTENT] + [(1, layer) for layer in STYLE]
    return next(filter(None, (_no_gradient_at(errors, *one) for one in every)), "")


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

    def with_zeros(G):
        down, across = np.diff(G, axis=1), np.diff(G, axis=2)
        return (np.sum(down**2) + np.sum(across**2)) / G.size

    def second_neighbours(G):
        return np.mean((G[:, 2:] - G[:, :-2]) ** 2) + np.mean((G[:, :, 2:] - G[:, :, :-2]) ** 2)

    def channels(G):
        return np.mean(np.diff(G, axis=3) ** 2)

    right = _variation()
    mistakes = [
        ("it looks down only; add the differences across, along axis 2.", _variation(across=0)),
        ("it looks across only; add the differences down, along axis 1.", _variation(down=0)),
        ("the differences are not squared.", _variation(lambda d: d), _variation(np.abs)),
        ("this sums absolute differences; take the mean of their squares.", _variation(np.abs, np.sum)),
        ("3 times too large: the mean goes over the colours, too.", lambda G: 3 * right(G)),
        (
            "a row and a column of zeros are counted in the means, as image_gradients adds them: leave them out.",
            with_zeros,
        ),
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
    return remark or no_gradient(total_variation, wide, right)


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
    ("the 4 divides; multiply by it as well.", _content(lambda n, c: n * c / 4)),
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
    ("the 4 divides; multiply by it as well.", _style(lambda n, c: c**2 * n**2 / 4)),
    ("this is the content's factor; beta lambda takes style_factor.", _content(_of_style)),
    (
        "n and c are swapped: style_factor(n, c), and sizes gives n first.",
        _translated(_swapped(_style_factor), _of_style),
    ),
    ("these are n and c of conv4_2 at every layer; take those of the layer.", _style(_of_style, "conv4_2")),
    ("a further fifth: the source's own lambda is in style_factor.", _style(lambda n, c: _of_style(n, c) / 5)),
]


def _shown(layers, which, factor):
    """{layer: what a message says of it}."""
    shown = {}
    for layer in layers:
        n, c = SIZES[layer]
        shown[layer] = f"{layer} (n = {n}, c = {c}, {which}(n, c) = {factor(n, c)})"
    return shown


def _examine_weights(what, weights, which, factor, right, mistakes):
    shown = _shown(weights, which, factor)
    examine_numbers(
        f"in_ours: {what}",
        {shown[layer]: weight for layer, weight in weights.items()},
        right,
        {shown[layer]: SIZES[layer] for layer in weights},
        mistakes,
    )


def _alpha_and_beta_lambda(in_ours):
    """What the learner's function returns, once it is known to be a number and a weight for each style layer."""
    name, sizes = "in_ours", dict(SIZES)
    advice = "content_factor and style_factor are functions of n and c, sizes is {layer: (n, c)}."
    returned = attempt(name, in_ours, _content_factor, _style_factor, sizes, advice=advice)
    if sizes.keys() != SIZES.keys() or any(sizes[layer] is not SIZES[layer] for layer in SIZES):
        raise CheckFailed(f"{name}: it changes `sizes`, and so for all that comes after: take a copy, dict(sizes).")
    if returned is None:
        raise CheckFailed(f"{name}: it returns nothing. Is the `return` missing?")
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        raise CheckFailed(f"{name}: return two things: alpha, and a dict of beta lambda for each layer.")
    alpha, beta_lambda = returned
    if isinstance(alpha, dict) and isinstance(beta_lambda, dict):
        raise CheckFailed(f"{name}: alpha is one number, that of conv4_2; only beta lambda is a dict.")
    if isinstance(alpha, dict):
        raise CheckFailed(f"{name}: returned in the other order: alpha first.")
    if not isinstance(beta_lambda, dict):
        raise CheckFailed(f"{name}: beta lambda is a dict, {{layer: weight}}: every layer has its own.")
    return alpha, beta_lambda


@_lesson.check
def check_in_ours(in_ours):
    """in_ours(content_factor, style_factor, sizes) -> (alpha, {layer: beta lambda}). sizes: {layer: (n, c)}."""
    alpha, beta_lambda = _alpha_and_beta_lambda(in_ours)
    if missing := [layer for layer in STYLE if layer not in beta_lambda]:
        raise CheckFailed(f"in_ours: beta lambda has no {missing[0]}.")
    if extra := [layer for layer in beta_lambda if layer not in STYLE]:
        raise CheckFailed(f"in_ours: {extra[0]} is no style layer: go through STYLE, not through sizes.")
    in_order = {layer: beta_lambda[layer] for layer in STYLE}
    content, style = ("content_factor", _content_factor), ("style_factor", _style_factor)
    _examine_weights("alpha", {"conv4_2": alpha}, *content, _content(_of_content), ALPHA_MISTAKES)
    _examine_weights("beta lambda", in_order, *style, _style(_of_style), BETA_LAMBDA_MISTAKES)
    return ""
