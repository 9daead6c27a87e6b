"""Right ways to write the functions of lesson 1, and what goes wrong in them."""

import functools

import numpy as np
import tensorflow as tf

import nst_utils as nst

WEIGHTS = dict.fromkeys(("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"), 0.2)


def unrolled(a):
    n_H, n_W, n_C = a.shape[1:]
    return tf.transpose(tf.reshape(a, [n_H * n_W, n_C]))


def rows(a):
    """Activations as NumPy, a row per position."""
    a = np.asarray(a)
    return a.reshape(-1, a.shape[-1])


def per_position(a):
    A = rows(a).T
    return A @ A.T / A.shape[1]


def layer_cost(a_S, a_G):
    return np.sum((per_position(a_S) - per_position(a_G)) ** 2) / (4 * a_G.shape[-1] ** 2)


def tf32(x):
    """Rounded to the 10 bits that a tensor core keeps of a float32."""
    bits = np.asarray(x, np.float32).view(np.uint32)
    return ((bits + 0x1000) & np.uint32(0xFFFFE000)).view(np.float32)


def bfloat16(x):
    return tf.cast(tf.cast(x, tf.bfloat16), tf.float32)


def rounded_layer_cost(rounding):
    def cost(a_S, a_G):
        S, G = (
            tf.matmul(A, A, transpose_b=True)
            for A in (rounding(unrolled(a) / a[0, ..., 0].shape[0] ** 0.5) for a in (a_S, a_G))
        )
        return tf.reduce_sum((S / a_S.shape[2] - G / a_G.shape[2]) ** 2) / (4 * a_G.shape[-1] ** 2)

    return cost


def course_layer_style_cost(a_S, a_G):
    """As in the course: the sizes are G's."""
    _, n_H, n_W, n_C = a_G.shape
    A_S, A_G = (tf.transpose(tf.reshape(a, [n_H * n_W, n_C])) for a in (a_S, a_G))
    GS, GG = (tf.matmul(A, tf.transpose(A)) for A in (A_S, A_G))
    return tf.reduce_sum((GS - GG) ** 2) / (4 * n_C**2 * (n_H * n_W) ** 2)


def one_size_for_both(which):
    def cost(a_S, a_G):
        bare = np.sum((rows(a_S).T @ rows(a_S) - rows(a_G).T @ rows(a_G)) ** 2)
        return bare / (4 * a_G.shape[-1] ** 2 * len(rows(which(a_S, a_G))) ** 2)

    return cost


def changed_content_cost(a_C, a_G):
    a_C -= a_G
    return tf.reduce_mean(a_C**2) / 4


def changed_style_cost(a_S, a_G):
    a_S -= 0
    return layer_cost(a_S, a_G)


def reshaped_content_cost(a_C, a_G):
    a_C.shape = a_G.shape = -1
    return np.mean((a_C - a_G) ** 2) / 4


def step_without_a_tape(G, optimizer, objective):
    with tf.GradientTape() as tape:
        pass
    costs = objective(G)
    optimizer.apply_gradients([(tape.gradient(costs[0], G), G)])


def step_swapped_pair(G, optimizer, objective):
    with tf.GradientTape() as tape:
        costs = objective(G)
    optimizer.apply_gradients([(G, tape.gradient(costs[0], G))])


def step_no_list(G, optimizer, objective):
    with tf.GradientTape() as tape:
        costs = objective(G)
    optimizer.apply_gradients((tape.gradient(costs[0], G), G))


def step_number(G, optimizer, objective):
    with tf.GradientTape() as tape:
        J = float(objective(G)[0])
    optimizer.apply_gradients([(tape.gradient(J, G), G)])


def step_of_all(G, optimizer, objective):
    with tf.GradientTape() as tape:
        costs = objective(G)
    optimizer.apply_gradients([(tape.gradient(costs, G), G)])
    G.assign(tf.clip_by_value(G, 0, 1))
    return costs


def step_by_hand_without_a_tape(G, optimizer, objective):
    costs = objective(G)
    with tf.GradientTape() as tape:
        J = costs[0]
    G.assign(G - 0.05 * tape.gradient(J, G))
    return costs


def step_wrong_order(G, optimizer, objective):
    with tf.GradientTape() as tape:
        J_content, J_style, J = objective(G)
    optimizer.apply_gradients([(tape.gradient(J, G), G)])
    G.assign(tf.clip_by_value(G, 0, 1))
    return J, J_content, J_style


def looped_content(a_C, a_G):
    total = 0.0
    for c, g in zip(np.asarray(a_C).ravel(), np.asarray(a_G).ravel(), strict=True):
        total += (c - g) ** 2
    return total / (4 * a_G.shape[1] * a_G.shape[2] * a_G.shape[3])


def looped_style(a_S, a_G):
    J_style = 0
    for name, weight in WEIGHTS.items():
        J_style += weight * layer_cost(a_S[name], a_G[name])
    return J_style


def step(direction=1, cost=0, clip=True, assign=True, returned=slice(None)):
    """A training step with one thing changed."""

    def train_step(G, optimizer, objective):
        with tf.GradientTape() as tape:
            costs = objective(G)
        if assign:
            optimizer.apply_gradients([(direction * tape.gradient(costs[cost], G), G)])
        if clip:
            G.assign(tf.clip_by_value(G, 0, 1))
        return costs[returned]

    return train_step


