"""A river bank at evening, in dots of pure colour.

Places and sizes are in sheet units, 800 x 600 (see `pictures.toolkit.sheet`).
"""

import numpy as np

from pictures.toolkit.blend import mix_colours, smoothstep
from pictures.toolkit.canvas import Canvas
from pictures.toolkit.colour import jitter, ramp, rgb
from pictures.toolkit.noise import fractal, noise
from pictures.toolkit.shapes import inside, standing
from pictures.toolkit.sheet import scatter
from pictures.toolkit.strokes import blob, strokes

PIGMENTS = rgb(
    "#1f2f86", "#2f5fc4", "#58a0dc", "#a9d4ea", "#4b2d83", "#8460b4", "#c3a4d6", "#b23a78",
    "#e77fa0", "#f7c6c0", "#c8321f", "#ee6f2c", "#f6a63a", "#fbd64e", "#fdf0a6", "#fffbe8",
    "#1d5f3c", "#3f9448", "#86be4c", "#cfdc5a", "#1e8f8a", "#7fcabb", "#5a3a2c", "#a8703c",
)  # fmt: skip
FAR_BANK, NEAR_BANK = 262.0, 486.0
BOATS = (  # mast x, waterline, height, lean of the sail to the left, sail colours
    (486, 356, 176, 1.0, ("#fff3cf", "#f7b36a")),
    (262, 318, 92, -1.0, ("#fff8e6", "#f4c4a0")),
    (590, 300, 58, 1.0, ("#f6d28c", "#ee8f4c")),
    (366, 286, 36, 1.0, ("#fff6e0", "#f2c9b0")),
    (748, 296, 50, -1.0, ("#fff6e0", "#e9b0a0")),
)


def sun_sky(x, y):
    """Evening sky: warm round the low sun at the right, turquoise and violet away from it."""
    away = np.hypot(x - 664, (y - 196) * 1.25)
    glow = ramp(away / 520, ["#fffbe0", "#fdeb9a", "#fbd08e", "#f3bda6", "#c9bfd6", "#93bfe2", "#6fa3dc", "#5a86cc"])
    bar = smoothstep(0.52, 0.66, fractal(x * 0.35, y * 1.9, 62, 61)) * smoothstep(10, 120, y)
    warm = ramp(away / 560, ["#fff3c4", "#fbc07f", "#ee9c96", "#b793c8"])
    return mix_colours(glow, warm, 0.8 * bar)


def bank_top(x):
    """Upper edge of the trees on the far bank."""
    lumps = 24 * np.abs(np.sin(x / 47 + 1.1)) + 13 * np.abs(np.sin(x / 19 + 0.4))
    poplars = sum(h * np.exp(-(((x - cx) / 9) ** 4)) for cx, h in ((226, 96), (252, 112), (279, 84), (352, 60)))
    hill = 62 * np.exp(-(((x - 470) / 120) ** 2)) + 40 * np.exp(-(((x - 790) / 60) ** 2))
    return FAR_BANK - 16 - np.maximum(lumps * (0.5 + 0.9 * smoothstep(420, 60, x)) + hill, poplars)


def far_bank(x, y):
    """Trees across the river: gold-green where the sun strikes, blue and violet in the shade."""
    lit = 0.42 + 0.03 * (bank_top(x) + 20 - y) + 0.45 * (fractal(x, y, 22, 67, 3) - 0.5) + 0.2 * np.cos(x / 23.5 + 1)
    return ramp(lit, ["#39408c", "#3f5f9a", "#3c8064", "#6aa84e", "#bccb58", "#f3dc7c"])


