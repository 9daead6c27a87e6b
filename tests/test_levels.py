"""Images in 8 bits are the images they were, wherever they are looked at."""

import numpy as np
import pytest
from conftest import picture

import nst_utils as nst
from nst_support.pictures import load_image, save_image
from studio.levels import ROWS, Levels, as_saved, by_rows, floats, held, sliceable


@pytest.fixture
def image():
    return nst.as_saved(picture(2 * ROWS + 3, 5, 1)).numpy()


def test_every_value_of_a_file_is_held_exactly(image):
    small = held(image)
    assert isinstance(small, Levels) and small.levels.nbytes * 4 == image.nbytes
    assert small.shape == image.shape and small.dtype == image.dtype
    np.testing.assert_array_equal(np.asarray(small), image)
    np.testing.assert_array_equal(small[:, 7:300, 1:], image[:, 7:300, 1:])
    np.testing.assert_array_equal(floats(small), image)
    every = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    np.testing.assert_array_equal(Levels(every)[:], np.float32(every) / np.float32(255))


def test_an_image_between_two_levels_stays_as_it_is(image):
    image[0, -1, -1, -1] += 1e-4
    assert held(image) is image and floats(image) is image and sliceable(image) is image


def test_as_saved_is_that_of_the_course():
    G = picture(ROWS + 1, 6, 2) * 1.4 - 0.2
    np.testing.assert_array_equal(np.asarray(as_saved(G)), nst.as_saved(G))


def test_by_rows_is_the_whole_at_once(image):
    other = picture(2 * ROWS + 3, 5, 3).numpy()
    np.testing.assert_array_equal(by_rows(np.subtract, image, other), image - other)


def test_they_are_saved_and_read_as_floats_are(image, tmp_path):
    pictures = [load_image(save_image(one, tmp_path / "a.png")) for one in (image, held(image))]
    np.testing.assert_array_equal(*pictures)
    np.testing.assert_array_equal(pictures[0], image)
