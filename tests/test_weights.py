"""weight_files: reading every layout of the files, and downloading from a server that misbehaves."""

import hashlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import loadmat, savemat

from nst_support import weight_files
from nst_support.layers import LAYERS
from nst_support.weight_files import DownloadError, WeightFile, choose, download, read_weights

ROOT = Path(weight_files.__file__).parents[1]


# ---- reading --------------------------------------------------------------------------------------


def small_network():
    """A whole VGG-19 plan, but 4 to 7 wide, with VGG-19's own first filter."""
    rng = np.random.default_rng(0)
    weights, n_in = {}, 3
    for name in LAYERS:
        n_out = 3 + int(name[4])
        kernel = rng.normal(0, 0.3, (3, 3, n_in, n_out)).astype(np.float32)
        weights[name] = kernel, rng.normal(0, 0.3, n_out).astype(np.float32)
        n_in = n_out
    weights["conv1_1"][0][..., 0] = np.reshape(weight_files.FIRST_FILTER, (3, 3, 3))
    return weights


@pytest.fixture
def network():
    return small_network()


def turned(weights, swap_axes, rgb):
    """The same network as a file would hold it that counts width before height, or expects RGB."""
    out = {
        name: (kernel.transpose(1, 0, 2, 3) if swap_axes else kernel, bias) for name, (kernel, bias) in weights.items()
    }
    if rgb:
        kernel, bias = out["conv1_1"]
        out["conv1_1"] = kernel[:, :, ::-1], bias
    return out


def keras_name(name):
    return name.replace("conv", "block").replace("_", "_conv")


def write_h5_old(path, weights):
    """Keras 1, as the published VGG-19 is."""
    with h5py.File(path, "w") as file:
        for name, (kernel, bias) in weights.items():
            group = file.create_group(keras_name(name))
            group[f"{keras_name(name)}_W_1:0"] = kernel
            group[f"{keras_name(name)}_b_1:0"] = bias
        file["fc1/fc1_W_1:0"] = np.ones((5, 7), np.float32)
        file["fc1/fc1_b_1:0"] = np.ones(7, np.float32)


def write_h5_legacy(path, weights, prefix=""):
    """tf.keras's `save_weights("x.h5")`."""
    with h5py.File(path, "w") as file:
        for name, (kernel, bias) in weights.items():
            group = file.create_group(f"{prefix}{keras_name(name)}/{keras_name(name)}")
            group["kernel:0"], group["bias:0"] = kernel, bias


def write_h5_whole_model(path, weights):
    """tf.keras's `save("x.h5")`, with an optimiser's state whose arrays look like weights."""
    write_h5_legacy(path, weights, "model_weights/")
    with h5py.File(path, "a") as file:
        for name, (kernel, bias) in weights.items():
            group = file.create_group(f"optimizer_weights/Adam/{keras_name(name)}")
            group["m:0"], group["bias_m:0"] = np.zeros_like(kernel), np.zeros_like(bias)


def write_h5_keras3(path, weights):
    """Keras 3's `save_weights("x.weights.h5")`: layers numbered, their names beside the arrays."""
    with h5py.File(path, "w") as file:
        for i, (name, (kernel, bias)) in enumerate(weights.items()):
            group = file.create_group(f"layers/conv2d_{i}/vars" if i else "layers/conv2d/vars")
            group.attrs["name"] = keras_name(name)
            group["0"], group["1"] = kernel, bias


def mat_struct(**fields):
    record = np.empty((1, 1), [(name, "O") for name in fields])
    record[0, 0] = tuple(fields.values())
    return record


def mat_cell(*items):
    cell = np.empty((1, len(items)), object)
    cell[0, :] = items
    return cell


def write_mat(path, weights, conv):
    """MatConvNet's list of layers: each convolution `conv(name, kernel, bias)`, ReLUs, pools and fc6."""
    layers = []
    for name, (kernel, bias) in weights.items():
        layers += [conv(name, kernel, bias), mat_struct(type="relu", name=name.replace("conv", "relu"))]
    layers.append(mat_struct(name="pool5", type="pool", method="max", pool=np.array([[2, 2]])))
    layers.append(conv("fc6", np.ones((7, 7, 8, 5), np.float32), np.ones(5, np.float32)))
    cell = np.empty((1, len(layers)), object)
    for i, layer in enumerate(layers):
        cell[0, i] = layer
    savemat(path, {"meta": mat_struct(note="not looked at"), "layers": cell}, do_compression=True)