def step_zipped(G, optimizer, objective):
    with tf.GradientTape() as tape:
        J, J_content, J_style = objective(G)
    optimizer.apply_gradients(zip(tape.gradient(J, [G]), [G], strict=True))
    G.assign(tf.minimum(tf.maximum(G, 0), 1))
    return J, J_content, J_style


def step_by_hand(G, optimizer, objective):
    with tf.GradientTape() as tape:
        costs = objective(G)
    G.assign(tf.clip_by_value(G - optimizer.learning_rate * tape.gradient(costs[0], G), 0, 1))
    return costs


class OnlyTensors(Exception):
    pass


def tensor_only(function):
    """The function, which refuses all but tensors, with an error that is not Python's own."""

    def refusing(*inputs):
        if not all(map(tf.is_tensor, inputs)):
            raise OnlyTensors
        return function(*inputs)

    return refusing


def asserting(function):
    def refusing(*inputs):
        assert all(map(tf.is_tensor, inputs))
        return function(*inputs)

    return refusing


class Called:
    """The function as an object that can be called, and has no code of its own to look at."""

    def __init__(self, function):
        self.function = function

    def __call__(self, *inputs, **keywords):
        return self.function(*inputs, **keywords)


def content(C, G):
    return tf.reduce_mean((C - G) ** 2) / 4


def gram(A):
    return tf.matmul(A, A, transpose_b=True)


@tf.function
def graph_gram_of_numpy(A):
    return np.dot(A, np.transpose(A))


@tf.function
def graph_gram_with_numpy(A):
    return tf.matmul(A, A.numpy().T)


@tf.function
def graph_gram_misspelt(A):
    return tf.matmul(A, AT)  # noqa: F821


@tf.function
def graph_gram_without_a_transpose(A):
    return tf.matmul(A, A)


@tf.function(reduce_retracing=True)
def graph_of_unknown_sizes(a_S, a_G):
    def per_position(a):
        A = tf.reshape(a, [-1, a.shape[-1]])
        return tf.matmul(A, A, transpose_a=True) / (a.shape[1] * a.shape[2])

    return tf.reduce_mean((per_position(a_S) - per_position(a_G)) ** 2) / 4


@tf.function(reduce_retracing=True)
def graph_of_unknown_sizes_elsewhere(a_S, a_G):
    D = nst.gram_per_position(a_S) - nst.gram_per_position(a_G)
    return tf.reduce_mean(D * D) / 4


def sum_that_outlives_the_call():
    total = []

    def cost(C, G):
        total.append(content(C, G))
        return sum(total)

    return cost


def more_each_time():
    sizes = iter(range(1, 1000))
    return lambda C, G: tf.fill([next(sizes)], content(C, G))


def style_weights_used_up():
    weights = dict(WEIGHTS)
    return lambda S, G: sum(weights.pop(n) * layer_cost(S[n], G[n]) for n in list(weights))


def style_cost_that_pops(S, G):
    S.pop("conv4_2")
    return sum(0.2 * layer_cost(S[n], G[n]) for n in S)


def style_cost_that_deletes(S, G):
    del G["conv4_2"]
    return sum(0.2 * layer_cost(S[n], G[n]) for n in G)


def style_cost_that_writes(S, G):
    for n in WEIGHTS:
        S[n] = 0.2 * layer_cost(S[n], G[n])
    return sum(S[n] for n in WEIGHTS)


def without(layer):
    return lambda S, G: sum(0.2 * layer_cost(S[n], G[n]) for n in WEIGHTS if n != layer)


def read_one_place_off(C, G):
    n_H, n_W, n_C, _ = G.shape
    return tf.reduce_sum((C - G) ** 2) / (4 * n_H * n_W * n_C)


def stops(*inputs):
    raise ValueError


def asserts(*inputs):
    assert not inputs, ""


def leaves(*inputs):
    raise SystemExit(1)


def augmented_total(J_content, J_style, alpha=10, beta=40):
    J_content *= alpha
    J_style *= beta
    return J_content + J_style


def total_of_numbers(J_content, J_style, alpha=10, beta=40):
    if not isinstance(alpha, int | float) or not isinstance(beta, int | float):
        raise TypeError("alpha and beta are numbers")
    return alpha * J_content + beta * J_style


@tf.function
def graph_total(J_content, J_style, alpha=10, beta=40):
    return alpha * J_content + beta * J_style


def step_clipped(low, high):
    def train_step(G, optimizer, objective):
        costs = step(clip=False)(G, optimizer, objective)
        G.assign(tf.clip_by_value(G, low, high))
        return costs

    return train_step


def step_of_a_copy(G, optimizer, objective):
    return step()(tf.Variable(G), optimizer, objective)


def step_of_the_function(G, optimizer, objective):
    with tf.GradientTape() as tape:
        objective(G)
    optimizer.apply_gradients([(tape.gradient(objective, G), G)])


def step_of_numpy(G, optimizer, objective):
    with tf.GradientTape() as tape:
        costs = objective(G.numpy())
    optimizer.apply_gradients([(tape.gradient(costs[0], G), G)])


@tf.function
def step_of_numpy_in_a_graph(G, optimizer, objective):
    return objective(G.numpy())


def step_that_yields(G, optimizer, objective):
    yield step()(G, optimizer, objective)


