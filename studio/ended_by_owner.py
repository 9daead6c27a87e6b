"""For `dask worker --preload`: a worker that Ctrl-C in the owner's terminal does not reach; the owner ends it."""

import signal


def dask_setup(worker):
    """Dask calls this in the main thread of each worker's process, and of each that takes the place of a dead one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
