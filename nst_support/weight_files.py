"""The files that VGG-19's weights come in: find them, download them, check them, read them.

    path, line = choose("auto")     # which file, and why
    weights = read_weights(path)    # {"conv1_1": (kernel, bias), ...}

`make weights` (`python -m nst_support.weight_files`) downloads the full VGG-19 into `pretrained-model/`.
"""

import argparse
import contextlib
import os
import re
import secrets
import socket
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from nst_support.layers import LAYERS

try:
    import fcntl
except ImportError:  # Windows, which refuses by itself to delete a file that is open
    fcntl = None


@dataclass(frozen=True)
class WeightFile:
    """A file on the web: `size` in bytes, `checksum` as "md5:..." or "sha256:...".

    `older` holds the checksums of earlier copies under the same name, which are as good when
    already there; their sizes are not recorded.
    """

    name: str
    url: str
    size: int
    checksum: str
    older: tuple[str, ...] = ()


KERAS = WeightFile(
    name="vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
    url="https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
    "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
    size=80_134_624,
    checksum="md5:253f8cb515780f3b799900260a226db6",
)
MATCONVNET = WeightFile(
    name="imagenet-vgg-verydeep-19.mat",
    url="https://www.vlfeat.org/matconvnet/models/imagenet-vgg-verydeep-19.mat",
    size=534_904_783,
    checksum="sha256:abdb57167f82a2a1fbab1e1c16ad9373411883f262a1a37ee5db2e6fb0044695",
    older=("md5:8ee3263992981a1d26e73b3ca028a123",),
)
FOLDER = Path(__file__).resolve().parent.parent / "pretrained-model"
SLIM = FOLDER / "vgg19-slim.npz"


# conv1_1's first filter in Keras's VGG-19: nine positions row by row, each B, G, R. Which way round
# other files store kernels and channels is disputed in public; these numbers settle it for each file.
FIRST_FILTER = (
    (0.34119523, 0.46418372, 0.39416704),
    (0.33999205, 0.41810837, 0.37740308),
    (-0.04484424, -0.04806903, -0.04594866),
    (0.23215917, 0.30511212, 0.26712990),
    (0.08978214, 0.10385381, 0.09986369),
    (-0.30331427, -0.37314063, -0.34100872),
    (-0.07260918, -0.07646758, -0.07573577),
    (-0.24667500, -0.31071070, -0.28034250),
    (-0.33683276, -0.46453714, -0.41602272),
)


class DownloadError(RuntimeError):
    """A download that failed; its message is one line: which file, why, and what to do."""


# ---- reading --------------------------------------------------------------------------------------


