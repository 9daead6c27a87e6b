"""Strips of pictures for the README: what an option does, side by side, each picture made by `studio.paint`."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import binary_closing, find_objects, gaussian_filter, label

from nst_support.pictures import load_grey, load_with_alpha, save_image
from studio import paint

PROJECT = Path(__file__).resolve().parent.parent
CONTENT, STYLE = PROJECT / "images" / "content", PROJECT / "images" / "style"
SIZE, GAP, CAPTION = 480, 8, 34  # px: longer side of a picture, between two, below them
CLOSED = 26  # px: holes up to twice this wide in what is not sky are closed
MARGIN = 20  # px around what is cut out
SQUARE = 12  # px of the chequered ground under a transparent picture


def strip(pictures, path):
    """Save {caption: array (n_H, n_W, 3) in [0, 1]} side by side, equally high, as a JPEG; returns its path."""
    height = min(picture.shape[0] for picture in pictures.values())
    images = []
    for picture in pictures.values():
        image = Image.fromarray(np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8))
        images.append(image.resize((round(image.width * height / image.height), height), Image.Resampling.LANCZOS))
    width = sum(image.width for image in images) + GAP * (len(images) - 1)
    sheet = Image.new("RGB", (width, height + CAPTION), "white")
    draw, font, left = ImageDraw.Draw(sheet), ImageFont.load_default(20), 0
    for caption, image in zip(pictures, images, strict=True):
        sheet.paste(image, (left, 0))
        draw.text((left + image.width / 2, height + CAPTION / 2), caption, "#444444", font, anchor="mm")
        left += image.width + GAP
    return save_image(np.asarray(sheet, np.float32) / 255, path, quality=80)


def shown(path, ground=None):
    """A picture file as an array (n_H, n_W, 3). ground: a grey value to lay under it; None: chequered."""
    image, alpha = load_with_alpha(path, SIZE)
    if alpha is None:
        return image[0]
    y, x = np.indices(alpha.shape) // SQUARE
    under = np.full(alpha.shape, ground) if ground is not None else 0.75 + 0.2 * ((x + y) % 2)
    return alpha[..., None] * image[0] + (1 - alpha[..., None]) * under[..., None]


def painted(folder, name, content, style, **options):
    """Paint into folder/name.png and return the path."""
    print(f"{name}:", flush=True)
    return paint(content, style, Path(folder) / f"{name}.png", size=SIZE, network="vgg19-slim", force=True, **options)


def strength(folder):
    content, style = CONTENT / "china.jpg", STYLE / "starry_night.jpg"
    steps = {f"--strength {n}": painted(folder, f"strength_{n}", content, style, strength=n) for n in range(0, 101, 20)}
    return strip({name: shown(path) for name, path in steps.items()}, folder / "strength.jpg")


def two_styles(folder):
    styles, pictures = [STYLE / "starry_night.jpg", STYLE / "poppies.jpg"], {}
    for a, b in ((1, 0), (3, 1), (1, 1), (1, 3), (0, 1)):
        path = painted(folder, f"two_styles_{a}_{b}", CONTENT / "louvre.jpg", styles, blend_weights=(a, b))
        pictures[f"--style-blend-weights {a} {b}"] = shown(path)
    return strip(pictures, folder / "two_styles.jpg")


def own_colours(folder):
    content, style = CONTENT / "coffee.jpg", STYLE / "starry_night.jpg"
    pictures = {"content": shown(content), "as the style has them": None}
    pictures["as the style has them"] = shown(painted(folder, "colours_of_style", content, style))
    for kind in ("palette", "brightness"):
        path = painted(folder, f"colours_{kind}", content, style, preserve_colors=kind)
        pictures[f"--preserve-colors {kind}"] = shown(path)
    return strip(pictures, folder / "own_colours.jpg")


def regions(folder):
    content, styles = CONTENT / "pasargadae.jpg", [STYLE / "starry_night.jpg", STYLE / "poppies.jpg"]
    sky, field = sky_of(content, folder / "sky.png"), lower_part_of(styles[1], folder / "field.png")
    everything = save_image(np.ones((3, 4, 3), np.float32), folder / "everything.png")
    night = painted(folder, "sky_only", content, styles[0], masks=sky)
    both = painted(folder, "sky_and_rest", content, styles, masks=[sky], style_masks=[everything, field])
    return strip(
        {
            "content": shown(content),
            "sky.png": np.repeat(load_grey(sky)[..., None], 3, -1),
            "night.jpg --mask sky.png": shown(night),
            "--styles night.jpg poppies.jpg --mask sky.png": shown(both),
        },
        folder / "regions.jpg",
    )


def transparency(folder):
    logo = cut_out(CONTENT / "flower.jpg", folder / "flower_cut_out.png")
    path = painted(folder, "transparency_mosaic", logo, STYLE / "poured_paint.jpg")
    pictures = {"a picture with transparent parts": shown(logo), "painted": shown(path)}
    pictures |= {"on white": shown(path, 1.0), "on black": shown(path, 0.0)}
    return strip(pictures, folder / "transparency.jpg")


def sky_of(content, path):
    """A feathered mask of what is as blue as red and hangs together with the upper edge."""
    image = load_with_alpha(content)[0][0]
    ground = ~_at_the_top(image[..., 2] > 0.92 * image[..., 0])
    ground = binary_closing(np.pad(ground, CLOSED, "edge"), iterations=CLOSED)[CLOSED:-CLOSED, CLOSED:-CLOSED]
    return _save_mask(gaussian_filter(np.float32(_at_the_top(~ground)), 2), path)


def _at_the_top(mask):
    """The pieces of a mask that touch the upper edge."""
    pieces, _ = label(mask)
    return np.isin(pieces, np.setdiff1d(pieces[0], 0))


def lower_part_of(style, path):
    """A mask of the lower three fifths of a picture, feathered."""
    n_H, n_W = load_with_alpha(style, 200)[0].shape[1:3]
    return _save_mask(np.clip((np.arange(n_H) / n_H - 0.4) / 0.1 + 0.5, 0, 1)[:, None] * np.ones(n_W), path)


def _save_mask(mask, path):
    return save_image(np.repeat(np.float32(mask)[..., None], 3, -1), path)


def cut_out(content, path):
    """The largest bright piece of a picture, its surroundings transparent and cut off."""
    image = load_with_alpha(content)[0][0]
    pieces, count = label(gaussian_filter(image.max(-1), 2) > 0.45)
    largest = 1 + np.argmax([np.sum(pieces == i) for i in range(1, count + 1)])
    alpha = gaussian_filter(np.float32(pieces == largest), 1.5)
    rows, columns = (slice(max(0, s.start - MARGIN), s.stop + MARGIN) for s in find_objects(pieces)[largest - 1])
    return save_image(image[rows, columns], path, alpha=alpha[rows, columns])


STRIPS = {f.__name__: f for f in (strength, two_styles, own_colours, regions, transparency)}
