#!/usr/bin/env python3
"""Train vgg19-slim: a narrow VGG-19 that learns to see as VGG-19 sees.

    python tools/train_slim.py --teacher vgg19.h5 --pictures FOLDER [FOLDER ...]
    python tools/train_slim.py --teacher vgg19_blocks1-3.npz encoder.npz --pictures FOLDER
    python tools/train_slim.py --start pretrained-model/vgg19-slim.npz --teacher ...    (go on from there)
    python tools/train_slim.py --start vgg19-slim.npz --widths 16 48 80 112 256 --teacher ...    (wider)
    python tools/train_slim.py --floor --teacher ... --pictures ...
    python tools/train_slim.py --compare vgg19.h5

Distillation (Hinton et al. 2015; hints as in FitNets, Romero et al. 2015): the student's
activations, through throw-away 1x1 convolutions, predict the teacher's at nine layers, and its
Gram matrices keep the teacher's geometry (see `gram_error`). The student has average pooling
and zero padding, the teacher the max pooling it was trained with.

Checkpoints go to --work; the same command resumes from the last one. The batch of a step
depends on the seed and the step alone, so a resumed run sees what an uninterrupted one sees.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Convolutions may run in bfloat16; the products of `gram_error` stay float32.
os.environ["TF_AUTO_MIXED_PRECISION_GRAPH_REWRITE_ALLOWLIST_REMOVE"] = "MatMul,_FusedMatMul,BatchMatMul,BatchMatMulV2"

import keras
import numpy as np
import tensorflow as tf
from PIL import Image
from tqdm import tqdm

import nst_utils
from nst_support import weight_files
from nst_support.whole_file import whole_file

# How much the error of the prediction and the Gram error at a layer count. The costs compare
# styles at convL_1 and contents at conv4_2; the layers between help to learn.
LAYER_WEIGHTS = {
    "conv1_1": (1.0, 1.0),
    "conv1_2": (0.5, 0.2),
    "conv2_1": (1.0, 1.0),
    "conv2_2": (0.5, 0.2),
    "conv3_1": (1.0, 1.0),
    "conv3_3": (0.7, 0.2),
    "conv4_1": (1.0, 1.0),
    "conv4_2": (2.0, 1.0),
    "conv5_1": (1.5, 1.0),
}
CENTRED = 0.7  # share of the Gram error that is taken of activations less their mean
SCALES = (0.5, 0.75, 1.0, 1.5)
RESULTS_SHARE = 0.2  # of the crops, if there are --results
WIDTHS = (16, 48, 80, 112, 112)  # of the five blocks
HELD_OUT = 20  # every 20th picture is kept for measuring, never trained on


# ---------------------------------------------------------------------------- teachers


class Teacher:
    """The networks that are imitated, as one function from pictures to targets.

    `paths`: a full Keras VGG-19 `.h5`; or an `.npz` of its first blocks under the Keras names;
    and, for deeper layers, an `.npz` of a compressed encoder (Wang et al., CVPR 2020) whose
    `convL_1_aux` 1x1 convolutions lead back to VGG-19's channels. The first file that has a
    layer teaches it.
    """

    def __init__(self, paths):
        self.networks = [self._read(path) for path in paths]
        self.names = list(dict.fromkeys(n for weights, _, _ in self.networks for n in weights))
        missing = [n for n in LAYER_WEIGHTS if n not in self.names]
        if missing:
            sys.exit(f"--teacher: no file has {', '.join(missing)}")

    @staticmethod
    def _read(path):
        path = Path(path)
        if not path.is_file():
            sys.exit(f"--teacher {path}: no such file")
        if path.suffix != ".npz":
            return weight_files.read_weights(path), {}, "SAME"
        with np.load(path, allow_pickle=False) as file:
            arrays = {k: np.asarray(file[k], np.float32) for k in file.files}
        convs = sorted({k.split("/")[0] for k in arrays})
        pairs = {n: (arrays[f"{n}/kernel"], arrays[f"{n}/bias"]) for n in convs}
        aux = {n[:-4]: p for n, p in pairs.items() if n.endswith("_aux")}
        weights = {
            n.replace("block", "conv").replace("_conv", "_"): p for n, p in pairs.items() if not n.endswith("_aux")
        }
        return weights, aux, "REFLECT" if aux else "SAME"

    def __call__(self, images):
        """(B, n, n, 3) pictures in [0, 1] -> {layer: (features, Gram features, margin)}.

        `margin` positions at each edge do not count: there the encoder's reflection padding
        and the student's zero padding see different things.
        """
        targets, wanted = {}, set(LAYER_WEIGHTS)
        for weights, aux, padding in self.networks:
            a = images[..., ::-1] * 255.0 - tf.constant(nst_utils.BGR_MEAN)
            here = sorted(wanted.intersection(weights))
            for name in sorted(weights):
                if not here or name > here[-1]:
                    break
                kernel, bias = (tf.constant(w) for w in weights[name])
                if name.endswith("_1") and name != "conv1_1":
                    a = tf.nn.max_pool2d(a, 2, 2, "VALID")
                if padding == "REFLECT":
                    a = tf.pad(a, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT")
                a = tf.nn.relu(tf.nn.conv2d(a, kernel, 1, "VALID" if aux else "SAME") + bias)
                if name in here:
                    gram_features = a
                    if name in aux:
                        k, b = aux[name]
                        gram_features = tf.nn.relu(tf.nn.conv2d(a, k, 1, "SAME") + b)
                    margin = 0 if not aux else 2 if name < "conv5" else 1
                    targets[name] = (a, gram_features, margin)
            wanted -= set(here)
        return targets


# ---------------------------------------------------------------------------- pictures


class Pictures:
    """Random crops of all pictures in some folders, each folder drawn from equally often.

    results: a folder of stylised pictures, half-way and finished, for `RESULTS_SHARE` of the crops:
    what a student sees wrongly in them is what the search for G exploits. They are used at their own
    size, since scaling would remove their finest noise, and none is held out.
    """

    def __init__(self, folders, side, batch, seed, results=None):
        self.side, self.batch, self.seed = side, batch, seed
        self.train, self.test = [], []
        for folder in folders:
            pyramids = self._read(folder, SCALES)
            self.test += pyramids[::HELD_OUT]
            self.train.append([p for i, p in enumerate(pyramids) if i % HELD_OUT])
        shares = [1 / len(self.train)] * len(self.train)
        if results:
            self.train.append(self._read(results, (1.0,)))
            shares = [share * (1 - RESULTS_SHARE) for share in shares] + [RESULTS_SHARE]
        self.shares = np.array(shares)

    def _read(self, folder, scales):
        paths = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
        if not paths:
            sys.exit(f"{folder}: no pictures there (jpg, png, webp)")
        return [self._pyramid(p, scales) for p in tqdm(paths, f"reading {Path(folder).name}", leave=False)]

    def _pyramid(self, path, scales):
        image = Image.open(path).convert("RGB")
        sizes = [(max(self.side, round(image.width * s)), max(self.side, round(image.height * s))) for s in scales]
        return [np.asarray(image.resize(size, Image.LANCZOS)) for size in sizes]

    def _any_crop(self, rng):
        folder = self.train[rng.choice(len(self.train), p=self.shares)]
        return self._crop(folder[rng.integers(len(folder))], rng)

    def _crop(self, pyramid, rng):
        image = pyramid[rng.integers(len(pyramid))]
        y, x = (rng.integers(n - self.side + 1) for n in image.shape[:2])
        crop = image[y : y + self.side, x : x + self.side].astype(np.float32) / 255
        crop = crop[:, ::-1] if rng.random() < 0.5 else crop
        return np.rot90(crop, rng.integers(4)) if rng.random() < 0.3 else crop

    def step(self, step):
        """The batch of a step, (B, side, side, 3) float32 in [0, 1], the same on every machine.

        Some crops are what the optimisation of a picture passes through rather than pictures:
        blends, odd colours, noise. The student must be right about those as well, or noise
        that only the student likes ends up in the results.
        """
        rng = np.random.default_rng((self.seed, step))
        out = np.empty((self.batch, self.side, self.side, 3), np.float32)
        for i in range(self.batch):
            crop = self._any_crop(rng)
            if rng.random() < 0.15:
                share = rng.uniform(0.2, 0.8)
                crop = share * crop + (1 - share) * self._any_crop(rng)
            if rng.random() < 0.3:
                crop = (crop - 0.5) * rng.uniform(0.6, 1.6, 3) + 0.5 + rng.uniform(-0.15, 0.15, 3)
            if rng.random() < 0.25:
                crop = crop + rng.normal(0, rng.uniform(0, 0.15), crop.shape)
            out[i] = np.clip(crop, 0, 1)
        return out

    def calibration(self):
        """Crops by which a teacher's channels are scaled and the first heads found."""
        return tf.concat([self.step(10**9 + i) for i in range(8)], 0)  # steps never reached

    def held_out(self):
        """One crop of every picture that is never trained on, at half size or full."""
        rng = np.random.default_rng(self.seed)
        crops = []
        for pyramid in self.test:
            image = pyramid[rng.choice([0, 2])]
            y, x = (rng.integers(n - self.side + 1) for n in image.shape[:2])
            crops.append(image[y : y + self.side, x : x + self.side].astype(np.float32) / 255)
        return np.stack(crops)


