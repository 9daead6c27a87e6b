"""Neural style transfer, the course in one file.

In the order of the lesson: presets, VGG-19, the content cost, the Gram matrix and the style cost, the total
cost, the start images, training. Images are float32 tensors (1, n_H, n_W, 3), RGB, in [0, 1]; activations are
(m, n_H, n_W, n_C). What the lessons call beside these, pictures, figures and weight files, comes from nst_support.

Gatys, Ecker, Bethge: "A Neural Algorithm of Artistic Style" (arXiv:1508.06576, 2015) and "Image
Style Transfer Using Convolutional Neural Networks" (CVPR 2016); equation numbers are the latter's.
"""

import functools
import numbers
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nst_support import weight_files
from nst_support.figures import *  # noqa: F403  what the lessons draw with
from nst_support.layers import BGR_MEAN, LAYERS, check_layers
from nst_support.network import Activations, FrozenConv2D, FrozenNetwork
from nst_support.pictures import check_image, load_image, save_image  # noqa: F401  reading is for the lessons
from nst_support.startup import device, has_gpu, interrupted, keras, tf

# ------------------------------------------------------------------------------------ presets


@dataclass(frozen=True)
class Preset:
    """How large, how long and with which network a notebook runs."""

    name: str
    long_side: int  # px
    network: str  # a name that `load_vgg19` knows
    download: bool  # may the network be downloaded?
    steps: int  # of the plain Adam loop
    learning_rate: float  # in picture values, which lie in [0, 1]
    every: int  # steps between snapshots


PRESETS = {
    "smoke": Preset("smoke", 64, "vgg19-slim", False, steps=10, learning_rate=0.02, every=2),
    "cpu": Preset("cpu", 400, "auto", False, steps=250, learning_rate=0.02, every=20),
    "full": Preset("full", 512, "auto", True, steps=1000, learning_rate=0.02, every=50),
}


def find_preset(name=None):
    """The `Preset` of that name, else of the variable NST_PRESET, else "full" with a GPU and "cpu" without.

    Raises ValueError for a name that is not in `PRESETS`.
    """
    chosen = name or os.environ.get("NST_PRESET") or ("full" if has_gpu() else "cpu")
    if chosen not in PRESETS:
        raise ValueError(f"preset {chosen!r}: not known. Choose one of {', '.join(PRESETS)}.")
    return PRESETS[chosen]


def preset(name=None):
    """Choose how much to compute, as `find_preset`, and say so in one line."""
    run = find_preset(name)
    print(f"preset {run.name}: {run.long_side} px, {run.steps} steps, on {device()}")
    return run


# ------------------------------------------------------------------------------------ VGG-19

CONTENT_LAYER = "conv4_2"
STYLE_LAYERS = dict.fromkeys(("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"), 0.2)


class VGG19(FrozenNetwork):
    """A frozen VGG-19 as a function: picture in, {layer name: activations after the ReLU} out."""

    def __call__(self, image, *args, **kwargs):
        n_H, n_W = image.shape[1:3]
        if n_H is not None and n_W is not None and min(n_H, n_W) < self.smallest:
            raise ValueError(
                f"image of {n_W}x{n_H} px: too small for {self.deepest}, where nothing of it would be left. "
                f"The smallest side that works is {self.smallest} px; use a larger image or a shallower layer."
            )
        return Activations(super().__call__(image, *args, **kwargs))

    @property
    def deepest(self):
        return max(self.output, key=LAYERS.index)

    @property
    def smallest(self):
        """The smallest side in px of which each 2x2 pool leaves at least one position."""
        return 2 ** (int(self.deepest[4]) - 1)

    @property
    def in_bfloat16(self):
        """The same network with bfloat16 convolutions, conv1_1 excepted."""
        return self.twin(self.padding, "bfloat16")

    def twin(self, padding, dtype="float32", pooling=None):
        """The same network with another padding, type of its convolutions or pooling, see `build_vgg19`; built once."""
        key = {"padding": padding, "dtype": dtype, "pooling": pooling or self.pooling}
        if key == {"padding": self.padding, "dtype": self.precision, "pooling": self.pooling}:
            return self
        if str(key) not in self._twins:
            weights = {layer.name: layer.get_weights() for layer in self.layers if layer.name in LAYERS}
            self._twins[str(key)] = build_vgg19(weights, list(self.output), **key)
        return self._twins[str(key)]

    @functools.cached_property
    def _twins(self):
        return {}


