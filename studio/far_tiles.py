"""A huge picture whose tiles are the tasks of a cluster, and how many bytes that moves.

The owner holds the picture, the optimiser and all sums. For each tile and pass a worker gets the pixels that it sees,
the content target of its own positions and the style's centres; for pass two the slopes as well. It gives back the
tile's sums, or its gradient. The target of a tile is sent and not found anew: at conv4 it takes n_C / 64 floats a pixel
(1.75 with the bundled network, 8 with VGG-19) where C's pixels take 3 and another pass forward.
"""

from studio.spans import stride, tiles
from studio.tiles import TiledObjective

FLOAT = 4  # bytes


class FarTiles(TiledObjective):
    """`TiledObjective`, computed by the workers of a `cluster.Crew`."""

    def __init__(self, *arguments, crew, **options):
        self.crew = crew
        super().__init__(*arguments, **options)

    def computed(self, function, jobs):
        return self.crew.each(self.vgg, function, jobs)

    def value_and_gradient(self, G):
        before = self.crew.moved
        found = super().value_and_gradient(G)
        self.crew.end_step(self.crew.moved - before, self._by_arithmetic(G.shape[1:3]))
        return found

    def _by_arithmetic(self, size):
        ((content, a_C),) = self.target["content"].items()
        widths = {name: self.vgg.get_layer(name).filters for name in self.vgg.output}
        regions = self.target["style"]
        masked = sum(bool(region["mask"]) for region in regions)
        layers = list(regions[0]["layers"])
        return bytes_of_step(size, self.side, widths, content, layers, len(regions), masked, a_C.dtype.itemsize)


def bytes_of_step(size, side, widths, content, layers, regions=1, masked=0, of_content=FLOAT):
    """Bytes that an evaluation of J and its gradient moves between the owner and the workers.

    size: (n_H, n_W) px; side: of a tile, px. widths: {layer: channels}. content: layer; layers: of the style.
    regions: how many styles count apart, of which `masked` have a mask. of_content: bytes of a value of a_C.
    """
    deepest = max((content, *layers))
    moments = FLOAT * regions * sum(1 + widths[name] + widths[name] ** 2 for name in layers)
    centres = FLOAT * regions * sum(widths[name] for name in layers)
    moved = 0
    for rows, columns in tiles(size, side, deepest):
        pixels = 3 * FLOAT * (rows.last - rows.first) * (columns.last - columns.first)
        target = of_content * widths[content] * _positions(rows, columns, content)
        masks = FLOAT * masked * sum(_positions(rows, columns, name) for name in layers)
        moved += 3 * pixels + 2 * (target + masks + centres + moments)  # there twice, and the gradient back
    return moved


def _positions(rows, columns, layer):
    """How many positions of a layer are a tile's own."""
    rows, columns = (span.own(stride(layer)) for span in (rows, columns))
    return (rows.stop - rows.start) * (columns.stop - columns.start)
