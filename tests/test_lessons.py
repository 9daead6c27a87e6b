"""What the lessons say of their numbers is so on the stored pages: the numbers are read from there."""

import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
DEPTHS = ("conv1_1", "conv2_1", "conv3_1", "conv4_2", "conv5_1")


def lesson(number):
    """{id of a code cell, up to its first hyphen: its outputs}."""
    (path,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
    cells = nbformat.read(path, 4).cells
    return {cell.id.split("-")[0]: cell.outputs for cell in cells if cell.cell_type == "code"}


def printed(outputs):
    """All numbers that a cell prints, in their order."""
    text = "".join(output.text for output in outputs if output.output_type == "stream")
    return [float(number) for number in re.findall(r"(?<![\w.])-?\d+\.?\d*(?:e[+-]?\d+)?", text.replace(",", ""))]


def table(outputs):
    """{row: {column: number}} of the table that a cell shows."""
    (page,) = (output.data["text/html"] for output in outputs if "text/html" in output.get("data", {}))
    (_, *columns), *rows = (
        [cell.get_text() for cell in row.find_all(["th", "td"])] for row in BeautifulSoup(page, "html.parser")("tr")
    )
    return {name: dict(zip(columns, map(number, row), strict=True)) for name, *row in rows}


def number(text):
    return float(text.split()[0].replace(",", ""))


def matrix(outputs):
    """The rows of the matrix that a cell draws, as lists of numbers, from the description of the figure."""
    (alt,) = (output.metadata["image/jpeg"]["alt"] for output in outputs if "image/jpeg" in output.get("data", {}))
    rows = alt.split("Rows, ")[1].rstrip(".").split("; ")
    return {row.rpartition(": ")[0].strip(): [float(n) for n in row.rpartition(": ")[2].split(", ")] for row in rows}


def rises(*values):
    return list(values) == sorted(set(values))


# ------------------------------------------------------------------------------------ lesson 1


@pytest.fixture(scope="module")
def first():
    return lesson("01")


def test_darker_costs_little_and_upside_down_more_than_half_of_another_picture(first):
    (alt,) = (output.metadata["image/jpeg"]["alt"] for output in first["c21"])
    darker, moved, upside_down, another = map(float, re.findall(r"J_content = ([\d.]+)", alt))
    assert rises(darker, moved, upside_down, another) and darker < 0.1 * moved
    assert 0.5 < upside_down / another < 0.6 and 0.28 < moved / another < 0.38


def test_a_shuffle_costs_more_content_than_silence_and_no_gram_matrix(first):
    *_, shuffled, silent, change, one = printed(first["c29"])
    assert shuffled > silent and change < 1e-6 and one == 1


def test_equal_weights_leave_the_word_to_one_layer_and_balanced_ones_do_not(first):
    (equal,), (balanced,) = (
        [o.metadata["image/jpeg"]["alt"] for o in first[cell] if "image/jpeg" in o.get("data", {})]
        for cell in ("c37", "c41")
    )
    equal, balanced = ([float(n) for n in re.findall(r"([\d.]+) %", alt)] for alt in (equal, balanced))
    assert equal[0] > 94 and max(balanced) < 2 * min(balanced)


def test_training_leaves_mostly_content_and_the_engine_ends_lower_and_sooner(first):
    began, ended, content, style, seconds = printed(first["c49"])
    assert ended < began / 50 and content > style and ended == pytest.approx(content + style, abs=0.011)
    adam, adam_seconds, reached, engine, engine_seconds = printed(first["bb1e3446"])
    assert engine < adam and reached < engine_seconds < adam_seconds == seconds
    assert re.search(r"7 of 7 right", first["c47c"][0].text)


# ------------------------------------------------------------------------------------ lesson 2


@pytest.fixture(scope="module")
def second():
    return lesson("02")


def test_what_is_right_for_a_layer_is_right_for_those_below_it_and_not_above(second):
    judged = list(matrix(second["c26"]).values())
    for i, row in enumerate(judged):
        assert max(row[i:]) < 0.01 and all(error > max(row[i:]) for error in row[:i])
    errors = printed(second["c28"])
    assert rises(*errors) and errors[3] > 1.7 * errors[2]


def test_colours_cost_as_much_as_a_move_at_the_first_layer_and_do_not_fall_from_layer_to_layer(second):
    ratio = table(second["c31a"])["other colours / moved"]
    assert 0.85 < ratio["conv1_1"] < 1.15 and ratio["conv5_1"] < 0.1
    assert all(0.24 < ratio[layer] < 0.34 for layer in ("conv2_1", "conv3_1", "conv4_2"))
    assert ratio["conv4_2"] > ratio["conv3_1"]


def test_a_deep_gram_matrix_does_not_come_by_itself(second):
    asked = list(matrix(second["c40"]).values())
    assert asked[2][3] < 0.01 and min(row[4] for row in asked[:4]) > 0.1 and max(asked[4]) < 0.001


def test_larger_pieces_bring_gram_matrices_nearer_but_at_the_deepest_layer(second):
    compared = matrix(second["c47"])
    small, middle, large, gram, _ = compared.values()
    assert all(rises(*triple) for triple in zip(large[:4], middle[:4], small[:4], strict=True))
    assert small[4] == pytest.approx(middle[4], rel=0.15) and large[4] < 0.5 * small[4]
    assert max(gram[:5]) < 0.005 and 0.4 < gram[5] == min(row[5] for row in compared.values())


def test_the_content_of_a_deep_layer_leaves_the_shallow_gram_matrices_open(second):
    both = table(second["c49"])
    gram, four, five = both.values()
    for layer in ("conv1_1", "conv2_1", "conv3_1"):
        assert gram[f"Gram, {layer}"] < four[f"Gram, {layer}"] < five[f"Gram, {layer}"]
    assert max(four["Gram, conv4_1"], four["Gram, conv5_1"], five["Gram, conv5_1"]) < 0.001
    choice = table(second["c51"])
    per_value = [choice[layer]["numbers per pixel value"] for layer in DEPTHS]
    assert [n < 1 for n in per_value] == [False, False, False, True, True]


# ------------------------------------------------------------------------------------ lesson 3


@pytest.fixture(scope="module")
def third():
    return lesson("03")


def test_the_deeper_the_content_layer_the_more_the_pixels_change(third):
    rows = table(third["c14"])
    assert list(rows) == list(DEPTHS) and rises(*(row["pixel change"] for row in rows.values()))
    assert min(rows, key=lambda layer: rows[layer]["content error"]) == "conv4_2"


def test_a_layer_without_weight_stays_wrong_if_its_neighbours_have_none(third):
    only_first, falling, equal, rising, only_last = matrix(third["c19"]).values()
    assert only_first[4] > 100 * only_first[0] and only_last[0] > 100 * only_last[4]
    assert max(falling + equal + rising) < 0.01


def test_style_is_bought_with_content_and_each_decade_buys_less(third):
    rows = list(table(third["c24"]).values())
    content, style = ([row[f"{what} error"] for row in rows] for what in ("content", "style"))
    times_smaller = [style[i] / style[i + 1] for i in range(4)]
    assert rises(*content) and rises(*style[::-1]) and rises(*times_smaller[::-1])
    assert style[0] - style[1] > style[1] - style[-1]
    assert [round(times) for times in times_smaller[:2]] == [7, 5] and times_smaller[2] < 2
    assert 0.03 < 1 - style[4] / style[3] < 0.1


def test_starts_end_at_nearly_one_cost_and_far_apart(third):
    rows = table(third["c29"])
    J, change = ([row[column] for row in rows.values()] for column in ("J", "pixel change from C"))
    assert max(J) / min(J) < 1.35 < max(change) / change[0] + 0.1
    assert [J[1], J[3]] == pytest.approx([J[0]] * 2, rel=0.05)
    assert change[0] == min(change)


def test_every_network_judges_its_own_picture_to_be_the_best(third):
    rows = table(third["c38a"])
    for judge in ("average", "max", "shuffled"):
        assert min(rows, key=lambda made: rows[made][f"J, {judge} judges"]) == f"made with {judge}"


def test_total_variation_takes_the_grain_first(third):
    none, little, much, most = table(third["c45"]).values()
    tv = "TV, relative to C"
    assert little[tv] < 0.6 * none[tv] and little["J"] < 1.05 * none["J"]
    assert 1.7 < much["style error"] / none["style error"] < 2.3 < 15 < most["style error"] / none["style error"] < 25


def test_coarse_to_fine_is_nearer_to_the_half_size_picture_and_after_the_same_work_as_low(third):
    half, direct, fine = table(third["c51"]).values()
    assert half["J"] > 10 and abs(fine["J"] / direct["J"] - 1) < 0.05
    assert fine["distance to the half-size picture"] < direct["distance to the half-size picture"]


def test_gram_matrices_may_be_right_where_covariances_are_not(third):
    parts = table(third["s8b"])
    assert all(row["mean mean^T"] > 2 * row["covariance"] for row in parts.values())
    assert max(row["relative error of their sum"] for row in parts.values()) < 1e-9
    gram, means, covariance, both = table(third["s8e"]).values()
    assert 0.001 < gram["style error"] < 0.0025 and 0.045 < gram["covariance error"] < 0.065
    assert gram["covariance error"] > 8 * both["covariance error"] and both["style error"] < 1.1 * gram["style error"]
    assert both["content error"] > gram["content error"] and means["covariance error"] > covariance["covariance error"]


def test_the_engine_s_own_statistics_are_nearer_in_covariance_and_farther_in_gram(third):
    gram, covariance = table(third["s8g"]).values()
    assert covariance["covariance error"] < gram["covariance error"]
    assert covariance["style error"] > gram["style error"] and covariance["content error"] > gram["content error"]


def test_bfloat16_is_wrong_by_little_and_ends_where_float32_does(third):
    rounded = table(third["c61"])["bfloat16"]
    assert 0 < rounded["error at conv2_1"] < 1e-4 and 0 < rounded["error at conv5_1"] < 1e-4
    exact, rough = table(third["c62"]).values()
    assert rough["J"] == pytest.approx(exact["J"], rel=0.1)


def test_other_sources_leave_the_style_to_the_first_layer_and_span_decades(third):
    voices = table(third["c74"])
    assert len(voices) == 8 and min(voice["conv1_1"] for voice in voices.values()) > 96
    assert max(voice["beta"] for voice in voices.values()) > 1e6 * min(voice["beta"] for voice in voices.values())
    translated = table(third["c72"])
    alike = [name for name, row in translated.items() if len(set(row.values())) == 1]
    assert alike == ["course", "paper, 1 : 1000", "cysmith", "TensorFlow"]
