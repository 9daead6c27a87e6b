"""Neural style transfer, the course in one file.

In the order of the lesson: presets, images, VGG-19, the content cost, the Gram matrix and the
style cost, the total cost, the start images, training, and the figures. Images are float32
tensors (1, n_H, n_W, 3), RGB, in [0, 1]; activations are (m, n_H, n_W, n_C).

Gatys, Ecker, Bethge: "A Neural Algorithm of Artistic Style" (arXiv:1508.06576, 2015) and "Image
Style Transfer Using Convolutional Neural Networks" (CVPR 2016); equation numbers are the latter's.
"""

import contextlib
import errno
import functools
import io
import itertools
import numbers
import os
import re
import secrets
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
from PIL import Image, ImageChops, ImageCms, ImageOps, UnidentifiedImageError

import nst_weights


@contextlib.contextmanager
def _without_startup_messages():
    """TensorFlow's libraries greet on file descriptor 2 while they load; a lesson need not begin so."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # an error that matters reaches Python as an exception
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # off by default without AVX-512, but faster there too
    with contextlib.suppress(OSError, io.UnsupportedOperation), tempfile.TemporaryFile() as sink:
        sys.stderr.flush()
        kept = os.dup(2)
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


with _without_startup_messages():
    import tensorflow as tf
    from tensorflow import keras

    tf.config.list_physical_devices()  # the GPU's libraries greet as well

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


def preset(name=None):
    """Choose how much to compute, and say so in one line.

    `name`, else the environment variable NST_PRESET, else "full" with a GPU and "cpu" without.
    Returns a `Preset`. Raises ValueError for a name that is not in `PRESETS`.
    """
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        with contextlib.suppress(RuntimeError):  # memory is set up once, before the GPU's first use
            tf.config.experimental.set_memory_growth(gpu, True)
    chosen = name or os.environ.get("NST_PRESET") or ("full" if gpus else "cpu")
    if chosen not in PRESETS:
        raise ValueError(f"preset {chosen!r}: not known. Choose one of {', '.join(PRESETS)}.")
    run = PRESETS[chosen]
    if gpus:
        device = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
    elif sys.platform in ("win32", "darwin"):
        device = "CPU (for a GPU: WSL2 on Windows, or a GPU runtime in Colab)"
    else:
        device = "CPU (for a GPU: Colab, or pip install 'tensorflow[and-cuda]' on Linux or WSL2)"
    print(f"preset {run.name}: {run.long_side} px, {run.steps} steps, on {device}")
    return run


# ------------------------------------------------------------------------------------ images

READABLE = ("JPEG", "PNG", "WebP", "TIFF", "GIF", "BMP")
JPEG = {"format": "JPEG", "quality": 95, "subsampling": 0}  # 0: colour as sharp as brightness
TIFF = {"format": "TIFF"}
WRITABLE = {".png": {"format": "PNG"}, ".jpg": JPEG, ".jpeg": JPEG, ".tif": TIFF, ".tiff": TIFF}
WRITABLE |= {".webp": {"format": "WebP", "lossless": True}, ".bmp": {"format": "BMP"}}


def load_image(path, long_side=None):
    """Read a picture as an image: float32 tensor (1, n_H, n_W, 3), RGB (sRGB), values in [0, 1].

    path: str or pathlib.Path of a JPEG, PNG, WebP, TIFF, GIF (first frame) or BMP; `~` is the home folder.
    long_side: px; shrinks a picture whose longer side is longer, never enlarges. None: the size it has.

    Turns the picture upright (EXIF), converts it to sRGB (embedded profile, CMYK, Lab) and shows it over
    white where it is transparent (one printed line says so). 16-bit grey keeps its precision unless it has a
    profile; 16-bit colour is reduced to 8 bits. Grey counts up to 65,535 in integers of 16 or 32 bits, up to
    1 in floats.

    Raises FileNotFoundError, IsADirectoryError or PermissionError; TypeError for anything but a path; and
    ValueError for a web address and for a file that is no picture, damaged or too large for Pillow's limit.
    """
    if long_side is not None and not (isinstance(long_side, numbers.Integral) and long_side >= 1):
        raise ValueError(f"long_side is a whole number of pixels, 1 or more, not {long_side!r}.")
    path = _as_path(path)
    image = _as_rgb_or_grey(_read_picture(path), path)
    if long_side is not None and long_side < max(image.size):
        scale = long_side / max(image.size)
        image = image.resize([max(1, round(side * scale)) for side in image.size], Image.Resampling.LANCZOS)
    pixels = np.asarray(image, np.float32)[None]
    if image.mode == "F":  # clipped, because LANCZOS overshoots beside edges
        return tf.constant(np.repeat(pixels.clip(0, 1)[..., None], 3, axis=-1))
    return tf.constant(pixels / 255)


def save_image(image, path):
    """Write an image to a file, whose ending decides the format. Returns its pathlib.Path.

    image: tensor or array of floats in [0, 1], (1, n_H, n_W, 3) or (n_H, n_W, 3), RGB. Values outside are
    clipped, then rounded to 8 bits. JPEG is written at quality 95 with full colour, the others lossless.
    path: str or pathlib.Path ending in .png .jpg .jpeg .webp .tif .tiff .bmp; a missing folder is made.

    The file appears whole or not at all: if this raises, what was there before is untouched.
    Raises ValueError for another ending, shape or type of number, for NaN or infinity, and for a size that
    the format cannot hold; TypeError for anything but a path; OSError where the disk refuses.
    """
    path = _as_path(path)
    if path.suffix.lower() not in WRITABLE:
        raise ValueError(f"{path}: the ending {path.suffix!r} is unknown. Choose from {' '.join(WRITABLE)}.")
    options = WRITABLE[path.suffix.lower()]
    pixels = np.asarray(image)
    if pixels.dtype.kind in "iub":
        raise ValueError(f"{path}: an image holds floats in [0, 1], not {pixels.dtype}. Divide it by 255.")
    if pixels.shape[-1:] != (3,) or pixels.shape[:-3] not in [(), (1,)] or pixels.ndim < 3 or not pixels.size:
        raise ValueError(f"{path}: an image is (1, n_H, n_W, 3) or (n_H, n_W, 3), not {pixels.shape}.")
    pixels = pixels.reshape(pixels.shape[-3:]).astype(np.float32)
    if not np.isfinite(pixels).all():
        raise ValueError(f"{path}: NaN or infinity in the image, so nothing was saved. Try smaller steps.")
    encoded = io.BytesIO()  # encoding in memory keeps the encoder's errors apart from the disk's
    try:
        Image.fromarray(np.rint(pixels.clip(0, 1) * 255).astype(np.uint8)).save(encoded, **options)
    except (OSError, ValueError) as error:
        size = f"{pixels.shape[1]} x {pixels.shape[0]} px"
        raise ValueError(f"{path}: a {options['format']} cannot hold {size} ({error}). Use .png.") from error
    return _write_whole(path, encoded.getbuffer())


def _write_whole(path, data):
    """Write bytes so that the file appears whole or not at all. Returns its pathlib.Path."""
    path = _as_path(path)
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")  # tempfile's would be readable by nobody else
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "xb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        advice = "Free some space there" if full else "Check that it is a folder that you may write to"
        reason = f"cannot write into the folder {path.parent.absolute()}: {error.strerror}"
        raise type(error)(f"{path}: {reason}. {advice}, or save somewhere else.") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()  # after a success there is none left
    return path


def _as_path(path):
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"A path must be a str or a pathlib.Path, not {type(path).__name__}.")
    if re.match("[a-z][a-z0-9+.-]+:/", os.fspath(path), re.IGNORECASE):  # C:/ is one letter, so not meant
        raise ValueError(f"{path}: a web address, not a file here. Download it first, then give its path.")
    return Path(os.path.expanduser(path))


def _read_picture(path):
    """The first frame of a picture file: decoded, upright, in whichever Pillow mode it has."""
    if path.is_dir():
        raise IsADirectoryError(f"{path}: a folder, not a picture. Name a picture in it.")
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file. Check the spelling; you are in {Path.cwd()}.")
    with open(path, "rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of oddities in files that it reads well all the same
        try:
            image = Image.open(file, formats=READABLE)  # the list keeps out formats that start other programs
            image.load()
            if image.mode == "CMYK" and image.format == "JPEG" and "adobe" not in image.info:
                image = ImageChops.invert(image)  # only Adobe stores inks inverted; Pillow expects all to
            return ImageOps.exif_transpose(image)
        except UnidentifiedImageError:
            kind = f"not a picture that can be read here ({', '.join(READABLE)}). Convert it first."
            kind = kind if path.stat().st_size else "an empty file. Get a fresh copy."
            raise ValueError(f"{path}: {kind}") from None
        except Image.DecompressionBombError:
            limit = f"{2 * Image.MAX_IMAGE_PIXELS // 10**6} million pixels"
            raise ValueError(f"{path}: more than {limit}, too many to read. Shrink it first.") from None
        except Exception as error:  # decoders let many kinds escape: OSError, SyntaxError, struct.error, ...
            raise ValueError(f"{path}: cut short or damaged ({error}). Get a fresh copy.") from error


def _as_rgb_or_grey(image, path):
    """A Pillow image of any mode as RGB (sRGB, over white), or as F in [0, 1] where grey has over 8 bits."""
    profile = image.info.get("icc_profile")
    if image.mode[0] in "IF":  # I;16, I, F: Pillow's own conversion would clip these at 255
        top = 1 if image.mode == "F" else 65535
        grey = np.asarray(image, np.float32) / top
        if not (grey.min() >= 0 and grey.max() <= 1):  # "not", so that NaN is refused too
            raise ValueError(f"{path}: grey values outside 0 to {top:,}. Scale them to that range first.")
        if not profile:
            return Image.fromarray(grey)
        image = Image.fromarray(np.rint(grey * 255).astype(np.uint8))  # profiles are applied to 8 bits
    if image.mode == "P":
        image = image.convert("RGBA")  # a palette may hold transparent colours
    if not image.has_transparency_data:
        return _to_srgb(image, profile)
    alpha = image.convert("RGBA").getchannel("A")
    if alpha.getextrema()[0] < 255:
        print(f"{path}: transparent in places, shown over white.")
    return Image.composite(_to_srgb(image, profile), Image.new("RGB", image.size, "white"), alpha)


def _to_srgb(image, profile):
    """A Pillow image of 8 bits as sRGB without its alpha; profile: the bytes of its ICC profile, or None."""
    if image.mode == "LA":
        image = image.convert("L")
    elif image.mode not in ("L", "CMYK", "LAB"):
        image = image.convert("RGB")
    if image.mode != "LAB" and not profile:
        return image.convert("RGB")
    try:
        lab = image.mode == "LAB"
        source = ImageCms.createProfile("LAB") if lab else ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image.convert("RGB")  # a broken profile, or one for another kind of picture: as without


# ------------------------------------------------------------------------------------ VGG-19

LAYERS = tuple(f"conv{b}_{i}" for b, count in enumerate((2, 2, 4, 4, 4), 1) for i in range(1, count + 1))
CONTENT_LAYER = "conv4_2"
STYLE_LAYERS = dict.fromkeys(("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"), 0.2)
BGR_MEAN = np.array([103.939, 116.779, 123.68], np.float32)  # of ImageNet, in 0..255


class VGG19(keras.Model):
    """A frozen VGG-19 as a function: picture in, {layer name: activations after the ReLU} out."""

    def __call__(self, image, *args, **kwargs):
        n_H, n_W = image.shape[1:3]
        if n_H is not None and n_W is not None and min(n_H, n_W) < self.smallest:
            raise ValueError(
                f"image of {n_W}x{n_H} px: too small for {self.deepest}, where nothing of it would be left. "
                f"The smallest side that works is {self.smallest} px; use a larger image or a shallower layer."
            )
        return super().__call__(image, *args, **kwargs)

    @property
    def deepest(self):
        return max(self.output, key=LAYERS.index)

    @property
    def smallest(self):
        """The smallest side in px of which each 2x2 pool leaves at least one position."""
        return 2 ** (int(self.deepest[4]) - 1)


@functools.cache  # asked for every layer
def has_bfloat16():
    """Does this machine multiply bfloat16 numbers itself?"""
    cpu = Path("/proc/cpuinfo")  # absent on Windows and macOS
    return bool(tf.config.list_physical_devices("GPU")) or (
        cpu.is_file() and any(flag in cpu.read_text() for flag in ("avx512_bf16", "amx_bf16"))
    )


class _FrozenConv2D(keras.layers.Conv2D):
    """A 3x3 convolution and its ReLU whose weights are constants of the traced graph.

    Of constants oneDNN chooses the layout itself, and once: an evaluation of J takes two thirds of the time.
    In bfloat16 on a processor that does not multiply it, numbers are rounded to it and multiplied as
    float32: nearly the same result, where TensorFlow's own bfloat16 would take ten times as long.
    """

    def call(self, a):
        with tf.init_scope():
            kernel, bias = self.kernel.numpy(), self.bias.numpy()
        dtype = a.dtype if has_bfloat16() else tf.float32
        kernel, bias = (tf.cast(tf.cast(w, a.dtype), dtype) for w in (kernel, bias))
        z = tf.nn.bias_add(tf.nn.conv2d(tf.cast(a, dtype), kernel, strides=1, padding="SAME"), bias)
        return tf.nn.relu(tf.cast(z, a.dtype))


def build_vgg19(weights, layers, pooling="average", trainable=False, dtype="float32"):
    """VGG-19 (Simonyan and Zisserman, arXiv:1409.1556), only as deep as the layers asked for.

    weights: {layer: (kernel (3, 3, n_in, n_out), bias (n_out,))}, of any widths, for BGR input.
    Pools are "average", as in the paper and the course, or "max", as VGG-19 was trained. dtype: of the
    convolutions after conv1_1, "float32" or "bfloat16"; conv1_1, which sees the picture, is float32.
    Takes images (m, n_H, n_W, 3), RGB in [0, 1]. Raises ValueError for a layer there is no weight for.
    """
    unknown = [name for name in layers if name not in weights]
    if unknown or not layers:
        raise ValueError(f"layers {unknown}: not in this network, which has {', '.join(weights)}.")
    if pooling not in ("average", "max"):
        raise ValueError(f"pooling {pooling!r}: not known. Choose average or max.")
    pool = keras.layers.AveragePooling2D if pooling == "average" else keras.layers.MaxPooling2D
    convolution = keras.layers.Conv2D if trainable else _FrozenConv2D

    image = keras.Input((None, None, 3))
    a = image[..., ::-1] * 255.0 - BGR_MEAN
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
    vgg.trainable = trainable
    return vgg


def load_vgg19(name="auto", layers=(CONTENT_LAYER, *STYLE_LAYERS), pooling="average", download=False):
    """The pretrained network, and one printed line about which it is and why.

    name: "vgg19" (the full network), "vgg19-slim" (the bundled one), or "auto", the first that
    works of: a VGG-19 file in pretrained-model/, a download where `download` allows it, the bundled
    network. Raises FileNotFoundError, nst_weights.DownloadError or ValueError with what to do.
    """
    path, line = nst_weights.choose(name, download_allowed=download)
    vgg = build_vgg19(nst_weights.read_weights(path), layers, pooling)
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
    return _self_product(columns) / n_positions


@tf.custom_gradient
def _self_product(B):
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


def compute_style_cost(a_S, a_G, style_layers=None):
    """J_style = sum over layers of lambda * J_style_layer (eq. 5).

    a_S, a_G: {layer: activations}. style_layers: {layer: lambda}, by default 0.2 at each of the
    five of `STYLE_LAYERS`.
    """
    style_layers = STYLE_LAYERS if style_layers is None else style_layers
    return sum(weight * compute_layer_style_cost(a_S[name], a_G[name]) for name, weight in style_layers.items())


# ------------------------------------------------------------------------------------ total cost


def total_cost(J_content, J_style, alpha=10, beta=40):
    """J = alpha J_content + beta J_style (eq. 7), by default with the course's 10 and 40."""
    return alpha * J_content + beta * J_style


