"""J of a picture, in two pieces: sums over the network's activations, and J of those sums.

At each style layer the sums are over positions: how many there are, and the first and second moments of the
activations there about a centre. Means, covariances and Gram matrices follow from them, and so does J; sums
over parts of a picture add up to those over the whole.
"""

import numpy as np

import nst_utils as nst
from nst_utils import tf

MARGIN = 0.02  # of black and white


def sums(vgg, G, target):
    """The sums over the activations of G, from which `costs` makes J.

    target: {"content": {layer: a_C}, "style": {layer: {"centre": (n_C,), ...}}}.
    Returns {"content": (count, squared difference from a_C), "limits": (count, squared excess), layer: (count,
    first, second)}: numbers of entries or positions; by how far values of G are nearer to black or white than
    MARGIN, in its unit; first (n_C,) and second (n_C, n_C) moments about the centre, as sums.
    """
    a_G = vgg(G)
    ((name, a_C),) = target["content"].items()
    difference = tf.cast(a_C, tf.float32) - tf.cast(a_G[name], tf.float32)
    found = {"content": (tf.cast(tf.size(difference), tf.float32), tf.reduce_sum(tf.square(difference)))}
    excess = (tf.nn.relu(MARGIN - G) + tf.nn.relu(G - (1 - MARGIN))) / MARGIN
    found["limits"] = tf.cast(tf.size(G), tf.float32), tf.reduce_sum(tf.square(excess))
    for name, style in target["style"].items():
        columns = _positions_by_channels(a_G[name]) - style["centre"]
        found[name] = _count(columns), tf.reduce_sum(columns, 0), nst.self_product(columns)
    return found


def _positions_by_channels(a):
    return tf.reshape(tf.cast(a, tf.float32), (-1, a.shape[-1]))


def _count(columns):
    return tf.cast(tf.shape(columns)[0], tf.float32)


def costs(found, target, weights):
    """(J, J_content, J_style) of sums. weights: {"alpha", "beta", "limits"}; target: as for `sums`, see `style_target`.

    J_style_layer = lambda (mean (target - second/count)^2 + share mean (first/count)^2) / 4: with centre 0 and
    share 0 the course's (Gatys et al. 2016, eq. 4); about S's mean, a comparison of covariances and means.
    """
    count, squares = found["content"]
    J_content = squares / (4 * count)
    J_style = tf.zeros(())
    for name, style in target["style"].items():
        count, first, second = found[name]
        of_second = tf.reduce_mean(tf.square(style["second"] - second / count))
        of_first = tf.reduce_mean(tf.square(first / count))
        J_style += style["lambda"] * (of_second + style["share"] * of_first) / 4
    count, excess = found["limits"]
    J = weights["alpha"] * J_content + weights["beta"] * J_style + weights["limits"] * excess / count
    return J, J_content, J_style


def _moments(vgg, S):
    """{layer: (mean (n_C,), covariance (n_C, n_C))} of the activations of S."""
    found = {}
    for name, a in vgg(S).items():
        columns = _positions_by_channels(a)
        mean = tf.reduce_mean(columns, 0)
        found[name] = mean, nst.self_product(columns - mean) / _count(columns)
    return found


def _activations(vgg, C):
    return dict(vgg(C))


def _costs_of(vgg, G, target, weights):
    return costs(sums(vgg, G, target), target, weights)


def _value_and_gradient(vgg, G, target, weights):
    with tf.GradientTape() as tape:
        tape.watch(G)
        J = _costs_of(vgg, G, target, weights)[0]
    return J, tape.gradient(J, G)


def style_target(mean, covariance, statistics):
    """What a style layer is compared with: {"centre", "second", "share"}, in float32.

    "gram": the second moment about 0, which is the Gram matrix per position (Gatys et al. 2016, eq. 3).
    "covariance": the second moment about the mean of S, and that mean; `share` puts it in the unit of the other.
    """
    mean, covariance = np.float64(mean), np.float64(covariance)
    about_0 = covariance + np.outer(mean, mean)
    if statistics == "gram":
        return {"centre": np.float32(0 * mean), "second": np.float32(about_0), "share": 0.0}
    share = max(np.mean(covariance**2), FLOOR * np.mean(about_0**2)) / max(np.mean(mean**2), TINY)
    return {"centre": np.float32(mean), "second": np.float32(covariance), "share": float(share)}


def unit(target):
    """The mean square that a style layer's cost is counted in, so that 1 is as wrong as seeing nothing."""
    about_0 = np.float64(target["second"]) + np.outer(target["centre"], target["centre"])
    return max(np.mean(np.square(target["second"], dtype=np.float64)), FLOOR * np.mean(about_0**2))


FLOOR = 1e-4  # of the second moment about 0: a flat S has no covariance to count in
TINY = 1e-30


class Objective:
    """J of a picture for one C and one S, whose targets are computed once; its graphs belong to the network.

    vgg: from `nst.load_vgg19`. settings: `Settings`. alike: an Objective of the same pictures and another
    precision, whose weights are taken over.
    """

    def __init__(self, vgg, C, S, settings, alike=None):
        manner, self.vgg = settings.manner, vgg
        a_C, moments = vgg.traced(_activations, C)[manner.content_layer], vgg.traced(_moments, S)
        style = {name: style_target(*moments[name], settings.statistics) for name in settings.layers}
        self.weights = alike.weights if alike else settings.weights or _balanced(a_C, style, settings, C.shape[1:3])
        for name, target in style.items():
            target["lambda"] = self.weights.style_layers[name]
        self.target = {"content": {manner.content_layer: a_C}, "style": style}
        self._numbers = {"alpha": self.weights.alpha, "beta": self.weights.beta, "limits": manner.limits}

    def __call__(self, G):
        """(J, J_content, J_style) of G, of C's size: three scalars."""
        return self.vgg.traced(_costs_of, G, self.target, self._numbers)

    def value_and_gradient(self, G):
        """(J, dJ/dG) of G, of C's size."""
        return self.vgg.traced(_value_and_gradient, G, self.target, self._numbers)


def _balanced(a_C, style, settings, size):
    """`nst.balanced_weights`, its lambdas in the shares of the settings."""
    beta = settings.manner.beta_at(*size) if settings.beta is None else settings.beta
    weights = nst.balanced_weights(a_C, {name: np.sqrt(unit(target)) for name, target in style.items()}, beta)
    of_all = len(style) / sum(settings.layers.values())
    lambdas = {name: value * settings.layers[name] * of_all for name, value in weights.style_layers.items()}
    return nst.CostWeights(weights.alpha, beta, lambdas)
