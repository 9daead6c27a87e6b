"""J of a picture, in two pieces: sums over the network's activations, and J of those sums.

At each style layer the sums are over positions: how many there are, and the first and second moments of the
activations there about a centre. Means, covariances and Gram matrices follow from them, and so does J; sums
over parts of a picture add up to those over the whole. A mask weighs the positions of a region.
"""

import functools

import numpy as np

import nst_utils as nst
from nst_utils import tf
from studio.levels import floats
from studio.regions import Region, at_layers

MARGIN = 0.02  # of black and white


def sums(vgg, G, target):
    """The sums over the activations of G, from which `costs` makes J.

    target: {"content": {layer: a_C}, "style": [{"layers": {layer: {"centre": (n_C,), ...}}, "mask": {layer:
    (1, ., ., 1)}, "area"} for each region]}, "mask" being empty where a region is the whole picture.
    Returns {"content": (count, squared difference from a_C), "limits": (count, squared excess), "variation": (count,
    squares) down and across, "style": [{layer: (count, first, second)} for each region]}: numbers of entries or
    positions; by how far values of G are nearer to black or white than MARGIN, in its unit; first (n_C,) and second
    (n_C, n_C) moments about the centre, as sums.
    """
    return sums_of_activations(vgg(G), target) | {"limits": beyond_limits(G), "variation": (*down(G), *across(G))}


def beyond_limits(G):
    """(count, squares) of by how far values are nearer to black or white than MARGIN."""
    return _squares((tf.nn.relu(MARGIN - G) + tf.nn.relu(G - (1 - MARGIN))) / MARGIN)


def down(G):
    """(count, squares) of the differences of neighbours down; `across`: across."""
    return _squares(G[:, 1:] - G[:, :-1])


def across(G):
    return _squares(G[:, :, 1:] - G[:, :, :-1])


def sums_of_activations(a_G, target):
    """The part of `sums` that the network sees, at the positions of a_G, {layer: activations}, and of the target."""
    ((name, a_C),) = target["content"].items()
    return {
        "content": _squares(tf.cast(a_C, tf.float32) - tf.cast(a_G[name], tf.float32)),
        "style": [
            {
                name: _moments_about(style["centre"], a_G[name], region["mask"].get(name))
                for name, style in region["layers"].items()
            }
            for region in target["style"]
        ],
    }


def _squares(values):
    return tf.cast(tf.size(values), tf.float32), tf.reduce_sum(tf.square(values))


def _moments_about(centre, a, mask):
    """(count, first, second) over the positions of a, each as often as the mask says."""
    columns = tf.reshape(tf.cast(a, tf.float32), (-1, a.shape[-1])) - centre
    if mask is None:
        return tf.cast(tf.shape(columns)[0], tf.float32), tf.reduce_sum(columns, 0), nst.self_product(columns)
    weights = tf.reshape(mask, (-1, 1))
    return tf.reduce_sum(weights), tf.reduce_sum(weights * columns, 0), nst.self_product(tf.sqrt(weights) * columns)


def costs(found, target, weights):
    """(J, J_content, J_style) of sums. weights: {"alpha", "beta", "limits", "variation"}; target: as for `sums`.

    J_style is the sum over regions of their area, as a share of the picture, times their own style cost;
    J_style_layer = lambda (mean (target - second/count)^2 + share mean (first/count)^2) / 4: with centre 0 and
    share 0 the course's (Gatys et al. 2016, eq. 4); about S's mean, a comparison of covariances and means.
    """
    count, squares = found["content"]
    J_content = squares / (4 * count)
    J_style = tf.zeros(())
    for region, moments in zip(target["style"], found["style"], strict=True):
        for name, style in region["layers"].items():
            count, first, second = moments[name]
            of_second = tf.reduce_mean(tf.square(style["second"] - second / count))
            of_first = tf.reduce_mean(tf.square(first / count))
            J_style += region["area"] * style["lambda"] * (of_second + style["share"] * of_first) / 4
    count, excess = found["limits"]
    J = weights["alpha"] * J_content + weights["beta"] * J_style + weights["limits"] * excess / count
    return J + weights["variation"] * total_variation(found), J_content, J_style


def total_variation(found):
    """Total variation from sums: the mean squared difference of neighbours, down and across together."""
    of_down, down, of_across, across = found["variation"]
    return down / of_down + across / of_across


def _moments(vgg, S, masks):
    return moments(vgg(S), masks)


def moments(activations, masks):
    """{layer: (mean (n_C,), covariance (n_C, n_C), count)} of activations; masks: {layer: mask}, or {}.

    Of no positions they are 0.
    """
    found = {}
    for name, a in activations.items():
        count, first, _ = _moments_about(tf.zeros(a.shape[-1]), a, masks.get(name))
        mean = tf.math.divide_no_nan(first, count)
        found[name] = mean, tf.math.divide_no_nan(_moments_about(mean, a, masks.get(name))[2], count), count
    return found


@functools.cache  # one function, and so one graph, for each layer
def _activations_at(layer):
    return lambda vgg, C: vgg(C)[layer]