def build_vgg19(weights, layers, pooling="average", trainable=False, dtype="float32", padding="zero"):
    """VGG-19 (Simonyan and Zisserman, arXiv:1409.1556), only as deep as the layers asked for.

    weights: {layer: (kernel (3, 3, n_in, n_out), bias (n_out,))}, of any widths, for BGR input.
    Pools are "average", as in the paper and the course, or "max", as VGG-19 was trained. dtype: of the
    convolutions after conv1_1, "float32" or "bfloat16"; conv1_1, which sees the picture, is float32.
    padding: "zero", as VGG-19 was trained, or "mirror", which lets the picture go on mirrored beyond its border.
    Takes images (m, n_H, n_W, 3), RGB in [0, 1]. Raises ValueError for a layer there is no weight for.
    """
    check_layers(layers)
    if not layers or any(name not in weights for name in layers):
        raise ValueError(f"layers {tuple(layers)}: this network's file has {', '.join(weights)}.")
    if pooling not in ("average", "max"):
        raise ValueError(f"pooling {pooling!r}: not known. Choose average or max.")
    pool = keras.layers.AveragePooling2D if pooling == "average" else keras.layers.MaxPooling2D
    convolution = keras.layers.Conv2D if trainable else functools.partial(FrozenConv2D, beyond=padding)

    image = keras.Input((None, None, 3))
    a = image[..., ::-1] * 255.0 - np.float32(BGR_MEAN)
    activations = {}
    for name in LAYERS[: 1 + max(map(LAYERS.index, layers))]:
        if name.endswith("_1") and name != "conv1_1":
            a = pool(2, padding="valid", name=f"pool{int(name[4]) - 1}")(a)
        kernel, bias = weights[name]
        policy = "mixed_bfloat16" if dtype == "bfloat16" and name != "conv1_1" else "float32"
        conv = convolution(len(bias), 3, padding="same", activation="relu", name=name, dtype=policy)
        a = conv(a)
        conv.set_weights([kernel, bias])
        if name in layers:
            activations[name] = a
    vgg = VGG19(image, {name: activations[name] for name in layers}, name="vgg19")
    vgg.trainable, vgg.pooling, vgg.padding, vgg.precision = trainable, pooling, padding, dtype
    return vgg


def load_vgg19(name="auto", layers=(CONTENT_LAYER, *STYLE_LAYERS), pooling="average", download=False):
    """The pretrained network, and one printed line about which it is and why.

    name: "vgg19" (the full network), "vgg19-slim" (the bundled one), or "auto", the first that
    works of: a VGG-19 file in pretrained-model/, a download where `download` allows it, the bundled
    network. Raises FileNotFoundError, weight_files.DownloadError or ValueError with what to do.
    """
    path, line = weight_files.choose(name, download_allowed=download)
    vgg = build_vgg19(weight_files.read_weights(path), layers, pooling)
    print(line)
    return vgg


# ------------------------------------------------------------------------------------ content cost


def compute_content_cost(a_C, a_G):
    """J_content = sum (a_C - a_G)^2 / (4 n_H n_W n_C), the mean over a batch; eq. 1 in the course's scale.

    a_C, a_G: activations (m, n_H, n_W, n_C) of the content and the generated image, of equal size.
    """
    a_C, a_G = tf.convert_to_tensor(a_C), tf.convert_to_tensor(a_G)
    if a_C.shape[1:] != a_G.shape[1:]:
        raise ValueError(f"a_C {a_C.shape} and a_G {a_G.shape}: not of one size. C and G must be equally large.")
    return tf.reduce_mean(tf.square(tf.cast(a_C, tf.float32) - tf.cast(a_G, tf.float32))) / 4


