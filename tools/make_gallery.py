#!/usr/bin/env python3
"""Make the pictures of the README anew: the original course's four subjects, with the project's own pictures.

    python tools/make_gallery.py             all
    python tools/make_gallery.py louvre      one

Writes images/gallery/CONTENT_STYLE.jpg.
"""

import sys
from pathlib import Path

import nst_utils as nst
from studio.optimise import stylise

PROJECT = Path(__file__).resolve().parent.parent
LONG_SIDE = 560  # px
PLAIN = {"beta": 70.0, "evaluations": (110, 90)}
STRONG = {"beta": 1000.0, "evaluations": (150, 120, 60)}  # where the style is a pattern larger than a stroke
PAIRS = {
    "louvre": ("poppies", PLAIN),
    "persepolis": ("starry_night", PLAIN),
    "pasargadae": ("girih_tiles", STRONG),
    "turbulence": ("poured_paint", STRONG),
}


def main():
    chosen = sys.argv[1:] or list(PAIRS)
    if unknown := [name for name in chosen if name not in PAIRS]:
        sys.exit(f"{', '.join(unknown)}: not in the gallery. Choose from {', '.join(PAIRS)}.")
    vgg = nst.load_vgg19("vgg19-slim")
    for content in chosen:
        style, options = PAIRS[content]
        C = nst.load_image(PROJECT / "images" / "content" / f"{content}.jpg", LONG_SIDE)
        S = nst.load_image(PROJECT / "images" / "style" / f"{style}.jpg", LONG_SIDE)
        *_, last = stylise(C, S, vgg, **options)
        print(nst.save_image(last.image, PROJECT / "images" / "gallery" / f"{content}_{style}.jpg"))


if __name__ == "__main__":
    main()