def write_mat_new(path, weights):
    write_mat(
        path,
        weights,
        lambda name, kernel, bias: mat_struct(
            name=name, type="conv", weights=pair(kernel, bias[:, None]), size=np.array(kernel.shape), pad=1
        ),
    )


def write_mat_old(path, weights):
    write_mat(
        path,
        weights,
        lambda name, kernel, bias: mat_struct(
            weights=pair(kernel, bias[None]), pad=1, type="conv", name=name, stride=1
        ),
    )


def write_mat_filters(path, weights):
    write_mat(
        path,
        weights,
        lambda name, kernel, bias: mat_struct(
            type="conv", name=name, filters=kernel, biases=bias[None], stride=1, pad=1
        ),
    )


def pair(kernel, bias):
    cell = np.empty((1, 2), object)
    cell[0, 0], cell[0, 1] = kernel, bias
    return cell


def write_npz(path, weights, dtype=np.float16):
    arrays = {
        f"{n}/{part}": a.astype(dtype)
        for n, both in weights.items()
        for part, a in zip(("kernel", "bias"), both, strict=True)
    }
    np.savez_compressed(path, settings=np.array('{"steps": 1}'), **arrays)


WRITERS = {
    "old.h5": write_h5_old,
    "legacy.h5": write_h5_legacy,
    "whole_model.h5": write_h5_whole_model,
    "keras3.weights.h5": write_h5_keras3,
    "new.mat": write_mat_new,
    "old.mat": write_mat_old,
    "filters.mat": write_mat_filters,
}


def assert_same(read, weights):
    assert list(read) == list(weights)
    for name, (kernel, bias) in weights.items():
        assert read[name][0].dtype == read[name][1].dtype == np.float32
        np.testing.assert_array_equal(read[name][0], kernel, err_msg=name)
        np.testing.assert_array_equal(read[name][1], bias, err_msg=name)


