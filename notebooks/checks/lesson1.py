"""The checks of lesson 1: the costs, and a step of training."""

import contextlib
import functools
import inspect
import types

import numpy as np

import nst_utils as nst
from notebooks.checks.machinery import (
    NEAR_ZERO,
    ODD_G,
    ODD_S,
    TOLERANCE,
    CheckFailed,
    Lesson,
    as_numbers,
    attempt,
    call,
    count,
    examine_cost,
    name_the_mistake,
    same,
    shown_inputs,
    size,
)
from notebooks.checks.remarks import loop_remark, no_gradient, only_numpy_remark
from nst_utils import keras, tf

_lesson = Lesson()
CHECKS, check_all = _lesson.checks, _lesson.check_all

TOY, WIDE = count(1, 2, 2, 3), count(1, 2, 3, 2)
PAIRS = ((0 * TOY, TOY), (0 * WIDE + 1, WIDE), (0 * TOY, TOY / 4), (ODD_S, ODD_G), (TOY, TOY))


# ------------------------------------------------------------------------------------ the content cost


def _squares(a, b):
    return np.sum((a - b) ** 2)


@_lesson.check
def check_compute_content_cost(compute_content_cost):
    """compute_content_cost(a_C, a_G), activations (1, n_H, n_W, n_C) of one size -> J_content."""
    mistakes = [
        ("4 times too large: the 4 of 4 n_H n_W n_C is missing.", lambda C, G: _squares(C, G) / G.size),
        (
            "the sum is divided by n_H only; the denominator is 4 n_H n_W n_C.",
            lambda C, G: _squares(C, G) / (4 * G.shape[1]),
            lambda C, G: _squares(C, G) / G.shape[1],
        ),
        (
            "n_C is missing in the denominator, which is 4 n_H n_W n_C; or the sizes are read one place off: a_G.shape "
            "begins with the batch.",
            lambda C, G: _squares(C, G) / (4 * G.shape[1] * G.shape[2]),
            lambda C, G: _squares(C, G) / (G.shape[1] * G.shape[2]),
        ),
        ("this is the bare sum; divide it by 4 n_H n_W n_C.", _squares),
        (
            "this is half the sum, as in the paper; here it is the sum over 4 n_H n_W n_C.",
            lambda C, G: _squares(C, G) / 2,
        ),
        (
            "the denominator needs brackets: x / 4 * n_H divides by 4 and then multiplies by n_H.",
            lambda C, G: _squares(C, G) / 4 * G.size,
        ),
        (
            "a_C and a_G are added; subtract them, so that the cost of C against C is 0.",
            lambda C, G: _squares(C, -G) / (4 * G.size),
        ),
        ("a_C plays no part: subtract a_G from a_C.", lambda C, G: _squares(0, G) / (4 * G.size)),
        ("a_G plays no part: subtract a_G from a_C.", lambda C, G: _squares(C, 0) / (4 * G.size)),
        (
            "the differences are not squared, so those of opposite sign cancel.",
            lambda C, G: np.sum(C - G) / (4 * G.size),
            lambda C, G: np.sum(G - C) / (4 * G.size),
        ),
        (
            "squared after the sum; square each difference first, then sum.",
            lambda C, G: np.sum(C - G) ** 2 / (4 * G.size),
        ),
    ]
    name, right = "compute_content_cost", nst.compute_content_cost
    return examine_cost(name, compute_content_cost, right, PAIRS, mistakes) or no_gradient(
        lambda a_G: compute_content_cost(tf.constant(ODD_S), a_G), ODD_G, lambda G: _squares(ODD_S, G) / (4 * G.size)
    )


# ------------------------------------------------------------------------------------ the Gram matrix


BATCH_KEPT = (
    "But the 1 of the batch is still in front, {}: in stage 5 the number of positions is then A.shape[2], "
    "and A.shape[1] is the number of channels."
)