@dataclass(frozen=True)
class Weights:
    """alpha, beta and the lambda of each style layer."""

    alpha: float = 10.0
    beta: float = 40.0
    style_layers: dict = field(default_factory=lambda: dict(STYLE_LAYERS))


def balanced_weights(a_C, GS, beta=100.0):
    """Weights under which every term of J is a relative squared error, whatever network and pictures.

    alpha = 4 / mean(a_C^2); lambda = 4 / (n_layers mean(GS^2)) at each layer. a_C: activations at
    the content layer; GS: {layer: Gram matrix per position}, see `gram_per_position`. Returns `Weights`.
    """
    squares = {name: float(tf.reduce_mean(tf.square(G))) for name, G in GS.items()}
    content = float(tf.reduce_mean(tf.square(tf.cast(a_C, tf.float32))))
    if not all(0 < square < np.inf for square in (content, *squares.values())):
        raise ValueError("balanced weights: an image leaves a whole layer without activation. Use another image.")
    alpha, style_layers = 4 / content, {name: 4 / (len(GS) * square) for name, square in squares.items()}
    return Weights(alpha, beta, style_layers)


class Objective:
    """J of a picture for one C and one S, whose activations and Gram matrices are computed once.

    vgg: a network with `CONTENT_LAYER` and the style layers. C and S: images of any two sizes.
    weights: `Weights`; None chooses `balanced_weights`.
    """

    def __init__(self, vgg, C, S, weights=None):
        self.vgg = vgg
        self.a_C = vgg(C)[CONTENT_LAYER]
        a_S = vgg(S)
        names = STYLE_LAYERS if weights is None else weights.style_layers
        self.GS = {name: gram_per_position(a_S[name]) for name in names}
        self.weights = balanced_weights(self.a_C, self.GS) if weights is None else weights

    def __call__(self, G):
        """(J, J_content, J_style) of G, of C's size: three scalars. The network runs once."""
        a_G = self.vgg(G)
        J_content = compute_content_cost(self.a_C, a_G[CONTENT_LAYER])
        J_style = sum(
            weight * _gram_distance(self.GS[name], gram_per_position(a_G[name]))
            for name, weight in self.weights.style_layers.items()
        )
        return total_cost(J_content, J_style, self.weights.alpha, self.weights.beta), J_content, J_style


