"""Right ways to write the functions of lesson 3, and what goes wrong in them."""

import numpy as np
import tensorflow as tf
from lesson2_cases import ALL, ALL_STYLE, RELATIVE_MISTAKES, gram, looped_relative, per_position, relative

# ------------------------------------------------------------------------------------ the yardstick


def in_float32(error):
    return lambda t, v: error(tf.cast(t, tf.float32), tf.cast(v, tf.float32))


def in_format(kind, back=tf.float32):
    return lambda t, v: tf.cast(relative(tf.cast(t, kind), tf.cast(v, kind)), back)


def for_float32_only(otherwise):
    """A relative error that gives something else where one of the two is no float32."""
    return lambda t, v: relative(t, v) if t.dtype == v.dtype == tf.float32 or isinstance(t, np.ndarray) else otherwise


def cast_where_needed(t, v):
    t = t if t.dtype == tf.float32 else tf.cast(t, tf.float32)
    return relative(t, v if v.dtype == tf.float32 else tf.cast(v, tf.float32))


def expanded(t, v):
    return 1 + (tf.reduce_sum(v**2) - 2 * tf.reduce_sum(t * v)) / tf.reduce_sum(t**2)


def yardstick(
    of_content=lambda c, s, g: relative(c, g),
    of_style=lambda c, s, g: relative(per_position(s), per_position(g)),
    style_layers=ALL_STYLE,
    returned=lambda content, style: (content, style),
):
    def errors_seen_by(vgg, C=None, S=None):
        a_C, a_S = vgg(C), vgg(S)

        def errors(G):
            a_G = vgg(G)
            content = {n: of_content(a_C[n], a_S[n], a_G[n]) for n in a_G}
            style = {n: of_style(a_C[n], a_S[n], a_G[n]) for n in style_layers}
            return returned(content, style)

        return errors

    return errors_seen_by


def yardstick_in_numpy(vgg, C=None, S=None):
    def grams(picture):
        A = {layer: np.asarray(a, np.float64).reshape(-1, a.shape[-1]) for layer, a in vgg(picture).items()}
        return {layer: A[layer].T @ A[layer] / len(A[layer]) for layer in ALL_STYLE}

    def errors(G):
        asked = ("conv5_1", "conv4_2", "conv3_1", "conv2_1", "conv1_1")  # nobody asks for conv4_1
        content = {layer: looped_relative(vgg(C)[layer], vgg(G)[layer]) for layer in asked}
        GS, GG = grams(S), grams(G)
        return content, {layer: looped_relative(GS[layer], GG[layer]) for layer in GS}

    return errors


def style_by(error, of=per_position):
    return yardstick(of_style=lambda c, s, g: error(of(s), of(g)))


def swapped_relative(t, v):
    return relative(v, t)


def bare_sum(t, v):
    return tf.reduce_sum((t - v) ** 2)


def yardstick_with_the_gram_matrices_in(kind):
    """An errors_seen_by which makes the Gram matrices of S once, as a list, a map, a generator or a zip."""

    def errors_seen_by(vgg, C, S):
        a_C, a_S = vgg(C), vgg(S)
        GS = kind((layer, per_position(a_S[layer])) for layer in ALL_STYLE)

        def errors(G):
            a_G = vgg(G)
            return (
                {layer: relative(a_C[layer], a_G[layer]) for layer in a_G},
                {layer: relative(g, per_position(a_G[layer])) for layer, g in GS},
            )

        return errors

    return errors_seen_by


def yardstick_outside(kept=lambda errors, new: new, result=lambda both: both):
    """An errors_seen_by whose dicts are made outside errors; kept: what they then hold."""

    def errors_seen_by(vgg, C, S):
        compare, content, style = yardstick()(vgg, C, S), {}, {}

        def errors(G):
            for old, new in zip((content, style), compare(G), strict=True):
                old.update(kept(old, new))
            return result((content, style))

        return errors

    return errors_seen_by


def added(errors, new):
    return {layer: errors.get(layer, 0) + new[layer] for layer in new}


def yardstick_of_the_first_G(vgg, C, S):
    compare, seen = yardstick()(vgg, C, S), []

    def errors(G):
        seen.append(G)
        return compare(seen[0])

    return errors


def yardstick_with_an_iterator(vgg, C, S):
    compare, a_S = yardstick()(vgg, C, S), vgg(S)
    GS = iter([per_position(a_S[layer]) for layer in ALL_STYLE])

    def errors(G):
        content, a_G = compare(G)[0], vgg(G)
        return content, {layer: relative(next(GS), per_position(a_G[layer])) for layer in ALL_STYLE}

    return errors