@_lesson.check
def check_unroll(unroll):
    """unroll(a), activations (1, n_H, n_W, n_C) -> A (n_C, n_H n_W), the positions in any order."""
    remark = ""
    for a in (TOY, WIDE[..., ::-1] / 4):
        A, reason = call("unroll", unroll, (a,), f"a has the shape (1, n_H, n_W, n_C) = {a.shape}.")
        remark = remark or only_numpy_remark(reason) or loop_remark(unroll, (a,))
        if A.ndim == 3 and len(A) == 1:
            A, remark = A[0], remark or BATCH_KEPT.format(size(A))
        _examine_sizes_of_A(A, a)
        _examine_rows_of_A(A, a)
    return remark or no_gradient(lambda a: tf.reduce_sum(tf.square(unroll(a))), TOY, lambda a: np.sum(a**2))


def _examine_sizes_of_A(A, a):
    _, n_H, n_W, n_C = a.shape
    if A.shape == (n_H * n_W, n_C) and np.array_equal(A, a.reshape(n_C, -1).T):
        raise CheckFailed(
            "unroll: the sizes in the reshape are swapped, so the channels are mixed: reshape to (n_H*n_W, n_C), "
            "and then transpose."
        )
    if A.shape == (n_H * n_W, n_C) and _same_columns(A.reshape(n_C, -1), a.reshape(-1, n_C).T):
        raise CheckFailed(
            "unroll: the sizes in the reshape are swapped, so the channels are mixed: after this transpose reshape to "
            "(n_C, n_H*n_W)."
        )
    if A.shape == (n_H * n_W, n_C):
        raise CheckFailed(
            f"unroll: A is {size(A)}, a row per position. The transpose is missing: it should be "
            f"(n_C, n_H*n_W) = {n_C}x{n_H * n_W}, a row per channel."
        )
    if A.shape in ((1, a.size), (a.size,)):
        raise CheckFailed(
            "unroll: the whole image became one row, so the Gram matrix would be 1x1, across the batch. "
            f"A should be (n_C, n_H*n_W) = {n_C}x{n_H * n_W}, a row per channel."
        )
    if A.shape != (n_C, n_H * n_W):
        raise CheckFailed(
            f"unroll: A is {size(A)}, and should be (n_C, n_H*n_W) = {n_C}x{n_H * n_W} for activations of "
            f"{size(a)}: a row per channel, a column per position."
        )


def _examine_rows_of_A(A, a):
    n_C = a.shape[-1]
    right = a.reshape(-1, n_C).T
    if np.array_equal(A, a.reshape(n_C, -1)):
        raise CheckFailed(
            f"unroll: A is {size(A)}, but its rows mix the channels: a reshape keeps the order of the numbers, in "
            "which the channel comes last. Reshape to (n_H*n_W, n_C), then transpose."
        )
    if not same([np.sort(A, axis=None)], [np.sort(right, axis=None)]):
        raise CheckFailed(
            f"unroll: A should hold the numbers of a as they are, in another order. For {shown_inputs('a', [a])} it "
            f"holds {shown_inputs('A', [A])}."
        )
    if _same_columns(np.sort(A, axis=0), np.sort(right, axis=0)) and not _same_columns(A, right):
        raise CheckFailed("unroll: the channels are in another order: row c of A should be channel c of a.")
    if not _same_columns(A, right):
        raise CheckFailed("unroll: a column of A should hold all the channels of one position of a.")


def _same_columns(A, B):
    return same(*([M[:, np.lexsort(M)]] for M in (A, B)))


def _advice_on_a_product(A):
    def advice(error):
        if "Matrix size-incompatible" in error or "MatMul" in error:
            return (
                f"A is {size(A)}, so A times A does not fit; is the transpose missing? A A^T does, where only the "
                "second A is transposed."
            )
        if "Incompatible shapes" in error:
            return "The Gram matrix is a matrix product: use tf.matmul, not *."
        return f"A is {size(A)}."

    return advice


@_lesson.check
def check_gram_matrix(gram_matrix):
    """gram_matrix(A), A unrolled to (n_C, n_H n_W) -> A A^T (n_C, n_C)."""
    remark, gram_matrix = "", _of_a_matrix(gram_matrix)
    for A in (TOY.reshape(4, 3).T, WIDE.reshape(6, 2).T / 4, count(3, 3)):
        G, reason = call("gram_matrix", gram_matrix, (A,), _advice_on_a_product(A))
        remark = remark or only_numpy_remark(reason) or loop_remark(gram_matrix, (A,))
        G = G[0] if G.ndim == 3 and len(G) == 1 else G
        _examine_size_of_G(G, A)
        _examine_entries_of_G(G, A)
    return remark or no_gradient(
        lambda A: tf.reduce_sum(tf.square(gram_matrix(A))), TOY.reshape(4, 3).T, lambda A: np.sum((A @ A.T) ** 2)
    )


