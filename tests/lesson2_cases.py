"""Right ways to write the functions of lesson 2, and what goes wrong in them."""

import itertools

import numpy as np
import tensorflow as tf

import nst_utils as nst

# ------------------------------------------------------------------------------------ the receptive field

BLOCKS = (2, 2, 4, 4, 4)


def field(pool=lambda r, step: (r + step, 2 * step), add=lambda step: 2 * step, first=2, start=1, pool_last=False):
    """The walk, layer after layer; first: the block that the first pool stands before."""
    fields, r, step = {}, start, 1
    for block, count in enumerate(BLOCKS, 1):
        for i in range(1, count + 1):
            pooled = i == 1 and block >= first
            if pooled and not pool_last:
                r, step = pool(r, step)
            r += add(step)
            if pooled and pool_last:
                r, step = pool(r, step)
            fields[f"conv{block}_{i}"] = r, step
    return fields.__getitem__


def backwards(layer):
    """How many pixels one activation needs, from the layer up to the picture."""
    block, i = int(layer[4]), int(layer[6])
    r = 1
    for count in (i, *reversed(BLOCKS[: block - 1])):
        r = 2 * (r + 2 * count)
    return r // 2, 2 ** (block - 1)


def every_convolution_pooled(layer):
    r, step = 1, 1
    for name in nst.LAYERS[: nst.LAYERS.index(layer) + 1]:
        if name != "conv1_1":
            r, step = r + step, 2 * step
        r += 2 * step
    return r, step


def up_to_the_layer_before(layer):
    index = nst.LAYERS.index(layer)
    return field()(nst.LAYERS[index - 1]) if index else (1, 1)


def remembering():
    """A walk that is right once for every layer, and goes on where it stood when it is called once more."""
    first = itertools.cycle([True] * len(nst.LAYERS) + [False])
    return lambda layer: field()(layer) if next(first) else (255, 16)


# ------------------------------------------------------------------------------------ the costs


def relative(t, v):
    return tf.reduce_sum((t - v) ** 2) / tf.reduce_sum(t**2)


def looped_relative(t, v):
    above = below = 0.0
    for a, b in zip(np.asarray(t).ravel(), np.asarray(v).ravel(), strict=True):
        above, below = above + (a - b) ** 2, below + a**2
    return above / below


RELATIVE_RIGHT = {
    "course": relative,
    "means": lambda t, v: tf.reduce_mean(tf.square(v - t)) / tf.reduce_mean(tf.square(t)),
    "norms": lambda t, v: (tf.norm(t - v) / tf.norm(t)) ** 2,
    "einsum": lambda t, v: tf.einsum("ij,ij->", t - v, t - v) / tf.einsum("ij,ij->", t, t),
    "numpy": lambda target, value: np.sum((np.asarray(target) - value) ** 2) / np.sum(np.asarray(target) ** 2),
    "loop": looped_relative,
    "a float": lambda t, v: float(relative(t, v)),
    "stopped": lambda t, v: tf.stop_gradient(relative(t, v)),
}

