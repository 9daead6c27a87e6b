#!/usr/bin/env python3
"""Make the pictures in images/: render the made ones, save the photographs that packages carry.

    python tools/make_images.py                      # all of them
    python tools/make_images.py louvre mosaic        # some, by name
    python tools/make_images.py louvre --width 400 --out /tmp/draft

Made pictures come from tools/pictures/, each from a fixed seed. Photographs come from scikit-image and
scikit-learn where these are installed.
"""

import argparse
import importlib
import multiprocessing
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pictures.registry import MADE

from nst_support.whole_file import whole_file

IMAGES = Path(__file__).resolve().parent.parent / "images"
MADE_WIDTH = 1600
PHOTOGRAPH_SIDE = 800
QUALITY = 90

# The package of each photograph, and the module and name under which it is found there.
PHOTOGRAPHS = {
    "astronaut": ("scikit-image", "skimage.data", "astronaut"),
    "coffee": ("scikit-image", "skimage.data", "coffee"),
    "chelsea": ("scikit-image", "skimage.data", "chelsea"),
    "rocket": ("scikit-image", "skimage.data", "rocket"),
    "china": ("scikit-learn", "sklearn.datasets", "china.jpg"),
    "flower": ("scikit-learn", "sklearn.datasets", "flower.jpg"),
}


def photograph(name):
    """The photograph `name` as a PIL image, at most 800 px on its long side and never enlarged."""
    _, module_name, key = PHOTOGRAPHS[name]
    module = importlib.import_module(module_name)
    pixels = module.load_sample_image(key) if key.endswith(".jpg") else getattr(module, key)()
    picture = Image.fromarray(np.asarray(pixels)).convert("RGB")
    picture.thumbnail((PHOTOGRAPH_SIDE, PHOTOGRAPH_SIDE), Image.Resampling.LANCZOS)
    return picture


def made(name, width):
    """The made picture `name` as a PIL image of that width, 4:3."""
    picture = MADE[name]
    pixels = picture.render(width, round(width * 3 / 4), picture.seed)
    return Image.fromarray(np.round(pixels * 255).astype(np.uint8))


def save(picture, path):
    """Write a JPEG; nobody ever sees half a picture."""
    with whole_file(path) as unfinished:
        picture.save(unfinished, "JPEG", quality=QUALITY, optimize=True)


def make(job):
    """Make and save one picture; returns the line that reports it."""
    name, width, path = job
    start = time.perf_counter()
    if name in MADE:
        picture = made(name, width)
    else:
        try:
            picture = photograph(name)
        except ImportError:
            return f"{path.name}: not made, it comes with a package. pip install {PHOTOGRAPHS[name][0]}"
    save(picture, path)
    seconds, size = time.perf_counter() - start, path.stat().st_size
    return f"{path}: {picture.width} x {picture.height}, {size / 1000:.0f} kB, {seconds:.1f} s"


def parse(arguments):
    parser = argparse.ArgumentParser(description="Make the pictures in images/.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="pictures to make (all if none is named)")
    parser.add_argument("--width", type=int, default=MADE_WIDTH, help="width of the made pictures (default 1600)")
    parser.add_argument("--out", type=Path, default=IMAGES, help="folder that gets content/ and style/")
    options = parser.parse_args(arguments)
    known = [*MADE, *PHOTOGRAPHS]
    for name in options.names:
        if name not in known:
            parser.exit(2, f"{name}: no such picture. Choose from: {', '.join(known)}.\n")
    if not 80 <= options.width <= 4000:
        parser.exit(2, f"--width {options.width}: cannot be made at this width. Choose 80 to 4000.\n")
    options.names = list(dict.fromkeys(options.names)) or known
    return options


def main(arguments=None):
    """Make the named pictures in two processes (one picture: in this one), a line for each as it is done."""
    options = parse(arguments)
    jobs = []
    for name in options.names:
        folder = MADE[name].folder if name in MADE else "content"
        jobs.append((name, options.width, options.out / folder / f"{name}.jpg"))
    if len(jobs) == 1:
        print(make(jobs[0]))
        return
    # The scenes first: they take longest, and neither process shall idle at the end.
    jobs.sort(key=lambda job: job[2].parent.name != "content")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for line in tqdm(pool.imap_unordered(make, jobs), total=len(jobs), unit="picture"):
            tqdm.write(line)


if __name__ == "__main__":
    main()
