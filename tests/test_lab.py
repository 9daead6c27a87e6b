"""The lab's engine: the newest change wins, the picture on screen is gone on from, and it ends when it should."""

import queue
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from conftest import picture
from jupyter_client.manager import start_new_kernel

from studio import lab as labs
from studio.lab import Lab, Preview, Trouble
from studio.objective import Objective
from studio.optimise import Run
from studio.settings import Settings

WAIT = 30  # s, for what takes a fraction of one


class Screen:
    """What a lab shows, one after the other."""

    def __init__(self):
        self.all, self.queue = [], queue.Queue()

    def __call__(self, shown):
        self.all.append(shown)
        self.queue.put(shown)

    def until(self, wanted):
        """The first thing not yet taken for which `wanted` is true."""
        while True:
            shown = self.queue.get(timeout=WAIT)
            if wanted(shown):
                return shown


@pytest.fixture
def begun(small_vgg, C, S):
    """A function that starts a lab on C and S: (lab, screen). Its clock makes every picture due, unless given."""
    started = []

    def begin(**options):
        screen, ticks = Screen(), iter(range(10**9))
        lab = Lab(screen, small_vgg, **{"most": 12, "clock": lambda: next(ticks), **options})
        started.append(lab)
        lab.change(C, [S], precision="float32")
        return lab, screen

    yield begin
    for lab in started:
        lab.end()
        lab._thread.join(WAIT)


@pytest.fixture
def slow(monkeypatch):
    """Holds every evaluation until it is let through: `slow.release()`; `slow.entered` counts."""
    gate, evaluate = threading.Semaphore(0), Objective.value_and_gradient
    gate.entered = threading.Semaphore(0)

    def held(self, G):
        gate.entered.release()
        assert gate.acquire(timeout=WAIT)
        return evaluate(self, G)

    monkeypatch.setattr(Objective, "value_and_gradient", held)
    return gate


def resting(shown):
    return isinstance(shown, Preview) and shown.resting


def test_it_improves_the_picture_and_then_rests(begun, small_vgg, C, S):
    lab, screen = begun()
    last = screen.until(resting)
    used, costs = zip(*last.costs, strict=True)
    assert used[0] == 1 and used[-1] == last.evaluations <= 12
    assert list(costs) == sorted(costs, reverse=True) and costs[-1] < 0.9 * costs[0]
    J = Objective(small_vgg.twin("mirror"), C, S, Settings())(last.image)[0]
    assert float(J) == pytest.approx(costs[-1], rel=0.02)  # the picture shown is rounded to 8 bits
    assert last.image.shape == C.shape and lab.wait(WAIT) and lab.alive
    assert screen.queue.empty() and [p.resting for p in screen.all].count(True) == 1


def test_pictures_come_no_oftener_than_four_times_a_second(begun):
    now = [0.0]

    def clock():
        now[0] += 0.04
        return now[0]

    _, screen = begun(most=60, clock=clock)
    screen.until(resting)
    assert 3 <= len(screen.all) <= 60 * 0.08 / labs.INTERVAL  # at most two looks at the clock an evaluation


def test_another_strength_goes_on_from_the_picture_on_screen(begun, small_vgg, C, S):
    lab, screen = begun()
    before = screen.until(resting)
    lab.change(strength=80)
    after = screen.until(resting)
    objective = Objective(small_vgg.twin("mirror"), C, S, Settings(strength=80))
    assert after.change == before.change + 1 == 2
    assert after.costs[0][1] == pytest.approx(float(objective(before.image)[0]), rel=0.02)
    assert float(objective(after.image)[0]) < float(objective(before.image)[0])


def test_another_content_begins_anew(begun, small_vgg, S):
    lab, screen = begun()
    screen.until(resting)
    other = picture(48, 32, 5)
    lab.change(other)
    after = screen.until(resting)
    run = Run(other, [S], small_vgg, Settings())
    start = run.first_G(run.coarsest)
    assert after.image.shape == other.shape
    assert after.costs[0][1] == pytest.approx(float(run.coarsest.objectives["float32"](start)[0]), rel=0.01)


def test_at_strength_0_it_is_the_photograph_and_goes_on_from_there(begun, small_vgg, C, S):
    lab, screen = begun()
    before = screen.until(resting)
    lab.change(strength=0)
    still = screen.until(resting)
    assert np.abs(before.image - C).mean() > 0.02 and still.evaluations == 1
    np.testing.assert_allclose(still.image, C, atol=0.5 / 255 + 1e-6)
    lab.change(strength=60)
    after = screen.until(resting)
    J = Objective(small_vgg.twin("mirror"), C, S, Settings(strength=60))
    assert after.costs[0][1] == pytest.approx(float(J(C)[0]), rel=0.02) and after.costs[-1][1] < after.costs[0][1]


def test_a_second_style_and_every_control_trace_nothing_anew(begun, small_vgg, S):
    lab, screen = begun()
    lab.change(styles=[S, picture(36, 50, 7)], blend_weights=(0.5, 0.5))
    screen.until(lambda shown: resting(shown) and shown.change == 2)
    networks = [small_vgg.twin("mirror"), small_vgg.twin("mirror", "bfloat16")]

    def traces():
        return sum(graph.experimental_get_tracing_count() for vgg in networks for graph in vgg._graphs.values())

    before = traces()
    assert before > 0
    for change in (
        {"strength": 30},
        {"style_scale": 0.7},
        {"blend_weights": (0.2, 0.8)},
        {"blend_weights": (1, 0)},
        {"preserve_colors": "palette"},
        {"preserve_colors": "brightness"},
        {"C": picture(33, 60, 2)},
    ):
        number = lab.change(**change)
        screen.until(lambda shown, number=number: resting(shown) and shown.change == number)
    assert traces() == before