def yardstick_once(vgg, C, S):
    compare, seen = yardstick()(vgg, C, S), []
    return lambda G: None if seen.append(G) or seen[1:] else compare(G)


def yardstick_of_the_first_S():
    kept = {}

    def errors_seen_by(vgg, C, S):
        if S.shape == C.shape:
            kept["S"] = S
        return yardstick()(vgg, C, kept["S"])

    return errors_seen_by


# ------------------------------------------------------------------------------------ total variation


def variation(of=tf.square, mean=tf.reduce_mean, add=lambda down, across: down + across):
    return lambda G: add(mean(of(G[:, 1:] - G[:, :-1])), mean(of(G[:, :, 1:] - G[:, :, :-1])))


def looped_variation(G):
    G = np.asarray(G)
    _, n_H, n_W, _ = G.shape
    down = [(G[:, i + 1] - G[:, i]) ** 2 for i in range(n_H - 1)]
    across = [(G[:, :, j + 1] - G[:, :, j]) ** 2 for j in range(n_W - 1)]
    return np.mean(down) + np.mean(across)


def one_mean(G):
    down, across = (np.diff(G, axis=axis).ravel() for axis in (1, 2))
    return np.mean(np.concatenate([down, across]) ** 2)


# ------------------------------------------------------------------------------------ the settings of others


def translated(
    of_content=lambda n, c: 4 * n * c,
    of_style=lambda n, c: 4 * c**2 * n**2,
    content_layer="conv4_2",
    layers=lambda sizes: ALL_STYLE,
    style_layer=lambda layer: layer,
):
    def in_ours(content_factor, style_factor, sizes):
        alpha = content_factor(*sizes[content_layer]) * of_content(*sizes[content_layer])
        beta_lambda = {}
        for layer in layers(sizes):
            n, c = sizes[style_layer(layer)]
            beta_lambda[layer] = style_factor(n, c) * of_style(n, c)
        return alpha, beta_lambda

    return in_ours


def translated_by_division(content_factor, style_factor, sizes):
    ours = {layer: 1 / (4 * n * c) for layer, (n, c) in sizes.items()}
    ours_of_style = {layer: 1 / (2 * n * c) ** 2 for layer, (n, c) in sizes.items()}
    alpha = content_factor(*sizes["conv4_2"]) / ours["conv4_2"]
    return tf.constant(alpha), {n: np.float32(style_factor(*sizes[n]) / ours_of_style[n]) for n in ALL_STYLE[::-1]}


def changed(change):
    """in_ours with other factors handed in: change(content_factor, style_factor) -> two factors."""
    return lambda content_factor, style_factor, sizes: translated()(*change(content_factor, style_factor), sizes)


def using_up(take):
    """in_ours whose `sizes` are changed by `take` first, and which is right all the same."""

    def in_ours(content_factor, style_factor, sizes):
        every = dict(sizes)
        take(sizes)
        return translated()(content_factor, style_factor, every)

    return in_ours


def turned(factor):
    return lambda n, c: factor(c, n)


RIGHT = {
    "relative_error": {
        "course": in_float32(relative),
        "norms": in_float32(lambda t, v: (tf.norm(t - v) / tf.norm(t)) ** 2),
        "numpy": lambda t, v: (
            np.mean(np.square(np.float32(t) - np.float32(v))) / np.mean(np.square(np.asarray(t, np.float32)))
        ),
        "float64": in_format(tf.float64),
        "where needed": cast_where_needed,
        "expanded": in_float32(expanded),
        "one number in a row": in_float32(lambda t, v: tf.reshape(relative(t, v), [1])),
    },
    "errors_seen_by": {
        "course": yardstick(),
        "a list": yardstick(returned=lambda content, style: [content, style]),
        "content in floats": yardstick(lambda c, s, g: float(relative(c, g))),
        "style in floats": style_by(lambda t, v: float(relative(t, v))),
        "Gram matrices in a list": yardstick_with_the_gram_matrices_in(list),
        "copies of what is kept": yardstick_outside(result=lambda both: tuple(map(dict, both))),
        "numpy, without conv4_1": yardstick_in_numpy,
        "means": style_by(lambda t, v: tf.reduce_mean((v - t) ** 2) / tf.reduce_mean(t**2)),
    },
    "total_variation": {
        "course": variation(),
        "products": variation(lambda d: d * d),
        "numpy": lambda G: np.mean(np.diff(G, axis=1) ** 2) + np.mean(np.diff(G, axis=2) ** 2),
        "loops": looped_variation,
        "the other way round": lambda G: variation()(G[:, ::-1, ::-1]),
    },
    "in_ours": {
        "course": translated(),
        "division": translated_by_division,
        "a list": lambda *a: list(translated()(*a)),
        "a copy is used up": lambda *factors_and_sizes: using_up(dict.clear)(
            *factors_and_sizes[:2], dict(factors_and_sizes[2])
        ),
    },
}

