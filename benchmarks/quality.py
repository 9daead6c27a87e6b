#!/usr/bin/env python3
"""Stylise pairs of pictures with one network and one strength for all, and score them.

    python benchmarks/quality.py --pair louvre.jpg monet.jpg --pair tomb.jpg tiles.jpg

Bounded L-BFGS from the content, first at half size, then at full size, balanced weights. Writes a
PNG per pair and prints its seconds and costs; with --score SCRIPT it also runs
`SCRIPT CONTENT STYLE RESULT` and prints what that says.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import nst_utils as nst
import nst_weights
from studio.optimise import coarse_to_fine


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pair", nargs=2, action="append", required=True, metavar=("CONTENT", "STYLE"))
    parser.add_argument("--weights", default=str(nst_weights.SLIM), help="of the network (default: the bundled one)")
    parser.add_argument("--pooling", default="average", choices=("average", "max"))
    parser.add_argument("--beta", type=float, default=100.0)
    parser.add_argument("--evaluations", nargs=2, type=int, default=(80, 100), metavar=("HALF", "FULL"))
    parser.add_argument("--long-side", type=int, default=400, help="px of the content, never enlarged")
    parser.add_argument("--score", metavar="SCRIPT", help="run on every result")
    parser.add_argument("--out", default="outputs/quality", help="folder of the results")
    args = parser.parse_args()
    layers = (nst.CONTENT_LAYER, *nst.STYLE_LAYERS)
    vgg = nst.build_vgg19(nst_weights.read_weights(args.weights), layers, args.pooling)
    for content, style in args.pair:
        began = time.perf_counter()
        C, S = nst.load_image(content, args.long_side), nst.load_image(style, args.long_side)
        G, (J, J_content, J_style) = coarse_to_fine(vgg, C, S, args.beta, args.evaluations)
        path = nst.save_image(G, Path(args.out) / f"{Path(content).stem}__{Path(style).stem}.png")
        print(
            f"{path}: {time.perf_counter() - began:.0f} s, J {J:.3f}, J_content {J_content:.4g}, J_style {J_style:.4g}"
        )
        if args.score:
            subprocess.run([sys.executable, args.score, content, style, path], check=True)


if __name__ == "__main__":
    main()
