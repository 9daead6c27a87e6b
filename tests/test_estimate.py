"""How a search is laid out in memory: in one piece while that fits, then fewer pairs, then smaller tiles."""

import itertools

import pytest

from studio.estimate import HELD, SPARE, Layout, layout, no_larger, peak_memory

SLIM = {"conv1_1": 16, "conv1_2": 16, "conv2_1": 48, "conv2_2": 48, "conv3_1": 80, "conv3_2": 80, "conv3_3": 80}
SLIM |= {"conv3_4": 80, "conv4_1": 112, "conv4_2": 112, "conv4_3": 112, "conv4_4": 112, "conv5_1": 112}
GB = 10**9


def laid_out(megapixels, free, optimizer="auto"):
    n_W = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    return layout(SLIM, "conv4_1", (n_W * 3 // 4, n_W), optimizer, free)


def test_with_plenty_of_memory_it_is_in_one_piece_with_all_pairs():
    found = laid_out(1, 64 * GB)
    assert (found.optimizer, found.pairs, found.tile, found.slowness) == ("lbfgs", 20, None, 1)


def test_the_less_memory_the_slower_and_every_choice_fits():
    frees = [free * GB for free in (64, 16, 12, 8, 6, 4, 3, 2.5)]
    found = [laid_out(12, free) for free in frees]
    assert all(SPARE * choice.need <= free for choice, free in zip(found, frees, strict=True))
    slowness = [choice.slowness for choice in found]
    tiled = [choice for choice in found if choice.tile]
    assert slowness[0] == 1 < slowness[-1] and found[0].pairs == 20
    assert all(a.pairs >= b.pairs for a, b in itertools.pairwise(tiled))
    assert found[frees.index(4 * GB)].optimizer == "lbfgs" and found[frees.index(4 * GB)].pairs >= 3
    assert found[-1].tile and found[-1].pairs < 3


def test_where_nothing_fits_it_is_the_leanest():
    found = laid_out(48, 10**6)
    assert (found.optimizer, found.pairs, found.tile) == ("adam", 0, 128)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_an_optimizer_asked_for_stays(optimizer):
    for free in (10**6, 3 * GB, 64 * GB):
        assert laid_out(12, free, optimizer).optimizer == optimizer


def test_masks_count_and_leave_room_for_fewer_pairs():
    def need(masks):
        return sum(peak_memory(SLIM, (3000, 4000), "lbfgs", 5, 512, "conv4_1", masks=masks))

    of_each = 4 * (1 + 1 + 1 + 1 / 4 + 1 / 16 + 1 / 64 + 1 / 256)  # given, at the first layer twice, and pooled
    assert (need(2) - need(0)) / 2 == pytest.approx(of_each * 12e6, rel=0.1)
    assert layout(SLIM, "conv4_1", (3000, 4000), "lbfgs", 4 * GB, masks=6).pairs < laid_out(12, 4 * GB).pairs


def test_on_a_gpu_what_is_computed_counts_there_and_what_is_held_here():
    def on_gpu(here, there):
        return layout(SLIM, "conv4_1", (3000, 4000), "auto", here, on_gpu=there)

    assert on_gpu(64 * GB, 64 * GB).tile is None and on_gpu(64 * GB, 64 * GB).pairs == 20
    held, computed = peak_memory(SLIM, (3000, 4000), "lbfgs", 20, None, "conv4_1")
    assert on_gpu(SPARE * held, SPARE * computed).tile is None
    assert on_gpu(64 * GB, 0.9 * SPARE * computed).tile == 2048
    in_little = on_gpu(64 * GB, 1.5 * GB)
    assert in_little.pairs == 20 and in_little.tile < 2048
    assert SPARE * peak_memory(SLIM, (3000, 4000), "lbfgs", 20, in_little.tile, "conv4_1")[1] <= 1.5 * GB
    assert on_gpu(3 * GB, 64 * GB).pairs < 20
    assert on_gpu(10**6, 10**6).tile == 128


def test_at_one_tile_size_memory_grows_by_what_is_held_of_the_picture_alone():
    """What is held in any case (measured), two pictures of a pair, and 112 channels of the content."""

    def need(n):
        return sum(peak_memory(SLIM, (3 * n, 4 * n), "lbfgs", 1, 512, "conv4_1"))

    assert need(2016) - need(1008) == pytest.approx(4 * 12 * (2016**2 - 1008**2) * (3 * (HELD["lbfgs"] + 2) + 112 / 64))


def test_below_a_top_in_tiles_no_size_takes_more_at_once_than_a_tile():
    top, size = Layout("lbfgs", 3, 512, 1.0), (3000, 4000)
    for coarse, tile, expected in (
        ((375, 500), None, None),  # smaller than a tile with its margin
        ((1500, 2000), None, 512),
        ((1500, 2000), 1024, 512),
        ((1500, 2000), 384, 384),
    ):
        layout = Layout("lbfgs", 20, tile, 1.0)
        assert no_larger(layout, coarse, top, size, "conv5_1") == Layout("lbfgs", 20, expected, 1.0)
    in_one = Layout("lbfgs", 20, None, 1.0)
    assert no_larger(in_one, (1500, 2000), in_one, size, "conv5_1") is in_one
