"""Every made picture by its name: the folder it lies in, the function that renders it, and its seed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pictures.paintings import ink_wash, pointillist_river, poppies, starry_night, woodcut_wave
from pictures.patterns import girih_tiles, mosaic, poured_paint
from pictures.scenes import louvre, pasargadae, persepolis, turbulence


@dataclass(frozen=True)
class Picture:
    """A made picture. `render(width, height, seed)` gives float32 (height, width, 3) RGB in [0, 1]: the same
    for the same arguments, the same composition at every size (but `turbulence`: below 800 px its flow is coarser).
    """

    folder: str  # of images/
    render: Callable[[int, int, int], np.ndarray]
    seed: int  # part of the picture: another seed gives another sky, another flow, other strokes


MADE = {
    "louvre": Picture("content", louvre.render, 7),
    "persepolis": Picture("content", persepolis.render, 7),
    "pasargadae": Picture("content", pasargadae.render, 7),
    "turbulence": Picture("content", turbulence.render, 3),
    "poppies": Picture("style", poppies.render, 1),
    "starry_night": Picture("style", starry_night.render, 1),
    "woodcut_wave": Picture("style", woodcut_wave.render, 1),
    "pointillist_river": Picture("style", pointillist_river.render, 1),
    "ink_wash": Picture("style", ink_wash.render, 1),
    "girih_tiles": Picture("style", girih_tiles.render, 3),
    "poured_paint": Picture("style", poured_paint.render, 3),
    "mosaic": Picture("style", mosaic.render, 3),
}
