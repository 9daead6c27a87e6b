"""The figures show what they are given: every picture in its place, every number as it is."""

import html
import re
import sys
from types import SimpleNamespace

import imageio.v3 as imageio
import matplotlib
import numpy as np
import pytest
import tensorflow as tf

import nst_utils as nst
from nst_support import figures

matplotlib.use("agg")


def plain(value, n_H=4, n_W=6):
    return tf.fill((1, n_H, n_W, 3), value)


def drawn(figure):
    """{caption: the picture under it} of the axes that hold one."""
    return {axis.get_title(): axis.images[0].get_array() for axis in figure.axes if axis.images}


@pytest.mark.parametrize("as_pairs", [False, True])
def test_a_grid_shows_every_picture_under_its_caption(as_pairs):
    pictures = {f"picture {i}": plain(i / 10) for i in range(5)}
    figure = figures.show_grid(list(pictures.items()) if as_pairs else pictures, columns=3)
    shown = drawn(figure)
    assert list(shown) == list(pictures) and len(figure.axes) == 6
    for caption, image in pictures.items():
        np.testing.assert_array_equal(shown[caption], image[0])


@pytest.mark.parametrize("count, places", [(2, 2), (3, 3), (4, 4), (5, 6)])
def test_without_a_number_of_columns_a_grid_leaves_few_places_empty(count, places):
    assert len(figures.show_grid((str(i), plain(0.5)) for i in range(count)).axes) == places


def test_a_caption_may_come_twice():
    figure = figures.show_grid([("same", plain(0.1)), ("same", plain(0.9))], columns=2)
    assert [float(axis.images[0].get_array()[0, 0, 0]) for axis in figure.axes] == pytest.approx([0.1, 0.9])


def three_pictures(made):
    for i in range(3):
        made.append(i)
        yield f"picture {i}", plain(i / 10)


