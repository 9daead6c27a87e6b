"""Every choice that shapes a picture, in one frozen dataclass, validated when made."""

import dataclasses
import numbers
from dataclasses import dataclass

import numpy as np

import nst_utils as nst

BETA = {"covariance": 12.0, "gram": 100.0}  # the strength of the style by default, for each kind of statistics
CHOICES = {
    "statistics": tuple(BETA),
    "start": ("content", "noise", "course", "course-2017"),
    "precision": ("auto", "float32", "bfloat16"),
    "optimizer": ("auto", "lbfgs", "adam"),
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
    start: str = setting("content", "the first picture")
    seed: int = setting(0, "of the noise in the first picture")
    every: int = setting(10, "evaluations between two records")
    precision: str = setting("auto", "of the convolutions")
    optimizer: str = setting("auto", "lbfgs, adam, or what fits the picture's size")

    def __post_init__(self):
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name} {getattr(self, name)!r}: not known. Choose one of {', '.join(known)}.")
        counts = self.evaluations
        if counts is not None and not np.isscalar(counts):
            object.__setattr__(self, "evaluations", tuple(counts))
        each = (counts,) if np.isscalar(counts) else tuple(counts or ())
        if counts is not None and not (each and all(_is_count(n) for n in each)):
            raise ValueError(f"evaluations = {counts!r}: a whole number, 1 or more, or one for each size.")
        if not _is_count(self.every):
            raise ValueError(f"every = {self.every!r}: at least one evaluation lies between two records.")
        if not isinstance(self.seed, numbers.Integral) or self.seed < 0:
            raise ValueError(f"seed = {self.seed!r}: a whole number, 0 or more.")
        if self.beta is not None and not (isinstance(self.beta, numbers.Real) and 0 <= self.beta <= MOST):
            raise ValueError(f"beta = {self.beta!r}: the strength of the style is a number from 0 to {MOST:g}.")
        if self.weights is not None and not isinstance(self.weights, nst.CostWeights):
            raise ValueError(f"weights = {self.weights!r}: they are nst.CostWeights(alpha, beta, style_layers).")
        if self.weights is not None and self.beta is not None:
            raise ValueError("beta beside weights: CostWeights holds a beta of its own. Give one of the two.")

    def changed(self, **changes):
        """These settings with some fields changed. Raises TypeError for a name that is no field's."""
        known = [field.name for field in dataclasses.fields(self)]
        for name in changes:
            if name not in known:
                raise TypeError(f"{name}: no such setting. They are {', '.join(known)}.")
        return dataclasses.replace(self, **changes)


MOST = 1e9  # of beta: float32 holds J and its gradient well above it


def _is_count(n):
    return isinstance(n, numbers.Integral) and not isinstance(n, bool) and n >= 1
