"""Where the tiles of a picture lie, and how much around each decides what the network sees in it."""

import itertools
from dataclasses import dataclass

from nst_support.layers import LAYERS


def reach(layer):
    """Pixels on each side beyond a tile, cut at a multiple of its stride, that decide what a layer is inside it."""
    pixels = 0
    for name in reversed(LAYERS[: LAYERS.index(layer) + 1]):
        pixels += 1  # a convolution sees one position more on each side
        if name.endswith("_1") and name != "conv1_1":
            pixels *= 2  # the pool before it
    return pixels


def stride(layer):
    """Pixels from one position of a layer to the next."""
    return 2 ** (int(layer[4]) - 1)


def margin(layer):
    """`reach`, rounded up to a multiple of the stride, so that a tile with its margin is pooled as the picture is."""
    return -(-reach(layer) // stride(layer)) * stride(layer)


@dataclass(frozen=True)
class Span:
    """Pixels along one axis: start to stop are a tile's own; from first to last it is seen."""

    start: int
    stop: int
    first: int
    last: int

    def own(self, stride=1):
        """The slice of its own positions in the whole picture's."""
        return slice(self.start // stride, self.stop // stride)

    @property
    def seen(self):
        return slice(self.first, self.last)


def spans(n, side, layer):
    """`Span`s that cover n pixels, about equally long, at most `side` (rounded up to the stride) each.

    Their inner edges lie on multiples of the deepest layer's stride, the last one ends at n.
    """
    unit, around = stride(layer), margin(layer)
    length = -(-n // (-(-n // max(unit, side)) * unit)) * unit
    edges = [*range(0, n, length), n]
    return [Span(a, b, max(0, a - around), min(n, b + around)) for a, b in itertools.pairwise(edges)]


def largest(size, side, layer):
    """(n_H, n_W) that the largest tile sees."""
    return tuple(max(span.last - span.first for span in spans(n, side, layer)) for n in size)


def tiles(size, side, layer):
    """(rows, columns) of every tile of a picture of size (n_H, n_W), row by row, as `Span`s."""
    return list(itertools.product(*(spans(n, side, layer) for n in size)))