def read_weights(path):
    """Weights of the VGG-19 layers in a file, as `{"conv1_1": (kernel, bias), ...}` from the first on.

    Kernels are float32 `(3, 3, n_in, n_out)`, height before width, conv1_1's input in BGR order;
    biases float32 `(n_out,)`. Reads Keras `.h5` (any of its layouts), MatConvNet `.mat` (both structs)
    and this project's `.npz`, told apart by content; nothing in a file is unpickled or executed.
    Raises FileNotFoundError; ValueError for a file that is damaged or holds another network.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file. `make weights` fetches VGG-19.")
    try:
        with open(path, "rb") as file:
            start = file.read(10)
    except OSError as error:
        raise _bad(path, f"cannot be read ({error.strerror})") from error
    readers = {b"\x89HDF\r\n\x1a\n": _read_h5, b"MATLAB 5.0": _read_mat, b"PK\x03\x04": _read_npz}
    reader = next((reader for magic, reader in readers.items() if start.startswith(magic)), None)
    if reader is None:
        kind = "not a Keras .h5, MatConvNet .mat or .npz file" if start else "empty"
        raise _bad(path, kind)
    try:
        found = reader(path)
    except Exception as error:  # h5py, scipy, numpy and zipfile each have a dozen ways to say it
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise _bad(path, f"damaged, or not what it seems ({reason})") from error
    weights = _checked(path, found)
    # Only this project writes the .npz, in Keras's order, with a conv1_1 of its own.
    return weights if reader is _read_npz else _as_keras(path, weights)


def _bad(path, what):
    return ValueError(f"{path}: {what}. Put a good copy there (`make weights` fetches VGG-19).")


def _read_h5(path):
    """{layer: {"kernel", "bias"}} of a Keras file, whose layouts differ in all but these things: the
    layer's name is a group in the path, or (Keras 3) an attribute beside the array; kernels have 4 axes.
    """
    import h5py
    import numpy as np

    found = {}

    def visit(name, item):
        part = {4: "kernel", 1: "bias"}.get(getattr(item, "ndim", None))
        if part is None or "optimizer" in name:
            return
        for word in [*name.split("/"), str(item.parent.attrs.get("name", ""))]:
            if match := re.fullmatch(r"(?:block|conv)(\d)_(?:conv)?(\d)", word):
                array = np.asarray(item[()], np.float32)
                found.setdefault(f"conv{match[1]}_{match[2]}", {})[part] = array

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return found


def _read_mat(path):
    """{layer: {"kernel", "bias"}} of a MatConvNet file. Its versions put the fields in another order,
    and older ones say `filters`, `biases` for the cell `weights`, so fields are asked for by name.
    """
    import numpy as np
    from scipy.io import loadmat

    found = {}
    for cell in loadmat(path, variable_names=["layers"], appendmat=False)["layers"].ravel():
        layer = np.asarray(cell).ravel()[0]
        fields = layer.dtype.names
        if "weights" in fields:
            arrays = layer["weights"].ravel()
        elif "filters" in fields:
            arrays = [layer["filters"], layer["biases"]]
        else:  # a ReLU or a pool
            continue
        name = str(np.ravel(layer["name"])[0])
        if name in LAYERS:
            kernel, bias = (np.asarray(array, np.float32) for array in arrays)
            found[name] = {"kernel": kernel, "bias": bias.ravel()}
    return found


def _read_npz(path):
    """{layer: {"kernel", "bias"}} of this project's own format: arrays `conv1_1/kernel`, ...; other
    arrays, such as the settings it was trained with, are not looked at.
    """
    import numpy as np

    found = {}
    # numpy by itself leaves a damaged file open
    with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
        for key in file.files:
            name, _, part = key.partition("/")
            if name in LAYERS and part in ("kernel", "bias"):
                found.setdefault(name, {})[part] = np.asarray(file[key], np.float32)
    return found


def _checked(path, found):
    """`{layer: (kernel, bias)}` in the order of the plan; ValueError if they do not make a network."""
    import numpy as np

    present = [name for name in LAYERS if name in found]
    if not present:
        raise _bad(path, "no layer of VGG-19 in it")
    weights, n_in = {}, 3
    for name in LAYERS[: LAYERS.index(present[-1]) + 1]:
        missing = {"kernel", "bias"} - set(found.get(name, ()))
        if missing:
            raise _bad(path, f"{name} has no {' and no '.join(sorted(missing))}")
        kernel, bias = found[name]["kernel"], found[name]["bias"]
        expected = (3, 3, n_in, bias.size)
        if kernel.shape != expected or not bias.size:
            raise _bad(path, f"{name}'s kernel has the shape {kernel.shape}, expected {expected}")
        if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
            raise _bad(path, f"{name} has values that are infinite or not a number")
        weights[name], n_in = (kernel, bias), bias.size
    return weights


def _as_keras(path, weights):
    """`weights` with every kernel's axes and conv1_1's channels turned to Keras's order, known by
    FIRST_FILTER; ValueError if it fits no way round.
    """
    import numpy as np

    first = np.reshape(FIRST_FILTER, (3, 3, 3))
    for axes in (0, 1, 2, 3), (1, 0, 2, 3):
        for step in 1, -1:
            turned = weights["conv1_1"][0].transpose(axes)[:, :, ::step]
            if np.allclose(turned[..., 0], first, atol=1e-3):  # float16 copies are within 3e-4
                rest = {name: (kernel.transpose(axes), bias) for name, (kernel, bias) in weights.items()}
                rest["conv1_1"] = turned, weights["conv1_1"][1]
                return {name: (np.ascontiguousarray(kernel), bias) for name, (kernel, bias) in rest.items()}
    raise _bad(path, "another network: conv1_1 is not VGG-19's in any order of its axes and channels")


# ---- finding and choosing -------------------------------------------------------------------------


def _find(folder):
    """(path or None, one line for each file passed over)."""
    problems = []
    for file in KERAS, MATCONVNET:
        path = Path(folder) / file.name
        if not path.is_file():
            continue
        size = path.stat().st_size
        slack = file.size // 10 if file.older else 0  # an older copy's size is not recorded
        if abs(size - file.size) <= slack:
            return path, problems + _strangers(folder)
        problems.append(f"{path}: {size:,} bytes, expected {file.size:,}. Run {_command(file)} again.")
    return None, problems + _strangers(folder)


def _strangers(folder):
    """A line for each weight file that has another name than the ones that are read."""
    known = {KERAS.name, MATCONVNET.name, SLIM.name}
    return [
        f"{path}: passed over; the names that are read are {KERAS.name} and {MATCONVNET.name}."
        for path in sorted(Path(folder).glob("*"))
        if path.suffix.lower() in (".h5", ".hdf5", ".keras", ".mat", ".npz") and path.name not in known
    ]


def _command(file):
    """How a person asks for `file`, for messages."""
    return "`make weights ARGS=--mat`" if file.name == MATCONVNET.name else "`make weights`"


def choose(name="auto", download_allowed=False, folder=FOLDER):
    """(path of a weight file, one line saying which it is and why).

    "auto" takes a VGG-19 file that lies in `folder`; else, where allowed, a download; else the bundled
    vgg19-slim. "vgg19" and "vgg19-slim" take that one. Raises FileNotFoundError or DownloadError when
    what was asked for by name cannot be had, ValueError for another name.
    """
    if name not in ("auto", "vgg19", "vgg19-slim"):
        raise ValueError(f'{name!r}: no such network. Choose "auto", "vgg19" or "vgg19-slim".')
    why = "as asked"
    if name != "vgg19-slim":
        path, problems = _find(folder)
        if path:
            return path, " ".join([f"VGG-19: {path.name}, found in {Path(folder).name}/.", *problems])
        if download_allowed:
            try:
                path = download(KERAS, folder)
                return path, f"VGG-19: {path.name}, downloaded into {Path(folder).name}/."
            except DownloadError as error:
                if name == "vgg19":
                    raise
                why = f"because the download failed: {error}"
        else:
            absent = f"no VGG-19 file is in {Path(folder).name}/ ({_command(KERAS)} fetches it)"
            why = f"because {' '.join(problems) or absent}"
    if name == "vgg19":
        absent = f"{Path(folder) / KERAS.name}: no such file. {_command(KERAS)} fetches it."
        raise FileNotFoundError(" ".join(problems) or absent)
    if not SLIM.is_file():
        raise FileNotFoundError(
            f"{SLIM}: the bundled network, wanted {why.rstrip('.')}, is missing. Restore it with the project."
        )
    return SLIM, f"VGG-19: the bundled {SLIM.stem}, {why.rstrip('.')}."


# ---- downloading ----------------------------------------------------------------------------------


def download(file=KERAS, folder=FOLDER, connect_timeout=5, read_timeout=20, attempts=3):
    """Path of `file` in `folder`, fetched with a progress bar unless it is there and right.

    Timeouts in seconds: until a connection stands, and without a byte. A connection that stalls or
    breaks is tried again, up to `attempts` in all. The name is only ever taken by a whole file with the
    right checksum; what an interrupted download left is removed. Raises DownloadError.
    """
    target = Path(folder) / file.name
    for attempt in range(attempts):
        if attempt:
            time.sleep(1)
        try:
            return _download_once(file, target, (connect_timeout, read_timeout))
        except (OSError, ValueError) as error:  # what requests raises are OSErrors
            why, may_pass = why_it_failed(error)
        if not may_pass:
            break
    raise DownloadError(
        f"{target}: could not be downloaded from {file.url} ({why}). "
        f"Run {_command(file)} again, or put the file there by hand."
    )


def _download_once(file, target, timeouts):
    import pooch
    from tqdm import tqdm

    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(target)
    if _is_right(target, file):
        return target
    try_connection(file.url, timeouts[0])
    part = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        with open(part, "xb") as out:
            _lock(out)
            if not part.exists():
                raise ConnectionError("another process took it for a leftover before it was locked")
            with tqdm(total=file.size, desc=file.name[:20], unit="B", unit_scale=True, leave=False) as bar:
                pooch.HTTPDownloader(bar, chunk_size=2**16, timeout=timeouts)(file.url, out, None)
            out.flush()
            os.fsync(out.fileno())
            if (size := out.tell()) < file.size:
                raise ConnectionError(f"truncated: {size:,} of {file.size:,} bytes came")
            if not _is_right(part, file):
                raise ValueError(f"the server sent another file: {size:,} bytes with the wrong checksum")
            if fcntl is None:
                out.close()  # Windows moves no open file; elsewhere the lock is kept until it has moved
            os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return target


def _is_right(path, file):
    """Whether `path` is `file`, by checksum."""
    import pooch

    if not path.is_file():
        return False
    known = [checksum.split(":") for checksum in (file.checksum, *file.older)]
    return any(pooch.file_hash(str(path), algorithm) == value for algorithm, value in known)


def _remove_leftovers(target):
    """Delete the part files that killed downloads of `target` left. One that is being written is locked,
    and the system drops a lock with its process, however that ends.
    """
    for part in target.parent.glob(f"{target.name}.*.part"):
        with contextlib.suppress(OSError), open(part, "r+b") as file:
            if fcntl is None:
                file.close()
            else:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()


def _lock(file):
    if fcntl is not None:
        with contextlib.suppress(OSError):  # a file system without locks: leftovers stay, all else works
            fcntl.flock(file, fcntl.LOCK_EX)


def try_connection(url, timeout):
    """Connect once for each address family, raising the OSError if none answers. requests would wait at
    every address of the host, and the usual ones have a dozen: minutes, behind a firewall.
    """
    import requests

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not an http:// or https:// address")
    if requests.utils.get_environ_proxies(url):
        return
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    first = {}
    for family, *_, address in socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM):
        first.setdefault(family, address)
    for i, address in enumerate(first.values(), 1):
        try:
            socket.create_connection(address[:2], timeout).close()
            return
        except OSError:
            if i == len(first):
                raise


def why_it_failed(error):
    """(why a download failed, in words; whether another attempt may go better)."""
    import requests
    import urllib3

    causes = [error]
    while cause := causes[-1].__cause__ or causes[-1].__context__:
        causes.append(cause)

    if isinstance(error, requests.HTTPError):
        code = error.response.status_code
        return f"the server answered {code} {error.response.reason}".rstrip(), code >= 500
    for kinds, why, may_pass in (
        (ConnectionRefusedError, "connection refused", False),
        (socket.gaierror, "the server's name was not found: is there a network?", False),
        (urllib3.exceptions.ReadTimeoutError, "stalled: the server stopped sending", True),
        (
            (TimeoutError, urllib3.exceptions.ConnectTimeoutError),
            "the server cannot be reached: a firewall, or no network?",
            False,
        ),
        (urllib3.exceptions.IncompleteRead, "truncated: the connection closed before the end", True),
    ):
        if any(isinstance(cause, kinds) for cause in causes):
            return why, may_pass
    if isinstance(error, requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return f"{type(error).__name__}: {causes[-1]}", False
    if isinstance(error, ConnectionError):
        return str(error), True
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return "the connection broke off", True
    return getattr(error, "strerror", None) or str(error), False


def main(arguments=None):
    """The command line. Returns the exit status: 0, 1 for a failure, 130 for Ctrl-C."""
    parser = argparse.ArgumentParser(description="Download VGG-19's weights into pretrained-model/.")
    parser.add_argument("--mat", action="store_true", help=f"the course's MatConvNet file ({MATCONVNET.name})")
    parser.add_argument("--url", help="fetch the file from this address, a mirror")
    args = parser.parse_args(arguments)
    file = MATCONVNET if args.mat else KERAS
    try:
        path = download(replace(file, url=args.url or file.url), FOLDER)
    except DownloadError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{file.name}: interrupted, nothing kept. Run it again to start over.", file=sys.stderr)
        return 130
    print(f"{path}: VGG-19 is here, {path.stat().st_size:,} bytes, checksum right.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