# ---------------------------------------------------------------------------- the errors


def sample(a, name, margin):
    """The positions of activations at which the errors are taken: the edges do not count where
    paddings differ, and in the first two blocks neighbours are so alike that every fourth does."""
    a = a[:, margin:-margin, margin:-margin] if margin else a
    return a[:, ::2, ::2] if name < "conv3" else a


def gram_error(student, teacher):
    """How far the student's Gram matrices are from telling pictures apart as the teacher's do.

    The Frobenius product of two pictures' Gram matrices is sum_ij (a_i . b_j)^2 over their
    positions: all distances between styles follow from the products of activations at pairs of
    positions. This is one minus the cosine between all those products in both networks, which
    is one minus linear CKA (Kornblith et al. 2019): 0 if every style distance is the teacher's up
    to one factor. Returned without and with centring: the second is that of covariances.
    Activations (B, h, w, C), any two widths.
    """
    s = tf.reshape(student, [-1, student.shape[-1]])
    t = tf.reshape(teacher, [-1, teacher.shape[-1]])
    n = tf.cast(tf.shape(s)[0], tf.float32)
    mean_s, mean_t = tf.reduce_mean(s, 0), tf.reduce_mean(t, 0)
    ss, st, tt = (tf.matmul(a, b, transpose_a=True) / n for a, b in ((s, s), (s, t), (t, t)))

    def one_minus_cosine(ss, st, tt):
        return 1.0 - tf.reduce_sum(st**2) / (tf.norm(ss) * tf.norm(tt) + 1e-12)

    def outer(a, b):
        return a[:, None] * b[None, :]

    centred = one_minus_cosine(ss - outer(mean_s, mean_s), st - outer(mean_s, mean_t), tt - outer(mean_t, mean_t))
    return one_minus_cosine(ss, st, tt), centred


