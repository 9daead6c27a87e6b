"""Whose colours a picture has: the style in the content's colours before a run, or the result after it.

Two ways of Gatys, Bethge, Hertzmann and Shechtman, "Preserving Color in Neural Artistic Style Transfer"
(arXiv:1606.05897): a linear change of the style's colours (section 5), and a transfer of brightness alone
(section 4). Both work on RGB as stored, without linear light, as the network does.
"""

import numpy as np

from nst_support.pictures import check_image
from nst_utils import tf
from studio.levels import by_rows, floats

LUMA = np.array([0.299, 0.587, 0.114])  # Y of YIQ and YCbCr (ITU-R BT.601)
LEAST_SPREAD = 2 / 255  # of colours in any direction: below two levels of 8 bits it is rounding and JPEG's noise


def recoloured(S, C, weights_S=None, weights_C=None):
    """S with C's mean and covariance of colours, clipped to [0, 1]: see `colour_map`. Of S's size.

    S, C: images (1, n_H, n_W, 3) of any two sizes. weights_S, weights_C: (n_H, n_W) of that image, 0 or more, how
    much a pixel counts: a mask, or the opacity of a picture that is transparent in places. None: all alike.
    The change is made to every pixel of S, counted or not.
    Raises ValueError for what is no image, and for weights of another size, negative ones or nothing but 0.
    """
    S, C = check_image("S", floats(S)), check_image("C", floats(C))
    A, b = colour_map(S, C, weights_S, weights_C)
    return tf.constant(by_rows(lambda S: np.clip(np.float64(S) @ A.T + b, 0, 1), S))


def colour_map(S, C, weights_S=None, weights_C=None):
    """The A (3, 3) and b (3,), float64, with which A x + b of S's colours has C's mean and covariance.

    A = cov_S^(-1/2) (cov_S^(1/2) cov_C cov_S^(1/2))^(1/2) cov_S^(-1/2), b = mu_C - A mu_S (Pitié and Kokaram, "The
    linear Monge-Kantorovitch linear colour mapping for example-based colour transfer", CVMP 2007). Gatys et al.
    allow any A with A cov_S A^T = cov_C and take cov_C^(1/2) cov_S^(-1/2). This one is the A that changes the
    colours least in the mean square, and it is symmetric and positive, so it turns no colour into its opposite. On
    the pictures in images/ the two differ little: brightness correlates with S's at 0.93 to 1 here, at 0.89 to 1 there.

    A spread of S below `LEAST_SPREAD` in a direction counts as that much, so that rounding is not blown up into noise;
    the covariance then falls short of C's in that direction.
    For a grey S the result, a line of colours, has the variance of C's colours along the grey axis, and beside it the
    tint that C has on average at that brightness. A flat S becomes C's mean colour; so does every S for a flat C, and
    for a grey C it becomes grey. In all cases the mean is C's.
    """
    (mu_S, cov_S), (mu_C, cov_C) = _moments("S", S, weights_S), _moments("C", C, weights_C)
    root, inverse = _power(cov_S, 0.5, LEAST_SPREAD**2), _power(cov_S, -0.5, LEAST_SPREAD**2)
    A = inverse @ _power(root @ cov_C @ root, 0.5) @ inverse
    return A, mu_C - A @ mu_S


def _moments(name, image, weights):
    """Mean (3,) and covariance (3, 3) of an image's colours, in float64."""
    size = tuple(image.shape[-3:-1])
    weights = np.ones(size) if weights is None else np.float64(weights)
    if weights.shape != size:
        raise ValueError(f"weights_{name} of shape {weights.shape}: one number per pixel of {name}, so {size}.")
    if not (np.isfinite(weights).all() and weights.min() >= 0 and weights.any()):
        raise ValueError(f"weights_{name}: numbers of 0 or more, and not all of them 0: no pixel would count.")
    colours, weights = np.float64(image).reshape(-1, 3), weights.reshape(-1, 1) / weights.sum()
    mean = (weights * colours).sum(0)
    return mean, (weights * (colours - mean)).T @ (colours - mean)


def _power(M, exponent, least=0.0):
    """M^exponent of a symmetric matrix whose eigenvalues count as `least` where they are below it."""
    eigenvalues, vectors = np.linalg.eigh(M)
    return (vectors * np.maximum(eigenvalues, least) ** exponent) @ vectors.T


def with_colours_of(G, C):
    """G's brightness with C's colours: an image of their size, in [0, 1].

    G, C: images (1, n_H, n_W, 3) of one size. The luma Y = 0.299 R + 0.587 G + 0.114 B is G's and the chroma, which
    is the difference of R, G and B from Y, is C's (arXiv:1606.05897, section 4, in YIQ). Where a colour would leave
    [0, 1], its chroma is made smaller in one piece: paler, but of the same hue and luma.
    Raises ValueError for what is no image, and for two sizes.
    """
    G, C = (check_image(name, floats(image)) for name, image in (("G", G), ("C", C)))
    if G.shape != C.shape:
        sizes = " and ".join(f"{name} {image.shape[2]}x{image.shape[1]} px" for name, image in (("G", G), ("C", C)))
        raise ValueError(f"{sizes}: not of one size. Load them equally large.")
    return tf.constant(by_rows(_with_colours_of, G, C))


def _with_colours_of(G, C):
    Y, chroma = _luma(G), C - _luma(C)
    room = np.maximum(np.where(chroma > 0, 1 - Y, Y), 0)
    fits = (room / np.maximum(np.abs(chroma), np.finfo(np.float32).tiny)).min(-1, keepdims=True)
    return np.clip(Y + np.minimum(fits, 1) * chroma, 0, 1)


def _luma(image):
    return (image @ np.float32(LUMA))[..., None]