def open_water(x, y):
    """The sky upside down, deeper, crossed by ripples; a path of light beneath the sun."""
    ripple = np.sin(y / (2.2 + (y - 250) / 60) + 3 * fractal(x / 3, y, 20, 71, 2) + x / 160)
    mirror = sun_sky(x + 10 * ripple, 2 * FAR_BANK - y * 0.92 - 30)
    deep = ramp((y - FAR_BANK) / 240, ["#8fb8d8", "#5d93cf", "#3d6cbb", "#35519f"])
    water = mix_colours(mirror, deep, 0.38 + 0.34 * ripple)
    path = np.exp(-(((x - 664) / (26 + np.maximum(y - FAR_BANK, 0) * 0.32)) ** 2)) * smoothstep(0.1, 0.7, ripple)
    shade = smoothstep(330, 266, y + 14 * ripple - 26 * smoothstep(300, 30, x))
    water = mix_colours(water, far_bank(x, 2 * FAR_BANK - y - 8) * 0.9, 0.8 * shade * (0.7 + 0.3 * ripple))
    return mix_colours(water, rgb("#fff0a8"), 0.85 * path)


def near_shore(x):
    """Edge of the meadow in front."""
    return NEAR_BANK + 40 * smoothstep(250, 640, x) + 5 * np.sin(x / 33) - 18 * smoothstep(160, 0, x)


def lawn(x, y):
    """Grass in the sun, with the long violet shadow of the tree and its trunk."""
    light = ramp(fractal(x, y * 2.4, 48, 73) * 1.5 - 0.25, ["#5fa348", "#a6c84e", "#e0da5e", "#f6d76a"])
    cool = ramp(fractal(x, y * 2.4, 34, 74), ["#27488c", "#2b6a66", "#4d3f92", "#3f8450"])
    leaf_shade = smoothstep(300, 150, x + 0.9 * (y - 500) + 90 * (fractal(x, y * 2, 44, 75) - 0.5))
    low = smoothstep(556, 604, y + 10 * np.sin(x / 21))
    return mix_colours(light, cool, np.maximum(leaf_shade, 0.75 * low))


def sail(mast, foot, height, lean):
    """Corners of a sail, its jib and the hull."""
    main = [
        (mast - 2 * lean, foot - height),
        (mast - 0.46 * height * lean, foot - 9),
        (mast - 2 * lean, foot - 9),
    ]
    jib = [
        (mast + 2 * lean, foot - height * 0.86),
        (mast + 2 * lean, foot - 10),
        (mast + 0.3 * height * lean, foot - 9),
    ]
    back, front = mast - 0.5 * height * lean, mast + 0.36 * height * lean
    hull = [
        (back, foot - 8),
        (front, foot - 9),
        (front - 0.09 * height * lean, foot + 2),
        (back + 0.06 * height * lean, foot + 2),
    ]
    return main, jib, hull


def with_boats(colour, x, y):
    """The boats and, below the waterline, their trembling images."""
    tremble = 5 * np.sin(y / 4.5 + 2 * noise(x, y, 30, 77))
    for mast, foot, height, lean, codes in sorted(BOATS, key=lambda boat: boat[1]):
        main, jib, hull = sail(mast, foot, height, lean)
        flipped = foot + (foot - y) * 1.25 + 3
        seen = (y > foot) & (np.sin(y / 4.4) > -0.6)
        for polygon, tint in ((main, rgb(codes[0])), (jib, rgb(codes[1])), (hull, rgb("#4b2d60"))):
            image = seen & inside(x + tremble, flipped, polygon)
            colour = mix_colours(colour, tint * 0.94, 0.85 * image)
            shade = smoothstep(-0.1 * height, 0.5 * height, (mast - x) * lean)
            sunny = (
                mix_colours(tint, rgb("#b99ad0"), 0.55 * shade)
                if polygon is not hull
                else np.broadcast_to(tint, colour.shape)
            )
            colour = np.where(inside(x, y, polygon)[..., None], sunny, colour)
        mast_line = (np.abs(x - mast) < 1.6) & (y < foot - 8) & (y > foot - height - 4)
        colour = np.where(mast_line[..., None], rgb("#6a3a44"), colour)
    return colour