def channel_scale(target):
    """Factors for a teacher's channels, after which their variances have the mean 1.

    The square root of what would make all channels count alike: covariances, and distances between
    contents, are made of the strong channels, but a teacher's weak ones tell pictures apart as well.
    """
    std = tf.math.reduce_std(target, [0, 1, 2])
    floored = tf.maximum(std, 0.1 * tf.sqrt(tf.reduce_mean(std**2)))  # dead channels
    return 1 / tf.sqrt(floored * tf.reduce_mean(std**2 / floored))


def random_weights(widths, rng):
    """{layer: (kernel, bias)} to conv5_1, He et al. 2015."""
    weights, n_in = {}, 3
    for name in nst_utils.LAYERS[: nst_utils.LAYERS.index("conv5_1") + 1]:
        n_out = widths[int(name[4]) - 1]
        kernel = rng.normal(0, np.sqrt(2 / (9 * n_in)), (3, 3, n_in, n_out))
        if name == "conv1_1":
            kernel /= 64  # its input is 0..255, not of unit size
        weights[name] = (kernel.astype(np.float32), np.zeros(n_out, np.float32))
        n_in = n_out
    return weights


def widened(weights, widths, rng):
    """The same network with more channels: the old ones compute what they did and do not see the new.

    The kernels of new channels are noise as strong as the layer's own numbers.
    """
    wide, n_in = {}, 3
    for name, (kernel, bias) in weights.items():
        n_out = widths[int(name[4]) - 1]
        old_in, old_out = kernel.shape[2:]
        if old_out > n_out:
            sys.exit(f"--widths: {name} has {old_out} channels at the start, which cannot become {n_out}")
        new = np.float32(rng.normal(0, kernel.std(), (3, 3, n_in, n_out)))
        new[..., :old_out] = 0
        new[:, :, :old_in, :old_out] = kernel
        wide[name] = new, np.concatenate([bias, np.zeros(n_out - old_out, np.float32)])
        n_in = n_out
    return wide


