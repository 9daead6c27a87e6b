"""The carving of the palace: a bay of its wall and one of its roof, as height maps that are lit."""

import numpy as np
from scipy import ndimage

from pictures.toolkit.blend import smoothstep
from pictures.toolkit.vectors import dot, unit


class Relief:
    """A carved bay, periodic to the side: heights in metres, lit once for each way it may face."""

    def __init__(self, wide, tall, per_metre):
        self.wide, self.tall, self.per_metre = wide, tall, per_metre
        u = (np.arange(int(wide * per_metre)) + 0.5) / per_metre - wide / 2
        v = tall - (np.arange(int(tall * per_metre)) + 0.5) / per_metre
        self.u, self.v = np.meshgrid(u.astype(np.float32), v.astype(np.float32))
        self.height = np.zeros_like(self.u)
        self.pane = np.zeros_like(self.u)

    def within(self, half, low, high):
        """A mask: up to `half` from the middle of the bay, from `low` to `high`."""
        return (np.abs(self.u) < half) & (self.v > low) & (self.v < high)

    def raise_to(self, where, height):
        """Raise the surface to at least `height` where a mask holds."""
        self.height = np.where(where, np.maximum(self.height, height), self.height)

    def window(self, half, low, high, depth, arch=False):
        """Cut a window: its reveal, panes and glazing bars."""
        opening = self.within(half, low, high)
        if arch:
            opening |= (np.hypot(self.u, self.v - high) < half) & (self.v >= high)
        bars = (np.abs(np.abs(self.u) % (half * 0.98) - 0.0) < 0.07) | (np.abs((self.v - low) % 1.05) < 0.07)
        self.height = np.where(opening, np.where(bars, -depth + 0.1, -depth), self.height)
        self.pane = np.where(opening & ~bars, 1.0, self.pane)

    def lit(self, sideways, up, outwards):
        """Sunlight for a sun in that direction (of the facade's own axes), and openness to the sky."""
        slope_v, slope_u = np.gradient(self.height, 1 / self.per_metre)
        normal = unit([-slope_u, slope_v, np.ones_like(slope_u)])
        bright = np.clip(dot(normal, (sideways, up, max(outwards, 0))), 0, 1.2)
        if outwards <= 0:
            bright = np.zeros_like(bright)
        else:
            for way in np.arange(0.05, 1.6, 0.05):
                shift_u, shift_v = sideways * way * self.per_metre, up * way * self.per_metre
                higher = np.roll(self.height, (round(shift_v), -round(shift_u)), (0, 1))
                bright = bright * (1 - 0.9 * smoothstep(0.0, 0.04, higher - self.height - outwards * way))
        around = [
            ndimage.gaussian_filter(self.height, s * self.per_metre, mode=("nearest", "wrap")) for s in (0.1, 0.4)
        ]
        hollow = sum(np.clip(soft - self.height, 0, 0.6) for soft in around)
        return bright, np.clip(1 - 1.1 * hollow, 0.2, 1)


def palace_bay(per_metre):
    """One bay of the facade, 5 m wide: arcade, order of columns with pedimented window, attic, balustrade."""
    bay = Relief(5.0, 21.0, per_metre)
    u, v = bay.u, bay.v
    edge = 2.5 - np.abs(u)
    bay.raise_to(v < 0.9, 0.3)
    grooves = (v < 7.0) & ((v + 0.2) % 0.75 < 0.08)
    bay.height = np.where(grooves & (v > 0.9), -0.07, bay.height)
    bay.raise_to((np.hypot(u, v - 4.3) < 1.6) & (v > 4.3), 0.14)
    bay.raise_to((np.abs(u) < 0.24 + 0.08 * (v - 5.4)) & (v > 5.3) & (v < 6.7), 0.28)
    bay.window(1.25, 0.9, 4.3, 0.75, arch=True)
    for low, high, out in (
        (6.9, 7.15, 0.3),
        (7.15, 7.5, 0.5),
        (14.0, 14.5, 0.3),
        (14.5, 15.3, 0.2),
        (15.3, 15.8, 0.75),
    ):
        bay.raise_to((v > low) & (v <= high), out)
    bay.raise_to((v > 15.05) & (v < 15.3) & (u % 0.42 < 0.22), 0.5)
    # Paired half-columns where two bays meet, with base and flaring capital.
    flare = 0.10 * smoothstep(13.2, 13.9, v) + 0.07 * smoothstep(8.2, 7.8, v)
    column = np.abs(edge - 0.52) - 0.27 - flare
    bay.raise_to((column < 0) & (v > 7.5) & (v < 14.0), 0.12 + 0.5 * np.sqrt(np.clip(-column / 0.3, 0, 1)))
    bay.raise_to((edge < 0.95) & (v > 14.0) & (v < 15.3), 0.42)
    bay.raise_to(bay.within(1.22, 8.2, 12.5), 0.13)
    bay.raise_to((v > 12.5) & (v < 13.5 - 0.55 * np.abs(u)) & (np.abs(u) < 1.45), 0.3)
    bay.raise_to((np.abs(v - 13.42 + 0.55 * np.abs(u)) < 0.13) & (np.abs(u) < 1.55) & (v > 12.5), 0.5)
    bay.raise_to(bay.within(1.5, 12.42, 12.62), 0.48)
    bay.window(0.92, 8.75, 12.2, 0.5)
    bay.raise_to(bay.within(1.2, 7.6, 8.6) & ((u % 0.34 < 0.18) | (v > 8.45)), 0.2)
    bay.raise_to((edge < 0.8) & (v > 15.8) & (v < 19.2), 0.2)
    bay.raise_to(bay.within(1.0, 16.2, 18.7), 0.14)
    bay.window(0.72, 16.5, 18.4, 0.4)
    bay.raise_to((v > 19.2) & (v < 19.7), 0.5)
    balusters = (u % 0.36 < 0.2) | (v > 20.7) | (v < 19.95) | (edge < 0.5)
    bay.height = np.where(v > 19.7, np.where(balusters, 0.12, -0.3), bay.height)
    return bay


def roof_bay(per_metre):
    """One bay of slate roof with its stone dormer."""
    bay = Relief(5.0, 10.0, per_metre)
    bay.height = 0.05 * ((bay.v / 0.42) % 1) + 0.02 * (np.floor(bay.u / 0.3 + 0.5 * np.floor(bay.v / 0.42)) % 2)
    bay.raise_to(bay.within(1.05, 0.4, 3.6), 0.5)
    bay.raise_to((bay.v > 3.6) & (bay.v < 4.6 - 0.6 * np.abs(bay.u)) & (np.abs(bay.u) < 1.35), 0.65)
    bay.window(0.6, 0.9, 3.2, 0.1)
    bay.raise_to(bay.v > 9.6, 0.3)
    return bay