# ------------------------------------------------------------------------------------ start images


def _noise(C, half_width, seed):
    return tf.constant(np.random.default_rng(seed).uniform(-half_width, half_width, C.shape), tf.float32)


def start_image(C, kind="content", seed=0):
    """The first G, of C's shape, in [0, 1].

    "content": C itself. "noise": uniform noise. "course": C + U(-0.25, 0.25), clipped, as in the
    course in TensorFlow 2. "course-2017": 0.4 parts C and 0.6 parts noise of +-20/255 about the
    ImageNet mean, as in the course's first version. Raises ValueError for another kind.
    """
    mean = BGR_MEAN[::-1] / 255
    kinds = {
        "content": lambda: tf.identity(C),
        "noise": lambda: 0.5 + _noise(C, 0.5, seed),
        "course": lambda: tf.clip_by_value(C + _noise(C, 0.25, seed), 0, 1),
        "course-2017": lambda: tf.clip_by_value(mean + 0.6 * _noise(C, 20 / 255, seed) + 0.4 * (C - mean), 0, 1),
    }
    if kind not in kinds:
        raise ValueError(f"start image {kind!r}: not known. Choose one of {', '.join(kinds)}.")
    return kinds[kind]()


# ------------------------------------------------------------------------------------ training


@dataclass(frozen=True)
class Record:
    """What is known of G after some steps. Costs are those of `image`, G as it would be saved."""

    step: int
    J: float
    J_content: float
    J_style: float
    image: tf.Tensor  # (1, n_H, n_W, 3), every value a multiple of 1/255
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


