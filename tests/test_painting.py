"""From files to a file: what is painted is what the engine gives, with its recipe, and can be made again."""

import hashlib
import json

import numpy as np
import pytest
from conftest import picture
from PIL import Image

import nst_utils as nst
from nst_support.pictures import load_with_alpha, read_text, save_image
from studio import Painting, optimise, paint, painting, recipe
from studio.optimise import stylise
from studio.settings import Settings

SHORT = {"size": 48, "evaluations": (3, 5)}


@pytest.fixture(autouse=True)
def small_network(small_vgg, monkeypatch):
    monkeypatch.setattr(painting, "network_of", lambda painting: small_vgg)


@pytest.fixture
def files(tmp_path):
    """A content of 80x60 px and a style of 70x90, as files."""
    save_image(picture(60, 80, 0), tmp_path / "photo.png")
    save_image(picture(90, 70, 1), tmp_path / "painting.png")
    return tmp_path / "photo.png", tmp_path / "painting.png"


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "tif", "bmp"])
def test_what_is_painted_is_what_the_engine_gives(files, small_vgg, tmp_path, ending):
    path = paint(*files, tmp_path / f"new.{ending}", **SHORT)
    C, S = (nst.load_image(file, 48) for file in files)
    *_, last = stylise(C, S, small_vgg, evaluations=SHORT["evaluations"], bar=False, every=20)
    found = nst.load_image(path)
    assert found.shape == (1, 36, 48, 3)
    assert np.abs(found - last.image).max() <= (0 if ending != "jpg" else 0.15)
    assert [p.name for p in tmp_path.iterdir() if p not in files] == [f"new.{ending}"]


def test_without_a_name_it_is_content_style_here(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = paint(str(files[0]), str(files[1]), **SHORT)
    assert (tmp_path / path).name == "photo_painting.png" and (tmp_path / path).exists()
    with pytest.raises(FileExistsError, match="is there already"):
        paint(*files, **SHORT)
    paint(*files, force=True, **SHORT)


def test_the_recipe_says_what_made_the_picture(files, small_vgg, tmp_path):
    path = paint(*files, tmp_path / "in" / "new.png", strength=60, seed=4, **SHORT)
    found = recipe.read(path)
    for name, file in zip(("content", "style"), files, strict=True):
        assert found[name]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert found[name]["path"] == f"../{file.name}"
    assert found["settings"] == {"size": 48, "evaluations": [3, 5], "strength": 60, "seed": 4, "every": 20}
    assert found["result"]["evaluations"] == 8 and found["result"]["finished"]
    C, S = (nst.load_image(file, 48) for file in files)
    *_, last = stylise(C, S, small_vgg, evaluations=(3, 5), strength=60, seed=4, bar=False, every=20)
    assert found["result"]["J"] == pytest.approx(last.J) and found["machine"]["threads"] >= 1
    assert json.loads(read_text(path)) == found


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "tif"])
def test_again_gives_the_same_pixels(files, tmp_path, ending):
    mask = np.zeros((60, 80), np.float32)
    mask[:, 30:] = 1
    save_image(np.repeat(mask[..., None], 3, -1), tmp_path / "mask.png")
    kinds = {"preserve_colors": "brightness", "style_scale": (1, 2), "tv_weight": 0.1, "seed": 3, "masks": ["mask.png"]}
    kinds["masks"] = [tmp_path / "mask.png"]
    styles = [files[1], files[0]]
    path = paint(files[0], styles, tmp_path / f"new.{ending}", **SHORT, **kinds)
    again = recipe.painting_of(path, tmp_path / f"again.{ending}")
    assert again.settings == Settings(
        every=20, **SHORT, **{k: v for k, v in kinds.items() if k != "masks"}
    ) and again.masks == (tmp_path / "mask.png",)
    painting.Canvas(again).paint(bar=False)
    np.testing.assert_array_equal(*(np.asarray(Image.open(p)) for p in (path, again.output)))


def test_again_gives_the_same_pixels_where_more_memory_is_free(files, tmp_path, monkeypatch):
    with monkeypatch.context() as scarce:
        scarce.setattr(optimise, "free_bytes", lambda: 0)
        path = paint(*files, tmp_path / "new.png", **SHORT)
    free = paint(*files, tmp_path / "free.png", **SHORT)
    again = recipe.painting_of(path, tmp_path / "again.png")
    painting.Canvas(again).paint(bar=False)
    pixels = [np.asarray(Image.open(p)) for p in (path, again.output, free)]
    np.testing.assert_array_equal(*pixels[:2])
    assert (pixels[0] != pixels[2]).any()  # Adam in tiles paints another picture than L-BFGS


def test_cost_weights_survive_the_recipe(files, tmp_path):
    weights = nst.CostWeights(3, 5, {"conv2_1": 0.5})
    path = paint(*files, tmp_path / "new.png", weights=weights, statistics="gram", **SHORT)
    again = recipe.painting_of(path)
    assert again.settings.weights == weights
    assert recipe.is_done(again)