def step_returning(change):
    """A training step whose three costs and G are made into something else."""
    return lambda G, *others: change(*step()(G, *others), G)


RIGHT = {
    "compute_content_cost": {
        "course": lambda C, G: tf.reduce_sum(tf.square(tf.subtract(C, G))) / (4 * G.shape[1] * G.shape[2] * G.shape[3]),
        "unrolled": lambda C, G: tf.reduce_sum((unrolled(C) - unrolled(G)) ** 2) / (4 * np.prod(G.shape[1:])),
        "the other way round": lambda C, G: tf.reduce_sum((G - C) ** 2) / (4.0 * tf.cast(tf.size(G), tf.float32)),
        "mean": lambda C, G: tf.reduce_mean((C - G) ** 2) / 4,
        "mean of each image of the batch": lambda C, G: 0.25 * tf.reduce_mean((C - G) ** 2, axis=[1, 2, 3]),
        "norm": lambda C, G: tf.norm(C - G) ** 2 / (4 * np.prod(G.shape)),
        "multiplied out": lambda C, G: tf.reduce_sum(C * C - 2 * C * G + G * G) / (4 * np.prod(G.shape)),
        "einsum": lambda C, G: tf.einsum("bijc,bijc->", C - G, C - G) / (4 * np.prod(G.shape)),
        "loop": looped_content,
        "numpy": lambda C, G: np.sum((np.asarray(C) - np.asarray(G)) ** 2) / (4 * G.shape[1] * G.shape[2] * G.shape[3]),
        "graph": tf.function(lambda C, G: tf.reduce_mean((C - G) ** 2) / 4),
        "float64": lambda C, G: tf.reduce_mean((tf.cast(C, tf.float64) - tf.cast(G, tf.float64)) ** 2) / 4,
        "bfloat16": lambda C, G: tf.reduce_mean(bfloat16((C - G) ** 2)) / 4,
        "asserts a tensor": asserting(content),
        "refuses arrays": tensor_only(content),
        "an object": Called(content),
        "partial": functools.partial(content),
    },
    "unroll": {
        "reshape, transpose": unrolled,
        "-1": lambda a: tf.transpose(tf.reshape(a, [-1, a.shape[-1]])),
        "transpose, reshape": lambda a: tf.reshape(tf.transpose(a, [0, 3, 1, 2]), [a.shape[3], -1]),
        "column by column": lambda a: tf.reshape(tf.transpose(a[0], [2, 1, 0]), [a.shape[3], -1]),
        "with the batch": lambda a: tf.reshape(tf.transpose(a, [0, 3, 1, 2]), [a.shape[0], a.shape[3], -1]),
        "einsum": lambda a: tf.reshape(tf.einsum("bijc->cij", a), [a.shape[-1], -1]),
        "stack": lambda a: tf.stack([tf.reshape(a[..., c], [-1]) for c in range(a.shape[-1])]),
        "numpy": lambda a: np.asarray(a, np.float64).reshape(-1, a.shape[-1]).T,
        "a list of rows": lambda a: [tf.reshape(a[..., c], [-1]) for c in range(a.shape[-1])],
        "asserts a tensor": asserting(unrolled),
        "an object": Called(unrolled),
    },
    "gram_matrix": {
        "with the 1 of the batch": lambda A: tf.matmul(A, tf.transpose(A, [0, 2, 1])),
        "matmul": lambda A: tf.matmul(A, tf.transpose(A)),
        "transpose_b": lambda A: tf.linalg.matmul(A, A, transpose_b=True),
        "at": lambda A: A @ tf.transpose(A),
        "of the transposed matrix": lambda A: tf.matmul(tf.transpose(A), tf.transpose(A), transpose_a=True),
        "transposed": lambda A: tf.transpose(tf.matmul(A, A, transpose_b=True)),
        "einsum": lambda A: tf.einsum("ik,jk->ij", A, A),
        "tensordot": lambda A: tf.tensordot(A, A, axes=[[1], [1]]),
        "broadcast": lambda A: tf.reduce_sum(A[:, None] * A[None], axis=-1),
        "with the batch": lambda A: tf.matmul(A[None], A[None], transpose_b=True),
        "numpy": lambda A: np.asarray(A) @ np.asarray(A).T,
        "float64": lambda A: tf.matmul(*2 * [tf.cast(A, tf.float64)], transpose_b=True),
        "bfloat16": lambda A: bfloat16(tf.matmul(A, A, transpose_b=True)),
        "a list of lists": lambda A: [[tf.reduce_sum(a * b) for b in A] for a in A],
        "refuses arrays": tensor_only(gram),
        "partial": functools.partial(gram),
        "the library's": nst.gram_matrix,
    },
    "compute_layer_style_cost": {
        "numpy": layer_cost,
        "einsum": lambda S, G: (
            tf.reduce_sum(
                (
                    tf.einsum("bijc,bijd->cd", S, S) / np.prod(S.shape[1:3])
                    - tf.einsum("bijc,bijd->cd", G, G) / np.prod(G.shape[1:3])
                )
                ** 2
            )
            / (2 * G.shape[-1]) ** 2
        ),
        "mean": lambda S, G: tf.reduce_mean((per_position(S) - per_position(G)) ** 2) / 4,
        "the other way round": lambda S, G: layer_cost(G, S),
        "the course's own": course_layer_style_cost,
        "G's size for both": one_size_for_both(lambda S, G: G),
        "S's size for both": one_size_for_both(lambda S, G: S),
        "one size only": lambda S, G: rounded_layer_cost(tf.identity)(S, G) + 0 * tf.reduce_sum(S - G),
        "float64": lambda S, G: layer_cost(tf.cast(S, tf.float64), tf.cast(G, tf.float64)),
        "TF32": rounded_layer_cost(tf32),
        "bfloat16": rounded_layer_cost(bfloat16),
    },
    "compute_style_cost": {
        "loop": looped_style,
        "sum": lambda S, G: sum(0.2 * layer_cost(S[name], G[name]) for name in WEIGHTS),
        "mean": lambda S, G: tf.reduce_mean([layer_cost(S[name], G[name]) for name in WEIGHTS]),
    },
    "total_cost": {
        "formula": lambda J_content, J_style, alpha=10, beta=40: alpha * J_content + beta * J_style,
        "weights that are numbers": total_of_numbers,
        "other order": lambda J_content, J_style, beta=40, alpha=10: tf.add(beta * J_style, alpha * J_content),
        "numpy": lambda J_content, J_style, alpha=10, beta=40: np.dot([alpha, beta], [J_content, J_style]),
        "augmented": augmented_total,
        "graph": graph_total,
        "an object": Called(lambda J_content, J_style, alpha=10, beta=40: alpha * J_content + beta * J_style),
    },
    "train_step": {
        "course": step(),
        "zip": step_zipped,
        "list": lambda *a: list(step()(*a)),
        "graph": tf.function(step()),
        "an array": lambda *a: tf.stack(step()(*a)),
    },
}

