"""Many pictures on many machines: one task a picture, whose files go along and whose picture comes back.

Only the owner reads and writes the disk that a person knows; a worker that dies costs the pictures it was at, which
others then paint.
"""

import contextlib
import pickle
import uuid

from distributed import as_completed
from tqdm.auto import tqdm

from nst_support.memory import free_bytes, in_words
from nst_support.whole_file import write_whole
from studio import checkpoint, precheck, recipe, workers
from studio.cluster import Died
from studio.scheduler import workers_here

BAR = "{l_bar}{bar}| {n:.1f}/{total} {elapsed}<{remaining}"


def check_memory(paintings, address):
    """Raise MemoryError where so many pictures at once as there are workers on this machine do not fit."""
    count = min(workers_here(address), len(paintings))
    need, free = count * max(map(precheck.memory_of, paintings), default=0), free_bytes()
    if need > free:
        raise MemoryError(
            f"{address}: {count} pictures at once take about {in_words(round(need))} of memory, and {in_words(free)} "
            "are free. Take fewer workers, or a smaller --memory or --size."
        )


def paint_all(paintings, vgg, crew, report, bar=True):
    """Paint them on the workers of a `cluster.Crew`. One that fails does not stop the rest; Ctrl-C stops all.

    vgg: the network. report: `batch.Report`. Raises `cluster.Lost` where the scheduler goes away.
    """
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(tqdm(total=len(paintings), bar_format=BAR, disable=not bar))
        how_far, topic = _HowFar(progress), f"nst-{uuid.uuid4()}"
        crew.client.subscribe_topic(topic, lambda event: how_far.tell(*event[1]))
        tasks = stack.enter_context(_Tasks(paintings, crew, report, crew.learn(vgg), topic))
        for painting, kind, found in tasks:
            with report.guarding(painting):
                if kind == workers.FAILED:
                    raise ValueError(found)
                report.made.append(write_whole(painting.output, found))
                checkpoint.remove(checkpoint.path_of(painting.output))  # of a run on this machine
            how_far.tell(str(painting.output), 1.0)


class _Tasks(contextlib.ExitStack):
    """Iterates over (painting, kind, found) of `workers.paint`, as they are done; what is left at its end is cancelled.

    Two for each worker are under way, so that none waits for the owner, who need not hold all files at once.
    """

    def __init__(self, paintings, crew, report, network, topic):
        super().__init__()
        self.todo, self.crew, self.report = iter(paintings), crew, report
        self.named = {"network": network, "topic": topic}
        self.under_way, self.futures = {}, as_completed(loop=crew.client.loop)
        self.callback(self._cancel)

    def _cancel(self):
        with contextlib.suppress(Exception):  # of a scheduler that is gone
            self.crew.client.cancel(list(self.under_way), force=True)

    def __iter__(self):
        self._begin()
        while self.under_way:
            future = next(self.futures)
            try:
                kind, found = pickle.loads(self.crew.result(future))
            except Died as error:
                kind, found = workers.FAILED, str(error)
            painting, writer = self.under_way.pop(future)
            with writer:
                yield painting, kind, found
            self._begin()

    def _begin(self):
        """Fill up to what may be under way."""
        most = 2 * self.crew.count()
        while len(self.under_way) < most and (painting := next(self.todo, None)):
            with self.report.guarding(painting), contextlib.ExitStack() as writer:
                writer.enter_context(precheck.one_writer(painting.output))
                files = {path: path.read_bytes() for path in painting.inputs.values()}
                parcel = workers.Parcel(painting, files, recipe.sources(painting), **self.named)
                future = self.crew.submit(workers.paint, workers.packed(parcel))
                self.under_way[future] = painting, writer.pop_all()
                self.futures.add(future)


class _HowFar:
    """One bar over many pictures, a unit each. A picture that is begun anew, its worker being dead, takes none back."""

    def __init__(self, progress):
        self.progress, self.shares = progress, {}

    def tell(self, name, share):
        """share: of the picture of that name, 0 to 1."""
        self.shares[name] = max(share, self.shares.get(name, 0.0))
        self.progress.n = sum(self.shares.values())
        self.progress.refresh()