def best_head(a, target):
    """The 1x1 convolution (kernel, bias) that predicts `target` from `a` best, by least squares."""
    a, target = (np.reshape(x, (-1, x.shape[-1])).astype(np.float64) for x in (a, target))
    mean_a, mean_target = a.mean(0), target.mean(0)
    a, target = a - mean_a, target - mean_target
    ridge = 1e-3 * np.mean(a**2) * len(a)
    kernel = np.linalg.solve(a.T @ a + ridge * np.eye(a.shape[1]), a.T @ target)
    return tf.Variable(np.float32(kernel)[None, None]), tf.Variable(np.float32(mean_target - mean_a @ kernel))


class Trainer:
    def __init__(self, teacher, pictures, widths, steps, peak, gram, decay, start=None):
        self.teacher, self.gram = teacher, gram
        keras.utils.set_random_seed(pictures.seed)
        rng = np.random.default_rng(pictures.seed)
        weights = weight_files.read_weights(start) if start else random_weights(widths or WIDTHS, rng)
        if start and widths:
            weights = widened(weights, widths, rng)
        self.student = nst_utils.build_vgg19(weights, list(LAYER_WEIGHTS), trainable=True)

        self.scale, self.heads = {}, {}
        crops = pictures.calibration()
        ours = self.student(crops)
        for name, (target, _, _) in teacher(crops).items():
            self.scale[name] = channel_scale(target)
            self.heads[name] = best_head(ours[name], target * self.scale[name])

        warm = max(1, steps // 20)
        schedule = keras.optimizers.schedules.CosineDecay(
            0.05 * peak, max(1, steps - warm), warmup_target=peak, warmup_steps=warm, alpha=1e-3
        )
        self.variables = list(self.student.trainable_variables) + [v for h in self.heads.values() for v in h]
        self.optimizer = keras.optimizers.AdamW(schedule, weight_decay=decay, clipnorm=5.0)
        self.optimizer.exclude_from_weight_decay(var_list=[v for v in self.variables if len(v.shape) == 1])
        self.optimizer.build(self.variables)

    def errors(self, images):
        """Per layer: the relative squared error of the prediction, the Gram error and the centred one."""
        ours = self.student(images)
        activation, gram, centred = {}, {}, {}
        for name, (target, gram_features, margin) in self.teacher(images).items():
            kernel, bias = self.heads[name]
            a, target = sample(ours[name], name, margin), sample(target, name, margin)
            difference = tf.nn.conv2d(a, kernel, 1, "SAME") + bias - target * self.scale[name]
            activation[name] = tf.reduce_mean(tf.square(difference))
            gram[name], centred[name] = gram_error(a, sample(gram_features, name, margin))
        return activation, gram, centred

    @tf.function
    def step(self, images):
        with tf.GradientTape() as tape:
            activation, gram, centred = self.errors(images)
            loss = tf.add_n(
                [
                    w * activation[n] + self.gram * w_gram * ((1 - CENTRED) * gram[n] + CENTRED * centred[n])
                    for n, (w, w_gram) in LAYER_WEIGHTS.items()
                ]
            )
        self.optimizer.apply_gradients(zip(tape.gradient(loss, self.variables), self.variables, strict=False))
        return loss

    @tf.function
    def measure(self, images):
        return self.errors(images)


def train(args):
    teacher = Teacher(args.teacher)
    pictures = Pictures(args.pictures, args.side, args.batch, args.seed, args.results)
    trainer = Trainer(teacher, pictures, args.widths, args.steps, args.peak, args.gram, args.decay, args.start)
    done = tf.Variable(0, dtype=tf.int64)
    seconds = tf.Variable(0.0)
    state = tf.train.Checkpoint(
        student=trainer.student,
        heads=[v for h in trainer.heads.values() for v in h],
        optimizer=trainer.optimizer,
        done=done,
        seconds=seconds,
    )
    manager = tf.train.CheckpointManager(state, args.work, max_to_keep=2)
    if manager.latest_checkpoint:
        state.restore(manager.latest_checkpoint).assert_consumed()
        print(f"resuming at step {int(done)} from {manager.latest_checkpoint}", flush=True)
    held_out = np.array_split(pictures.held_out(), min(4, len(pictures.test)))

    def measure():
        parts = [trainer.measure(tf.constant(part)) for part in held_out]
        return [{n: float(np.mean([p[i][n] for p in parts])) for n in LAYER_WEIGHTS} for i in range(3)]

    def keep():
        manager.save()
        activation, gram, centred = measure()
        line = "  ".join(f"{n[4:]} {activation[n]:.3f}/{gram[n]:.4f}/{centred[n]:.4f}" for n in LAYER_WEIGHTS)
        tqdm.write(f"step {int(done)}, {float(seconds):.0f} s, held-out error/Gram error/centred: {line}")
        sys.stdout.flush()

    start, before = time.monotonic(), float(seconds)
    bar = tqdm(range(int(done), args.steps), "training", initial=int(done), total=args.steps, mininterval=args.quiet)
    for i in bar:
        loss = trainer.step(tf.constant(pictures.step(i)))
        done.assign(i + 1)
        if i % 20 == 0:
            bar.set_postfix_str(f"loss {float(loss):.3f}", refresh=False)
        if not np.isfinite(float(loss)):
            sys.exit(f"step {i}: the loss is not finite; lower --peak. Checkpoints are in {args.work}")
        if (i + 1) % args.every == 0 or i + 1 == args.steps:
            seconds.assign(before + time.monotonic() - start)
            keep()
    if args.steps <= int(done) and args.out:
        activation, gram, centred = measure()
        settings = {
            "widths": [trainer.student.get_layer(f"conv{b}_1").filters for b in range(1, 6)],
            "pooling": "average",
            "padding": "zero, same",
            "input": "BGR, 0..255, ImageNet mean subtracted",
            "teacher": [Path(p).name for p in args.teacher],
            "pictures": sum(map(len, pictures.train[: len(args.pictures)])),
            "start": started(args.start),
            "steps": args.steps,
            "batch": [args.batch, args.side, args.side],
            "optimiser": f"AdamW, one cycle, peak {args.peak}, weight decay {args.decay}",
            "gram_weight": args.gram,
            "centred": CENTRED,
            "results": len(pictures.train[-1]) if args.results else 0,
            "layer_weights": LAYER_WEIGHTS,
            "seed": args.seed,
            "minutes": round(float(seconds) / 60, 1),
            "held_out_error": {n: round(v, 4) for n, v in activation.items()},
            "held_out_gram_error": {n: round(v, 5) for n, v in gram.items()},
            "held_out_covariance_error": {n: round(v, 5) for n, v in centred.items()},
        }
        write(args.out, trainer.student, settings)


def started(path):
    """The settings with which the network was trained that the training started from."""
    if not path:
        return "random weights (He)"
    with np.load(path, allow_pickle=False) as file:
        return json.loads(str(file["settings"])) if "settings" in file.files else Path(path).name


def write(path, student, settings):
    """The student as float16 arrays `layer/kernel`, `layer/bias` and its settings as JSON."""
    arrays = {}
    for name in nst_utils.LAYERS[: nst_utils.LAYERS.index("conv5_1") + 1]:
        kernel, bias = student.get_layer(name).get_weights()
        arrays[f"{name}/kernel"], arrays[f"{name}/bias"] = kernel.astype(np.float16), bias.astype(np.float16)
    with whole_file(path) as part:
        np.savez_compressed(part, settings=np.array(json.dumps(settings)), **arrays)
    print(f"wrote {path}, {Path(path).stat().st_size:,} bytes")


# ---------------------------------------------------------------------------- the floor


def floor(args):
    """Print, per layer, the error of prediction that the number of the student's channels alone causes.

    A linear head on n channels reaches at best the n main components of the teacher's activations;
    what is left of their variance is the least possible error, measured as in training.
    """
    teacher = Teacher(args.teacher)
    pictures = Pictures(args.pictures, args.side, args.batch, args.seed)
    scales = {name: channel_scale(target) for name, (target, _, _) in teacher(pictures.calibration()).items()}
    crops = np.array_split(pictures.held_out(), min(4, len(pictures.test)))
    seen = [teacher(tf.constant(part)) for part in crops]
    shares = (0.1, 0.05, 0.02)
    print("layer    channels of teacher, student   least error   channels for " + ", ".join(map(str, shares)))
    for name, scale in scales.items():
        parts = [sample(targets[name][0], name, targets[name][2]) * scale for targets in seen]
        a = np.concatenate([np.reshape(part, (-1, part.shape[-1])) for part in parts]).astype(np.float64)
        variances = np.maximum(np.linalg.eigvalsh(np.cov(a, rowvar=False))[::-1], 0)
        least = np.append(variances[::-1].cumsum()[::-1], 0) / len(variances)  # by number of channels, from 0
        width = (args.widths or WIDTHS)[int(name[4]) - 1]
        enough = "  ".join(f"{np.argmax(least <= share):4d}" for share in shares)
        print(f"{name}  {len(variances):8d} {width:8d} {least[min(width, len(variances))]:24.3f} {enough:>24s}")


# ---------------------------------------------------------------------------- the comparison


def compare(student_path, teacher_paths):
    """Print, per layer, the largest cosine between a student's filter and a teacher's.

    A filter of a deeper layer reads the channels of its own network, so the teacher's filters
    are restricted to the input channels whose filters resembled the student's the most one
    layer up. A network cut out of its teacher would show 1.00 throughout.
    """
    student = weight_files.read_weights(student_path)
    for path in teacher_paths:
        weights, _, _ = Teacher._read(path)
        print(f"largest cosine between a filter of {Path(student_path).name} and one of {Path(path).name}:")
        channels = np.arange(3)
        for name in sorted(set(student) & set(weights)):
            ours, theirs = student[name][0], weights[name][0][:, :, channels]
            a, b = (
                k.reshape(-1, k.shape[-1]) / np.linalg.norm(k.reshape(-1, k.shape[-1]), axis=0) for k in (ours, theirs)
            )
            cosine = a.T @ b
            print(f"  {name}  {cosine.max():.2f}   (median over filters {np.median(cosine.max(1)):.2f})")
            channels = cosine.argmax(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n", 1)[1])
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--teacher", nargs="+", default=[], metavar="FILE")
    parser.add_argument("--pictures", nargs="+", default=[], metavar="FOLDER")
    parser.add_argument(
        "--widths",
        nargs=5,
        type=int,
        metavar="N",
        help=f"channels per block: {' '.join(map(str, WIDTHS))}, or --start's own, which may be widened",
    )
    parser.add_argument("--start", metavar="FILE", help="go on from this network")
    parser.add_argument("--results", metavar="FOLDER", help="stylised pictures, to be seen rightly as well")
    parser.add_argument("--floor", action="store_true", help="print the error that no student of a width can beat")
    parser.add_argument("--steps", type=int, default=12_000)
    parser.add_argument("--batch", type=int, default=8, help="crops in a batch")
    parser.add_argument("--side", type=int, default=128, help="side of a crop, a multiple of 16")
    parser.add_argument("--peak", type=float, default=3e-3, help="highest learning rate")
    parser.add_argument("--decay", type=float, default=1e-4, help="weight decay")
    parser.add_argument("--gram", type=float, default=4.0, help="weight of the Gram error")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=500, help="steps between checkpoints")
    parser.add_argument("--quiet", type=float, default=0.5, metavar="SECONDS", help="between updates of the bar")
    parser.add_argument("--float32", action="store_true", help="do not use the processor's bfloat16")
    parser.add_argument("--work", default="outputs/train_slim", help="folder of the checkpoints")
    parser.add_argument("--out", default="pretrained-model/vgg19-slim.npz", help="file to write at the end")
    parser.add_argument(
        "--compare", nargs="+", metavar="TEACHER", help="compare --out's filters with a teacher's, and stop"
    )
    args = parser.parse_args()
    if args.compare:
        return compare(args.out, args.compare)
    if not args.teacher or not args.pictures:
        parser.error("--teacher and --pictures say what to learn and from what")
    if args.side % 16:
        parser.error("--side must be a multiple of 16")
    # Activations in bfloat16 where the processor multiplies it; weights and sums stay float32.
    tf.config.optimizer.set_experimental_options({"auto_mixed_precision_onednn_bfloat16": not args.float32})
    return floor(args) if args.floor else train(args)


if __name__ == "__main__":
    main()
