"""Tiles go round the GPUs of one machine, a thread each.

No more than a function: a device's numbers come back in the order in which the tiles went out, so sums are added in
one order, however fast each device is. Devices of one kind compute the same bits.
"""

import collections
import contextlib
import dataclasses
import queue
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from nst_utils import tf
from studio.estimate import FAST, SIDES
from studio.spans import tiles

LARGE = tuple(side for side in SIDES if side >= FAST)  # px: a smaller tile keeps no GPU busy
AHEAD = 2  # tiles that wait at each device
FORWARD_TWICE = 1.5  # of an evaluation in tiles, over one in one piece


def names():
    """Of the devices that compute: every GPU, or else the processor (several, where it was split into logical ones)."""
    kinds = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [device.name for device in kinds]


def each(vgg, function, jobs):
    """function(vgg, *job) of every job by `FrozenNetwork.traced`, in their order, on all devices. Yields tensors."""
    there = names()
    if len(there) == 1:
        for job in jobs:
            yield vgg.traced(function, *job)
        return

    def at(name, job):
        with tf.device(name):
            found = vgg.traced(function, *job)
            return tf.nest.map_structure(lambda value: value.numpy(), found)  # waits for the device, in its own thread

    with contextlib.ExitStack() as stack:
        pools = [stack.enter_context(ThreadPoolExecutor(1)) for _ in there]
        stack.callback(lambda: [pool.shutdown(cancel_futures=True) for pool in pools])
        submitted = (pools[i % len(there)].submit(at, there[i % len(there)], job) for i, job in enumerate(jobs))
        yield from in_order(submitted, AHEAD * len(there), Future.result)


def in_order(futures, ahead, result):
    """result(future) of each, one after the other. ahead: how many may be under way at once."""
    waiting = collections.deque()
    for future in futures:
        waiting.append(future)
        if len(waiting) >= ahead:
            yield result(waiting.popleft())
    while waiting:
        yield result(waiting.popleft())


class Free:
    """The devices of this machine, each lent to one thread at a time. first: which is lent first, round and round."""

    def __init__(self, first=0):
        self._free, there = queue.Queue(), names()
        for i in range(len(there)):
            self._free.put(there[(first + i) % len(there)])

    @contextlib.contextmanager
    def device(self):
        name = self._free.get()
        try:
            with tf.device(name):
                yield
        finally:
            self._free.put(name)


def spread(layout, size, deepest, count, sides=LARGE, whole=1.0):
    """The `estimate.Layout` with the tiles that take `count` devices the least time.

    size: (n_H, n_W). deepest: layer. sides: px of tiles that may be tried; none is larger than the layout's.
    whole: what the picture in one piece costs, in evaluations of it on one device; infinite where there shall be
    tiles. A picture that gains nothing, or of which there is one tile alone, stays as it was.
    """
    best, found = whole if layout.tile is None else _share(size, layout.tile, deepest, count), layout
    for side in sides:
        if (layout.tile is None or side < layout.tile) and side < max(size):
            share = _share(size, side, deepest, count)
            if share < best:
                best, found = share, dataclasses.replace(layout, tile=side)
    return found


def _share(size, side, deepest, count):
    """Evaluations of a picture in one piece that the busiest of `count` devices computes."""
    spans = tiles(size, side, deepest)
    seen = sorted(((rows.last - rows.first) * (columns.last - columns.first) for rows, columns in spans), reverse=True)
    return FORWARD_TWICE * sum(seen[::count]) / float(np.prod(size))