def river_scene(x, y):
    """The colour to be mixed by eye at each place, before figures and the near tree."""
    colour = sun_sky(x, y)
    sun = np.hypot(x - 664, y - 196) < 23
    colour = np.where(sun[..., None], rgb("#fffbd8"), colour)
    colour = np.where((y > bank_top(x))[..., None], far_bank(x, y), colour)
    colour = np.where((y > FAR_BANK)[..., None], open_water(x, y), colour)
    strand = np.exp(-(((y - FAR_BANK - 1) / 4) ** 2))
    colour = mix_colours(colour, rgb("#f7d49a"), 0.8 * strand)
    colour = with_boats(colour, x, y)
    return np.where((y > near_shore(x))[..., None], lawn(x, y), colour)


def divide(rng, colour, purity):
    """Split colours into dots of pure pigment that average to them: noise, then the nearest pigment.

    The noise is strongest between a colour and its complement, so neighbours set each other off.
    """
    grey = colour.mean(axis=1, keepdims=True)
    swing = rng.normal(-0.05, 0.2, (len(colour), 1)) * (colour - grey) * 3 + rng.normal(0, 0.1, colour.shape)
    aim = grey + (colour - grey) * 1.25 + swing
    nearest = ((aim[:, None, :] - PIGMENTS) ** 2 * [1.0, 1.4, 0.8]).sum(axis=2).argmin(axis=1)
    return np.clip(PIGMENTS[nearest] * purity + np.clip(aim, 0, 1) * (1 - purity), 0, 1)


def lay_dots(canvas, rng, x, y, colour, size, angle=0.0, purity=0.62):
    """Lay dots of about `size` units, barely longer than wide."""
    size = size * rng.uniform(0.75, 1.2, len(x))
    colour = jitter(rng, divide(rng, colour, purity), 0.015, 0.015, 0.01)
    second = jitter(rng, colour, 0.05)
    turn = angle + rng.normal(0, 0.4, len(x))
    canvas.paint(strokes(x, y, turn, size * 1.3, size, colour, second, opacity=0.97, body=1.2), "dab")


def paint_river_dots(canvas, rng):
    """A broad wash of touches, then two coats of dots, smaller on sails and far trees."""
    x, y = scatter(rng, 2600)
    colour = jitter(rng, river_scene(x, y), 0.03)
    canvas.colour[:] = river_scene(*np.broadcast_arrays(canvas.x, canvas.y))
    canvas.paint(strokes(x, y, rng.normal(0, 0.5, len(x)), 26, 15, colour, jitter(rng, colour, 0.05)))
    for n, size in ((9500, 10.5), (15000, 7.8)):
        x, y = scatter(rng, n)
        lay_dots(canvas, rng, x, y, river_scene(x, y), size)
    x, y = scatter(rng, 5200, (240, 200, 760, 400))
    near_boat = np.zeros(len(x), bool)
    for mast, foot, height, lean, _ in BOATS:
        for polygon in sail(mast, foot, height * 1.04, lean):
            near_boat |= inside(x, y, polygon)
    lay_dots(canvas, rng, x[near_boat], y[near_boat], river_scene(x[near_boat], y[near_boat]), 5.2, purity=0.4)


def paint_near_tree(canvas, rng):
    """A great tree at the left: a leaning trunk and boughs of dots over the sky."""
    t = rng.random(900)
    across = rng.uniform(-1, 1, 900)
    x = 88 + 34 * t**1.6 + across * (25 - 13 * t) + 16 * across * np.exp(-t * 14)
    y = 560 - 420 * t
    tone = 0.5 + 0.45 * across + rng.normal(0, 0.12, 900)
    bark = ramp(tone, ["#2a2464", "#4b2d6e", "#7a4a58", "#b0703f", "#f0b05a"])
    lay_dots(canvas, rng, x, y, bark, 8, 1.4, 0.5)
    boughs = (
        (60, 70, 120, 66),
        (170, 44, 104, 56),
        (20, 160, 74, 60),
        (262, 24, 74, 34),
        (140, 128, 74, 40),
        (222, 88, 48, 28),
    )
    for cx, cy, rx, ry in boughs:
        n = int(rx * ry / 8)
        x, y, facing = blob(rng, cx, cy, rx, ry, n)
        sun = 0.45 - 0.3 * facing + 0.35 * (x - cx) / rx * 0.6 + rng.normal(0, 0.15, n)
        leaf = ramp(sun, ["#23307c", "#2a4f78", "#1f6b46", "#4d9a48", "#a3c64e", "#f4dd66"])
        keep = rng.random(n) < 1.25 - 0.9 * np.hypot((x - cx) / rx, (y - cy) / ry) ** 3
        order = np.argsort(sun[keep] + rng.normal(0, 0.3, keep.sum()))
        lay_dots(canvas, rng, x[keep][order], y[keep][order], leaf[keep][order], 8.4)


