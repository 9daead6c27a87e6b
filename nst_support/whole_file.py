"""A file that appears whole or not at all, whatever interrupts the writing: the only place that writes one."""

import contextlib
import errno
import os
import secrets
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def whole_file(path, part=None):
    """Yield a temporary pathlib.Path beside `path` to write to, with its ending; at the end it becomes `path`.

    path: str or pathlib.Path; `~` is the home folder, a missing folder is made. If the block raises, what was
    there before is untouched and the temporary file is gone. Raises OSError, naming the file, the reason and
    what to do, where the disk refuses.
    part: a temporary path of the caller's own, for a file with one writer that a power cut must not lose either: it is
    on the disk before it takes the name, and of a writer that is killed no more than this one file is left.
    """
    path = Path(path).expanduser()
    # tempfile's would be readable by nobody else
    temporary = part or path.with_name(f".{secrets.token_hex(8)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        if part:
            _to_disk(temporary)
        os.replace(temporary, path)
        if part and os.name == "posix":
            _to_disk(path.parent)  # the name, too
    except OSError as error:
        advice = "Free some space there" if error.errno in FULL else "Check that it is a folder that you may write to"
        reason = f"cannot write into the folder {path.parent.absolute()}: {error.strerror or error}"
        raise type(error)(f"{path}: {reason}. {advice}, or save somewhere else.") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()  # after a success there is none left


def _to_disk(path):
    file = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def write_whole(path, data):
    """Write bytes to a file that appears whole or not at all. Returns its pathlib.Path. Raises as `whole_file`."""
    with whole_file(path) as temporary:
        temporary.write_bytes(data)
    return Path(path).expanduser()