def test_watching_passes_on_each_picture_before_the_next_is_made(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    made = []
    for i, (caption, image) in enumerate(figures.watch_grid(three_pictures(made), count=3)):
        assert made == list(range(i + 1))
        assert caption == f"picture {i}" and float(image[0, 0, 0, 0]) == pytest.approx(i / 10)
    assert capsys.readouterr().out.splitlines() == [f"made: picture {i}" for i in range(3)]


def test_watching_in_a_notebook_redraws_one_figure(monkeypatch):
    shown = []  # one list per output of the cell, of all that it ever showed

    def display(figure, display_id):
        assert display_id
        shown.append([figure])
        return SimpleNamespace(update=shown[-1].append)

    monkeypatch.setitem(sys.modules, "ipykernel", None)
    monkeypatch.setattr("IPython.display.display", display)
    assert len(list(figures.watch_grid(three_pictures([]), count=3))) == 3
    (output,) = shown
    assert [figure.alt for figure in output] == ["picture 0", "picture 0; picture 1", "picture 0; picture 1; picture 2"]
    pages = [imageio.imread(figure.data) for figure in output]
    assert len({page.shape for page in pages}) == 1  # the page does not jump
    left, middle, right = np.array_split(pages[1].mean(axis=2), 3, axis=1)
    assert left.min() < 50 and middle.min() < 50 and right.min() > 250  # the third is still to come


def test_heat_is_black_at_nothing_and_brightest_at_the_maximum():
    image = figures.heat(np.array([[-1.0, 0.0, 1.0], [2.0, 3.0, 4.0]]))
    assert image.shape == (1, 2, 3, 3)
    brightness = tf.reduce_mean(image, axis=3)[0].numpy().ravel()
    assert brightness[0] == brightness[1] < 0.02 and np.all(np.diff(brightness[1:]) > 0) and brightness[-1] > 0.8


def test_heat_of_a_silent_channel_is_black():
    assert float(tf.reduce_max(figures.heat(np.zeros((2, 3))))) < 0.02


@pytest.mark.parametrize("top, left", [(1, 2), (-2, 3), (3, -1), (2, 4), (-9, 0)])
def test_a_window_is_that_square_of_the_picture_and_grey_beyond(top, left):
    image = tf.constant(np.random.default_rng(0).random((1, 5, 7, 3)), tf.float32)
    square = figures.window(image, top, left, side=4)[0].numpy()
    grey = np.float32(nst.BGR_MEAN[::-1]) / 255
    for (i, j), pixel in zip(np.ndindex(4, 4), square.reshape(16, 3), strict=True):
        row, column = top + i, left + j
        inside = 0 <= row < 5 and 0 <= column < 7
        np.testing.assert_allclose(pixel, image[0, row, column] if inside else grey, rtol=1e-6)


def test_the_grey_of_a_window_is_what_zero_padding_amounts_to(random_weights):
    """Around the picture, the network sees zeros after preprocessing: what it also makes of that grey."""
    kernel, _ = random_weights["conv1_1"]
    vgg = nst.build_vgg19(random_weights | {"conv1_1": (kernel, np.ones(4, np.float32))}, ["conv1_1"])
    np.testing.assert_allclose(vgg(figures.window(plain(0.0), 50, 50, side=3))["conv1_1"], 1, atol=1e-4)


@pytest.mark.parametrize("images", [[plain(0.2)], [plain(0.2)] * 3, [plain(0.2), plain(0.8)]])
def test_a_timelapse_of_few_pictures_is_a_film_of_them(images, tmp_path):
    frames = imageio.imread(figures.save_gif(images, tmp_path / "film.gif"), index=None) / 255
    assert 1 <= len(frames) <= len(images)  # equal frames may be one, held longer
    np.testing.assert_allclose(frames[0], images[0][0], atol=0.01)
    np.testing.assert_allclose(frames[-1], images[-1][0], atol=0.01)


ROWS = {"first <b>": {"J": 0.123456, "note": "a & b"}, "second": {"J": tf.constant(1234.5), "n": 7}}


def test_a_table_has_every_number_in_its_row_and_column():
    lines = [re.split(r"\s{2,}", line.strip()) for line in repr(figures.Table(ROWS)).splitlines()]
    assert lines[0] == ["J", "note", "n"]
    assert lines[1] == ["first <b>", "0.123", "a & b"]
    assert lines[2] == ["second", "1,234", "7"]


def test_a_table_in_jupyter_says_the_same_and_keeps_its_text_apart_from_its_tags():
    page = figures.Table(ROWS)._repr_html_()
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", page)]
    assert [[html.unescape(cell) for cell in row] for row in rows] == [
        ["", "J", "note", "n"],
        ["first <b>", "0.123", "a & b", ""],
        ["second", "1,234", "", "7"],
    ]


def test_a_matrix_writes_each_number_into_its_square():
    rows = {"a": {"x": 0.5, "y": 0.02}, "b": {"x": 1e-5, "y": 2.0}}
    (axis,) = figures.show_matrix(rows, "title", "columns", "rows").axes
    assert [label.get_text() for label in axis.get_xticklabels()] == ["x", "y"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "b"]
    written = {text.get_position(): text.get_text() for text in axis.texts}
    assert written == {(0, 0): "0.50", (1, 0): "0.02", (0, 1): "< 0.001", (1, 1): "2.00"}
    colours = axis.images[0].cmap(axis.images[0].norm(np.array([1e-5, 0.02, 0.5, 2.0])))
    assert np.all(np.diff(colours[:, :3].mean(axis=1)) < 0)  # the larger, the darker


def test_curves_are_drawn_as_given_and_named():
    (axis,) = figures.show_curves({"up": ([1, 2], [10, 100]), "down": ([1, 2], [5, 1])}, "t", "steps", "J").axes
    assert axis.get_yscale() == "log"
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["up", "down"]
    np.testing.assert_array_equal(axis.lines[1].get_xydata(), [[1, 5], [2, 1]])


def test_the_method_shows_the_three_pictures_and_both_costs():
    images = [plain(value) for value in (0.1, 0.5, 0.9)]
    figure = figures.show_method(*images)
    shown = [float(drawn_image.get_array()[0, 0, 0]) for drawn_image in figure.axes[0].images]
    assert shown == pytest.approx([0.1, 0.5, 0.9])
    words = " ".join(text.get_text() for text in figure.axes[0].texts)
    assert all(word in words for word in ("VGG-19", "J_{content}", "J_{style}", "alpha", "beta", "partial J"))


def test_a_spread_goes_from_the_least_to_the_most_about_the_median():
    figure = figures.show_spread({"moved": {"conv1_1": [1.0, 4.0, 2.0]}, "grain": {"conv1_1": [0.5]}}, "t", "x", "y")
    points, bars = zip(
        *((c.lines[0].get_ydata(), c.lines[2][0].get_segments()) for c in figure.axes[0].containers), strict=True
    )
    assert [list(y) for y in points] == [[2.0], [0.5]]
    assert [bar[0][:, 1].tolist() for bar in bars] == [[1.0, 4.0], [0.5, 0.5]]


def test_gram_matrices_have_one_scale_or_each_its_own():
    G = {"small": tf.constant([[1.0, 0.5], [0.5, 1.0]]), "large": tf.constant([[8.0, 2.0], [2.0, 4.0]])}
    shared = drawn(figures.show_grams(G))
    assert float(shared["small"].max()) == 1 and float(shared["large"].max()) == 8
    own = drawn(figures.show_grams(G, own_scales=True))
    np.testing.assert_allclose(own["large"], [[1, 0.25], [0.25, 0.5]])
    np.testing.assert_allclose(own["small"], G["small"])


def test_with_weights_the_parts_of_a_run_add_up_to_J():
    weights = nst.CostWeights(alpha=2.0, beta=5.0)
    record = SimpleNamespace(J=2 * 3.0 + 5 * 0.5, J_content=3.0, J_style=0.5)
    parts = {name: cost_of(record) for name, cost_of, _ in figures._parts(weights)}
    assert parts == {"J": 8.5, "alpha J_content": 6.0, "beta J_style": 2.5}
    assert [name for name, *_ in figures._parts(None)] == ["J", "J_content", "J_style"]
