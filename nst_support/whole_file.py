"""A file that appears whole or not at all, whatever interrupts the writing: the only place that writes one."""

import contextlib
import errno
import os
import secrets
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def whole_file(path):
    """Yield a temporary pathlib.Path beside `path` to write to, with its ending; at the end it becomes `path`.

    path: str or pathlib.Path; `~` is the home folder, a missing folder is made. If the block raises, what was
    there before is untouched and the temporary file is gone. Raises OSError, naming the file, the reason and
    what to do, where the disk refuses.
    """
    path = Path(path).expanduser()
    # tempfile's would be readable by nobody else
    temporary = path.with_name(f".{secrets.token_hex(8)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        advice = "Free some space there" if error.errno in FULL else "Check that it is a folder that you may write to"
        reason = f"cannot write into the folder {path.parent.absolute()}: {error.strerror or error}"
        raise type(error)(f"{path}: {reason}. {advice}, or save somewhere else.") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()  # after a success there is none left


def write_whole(path, data):
    """Write bytes to a file that appears whole or not at all. Returns its pathlib.Path. Raises as `whole_file`."""
    with whole_file(path) as temporary:
        temporary.write_bytes(data)
    return Path(path).expanduser()
