"""Right ways to write the functions of lesson 3, and what goes wrong in them."""

import numpy as np
import tensorflow as tf
from lesson2_cases import ALL, ALL_STYLE, RELATIVE_MISTAKES, gram, looped_relative, per_position, relative

# ------------------------------------------------------------------------------------ the yardstick


def in_float32(error):
    return lambda t, v: error(tf.cast(t, tf.float32), tf.cast(v, tf.float32))


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


def turned(factor):
    return lambda n, c: factor(c, n)


RIGHT = {
    "relative_error": {
        "course": in_float32(relative),
        "norms": in_float32(lambda t, v: (tf.norm(t - v) / tf.norm(t)) ** 2),
        "numpy": lambda t, v: (
            np.mean(np.square(np.float32(t) - np.float32(v))) / np.mean(np.square(np.asarray(t, np.float32)))
        ),
    },
    "errors_seen_by": {
        "course": yardstick(),
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
    "in_ours": {"course": translated(), "division": translated_by_division},
}

MISTAKES = {
    "relative_error": {
        **{
            what: (in_float32(error), words)
            for what, (error, words) in RELATIVE_MISTAKES.items()
            if what != "no return"
        },
        "not cast": (relative, "cast both to float32 first"),
        "no return": (lambda t, v: None, "`return`"),
    },
    "errors_seen_by": {
        "content of S": (yardstick(lambda c, s, g: relative(s[:, : g.shape[1]], g)), "the content is that of C"),
        "Gram matrices of C for content": (yardstick(lambda c, s, g: relative(gram(c), gram(g))), "content compares"),
        "content swapped": (yardstick(lambda c, s, g: relative(g, c)), "content: target and value are swapped"),
        "content not divided": (yardstick(lambda c, s, g: bare_sum(c, g)), "content: this is the bare sum"),
        "content by channel": (yardstick(lambda c, s, g: tf.reduce_sum((c - g) ** 2, (0, 1, 2))), "3 numbers"),
        "content always 0": (yardstick(lambda c, s, g: 0.0 * relative(c, g)), "content: 0 at conv1_1, where"),
        "style of C": (
            yardstick(of_style=lambda c, s, g: relative(per_position(c), per_position(g))),
            "the style is that of S",
        ),
        "activations": (
            yardstick(of_style=lambda c, s, g: relative(s[:, : g.shape[1]], g)),
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
        "no return in errors": (yardstick(returned=lambda content, style: None), "its errors returns nothing"),
        "two arguments": (lambda vgg, C: None, "Its arguments are vgg, C=C and S=S"),
    },
    "total_variation": {
        "only down": (variation(add=lambda down, across: down), "it looks down only"),
        "only across": (variation(add=lambda down, across: across), "it looks across only"),
        "not squared": (variation(lambda d: d), "not squared"),
        "absolute values": (variation(tf.abs), "not squared"),
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
            "alpha: 5852 at conv4_2, where 12768 is right",
        ),
        "a string": (lambda *a: ("10", translated()(*a)[1]), "alpha: 10 at conv4_2"),
        "a function": (lambda *a: (a[0], translated()(*a)[1]), "conv4_2 there is a function, not a number"),
        "no return": (lambda *a: None, "`return`"),
        "stops": (lambda content_factor, style_factor, sizes: content_factor(sizes), "are functions of n and c"),
    },
}