MISTAKES = {
    "relative_error": {
        **{
            what: (in_float32(error), words)
            for what, (error, words) in RELATIVE_MISTAKES.items()
            if what != "no return"
        },
        "not cast": (relative, "cast both to float32 first"),
        "only the value": (lambda t, v: relative(t, tf.cast(v, tf.float32)), "cast both to float32 first"),
        "only the target": (lambda t, v: relative(tf.cast(t, tf.float32), v), "cast both to float32 first"),
        "to the value's format": (
            lambda t, v: relative(tf.cast(t, v.dtype), v),
            "for a float32 and a bfloat16 it returns 0, where 1.1e-05 is right",
        ),
        "to the target's format": (
            lambda t, v: relative(t, tf.cast(v, t.dtype)),
            "for a bfloat16 and a float32 it returns 0, where 1.11e-05 is right",
        ),
        "where they differ": (
            lambda t, v: relative(t, v) if t.dtype == v.dtype else in_float32(relative)(t, v),
            "for a bfloat16 and a bfloat16 it returns 0.25",
        ),
        "bfloat16": (in_format(tf.bfloat16), "for a float32 and a bfloat16 it returns 0"),
        "float16": (in_format(tf.float16), "for a float32 and a bfloat16 it returns 0"),
        "int32": (in_format(tf.int32), "after the point is cut off"),
        "nan for bfloat16": (for_float32_only(float("nan")), "for a float32 and a bfloat16 it returns nan"),
        "nothing for bfloat16": (for_float32_only(None), "for a float32 and a bfloat16 it returns nothing"),
        "no return": (lambda t, v: None, "`return`"),
    },
    "errors_seen_by": {
        "content of S": (
            yardstick(lambda c, s, g: relative(s[:, : g.shape[1], : g.shape[2]], g)),
            "the content is that of C",
        ),
        "Gram matrices of C for content": (yardstick(lambda c, s, g: relative(gram(c), gram(g))), "content compares"),
        "content swapped": (yardstick(lambda c, s, g: relative(g, c)), "content: target and value are swapped"),
        "content not divided": (yardstick(lambda c, s, g: bare_sum(c, g)), "content: this is the bare sum"),
        "content by channel": (yardstick(lambda c, s, g: tf.reduce_sum((c - g) ** 2, (0, 1, 2))), "3 numbers"),
        "content always 0": (yardstick(lambda c, s, g: 0.0 * relative(c, g)), "content: 0 for every G"),
        "style of C": (
            yardstick(of_style=lambda c, s, g: relative(per_position(c), per_position(g))),
            "the style is that of S",
        ),
        "activations": (
            yardstick(of_style=lambda c, s, g: relative(s[:, : g.shape[1], : g.shape[2]], g)),
            "activations are compared; style",
        ),
        "bare Gram matrix": (style_by(relative, gram), "take nst.gram_per_position of each"),
        "one size only": (
            style_by(relative, lambda a: per_position(tf.ensure_shape(a, [1, 3, 2, 3]))),
            "only Gram matrices meet",
        ),
        "style swapped": (style_by(swapped_relative), "style: target and value are swapped"),
        "style not divided": (style_by(bare_sum), "style: this is the bare sum"),
        "other order": (yardstick(returned=lambda content, style: (style, content)), "in the other order"),
        "the content layer among style": (yardstick(style_layers=ALL), "conv4_2 is no style layer"),
        "a layer missing": (yardstick(style_layers=ALL_STYLE[:4]), "the style errors have no conv5_1"),
        "sums": (yardstick(returned=lambda content, style: (content, sum(style.values()))), "two dicts"),
        "errors, not the function": (lambda vgg, C, S: ({}, {}), "should return the function errors"),
        "no return": (lambda vgg, C, S: None, "`return errors`"),
        "a fifth": (style_by(lambda t, v: relative(t, v) / 5), "style: a fifth of each layer's error"),
        "S with itself": (yardstick(of_style=lambda c, s, g: relative(s, s)), "style: 0 for every G"),
        "something else": (style_by(lambda t, v: 100 * relative(t, v)), "style: 84.6939 at conv1_1, where 0.846939 is"),
        "whole numbers": (
            yardstick(lambda c, s, g: relative(tf.cast(c, tf.int32), tf.cast(g, tf.int32))),
            "content: what comes after the point is cut off",
        ),
        "divided by n_H": (style_by(relative, lambda a: gram(a) / a.shape[1]), "n_H n_W, and not n_H alone"),
        "divided by n_W": (style_by(relative, lambda a: gram(a) / a.shape[2]), "n_H n_W, and not n_W alone"),
        "a generator": (yardstick_with_the_gram_matrices_in(iter), "right in its first call only"),
        "a zip": (yardstick_with_the_gram_matrices_in(lambda GS: zip(*zip(*GS, strict=True), strict=True)), "zip"),
        "dicts outside": (yardstick_outside(), "the same dict in every call"),
        "added up outside": (
            yardstick_outside(added, lambda both: tuple(map(dict, both))),
            "right in its first call only",
        ),
        "an iterator that ends": (yardstick_with_an_iterator, "it stopped in the line `return content, {"),
        "nothing in later calls": (yardstick_once, "right in its first call only"),
        "the first G": (yardstick_of_the_first_G, "its errors keeps what it saw in its first G"),
        "the first S": (yardstick_of_the_first_S(), "the S of an earlier call is kept"),
        "words": (yardstick(lambda c, s, g: f"{relative(c, g)}"), "content: for conv1_1 there is a str, not a number"),
        "a tuple": (yardstick(lambda c, s, g: (relative(c, g),)), "content: for conv1_1 there is a tuple"),
        "two in a tuple": (yardstick(lambda c, s, g: (relative(c, g), c)), "content: for conv1_1 there is a tuple"),
        "None": (yardstick(of_style=lambda c, s, g: None), "style: for conv1_1 there is a NoneType, not a number"),
        "three": (yardstick(returned=lambda content, style: (content, style, 0)), "two dicts"),
        "no return in errors": (yardstick(returned=lambda content, style: None), "its errors returns nothing"),
        "two arguments": (lambda vgg, C: None, "Its arguments are vgg, C=C and S=S"),
    },
    "total_variation": {
        "only down": (variation(add=lambda down, across: down), "it looks down only"),
        "only across": (variation(add=lambda down, across: across), "it looks across only"),
        "not squared": (variation(lambda d: d), "not squared"),
        "absolute values": (variation(tf.abs), "not squared"),
        "of the library": (lambda G: tf.image.total_variation(G)[0], "this sums absolute differences"),
        "gradients of the library": (
            lambda G: sum(tf.reduce_mean(d**2) for d in tf.image.image_gradients(G)),
            "a row and a column of zeros are counted",
        ),
        "colours added": (lambda G: 3 * variation()(G), "3 times too large"),
        "sum": (variation(mean=tf.reduce_sum), "this is the sum"),
        "square of the mean": (variation(tf.identity, lambda d: tf.reduce_mean(d) ** 2), "squared after the mean"),
        "round the border": (
            lambda G: sum(tf.reduce_mean((G - tf.roll(G, 1, axis)) ** 2) for axis in (1, 2)),
            "a roll goes round the border",
        ),
        "half": (lambda G: variation()(G) / 2, "half of it"),
        "one mean": (one_mean, "one mean over both directions"),
        "root": (lambda G: variation()(G) ** 0.5, "square root"),
        "roots": (variation(mean=lambda squares: tf.reduce_mean(squares) ** 0.5), "square root"),
        "two apart": (
            lambda G: tf.reduce_mean((G[:, 2:] - G[:, :-2]) ** 2) + tf.reduce_mean((G[:, :, 2:] - G[:, :, :-2]) ** 2),
            "neighbours are one apart",
        ),
        "channels": (
            lambda G: (
                tf.reduce_mean((G[:, :, 1:] - G[:, :, :-1]) ** 2) + tf.reduce_mean((G[..., 1:] - G[..., :-1]) ** 2)
            ),
            "axis 3 is colour",
        ),
        "difference of the two": (variation(add=lambda down, across: down - across), "are subtracted"),
        "never 0": (lambda G: variation()(G) + 1, "one colour everywhere costs 1. It must cost 0"),
        "wrong axis": (variation(mean=lambda d: tf.reduce_mean(d, axis=(1, 2))), "3 numbers"),
    },
    "in_ours": {
        "4 missing in alpha": (translated(of_content=lambda n, c: n * c), "alpha: the 4 of 4 n c is missing"),
        "factor alone": (translated(of_content=lambda n, c: 1), "content_factor alone is not alpha"),
        "divided": (translated(of_content=lambda n, c: 1 / (4 * n * c)), "alpha: divided by 4 n c"),
        "style's scale for content": (translated(of_content=lambda n, c: 4 * c**2 * n**2), "which is for style"),
        "factors swapped": (changed(lambda content, style: (style, content)), "alpha takes content_factor"),
        "n and c swapped in content": (changed(lambda content, style: (turned(content), style)), "alpha: n and c"),
        "conv4_1 for content": (translated(content_layer="conv4_1"), "n and c of conv4_1"),
        "conv5_1 for content": (translated(content_layer="conv5_1"), "n and c of conv5_1"),
        "4 missing in style": (translated(of_style=lambda n, c: c**2 * n**2), "the 4 of 4 c^2 n^2 is missing"),
        "n not squared": (translated(of_style=lambda n, c: 4 * c**2 * n), "n is not squared"),
        "c not squared": (translated(of_style=lambda n, c: 4 * c * n**2), "c is not squared"),
        "nothing squared": (translated(of_style=lambda n, c: 4 * c * n), "neither n nor c"),
        "n missing": (translated(of_style=lambda n, c: 4 * c**2), "n is missing"),
        "style factor alone": (translated(of_style=lambda n, c: 1), "style_factor alone"),
        "style divided": (translated(of_style=lambda n, c: 1 / (4 * c**2 * n**2)), "divided by 4 c^2 n^2"),
        "content's factor for style": (changed(lambda content, style: (content, content)), "takes style_factor"),
        "n and c swapped in style": (
            changed(lambda content, style: (content, turned(style))),
            "beta lambda: n and c are swapped",
        ),
        "one size for all": (translated(style_layer=lambda layer: "conv4_2"), "n and c of conv4_2 at every layer"),
        "a further fifth": (translated(of_style=lambda n, c: 0.8 * c**2 * n**2), "a further fifth"),
        "every layer": (translated(layers=list), "conv4_2 is no style layer"),
        "a layer missing": (translated(layers=lambda sizes: ALL_STYLE[1:]), "beta lambda has no conv1_1"),
        "other order": (lambda *a: translated()(*a)[::-1], "alpha first"),
        "one weight": (lambda *a: (translated()(*a)[0], 1.0), "every layer has its own"),
        "alpha alone": (lambda *a: translated()(*a)[0], "return two things"),
        "something else": (
            translated(of_content=lambda n, c: 77),
            "alpha: 5852 at conv4_2 (n = 6, c = 7, content_factor(n, c) = 76), where 12768 is right",
        ),
        "divided by the 4": (translated(of_content=lambda n, c: n * c / 4), "alpha: the 4 divides"),
        "style divided by the 4": (translated(of_style=lambda n, c: c**2 * n**2 / 4), "beta lambda: the 4 divides"),
        "sizes popped": (using_up(lambda sizes: sizes.pop("conv4_2")), "it changes `sizes`"),
        "sizes emptied": (using_up(dict.clear), "it changes `sizes`"),
        "sizes of numpy": (
            using_up(lambda sizes: sizes.update(conv1_1=np.array(sizes["conv1_1"]))),
            "it changes `sizes`",
        ),
        "sizes overwritten": (using_up(lambda sizes: sizes.update(conv1_1=1)), "it changes `sizes`"),
        "two dicts": (lambda *a: (translated()(*a)[1],) * 2, "alpha is one number"),
        "None": (lambda *a: (None, translated()(*a)[1]), "there is a NoneType, not a number"),
        "a tuple": (lambda *a: ((translated()(*a)[0],), translated()(*a)[1]), "there is a tuple, not a number"),
        "two in a tuple": (lambda *a: ((1, [4, 2, 3]), translated()(*a)[1]), "there is a tuple, not a number"),
        "weights in words": (
            lambda *a: (translated()(*a)[0], {n: str(w) for n, w in translated()(*a)[1].items()}),
            "there is a str, not a number",
        ),
        "a string": (lambda *a: ("10", translated()(*a)[1]), "content_factor(n, c) = 76) there is a str, not a number"),
        "a function": (
            lambda *a: (a[0], translated()(*a)[1]),
            "content_factor(n, c) = 76) there is a function, not a number",
        ),
        "no return": (lambda *a: None, "`return`"),
        "stops": (lambda content_factor, style_factor, sizes: content_factor(sizes), "are functions of n and c"),
    },
}