def _of_a_matrix(gram_matrix):
    """The function; where it takes A only with the 1 of the batch in front, which `unroll` may leave, so called."""

    @functools.wraps(gram_matrix)
    def with_batch(A):
        return gram_matrix(A[None])

    A = count(3, 4)
    with contextlib.suppress(CheckFailed, NotImplementedError):
        call("gram_matrix", gram_matrix, (A,))
        return gram_matrix
    with contextlib.suppress(CheckFailed, NotImplementedError):
        G, _ = call("gram_matrix", with_batch, (A,))
        if G.shape == (1, 3, 3) and same(G, [A @ A.T]):
            return with_batch
    return gram_matrix


def _examine_size_of_G(G, A):
    n_C, n_positions = A.shape
    if G.shape == (n_positions, n_positions) != (n_C, n_C):
        raise CheckFailed(
            f"gram_matrix: your Gram matrix is {size(G)}: did you unroll to (n_C, n_H*n_W)? It should be "
            f"n_C x n_C = {n_C}x{n_C}, which is A A^T; A^T A counts positions."
        )
    if G.shape == A.shape and n_C != n_positions:
        why = "it is A" if same([G], [A]) else "sum over the positions"
        why = "* multiplies entry by entry" if same([G], [A * A]) else why
        raise CheckFailed(
            f"gram_matrix: your Gram matrix is {size(G)}, as A itself: {why}. "
            f"Use matmul, which gives n_C x n_C = {n_C}x{n_C}."
        )
    if G.size == 1:
        raise CheckFailed(
            "gram_matrix: your Gram matrix is one number, a sum across the batch or over all channels. "
            f"It should be n_C x n_C = {n_C}x{n_C}: a sum over positions for each pair of channels."
        )
    if G.shape == (n_C,):
        raise CheckFailed(
            f"gram_matrix: {n_C} numbers, each channel with itself only. It should be n_C x n_C = {n_C}x{n_C}, "
            "each channel with every other."
        )
    if G.shape != (n_C, n_C):
        raise CheckFailed(
            f"gram_matrix: your Gram matrix has the shape {G.shape}. It should be n_C x n_C = {n_C}x{n_C}."
        )


def _examine_entries_of_G(G, A):
    right = A @ A.T
    if same([G], [right]):
        return
    mistakes = [
        (
            "divided by the number of positions already; that comes in the style cost.",
            lambda A: A @ A.T / A.shape[1],
            lambda A: A @ A.T // A.shape[1],
        ),
        (
            "this is the product of the sums; sum the products over the positions.",
            lambda A: np.outer(A.sum(1), A.sum(1)),
        ),
        ("its entries are rounded to whole numbers: leave them as they are.", lambda A: np.trunc(A @ A.T)),
        ("the entries above the diagonal are missing: each pair of channels stands there twice.", _lower),
        ("the entries below the diagonal are missing: each pair of channels stands there twice.", _upper),
    ]
    if len(A) == A.shape[1]:
        mistakes += [
            (
                "this is A A, or A * A: is the transpose missing? It should be A A^T.",
                lambda A: A @ A,
                lambda A: A * A,
            ),
            ("this is A^T A^T: transpose the second A only. It should be A A^T.", lambda A: A.T @ A.T),
            (
                "this is A^T A, a sum over the channels. It should be A A^T, a sum over the positions.",
                lambda A: A.T @ A,
            ),
        ]
    name_the_mistake("gram_matrix", [G], [(A,)], mistakes)
    i, j = map(int, np.argwhere(~np.isclose(G, right, rtol=TOLERANCE, atol=NEAR_ZERO))[0])
    raise CheckFailed(
        f"gram_matrix: entry ({i}, {j}) is {G[i, j]:.6g}, where {right[i, j]:.6g} is right, for "
        f"{shown_inputs('A', [A])}: multiply row i of A by row j and sum over the positions."
    )


def _lower(A):
    return np.tril(A @ A.T)


def _upper(A):
    return np.triu(A @ A.T)


