"""Every choice that shapes a picture, in one frozen dataclass of plain values, validated when made.

Nothing here loads TensorFlow: a bad choice is refused before that.
"""

import dataclasses
import numbers
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nst_support.layers import check_layers
from studio.strength import factor


@dataclass(frozen=True)
class Manner:
    """What goes with a kind of statistics where nothing else is asked for."""

    beta: float  # up to 400 px on the longer side
    growth: float  # of beta with size beyond: where it stays the same, the style fades
    content_layer: str
    style_layers: dict  # {layer: share of J_style}
    padding: str  # of the convolutions: "zero", or "mirror", with which nothing draws a frame
    limits: float  # weight of a soft wall before black and white
    seeded: bool  # does a start from C get noise where C is flat?
    held: bool  # are fine lines along the axes held back to the style's own?


SHALLOW = {"conv1_1": 0.3, "conv2_1": 0.25, "conv3_1": 0.2, "conv4_1": 0.15, "conv5_1": 0.1}
EVEN = dict.fromkeys(SHALLOW, 0.2)
MANNERS = {  # the engine's own, by score and by eye; and the course's
    "covariance": Manner(18.0, 0.8, "conv4_1", SHALLOW, "mirror", limits=0.02, seeded=True, held=True),
    "gram": Manner(100.0, 0.0, "conv4_2", EVEN, "zero", limits=0.0, seeded=False, held=False),
}
CHOICES = {
    "statistics": tuple(MANNERS),
    "start": ("content", "noise", "course", "course-2017"),
    "precision": ("auto", "float32", "bfloat16"),
    "optimizer": ("auto", "lbfgs", "adam"),
    "pooling": (None, "average", "max"),
    "preserve_colors": (None, "palette", "brightness"),
}
RANGES = {  # what a number may be: float32 holds J and its gradient well above the largest beta
    "size": (numbers.Integral, 16, 100_000),
    "strength": (numbers.Real, 0, 100),
    "style_scale": (numbers.Real, 0.1, 10),
    "blend_weights": (numbers.Real, 0, 1e6),
    "evaluations": (numbers.Integral, 1, 10**6),
    "beta": (numbers.Real, 0, 1e9),
    "tv_weight": (numbers.Real, 0, 1e6),
    "seed": (numbers.Integral, 0, 2**63),
    "every": (numbers.Integral, 1, 10**9),
    "memory": (numbers.Integral, 1, 2**60),  # bytes
}
SEVERAL = ("style_scale", "blend_weights", "evaluations")  # one number, or one for each style or size


def setting(default, text, group, option=None, metavar=None):
    """A field of `Settings` with what the command line says of it.

    text: one line of help. group: of options. option: its name where it is not the field's.
    """
    return dataclasses.field(
        default=default, metadata={"help": text, "group": group, "option": option, "metavar": metavar}
    )