def train(vgg, C, S, steps=20_000, learning_rate=0.001, start="content", weights=None, every=20, seed=0):
    """The course's loop: Adam on the pixels of G. A generator of `Record`s, every `every` steps.

    vgg: from `load_vgg19`. C, S: images. start: a kind of `start_image`, or an image of C's size.
    weights: `Weights`, by default balanced for this pair. The same seed gives the same picture.
    Raises FloatingPointError if a cost is no longer finite; all earlier records stay valid.
    """
    G = tf.Variable(start_image(C, start, seed) if isinstance(start, str) else start)
    if G.shape != C.shape:
        raise ValueError(f"start image {tuple(G.shape)}: not of the size of C, {tuple(C.shape)}. Resize it first.")
    objective = Objective(vgg, C, S, weights)
    optimizer = keras.optimizers.Adam(learning_rate)
    optimizer.build([G])
    step_fn = tf.function(lambda: train_step(G, optimizer, objective), autograph=False)  # one graph for all steps
    measure = tf.function(objective, autograph=False)
    began = time.perf_counter()
    for step in range(steps + 1):
        if step % every == 0 or step == steps:
            image = as_saved(G)
            costs = [float(cost) for cost in measure(image)]
            if not np.all(np.isfinite(costs)):
                raise FloatingPointError(f"step {step}: J is no longer finite. Lower the learning rate.")
            paused = time.perf_counter()
            yield Record(step, *costs, image, paused - began)
            began += time.perf_counter() - paused
        if step < steps:
            step_fn()


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