MISTAKES = {
    "compute_content_cost": {
        "forgotten 4": (
            lambda C, G: tf.reduce_sum((C - G) ** 2) / np.prod(G.shape),
            "the 4 of 4 n_H n_W n_C is missing",
        ),
        "n_H only": (lambda C, G: tf.reduce_sum((C - G) ** 2) / (4 * G.shape[1]), "by n_H only"),
        "n_C missing": (lambda C, G: tf.reduce_sum((C - G) ** 2) / (4 * G.shape[1] * G.shape[2]), "n_C is missing"),
        "sum": (lambda C, G: tf.reduce_sum((C - G) ** 2), "bare sum"),
        "the paper's half": (lambda C, G: 0.5 * tf.reduce_sum((C - G) ** 2), "half the sum"),
        "brackets": (lambda C, G: tf.reduce_sum((C - G) ** 2) / 4 * G.shape[1] * G.shape[2] * G.shape[3], "brackets"),
        "integer division": (lambda C, G: tf.reduce_sum((C - G) ** 2) // (4 * np.prod(G.shape)), "no // and no int()"),
        "int": (lambda C, G: int(tf.reduce_mean((C - G) ** 2) / 4), "no // and no int()"),
        "nan": (lambda C, G: tf.reduce_sum((C - G) ** 2) / 0 - tf.reduce_mean(G) / 0, "it returns nan"),
        "a generator": (lambda C, G: (c - g for c, g in zip(C, G, strict=True)), "return the sum( ) of it"),
        "a dict": (
            lambda C, G: {"J": tf.reduce_mean((C - G) ** 2) / 4},
            "it returns a dict of 1; a cost is one number",
        ),
        "wrong axis": (
            lambda C, G: tf.reduce_sum((C - G) ** 2, axis=-1) / (4 * np.prod(G.shape)),
            "sum over every axis",
        ),
        "sum over the batch": (lambda C, G: tf.reduce_sum((C - G) ** 2, 0) / (4 * np.prod(G.shape)), "2x2x3 numbers"),
        "plus": (lambda C, G: tf.reduce_sum((C + G) ** 2) / (4 * np.prod(G.shape)), "cost of C against C is 0"),
        "C against C": (lambda C, G: 1 + tf.reduce_mean((C - G) ** 2) / 4, "with itself costs 1. It must cost 0"),
        "only G": (lambda C, G: tf.reduce_mean(G**2) / 4, "a_C plays no part"),
        "only C": (lambda C, G: tf.reduce_mean(C**2) / 4, "a_G plays no part"),
        "no square": (lambda C, G: tf.reduce_mean(C - G) / 4, "not squared"),
        "square of the sum": (lambda C, G: tf.reduce_sum(C - G) ** 2 / (4 * np.prod(G.shape)), "squared after the sum"),
        "something else": (lambda C, G: tf.reduce_mean(tf.abs(C - G)), "returns 5.5 where 10.5417 is right"),
        "no return": (lambda C, G: None, "`return`"),
        "where": (lambda C, G: tf.reduce_mean(tf.abs(C - G)), "for C = [[[0. 0. 0.] [0. 0. 0.]]"),
        "an input is changed": (changed_content_cost, "it changes its input in the line `a_C -= a_G`"),
        "a shape is assigned": (reshaped_content_cost, "it changes the shape of its input. Use tf.reshape"),
        "a tuple": (lambda C, G: (tf.reduce_mean((C - G) ** 2) / 4,), "Is there a comma behind it?"),
        "whole numbers": (lambda C, G: round(float(tf.reduce_mean((C - G) ** 2)) / 4 - 1e-6), "without round()"),
        "two formats": (lambda C, G: tf.reduce_sum((C - G) ** 2) / (4 * tf.size(G)), "float32 and a int32 tensor meet"),
        "a string": (lambda C, G: "10.5417 by hand", "returns a str"),
        "not callable": (10.5417, "the function itself, check_compute_content_cost(compute_content_cost)"),
        "a set": (lambda C, G: {float(content(C, G))}, "it returns a set, not an array of numbers"),
        "a formatted string": (lambda C, G: f"{content(C, G):.4f}", "it returns a str, not a number"),
        "a list": (lambda C, G: [content(C, G)], "Leave out the [ ] around it"),
        "the two parts": (lambda C, G: (content(C, G), G), "a tuple of 2; a cost is one number. Return the cost alone"),
        "one place off": (read_one_place_off, "or the sizes are read one place off"),
        "xor": (lambda C, G: tf.reduce_mean((C - G) ^ 2) / 4, "^ is not a power in Python: write **"),
        "a sum that outlives the call": (sum_that_outlives_the_call(), "called twice with the same input, it returns"),
        "more each time": (more_each_time(), "numbers, but a cost is one"),
        "a ragged tuple": (lambda C, G: (content(C, G), [1.0, [2.0, 3.0]]), "Return the cost alone"),
        "a list of lists": (lambda C, G: [[1.0], [2.0, 3.0], [4.0]], "Return the cost alone"),
        "an object stops": (Called(stops), "in the line `raise ValueError`"),
        "partial stops": (functools.partial(stops), "in the line `raise ValueError` with ValueError."),
        "exit": (leaves, "exit() ends the whole notebook"),
        "an error without words": (stops, "with ValueError."),
        "an assertion without words": (asserts, "with AssertionError."),
    },
    "unroll": {
        "forgotten transpose, in place": (lambda a: tf.reshape(a, [a.shape[-1], -1]), "rows mix the channels"),
        "forgotten transpose": (
            lambda a: tf.reshape(a, [-1, a.shape[-1]]),
            "4x3, a row per position. The transpose is missing",
        ),
        "swapped sizes": (
            lambda a: tf.transpose(tf.reshape(a, [a.shape[-1], -1])),
            "the sizes in the reshape are swapped",
        ),
        "across the batch": (lambda a: tf.reshape(a, [a.shape[0], -1]), "across the batch"),
        "rows only": (lambda a: tf.reshape(a, [a.shape[1], -1]), "A is 2x6, and should be (n_C, n_H*n_W) = 3x4"),
        "mixed": (
            lambda a: tf.reshape(tf.transpose(a, [0, 2, 3, 1]), [a.shape[-1], -1]),
            "all the channels of one position",
        ),
        "a tuple": (lambda a: (unrolled(a),), "it returns a tuple of 1, not an array. Is there a comma behind it?"),
        "a method of NumPy": (
            lambda a: tf.reshape(a, [-1, a.shape[-1]]).T,
            "tensors have no .T: use tf.transpose",
        ),
        "impossible": (lambda a: tf.reshape(a, [5, 3]), "stopped in the line"),
        "swapped sizes after the transpose": (
            lambda a: tf.reshape(tf.transpose(a, [0, 3, 1, 2]), [-1, a.shape[-1]]),
            "after this transpose reshape to (n_C, n_H*n_W)",
        ),
        "swapped sizes after another transpose": (
            lambda a: tf.reshape(tf.transpose(a, [3, 0, 1, 2]), [-1, a.shape[-1]]),
            "after this transpose reshape to (n_C, n_H*n_W)",
        ),
        "whole numbers": (lambda a: tf.cast(unrolled(a), tf.int32), "hold the numbers of a as they are"),
        "scaled": (lambda a: unrolled(a) / 4, "hold the numbers of a as they are"),
        "channels reversed": (lambda a: unrolled(a)[::-1], "the channels are in another order"),
        "sorted": (lambda a: tf.sort(unrolled(a), axis=0), "the channels are in another order"),
        "sizes written into it": (lambda a: tf.reshape(unrolled(a), [3, 4]), "2x6 for activations of 1x2x3x2"),
        "two things": (lambda a: (unrolled(a), a), "it returns a tuple of 2, not an array."),
    },
    "gram_matrix": {
        "of positions": (
            lambda A: tf.matmul(A, A, transpose_a=True),
            "4x4: did you unroll to (n_C, n_H*n_W)? It should be n_C x n_C = 3x3",
        ),
        "forgotten transpose": (
            lambda A: tf.matmul(A, A),
            "A is 3x4, so A times A does not fit; is the transpose missing?",
        ),
        "entry by entry": (lambda A: A * A, "3x4, as A itself"),
        "entry by entry, transposed": (lambda A: A * tf.transpose(A), "use tf.matmul, not *"),
        "across the batch": (
            lambda A: tf.matmul(tf.reshape(A, [1, -1]), tf.reshape(A, [1, -1]), transpose_b=True),
            "across the batch",
        ),
        "diagonal": (lambda A: tf.reduce_sum(A * A, axis=1), "each channel with itself only"),
        "wrong axis": (lambda A: tf.reduce_sum(A * A, axis=0), "has the shape (4,). It should be"),
        "divided": (lambda A: tf.matmul(A, A, transpose_b=True) / A.shape[1], "comes in the style cost"),
        "integer": (lambda A: tf.matmul(A, A, transpose_b=True) // A.shape[1], "comes in the style cost"),
        "sums first": (lambda A: tf.reduce_sum(A, 1)[:, None] * tf.reduce_sum(A, 1)[None], "sum the products"),
        "forgotten transpose of a square A": (
            lambda A: tf.matmul(A, A, transpose_b=A.shape[0] != A.shape[1]),
            "A A, or A * A",
        ),
        "wrong transpose of a square A": (
            lambda A: tf.matmul(*((A, tf.transpose(A))[:: 1 if A.shape[0] != A.shape[1] else -1])),
            "A^T A",
        ),
        "whole numbers": (lambda A: tf.cast(gram(A), tf.int32), "rounded to whole numbers"),
        "upper triangle": (lambda A: tf.linalg.band_part(gram(A), 0, -1), "below the diagonal are missing"),
        "lower triangle": (lambda A: tf.linalg.band_part(gram(A), -1, 0), "above the diagonal are missing"),
        "one entry wrong": (
            lambda A: gram(A) + tf.scatter_nd([[1, 1]], [10.0], gram(A).shape),
            "entry (1, 1) is 176, where 166 is right, for A = [[ 0. 3. 6. 9.]",
        ),
        "A itself": (lambda A: A, "3x4, as A itself: it is A."),
        "summed over the wrong index": (lambda A: tf.einsum("ik,jk->ik", A, A), "as A itself: sum over the positions"),
        "both transposed, of a square A": (
            lambda A: tf.matmul(A, A, transpose_a=A.shape[0] == A.shape[1], transpose_b=True),
            "this is A^T A^T",
        ),
        "both transposed": (
            lambda A: tf.matmul(A, A, transpose_a=True, transpose_b=True),
            "only the second A is transposed",
        ),
        "NumPy in a graph": (
            graph_gram_of_numpy,
            "in the line `return np.dot(A, np.transpose(A))`: NumPy does not work inside tf.function",
        ),
        ".numpy() in a graph": (graph_gram_with_numpy, "NumPy does not work inside tf.function"),
        "misspelt in a graph": (
            graph_gram_misspelt,
            "in the line `return tf.matmul(A, AT)  # noqa: F821` with NameError: name 'AT' is not defined",
        ),
        "forgotten transpose in a graph": (graph_gram_without_a_transpose, "is the transpose missing?"),
    },
    "compute_layer_style_cost": {
        "forgotten 4": (lambda S, G: 4 * layer_cost(S, G), "the 4 of 4 n_C^2 is missing"),
        "n_C not squared": (
            lambda S, G: np.sum((per_position(S) - per_position(G)) ** 2) / (4 * G.shape[-1]),
            "n_C is not squared",
        ),
        "sum": (lambda S, G: np.sum((per_position(S) - per_position(G)) ** 2), "bare sum"),
        "brackets": (lambda S, G: np.sum((per_position(S) - per_position(G)) ** 2) / 4 * G.shape[-1] ** 2, "brackets"),
        "brackets, sizes outside": (
            lambda S, G: (
                np.sum((rows(S).T @ rows(S) - rows(G).T @ rows(G)) ** 2) / 4 * G.shape[-1] ** 2 * len(rows(G)) ** 2
            ),
            "brackets",
        ),
        "divided by n_C": (
            lambda S, G: layer_cost(S, G) * (len(rows(G)) / G.shape[-1]) ** 2,
            "A.shape[2] where the 1 of the batch is still in front of A",
        ),
        "of the difference": (lambda S, G: layer_cost(S - G, 0 * G), "the Gram matrix of the difference"),
        "not unrolled": (
            lambda S, G: (
                tf.reduce_sum((tf.matmul(S, S, transpose_b=True) - tf.matmul(G, G, transpose_b=True)) ** 2)
                / (4 * G.shape[-1] ** 2)
            ),
            "unroll a_S and a_G first",
        ),
        "positions missing": (
            lambda S, G: np.sum((rows(S).T @ rows(S) - rows(G).T @ rows(G)) ** 2) / (4 * G.shape[-1] ** 2),
            "not divided by their number of positions",
        ),
        "n_H only": (
            lambda S, G: (
                np.sum((rows(S).T @ rows(S) / S.shape[1] - rows(G).T @ rows(G) / G.shape[1]) ** 2)
                / (4 * G.shape[-1] ** 2)
            ),
            "divided by n_H only",
        ),
        "positions outside": (
            lambda S, G: (
                np.sum((rows(S).T @ rows(S) - rows(G).T @ rows(G)) ** 2)
                / (4 * G.shape[-1] ** 2 * G.shape[1] * G.shape[2])
            ),
            "before the square",
        ),
        "of positions": (
            lambda S, G: (
                np.sum((rows(S) @ rows(S).T / len(rows(S)) - rows(G) @ rows(G).T / len(rows(G))) ** 2)
                / (4 * G.shape[-1] ** 2)
            ),
            "positions x positions: did you unroll to (n_C, n_H*n_W)?",
        ),
        "forgotten transpose": (
            lambda S, G: layer_cost(
                *(tf.transpose(tf.reshape(a, [1, 1, a.shape[-1], -1]), [0, 1, 3, 2]) for a in (S, G))
            ),
            "mixes the channels",
        ),
        "across the batch": (
            lambda S, G: (
                (np.sum(np.square(S)) / len(rows(S)) - np.sum(np.square(G)) / len(rows(G))) ** 2
                / (4 * G.shape[-1] ** 2)
            ),
            "1x1, across the batch",
        ),
        "integer division of the cost": (lambda S, G: layer_cost(S, G) // 1, "no // and no int()"),
        "integer division of the Gram matrix": (
            lambda S, G: (
                np.sum((rows(S).T @ rows(S) // len(rows(S)) - rows(G).T @ rows(G) // len(rows(G))) ** 2)
                / (4 * G.shape[-1] ** 2)
            ),
            "integer division",
        ),
        "plus": (
            lambda S, G: np.sum((per_position(S) + per_position(G)) ** 2) / (4 * G.shape[-1] ** 2),
            "cost of S against S is 0",
        ),
        "S against S": (lambda S, G: layer_cost(S, G) + 2, "with itself costs 2. It must cost 0"),
        "only G": (lambda S, G: np.sum(per_position(G) ** 2) / (4 * G.shape[-1] ** 2), "S plays no part"),
        "no square": (lambda S, G: np.sum(per_position(S) - per_position(G)) / (4 * G.shape[-1] ** 2), "not squared"),
        "content": (lambda S, G: tf.reduce_mean((S - G) ** 2) / 4, "this is the content cost"),
        "wrong axis": (
            lambda S, G: np.sum((per_position(S) - per_position(G)) ** 2, 0) / (4 * G.shape[-1] ** 2),
            "3 numbers",
        ),
        "neither size": (
            lambda S, G: layer_cost(S, G) * (1 if S.shape == G.shape else 2),
            "is right, for S = [[[3. 0. 0.] [0. 2. 0.]]",
        ),
        "an input is changed": (changed_style_cost, "it changes its input in the line `a_S -= 0`"),
        "a tuple": (lambda S, G: (layer_cost(S, G),), "a tuple of 1; a cost is one number. Is there a comma"),
        "forgotten transpose, divided by A.shape[1]": (
            lambda S, G: (
                np.sum((rows(S) @ rows(S).T - rows(G) @ rows(G).T) ** 2) / S.shape[-1] ** 2 / (4 * G.shape[-1] ** 2)
            ),
            "positions x positions",
        ),
        "sizes unknown in the library": (
            graph_of_unknown_sizes_elsewhere,
            "in the line `D = nst.gram_per_position(a_S) - nst.gram_per_position(a_G)`: one of the numbers is None",
        ),
        "sizes unknown in a graph": (graph_of_unknown_sizes, "as a size is that tf.function does not know"),
        "a string": (lambda S, G: str(float(layer_cost(S, G))), "it returns a str, not a number"),
    },
    "compute_style_cost": {
        "no weights": (lambda S, G: sum(layer_cost(S[n], G[n]) for n in WEIGHTS), "weights lambda are missing"),
        "weights twice": (lambda S, G: sum(0.2 * layer_cost(S[n], G[n]) for n in WEIGHTS) / 5, "no further mean"),
        "last layer": (lambda S, G: 0.2 * layer_cost(S["conv5_1"], G["conv5_1"]), "only the last layer"),
        "first layer": (lambda S, G: 0.2 * layer_cost(S["conv1_1"], G["conv1_1"]), "only the first layer"),
        "content layer": (lambda S, G: sum(0.2 * layer_cost(S[n], G[n]) for n in S), "conv4_2 is no style layer"),
        "both names forgotten": (lambda S, G: tf.reduce_sum((S - G) ** 2), "name the layer, in [ ]"),
        "stops at the content layer": (
            lambda S, G: sum(WEIGHTS[n] * layer_cost(S[n], G[n]) for n in S),
            "there is no 'conv4_2' in the dict. Go through style_layers.items()",
        ),
        "a name forgotten": (
            lambda S, G: sum(0.2 * course_layer_style_cost(S[n], G) for n in WEIGHTS),
            "name the layer, in [ ]",
        ),
        "a tuple of costs": (
            lambda S, G: tuple(0.2 * layer_cost(S[n], G[n]) for n in WEIGHTS),
            "it returns a tuple of 5; a cost is one number. Add them up",
        ),
        **{f"without {layer}": (without(layer), f"{layer} is missing") for layer in WEIGHTS},
        "by place in the dict": (
            lambda S, G: sum(0.2 * layer_cost(S[name], G[name]) for name in list(S)[:5]),
            "conv4_2 is compared, the first in the dict",
        ),
        "conv4_2 for conv5_1": (
            lambda S, G: sum(0.2 * layer_cost(S[n.replace("5_1", "4_2")], G[n.replace("5_1", "4_2")]) for n in WEIGHTS),
            "conv4_2 is compared, the first in the dict, and conv5_1 is not",
        ),
        "a layer is taken out": (style_cost_that_pops, "it takes conv4_2 out of S"),
        "a layer is deleted": (style_cost_that_deletes, "it takes conv4_2 out of G"),
        "a layer is written": (style_cost_that_writes, "it writes into S"),
        "the weights are used up": (style_weights_used_up(), "it changes something that outlives the call"),
    },
    "total_cost": {
        "swapped": (
            lambda J_content, J_style, alpha=10, beta=40: beta * J_content + alpha * J_style,
            "alpha and beta are swapped",
        ),
        "swapped defaults": (
            lambda J_content, J_style, alpha=40, beta=10: alpha * J_content + beta * J_style,
            "defaults are swapped",
        ),
        "no weights": (lambda J_content, J_style, alpha=10, beta=40: J_content + J_style, "play no part"),
        "numbers": (lambda J_content, J_style, alpha=10, beta=40: 10 * J_content + 40 * J_style, "written into it"),
        "no beta": (lambda J_content, J_style, alpha=10, beta=40: alpha * J_content + J_style, "beta is missing"),
        "no alpha": (lambda J_content, J_style, alpha=10, beta=40: J_content + beta * J_style, "alpha is missing"),
        "brackets": (lambda J_content, J_style, alpha=10, beta=40: alpha * (J_content + beta * J_style), "brackets"),
        "product": (lambda J_content, J_style, alpha=10, beta=40: alpha * J_content * beta * J_style, "product"),
        "whole numbers": (
            lambda J_content, J_style, alpha=10, beta=40: int(alpha * J_content + beta * J_style),
            "int() cuts off",
        ),
        "other names": (
            lambda J_content, J_style, a=10, b=40: a * J_content + b * J_style,
            "are J_content, J_style, alpha=10 and beta=40",
        ),
        "arguments swapped": (
            lambda J_style, J_content, alpha=10, beta=40: alpha * J_content + beta * J_style,
            "J_content comes first, and then J_style",
        ),
        "round": (
            lambda J_content, J_style, alpha=10, beta=40: round(float(alpha * J_content + beta * J_style)),
            "without round()",
        ),
        "integer division": (
            lambda J_content, J_style, alpha=10, beta=40: (alpha * J_content + beta * J_style) // 1,
            "no // and no int()",
        ),
        "a string": (
            lambda J_content, J_style, alpha=10, beta=40: f"{float(alpha * J_content + beta * J_style):.1f}",
            "it returns a str, not a number",
        ),
        "the two terms": (
            lambda J_content, J_style, alpha=10, beta=40: (alpha * J_content, beta * J_style),
            "Put them together as the formula says",
        ),
    },
    "train_step": {
        "no clip": (step(clip=False), "leaves [0, 1]"),
        "uphill": (step(direction=-1), "climbs"),
        "uphill and no clip": (step(direction=-1, clip=False), "climbs"),
        "no step": (step(assign=False), "has not moved"),
        "content only": (step(cost=1), "of J_content alone"),
        "style only": (step(cost=2), "of J_style alone"),
        "another step": (
            step(direction=0.5),
            "Its value at (0, 0, 0, 1) goes from 0.132 to 0.093, where 0.0541 is right",
        ),
        "another order of the three": (step_wrong_order, "J, J_content, J_style, in this order"),
        "objective outside the tape": (step_without_a_tape, "call objective(G) inside `with tf.GradientTape()"),
        "all three": (step_of_all, "the three costs added up"),
        "by hand, outside the tape": (step_by_hand_without_a_tape, "a gradient that the tape did not see"),
        "swapped pair": (step_swapped_pair, "the gradient first: [(gradient, G)]"),
        "no list": (step_no_list, "a list of pairs"),
        "float": (step_number, "then has no gradient: keep the tensor"),
        "by hand": (step_by_hand, "step of its own"),
        "no return": (lambda *a: step()(*a) and None, "returns nothing"),
        "only J": (step(returned=0), "return (J, J_content, J_style)"),
        "another order": (step(returned=slice(None, None, -1)), "in this order"),
        "a dict": (lambda *a: {"J": step()(*a)[0]}, "return (J, J_content, J_style)"),
        "stops": (lambda G, optimizer, objective: optimizer.nothing, "stopped in the line"),
        "clipped above only": (step_clipped(-9, 1), "G leaves [0, 1] at the lower end"),
        "clipped to [0, 255]": (step_clipped(0, 255), "G leaves [0, 1] at the upper end"),
        "only clipped pixels wrong": (step_clipped(0.01, 1), "times the gradient, 2.4, clipped to [0, 1]."),
        "a copy of G": (step_of_a_copy, "this moves a copy of G"),
        "the gradient of the function": (step_of_the_function, "and not the function"),
        "of an array": (step_of_numpy, "without float(), .numpy() or tf.constant() on the way from G to J"),
        "NumPy in a graph": (step_of_numpy_in_a_graph, "NumPy does not work inside tf.function"),
        "yield": (step_that_yields, "it has a `yield`"),
        "a generator": (lambda *a: (cost for cost in step()(*a)), "it returns a generator, which has no [0]"),
        "a map": (lambda *a: map(float, step()(*a)), "it returns a map, which has no [0]"),
        "G, costs": (step_returning(lambda J, c, s, G: (G, (J, c, s))), "three numbers"),
        "costs, G": (step_returning(lambda J, c, s, G: ((J, c, s), G)), "three numbers"),
        "G, J": (step_returning(lambda J, c, s, G: (G, J)), "three numbers"),
        "J, G, G": (step_returning(lambda J, c, s, G: (J, G, G)), "three numbers"),
        "J and the pair": (step_returning(lambda J, c, s, G: (J, (c, s))), "three numbers"),
        "strings": (step_returning(lambda *costs: [f"{c:.1f}" for c in costs[:3]]), "three numbers"),
        "nothing three times": (step_returning(lambda *costs: (None, None, None)), "three numbers"),
    },
}