# ------------------------------------------------------------------------------------ style cost


def gram_matrix(A):
    """G = A A^T: how much each pair of channels is active together (eq. 3).

    A: activations unrolled to (n_C, n_H n_W); also a batch (m, n_C, n_H n_W). Returns (n_C, n_C)
    or (m, n_C, n_C). Sums are float32: float16 would overflow.
    """
    A = tf.cast(A, tf.float32)
    return tf.matmul(A, A, transpose_b=True)


def unroll(a):
    """Activations (m, n_H, n_W, n_C) -> (m, n_C, n_H n_W): a row per channel, a column per position."""
    return tf.linalg.matrix_transpose(_positions_by_channels(a))


def _positions_by_channels(a):
    shape = tf.shape(a)
    return tf.reshape(a, [shape[0], shape[1] * shape[2], a.shape[-1]])


def gram_per_position(a):
    """gram_matrix(unroll(a)) / (n_H n_W), (m, n_C, n_C), which pictures of any size can share.

    a: activations (m, n_H, n_W, n_C). Without the copy that transposing would make.
    """
    columns = tf.cast(_positions_by_channels(a), tf.float32)
    n_positions = tf.cast(tf.shape(columns)[1], tf.float32)
    return self_product(columns) / n_positions


@tf.custom_gradient
def self_product(B):
    """B^T B and its gradient, in which TensorFlow would multiply twice: d = B (U + U^T)."""
    return tf.matmul(B, B, transpose_a=True), lambda U: tf.matmul(B, U + tf.linalg.matrix_transpose(U))


def compute_layer_style_cost(a_S, a_G):
    """J_style_layer = sum (G_S/(n_H n_W) - G_G/(n_H n_W))^2 / (4 n_C^2), the mean over a batch (eq. 4).

    a_S, a_G: activations (m, n_H, n_W, n_C) of style and generated image. Each Gram matrix is over
    its own number of positions, so S and G may differ in size; where they do not, this is eq. 4.
    """
    return _gram_distance(gram_per_position(tf.convert_to_tensor(a_S)), gram_per_position(tf.convert_to_tensor(a_G)))


def _gram_distance(GS, GG):
    return tf.reduce_mean(tf.square(GS - GG)) / 4


def compute_style_cost(seen_S, seen_G, style_layers=None):
    """J_style = sum over layers of lambda * J_style_layer (eq. 5).

    seen_S, seen_G: {layer: activations}. style_layers: {layer: lambda}, or pairs of the two, by default 0.2 at
    each of the five of `STYLE_LAYERS`.
    """
    style_layers = dict(STYLE_LAYERS if style_layers is None else style_layers)
    return sum(weight * compute_layer_style_cost(seen_S[name], seen_G[name]) for name, weight in style_layers.items())


# ------------------------------------------------------------------------------------ total cost


def total_cost(J_content, J_style, alpha=10, beta=40):
    """J = alpha J_content + beta J_style (eq. 7), by default with the course's 10 and 40."""
    return alpha * J_content + beta * J_style


@dataclass(frozen=True)
class CostWeights:
    """alpha, beta and the lambda of each style layer: {layer: lambda}, or pairs of the two."""

    alpha: float = 10.0
    beta: float = 40.0
    style_layers: dict = field(default_factory=lambda: dict(STYLE_LAYERS))

    def __post_init__(self):
        layers = dict(self.style_layers)
        check_layers(layers)
        for name, value in {"alpha": self.alpha, "beta": self.beta, **layers}.items():
            if not (isinstance(value, numbers.Real) and 0 <= value < np.inf):
                raise ValueError(f"the weight of a cost, {name} = {value!r}, is a number, 0 or more.")
        object.__setattr__(self, "alpha", float(self.alpha))
        object.__setattr__(self, "beta", float(self.beta))
        object.__setattr__(self, "style_layers", {name: float(value) for name, value in layers.items()})


