"""What memory is left: control groups made up in a folder, of both versions, and limits of real processes."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from nst_support.memory import free_bytes, gpu_bytes, in_words, parse

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_AS")
MB = 10**6
PLENTY = "9223372036854771712"  # what version 1 says where there is no limit


def group(root, version, path, limit=None, used=None, given_back=None):
    """A control group's files, as far as they are given."""
    folder = root / ("sys/fs/cgroup/memory" if version == 1 else "sys/fs/cgroup") / path
    folder.mkdir(parents=True, exist_ok=True)
    names = {1: ("memory.limit_in_bytes", "memory.usage_in_bytes"), 2: ("memory.max", "memory.current")}[version]
    for name, value in zip(names, (limit, used), strict=True):
        if value is not None:
            (folder / name).write_text(f"{value}\n")
    if given_back is not None:
        key = "total_inactive_file" if version == 1 else "inactive_file"
        (folder / "memory.stat").write_text(f"anon 123456\ntotal_rss 77\n{key} {given_back}\nactive_file 5\n")


def process_in(root, *lines):
    (root / "proc/self").mkdir(parents=True, exist_ok=True)
    (root / "proc/self/cgroup").write_text("".join(f"{line}\n" for line in lines))


def same_as_without_groups(root):
    free = psutil.virtual_memory().available
    return free_bytes(root) == pytest.approx(free, rel=0.2) and free > 10 * 50 * MB


@pytest.mark.parametrize(("version", "line"), [(2, "0::/outer/middle/inner"), (1, "4:cpu,memory:/outer/middle/inner")])
def test_the_tightest_limit_counts_wherever_it_is(version, line, tmp_path):
    process_in(tmp_path, "9:name=systemd:/elsewhere", "1:cpu:/elsewhere", line)
    group(tmp_path, version, "elsewhere", 1 * MB, 0, 0)  # not this process's
    group(tmp_path, version, "outer", 90 * MB, 20 * MB, 0)
    group(tmp_path, version, "outer/middle", 50 * MB, 15 * MB, 4 * MB)
    group(tmp_path, version, "outer/middle/inner", 80 * MB, 10 * MB, 1 * MB)
    group(tmp_path, version, "outer/middle/sibling", 2 * MB, 0, 0)
    assert free_bytes(tmp_path) == (50 - 15 + 4) * MB
    group(tmp_path, version, "outer", 90 * MB, 85 * MB, 1 * MB)
    assert free_bytes(tmp_path) == (90 - 85 + 1) * MB
    group(tmp_path, version, "outer/middle/inner", 12 * MB, 10 * MB, 1 * MB)
    assert free_bytes(tmp_path) == (12 - 10 + 1) * MB


@pytest.mark.parametrize("version", [1, 2])
def test_a_container_that_sees_its_own_group_as_the_root(version, tmp_path):
    """Without a namespace of its own, the path is the host's, of which nothing exists in the container."""
    process_in(tmp_path, "0::/docker/abc" if version == 2 else "4:memory:/docker/abc")
    group(tmp_path, version, "", 40 * MB, 10 * MB, 2 * MB)
    assert free_bytes(tmp_path) == 32 * MB


def test_both_versions_side_by_side(tmp_path):
    process_in(tmp_path, "4:memory:/a", "0::/b")
    group(tmp_path, 1, "a", 40 * MB, 10 * MB, 0)
    assert free_bytes(tmp_path) == 30 * MB
    group(tmp_path, 2, "b", 20 * MB, 5 * MB, 0)
    assert free_bytes(tmp_path) == 15 * MB


@pytest.mark.parametrize(
    "nonsense", [None, "max", "", "-1", "0", "many", "12 MB", "1\n2", PLENTY, "9" * 25, "9" * 5000]
)
def test_what_is_no_limit(nonsense, tmp_path):
    process_in(tmp_path, "0::/inner", "4:memory:/inner")
    for version in (1, 2):
        group(tmp_path, version, "inner", nonsense, 10 * MB, 0)
    assert same_as_without_groups(tmp_path)
    group(tmp_path, 2, "", 50 * MB, 10 * MB, 0)  # and it hides none
    assert free_bytes(tmp_path) == 40 * MB


@pytest.mark.parametrize("line", ["", "0:", "nonsense", "4:memory", "0::", "7:cpu,memory_extra:/inner"])
def test_without_files_or_with_odd_ones_there_is_no_limit(line, tmp_path):
    assert same_as_without_groups(tmp_path)
    process_in(tmp_path, line)
    group(tmp_path, 1, "inner", 50 * MB, 0, 0)
    assert same_as_without_groups(tmp_path)