def assert_refused(path, *words):
    """read_weights says in one line which file, what is wrong (`words`) and what to do."""
    with pytest.raises(ValueError) as caught:
        read_weights(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    assert "Put a good copy there" in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("swap_axes", [False, True], ids=["hw", "wh"])
@pytest.mark.parametrize("rgb", [False, True], ids=["bgr", "rgb"])
def test_every_layout_and_orientation_reads_the_same(tmp_path, network, name, swap_axes, rgb):
    WRITERS[name](tmp_path / name, turned(network, swap_axes, rgb))
    assert_same(read_weights(tmp_path / name), network)


def test_npz_reads_the_same_up_to_float16(tmp_path, network):
    write_npz(tmp_path / "a.npz", network)
    assert_same(
        read_weights(tmp_path / "a.npz"),
        {n: tuple(a.astype(np.float16).astype(np.float32) for a in both) for n, both in network.items()},
    )
    write_npz(tmp_path / "b.npz", network, np.float32)
    assert_same(read_weights(str(tmp_path / "b.npz")), network)


def test_mat_files_here_are_built_like_the_published_ones(tmp_path, network):
    """The two ways in which published code reaches conv1_1's kernel in the two structs."""
    write_mat_new(tmp_path / "new.mat", network)
    layers = loadmat(tmp_path / "new.mat")["layers"]
    np.testing.assert_array_equal(layers[0][0][0][0][2][0][0], network["conv1_1"][0])
    write_mat_old(tmp_path / "old.mat", network)
    layers = loadmat(tmp_path / "old.mat")["layers"]
    np.testing.assert_array_equal(layers[0][0][0][0][0][0][0], network["conv1_1"][0])


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # inside Keras
@pytest.mark.parametrize("name", ["vgg19.weights.h5", "vgg19.h5"])
def test_what_keras_itself_writes(tmp_path, network, name):
    import keras

    x = image = keras.Input((None, None, 3))
    for layer, (kernel, _) in network.items():
        x = keras.layers.Conv2D(kernel.shape[-1], 3, padding="same", name=keras_name(layer))(x)
    model = keras.Model(image, x)
    for layer, both in network.items():
        model.get_layer(keras_name(layer)).set_weights(both)
    if name == "vgg19.weights.h5":
        model.save_weights(tmp_path / name)
    else:
        model.save(tmp_path / name)
    assert_same(read_weights(tmp_path / name), network)


def test_the_address_is_the_one_keras_uses():
    from keras.src.applications import vgg19

    assert weight_files.KERAS.url == vgg19.WEIGHTS_PATH_NO_TOP
    assert weight_files.KERAS.checksum == "md5:253f8cb515780f3b799900260a226db6"


@pytest.mark.parametrize("name", [*WRITERS, "a.npz"])
def test_the_first_layers_alone_are_read(tmp_path, network, name):
    first = {layer: network[layer] for layer in LAYERS[:5]}
    path = tmp_path / name
    WRITERS.get(name, lambda p, w: write_npz(p, w, np.float32))(path, first)
    assert_same(read_weights(path), first)


def test_content_counts_and_not_the_ending(tmp_path, network):
    write_mat_new(tmp_path / "a.mat", network)
    (tmp_path / "a.mat").rename(tmp_path / "vgg.h5")
    assert_same(read_weights(tmp_path / "vgg.h5"), network)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("change", ["other filter", "turned by 180 degrees", "one number off"])
def test_another_network_is_refused(tmp_path, network, name, change):
    kernel = network["conv1_1"][0]
    if change == "other filter":
        kernel[..., 0] = kernel[..., 1]
    elif change == "turned by 180 degrees":
        kernel[...] = kernel[::-1, ::-1].copy()
    else:
        kernel[2, 0, 1, 0] += 0.01
    WRITERS[name](tmp_path / name, network)
    assert_refused(tmp_path / name, "conv1_1 is not VGG-19's")


@pytest.mark.parametrize("name", [*WRITERS, "a.npz"])
def test_faulty_weights_are_refused(tmp_path, network, name):
    path, write = tmp_path / name, WRITERS.get(name, write_npz)

    def assert_change_refused(layer, both, *words):
        path.unlink(missing_ok=True)
        write(path, {n: both if n == layer else w for n, w in network.items() if n != layer or both})
        assert_refused(path, *words)

    kernel, bias = network["conv3_2"]
    assert_change_refused("conv3_2", None, "conv3_2 has no bias and no kernel")
    assert_change_refused("conv1_1", None, "conv1_1 has no bias and no kernel")
    assert_change_refused("conv3_2", (kernel[:, :, 1:], bias), "conv3_2", "(3, 3, 5, 6)", "(3, 3, 6, 6)")
    assert_change_refused("conv3_2", (kernel, bias[1:]), "conv3_2's kernel", "(3, 3, 6, 6)", "(3, 3, 6, 5)")
    assert_change_refused("conv3_2", (np.ones((5, 5, 6, 6)), bias), "conv3_2's kernel", "(5, 5, 6, 6)")
    for value in np.nan, np.inf:
        bad = kernel.copy()
        bad[1, 1, 2, 3] = value
        assert_change_refused("conv3_2", (bad, bias), "conv3_2", "not a number")
        bad = bias.copy()
        bad[-1] = value
        assert_change_refused("conv3_2", (kernel, bad), "conv3_2", "not a number")


def test_a_lone_kernel_is_refused(tmp_path, network):
    write_h5_legacy(tmp_path / "a.h5", network)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        del file["block2_conv1/block2_conv1/bias:0"]
    assert_refused(tmp_path / "a.h5", "conv2_1 has no bias.")


@pytest.mark.parametrize("name", ["old.h5", "keras3.weights.h5", "new.mat", "old.mat", "a.npz"])
@pytest.mark.parametrize("kept", [12, 200, 0.3, 0.9, -1])
def test_truncated_files_are_refused(tmp_path, network, name, kept):
    WRITERS.get(name, write_npz)(tmp_path / name, network)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(len(data) * kept) if isinstance(kept, float) else kept])
    assert_refused(tmp_path / name, "damaged")


