"""What Dask's workers do: tiles of one picture, or whole pictures. They keep the network between tasks, and no state.

What a task needs comes as bytes that only a worker takes apart, so a scheduler loads no TensorFlow.
"""

import contextlib
import dataclasses
import pickle
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from distributed import WorkerPlugin, get_worker

from nst_support.pictures import save_image
from studio import errors, recipe
from studio.painting import Canvas, Painting

PICTURE, FAILED = "picture", "failed"
TELL_EVERY = 0.5  # s, between two words to the owner
_weights, _networks, _devices, _setting_up = {}, {}, [], threading.Lock()


def packed(task):
    """A task or a result as bytes; arrays as they lie in memory."""
    return pickle.dumps(task, pickle.HIGHEST_PROTOCOL)


class Network(WorkerPlugin):
    """The owner's network, for every worker that is there and for those that come later.

    weights: {layer: (kernel, bias)}. layers: that it computes.
    """

    def __init__(self, name, weights, layers):
        self.name, self.weights, self.layers = name, weights, layers

    def setup(self, worker):
        _weights[self.name] = self.weights, self.layers

    def teardown(self, worker):
        _weights.pop(self.name, None)
        _networks.pop(self.name, None)


def _network(name):
    """The network of that name, built once."""
    import nst_utils as nst

    with _setting_up:
        if name not in _networks:
            _networks[name] = nst.build_vgg19(*_weights[name])
        return _networks[name]


@contextlib.contextmanager
def _device():
    """A device of this worker, which no other task uses meanwhile."""
    from studio.devices import Free

    with _setting_up:
        if not _devices:
            name = str(get_worker().name)
            _devices.append(Free(int(name) if name.isdigit() else 0))
    with _devices[0].device():
        yield


def compute(task):
    """A tile: function(network, *job). task: `packed` (name, how the network is built, function, job)."""
    from nst_utils import tf

    name, how, function, job = pickle.loads(task)
    with _device():
        found = _network(name).twin(**how).traced(function, *job)
        return packed(tf.nest.map_structure(lambda value: value.numpy(), found))


# ------------------------------------------------------------------------------------ whole pictures


@dataclass(frozen=True)
class Parcel:
    """A `Painting` with the bytes of its files, for machines that have no disk in common.

    sources: as `recipe.sources` finds them at the owner's. network, topic: names.
    """

    painting: Painting
    files: dict
    sources: dict
    network: str
    topic: str

    def unpacked(self, folder):
        """(the painting with its files in that folder, {path there: the owner's})."""
        there = {path: Path(folder) / f"{i}{path.suffix}" for i, path in enumerate(self.files)}
        for path, data in self.files.items():
            there[path].write_bytes(data)
        moved = {
            name: tuple(there[path] for path in getattr(self.painting, name))
            for name in ("styles", "masks", "style_masks")
        }
        start = self.painting.start_file
        painting = dataclasses.replace(
            self.painting,
            content=there[self.painting.content],
            start_file=None if start is None else there[start],
            output=Path(folder) / f"made{self.painting.output.suffix}",
            **moved,
        )
        return painting, {str(copy): str(path) for path, copy in there.items()}


def paint(task):
    """`packed` (PICTURE, its bytes) or (FAILED, why). task: a `Parcel`, `packed`."""
    parcel = pickle.loads(task)
    with tempfile.TemporaryDirectory(prefix="nst-") as folder, _device():
        painting, owners = parcel.unpacked(folder)
        try:
            return packed((PICTURE, _painted(painting, parcel)))
        except Exception as error:
            if not errors.is_expected(error):
                raise
            reason = errors.in_one_line(error)
            for path, owner in owners.items():
                reason = reason.replace(path, owner)
            return packed((FAILED, reason))


def _painted(painting, parcel):
    canvas = Canvas(painting)
    run = canvas.run(_network(parcel.network))
    best = min((record for record in run.records(_Bar(parcel)) if record.step > 0), key=lambda record: record.J)
    text = recipe.text(painting, parcel.sources, run, best)
    return save_image(best.image, painting.output, painting.quality, canvas.alpha, text).read_bytes()


class Unwanted(Exception):
    """Nobody waits for this picture any more."""


class _Bar:
    """A bar for `Run.records`, which tells the owner how far a picture is."""

    def __init__(self, parcel):
        self.worker, self.key = get_worker(), get_worker().get_current_task()
        self.topic, self.name = parcel.topic, str(parcel.painting.output)
        self.n, self.told = 0, time.monotonic()

    def update(self, n):
        from studio.optimise import UNITS

        task = self.worker.state.tasks.get(self.key)
        if task is None or task.state != "executing":  # cancelled; but Dask ends no thread
            raise Unwanted(f"{self.name}: no longer wanted.")
        self.n += n
        if time.monotonic() > self.told + TELL_EVERY:
            self.told = time.monotonic()
            self.worker.log_event(self.topic, (self.name, self.n / UNITS))

    def set_postfix_str(self, text):
        """Costs of one picture say nothing beside those of others."""