def test_usage_that_is_not_known_or_above_the_limit(tmp_path):
    process_in(tmp_path, "0::/")
    group(tmp_path, 2, "", 50 * MB)
    assert free_bytes(tmp_path) == 50 * MB
    group(tmp_path, 2, "", 50 * MB, 20 * MB)
    assert free_bytes(tmp_path) == 30 * MB
    group(tmp_path, 2, "", 50 * MB, 20 * MB, 25 * MB)  # read a moment apart
    assert free_bytes(tmp_path) == 50 * MB
    group(tmp_path, 2, "", 50 * MB, 60 * MB, 0)
    assert free_bytes(tmp_path) == 0


ADDRESSES = """
import resource, sys
from nst_support.memory import free_bytes
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 70_000_000, resource.RLIM_INFINITY))
print(free_bytes(sys.argv[1]), *(name for name in ("tensorflow", "nst_utils", "numpy") if name in sys.modules))
"""


@posix
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_limit_of_addresses_counts_and_nothing_large_is_imported(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", ADDRESSES, str(tmp_path)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    (free,) = done.stdout.split()
    assert int(free) == pytest.approx(70 * MB, abs=5 * MB)


WORDS = [
    (0, "0 bytes"),
    (999, "999 bytes"),
    (1000, "1.0 kB"),
    (9_949, "9.9 kB"),
    (9_951, "10 kB"),
    (850 * MB, "850 MB"),
]
WORDS += [(999_499_999, "999 MB"), (999_500_001, "1.0 GB"), (4_200 * MB, "4.2 GB"), (15_700 * MB, "16 GB")]
WORDS += [(2 * 10**12, "2.0 TB"), (4321 * 10**12, "4321 TB")]


@pytest.mark.parametrize(("n_bytes", "words"), WORDS)
def test_in_words(n_bytes, words):
    assert in_words(n_bytes) == in_words(float(n_bytes)) == words


AMOUNTS = [
    ("4GB", 4 * 10**9),
    ("800 MB", 800 * MB),
    ("1.5 GiB", 1_610_612_736),
    (" 4g ", 4 * 10**9),
    ("2Mi", 2_097_152),
]
AMOUNTS += [("16 kib", 16_384), ("0.1TB", 10**11), ("1 TiB", 1_099_511_627_776), ("1.1 GB", 1_100_000_000)]


@pytest.mark.parametrize(("text", "n_bytes"), AMOUNTS)
def test_parse(text, n_bytes):
    assert parse(text) == n_bytes and isinstance(parse(text), int)


@pytest.mark.parametrize("n_bytes", [8000, 850 * MB, 4_200 * MB, 16 * 10**9])
def test_words_are_understood_again(n_bytes):
    assert parse(in_words(n_bytes)) == n_bytes


@pytest.mark.parametrize(
    "text", ["", "4", "GB", "-4 GB", "4,5 GB", "1e3 MB", "4 GBit", "4 XB", ".5 GB", "nan GB", None, 4, "٤ GB"]
)
def test_what_is_no_amount_of_memory(text):
    with pytest.raises(ValueError, match=r"no amount of memory: write it as 4GB, 800 MB or 1\.5 GiB\.$"):
        parse(text)


@pytest.fixture
def nvidia_smi(tmp_path, monkeypatch):
    """A function: from now on nvidia-smi is this shell script."""

    def made(script):
        gpu_bytes.cache_clear()
        path = tmp_path / "nvidia-smi"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    yield made
    gpu_bytes.cache_clear()


@pytest.mark.skipif(os.name == "nt", reason="a shell script takes the place of nvidia-smi")
def test_the_fullest_gpu_counts_and_only_what_is_visible(nvidia_smi, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    nvidia_smi('case "$*" in *"-i 1"*) echo 2000;; *memory.free*) echo 15095; echo 1024;; esac')
    assert gpu_bytes() == 2**30
    gpu_bytes.cache_clear()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert gpu_bytes() == 2000 * 2**20


@pytest.mark.skipif(os.name == "nt", reason="a shell script takes the place of nvidia-smi")
@pytest.mark.parametrize("script", ["exit 9", "echo '[N/A]'", "true", "kill $$"])
def test_a_gpu_that_does_not_say_is_not_known(nvidia_smi, script):
    nvidia_smi(script)
    assert gpu_bytes() is None
