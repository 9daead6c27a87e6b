"""The style pictures that are patterns: tiles, poured paint, mosaic.

    python tools/patterns.py FOLDER

writes all of them at 800x600; `make_images.py` takes them from `PICTURES`.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pictures.patterns import girih_tiles, mosaic, poured_paint
from PIL import Image

# Name -> render(width, height, seed): float32 (height, width, 3) RGB in [0, 1], the same for the
# same arguments, and the same composition from 80x60 to 800x600.
PICTURES: dict[str, Callable[[int, int, int], np.ndarray]] = {
    "girih_tiles": girih_tiles.render,
    "poured_paint": poured_paint.render,
    "mosaic": mosaic.render,
}
SEED = 3  # of the pictures in images/style


def main(folder):
    """Writes every picture to `folder` as a JPEG of quality 90."""
    for name, render in PICTURES.items():
        picture = render(800, 600, SEED)
        Image.fromarray((picture * 255 + 0.5).astype(np.uint8)).save(Path(folder) / f"{name}.jpg", quality=90)


if __name__ == "__main__":
    main(*sys.argv[1:])
