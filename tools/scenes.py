"""The four content pictures that nobody else can own: three rendered scenes and one simulated flow.

Every picture is `PICTURES[name](width, height, seed) -> float32 (height, width, 3)` in [0, 1]: the same for
the same arguments, the same composition at every size.
"""

from collections.abc import Callable

import numpy as np
from pictures.scenes.louvre import louvre
from pictures.scenes.pasargadae import pasargadae
from pictures.scenes.persepolis import persepolis
from pictures.scenes.turbulence import turbulence

# Name -> render(width, height, seed).
PICTURES: dict[str, Callable[[int, int, int], np.ndarray]] = {
    "louvre": louvre,
    "persepolis": persepolis,
    "pasargadae": pasargadae,
    "turbulence": turbulence,
}