# ------------------------------------------------------------------------------------ figures


FIGURE_QUALITY = {"quality": 88}


def _pyplot():
    import matplotlib.pyplot as plt  # not needed to compute a picture

    if "ipykernel" in sys.modules:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("jpeg", dpi=80, pil_kwargs=FIGURE_QUALITY)  # a quarter of PNG's bytes
    return plt


def _jpeg(figure, alt):
    """A figure for a notebook's page. alt: what it shows, in words."""
    from IPython import display as notebook

    page = io.BytesIO()
    figure.savefig(page, format="jpeg", dpi=80, pil_kwargs=FIGURE_QUALITY)
    return notebook.Image(page.getvalue(), alt=alt)


def _show(figure, alt):
    """Show a finished figure, and return it. alt: for those who cannot see it, stored in a notebook."""
    plt = _pyplot()
    if "ipykernel" not in sys.modules:
        plt.show()
        return figure
    from IPython import display as notebook

    notebook.display(_jpeg(figure, alt))
    plt.close(figure)  # or the notebook would show it again
    return figure


def _array(image):
    return np.asarray(image).reshape(image.shape[-3:]).clip(0, 1)


def show_images(images, height=3.0):
    """A strip of images, {title: image}, each under its title."""
    plt = _pyplot()
    widths = [image.shape[-2] / image.shape[-3] for image in images.values()]
    figure, axes = plt.subplots(
        1, len(images), figsize=(height * sum(widths), height), width_ratios=widths, layout="constrained", squeeze=False
    )
    for axis, (title, image) in zip(axes[0], images.items(), strict=True):
        axis.imshow(_array(image))
        axis.set_title(title)
        axis.axis("off")
    return _show(figure, "Side by side: " + "; ".join(images).replace("\n", ", "))


