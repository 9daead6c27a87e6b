#!/usr/bin/env python3
"""Make the pictures of the README anew, with the bundled network, from pictures that the project ships.

    python tools/make_gallery.py                      all, into outputs/gallery/
    python tools/make_gallery.py louvre_poppies       one
    python tools/make_gallery.py --out images/gallery over those that the project ships

1,200 px on the longer side, one setting for all.
"""

import argparse
from pathlib import Path

import nst_utils as nst
from nst_support.pictures import save_image
from studio.optimise import stylise

PROJECT = Path(__file__).resolve().parent.parent
LONG_SIDE, BETA = 1200, 18.0  # px; strength: the default one of 400 px, below that of this size
QUALITIES, LARGEST = (90, 86, 82, 78, 74, 70, 66), 600_000  # of the JPEG: the first that is small enough, in bytes
PAIRS = (  # content, style
    ("louvre", "poppies"),
    ("persepolis", "starry_night"),
    ("pasargadae", "girih_tiles"),
    ("turbulence", "poured_paint"),
    ("persepolis", "poppies"),
    ("turbulence", "woodcut_wave"),
    ("louvre", "pointillist_river"),
    ("pasargadae", "ink_wash"),
    ("louvre", "starry_night"),
)


def main():
    names = {f"{content}_{style}": (content, style) for content, style in PAIRS}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--out", type=Path, default=PROJECT / "outputs" / "gallery", help="folder")
    args = parser.parse_args()
    if unknown := [name for name in args.names if name not in names]:
        parser.exit(2, f"{', '.join(unknown)}: not in the gallery. Choose from {', '.join(names)}.\n")
    vgg = nst.load_vgg19("vgg19-slim")
    for name in args.names or names:
        content, style = names[name]
        C = nst.load_image(PROJECT / "images" / "content" / f"{content}.jpg", LONG_SIDE)
        S = nst.load_image(PROJECT / "images" / "style" / f"{style}.jpg")
        *_, last = stylise(C, S, vgg, beta=BETA, every=1000)
        for quality in QUALITIES:
            path = save_image(last.image, args.out / f"{name}.jpg", quality=quality)
            if path.stat().st_size <= LARGEST:
                break
        print(f"{path}  ({path.stat().st_size / 1000:.0f} kB, quality {quality})")


if __name__ == "__main__":
    main()
