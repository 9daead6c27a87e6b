"""What a run needs to go on after an interruption: one file beside the picture, whole or not at all.

No TensorFlow here: writing it is tested by killing the writer a hundred times.
"""

import json
import time
from pathlib import Path

import numpy as np

from nst_support.whole_file import whole_file

SHARE = 0.05  # of the time, that checkpoints may take
RATE = 100e6  # bytes a second that a disk writes at least: a guess before the first


def path_of(output):
    """Where the checkpoint of a picture file is."""
    output = Path(output)
    return output.with_name(f"{output.name}.checkpoint")


def save(path, numbers, arrays):
    """Write {name: what JSON holds} and {name: array}. The checkpoint before is there until this one is on the disk.

    One writer at a time. Raises OSError where the disk refuses; then, too, the one before is untouched.
    """
    with whole_file(path, part=_part_of(path)) as temporary, open(temporary, "wb") as file:
        np.savez(file, numbers=np.frombuffer(json.dumps(numbers).encode(), np.uint8), **arrays)


def numbers_in(path):
    """The numbers of a checkpoint, without its arrays; None where there is none. Raises as `load`."""
    found = load(path, ["numbers"])
    return found and found[0]


def load(path, names=None):
    """(numbers, arrays) of a checkpoint, or None where there is none. Raises ValueError for a damaged one."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in names or file.files}  # reading checks the sums in the file
        return json.loads(arrays.pop("numbers").tobytes()), arrays
    except FileNotFoundError:
        return None
    except OSError:
        raise
    except Exception as error:  # of the archive and of NumPy's headers, which let many kinds escape
        raise ValueError(f"{path}: a damaged checkpoint ({error}). Remove it, and start anew.") from None


def remove(path):
    """Remove a checkpoint, and what a writer that was killed left of the next."""
    for each in (path, _part_of(path)):
        each.unlink(missing_ok=True)


def _part_of(path):
    return path.with_name(f".{path.name}.part")


class Keeper:
    """Saves checkpoints of a run as often as takes `SHARE` of the time. clock: seconds."""

    def __init__(self, path, clock=time.monotonic):
        self.path, self.clock = path, clock
        self.last, self.cost = clock(), None

    def __call__(self, state):
        """state: a function that gives (numbers, arrays); called only when a checkpoint is due."""
        now = self.clock()
        if self.cost is not None and now - self.last < self.cost / SHARE:
            return
        numbers, arrays = state()
        if self.cost is None:  # the first is not due before one could have been paid for
            self.cost = sum(array.nbytes for array in arrays.values()) / RATE
            return
        began = self.clock()
        try:
            save(self.path, numbers, arrays)
        except OSError as error:
            raise type(error)(f"{error} Then go on with --resume.") from error
        self.last = self.clock()
        self.cost = self.last - began
