"""Pictures and tiles on many machines, by Dask (https://distributed.dask.org).

    pip install -e '.[cluster]' -c constraints.txt               on every machine, with the same versions

Two worker processes on this machine, which share its processors; for a trial, there is nothing to win:

    nst holiday/ painting.jpg -o painted/ --scheduler local:2

Two machines: a scheduler on one, a worker on each. The dashboard is the scheduler's, on port 8787.

    dask scheduler                                               on the first
    dask worker tcp://first:8786 --nthreads 1                    on each; one for each GPU, with CUDA_VISIBLE_DEVICES=0
    nst holiday/ painting.jpg -o painted/ --scheduler tcp://first:8786
    nst photo.jpg painting.jpg -s 20000 --scheduler tcp://first:8786

Slurm, within an allocation of four tasks or more; or from a login node by `dask_jobqueue.SLURMCluster(cores=16,
processes=1, memory="64GB")`, then `cluster.scale(jobs=8)`, and `nst --scheduler` with `cluster.scheduler_address`:

    dask scheduler --scheduler-file there.json &
    srun --ntasks 4 --cpus-per-task 16 dask worker --scheduler-file there.json --nthreads 1 &
    nst holiday/ painting.jpg -o painted/ --scheduler tcp://$(hostname):8786

Kubernetes, with Dask's operator and an image of your own that holds this project:

    helm install --repo https://helm.dask.org --create-namespace -n dask-operator --generate-name \\
        dask-kubernetes-operator
    python -c "from dask_kubernetes.operator import KubeCluster
    KubeCluster(name='nst', image='YOUR_IMAGE', n_workers=8, shutdown_on_close=False)"
    nst ... --scheduler tcp://nst-scheduler.default:8786         in a pod of the same cluster

What a scheduler is sent it executes: keep it within a network that you trust, or use Dask's TLS and tls://host:8786.

**A folder** is one task a picture. Its files go along, the picture comes back, and the owner alone writes; no disk is
shared. That scales to as many workers as there are pictures.

**One large picture** is a task for each tile of about 1,000 px and pass (`far_tiles`), at those sizes of the
coarse-to-fine search that are larger than a tile; the smaller ones the owner computes. All pixels pass through the
owner and the scheduler, which had better be on one machine. Computed, not measured, for tiles of 1,024 px in float32:

    picture and network                 tiles   bytes moved a step   operations a step   operations a byte
    3,000x2,000, bundled                    6               344 MB        1.3 10^12                  3,700
    3,000x2,000, VGG-19                     6               672 MB         16 10^12                 23,000
    a gigapixel, 40,000x25,000, bundled 1,000                62 GB        2.4 10^14                  3,800
    a gigapixel, VGG-19                 1,000               117 GB        2.9 10^15                 25,000

(Operations: two for each multiplication of the convolutions, forward twice and back once, margins included.) So with
VGG-19 a link of 10 Gbit/s feeds 3.1 10^13 operations a second, which is about one modern GPU; 8 GPUs at that rate would
compute the gigapixel's step in 12 s and wait 94 s for its bytes, and want 100 Gbit/s, or the scheduler and the workers
in one machine (there `devices` does it without Dask). Machines of 16 cores at 10^12 operations a second are fed by the
same link up to 30, with the bundled network up to 5. And a scheduler is one process, which hands on no more than it can
copy. The owner holds the picture, the search and the content target: for the gigapixel 12 GB a plane, with Adam about
130 GB, and with VGG-19 32 GB for the target.

Workers keep the network between tasks and nothing else: one that dies costs the tasks that it was at, one that comes
later gets the network from the scheduler. Over one task four may die (Dask's distributed.scheduler.allowed-failures).
A scheduler that dies ends the run; the owner's checkpoint is where it was, and --resume goes on from it.
"""

import asyncio
import contextlib
import hashlib
import logging
import pickle
import warnings
from concurrent.futures import CancelledError, ThreadPoolExecutor

import dask
import numpy as np
from dask.system import CPU_COUNT
from distributed import Client, KilledWorker, LocalCluster, rpc
from distributed.comm import CommClosedError

from nst_support.memory import in_words
from studio import workers
from studio.scheduler import workers_here

PATIENCE = 5  # s, until a scheduler has answered
WAITING = 30  # s, until the first worker is there
AHEAD = 3  # tasks under way for each worker, so that none waits for the owner
LARGE = "1GB"  # of a task, beyond which Dask warns


class Lost(ConnectionError):
    """The scheduler is gone, and every task with it."""


class Died(OSError):
    """Several workers died over one task."""


