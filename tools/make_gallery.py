#!/usr/bin/env python3
"""Make the pictures of the README anew, with the bundled network, from pictures that the project ships.

    python tools/make_gallery.py                      all, into outputs/gallery/
    python tools/make_gallery.py louvre_poppies       one picture
    python tools/make_gallery.py strength regions     two of the strips that show what an option does
    python tools/make_gallery.py --out images/gallery over those that the project ships

The pictures have 1,200 px on the longer side and one setting for all, but for the strength and the size of strokes
that stand beside their names.
"""

import argparse
import shutil
from pathlib import Path

from strips import STRIPS

from nst_support.pictures import load_image, save_image
from studio import paint

PROJECT = Path(__file__).resolve().parent.parent
LONG_SIDE = 1200  # px
QUALITIES, LARGEST = (90, 86, 82, 78, 74, 70, 66), 600_000  # of the JPEG: the first that is small enough, in bytes
PICTURES = {  # content, style, settings that are the picture's own
    "louvre_poppies": ("louvre", "poppies", {}),
    "persepolis_starry_night": ("persepolis", "starry_night", {}),
    "pasargadae_girih_tiles": ("pasargadae", "girih_tiles", {"style_scale": 0.6}),
    "turbulence_poured_paint": ("turbulence", "poured_paint", {}),
    "persepolis_poppies": ("persepolis", "poppies", {}),
    "turbulence_woodcut_wave": ("turbulence", "woodcut_wave", {}),
    "louvre_pointillist_river": ("louvre", "pointillist_river", {}),
    "pasargadae_ink_wash": ("pasargadae", "ink_wash", {"strength": 40}),
    "louvre_starry_night": ("louvre", "starry_night", {}),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = [*PICTURES, *STRIPS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--out", type=Path, default=PROJECT / "outputs" / "gallery", help="folder")
    args = parser.parse_args()
    if unknown := [name for name in args.names if name not in known]:
        parser.exit(2, f"{', '.join(unknown)}: not in the gallery. Choose from {', '.join(known)}.\n")
    work = PROJECT / "outputs" / "gallery" / "parts"
    for name in args.names or known:
        path = STRIPS[name](work) if name in STRIPS else picture(name, work)
        args.out.mkdir(parents=True, exist_ok=True)
        there = shutil.copyfile(path, args.out / path.name)
        print(f"{there}  ({there.stat().st_size / 1000:.0f} kB)")


def picture(name, folder):
    """A picture of the gallery, small enough for a page; its path."""
    content, style, settings = PICTURES[name]
    images = PROJECT / "images"
    whole = paint(
        images / "content" / f"{content}.jpg",
        images / "style" / f"{style}.jpg",
        folder / f"{name}.png",
        size=LONG_SIDE,
        network="vgg19-slim",
        force=True,
        **settings,
    )
    for quality in QUALITIES:
        path = save_image(load_image(whole), folder / f"{name}.jpg", quality=quality)
        if path.stat().st_size <= LARGEST:
            return path
    return path


if __name__ == "__main__":
    main()