def _costs_of(vgg, G, target, weights):
    return costs(sums(vgg, G, target), target, weights)


def _value_and_gradient(vgg, G, target, weights):
    with tf.GradientTape() as tape:
        tape.watch(G)
        J = _costs_of(vgg, G, target, weights)[0]
    return J, tape.gradient(J, G)


def mixed(moments, shares, statistics):
    """(mean, covariance) of several styles together, in float64.

    moments: (mean, covariance) of each; shares: summing to 1. "covariance": the shares' means of both, so that what
    tells the styles apart, their mean colours above all, is not asked for as variation within the picture. "gram":
    of the mean Gram matrix (the J_style of which differs by a constant from the shares' mean of the J_styles).
    """
    mean = sum(share * np.float64(m) for share, (m, _) in zip(shares, moments, strict=True))
    covariance = sum(share * np.float64(c) for share, (_, c) in zip(shares, moments, strict=True))
    if statistics == "gram":
        about_0 = sum(share * np.outer(np.float64(m), m) for share, (m, _) in zip(shares, moments, strict=True))
        covariance = covariance + about_0 - np.outer(mean, mean)
    return mean, covariance


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
    """J of a picture for one C and its style, whose targets are computed once; its graphs belong to the network.

    vgg: from `nst.load_vgg19`. style: S, or a list of `Region`s. settings: `Settings`. alike: an Objective of the
    same pictures and another precision, whose weights are taken over.
    """

    def __init__(self, vgg, C, style, settings, alike=None):
        self.vgg, manner = vgg, settings.manner
        regions = style if isinstance(style, list) else [Region((style,))]
        a_C = self._activations(C, settings.content)
        targets = [self._targets(region, settings) for region in regions]
        beta = settings.beta_at(*C.shape[1:3])
        self.each = alike.each if alike else [settings.weights or _balanced(a_C, t, settings, beta) for t in targets]
        self.weights = self.each[0]  # alpha, beta; the lambdas of the first region
        self.target = {
            "content": {settings.content: a_C},
            "style": [
                _of_region(region, layers, weights.style_layers)
                for region, layers, weights in zip(regions, targets, self.each, strict=True)
            ],
        }
        self._numbers = {"alpha": self.weights.alpha, "beta": self.weights.beta, "limits": manner.limits}
        self._numbers["variation"] = settings.tv_weight / max(self._variation(C), TINY) if settings.tv_weight else 0.0

    def _targets(self, region, settings):
        """{layer: what the region is compared with there}."""
        kind, found = settings.statistics, []
        for S, mask in zip(region.images, region.style_masks, strict=True):
            found.append(self._moments(S, {} if mask is None else at_layers(mask, self.vgg.output)))
        return {
            name: style_target(*mixed([m[name][:2] for m in found], region.shares, kind), kind)
            for name in settings.layers
        }

    def _activations(self, C, layer):
        return self.vgg.traced(_activations_at(layer), floats(C))

    def _moments(self, S, masks):
        return self.vgg.traced(_moments, floats(S), masks)

    def _variation(self, C):
        return variation(floats(C))

    def __call__(self, G):
        """(J, J_content, J_style) of G, of C's size: three scalars."""
        return self.vgg.traced(_costs_of, G, self.target, self._numbers)

    def value_and_gradient(self, G):
        """(J, dJ/dG) of G, of C's size."""
        return self.vgg.traced(_value_and_gradient, G, self.target, self._numbers)


def _of_region(region, layers, lambdas):
    """What `sums` and `costs` need of a region; layers at which nothing of it is left are left out."""
    layers = {name: target | {"lambda": lambdas[name]} for name, target in layers.items()}
    if region.mask is None:
        return {"layers": layers, "mask": {}, "area": 1.0}
    masks = {name: mask for name, mask in at_layers(region.mask, layers).items() if float(tf.reduce_sum(mask)) > 0}
    return {
        "layers": {name: layers[name] for name in masks},
        "mask": masks,
        "area": float(tf.reduce_mean(region.mask)),
    }


def variation(image):
    """`total_variation` of an image."""
    return float(total_variation({"variation": (*down(image), *across(image))}))


def _mean_square(a):
    """In float64, a row at a time: a may be as large as fits into memory."""
    rows = np.asarray(a)[0]
    return sum(float(np.sum(np.float64(row) ** 2)) for row in rows) / rows.size


def _balanced(a_C, targets, settings, beta):
    """`nst.balanced_weights`, its lambdas in the shares of the settings."""
    content = tf.constant(np.sqrt(_mean_square(a_C)), tf.float32)  # of which balanced_weights takes the mean square
    weights = nst.balanced_weights(content, {name: np.sqrt(unit(target)) for name, target in targets.items()}, beta)
    of_all = len(targets) / sum(settings.layers.values())
    lambdas = {name: value * settings.layers[name] * of_all for name, value in weights.style_layers.items()}
    return nst.CostWeights(weights.alpha, beta, lambdas)