@contextlib.contextmanager
def connected(address):
    """Yield the `Crew` of a scheduler. Says who is there, and at the end what was moved. Raises ConnectionError."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set({"distributed.admin.large-graph-warning-threshold": LARGE}))
        stack.enter_context(_quiet(logging.getLogger("distributed")))
        here = workers_here(address)
        where = stack.enter_context(_started(here)) if here else address
        crew = Crew(stack.enter_context(_client(where, address)), address)
        stack.callback(crew.forget)
        count = crew.count()
        print(f"Dask: {count} {'worker' if count == 1 else 'workers'}, dashboard {crew.client.dashboard_link}")
        yield crew
        crew.print_moved()


@contextlib.contextmanager
def _quiet(logger):
    """What Dask tells of lost connections is told here in one sentence, or does not matter."""
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _started(count):
    """`count` worker processes, between which the processors of this machine are shared."""
    threads = max(1, CPU_COUNT // count)
    environment = {
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
        "DASK_LOGGING__DISTRIBUTED": "critical",
    }
    with warnings.catch_warnings(action="ignore"):  # of a port that another dashboard has
        return LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            memory_limit=None,  # of Dask's own data, which TensorFlow's is not
            silence_logs=logging.CRITICAL,
            env=environment,
            preload=["studio.ended_by_owner"],
        )


async def _greet(address):
    async with asyncio.timeout(PATIENCE), rpc(address) as scheduler:
        await scheduler.identity()


def _check_answers(address):
    """Raise ConnectionError where no scheduler answers: Dask itself would wait on for whoever listens and is silent."""
    try:
        with ThreadPoolExecutor(1) as thread:  # a notebook's own has a loop already
            thread.submit(asyncio.run, _greet(address)).result()
    except (OSError, ValueError):  # nobody is there, or somebody who speaks another language
        raise ConnectionError(
            f"{address}: no Dask scheduler answers within {PATIENCE} s. Check the address, or start one: dask scheduler"
        ) from None


@contextlib.contextmanager
def _client(where, address):
    if where is address:
        _check_answers(address)
    with Client(where, timeout=PATIENCE, set_as_default=False) as client:
        try:
            client.wait_for_workers(1, timeout=WAITING)
        except TimeoutError:
            raise ConnectionError(f"{address}: has no worker. Start one: dask worker {address}") from None
        yield client


@contextlib.contextmanager
def _told(address):
    """Dask's errors, in one sentence each."""
    try:
        yield
    except (CancelledError, CommClosedError) as error:
        raise Lost(f"{address}: the scheduler is gone. Start it again, and go on with --resume.") from error
    except KilledWorker as error:
        raise Died(
            f"{address}: {error.allowed_failures + 1} workers died over one task, perhaps for want of memory. Take a "
            "smaller --memory or --size."
        ) from error


class Crew:
    """The workers of one scheduler, for one owner. moved: bytes of all tasks and results so far."""

    def __init__(self, client, address):
        self.client, self.address = client, address
        self.moved = self.steps = self.moved_in_steps = self.by_arithmetic = 0
        self._names = {}  # of networks

    @property
    def here(self):
        """How many of the workers were started for this run, on this machine."""
        return workers_here(self.address)

    @property
    def speed(self):
        """How many times as fast as this machine alone: each worker counts as a machine like this one."""
        return 1 if self.here else self.count()

    def count(self):
        """How many workers there are now; at least 1, for those that died may come back."""
        with _told(self.address):
            return max(1, len(self.client.nthreads()))

    def each(self, vgg, function, jobs):
        """function(vgg, *job) of every job on the workers, in their order. Yields arrays."""
        from studio.devices import in_order

        name = self.learn(vgg)
        how = {"padding": vgg.padding, "dtype": vgg.precision, "pooling": vgg.pooling}
        tasks = (workers.packed((name, how, function, _as_arrays(job))) for job in jobs)
        futures, ahead = (self.submit(workers.compute, task) for task in tasks), AHEAD * self.count()
        for found in in_order(futures, ahead, self.result):
            yield pickle.loads(found)

    def learn(self, vgg):
        """Tell every worker, also those that come later, a network. Returns its name there."""
        if vgg not in self._names:
            weights = {layer.name: layer.get_weights() for layer in vgg.layers if layer.get_weights()}
            layers = list(vgg.output)
            name = f"nst-{hashlib.sha256(workers.packed((weights, layers))).hexdigest()[:16]}"
            if name not in self._names.values():  # of a twin
                self._give(workers.Network(name, weights, layers))
            self._names[vgg] = name
        return self._names[vgg]

    def _give(self, network):
        try:
            with _told(self.address):
                self.client.register_plugin(network, network.name)
        except Exception as error:
            if "ModuleNotFoundError" not in repr(error):  # Dask tells of it in the text of an Exception
                raise
            raise ConnectionError(
                f"{self.address}: a worker does not have this project, or another version of it. Install the same one "
                "where the scheduler and each worker run."
            ) from error

    def forget(self):
        """Take the networks from the workers."""
        for name in set(self._names.values()):
            with contextlib.suppress(Exception):  # of a scheduler that is gone
                self.client.unregister_worker_plugin(name)

    def submit(self, function, task):
        """The future of function(task) on some worker. task: bytes."""
        self.moved += len(task)
        with _told(self.address):
            return self.client.submit(function, task, pure=False)

    def result(self, future):
        """The bytes that came of it. Raises `Lost` or `Died`, and what the task raised."""
        with _told(self.address):
            found = future.result()
        self.moved += len(found)
        return found

    def end_step(self, moved, by_arithmetic):
        """moved: bytes, in a step. by_arithmetic: what `far_tiles.bytes_of_step` says."""
        self.steps, self.moved_in_steps = self.steps + 1, self.moved_in_steps + moved
        self.by_arithmetic += by_arithmetic

    def print_moved(self):
        if self.steps:
            moved, expected = (in_words(round(n / self.steps)) for n in (self.moved_in_steps, self.by_arithmetic))
            print(f"Moved {moved} a step over {self.steps} steps; by arithmetic {expected}.")


def _as_arrays(job):
    from nst_utils import tf

    return tf.nest.map_structure(np.asarray, job)
