"""A canvas that takes strokes of bristly paint one by one and is lit from the upper left."""

from dataclasses import replace

import numpy as np
from scipy import ndimage

from pictures.toolkit.blend import mix
from pictures.toolkit.noise import noise
from pictures.toolkit.sheet import SHEET_HEIGHT, SHEET_WIDTH, pixel_places
from pictures.toolkit.tips import FEWEST, MOST, VARIANTS, tips
from pictures.toolkit.vectors import turned

LIGHT = np.array([-0.6, -0.8])  # the lamp stands at the upper left


SMALLEST_BRUSH = 2.0  # pixels; finer brushes are grown to this and lay fewer strokes


def _columns(thick):
    """How many columns a tip should have for strokes of that half width in pixels."""
    columns = MOST
    while columns > FEWEST and columns > 3 * thick:
        columns //= 2
    return columns


def _between(printed, along, across):
    """A tip at places given as shares of its length and width, blended from the four nearest marks; empty outside."""
    rows, columns = printed.shape[0] - 2, printed.shape[1] - 2
    row, column = (along * rows + 0.5).clip(0, rows + 0.999), (across * columns + 0.5).clip(0, columns + 0.999)
    i, j = row.astype(np.intp), column.astype(np.intp)
    down, right = (row - i)[..., None], (column - j)[..., None]
    marks, at = printed.reshape(-1, printed.shape[-1]), i * (columns + 2) + j
    upper = mix(marks.take(at, axis=0), marks.take(at + 1, axis=0), right)
    lower = mix(marks.take(at + columns + 2, axis=0), marks.take(at + columns + 3, axis=0), right)
    return mix(upper, lower, down)


class Canvas:
    """Colour and relief of a picture being painted."""

    def __init__(self, width, height, ground, rng, weave=0.25):
        """`width` x `height` pixels primed with the colour `ground`; `weave` is the relief of the cloth."""
        self.scale_x, self.scale_y = width / SHEET_WIDTH, height / SHEET_HEIGHT
        self.scale = float(np.sqrt(self.scale_x * self.scale_y))
        self.rng = rng
        self.x, self.y = pixel_places(width, height)
        self.colour = np.empty((height, width, 3), np.float32)
        self.colour[:] = ground
        threads = np.sin(self.x * 2.1) * np.sin(self.y * 2.1) + 0.5 * noise(self.x, self.y, 2.0, 7)
        fine_enough = np.clip(self.scale * 2 - 1, 0, 1)  # a weave finer than the pixels would only alias
        self.relief = (weave * fine_enough * threads).astype(np.float32)

    def paint(self, laid, tip="flat", glaze=False):
        """Lay the strokes in order; with `glaze` they darken what lies beneath, as ink does, not cover it."""
        laid = self._fit_to_pixels(laid)
        variants = self.rng.integers(VARIANTS, size=len(laid))
        flips = self.rng.choice([-1.0, 1.0], size=len(laid))
        colour = np.stack([laid.colour, laid.second - laid.colour], axis=1).astype(np.float32)
        numbers = np.stack(
            [
                laid.x * self.scale_x,
                laid.y * self.scale_y,
                np.cos(laid.angle),
                np.sin(laid.angle),
                laid.length * self.scale / 2,
                np.maximum(laid.width * self.scale / 2, 0.5),
                laid.bow * self.scale,
            ],
            axis=1,
        ).tolist()
        opacity = laid.opacity * np.minimum(1, laid.width * self.scale)  # a hair thinner than a pixel is pale
        for k, (place, variant, flip) in enumerate(zip(numbers, variants, flips, strict=True)):
            self._lay(place, tip, variant, flip, colour[k], opacity[k], laid.body[k], glaze)

    def _fit_to_pixels(self, laid):
        """Fewer and larger strokes where the brush would be finer than the pixels."""
        brush = np.median(laid.width) * self.scale if len(laid) else SMALLEST_BRUSH
        grow = max(1.0, SMALLEST_BRUSH / brush)
        if grow == 1 or len(laid) < 300:
            return laid
        kept = max(300, int(len(laid) / grow**2))
        grow = np.sqrt(len(laid) / kept)
        laid = laid.pick(np.linspace(0, len(laid) - 1, kept).astype(int))
        return replace(laid, width=laid.width * grow, length=laid.length * np.sqrt(grow))

    def _lay(self, place, tip, variant, flip, colour, opacity, body, glaze):
        """Blend one stroke into the pixels around it."""
        cx, cy, ca, sa, half, thick, bow = place
        reach = thick + abs(bow)
        reach_x, reach_y = abs(ca) * half + abs(sa) * reach + 1, abs(sa) * half + abs(ca) * reach + 1
        high, wide = self.relief.shape
        x0, x1 = max(0, int(cx - reach_x)), min(wide, int(cx + reach_x) + 1)
        y0, y1 = max(0, int(cy - reach_y)), min(high, int(cy + reach_y) + 1)
        if x0 >= x1 or y0 >= y1:
            return
        dx = np.arange(x0, x1, dtype=np.float32) + np.float32(0.5 - cx)
        dy = (np.arange(y0, y1, dtype=np.float32) + np.float32(0.5 - cy))[:, None]
        u, v = turned(dx, dy, ca, sa)
        u = u / half
        if bow:
            v = v - bow * (1 - u * u)
        printed = tips(tip, _columns(thick))[variant]
        mark = _between(printed, (u + 1) / 2, (v * (flip / thick) + 1) / 2)
        cover = mark[..., 0] * opacity
        paint = colour[0] + colour[1] * mark[..., 2:]
        under = self.colour[y0:y1, x0:x1]
        if glaze:
            under *= 1 - cover[..., None] * (1 - paint)
            return
        under += cover[..., None] * (paint - under)
        relief = self.relief[y0:y1, x0:x1]
        relief += cover * (body * mark[..., 1] - 0.75 * relief)

    def lit(self, depth=0.17, gloss=0.06):
        """The finished picture: the relief shaded by a lamp at the upper left, float32 in [0, 1]."""
        smooth = ndimage.gaussian_filter(self.relief, 0.55 * max(self.scale, 0.6))
        slope_y, slope_x = np.gradient(smooth)
        facing = -(slope_x * LIGHT[0] + slope_y * LIGHT[1]) * max(self.scale, self.scale**0.5)
        shade = np.tanh(2.2 * facing)[..., None]
        shine = np.clip(shade, 0, 1) ** 3
        return np.clip(self.colour * (1 + depth * shade) + gloss * shine, 0, 1).astype(np.float32)
