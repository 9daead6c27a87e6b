#!/usr/bin/env python3
"""Make the pictures of the README anew, with the bundled network, from pictures that the project ships.

    python tools/make_gallery.py                      all, into outputs/gallery/
    python tools/make_gallery.py louvre_poppies       one
    python tools/make_gallery.py --out images/gallery over those that the project ships

1,200 px on the longer side, the engine's defaults but for what stands beside each pair.
"""

import argparse
from pathlib import Path

import nst_utils as nst
from nst_support.pictures import save_image
from studio.optimise import stylise

PROJECT = Path(__file__).resolve().parent.parent
LONG_SIDE, QUALITY = 1200, 88  # px; of the JPEG
PAIRS = {  # content and style: what differs from the defaults
    ("louvre", "poppies"): {},
    ("persepolis", "starry_night"): {},
    ("pasargadae", "girih_tiles"): {},
    ("turbulence", "poured_paint"): {},
    ("persepolis", "poppies"): {},
    ("turbulence", "woodcut_wave"): {},
    ("china", "pointillist_river"): {},
    ("chelsea", "mosaic"): {},
    ("rocket", "starry_night"): {},
    ("flower", "ink_wash"): {},
}


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
        *_, last = stylise(C, S, vgg, every=1000, **PAIRS[content, style])
        path = save_image(last.image, args.out / f"{name}.jpg", quality=QUALITY)
        print(f"{path}  ({path.stat().st_size / 1000:.0f} kB)")


if __name__ == "__main__":
    main()