def figure_shapes(x, foot, tall):
    """Parts of a standing lady with a parasol: (polygon, light colour, shade colour)."""
    at = standing(x, foot, tall)
    return (
        (at((-20, 0), (-13, 48), (-26, 56), (-19, 26), (-28, 2)), "#5a4aa8", "#33256e"),
        (at((-22, 0), (-9, 56), (9, 56), (21, 0)), "#6a58c0", "#3a2a80"),
        (at((-8, 54), (-10, 78), (9, 78), (10, 54)), "#e07a90", "#8a3a86"),
        (at((6, 74), (26, 92), (28, 88), (10, 66)), "#f0a890", "#a85a80"),
        (at((-6, 78), (-7, 90), (0, 95), (7, 90), (6, 78)), "#f8cfa0", "#c07a70"),
        (at((-11, 90), (-7, 99), (6, 100), (12, 91)), "#c8321f", "#6a2050"),
        (at((26, 70), (24, 122), (27, 122), (29, 70)), "#6a3a44", "#4b2d63"),
        (
            at((-12, 112), (0, 129), (24, 137), (48, 130), (62, 113), (40, 118), (24, 120), (8, 118)),
            "#fbd64e",
            "#ee6f2c",
        ),
    )


def seated_shapes(x, foot, tall):
    """Parts of a man who sits on the grass in a straw hat, looking at the water."""
    at = standing(x, foot, tall)
    return (
        (at((-14, 0), (8, 20), (44, 30), (52, 2), (70, 0), (70, -6), (-14, -6)), "#3f5fb4", "#27307c"),
        (at((-20, -2), (-22, 36), (-8, 56), (12, 52), (18, 4)), "#fff3d8", "#9a86cc"),
        (at((10, 46), (36, 24), (40, 30), (14, 56)), "#f6e4d0", "#8a78c0"),
        (at((-8, 54), (-9, 70), (0, 75), (10, 70), (8, 54)), "#f0b890", "#a86470"),
        (at((-20, 70), (-10, 73), (-8, 84), (9, 84), (11, 73), (22, 70)), "#fbdc6a", "#e08a3c"),
    )


def paint_figures(canvas, rng):
    """People on the bank, built of small dots, each with a violet shadow on the grass."""
    people = (figure_shapes(748, 556, 66), figure_shapes(566, 580, 142), seated_shapes(330, 576, 94))
    for cx, cy, reach in ((508, 584, 64), (290, 580, 60), (718, 559, 32)):
        x, y, _ = blob(rng, cx, cy, reach, 7, int(reach * 4))
        lay_dots(canvas, rng, x, y, np.tile(rgb("#4a3a94"), (len(x), 1)), 6.4)
    for parts in people:
        for polygon, light, shade in parts:
            corners = np.array(polygon)
            (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
            x, y = scatter(rng, int((x1 - x0) * (y1 - y0) / 3.2) + 24, (x0, y0, x1, y1))
            keep = inside(x, y, polygon)
            x, y = x[keep], y[keep]
            colour = mix_colours(rgb(shade), rgb(light), smoothstep(x0, x1, x + rng.normal(0, 3, len(x))))
            lay_dots(canvas, rng, x, y, colour, 3.9, purity=0.25)


def render(width, height, seed):
    """A river bank at evening in dots of pure colour."""
    rng = np.random.default_rng(seed)
    canvas = Canvas(width, height, rgb("#f3e6c8"), rng)
    paint_river_dots(canvas, rng)
    paint_figures(canvas, rng)
    paint_near_tree(canvas, rng)
    return canvas.lit(0.14, 0.04)