PICTURE, SEARCH, COSTS = "how it looks", "how it is searched for", "costs and network"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a picture is stylised. Raises ValueError, naming the field, for a value that makes no sense."""

    size: int | None = setting(None, "longer side in px; never enlarged", PICTURE, "-s/--size", "PX")
    strength: float | None = setting(None, "of the style, 0 (the photograph) to 100; the default is 50", PICTURE)
    style_scale: float | tuple = setting(
        1.0, "size of the strokes: the style is looked at so many times as large as the content", PICTURE, metavar="X"
    )
    blend_weights: float | tuple | None = setting(
        None, "how much of each style, such as 3 1", PICTURE, "--style-blend-weights", "W"
    )
    preserve_colors: str | None = setting(
        None,
        "keep the photograph's colours: palette recolours the style first (the default), brightness takes over "
        "no more than the style's light and dark",
        PICTURE,
    )
    evaluations: int | tuple | None = setting(
        None, "one number, or one for each size from coarse to fine; more is finer and slower", SEARCH,
        "-i/--iterations", "N",
    )  # fmt: skip
    start: str = setting("content", "the first picture: a kind, or a picture file to go on from", SEARCH, "--init")
    seed: int = setting(0, "of the noise in the first picture", SEARCH, metavar="N")
    optimizer: str = setting("auto", "auto: lbfgs, and adam where the picture is very large", SEARCH)
    precision: str = setting("auto", "auto: bfloat16 first, where the machine gains by it", SEARCH)
    memory: int | None = setting(None, "at most so much, such as 4GB", SEARCH, metavar="SIZE")
    every: int | None = setting(None, "iterations between two snapshots", SEARCH, "--save-every", "N")
    beta: float | None = setting(None, "weight of the style itself, instead of --strength", COSTS, "--style-weight")
    statistics: str = setting("covariance", "what is compared of the style; gram is the paper's", COSTS)
    content_layer: str | None = setting(None, "of VGG-19, such as conv4_2", COSTS, metavar="LAYER")
    style_layers: dict | None = setting(None, "such as conv1_1 conv3_1=0.5", COSTS, metavar="LAYER[=SHARE]")
    tv_weight: float = setting(0.0, "of the total variation, in the content's own", COSTS, metavar="W")
    pooling: str | None = setting(None, "average, as in the paper, or max", COSTS)
    weights: object = None  # nst_utils.CostWeights instead of balanced ones

    def __post_init__(self):
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                names = ", ".join(filter(None, known))
                raise ValueError(f"{name} {getattr(self, name)!r}: not known. Choose one of {names}.")
        for name in RANGES:
            self._check_number(name)
        self._check_layers()
        self._check_weights()

    def _check_number(self, name):
        value, (kind, low, high) = getattr(self, name), RANGES[name]
        if value is None:
            return
        each = (value,)
        if name in SEVERAL and not np.isscalar(value):
            each = tuple(value)
            object.__setattr__(self, name, each)
        good = [isinstance(n, kind) and not isinstance(n, bool) and low <= n <= high for n in each]
        if not (good and all(good)):
            what = "a whole number" if kind is numbers.Integral else "a number"
            more = ", or several" if name in SEVERAL else ""
            raise ValueError(f"{name} = {value!r}: {what} from {low:,} to {high:,}{more}.")

    def _check_layers(self):
        if self.content_layer is not None:
            check_layers([self.content_layer])
        layers = self.style_layers
        if layers is None:
            return
        if isinstance(layers, str) or not layers:
            raise ValueError(f"style_layers = {layers!r}: names of layers, or their shares by name.")
        layers = dict(layers) if isinstance(layers, Mapping) else dict.fromkeys(layers, 1.0)
        check_layers(layers)
        for name, share in layers.items():
            if not (isinstance(share, numbers.Real) and 0 < share < 1e6):
                raise ValueError(f"style_layers, {name} = {share!r}: a share is a number above 0.")
        object.__setattr__(self, "style_layers", {name: float(share) for name, share in layers.items()})

    def _check_weights(self):
        if self.strength is not None and self.beta is not None:
            raise ValueError("strength beside beta: both say how much style. Give one of the two.")
        if self.blend_weights is not None and not np.sum(self.blend_weights) > 0:
            raise ValueError(f"blend_weights = {self.blend_weights!r}: at least one has to be above 0.")
        if self.weights is None:
            return
        if not all(hasattr(self.weights, name) for name in ("alpha", "beta", "style_layers")):
            raise ValueError(f"weights = {self.weights!r}: they are nst.CostWeights(alpha, beta, style_layers).")
        for name in ("beta", "strength", "style_layers"):
            if getattr(self, name) is not None:
                raise ValueError(f"{name} beside weights: CostWeights holds its own. Give one of the two.")

    @property
    def manner(self):
        return MANNERS[self.statistics]

    @property
    def content(self):
        """The content layer."""
        return self.content_layer or self.manner.content_layer

    @property
    def layers(self):
        """{style layer: its share of J_style}, or its lambda where `weights` are given."""
        return self.weights.style_layers if self.weights is not None else self.style_layers or self.manner.style_layers

    def per_style(self, count):
        """(scale of each of `count` styles, share of each, summing to 1). Raises ValueError for another number."""
        shares = one_each("blend_weights", 1.0 if self.blend_weights is None else self.blend_weights, count)
        return one_each("style_scale", self.style_scale, count), [share / sum(shares) for share in shares]

    def beta_at(self, n_H, n_W):
        """beta, the strength of the style, for a picture of that size."""
        if self.beta is not None:
            return self.beta
        grown = self.manner.beta * max(1.0, max(n_H, n_W) / 400) ** self.manner.growth
        return grown if self.strength is None else grown * factor(self.strength)

    def changed(self, **changes):
        """These settings with some fields changed. Raises TypeError for a name that is no field's."""
        known = [field.name for field in dataclasses.fields(self)]
        for name in changes:
            if name not in known:
                raise TypeError(f"{name}: no such setting. They are {', '.join(known)}.")
        return dataclasses.replace(self, **changes)

    def chosen(self):
        """{field: value} of what differs from the defaults."""
        values = {field.name: (getattr(self, field.name), field.default) for field in dataclasses.fields(self)}
        return {name: value for name, (value, default) in values.items() if value != default}


def one_each(name, value, count):
    """`value`, one for all or several, as one for each of `count` styles. Raises ValueError for another number."""
    values = [value] * count if np.isscalar(value) else list(value)
    if len(values) == 1:
        values *= count
    if len(values) != count:
        styles = "is 1 style" if count == 1 else f"are {count} styles"
        raise ValueError(f"{name} = {value!r}: there {styles}. Give one number, or one for each.")
    return values
