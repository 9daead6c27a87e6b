"""J and its gradient of a picture of any size in bounded memory, tile by tile, and exactly.

J is a function of sums over positions (see `objective`). Pass one adds up every tile's part of them, forward only;
then J is known, and its derivative by each sum. Pass two goes back through every tile again, from the sums over the
positions that it owns to its pixels, and adds that up in the picture. A tile is seen with a margin in which lies all
that decides its own positions, so nothing is approximated: what differs from `Objective` is rounding.

The idea is that of "Scaling Painting Style Transfer" (Galerne, Raad, Lezama and Morel, arXiv:2212.13459).
"""

import numpy as np

from nst_utils import tf
from studio import devices, objective
from studio.levels import sliceable
from studio.objective import Objective, costs, sums_of_activations
from studio.spans import stride, tiles

STRIP, ROWS = 2**19, 256  # px, and rows at most: of a picture, in the costs that see single pixels and neighbours


def _own(activations, inside):
    """Activations at a tile's own positions. inside: (top, bottom, left, right) of its own pixels in what it sees."""
    found = {}
    for name, a in activations.items():
        top, bottom, left, right = tf.unstack(inside // stride(name))
        found[name] = a[:, top:bottom, left:right]
    return found


def _inside(rows, columns):
    return np.int32([end - span.first for span in (rows, columns) for end in (span.start, span.stop)])


# What is traced once for each network, and sees one tile.


def _activations_of(vgg, tile, inside):
    return _own(vgg(tile), inside)


def _sums_of(vgg, tile, inside, target):
    return sums_of_activations(_own(vgg(tile), inside), target)


def _moments_of(vgg, tile, inside, masks):
    return objective.moments(_own(vgg(tile), inside), masks)


def _gradient_of(vgg, tile, inside, target, slopes):
    """Of the tile's sums, each times its slope, by the tile."""
    with tf.GradientTape() as tape:
        tape.watch(tile)
        J = _dot(slopes, _sums_of(vgg, tile, inside, target))
    return tape.gradient(J, tile)


def _sums_of_rows(_, rows, below):
    """below: these rows and the one below them, if there is one."""
    return {"limits": objective.beyond_limits(rows), "variation": (*objective.down(below), *objective.across(rows))}


def _gradient_of_rows(_, below, count, slopes):
    with tf.GradientTape() as tape:
        tape.watch(below)
        J = _dot(slopes, _sums_of_rows(None, below[:, :count], below))
    return tape.gradient(J, below)


def _dot(slopes, found):
    pairs = zip(tf.nest.flatten(slopes), tf.nest.flatten(found), strict=True)
    return tf.add_n([tf.reduce_sum(slope * value) for slope, value in pairs])


def _added(parts):
    """The sums over parts, in float64 and in their order, as float32 tensors."""
    total = None
    for part in parts:
        part = tf.nest.map_structure(np.float64, part)
        total = part if total is None else tf.nest.map_structure(np.add, total, part)
    return tf.nest.map_structure(lambda value: tf.constant(value, tf.float32), total)


class TiledObjective(Objective):
    """`Objective`, in bounded memory beside pictures, their gradient and what is compared with C.

    side: px of a tile, without its margin; rounded up to the deepest layer's stride. Pictures may be arrays; the
    gradient is one.
    """

    def __init__(self, vgg, C, style, settings, alike=None, side=512):
        self.side = side
        super().__init__(vgg, C, style, settings, alike)

    def __call__(self, G):
        return costs(self._sums(sliceable(G)), self.target, self._numbers)

    def value_and_gradient(self, G):
        G = sliceable(G)
        found = self._sums(G)
        with tf.GradientTape() as tape:
            tape.watch(found)
            J = costs(found, self.target, self._numbers)[0]
        slopes = tape.gradient(J, found, unconnected_gradients="zero")
        gradient = np.zeros(G.shape, np.float32)
        of_pixels = {name: slopes.pop(name) for name in ("limits", "variation")}
        for count, rows in _strips(G.shape):
            gradient[:, rows] += self.vgg.traced(_gradient_of_rows, G[:, rows], count, of_pixels)
        parts = self.computed(_gradient_of, ((*job, slopes) for job in self._jobs(G)))
        for (_, seen), part in zip(self._tiles(G), parts, strict=True):
            gradient[seen] += part
        return J, gradient

    def computed(self, function, jobs):
        """function(vgg, *job) of every job, in their order."""
        return devices.each(self.vgg, function, jobs)

    def _tiles(self, image):
        """Every tile, and the part of an image that it sees as an index."""
        for rows, columns in tiles(image.shape[1:3], self.side, self.vgg.deepest):
            yield (rows, columns), np.s_[:, rows.seen, columns.seen]

    def _sums(self, G):
        return self._sums_of_pixels(G) | _added(self.computed(_sums_of, self._jobs(G)))

    def _jobs(self, G):
        """What is needed of every tile for its sums."""
        return ((G[seen], _inside(*tile), self._target_at(*tile)) for tile, seen in self._tiles(G))

    def _sums_of_pixels(self, G):
        return _added(
            self.vgg.traced(_sums_of_rows, G[:, rows][:, :count], G[:, rows]) for count, rows in _strips(G.shape)
        )

    def _target_at(self, rows, columns):
        """The part of the target of which a tile's sums are made."""

        def cut(values):
            return {name: a[:, rows.own(stride(name)), columns.own(stride(name))] for name, a in values.items()}

        style = [
            {
                "layers": {name: {"centre": layer["centre"]} for name, layer in region["layers"].items()},
                "mask": cut(region["mask"]),
            }
            for region in self.target["style"]
        ]
        return {"content": cut(self.target["content"]), "style": style}

    def _activations(self, C, layer):
        C, whole = sliceable(C), None
        found = self.computed(_activations_of, ((C[seen], _inside(*tile)) for tile, seen in self._tiles(C)))
        for (tile, _), parts in zip(self._tiles(C), found, strict=True):
            part = np.asarray(parts[layer])
            if whole is None:
                size = (n // stride(layer) for n in C.shape[1:3])
                whole = np.empty((1, *size, part.shape[-1]), part.dtype)
            whole[:, tile[0].own(stride(layer)), tile[1].own(stride(layer))] = part
        return whole

    def _moments(self, S, masks):
        S = sliceable(S)

        def cut(rows, columns):
            return {name: mask[:, rows.own(stride(name)), columns.own(stride(name))] for name, mask in masks.items()}

        jobs = ((S[seen], _inside(*tile), cut(*tile)) for tile, seen in self._tiles(S))
        parts = list(self.computed(_moments_of, jobs))
        return {name: _joined([part[name] for part in parts]) for name in parts[0]}

    def _variation(self, C):
        return float(objective.total_variation(self._sums_of_pixels(sliceable(C))))


def _joined(parts):
    """(mean, covariance, count) of a whole from those of its parts, in float64."""
    counts = np.float64([count for _, _, count in parts])
    pairs = [(mean, covariance) for mean, covariance, _ in parts]
    return *objective.mixed(pairs, counts / counts.sum(), "gram"), counts.sum()


def _strips(shape):
    """(rows of its own, the slice of them and the row below) of every strip of an image of that shape."""
    _, n_H, n_W, _ = shape
    rows = max(1, min(ROWS, STRIP // n_W))
    for first in range(0, n_H, rows):
        yield min(rows, n_H - first), slice(first, first + rows + 1)