@pytest.mark.parametrize("ending", [".h5", ".mat", ".npz"])
def test_files_of_another_kind_are_refused(tmp_path, ending):
    path = tmp_path / f"vgg19{ending}"
    path.write_bytes(b"")
    assert_refused(path, "empty")
    for data in b"<!DOCTYPE html><title>404", b"\x00" * 4096, b"\x89PNG\r\n\x1a\n" + b"x" * 99:
        path.write_bytes(data)
        assert_refused(path, "not a Keras .h5, MatConvNet .mat or .npz file")
    path.unlink()
    path.mkdir()
    assert_refused(path, "cannot be read (Is a directory)")


def test_files_without_a_layer_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", settings=np.array("{}"))
    assert_refused(tmp_path / "a.npz", "no layer of VGG-19")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["dense/kernel:0"] = np.ones((3, 4))
    assert_refused(tmp_path / "a.h5", "no layer of VGG-19")
    savemat(tmp_path / "a.mat", {"picture": np.ones((3, 4))})
    assert_refused(tmp_path / "a.mat", "damaged, or not what it seems", "layers")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.h5: no such file\. .*make weights"):
        read_weights(tmp_path / "absent.h5")


class Trap:
    """Unpickling it makes a folder."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_pickle_is_refused_and_not_run(tmp_path, network):
    arrays = {f"{name}/bias": bias for name, (_, bias) in network.items()}
    arrays |= {f"{name}/kernel": kernel for name, (kernel, _) in network.items()}
    arrays["conv1_1/kernel"] = np.array([Trap(tmp_path / "sprung")], object)
    np.savez(tmp_path / "a.npz", **arrays)
    assert_refused(tmp_path / "a.npz", "damaged, or not what it seems")
    assert not (tmp_path / "sprung").exists()
    with np.load(tmp_path / "a.npz", allow_pickle=True) as file:
        assert file["conv1_1/kernel"] is not None
    assert (tmp_path / "sprung").exists(), "the trap was no trap"


def test_importing_costs_and_says_nothing():
    heavy = "numpy h5py scipy pooch requests tqdm tensorflow keras"
    code = f"import sys, nst_support.weight_files; print(*sorted(set('{heavy}'.split()) & set(sys.modules)))"
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    assert (run.stdout, run.stderr) == ("\n", "")


# ---- finding and choosing -------------------------------------------------------------------------


BODY = b"".join(hashlib.sha256(str(i).encode()).digest() for i in range(20_000))  # 640 kB
SIZE = len(BODY)
HALF = SIZE // 2
NO_ONE = "http://127.0.0.1:9/"  # the discard port; only named here, never reached


def body_file(url, name="weights.h5", **changes):
    checksum = "md5:" + hashlib.md5(BODY).hexdigest()
    return replace(WeightFile(name, url, SIZE, checksum), **changes)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder that weight_files takes for its own, with a bundled network and small known files."""
    for variable in "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY":
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)
    folder = tmp_path / "pretrained-model"
    folder.mkdir()
    (folder / "vgg19-slim.npz").write_bytes(b"slim")
    mat = body_file(NO_ONE, "old.mat", checksum="sha256:" + hashlib.sha256(BODY).hexdigest())
    monkeypatch.setattr(weight_files, "FOLDER", folder)
    monkeypatch.setattr(weight_files, "SLIM", folder / "vgg19-slim.npz")
    monkeypatch.setattr(weight_files, "KERAS", body_file(NO_ONE))
    monkeypatch.setattr(weight_files, "MATCONVNET", replace(mat, older=("md5:0123",)))
    return folder


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


def found(folder):
    """What "auto" chooses in `folder`: its path, or None for the bundled network; and the line about it."""
    path, line = choose("auto", folder=folder)
    return (None if path.name == "vgg19-slim.npz" else path), line


def test_the_keras_file_comes_before_the_mat(place):
    assert found(place)[0] is None
    (place / "old.mat").write_bytes(BODY)
    assert found(place)[0] == place / "old.mat"
    (place / "weights.h5").write_bytes(BODY)
    assert found(str(place))[0] == place / "weights.h5"
    assert found(place / "absent")[0] is None