RELATIVE_MISTAKES = {
    "not divided": (lambda t, v: tf.reduce_sum((t - v) ** 2), "bare sum"),
    "by the value's": (lambda t, v: tf.reduce_sum((t - v) ** 2) / tf.reduce_sum(v**2), "target and value are swapped"),
    "by the number": (lambda t, v: tf.reduce_mean((t - v) ** 2), "how many numbers there are"),
    "mean over sum": (lambda t, v: tf.reduce_mean((t - v) ** 2) / tf.reduce_sum(t**2), "the mean over a sum"),
    "sum over mean": (lambda t, v: tf.reduce_sum((t - v) ** 2) / tf.reduce_mean(t**2), "the mean over a sum"),
    "target not squared": (lambda t, v: tf.reduce_sum((t - v) ** 2) / tf.reduce_sum(t), "the target is not squared"),
    "no square above": (lambda t, v: tf.reduce_sum(t - v) / tf.reduce_sum(t**2), "differences are not squared"),
    "absolute values": (
        lambda t, v: tf.reduce_sum(tf.abs(t - v)) / tf.reduce_sum(t**2),
        "differences are not squared",
    ),
    "no square": (lambda t, v: tf.reduce_sum(tf.abs(t - v)) / tf.reduce_sum(tf.abs(t)), "nothing is squared"),
    "square of the sum": (lambda t, v: tf.reduce_sum(t - v) ** 2 / tf.reduce_sum(t) ** 2, "squared after the sum"),
    "root": (lambda t, v: tf.norm(t - v) / tf.norm(t), "square root"),
    "entry by entry": (lambda t, v: tf.reduce_sum((t - v) ** 2 / t**2), "divided entry by entry"),
    "plus": (lambda t, v: relative(t, -v), "are added; subtract them"),
    "whole numbers": (lambda t, v: relative(tf.cast(t, tf.int32), tf.cast(v, tf.int32)), "after the point is cut off"),
    "never 0": (lambda t, v: relative(t, v) + 1, "the target itself costs 1. It must cost 0"),
    "wrong axis": (lambda t, v: tf.reduce_sum((t - v) ** 2, 0) / tf.reduce_sum(t**2), "sum over every axis"),
    "something else": (lambda t, v: 3 * relative(t, v), "returns 3 where 1 is right"),
    "one argument": (lambda t: t, "Its arguments are target and value"),
    "no return": (lambda t, v: None, "`return`"),
}


def memory(cost, target=lambda activations, what: activations):
    """A content_cost or style_cost, whose J compares the activations of image and G by cost(a, a_G, what)."""

    def make_J(what, image=None, vgg=None):
        a = target(vgg(image), what)
        return lambda G: cost(a, vgg(G), what)

    return make_J


def content(error):
    return memory(lambda a_C, a_G, layer: error(a_C[layer], a_G[layer]))


def content_in_numpy(layer, image=None, vgg=None):
    a_C = np.asarray(vgg(image)[layer])

    def J(G):
        a_G = np.asarray(vgg(G)[layer])
        return np.sum((a_C - a_G) ** 2) / np.sum(a_C**2)

    return J


def content_of_the_first_G(layer, image, vgg):
    a_C, seen = vgg(image)[layer], []

    def J(G):
        seen.append(vgg(G)[layer])
        return relative(a_C, seen[0])

    return J


def content_of_a_number(layer, image=None, vgg=None):
    return relative(vgg(image)[layer], 0 * vgg(image)[layer])


def gram(a):
    return tf.einsum("bijc,bijd->cd", a, a)


def per_position(a):
    return gram(a) / (a.shape[1] * a.shape[2])


def style_with(error=relative, of=per_position, among=lambda layers: layers, share=len):
    return memory(
        lambda a_S, a_G, layers: sum(error(of(a_S[n]), of(a_G[n])) for n in among(layers)) / share(layers),
    )


def looped_style(layers, image=None, vgg=None):
    a_S = vgg(image)

    def J(G):
        a_G, total = vgg(G), 0.0
        for layer in layers:
            total += relative(per_position(a_S[layer]), per_position(a_G[layer]))
        return total / len(layers)

    return J


def style_in_numpy(layers, image=None, vgg=None):
    def grams(picture):
        for layer in layers:
            A = np.asarray(vgg(picture)[layer])[0].reshape(-1, 3)
            yield A.T @ A / len(A)

    return lambda G: np.mean([((s - g) ** 2).sum() / (s**2).sum() for s, g in zip(grams(image), grams(G), strict=True)])


def style_with_the_gram_matrices_in(kind):
    """A style_cost which makes the Gram matrices of S once, as a list, a map, a generator or a zip."""

    def style_cost(layers, image, vgg):
        a_S = vgg(image)
        GS = kind(per_position(a_S[layer]) for layer in layers)

        def J(G):
            a_G = vgg(G)
            return sum(relative(g, per_position(a_G[n])) for n, g in zip(layers, GS, strict=False)) / len(layers)

        return J

    return style_cost


def style_in_a_list_outside(layers, image, vgg):
    a_S, errors = vgg(image), []

    def J(G):
        a_G = vgg(G)
        for layer in layers:
            errors.append(relative(per_position(a_S[layer]), per_position(a_G[layer])))
        return sum(errors) / len(layers)

    return J