def show_feature_maps(a, count=8, title=""):
    """The `count` channels of activations (1, n_H, n_W, n_C) with the largest spread, each to its own scale."""
    plt = _pyplot()
    channels = np.argsort(np.asarray(a)[0].std(axis=(0, 1)))[::-1][:count]
    rows = -(-len(channels) // 4)
    figure, axes = plt.subplots(
        rows, 4, figsize=(10, 10 / 4 * rows * a.shape[1] / a.shape[2] + 0.5), layout="constrained"
    )
    for axis, channel in itertools.zip_longest(axes.flat, channels):
        axis.axis("off")
        if channel is not None:
            axis.imshow(a[0, :, :, channel], cmap="magma")
            axis.set_title(f"channel {channel}", fontsize=9)
    title = title or f"{len(channels)} of {a.shape[-1]} channels"
    figure.suptitle(title)
    return _show(figure, f"Feature maps. {title}")


def show_grams(grams):
    """Heat maps of Gram matrices, {title: (n_C, n_C)}, on one colour scale."""
    plt = _pyplot()
    top = max(float(tf.reduce_max(G)) for G in grams.values())
    figure, axes = plt.subplots(1, len(grams), figsize=(4 * len(grams), 3.6), layout="constrained", squeeze=False)
    for axis, (title, G) in zip(axes[0], grams.items(), strict=True):
        drawn = axis.imshow(np.reshape(G, G.shape[-2:]), cmap="viridis", vmin=0, vmax=top)
        axis.set(title=title, xlabel="channel", ylabel="channel")
    figure.colorbar(drawn, ax=axes, label="G")
    return _show(figure, "Gram matrices as heat maps. " + "; ".join(grams))


def show_shares(terms, title="share of J"):
    """A bar per term of J, {name: value}, as its share of their sum."""
    plt = _pyplot()
    values = np.array([float(value) for value in terms.values()])
    shares = 100 * values / values.sum()
    figure, axis = plt.subplots(figsize=(7, 0.42 * len(terms) + 1), layout="constrained")
    bars = axis.barh(list(terms), shares, color="#3f6fb5")
    axis.bar_label(bars, [f"{share:.3g} %" for share in shares], padding=3)
    axis.set(title=title, xlabel="share (%)", xlim=(0, 115))
    axis.invert_yaxis()
    parts = ", ".join(f"{name} {share:.3g} %" for name, share in zip(terms, shares, strict=True))
    return _show(figure, f"Shares, '{title}': {parts}")


def show_costs(runs):
    """J against seconds, a curve per run: {title: records}."""
    figure, axis = _pyplot().subplots(figsize=(8, 4), layout="constrained")
    for title, records in runs.items():
        axis.semilogy([r.seconds for r in records], [r.J for r in records], ".-", label=title)
    axis.set(xlabel="seconds", ylabel="J")
    axis.legend()
    axis.grid(alpha=0.3)
    return _show(figure, "J against seconds: " + ", ".join(runs))


def _draw_run(figure, records, steps):
    figure.clear()
    picture, curves = figure.subplots(1, 2, width_ratios=(1.25, 1))
    last = records[-1]
    left = last.seconds / last.step * (steps - last.step) if last.step else float("nan")
    remaining = f", about {left:.0f} s left" if left > 0 else ""
    picture.imshow(_array(last.image))
    picture.set_title(f"step {last.step} of {steps}, {last.seconds:.0f} s{remaining}")
    picture.axis("off")
    rounding = 1e-6 * max(r.J for r in records)  # all that there is to the content cost of C itself
    for name, colour in (("J", "black"), ("J_content", "#b5533f"), ("J_style", "#3f6fb5")):
        costs = [cost if cost > rounding else np.nan for cost in (getattr(r, name) for r in records)]
        curves.semilogy([r.step for r in records], costs, ".-", color=colour, label=name)
    curves.set(xlabel="step", ylabel="cost", xlim=(0, steps))
    curves.legend()
    curves.grid(alpha=0.3)


def watch(records, steps):
    """Pass the records on while showing G and the three costs in one output that is redrawn.

    In a terminal, a progress bar. steps: how many the run will take in all.
    """
    if "ipykernel" not in sys.modules:
        yield from _watch_in_terminal(records, steps)
        return
    from IPython import display as notebook
    from matplotlib.figure import Figure

    figure, seen, handle = Figure(figsize=(10, 4), layout="constrained"), [], None
    for record in records:
        seen.append(record)
        _draw_run(figure, seen, steps)
        image = _jpeg(figure, f"G after {record.step} steps beside its costs J, J_content and J_style")
        if handle is None:
            handle = notebook.display(image, display_id=True)
        else:
            handle.update(image)
        yield record


def _watch_in_terminal(records, steps):
    from tqdm import tqdm

    with tqdm(total=steps, unit="step") as bar:
        for record in records:
            bar.update(record.step - bar.n)
            bar.set_postfix(J=f"{record.J:.4g}", J_content=f"{record.J_content:.4g}", J_style=f"{record.J_style:.4g}")
            yield record


def save_gif(images, path, long_side=240, most=24, seconds=4.0):
    """A timelapse of images: at most `most` frames, evenly chosen, the last one held. Returns the path."""
    chosen = [images[i] for i in np.unique(np.linspace(0, len(images) - 1, min(most, len(images))).round().astype(int))]
    factor = min(1.0, long_side / max(chosen[0].shape[1:3]))
    size = [max(1, round(n * factor)) for n in chosen[0].shape[1:3]]
    frames = [np.asarray(tf.round(as_saved(tf.image.resize(f, size, "area")) * 255), np.uint8)[0] for f in chosen]
    milliseconds = [1000 * seconds / len(frames)] * (len(frames) - 1) + [1500]
    data = imageio.imwrite("<bytes>", frames, extension=".gif", duration=milliseconds, loop=0)
    return _write_whole(path, data)


def show_gif(path):
    """An animated GIF inside the notebook's page, so that it is there without the file as well."""
    from IPython import display as notebook

    return notebook.Image(Path(path).read_bytes(), format="gif", alt="G from its start image to the result")
