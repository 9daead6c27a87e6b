"""How much memory this process may still take, and amounts of memory in words. TensorFlow need not be loaded."""

import functools
import os
import re
import subprocess
from fractions import Fraction
from pathlib import Path, PurePosixPath

import psutil

NO_LIMIT = 2**60  # bytes: what says as much or more means that there is none (cgroup v1: about 2**63)
GROUP_FILES = {  # by version: the groups' folder; limit, what is used, and the part of it that is given back
    1: ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    2: ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
}
UNITS = {"k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
UNITS |= {"ki": 1024, "mi": 1024**2, "gi": 1024**3, "ti": 1024**4}


def free_bytes(root="/"):
    """What this process may still take, in bytes, 0 or more: the least of what its limits leave.

    These are the machine's free memory, the limits of the process's control group and of every group around it
    (containers; cgroup v1 and v2, https://docs.kernel.org/admin-guide/cgroup-v2.html), less what is used of each but
    not what the kernel would give back at once (inactive_file, cached files), and RLIMIT_AS (ulimit -v).
    root: the folder that holds proc/ and sys/. A file that is missing there or makes no sense means no limit.
    """
    return max(0, min([psutil.virtual_memory().available, *_left_in_groups(Path(root)), *_left_of_addresses()]))


@functools.cache  # TensorFlow keeps what it has once taken, and takes it from there again
def gpu_bytes():
    """What is free on the GPU, on the fullest of several, in bytes, when first asked; None where it is not known."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    command = ["nvidia-smi", "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(
            command + (["-i", visible] if visible else []), capture_output=True, text=True, timeout=20, check=True
        ).stdout.split()
        return min(2**20 * int(amount) for amount in told)
    except (OSError, ValueError, subprocess.SubprocessError):  # not NVIDIA's, or a driver that does not say
        return None


def _left_in_groups(root):
    """What each limit around this process leaves, in bytes; nothing where there is none."""
    for line in _lines(root / "proc/self/cgroup"):  # number:controllers:group
        controllers, _, group = line.partition(":")[2].partition(":")
        version = 2 if line.startswith("0::") else 1 if "memory" in controllers.split(",") else None
        if version is None:
            continue
        mount, *names = GROUP_FILES[version]
        group = PurePosixPath("/", group)
        for folder in (group, *group.parents):  # a container may see its own group as the root: others are missing
            yield from _left_in_group(root / mount / folder.relative_to("/"), *names)


def _left_in_group(folder, limit_file, used_file, reclaimable):
    limit = _bytes(_lines(folder / limit_file))
    if not limit:  # none, or 0, in which nothing could run
        return
    statistics = dict(line.split(maxsplit=1) for line in _lines(folder / "memory.stat") if " " in line.strip())
    used, given_back = _bytes(_lines(folder / used_file)), _bytes([statistics.get(reclaimable, "")])
    yield limit - max(0, (used or 0) - (given_back or 0))


def _lines(path):
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []


def _bytes(lines):
    """The number on the only line; None for anything else, and for a number that no machine has."""
    text = lines[0].strip() if len(lines) == 1 else ""
    return int(text) if re.fullmatch("[0-9]{1,30}", text) and int(text) < NO_LIMIT else None


def _left_of_addresses():
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and limit < NO_LIMIT:
        yield limit - psutil.Process().memory_info().vms


def in_words(n_bytes):
    """An amount of memory for people: 850 MB, 4.2 GB; in units of 1000."""
    amount, unit = n_bytes, "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if round(amount) < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.1f} {unit}" if unit != "bytes" and round(amount, 1) < 10 else f"{amount:.0f} {unit}"


def parse(text):
    """Bytes from an amount of memory as people write it: "4GB", "800 MB" (units of 1000), "1.5 GiB" (of 1024).

    Capitals do not matter, nor does a missing B after the unit's letter. Raises ValueError for anything else.
    """
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,15})?) *([kmgt]i?)b?", str(text).strip().lower())
    if found is None:
        raise ValueError(f"{text!r} is no amount of memory: write it as 4GB, 800 MB or 1.5 GiB.")
    number, unit = found.groups()
    return round(Fraction(number) * UNITS[unit])