def balanced_weights(a_C, GS, beta=100.0):
    """Weights under which every term of J is a relative squared error, whatever network and pictures.

    alpha = 4 / mean(a_C^2); lambda = 4 / (n_layers mean(GS^2)) at each layer. a_C: activations at
    the content layer; GS: {layer: Gram matrix per position}, see `gram_per_position`. Returns `CostWeights`.
    """
    squares = {name: float(tf.reduce_mean(tf.square(G))) for name, G in GS.items()}
    content = float(tf.reduce_mean(tf.square(tf.cast(a_C, tf.float32))))
    if not all(0 < square < np.inf for square in (content, *squares.values())):
        raise ValueError("balanced weights: an image leaves a whole layer without activation. Use another image.")
    alpha, style_layers = 4 / content, {name: 4 / (len(GS) * square) for name, square in squares.items()}
    return CostWeights(alpha, beta, style_layers)


class Objective:
    """J of a picture for one C and one S, whose activations and Gram matrices are computed once.

    vgg: a network with `CONTENT_LAYER` and the style layers. C and S: images of any two sizes.
    weights: `CostWeights`; None chooses `balanced_weights`.
    """

    def __init__(self, vgg, C, S, weights=None):
        names = STYLE_LAYERS if weights is None else weights.style_layers
        vgg.check_computes([CONTENT_LAYER, *names])
        self.vgg, self.a_C, GS = vgg, vgg.traced(_content_of, C), vgg.traced(_gram_matrices_of, S)
        self.GS = {name: GS[name] for name in names}
        self.weights = balanced_weights(self.a_C, self.GS) if weights is None else weights

    def __call__(self, G):
        """(J, J_content, J_style) of G, of C's size: three scalars. The network runs once."""
        weights = self.weights
        return self.vgg.traced(
            _costs, G, self.a_C, self.GS, float(weights.alpha), float(weights.beta), weights.style_layers
        )


def _content_of(vgg, C):
    return vgg(C)[CONTENT_LAYER]


def _gram_matrices_of(vgg, S):
    return {name: gram_per_position(a) for name, a in vgg(S).items()}


def _costs(vgg, G, a_C, GS, alpha, beta, style_layers):
    seen_G = vgg(G)
    J_content = compute_content_cost(a_C, seen_G[CONTENT_LAYER])
    J_style = sum(style_layers[name] * _gram_distance(GS[name], gram_per_position(seen_G[name])) for name in GS)
    return total_cost(J_content, J_style, alpha, beta), J_content, J_style


# ------------------------------------------------------------------------------------ start images


def _noise(C, half_width, seed):
    return tf.constant(np.random.default_rng(seed).uniform(-half_width, half_width, C.shape), tf.float32)


def start_image(C, kind="content", seed=0):
    """The first G, of C's shape, in [0, 1].

    "content": C itself. "noise": uniform noise. "course": C + U(-0.25, 0.25), clipped, as in the
    course in TensorFlow 2. "course-2017": 0.4 parts C and 0.6 parts noise of +-20/255 about the
    ImageNet mean, as in the course's first version. Raises ValueError for another kind.
    """
    mean = np.float32(BGR_MEAN[::-1]) / 255
    kinds = {
        "content": lambda: tf.identity(C),
        "noise": lambda: 0.5 + _noise(C, 0.5, seed),
        "course": lambda: tf.clip_by_value(C + _noise(C, 0.25, seed), 0, 1),
        "course-2017": lambda: tf.clip_by_value(mean + 0.6 * _noise(C, 20 / 255, seed) + 0.4 * (C - mean), 0, 1),
    }
    if kind not in kinds:
        raise ValueError(f"start image {kind!r}: not known. Choose one of {', '.join(kinds)}.")
    return kinds[kind]()


def first_G(C, start, seed=0):
    """`start` as the first G, if it is an image of C's size; else `start_image(C, start, seed)`."""
    if isinstance(start, str):
        return start_image(C, start, seed)
    start = check_image("start", start)
    if start.shape != C.shape:
        raise ValueError(f"start image {tuple(start.shape)}: not of the size of C, {tuple(C.shape)}. Resize it first.")
    return start