def style_in_a_row_later(layers, image, vgg):
    J, size = style_with()(layers, image, vgg), itertools.count(1)
    return lambda G: tf.fill([next(size)], J(G))


def style_without_the_layers(layers, image, vgg):
    a_S, GS, number = vgg(image), {}, len(layers)
    while layers:
        layer = layers.pop()
        GS[layer] = per_position(a_S[layer])
    return lambda G: sum(relative(GS[layer], per_position(vgg(G)[layer])) for layer in GS) / number


def style_of_all_sums(layers, image, vgg):
    def joined(a):
        return tf.concat([tf.reshape(per_position(a[layer]), [-1]) for layer in layers], 0)

    return lambda G: relative(joined(vgg(image)), joined(vgg(G)))


ALL_STYLE = tuple(nst.STYLE_LAYERS)
ALL = (*ALL_STYLE, "conv4_2")

# ------------------------------------------------------------------------------------ the shuffle


def cut(image, size):
    n_H, n_W = (n // size * size for n in image.shape[1:3])
    return image[:, :n_H, :n_W]


def pieces(image, size):
    return tf.nn.space_to_depth(cut(image, size), size)


def shuffled(reorder, size_of_result=None):
    def function(image, size, seed=0):
        a = pieces(image, size)
        rows = reorder(tf.reshape(a, [-1, a.shape[3]]), np.random.default_rng(seed))
        return tf.nn.depth_to_space(tf.reshape(rows, size_of_result or a.shape), size)

    return function


right_shuffle = shuffled(lambda rows, rng: tf.gather(rows, rng.permutation(rows.shape[0])))


def shuffled_by_a_matrix(rows, rng):
    return tf.matmul(np.eye(len(rows), dtype=np.float32)[rng.permutation(len(rows))], rows)


def shuffled_in_numpy(image, size, seed=0):
    image = np.asarray(image)
    rows, columns = (n // size for n in image.shape[1:3])
    result = np.empty_like(image[:, : rows * size, : columns * size])
    for new, old in enumerate(np.random.default_rng(seed).permutation(rows * columns)):
        (i, j), (k, m) = divmod(new, columns), divmod(old, columns)
        piece = image[:, k * size : (k + 1) * size, m * size : (m + 1) * size]
        result[:, i * size : (i + 1) * size, j * size : (j + 1) * size] = piece
    return result


def shuffled_by_reshaping(image, size, seed=0):
    rows, columns = (n // size for n in image.shape[1:3])
    a = tf.reshape(image[0, : rows * size, : columns * size], [rows, size, columns, size, 3])
    a = tf.reshape(tf.transpose(a, [0, 2, 1, 3, 4]), [-1, size, size, 3])
    a = tf.reshape(tf.random.shuffle(a, seed=seed), [rows, columns, size, size, 3])
    return tf.reshape(tf.transpose(a, [0, 2, 1, 3, 4]), [1, rows * size, columns * size, 3])


def single_pixels(image, size, seed=0):
    n_H, n_W = (n // size * size for n in image.shape[1:3])
    pixels = np.random.default_rng(seed).permutation(np.asarray(image[0, :n_H, :n_W]).reshape(-1, 3))
    return pixels.reshape(1, n_H, n_W, 3)


def rows_of_pieces(image, size, seed=0):
    a = pieces(image, size)
    return tf.nn.depth_to_space(tf.gather(a, [2, 0, 1], axis=1), size)


def shuffled_by_columns(image, size, seed=0):
    return tf.nn.depth_to_space(tf.gather(pieces(image, size), [2, 0, 3, 1][: image.shape[2] // size], axis=2), size)


def cut_at_the_top(image, size, seed=0):
    return right_shuffle(cut(image[:, ::-1, ::-1], size)[:, ::-1, ::-1], size)


def resized(image, size, seed=0):
    return right_shuffle(tf.image.resize(image, cut(image, size).shape[1:3]), size)


def in_pieces_of_12(image, size, seed=0):
    a = pieces(image, size)
    rows = tf.reshape(a, [-1, 12])
    order = np.random.default_rng(seed).permutation(rows.shape[0])
    return tf.nn.depth_to_space(tf.reshape(tf.gather(rows, order), a.shape), size)


def not_cut(image, size, seed=0):
    return tf.nn.depth_to_space(tf.nn.space_to_depth(image, size), size)


RIGHT = {
    "receptive_field": {
        "layer after layer": field(),
        "backwards": backwards,
        "tensors": lambda layer: tuple(map(tf.constant, field()(layer))),
        "an array": lambda layer: np.array(field()(layer)),
        "a list of floats": lambda layer: list(map(float, field()(layer))),
    },
    "relative_error": RELATIVE_RIGHT,
    "content_cost": {
        "course": content(relative),
        "norms": content(lambda t, v: tf.norm(v - t) ** 2 / tf.norm(t) ** 2),
        "numpy": content_in_numpy,
        "one number in a row": content(lambda t, v: tf.reshape(relative(t, v), [1])),
    },
    "style_cost": {
        "course": style_with(),
        "loop": looped_style,
        "library": style_with(of=nst.gram_per_position),
        "numpy": style_in_numpy,
        "Gram matrices in a list": style_with_the_gram_matrices_in(list),
        "a copy of the layers is used up": lambda layers, image, vgg: style_without_the_layers(
            list(layers), image, vgg
        ),
    },
    "shuffled": {
        "gather": right_shuffle,
        "a matrix": shuffled(shuffled_by_a_matrix),
        "tf.random": shuffled(lambda rows, rng: tf.random.shuffle(rows)),
        "argsort": shuffled(lambda rows, rng: tf.gather(rows, np.argsort(rng.random(rows.shape[0])))),
        "reshape and transpose": shuffled_by_reshaping,
        "piece by piece": shuffled_in_numpy,
    },
}

MISTAKES = {
    "receptive_field": {
        "no growth at a pool": (field(pool=lambda r, step: (r, 2 * step)), "a pool makes r larger as well"),
        "step not doubled": (field(pool=lambda r, step: (r + step, step)), "a pool doubles the step"),
        "doubled first": (field(pool=lambda r, step: (r + 2 * step, 2 * step)), "doubled before r has grown"),
        "no pools": (field(first=9), "the pools are missing"),
        "a pool before conv1_1": (field(first=1), "no pool before conv1_1"),
        "a pool before every convolution": (every_convolution_pooled, "before each new block only"),
        "a convolution adds step": (field(add=lambda step: step), "to *every* side"),
        "a convolution adds 2": (field(add=lambda step: 2), "it adds 2 step, not 2"),
        "a convolution adds 3 step": (field(add=lambda step: 3 * step), "the position in the middle"),
        "pool last": (field(pool_last=True), "the pool comes first, and its doubled step counts for the convolution"),
        "the layer itself": (up_to_the_layer_before, "up to and including it"),
        "from 0": (field(start=0), "r starts as 1"),
        "swapped": (lambda layer: field()(layer)[::-1], "in the other order"),
        "r alone": (lambda layer: field()(layer)[0], "two numbers, r and step"),
        "words": (lambda layer: tuple(f"{n} px" for n in field()(layer)), "for conv1_1 it returns ('3 px', '1 px')"),
        "numbers in words": (lambda layer: tuple(map(str, field()(layer))), "for conv1_1 it returns ('3', '1')"),
        "None for step": (lambda layer: (field()(layer)[0], None), "for conv1_1 it returns (3, None)"),
        "a list for r": (lambda layer: ([field()(layer)[0]], 1), "for conv1_1 it returns ([3], 1)"),
        "r for both sides": (lambda layer: ((3, 3), 1), "for conv1_1 it returns ((3, 3), 1)"),
        "some layers only": ({"conv1_1": (3, 1)}.get, "each of the 16 layers; for conv1_2 it returns None"),
        "remembers": (remembering(), "called for conv1_1 once more it returns r = 255 and step = 16"),
        "nan": (lambda layer: (float("nan"), 1), "for conv1_1 it returns r = nan"),
        "something else": (lambda layer: (7, 1), "for conv1_1 it returns r = 7 and step = 1, where 3 and 1 are right"),
        "no return": (lambda layer: None, "`return`"),
        "stops": (lambda layer: nst.LAYERS.index(layer + "_"), "stopped in the line"),
        "stops later": (lambda layer: {"conv1_1": (3, 1)}[layer], "It was asked for conv1_2."),
    },
    "relative_error": RELATIVE_MISTAKES,
    "content_cost": {
        "always conv4_2": (memory(lambda a, b, _: relative(a["conv4_2"], b["conv4_2"])), "it compares at conv4_2"),
        "always conv1_1": (memory(lambda a, b, _: relative(a["conv1_1"], b["conv1_1"])), "it compares at conv1_1"),
        "pictures": (lambda layer, image, vgg: lambda G: relative(image, G), "the pictures are compared"),
        "Gram matrices": (content(lambda t, v: relative(gram(t), gram(v))), "Gram matrices are compared"),
        "swapped": (content(lambda t, v: relative(v, t)), "target and value are swapped"),
        "not divided": (content(lambda t, v: tf.reduce_sum((t - v) ** 2)), "bare sum"),
        "whole numbers": (content(lambda t, v: relative(tf.cast(t, tf.int32), tf.cast(v, tf.int32))), "is cut off"),
        "G with itself": (content(lambda t, v: relative(v, v)), "0 for every G"),
        "something else": (
            content(lambda t, v: 3 * relative(t, v)),
            "at conv2_1: it returns 4.40909 where 1.4697 is right, for image = [[[3. 0. 0.]",
        ),
        "the first G": (content_of_the_first_G, "its J keeps what it saw in its first G"),
        "J and a_C": (lambda *a, vgg: (content(relative)(*a, vgg=vgg), a), "it returns a tuple, and should return a"),
        "J in words": (lambda *a, vgg: "J", "it returns a str, and should return a function"),
        "a dict": (lambda *a, vgg: lambda G: {"J": content(relative)(*a, vgg=vgg)(G)}, "its J returns a dict"),
        "a generator": (lambda *a, vgg: lambda G: (n for n in [1.0]), "its J returns a generator"),
        "words": (lambda *a, vgg: lambda G: f"{content(relative)(*a, vgg=vgg)(G)}", "its J returns a str"),
        "a tuple": (lambda *a, vgg: lambda G: (content(relative)(*a, vgg=vgg)(G),), "return the cost alone"),
        "a number": (content_of_a_number, "should return a function"),
        "C costs": (content(lambda t, v: relative(t, v) + 0.5), "its own image costs 0.5. It must cost 0"),
        "no vgg": (lambda layer, image=None: None, "Its arguments are layer, image=C and vgg=vgg"),
        "no return": (lambda layer, image, vgg: None, "`return J`"),
        "no return in J": (lambda layer, image, vgg: lambda G: None, "its J returns nothing"),
    },
    "style_cost": {
        "sum": (style_with(share=lambda layers: 1), "divide it by how many there are"),
        "fifth": (style_with(share=lambda layers: 5), "divided by 5 whatever"),
        "activations": (style_with(of=lambda a: a), "activations are compared"),
        "last layer": (style_with(among=lambda layers: layers[-1:]), "only the last layer"),
        "last layer, not divided": (
            style_with(among=lambda layers: layers[-1:], share=lambda layers: 1),
            "only the last layer",
        ),
        "first layer": (style_with(among=lambda layers: layers[:1]), "only the first layer"),
        "all layers": (style_with(among=lambda layers: ALL), "all layers of the network"),
        "all style layers": (style_with(among=lambda layers: ALL_STYLE, share=lambda layers: 5), "all five style"),
        "bare Gram matrix": (style_with(of=gram), "take nst.gram_per_position of each"),
        "divided by n_H": (style_with(of=lambda a: gram(a) / a.shape[1]), "n_H n_W, and not n_H alone"),
        "divided by n_W": (style_with(of=lambda a: gram(a) / a.shape[2]), "n_H n_W, and not n_W alone"),
        "without the first": (style_with(among=lambda layers: layers[1:]), "conv1_1 is left out"),
        "without the middle one": (style_with(among=lambda layers: layers[::2]), "conv3_1 is left out"),
        "without the last": (style_with(among=lambda layers: layers[:-1], share=lambda n: 2), "conv5_1 is left out"),
        "G with itself": (style_with(lambda t, v: relative(v, v)), "0 for every G"),
        "sums of all layers": (style_of_all_sums, "at conv1_1, conv3_1, conv5_1: it returns"),
        "something else": (style_with(lambda t, v: 7 * relative(t, v)), "is right, for image = [[[3. 0. 0.]"),
        "a generator": (
            style_with_the_gram_matrices_in(iter),
            "first call only: called three times it returns 7.02147, 0, 0",
        ),
        "a map": (style_with_the_gram_matrices_in(lambda GS: map(tf.identity, GS)), "right in its first call only"),
        "a list outside": (style_in_a_list_outside, "right in its first call only"),
        "a row in later calls": (style_in_a_row_later, "right in its first call only"),
        "layers used up": (style_without_the_layers, "it changes `layers`"),
        "J and layers": (
            lambda *a, vgg: [style_with()(*a, vgg=vgg)],
            "it returns a list, and should return a function",
        ),
        "one size only": (
            style_with(lambda t, v: relative(t, v), of=lambda a: per_position(tf.ensure_shape(a, [1, 3, 2, 3]))),
            "only their Gram matrices meet",
        ),
        "swapped": (style_with(lambda t, v: relative(v, t)), "target and value are swapped"),
        "a list": (lambda *a, vgg: lambda G: [style_with()(*a, vgg=vgg)(G)], "return the cost alone"),
        "a number": (lambda layers, image, vgg: 0.5, "should return a function"),
        "S costs": (style_with(lambda t, v: relative(t, v) + 1), "its own image costs 1. It must cost 0"),
    },
    "shuffled": {
        "not cut": (not_cut, "cut it to whole pieces, 6x8 px"),
        "cut, and stops": (
            lambda image, size, seed=0: tf.gather(pieces(image, size), [99], axis=1),
            "The image is 6x8 px here, the pieces 2x2.",
        ),
        "as large as before": (lambda image, size, seed=0: image[:, ::-1], "as large as the image"),
        "still in depth": (lambda image, size, seed=0: pieces(image, size), "depth_to_space is missing"),
        "height and width": (
            shuffled(lambda rows, rng: rng.permutation(rows), size_of_result=[1, 4, 3, 12]),
            "height and width have changed places",
        ),
        "one row": (
            shuffled(lambda rows, rng: rng.permutation(rows), size_of_result=[1, 1, 12, 12]),
            "the shape is (1, 2, 24, 3)",
        ),
        "nothing moved": (shuffled(lambda rows, rng: rows), "nothing has moved"),
        "one place on": (shuffled(lambda rows, rng: np.roll(rows, 1, axis=0)), "moved on by as many places"),
        "two exchanged": (shuffled(lambda rows, rng: rows[[1, 0, *range(2, len(rows))]]), "most pieces are where"),
        "drawn with repetition": (
            shuffled(lambda rows, rng: tf.gather(rows, rng.integers(0, rows.shape[0], rows.shape[0]))),
            "lost and others doubled",
        ),
        "pixels": (single_pixels, "torn apart"),
        "across the pieces": (shuffled(lambda rows, rng: rng.permutation(rows, axis=1)), "torn apart"),
        "rows of pieces": (rows_of_pieces, "whole rows of pieces"),
        "columns of pieces": (shuffled_by_columns, "whole columns of pieces"),
        "rows, then columns": (
            lambda *a: shuffled_by_columns(rows_of_pieces(*a), 2),
            "whole rows and columns of pieces",
        ),
        "rolled": (lambda image, size: tf.roll(cut(image, size), size, axis=2), "whole columns of pieces"),
        "mirrored": (
            lambda image, size: tf.nn.depth_to_space(pieces(image, size)[:, ::-1, ::-1], size),
            "whole rows and columns of pieces",
        ),
        "always 2": (lambda image, size: right_shuffle(image, 2), "Is `size` used throughout"),
        "always 12": (in_pieces_of_12, "Is `size` used throughout"),
        "cut at the top": (cut_at_the_top, "cut off at the top or on the left"),
        "resized": (resized, "other values than before"),
        "divided": (lambda image, size: right_shuffle(image / 255, size), "other values than before"),
        "bytes": (lambda image, size: right_shuffle(tf.cast(image, tf.uint8), size), "other values than before"),
    },
}
