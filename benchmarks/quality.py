#!/usr/bin/env python3
"""Stylise pairs of pictures with one network and one strength for all, and score them.

    python benchmarks/quality.py --pair louvre.jpg monet.jpg --pair tomb.jpg tiles.jpg

The engine of studio/optimise.py with its defaults, balanced weights. Writes a PNG per pair and prints
its seconds and cost; with --score SCRIPT it also runs
`SCRIPT CONTENT STYLE RESULT` and prints what that says.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import nst_utils as nst
from nst_support import weight_files
from studio.optimise import stylise


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pair", nargs=2, action="append", required=True, metavar=("CONTENT", "STYLE"))
    parser.add_argument("--weights", default=str(weight_files.SLIM), help="of the network (default: the bundled one)")
    parser.add_argument("--pooling", default="average", choices=("average", "max"))
    parser.add_argument("--beta", type=float, help="strength of the style (default: the engine's)")
    parser.add_argument("--evaluations", nargs="+", type=int, metavar="N", help="per size, from coarse to full")
    parser.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16"))
    parser.add_argument("--long-side", type=int, default=400, help="px of the content, never enlarged")
    parser.add_argument("--score", metavar="SCRIPT", help="run on every result")
    parser.add_argument("--out", default="outputs/quality", help="folder of the results")
    args = parser.parse_args()
    weights, layers = weight_files.read_weights(args.weights), (nst.CONTENT_LAYER, *nst.STYLE_LAYERS)
    vgg = nst.build_vgg19(weights, layers, args.pooling)
    for content, style in args.pair:
        began = time.perf_counter()
        C, S = nst.load_image(content, args.long_side), nst.load_image(style, args.long_side)
        *_, last = stylise(C, S, vgg, evaluations=args.evaluations, beta=args.beta, every=50, precision=args.precision)
        path = nst.save_image(last.image, Path(args.out) / f"{Path(content).stem}__{Path(style).stem}.png")
        print(f"{path}: {time.perf_counter() - began:.0f} s, J {last.J:.3f}")
        if args.score:
            subprocess.run([sys.executable, args.score, content, style, path], check=True)


if __name__ == "__main__":
    main()