# ------------------------------------------------------------------------------------ the style cost


def _matrix(a):
    return a.reshape(-1, a.shape[-1]).T


def _gram_cost(gram, shrink=1.0):
    """The layer cost with another Gram matrix, divided by 4 n_C^2 and `shrink`."""
    return lambda S, G: _squares(gram(S), gram(G)) / (4 * G.shape[-1] ** 2) / shrink


def _per_position(a):
    return _matrix(a) @ _matrix(a).T / (a.shape[1] * a.shape[2])


@_lesson.check
def check_compute_layer_style_cost(compute_layer_style_cost):
    """compute_layer_style_cost(a_S, a_G), activations (1, n_H, n_W, n_C) of any two sizes -> J_style_layer."""

    def gram(a):
        return _matrix(a) @ _matrix(a).T

    def across_positions(a):
        return _matrix(a).T @ _matrix(a) / (a.shape[1] * a.shape[2])

    def straight(a):
        A = a.reshape(a.shape[-1], -1)
        return A @ A.T / A.shape[1]

    def rows_apart(a):
        return a @ np.swapaxes(a, -1, -2)

    mistakes = [
        ("4 times too large: the 4 of 4 n_C^2 is missing.", _gram_cost(_per_position, 1 / 4)),
        (
            "n_C is not squared: the denominator is 4 n_C^2.",
            lambda S, G: _gram_cost(_per_position)(S, G) * G.shape[-1],
            lambda S, G: _gram_cost(_per_position)(S, G) * G.shape[-1] * 4,
        ),
        ("this is the bare sum; divide it by 4 n_C^2.", lambda S, G: _squares(_per_position(S), _per_position(G))),
        (
            "the denominator needs brackets: x / 4 * n_C divides by 4 and then multiplies by n_C.",
            lambda S, G: _gram_cost(_per_position)(S, G) * G.shape[-1] ** 4,
            lambda S, G: _gram_cost(gram)(S, G) * G.shape[-1] ** 2 * G.size**2,
        ),
        ("the Gram matrices are not divided by their number of positions, n_H n_W.", _gram_cost(gram)),
        (
            "the Gram matrices are divided by n_H only; the number of positions is n_H n_W.",
            _gram_cost(lambda a: gram(a) / a.shape[1]),
        ),
        (
            "n_H n_W must divide the Gram matrices, before the square: outside the sum it is (n_H n_W)^2.",
            lambda S, G: _gram_cost(gram)(S, G) / (G.shape[1] * G.shape[2]),
        ),
        (
            "your Gram matrices are positions x positions: did you unroll to (n_C, n_H*n_W)? They should be n_C x n_C.",
            _gram_cost(across_positions),
            _gram_cost(lambda a: _matrix(a).T @ _matrix(a) / a.shape[-1]),
        ),
        (
            "reshaping straight to (n_C, n_H*n_W) mixes the channels: reshape to (n_H*n_W, n_C), then transpose.",
            _gram_cost(straight),
        ),
        (
            "your Gram matrices are 1x1, across the batch: unroll to (n_C, n_H*n_W), without the 1 in front.",
            _gram_cost(lambda a: np.sum(a * a) / (a.shape[1] * a.shape[2])),
        ),
        (
            "the Gram matrices are rounded down to whole numbers: // is integer division, use /.",
            _gram_cost(lambda a: gram(a) // (a.shape[1] * a.shape[2])),
        ),
        (
            "the Gram matrices are divided by n_C; the number of positions is A.shape[1], or A.shape[2] where the 1 of "
            "the batch is still in front of A.",
            _gram_cost(lambda a: gram(a) / a.shape[-1]),
        ),
        (
            "this is the Gram matrix of the difference; take the Gram matrix of each, then subtract.",
            lambda S, G: _squares(_per_position(S - G), 0) / (4 * G.shape[-1] ** 2),
        ),
        (
            "gram_matrix wants a row per channel: unroll a_S and a_G first.",
            lambda S, G: _squares(rows_apart(S), rows_apart(G)) / (4 * G.shape[-1] ** 2),
            lambda S, G: _squares(rows_apart(S), rows_apart(G)) / (2 * G.size) ** 2,
        ),
        (
            "the Gram matrices are added; subtract them, so that the cost of S against S is 0.",
            lambda S, G: _squares(_per_position(S), -_per_position(G)) / (4 * G.shape[-1] ** 2),
        ),
        (
            "S plays no part: subtract G's Gram matrix from S's.",
            lambda S, G: _squares(0, _per_position(G)) / (4 * G.shape[-1] ** 2),
        ),
        (
            "the differences are not squared.",
            lambda S, G: np.sum(_per_position(S) - _per_position(G)) / (4 * G.shape[-1] ** 2),
            lambda S, G: np.sum(_per_position(G) - _per_position(S)) / (4 * G.shape[-1] ** 2),
        ),
        ("this is the content cost: compare the Gram matrices, not the activations.", nst.compute_content_cost),
    ]
    name, right = "compute_layer_style_cost", nst.compute_layer_style_cost
    remark = examine_cost(name, compute_layer_style_cost, right, PAIRS, mistakes)

    remark = remark or no_gradient(
        lambda a_G: compute_layer_style_cost(tf.constant(ODD_S), a_G),
        ODD_G,
        lambda a_G: _gram_cost(_per_position)(ODD_S, a_G),
    )
    return " ".join(filter(None, [remark, _of_two_sizes(compute_layer_style_cost), _batch(compute_layer_style_cost)]))


def _of_two_sizes(compute_layer_style_cost):
    """A remark if it is right for S and G of one size only, as the course's own is."""
    S, G = ODD_S, ODD_G[:, :2]
    gram_S, gram_G = (_matrix(a) @ _matrix(a).T for a in (S, G))
    one_size = "But only where S and G are of one size, as in this lesson. Where they differ, "
    for which, n in (("S", S.size / 3), ("G", G.size / 3)):
        with_one_n = _squares(gram_S, gram_G) / (4 * 3**2 * n**2)
        if same(_numbers_of(compute_layer_style_cost, S, G), [with_one_n]):
            return f"{one_size}{which}'s n_H n_W divides both Gram matrices: divide each by its own."
    if _numbers_of(compute_layer_style_cost, S, G) == [np.inf]:
        return f"{one_size}it stops: give each its own n_H n_W. Only Gram matrices meet, and these are of one size."
    examine_cost("compute_layer_style_cost", compute_layer_style_cost, nst.compute_layer_style_cost, ((S, G),), [])
    return ""


def _numbers_of(cost, *inputs):
    """[what the cost returns], or [inf] where it stops."""
    try:
        return [call("", cost, inputs)[0].item()]
    except (CheckFailed, ValueError):
        return [np.inf]


def _batch(compute_layer_style_cost):
    """A remark if two images in one batch would end up in one Gram matrix; nobody needs more than one here."""
    S, G = (np.concatenate([a, 2 * a]) for a in (WIDE, WIDE[:, ::-1, :, ::-1]))
    pooled = nst.compute_layer_style_cost(*(a.reshape(1, 4, 3, 2) for a in (S, G)))
    mixes = same(_numbers_of(compute_layer_style_cost, S, G), [float(pooled)])
    return "(Two images in a batch would share one Gram matrix. Here it is always one.)" if mixes else ""


@_lesson.check
def check_compute_style_cost(compute_style_cost):
    """compute_style_cost(seen_S, seen_G), {layer: activations}, conv4_2 among them -> J_style with 0.2 per layer."""
    # In the order of the network's own dict, which nobody may rely on.
    factors = dict(zip((nst.CONTENT_LAYER, *nst.STYLE_LAYERS), (2.5, 1, 1.25, 1.5, 1.75, 2), strict=True))
    seen_S, seen_G = ({name: factor * a for name, factor in factors.items()} for a in (ODD_S, ODD_G))

    def layers(S, G, names=nst.STYLE_LAYERS):
        return np.array([float(nst.compute_layer_style_cost(S[name], G[name])) for name in names])

    mistakes = [
        ("5 times too large: the weights lambda are missing.", lambda S, G: layers(S, G).sum()),
        (
            "5 times too small: the weights sum to 1 already, so no further mean, and each weight only once.",
            lambda S, G: layers(S, G).sum() / 25,
        ),
        (
            f"{nst.CONTENT_LAYER} is compared, the first in the dict, and conv5_1 is not: go through style_layers, and "
            "take seen_S[name].",
            lambda S, G: 0.2 * layers(S, G, list(S)[:5]).sum(),
            lambda S, G: layers(S, G, list(S)[:5]).sum(),
        ),
        ("only the last layer counts: add to J_style in the loop (+=).", lambda S, G: 0.2 * layers(S, G)[-1]),
        ("only the first layer counts: return after the loop, not in it.", lambda S, G: 0.2 * layers(S, G)[0]),
        (
            f"{nst.CONTENT_LAYER} is no style layer: go through style_layers, not through the activations.",
            lambda S, G: 0.2 * layers(S, G, S).sum(),
            lambda S, G: layers(S, G, S).sum(),
        ),
        *(
            (f"{name} is missing: go through all five of style_layers.", _without(layers, place))
            for place, name in enumerate(nst.STYLE_LAYERS)
        ),
    ]
    advice = "Go through style_layers.items(), and take seen_S[name] and seen_G[name] of each layer."
    name, probes = "compute_style_cost", ((seen_S, seen_G), (seen_G, seen_G))
    return examine_cost(name, compute_style_cost, nst.compute_style_cost, probes, mistakes, advice) or no_gradient(
        lambda G: compute_style_cost(
            tf.nest.map_structure(tf.constant, seen_S), {name: factor * G for name, factor in factors.items()}
        ),
        ODD_G,
        lambda G: sum(0.2 * _gram_cost(_per_position)(seen_S[name], factors[name] * G) for name in nst.STYLE_LAYERS),
    )


def _without(layers, place):
    """The style cost without one of its layers, as a function of S and G."""
    return lambda S, G: 0.2 * np.delete(layers(S, G), place).sum()


# ------------------------------------------------------------------------------------ the total cost


@_lesson.check
def check_total_cost(total_cost):
    """total_cost(J_content, J_style, alpha=10, beta=40) -> alpha J_content + beta J_style."""

    @functools.wraps(total_cost)
    def by_name(J_content, J_style, alpha, beta):
        return total_cost(J_content, J_style, alpha=float(alpha), beta=float(beta))

    swapped = "alpha and beta are swapped: alpha goes with J_content."
    if _begins_with_the_style(total_cost):
        swapped = "its arguments are swapped: J_content comes first, and then J_style."
    mistakes = [
        (swapped, lambda C, S, a, b: b * C + a * S),
        ("alpha and beta play no part: this is J_content + J_style.", lambda C, S, a, b: C + S),
        ("10 and 40 are written into it: use the names alpha and beta.", lambda C, S, a, b: 10 * C + 40 * S),
        ("beta is missing: beta J_style.", lambda C, S, a, b: a * C + S),
        ("alpha is missing: alpha J_content.", lambda C, S, a, b: C + b * S),
        ("the brackets are wrong: alpha J_content + beta J_style.", lambda C, S, a, b: a * (C + b * S)),
        ("this is a product; add the two terms.", lambda C, S, a, b: a * C * b * S),
    ]
    probes = ((3.0, 5.0, 2.0, 7.0), (0.25, 0.5, 1.5, 0.75), (506 / 48, 253876 / 576, 10.0, 40.0), (3.0, 5.0, 0.0, 7.0))
    advice = "Its arguments are J_content, J_style, alpha=10 and beta=40."
    remark = examine_cost("total_cost", by_name, nst.total_cost, probes, mistakes, advice)
    mistakes = [("its defaults are swapped: alpha=10, beta=40.", lambda C, S: 40 * C + 10 * S)]
    examine_cost("total_cost", total_cost, nst.total_cost, ((3.0, 5.0), (506 / 48, 253876 / 576)), mistakes, advice)
    return remark or no_gradient(lambda J: total_cost(4 * J, J), np.float32(3), lambda J: 80 * J)


def _begins_with_the_style(total_cost):
    try:
        return next(iter(inspect.signature(total_cost).parameters), "").lower().startswith("j_s")
    except (TypeError, ValueError):
        return False


# ------------------------------------------------------------------------------------ the training step


ORDER = "objective(G) gives J, J_content, J_style, in this order."


@_lesson.check
def check_train_step(train_step):
    """train_step(G, optimizer, objective): G moves down the gradient of J, stays in [0, 1]; returns the three costs."""
    start, to_content, to_style = np.linspace(0.05, 0.95, 12).reshape(1, 2, 2, 3), -1.0, TOY / 4

    def objective(G):
        J_content = tf.reduce_sum((G - to_content) ** 2)
        J_style = tf.reduce_sum((G - to_style) ** 2)
        return nst.total_cost(J_content, J_style, alpha=1, beta=3), J_content, J_style

    def after(optimizer):
        G = tf.Variable(start, dtype=tf.float32)
        optimizer.build([G])  # a train_step that is a tf.function cannot
        returned = attempt("train_step", train_step, G, optimizer, objective)
        return np.asarray(G, np.float64), returned

    rate = 0.05
    of_content, of_style = 2 * (start - to_content), 2 * (start - to_style)
    gradient = of_content + 3 * of_style
    G, returned = after(keras.optimizers.SGD(rate))
    if inspect.isgeneratorfunction(inspect.unwrap(train_step)):
        raise CheckFailed("train_step: it has a `yield`, so nothing in it runs when it is called: write `return`.")
    if isinstance(returned, types.GeneratorType | map | filter | zip):
        raise CheckFailed(
            f"train_step: it returns a {type(returned).__name__}, which has no [0]: return (J, J_content, J_style)."
        )
    outside = "clip it to [0, 1] after the step, and G.assign the clipped values."
    free = start - rate * gradient
    mistakes = [
        ("G has not moved: give the gradient and G to optimizer.apply_gradients.", lambda: start),
        (f"G leaves [0, 1]: {outside}", lambda: free),
        (f"G leaves [0, 1] at the lower end: {outside}", lambda: np.minimum(free, 1)),
        (f"G leaves [0, 1] at the upper end: {outside}", lambda: np.maximum(free, 0)),
        (
            "G climbs: J must fall, so subtract the gradient, which apply_gradients does by itself.",
            lambda: np.clip(start + rate * gradient, 0, 1),
            lambda: start + rate * gradient,
        ),
        (
            "this is the gradient of J_content alone; take that of J. " + ORDER,
            lambda: np.clip(start - rate * of_content, 0, 1),
        ),
        (
            "this is the gradient of J_style alone; take that of J. " + ORDER,
            lambda: np.clip(start - rate * of_style, 0, 1),
        ),
    ]
    of_all = gradient + of_content + of_style
    mistakes.append(
        (
            "this is the gradient of the three costs added up; give tape.gradient the first of them, J.",
            lambda: np.clip(start - rate * of_all, 0, 1),
        )
    )
    moved = np.clip(free, 0, 1)
    if not same([G], [moved]):
        name_the_mistake("train_step", [G], [()], mistakes)
        wrong = ~np.isclose(G, moved, rtol=TOLERANCE)
        inside = wrong & (moved == free)
        at = tuple(np.argwhere(inside if inside.any() else wrong)[0])
        raise CheckFailed(
            "train_step: G is not where one step down the gradient of J leads. "
            f"Its value at {tuple(map(int, at))} goes from {start[at]:.3g} to {G[at]:.3g}, where {moved[at]:.3g} is "
            f"right: {start[at]:.3g} minus the learning rate, {rate}, times the gradient, {gradient[at]:.3g}"
            f"{'' if inside.any() else ', clipped to [0, 1]'}."
        )
    G, _ = after(keras.optimizers.Adam(rate))
    adam = np.clip(start - rate * np.sign(gradient), 0, 1)  # its first step is as long for every pixel
    if not same([G], [adam]):
        raise CheckFailed("train_step: G takes a step of its own; leave that to optimizer.apply_gradients.")
    costs = [float(cost) for cost in objective(tf.constant(start, tf.float32))]
    if returned is None:
        raise CheckFailed("train_step: it returns nothing. Return the three costs that the objective gave.")
    if not _are(returned, costs):
        raise CheckFailed(
            "train_step: return (J, J_content, J_style), three numbers, in this order and of before the step."
        )
    return ""


def _are(returned, costs):
    """Are these the costs? They may be in a tuple, a list or an array."""
    try:
        got = [as_numbers(cost).item() for cost in returned]
    except (TypeError, ValueError):
        return False
    return len(got) == len(costs) and same(got, costs)
