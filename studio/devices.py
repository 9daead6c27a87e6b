"""Tiles go round the GPUs of one machine, a thread each.

No more than a function: a device's numbers come back in the order in which the tiles went out, so sums are added in
one order, however fast each device is. Devices of one kind compute the same bits.
"""

import collections
import contextlib
import dataclasses
import queue
from concurrent.futures import ThreadPoolExecutor

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
        yield from in_order(submitted, lambda: AHEAD * len(there))


def in_order(futures, ahead):
    """Their results, one after the other. ahead: a function that says how many may be under way."""
    waiting = collections.deque()
    for future in futures:
        waiting.append(future)
        if len(waiting) >= ahead():
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


class Free:
    """The devices of this machine, lent one at a time to the threads of a process. `with Free().device():`"""

    def __init__(self):
        self._free = queue.Queue()
        for name in names():
            self._free.put(name)

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
    whole: what the picture in one piece on one device costs, in such evaluations; infinite where there have to be
    tiles. A picture that is not worth it stays as it was.
    """
    best, found = whole if layout.tile is None else _share(size, layout.tile, deepest, count), layout
    for side in sides:
        if layout.tile is None or side < layout.tile:
            share = _share(size, side, deepest, count)
            if share < best:
                best, found = share, dataclasses.replace(layout, tile=side)
    return found


def _share(size, side, deepest, count):
    """Evaluations of a picture in one piece that the busiest of `count` devices computes."""
    spans = tiles(size, side, deepest)
    seen = sorted(((rows.last - rows.first) * (columns.last - columns.first) for rows, columns in spans), reverse=True)
    return FORWARD_TWICE * sum(seen[::count]) / float(np.prod(size))
