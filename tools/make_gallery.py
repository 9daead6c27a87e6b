#!/usr/bin/env python3
"""Make the pictures of the README anew: the original course's four subjects, with the project's own pictures.

    python tools/make_gallery.py             all
    python tools/make_gallery.py louvre      one

Writes images/gallery/CONTENT_STYLE.jpg.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import nst_utils as nst
from studio.optimise import stylise

PROJECT = Path(__file__).resolve().parent.parent
PAIRS = {
    "louvre": "poppies",
    "persepolis": "starry_night",
    "pasargadae": "girih_tiles",
    "turbulence": "poured_paint",
}
LONG_SIDE = 560  # px
BETA = 70.0


def main():
    chosen = sys.argv[1:] or list(PAIRS)
    if unknown := [name for name in chosen if name not in PAIRS]:
        sys.exit(f"{', '.join(unknown)}: not in the gallery. Choose from {', '.join(PAIRS)}.")
    vgg = nst.load_vgg19("vgg19-slim")
    for content in chosen:
        style = PAIRS[content]
        C = nst.load_image(PROJECT / "images" / "content" / f"{content}.jpg", LONG_SIDE)
        S = nst.load_image(PROJECT / "images" / "style" / f"{style}.jpg", LONG_SIDE)
        *_, last = stylise(C, S, vgg, beta=BETA)
        print(nst.save_image(last.image, PROJECT / "images" / "gallery" / f"{content}_{style}.jpg"))


if __name__ == "__main__":
    main()