def test_a_file_of_a_wrong_size_is_passed_over_and_named(place):
    (place / "weights.h5").write_bytes(BODY[:-1])
    path, line = found(place)
    assert path is None and "weights.h5: 639,999 bytes, expected 640,000. Run `make weights` again" in line
    (place / "old.mat").write_bytes(BODY[: HALF // 10 * 19])  # an older copy may be 5 % smaller
    path, line = found(place)
    assert path == place / "old.mat" and "weights.h5: 639,999 bytes" in line
    (place / "old.mat").write_bytes(BODY[:HALF])
    path, line = found(place)
    assert path is None and "`make weights` again" in line and "`make weights ARGS=--mat` again" in line


@pytest.mark.parametrize("name", ["vgg19.h5", "imagenet-vgg-verydeep-19 (1).mat", "mine.npz"])
def test_a_file_under_another_name_is_passed_over_and_the_names_told(place, name):
    (place / name).write_bytes(BODY)
    path, line = found(place)
    assert path is None and f"{name}: passed over; the names that are read are weights.h5 and old.mat" in line
    (place / "weights.h5").write_bytes(BODY)
    path, line = found(place)
    assert path == place / "weights.h5" and f"{name}: passed over" in line


def test_choose_without_downloads(place):
    slim = place / "vgg19-slim.npz"
    path, line = choose("auto", folder=place)
    assert path == slim
    assert line == (
        "VGG-19: the bundled vgg19-slim, because no VGG-19 file is in pretrained-model/ (`make weights` fetches it)."
    )
    assert choose("vgg19-slim", folder=place) == (slim, "VGG-19: the bundled vgg19-slim, as asked.")
    with pytest.raises(FileNotFoundError, match=r"weights\.h5: no such file\. `make weights` fetches it\."):
        choose("vgg19", folder=place)
    (place / "weights.h5").write_bytes(BODY[:HALF])
    path, line = choose("auto", folder=place)
    assert path == slim and "320,000 bytes, expected 640,000" in line and "\n" not in line
    with pytest.raises(FileNotFoundError, match=r"320,000 bytes, expected 640,000\. Run `make weights`"):
        choose("vgg19", folder=place)
    (place / "weights.h5").write_bytes(BODY)
    for name in "auto", "vgg19":
        assert choose(name, folder=place) == (
            place / "weights.h5",
            "VGG-19: weights.h5, found in pretrained-model/.",
        )
    assert choose("vgg19-slim", folder=place)[0] == slim


def test_choose_names_the_three(place):
    with pytest.raises(ValueError, match=r"'vgg16': no such .* \"auto\", \"vgg19\" or \"vgg19-slim\"\.$"):
        choose("vgg16", folder=place)


def test_choose_says_when_the_bundled_file_is_missing(place):
    (place / "vgg19-slim.npz").unlink()
    for name in "auto", "vgg19-slim":
        with pytest.raises(FileNotFoundError, match=r"vgg19-slim\.npz: the bundled network.* is missing"):
            choose(name, folder=place)


# ---- downloading ----------------------------------------------------------------------------------


@pytest.fixture
def serve():
    """serve(answer) -> a server with `.url` and `.hits`; `answer(handler, n, stop)` answers request n,
    counted from 0; `stop` is an Event, set at the end of the test, to wait on.
    """
    servers, stop = [], threading.Event()

    def start(answer):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                with lock:
                    n, server.hits = server.hits, server.hits + 1
                answer(self, n, stop)

            def log_message(self, *_):
                pass

        lock = threading.Lock()
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads, server.block_on_close, server.hits = True, False, 0
        server.handle_error = lambda *_: None  # clients here are killed in the middle of an answer
        server.url = f"http://127.0.0.1:{server.server_port}/weights.h5"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        return server

    yield start
    stop.set()
    for server in servers:
        server.shutdown()
        server.server_close()


def head(handler, length=SIZE, status=200):
    handler.send_response(status)
    if length is not None:
        handler.send_header("Content-Length", str(length))
    handler.end_headers()


def whole(handler, n=0, stop=None):
    head(handler)
    handler.wfile.write(BODY)


def half_then_nothing(handler, n, stop):
    head(handler)
    handler.wfile.write(BODY[:HALF])
    stop.wait(60)


def half_then_closed(handler, n, stop):
    head(handler)
    handler.wfile.write(BODY[:HALF])


def half_then_reset(handler, n, stop):
    half_then_closed(handler, n, stop)
    handler.wfile.flush()
    time.sleep(0.1)  # a reset would overtake what is under way
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def assert_fails(file, folder, *words, **options):
    """download() raises one line with the file, the address, the reason (`words`) and what to do,
    and leaves nothing behind."""
    before = files_in(folder) if folder.exists() else []
    with pytest.raises(DownloadError) as caught:
        download(file, folder, **options)
    message = str(caught.value)
    for word in (str(folder / file.name), file.url, "make weights", "by hand", *words):
        assert word in message
    assert "\n" not in message
    assert files_in(folder) == before


def test_download_brings_the_file_once(place, serve):
    server = serve(whole)
    folder = place / "made" / "on the way"
    path = download(body_file(server.url), folder)
    assert path == folder / "weights.h5" and path.read_bytes() == BODY
    assert download(body_file(NO_ONE), folder) == path
    assert server.hits == 1 and files_in(folder) == ["weights.h5"]
    assert path.stat().st_mode & 0o044 == 0o044 & ~current_umask(), "others on the machine may read it"


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_sha256_and_the_checksums_of_older_copies(place, serve):
    server = serve(whole)
    file = body_file(server.url, checksum="sha256:" + hashlib.sha256(BODY).hexdigest())
    assert download(file, place).read_bytes() == BODY
    (place / "weights.h5").write_bytes(b"an older copy")
    older = "md5:" + hashlib.md5(b"an older copy").hexdigest()
    assert download(replace(file, older=(older,)), place).read_bytes() == b"an older copy"
    assert server.hits == 1


def test_a_wrong_file_of_that_name_is_replaced(place, serve):
    (place / "weights.h5").write_bytes(BODY[::-1])
    assert download(body_file(serve(whole).url), place).read_bytes() == BODY
    assert files_in(place) == ["vgg19-slim.npz", "weights.h5"]


def test_a_slow_start_is_waited_for(place, serve):
    def slow(handler, n, stop):
        stop.wait(1.5)
        head(handler)
        for i in range(0, len(BODY), HALF // 2):
            stop.wait(0.5)
            handler.wfile.write(BODY[i : i + HALF // 2])

    server = serve(slow)
    # Every pause is under the timeout; their sum is not.
    assert download(body_file(server.url), place, read_timeout=3).read_bytes() == BODY
    assert server.hits == 1


def test_a_body_without_a_length(place, serve):
    def unsized(handler, n, stop):
        head(handler, None)
        handler.wfile.write(BODY if n else BODY[:HALF])

    server = serve(unsized)
    assert_fails(body_file(server.url), place, "320,000 of 640,000 bytes", attempts=1)
    assert download(body_file(server.url), place).read_bytes() == BODY


@pytest.mark.parametrize("sent", ["headers", "half"])
def test_a_stall_ends(place, serve, sent):
    server = serve(half_then_nothing if sent == "half" else lambda handler, n, stop: stop.wait(60))
    start = time.monotonic()
    assert_fails(body_file(server.url), place, "stalled", read_timeout=0.5, attempts=2)
    assert time.monotonic() - start < 15
    assert server.hits == 2


def test_a_truncated_body_is_never_taken_for_the_file(place, serve):
    server = serve(half_then_closed)
    assert_fails(body_file(server.url), place, "truncated", attempts=2)
    assert server.hits == 2


@pytest.mark.parametrize("drop", [half_then_closed, half_then_reset, half_then_nothing])
def test_a_passing_drop_is_tried_again(place, serve, drop):
    server = serve(lambda handler, n, stop: (whole if n else drop)(handler, n, stop))
    assert download(body_file(server.url), place, read_timeout=2).read_bytes() == BODY
    assert server.hits == 2 and files_in(place) == ["vgg19-slim.npz", "weights.h5"]


def test_a_broken_connection_is_said(place, serve):
    assert_fails(body_file(serve(half_then_reset).url), place, "the connection broke off", attempts=1)


@pytest.mark.parametrize("sent", [BODY[::-1], BODY[:HALF], BODY + b"x"], ids=["other", "shorter", "longer"])
def test_a_wrong_checksum_is_refused(place, serve, sent):
    def other(handler, n, stop):
        head(handler, len(sent))
        handler.wfile.write(sent)

    (place / "weights.h5").write_bytes(b"what was there before")
    words = ["truncated"] if len(sent) < len(BODY) else ["wrong checksum", f"{len(sent):,} bytes"]
    assert_fails(body_file(serve(other).url), place, *words, attempts=1)
    assert (place / "weights.h5").read_bytes() == b"what was there before"


@pytest.mark.parametrize("status, hits", [(404, 1), (403, 1), (503, 2)])
def test_an_error_status(place, serve, status, hits):
    server = serve(lambda handler, n, stop: head(handler, 0, status))
    start = time.monotonic()
    assert_fails(body_file(server.url), place, f"the server answered {status}", attempts=2)
    assert server.hits == hits and time.monotonic() - start < 10


@pytest.fixture
def closed_port():
    """The address of a port that nothing listens on, held so that nothing else takes it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/weights.h5"


def test_a_refused_connection_fails_soon(place, closed_port):
    start = time.monotonic()
    assert_fails(body_file(closed_port), place, "connection refused")
    assert time.monotonic() - start < 10


@pytest.mark.skipif(sys.platform != "linux", reason="Linux drops the packets to a full queue")
def test_a_firewall_is_not_waited_for_at_every_address(place, monkeypatch):
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for filler in first, second:
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        real = socket.getaddrinfo

        def many(host, *args, **options):
            return real("127.0.0.1", *args, **options) * 12 if host == "many.test" else real(host, *args, **options)

        monkeypatch.setattr(socket, "getaddrinfo", many)
        file = body_file(f"http://many.test:{deaf.getsockname()[1]}/")
        start = time.monotonic()
        assert_fails(file, place, "cannot be reached", connect_timeout=0.5)
        assert 0.4 < time.monotonic() - start < 5


def test_a_host_that_answers_on_ipv4_alone(place, serve, monkeypatch):
    server = serve(whole)
    real = socket.getaddrinfo

    def both(host, *args, **options):
        if host != "two.test":
            return real(host, *args, **options)
        deaf = socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", server.server_port, 0, 0)
        return [deaf, *real("127.0.0.1", *args, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    file = body_file(server.url.replace("127.0.0.1", "two.test"))
    assert download(file, place).read_bytes() == BODY


def test_an_unknown_host(place, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert_fails(body_file("http://nowhere.test/weights.h5"), place, "name was not found")


@pytest.mark.parametrize("url", ["weights.h5", "ftp://127.0.0.1/weights.h5", "http://", "http://127.0.0.1:x/"])
def test_not_an_address(place, url):
    assert_fails(body_file(url), place, attempts=1)


def test_a_folder_that_cannot_be_made(place, serve):
    (place / "file").write_bytes(b"")
    with pytest.raises(DownloadError, match=r"file.weights\.h5: could not be downloaded from .*\(.*\)\. Run"):
        download(body_file(serve(whole).url), place / "file")
    assert files_in(place) == ["file", "vgg19-slim.npz"]


def test_choose_downloads_where_allowed(place, serve, monkeypatch):
    server = serve(whole)
    monkeypatch.setattr(weight_files, "KERAS", body_file(server.url))
    (place / "weights.h5").write_bytes(BODY[:HALF])
    path, line = choose("auto", download_allowed=True, folder=place)
    assert path == place / "weights.h5" and path.read_bytes() == BODY
    assert line == "VGG-19: weights.h5, downloaded into pretrained-model/."
    assert "found" in choose("vgg19", download_allowed=True, folder=place)[1] and server.hits == 1


def test_choose_falls_back_when_the_download_fails(place, closed_port, monkeypatch):
    monkeypatch.setattr(weight_files, "KERAS", body_file(closed_port))
    start = time.monotonic()
    path, line = choose("auto", download_allowed=True, folder=place)
    assert time.monotonic() - start < 10
    assert path == place / "vgg19-slim.npz"
    assert line.startswith("VGG-19: the bundled vgg19-slim, because the download failed: ")
    assert "connection refused" in line and "make weights" in line and "\n" not in line
    with pytest.raises(DownloadError, match="connection refused"):
        choose("vgg19", download_allowed=True, folder=place)
    assert choose("vgg19-slim", download_allowed=True, folder=place)[0] == path


# ---- the command, also killed and twice at once ---------------------------------------------------


def test_make_weights(place, serve, monkeypatch, capsys):
    server = serve(whole)
    monkeypatch.setattr(weight_files, "KERAS", body_file(server.url))
    for _ in range(2):
        assert weight_files.main([]) == 0
        out = capsys.readouterr().out
        assert out == f"{place / 'weights.h5'}: VGG-19 is here, 640,000 bytes, checksum right.\n"
    assert server.hits == 1
    assert weight_files.main(["--mat", "--url", server.url]) == 0
    assert str(place / "old.mat") in capsys.readouterr().out
    assert files_in(place) == ["old.mat", "vgg19-slim.npz", "weights.h5"]


def test_make_weights_that_fails(place, closed_port, capsys):
    assert weight_files.main(["--url", closed_port]) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert "weights.h5: could not be downloaded" in captured.err and "connection refused" in captured.err
    assert weight_files.main(["--mat", "--url", closed_port]) == 1
    assert "Run `make weights ARGS=--mat` again" in capsys.readouterr().err


@pytest.fixture
def run_command(place):
    """run_command(url) starts the command in another process, with the folder and the file
    of these tests; it is killed at the end, should it still run."""
    file = body_file(NO_ONE)
    code = (
        "import signal, sys, pathlib\n"
        "from nst_support import weight_files\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's `&` would have it ignored
        f"weight_files.FOLDER = pathlib.Path({str(place)!r})\n"
        f"weight_files.KERAS = weight_files.{file!r}\n"
        "sys.exit(weight_files.main(['--url', sys.argv[1]]))\n"
    )
    started = []

    def run(url):
        command = [sys.executable, "-c", code, url]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(command, cwd=ROOT, **options))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate(timeout=50)


def wait_for_part(folder):
    """The part file of a download, once bytes are in it."""
    end = time.monotonic() + 50
    while time.monotonic() < end:
        if parts := [part for part in folder.glob("*.part") if part.stat().st_size]:
            return parts[0]
        time.sleep(0.02)
    raise AssertionError("no download began in 50 s")


def test_two_processes_at_once(place, serve, run_command):
    both_under_way = threading.Barrier(2)

    def together(handler, n, stop):
        head(handler)
        handler.wfile.write(BODY[:HALF])
        both_under_way.wait(50)
        handler.wfile.write(BODY[HALF:])

    server = serve(together)
    first = run_command(server.url)
    wait_for_part(place)  # so the second could take it for a leftover
    second = run_command(server.url)
    for process in first, second:
        out, err = process.communicate(timeout=50)
        assert process.returncode == 0, err
        assert b"weights.h5: VGG-19 is here" in out
    assert server.hits == 2
    assert (place / "weights.h5").read_bytes() == BODY
    assert files_in(place) == ["vgg19-slim.npz", "weights.h5"]


def test_ctrl_c_leaves_nothing(place, serve, run_command):
    process = run_command(serve(half_then_nothing).url)
    wait_for_part(place)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=50)
    assert process.returncode == 130 and out == b""
    assert err.count(b"\n") == 1 and err.split(b"\r")[-1].startswith(b"weights.h5: interrupted")
    assert files_in(place) == ["vgg19-slim.npz"]
    assert download(body_file(serve(whole).url), place).read_bytes() == BODY


def test_a_killed_download_is_cleaned_up_by_the_next(place, serve, run_command):
    process = run_command(serve(half_then_nothing).url)
    part = wait_for_part(place)
    process.kill()
    process.communicate(timeout=50)
    assert part.exists() and found(place)[0] is None
    assert choose("auto", folder=place)[0] == place / "vgg19-slim.npz"
    assert download(body_file(serve(whole).url), place).read_bytes() == BODY
    assert files_in(place) == ["vgg19-slim.npz", "weights.h5"]


def test_a_leftover_goes_even_if_nothing_else_is_to_be_done(place, closed_port):
    (place / "weights.h5.0a1b2c3d.part").write_bytes(BODY[:HALF])
    (place / "mine.part").write_bytes(b"not ours to delete")
    (place / "weights.h5").write_bytes(BODY)
    download(body_file(closed_port), place)
    assert files_in(place) == ["mine.part", "vgg19-slim.npz", "weights.h5"]
    (place / "weights.h5").unlink()
    (place / "weights.h5.0a1b2c3d.part").write_bytes(BODY[:HALF])
    with pytest.raises(DownloadError):
        download(body_file(closed_port), place)
    assert files_in(place) == ["mine.part", "vgg19-slim.npz"]
