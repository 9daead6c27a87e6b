"""Which part of a picture gets which style, and how much of each where several are mixed."""

from dataclasses import dataclass

import numpy as np

from nst_utils import tf
from studio.colours import recoloured
from studio.levels import by_rows
from studio.masks import check_mask, completed, number_of
from studio.scales import style_at

ROUNDING = 1e-6  # of masks that together cover the picture


@dataclass(frozen=True)
class Region:
    """A part of the picture and the style it gets: S, or several whose statistics are mixed.

    images: S, each (1, ., ., 3). shares: how much of each, summing to 1. style_masks: for each S None, or which part
    of it counts, (1, ., ., 1) of its size. mask: None for the whole picture, or (1, n_H, n_W, 1) in [0, 1].
    """

    images: tuple
    shares: tuple = (1.0,)
    style_masks: tuple = (None,)
    mask: tf.Tensor | None = None


class Regions:
    """The styles of a run and where they count, at any size. Raises ValueError for masks and weights that do not fit.

    styles: images, by `names` in messages. masks, style_masks, visible: arrays (h, w), see `stylise`. settings:
    `Settings`.
    """

    def __init__(self, C, styles, names, masks, style_masks, visible, settings):
        count, size = len(styles), C.shape[1:3]
        masks = [check_mask(_numbered("mask", i, masks), mask, "C", size) for i, mask in enumerate(masks)]
        self.masks = completed(masks, count) if masks else []
        self.covered = np.ones(1)
        if self.masks:
            self.covered = np.minimum(sum(at_size(mask, size)[0, ..., 0].numpy() for mask in self.masks), 1)
        self.visible = None if visible is None or np.min(visible) == 1 else check_mask("visible", visible, "C", size)
        if len(style_masks) not in (0, count):
            masks, several = number_of(len(style_masks), "style mask"), number_of(count, "style")
            raise ValueError(f"{masks} for {several}: give one for each, in their order.")
        self.style_masks = [
            check_mask(_numbered("style mask", i, style_masks), mask, name, S.shape[1:3])
            for i, (mask, name, S) in enumerate(zip(style_masks, names, styles, strict=bool(style_masks)))
        ] or [None] * count
        self.scales, self.shares = settings.per_style(count)
        if self.masks and settings.blend_weights is not None:
            raise ValueError("blend_weights beside masks: a mask says where a style counts. Give one of the two.")
        self.styles = styles
        if settings.preserve_colors == "palette":
            where = [None if m is None else m[0, ..., 0].numpy() for m in self._masks_at(size)]
            self.styles = [recoloured(S, C, weights_C=mask) for S, mask in zip(styles, where, strict=True)]

    @property
    def count(self):
        """How many masks lie over C, its opacity included."""
        return len(self.masks) + (self.visible is not None)

    def _masks_at(self, size):
        """For each style where it counts, (1, n_H, n_W, 1): its mask, less what is transparent. None: everywhere."""
        masks = [None if np.min(mask) == 1 else at_size(mask, size) for mask in self.masks] or [None] * len(self.styles)
        if self.visible is None:
            return masks
        visible = at_size(self.visible, size)
        return [visible if mask is None else mask * visible for mask in masks]

    def at(self, size, smallest):
        """[`Region`] for a picture of size (n_H, n_W). smallest: px that the shorter side of a style must have."""
        images = [style_at(S, scale * max(size), smallest) for S, scale in zip(self.styles, self.scales, strict=True)]
        parts = [
            None if mask is None or np.min(mask) == 1 else at_size(mask, S.shape[1:3])
            for mask, S in zip(self.style_masks, images, strict=True)
        ]
        if not self.masks:
            kept = [i for i, share in enumerate(self.shares) if share > 0]
            mixed = (tuple(each[i] for i in kept) for each in (images, self.shares, parts))
            return [Region(*mixed, self._masks_at(size)[0])]
        return [
            Region((S,), style_masks=(part,), mask=mask)
            for S, part, mask in zip(images, parts, self._masks_at(size), strict=True)
        ]

    def within(self, G, C):
        """G where a style counts, C elsewhere."""
        if self.covered.min() > 1 - ROUNDING:
            return G
        inside = at_size(self.covered, C.shape[1:3])
        return by_rows(lambda G, C, inside: inside * G + (1 - inside) * C, G, C, inside)


def _numbered(what, i, of):
    return what if len(of) == 1 else f"{what} {i + 1}"


def at_size(mask, size):
    """A mask (h, w) in [0, 1] as (1, n_H, n_W, 1)."""
    mask = tf.constant(mask, tf.float32)[None, ..., None]
    if mask.shape[1:3] == tuple(size):
        return mask
    return tf.clip_by_value(tf.image.resize(mask, size, "bilinear", antialias=True), 0, 1)


def at_layers(mask, names):
    """{layer: (1, ., ., 1)}: a mask (1, n_H, n_W, 1) averaged over the pixels that each position pools."""
    pooled = [mask]
    for _ in range(max(int(name[4]) for name in names) - 1):
        pooled.append(tf.nn.avg_pool2d(pooled[-1], 2, 2, "VALID"))
    return {name: pooled[int(name[4]) - 1] for name in names}
