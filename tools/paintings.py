"""The style pictures that are painted stroke by stroke, or printed from carved shapes.

`make_images.py` takes them from `PICTURES`.
"""

from collections.abc import Callable

import numpy as np
from pictures.paintings import ink_wash, pointillist_river, poppies, starry_night, woodcut_wave

# Name -> render(width, height, seed): float32 (height, width, 3) RGB in [0, 1], the same for the
# same arguments, and the same composition from 80x60 to 800x600.
PICTURES: dict[str, Callable[[int, int, int], np.ndarray]] = {
    "poppies": poppies.render,
    "starry_night": starry_night.render,
    "woodcut_wave": woodcut_wave.render,
    "pointillist_river": pointillist_river.render,
    "ink_wash": ink_wash.render,
}