# ------------------------------------------------------------------------------------ training


def check_counts(**counts):
    """Raise ValueError for the first that is not a whole number, 1 or more."""
    for name, count in counts.items():
        if not (isinstance(count, numbers.Integral) and count >= 1):
            raise ValueError(f"{name} = {count!r}: a whole number, 1 or more.")


@dataclass(frozen=True)
class Record:
    """What is known of G after some steps. Costs are those of `image`, G as it would be saved."""

    step: int
    J: float
    J_content: float
    J_style: float
    image: tf.Tensor = field(repr=False)  # (1, n_H, n_W, 3), every value a multiple of 1/255
    seconds: float  # since the first step, without what the caller did between records


def as_saved(G):
    """G as a file would hold it: clipped to [0, 1] and rounded to 8 bits."""
    return tf.round(tf.clip_by_value(G, 0, 1) * 255) / 255


def train_step(G, optimizer, objective):
    """One step of gradient descent on the pixels of G, then back into [0, 1].

    G: tf.Variable (1, n_H, n_W, 3). objective: G -> (J, J_content, J_style), such as `Objective`.
    Returns those three, as they were before the step.
    """
    with tf.GradientTape() as tape:
        costs = objective(G)
    gradient = tape.gradient(costs[0], G)
    optimizer.apply_gradients([(gradient, G)])
    G.assign(tf.clip_by_value(G, 0, 1))
    return costs


def train(vgg, C, S, steps=250, learning_rate=0.02, start="content", weights=None, every=20, seed=0):
    """The course's loop: Adam on the pixels of G. A generator of `Record`s, every `every` steps.

    vgg: from `load_vgg19`. C, S: images. start: a kind of `start_image`, or an image of C's size.
    weights: `CostWeights`, by default balanced for this pair. The same seed gives the same picture.
    The course itself: steps=20_000, learning_rate=0.001, start="course".

    Raises ValueError for bad input before any work, and FloatingPointError if a cost is no longer finite;
    all earlier records stay valid. Ctrl-C: a last record, of G so far, then KeyboardInterrupt.
    """
    check_counts(steps=steps, every=every)
    if not (isinstance(learning_rate, numbers.Real) and 0 < learning_rate < np.inf):
        raise ValueError(f"learning_rate = {learning_rate!r}: a number above 0, such as 0.02.")
    C, S = check_image("C", C), check_image("S", S)
    G = tf.Variable(first_G(C, start, seed))
    objective = Objective(vgg, C, S, weights)
    optimizer = keras.optimizers.Adam(float(learning_rate))
    began = time.perf_counter()

    def record(step):
        image = as_saved(G)
        costs = [float(cost) for cost in objective(image)]
        if not np.all(np.isfinite(costs)):
            raise FloatingPointError(f"step {step}: J is no longer finite. Lower the learning rate.")
        return Record(step, *costs, image, time.perf_counter() - began)

    try:
        for step in range(steps + 1):
            if step % every == 0 or step == steps:
                last = record(step)
                yield last
                began = time.perf_counter() - last.seconds  # what the caller did does not count
            if step < steps:
                train_step(G, optimizer, objective)
    except KeyboardInterrupt:
        if step > 0:
            yield record(step)
        raise interrupted(f"Stopped by hand at step {step}.") from None


def keep_best(records, path):
    """Pass the records on; `path` always holds the picture with the lowest J so far."""
    best = np.inf
    for record in records:
        if best > record.J:
            best = record.J
            save_image(record.image, path)
        yield record


def keep_snapshots(records, folder):
    """Pass the records on, each image as folder/step_00020.png; those of an earlier run go first."""
    for old in Path(folder).glob("step_*.png"):
        old.unlink()
    for record in records:
        save_image(record.image, Path(folder) / f"step_{record.step:05}.png")
        yield record
