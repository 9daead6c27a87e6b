"""Which of Dask's schedulers: its address, checked before Dask itself is loaded, and the connection to it."""

import contextlib
import importlib.util
import re

LOCAL = re.compile(r"local:([1-9][0-9]{0,2})")
REMOTE = re.compile(r"(tcp|tls|ws|wss)://([^\s/:\[\]]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}")
INSTALL = "pip install -e '.[cluster]'"


def parse(text):
    """The address of a scheduler. Raises ValueError for a text that is none, and where Dask is not installed."""
    if not (LOCAL.fullmatch(text) or REMOTE.fullmatch(text)):
        raise ValueError(f"{text!r}: write a scheduler as tcp://host:8786, or local:4 for four workers on this machine")
    if importlib.util.find_spec("distributed") is None:
        raise ValueError(f"Dask is not installed. In the project's folder: {INSTALL}")
    return text


def workers_here(address):
    """How many workers an address asks for on this machine; 0 where they are elsewhere, and for None."""
    local = LOCAL.fullmatch(address or "")
    return int(local[1]) if local else 0


@contextlib.contextmanager
def connected(address):
    """Yield a `cluster.Crew` for an address that `parse` has checked; None for None.

    Raises ConnectionError, in one sentence, where no scheduler or no worker answers.
    """
    if address is None:
        yield None
        return
    from studio import cluster

    with cluster.connected(address) as crew:
        yield crew
