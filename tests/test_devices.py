"""Tiles on several devices: the same numbers in the same order as on one, however fast each is."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from studio import devices
from studio.estimate import SIDES, Layout

ROOT = Path(__file__).resolve().parents[1]
# Logical devices exist only if they are asked for before TensorFlow begins: in a process of its own.
ON_TWO = """
import json, sys, threading
import numpy as np
sys.path.insert(0, "tests")
import nst_utils as nst
from nst_utils import tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from conftest import picture
from studio import devices
from studio.settings import Settings
from studio.tiles import TiledObjective

vgg = nst.load_vgg19("vgg19-slim").twin("mirror")
seen, traced = [], type(vgg).traced

def watched(self, function, *job):
    found = traced(self, function, *job)
    seen.append((threading.current_thread().name, tf.nest.flatten(found)[0].device[-5:]))
    return found

type(vgg).traced = watched
C, S, settings = picture(150, 210, 0), picture(80, 90, 1), Settings(memory=10**9)
there = devices.names()

def found(names):
    devices.names = lambda: names
    objective = TiledObjective(vgg, C, S, settings, side=64)
    del seen[:]
    J, gradient = objective.value_and_gradient(nst.start_image(C, "course", seed=2))
    worked = [each for each in seen if each[0] != threading.current_thread().name]
    return float(J), gradient, worked

J, gradient, alone = found(there[:1])
J_of_two, gradient_of_two, worked = found(there)
print(json.dumps({
    "names": there, "alone": len(alone), "tiles": len(worked),
    "threads": sorted(len({thread for thread, device in worked if device == name[-5:]}) for name in there),
    "shares": [sum(device == name[-5:] for _, device in worked) for name in there],
    "J": abs(J - J_of_two) / J,
    "gradient": float(np.abs(gradient - gradient_of_two).max() / np.abs(gradient).max()),
}))
"""


def test_two_devices_give_the_gradient_of_one():
    """To the rounding of float32: each device adds within a tile as its threads come."""
    done = subprocess.run([sys.executable, "-c", ON_TWO], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert [name[-5:] for name in found["names"]] == ["CPU:0", "CPU:1"]
    assert found["alone"] == 0 and found["threads"] == [2, 2]  # one device: none; two: each has its own, in each pass
    assert found["shares"] == [12, 12] and found["tiles"] == 24  # 12 tiles, twice
    assert found["J"] < 1e-6 and found["gradient"] < 1e-6


class Later:
    """A future whose result is asked for in some order, which it notes."""

    def __init__(self, i, log):
        self.i, self.log = i, log
        log.append(("begun", i))

    def result(self):
        self.log.append(("asked", self.i))
        return self.i


def test_results_come_in_order_and_no_more_are_under_way_than_may_be():
    log = []
    assert list(devices.in_order((Later(i, log) for i in range(7)), 3, Later.result)) == list(range(7))
    under_way = most = 0
    for what, _ in log:
        under_way += 1 if what == "begun" else -1
        most = max(most, under_way)
    assert most == 3 and [i for what, i in log if what == "asked"] == list(range(7))


WHOLE = Layout("lbfgs", 20, None, 0.0)


@pytest.mark.parametrize(("size", "count", "tile"), [((300, 400), 8, None), ((4000, 6000), 1, None)])
def test_a_small_picture_and_a_single_device_stay_in_one_piece(size, count, tile):
    assert devices.spread(WHOLE, size, "conv5_1", count).tile is tile


def test_tiles_where_several_devices_gain_by_them():
    for count in (2, 4, 8):
        found = devices.spread(WHOLE, (4000, 6000), "conv5_1", count)
        assert found.tile in SIDES and found.pairs == WHOLE.pairs
    # eight devices: tiles of 1,024 px lie 4 x 6, three rounds of them; each sees at most 1,184 x 1,168 px
    assert devices.spread(WHOLE, (4000, 6000), "conv5_1", 8, sides=(1024,)).tile == 1024
    assert devices.spread(WHOLE, (4000, 6000), "conv5_1", 2, sides=(128,)).tile is None  # margins eat the gain


def test_what_does_not_fit_into_memory_gets_no_larger_tiles():
    tight = Layout("lbfgs", 20, 512, 0.0)
    assert devices.spread(tight, (4000, 6000), "conv5_1", 8).tile <= 512


def test_a_device_is_lent_to_one_thread_at_a_time():
    free, log = devices.Free(), []

    def work():
        with free.device():
            log.append("begun")
            time.sleep(0.02)
            log.append("ended")

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log == ["begun", "ended"] * 3  # of the one processor that the tests run on
