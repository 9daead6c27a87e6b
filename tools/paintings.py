"""The style pictures that are painted stroke by stroke, or printed from carved shapes.

`make_images.py` takes them from `PICTURES`.
"""

from collections.abc import Callable

import numpy as np
import painting_ink
import painting_night
import painting_poppies
import painting_river
import painting_wave

# Name -> render(width, height, seed): float32 (height, width, 3) RGB in [0, 1], the same for the
# same arguments, and the same composition from 80x60 to 800x600.
PICTURES: dict[str, Callable[[int, int, int], np.ndarray]] = {
    "poppies": painting_poppies.render,
    "starry_night": painting_night.render,
    "woodcut_wave": painting_wave.render,
    "pointillist_river": painting_river.render,
    "ink_wash": painting_ink.render,
}