def test_own_colours_are_the_contents(begun, C):
    lab, screen = begun()
    lab.change(preserve_colors="brightness")
    G = screen.until(lambda shown: resting(shown) and shown.change == 2).image
    luma = np.float32([0.299, 0.587, 0.114])
    chroma = [np.asarray(image) - (np.asarray(image) @ luma)[..., None] for image in (G, C)]
    assert np.corrcoef(chroma[0].ravel(), chroma[1].ravel())[0, 1] > 0.95


def test_the_newest_change_wins_and_none_is_queued(begun, slow):
    lab, screen = begun()
    assert slow.entered.acquire(timeout=WAIT)  # in the middle of the first evaluation
    for strength in range(10, 90, 10):
        newest = lab.change(strength=strength)
    slow.release()  # one evaluation, and no more of the old settings
    for _ in range(12):
        assert slow.entered.acquire(timeout=WAIT)
        slow.release()
    assert screen.until(resting).change == newest == 9
    assert {shown.change for shown in screen.all} == {9}
    assert {shown.settings.strength for shown in screen.all} == {lab.settings.strength} == {80}


def test_paused_it_evaluates_nothing_and_then_goes_on(begun, slow):
    lab, screen = begun()
    assert slow.entered.acquire(timeout=WAIT)
    lab.pause()
    slow.release()
    assert not slow.entered.acquire(timeout=0.2) and not lab.wait(0)
    lab.resume()
    for _ in range(12):
        assert slow.entered.acquire(timeout=WAIT)
        slow.release()
    assert screen.until(resting).change == 1


def test_it_ends_after_the_evaluation_being_made(begun, slow):
    lab, screen = begun()
    assert slow.entered.acquire(timeout=WAIT)
    lab.end()
    slow.release()
    lab._thread.join(WAIT)
    assert not lab.alive and not screen.all and lab.wait(0)


def test_a_new_lab_ends_the_one_before(begun):
    first, _ = begun()
    second, screen = begun()
    first._thread.join(WAIT)
    assert not first.alive and second.alive and screen.until(resting)


def test_what_goes_wrong_is_told_and_the_next_change_helps(begun, small_vgg, S):
    lab, screen = begun()
    lab.change(tf.zeros((1, 8, 40, 3)))
    trouble = screen.until(lambda shown: isinstance(shown, Trouble))
    assert trouble.change == 2 and "its shorter side needs 16 px" in trouble.text
    lab.change(picture(40, 40, 3))
    assert screen.until(resting).change == 3


def test_a_bad_setting_is_refused_at_once(begun):
    lab, screen = begun()
    with pytest.raises(ValueError, match="strength = 200"):
        lab.change(strength=200)
    with pytest.raises(TypeError, match="strenght: no such setting"):
        lab.change(strenght=20)
    assert screen.until(resting).change == 1


def test_ctrl_c_while_waiting_ends_it(begun, monkeypatch):
    lab, _ = begun()

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading.Condition, "wait_for", interrupted)
        patch.setattr(lab, "end", lambda: setattr(lab, "_ended", True))
        with pytest.raises(KeyboardInterrupt):
            lab.wait()
    assert lab._ended


def test_the_network_may_come_later_and_is_asked_for_once(small_vgg, C, S):
    asked, screen = [], Screen()

    def network():
        asked.append(threading.current_thread().name)
        return small_vgg

    lab = Lab(screen, network, most=3)
    for strength in (40, 60):
        number = lab.change(C, [S], strength=strength)
        screen.until(lambda shown, number=number: resting(shown) and shown.change == number)
    lab.end()
    assert asked == ["lab"]


CELL = """
import nst_utils as nst
from studio.lab import Lab
C, S = (nst.load_image(f"images/{name}.jpg", 64) for name in ("content/louvre", "style/poppies"))
seen = []
lab = Lab(seen.append, nst.load_vgg19("vgg19-slim"), most=10**6)
lab.change(C, [S])
import time
while not seen:
    time.sleep(0.05)
"""


@pytest.mark.slow
@pytest.mark.parametrize("busy", ["", "time.sleep(100)"], ids=["between cells", "in a cell"])
def test_an_interrupt_of_the_kernel_ends_it(busy):
    project = Path(__file__).resolve().parents[1]
    manager, kernel = start_new_kernel(kernel_name="python3", cwd=str(project))
    try:
        done = kernel.execute_interactive(CELL, output_hook=lambda _: None, timeout=60)
        assert done["content"]["status"] == "ok", done["content"]
        if busy:
            kernel.execute(busy)
            time.sleep(0.5)
        else:
            assert value(kernel, "lab.alive") == "True"
        manager.interrupt_kernel()
        assert value(kernel, "(lab._thread.join(10), lab.alive)") == "(None, False)"
        assert value(kernel, "6 * 7") == "42"
    finally:
        kernel.stop_channels()
        manager.shutdown_kernel(now=True)


def value(kernel, expression):
    """What a kernel answers, as text, once it no longer turns cells away, as it does for a moment after an error."""
    reply = {"status": "aborted"}
    while reply["status"] == "aborted":
        options = {"user_expressions": {"x": expression}, "output_hook": lambda _: None, "timeout": 30}
        reply = kernel.execute_interactive("", **options)["content"]
    return reply["user_expressions"]["x"]["data"]["text/plain"]