def test_again_after_a_move_of_the_whole_folder(files, tmp_path):
    path = paint(*files, tmp_path / "new.png", **SHORT)
    there = tmp_path / "elsewhere"
    there.mkdir()
    for file in (*files, path):
        file.rename(there / file.name)
    assert recipe.painting_of(there / "new.png").content == there / "photo.png"


def test_a_missing_or_changed_input_is_named(files, tmp_path):
    path = paint(*files, tmp_path / "new.png", **SHORT)
    save_image(picture(90, 70, 2), files[1])
    with pytest.raises(ValueError, match=r"painting\.png: the style of .*new\.png has changed since"):
        recipe.painting_of(path)
    files[0].unlink()
    with pytest.raises(FileNotFoundError, match=r"photo\.png: the content of .*new\.png is missing"):
        recipe.painting_of(path)


@pytest.mark.parametrize("text", [None, "a caption", "{}", "[1]", '{"settings": 3, "content": 4}'])
def test_a_picture_without_a_recipe_says_so(tmp_path, text):
    save_image(picture(20, 20, 0), tmp_path / "a.png", text=text)
    with pytest.raises(ValueError, match=r"a\.png: no recipe in it"):
        recipe.read(tmp_path / "a.png")


def test_it_is_done_only_with_the_same_files_and_settings(files, tmp_path):
    path = paint(*files, tmp_path / "new.png", **SHORT)
    this = recipe.painting_of(path)
    assert recipe.is_done(this)
    other = {"content": files[0], "styles": (files[1],), "output": path}
    assert recipe.is_done(Painting(settings=Settings(every=3, **SHORT), **other))
    assert not recipe.is_done(Painting(settings=Settings(seed=1, **SHORT), **other))
    save_image(picture(90, 70, 2), files[1])
    assert not recipe.is_done(Painting(settings=Settings(**SHORT), **other))


# ------------------------------------------------------------------------------------ transparency


@pytest.fixture
def logo(tmp_path):
    """A reddish disc with a soft edge on nothing, and what lies hidden there is bright green."""
    y, x = np.mgrid[:64, :64] - 31.5
    alpha = np.clip((22 - np.hypot(y, x)) / 3 + 0.5, 0, 1)
    colours = np.where(alpha[..., None] > 0, [0.8, 0.3 + 0.004 * 20, 0.2], [0.0, 1.0, 0.0])
    save_image(np.float32(colours), tmp_path / "logo.png", alpha=np.float32(alpha))
    return tmp_path / "logo.png"


def test_a_transparent_picture_comes_back_with_its_alpha_and_a_clean_edge(logo, files, tmp_path):
    path = paint(logo, files[1], tmp_path / "new.png", size=64, evaluations=10)
    before, after = (np.asarray(Image.open(p)) for p in (logo, path))
    assert after.shape == (64, 64, 4)
    np.testing.assert_array_equal(before[..., 3], after[..., 3])
    y, x = np.mgrid[:64, :64] - 31.5
    radius = np.hypot(y, x)
    rim, inside = (after[(radius > a) & (radius < b), :3].mean(0) for a, b in ((21.5, 24), (17, 20.5)))
    assert np.abs(rim - inside).max() < 40  # the hidden green, or white, would be 100 and more away


def test_only_what_shows_is_compared_with_the_style(logo, files, small_vgg):
    C, alpha = load_with_alpha(logo)
    S = nst.load_image(files[1])
    J = {
        name: next(stylise(C, S, small_vgg, visible=v, bar=False)).J_style
        for name, v in (("all", None), ("part", alpha))
    }
    assert J["part"] < 0.5 * J["all"]  # the disc is 37 % of the picture, and the rest is not counted


# ------------------------------------------------------------------------------------ colours


def test_brightness_keeps_the_photographs_colours(files, tmp_path):
    path = paint(*files, tmp_path / "new.png", preserve_colors="brightness", **SHORT)
    luma = np.float32([0.299, 0.587, 0.114])
    G, C = (np.asarray(nst.load_image(p, 48))[0] for p in (path, files[0]))
    chroma_G, chroma_C = (image - (image @ luma)[..., None] for image in (G, C))
    length = np.linalg.norm(chroma_G, axis=-1) * np.linalg.norm(chroma_C, axis=-1)
    cosine = np.sum(chroma_G * chroma_C, -1)[length > 0.01] / length[length > 0.01]
    assert len(cosine) > 200 and np.percentile(cosine, 5) > 0.98  # of the same hue
    assert np.abs((G - C) @ luma).max() > 0.1


def test_palette_recolours_the_style_before(files, small_vgg):
    from studio.optimise import Run

    C, S = (nst.load_image(file, 48) for file in files)
    (region,) = Run(C, S, small_vgg, Settings(preserve_colors="palette")).regions.at((36, 48), 16)
    changed = np.asarray(region.images[0])
    assert np.abs(changed.mean((1, 2)) - np.asarray(C).mean((1, 2))).max() < 0.02
    assert np.abs(np.asarray(S).mean((1, 2)) - np.asarray(C).mean((1, 2))).max() > 0.02
