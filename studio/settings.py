"""Every choice that shapes a picture, in one frozen dataclass, validated when made."""

import dataclasses
import numbers
from dataclasses import dataclass

import numpy as np

import nst_utils as nst


@dataclass(frozen=True)
class Manner:
    """What goes with a kind of statistics where nothing else is asked for."""

    beta: float  # up to 400 px on the longer side
    growth: float  # of beta with size beyond: where it stays the same, the style fades
    content_layer: str
    style_layers: dict
    padding: str  # of the convolutions: "zero", or "mirror", with which nothing draws a frame
    limits: float  # weight of a soft wall before black and white
    seeded: bool  # does a start from C get noise where C is flat?
    held: bool  # are fine lines along the axes held back to the style's own?

    def beta_at(self, n_H, n_W):
        """The strength of the style for a picture of that size."""
        return self.beta * max(1.0, max(n_H, n_W) / 400) ** self.growth


SHALLOW = {"conv1_1": 0.3, "conv2_1": 0.25, "conv3_1": 0.2, "conv4_1": 0.15, "conv5_1": 0.1}
MANNERS = {  # the engine's own, by score and by eye; and the course's
    "covariance": Manner(18.0, 0.8, "conv4_1", SHALLOW, "mirror", limits=0.02, seeded=True, held=True),
    "gram": Manner(100.0, 0.0, nst.CONTENT_LAYER, nst.STYLE_LAYERS, "zero", limits=0.0, seeded=False, held=False),
}
CHOICES = {
    "statistics": tuple(MANNERS),
    "start": ("content", "noise", "course", "course-2017"),
    "precision": ("auto", "float32", "bfloat16"),
    "optimizer": ("auto", "lbfgs", "adam"),
}
RANGES = {  # what a number may be: float32 holds J and its gradient well above the largest beta
    "beta": (numbers.Real, 0, 1e9),
    "style_scale": (numbers.Real, 0.1, 10),
    "seed": (numbers.Integral, 0, 2**63),
    "every": (numbers.Integral, 1, 10**9),
}


def setting(default, text):
    """A field of `Settings` with its help beside it."""
    return dataclasses.field(default=default, metadata={"help": text})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a picture is stylised. Raises ValueError, naming the field, for a value that makes no sense."""

    evaluations: int | tuple | None = setting(
        None, "of J and its gradient: one number, or one per size, coarse to fine"
    )
    beta: float | None = setting(None, "strength of the style, with balanced weights")
    weights: nst.CostWeights | None = setting(None, "alpha, beta and lambdas instead of balanced ones")
    statistics: str = setting("covariance", "what is compared of the style: its mean and covariance, or Gram matrices")
    style_scale: float = setting(
        1.0, "S's long side as a multiple of C's: above 1 larger strokes, if S is large enough"
    )
    start: str = setting("content", "the first picture")
    seed: int = setting(0, "of the noise in the first picture")
    every: int = setting(10, "evaluations between two records")
    precision: str = setting("auto", "of the convolutions")
    optimizer: str = setting("auto", "lbfgs, adam, or what fits the picture's size")

    def __post_init__(self):
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name} {getattr(self, name)!r}: not known. Choose one of {', '.join(known)}.")
        for name, (kind, low, high) in RANGES.items():
            value = getattr(self, name)
            if value is not None and not (_is_number(value, kind) and low <= value <= high):
                what = "a whole number" if kind is numbers.Integral else "a number"
                raise ValueError(f"{name} = {value!r}: {what} from {low:g} to {high:g}.")
        counts = self.evaluations
        if counts is not None and not np.isscalar(counts):
            object.__setattr__(self, "evaluations", tuple(counts))
        each = (counts,) if np.isscalar(counts) else tuple(counts or ())
        if counts is not None and not (each and all(_is_number(n, numbers.Integral) and n >= 1 for n in each)):
            raise ValueError(f"evaluations = {counts!r}: a whole number, 1 or more, or one for each size.")
        if self.weights is not None and not isinstance(self.weights, nst.CostWeights):
            raise ValueError(f"weights = {self.weights!r}: they are nst.CostWeights(alpha, beta, style_layers).")
        if self.weights is not None and self.beta is not None:
            raise ValueError("beta beside weights: CostWeights holds a beta of its own. Give one of the two.")

    @property
    def manner(self):
        return MANNERS[self.statistics]

    @property
    def layers(self):
        """{style layer: its share}, or its lambda where `weights` are given."""
        return self.manner.style_layers if self.weights is None else self.weights.style_layers

    def changed(self, **changes):
        """These settings with some fields changed. Raises TypeError for a name that is no field's."""
        known = [field.name for field in dataclasses.fields(self)]
        for name in changes:
            if name not in known:
                raise TypeError(f"{name}: no such setting. They are {', '.join(known)}.")
        return dataclasses.replace(self, **changes)


def _is_number(value, kind):
    return isinstance(value, kind) and not isinstance(value, bool)
