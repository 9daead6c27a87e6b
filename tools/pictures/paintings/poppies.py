"""A poppy field in dabs of oil, under a sky of broken colour.

Places and sizes are in sheet units, 800 x 600 (see `pictures.toolkit.sheet`).
"""

import numpy as np

from pictures.toolkit.blend import mix_colours, smoothstep
from pictures.toolkit.canvas import Canvas
from pictures.toolkit.colour import jitter, ramp, rgb
from pictures.toolkit.noise import fractal
from pictures.toolkit.shapes import standing
from pictures.toolkit.sheet import scatter
from pictures.toolkit.strokes import blob, fill, follow, join, polyline, strokes


def field_crest(x):
    """Where the field meets what lies behind it: flat at the left, a bank rising to the right."""
    return 300 - 62 * smoothstep(300, 760, x) + 5 * np.sin(x / 70)


def field_depth(x, y):
    """0 at the far edge of the field, 1 at the lower edge of the picture."""
    crest = field_crest(x)
    return np.clip((y - crest) / (600 - crest), 0, 1)


def cloud_sky(x, y):
    """Sky colour: broken blues with lit and shaded clouds, warm towards the horizon."""
    bend = 40 * (fractal(x, y, 120, 13) - 0.5)
    cloud = fractal(0.62 * x + bend, 1.25 * y + bend, 150, 11, 5)
    towards_lamp = fractal(0.62 * (x - 22) + bend, 1.25 * (y - 26) + bend, 150, 11, 5)
    blue = ramp(y / 310, ["#4f86c6", "#6ea3d6", "#93bfdf", "#bcd6de", "#e6e0cb"])
    lit = np.clip(0.55 + 4.2 * (cloud - towards_lamp), 0, 1)
    white = ramp(lit, ["#a7a5c4", "#c9bccb", "#ecd5cb", "#faeeda", "#fffaf0"])
    return mix_colours(blue, white, smoothstep(0.43, 0.57, cloud + 0.05 * np.sin(y / 60)))


def paint_sky(canvas, rng):
    """Two coats of short curved strokes, broken colour over a warm ground."""

    def direction(x, y):
        return 0.15 + 2.2 * (fractal(x, y * 1.4, 190, 17, 3) - 0.5)

    for n, width, length in ((900, 24, 52), (2300, 12, 30)):
        x, y = scatter(rng, n, (-10, -10, 810, 318))
        near = 1 - 0.35 * smoothstep(120, 300, y)
        spread = rng.normal(0, 6, (2, len(x)))
        colour = jitter(rng, cloud_sky(x + spread[0], y + spread[1]), 0.03, 0.03, 0.022)
        sizes = near * rng.uniform(0.7, 1.25, len(x))
        laid = strokes(x, y, 0, length * sizes, width * sizes, colour, jitter(rng, colour, 0.05, 0.05), body=1.0)
        canvas.paint(follow(laid, direction))


def paint_tree(canvas, rng, cx, base, width, height, codes, dab=8.0):
    """A tree as clumps of dabs, dark first, each clump lit at the upper left; loose leaves round the edge."""
    clumps = max(5, int(width * height / 330))
    place, up = rng.uniform(-1, 1, clumps), np.sort(rng.random(clumps)) ** 0.85
    place *= np.sqrt(np.clip(1.08 - ((up - 0.42) / 0.62) ** 2, 0.06, 1))
    x, y, lit = [], [], []
    for across, above in zip(place, up, strict=True):
        middle = cx + across * width * 0.36, base - height * (0.1 + 0.82 * above)
        reach = rng.uniform(0.14, 0.24) * width + 3
        bx, by, facing = blob(rng, *middle, reach, reach * 0.8, 30)
        x.append(bx), y.append(by)
        lit.append(0.36 + 0.28 * facing + 0.25 * (above - 0.5) - 0.16 * across + rng.normal(0, 0.09, 30))
    x, y, lit = map(np.concatenate, (x, y, lit))
    order = np.argsort(lit + rng.normal(0, 0.12, len(lit)))
    x, y, lit = x[order], y[order], lit[order]
    colour = jitter(rng, ramp(lit, codes), 0.04, 0.04)
    size = dab * rng.uniform(0.55, 1.25, len(x))
    trunk_x, trunk_y = cx + rng.normal(0, width * 0.03, 6), base - height * np.linspace(0, 0.25, 6)
    canvas.paint(strokes(trunk_x, trunk_y, 1.57, height * 0.14, width * 0.08 + 1, ramp(0.15 + 0 * trunk_x, codes)))
    canvas.paint(
        strokes(x, y, rng.normal(-0.6, 0.8, len(x)), size * 1.6, size, colour, jitter(rng, colour, 0.08)),
        "dab",
    )


FAR_TREE = ["#2c4660", "#3f6270", "#5b7f73", "#86a07c", "#b4bd8c"]
NEAR_TREE = ["#1c2a33", "#24453a", "#3f6438", "#6f8740", "#a9a852", "#d6c878"]


def paint_distance(canvas, rng):
    """Violet hills, the far row of trees, the house, and the tall trees on the bank."""
    x, y = scatter(rng, 420, (-10, 262, 620, 312))
    keep = y > 276 - 9 * np.sin(x / 95) - 7 * np.sin(x / 41)
    x, y = x[keep], y[keep]
    hills = jitter(rng, ramp((y - 262) / 46, ["#8d9cc4", "#86a0b4", "#9db38e", "#c2c07c"]), 0.03)
    canvas.paint(strokes(x, y, rng.normal(0, 0.12, len(x)), 26, 7, hills, jitter(rng, hills)))
    for cx in np.arange(-4, 470, 21) + rng.uniform(-8, 8, 23):
        if not 196 < cx < 262:
            size = rng.uniform(0.7, 1.25)
            paint_tree(canvas, rng, cx, 303, 30 * size, 38 * size, FAR_TREE, 5.5)
    paint_house(canvas, rng)
    for cx, base, width, height in ((182, 304, 30, 50), (276, 304, 34, 40), (545, 272, 60, 70)):
        paint_tree(canvas, rng, cx, base, width, height, NEAR_TREE, 7)
    for cx, base, width, height in (
        (655, 262, 70, 116),
        (590, 270, 92, 186),
        (722, 255, 96, 92),
        (796, 250, 88, 138),
    ):
        paint_tree(canvas, rng, cx, base, width, height, NEAR_TREE, 8.5)


def paint_house(canvas, rng):
    """A small cream house with a red roof between the trees."""
    groups = [
        fill(rng, [(206, 278), (250, 278), (250, 304), (206, 304)], 60, 5, 10, 1.57, rgb("#efe0c2")),
        fill(rng, [(236, 278), (250, 278), (250, 304), (236, 304)], 26, 4, 9, 1.57, rgb("#b9a9b4")),
        fill(
            rng,
            [(200, 280), (210, 262), (246, 262), (256, 280)],
            110,
            4.5,
            8,
            0.1,
            rgb("#c4563a"),
            rgb("#8d3a33"),
        ),
        strokes(np.array([214, 225, 242]), np.array([289, 289, 290]), 1.57, 9, 4.5, rgb("#54618a")),
        strokes(np.array([238.0]), np.array([259.0]), 1.57, 12, 5, rgb("#9c4a3a")),
    ]
    canvas.paint(join(*groups))


def meadow(x, y):
    """Colour of the grass: cool and pale far off, ochre and sap green near."""
    depth = field_depth(x, y)
    patch = fractal(x / (0.4 + depth), y * 2.2, 80, 23)
    far = ramp(patch * 1.4 - 0.2, ["#8ea582", "#b3bd83", "#d8cf8e", "#e2d7a4"])
    near = ramp(patch * 1.6 - 0.3, ["#2c4a2c", "#4d7036", "#7d9141", "#b1a751", "#cdb35f"])
    return mix_colours(far, near, smoothstep(0.05, 0.75, depth))


def paint_meadow(canvas, rng):
    """Grass, far to near: flat touches in the distance, upright flicks in front."""
    x, y = scatter(rng, 900, (-20, 235, 820, 620))
    keep = y > field_crest(x)
    laid = [x[keep], y[keep]]
    colour = jitter(rng, meadow(*laid), 0.04)
    canvas.paint(strokes(*laid, rng.normal(0.05, 0.2, keep.sum()), 60, 22, colour, jitter(rng, colour, 0.06)))
    x, y = scatter(rng, 9000, (-20, 235, 820, 625))
    depth = field_depth(x, y)
    keep = (y > field_crest(x) + 2) & (rng.random(len(x)) < 0.95 - 0.72 * depth)
    x, y, depth = x[keep], y[keep], depth[keep]
    order = np.argsort(y)
    x, y, depth = x[order], y[order], depth[order]
    upright = smoothstep(0.12, 0.5, depth)
    angle = -upright * (1.35 + rng.normal(0, 0.35, len(x))) + rng.normal(0, 0.15, len(x))
    size = 0.28 + 0.9 * depth
    colour = jitter(rng, meadow(x, y), 0.07, 0.035)
    laid = strokes(x, y, angle, size * rng.uniform(26, 44, len(x)), size * 10, colour, jitter(rng, colour, 0.09))
    canvas.paint(laid, "flat")


def poppy_places(rng):
    """Where poppies stand, far to near: a drift that sweeps down from the bank and fills the foreground."""
    depth = rng.random(16000) ** 1.15
    x = rng.uniform(-20, 820, len(depth))
    crest = field_crest(x)
    y = crest + depth * (612 - crest)
    drift = 590 - 330 * depth**0.8
    spread = 100 + 330 * depth
    wanted = np.exp(-(((x - drift) / spread) ** 2)) * smoothstep(
        0.4, 0.56, fractal(x / (0.3 + depth), y * 1.5, 46, 31, 3)
    )
    size = 3.2 + 19 * depth**1.15
    keep = (rng.random(len(x)) < wanted * 26 / size**1.75) & (depth > 0.015)
    order = np.argsort(y[keep])
    return (a[keep][order] for a in (x, y, size))


def paint_poppies(canvas, rng):
    """Each flower is a shadow, two or three petals and a touch of light."""
    x, y, size = poppy_places(rng)
    n = len(x)
    groups, order = [], []
    kind = rng.random(n)  # a few flowers are rosy, a few deep crimson
    size = size * rng.uniform(0.75, 1.2, n)
    looks = (  # offset, size, colours from which a petal is mixed
        ((0.1, 0.3), 0.95, ["#5c1320", "#8d1a22"]),
        ((-0.28, 0.0), 0.85, ["#b81d1c", "#d92a1c"]),
        ((0.3, -0.05), 0.8, ["#c9211b", "#e63a22"]),
        ((-0.05, -0.25), 0.62, ["#e8391f", "#ff6a3c"]),
    )
    for rank, ((right, down), share, codes) in enumerate(looks):
        petal = size * share * rng.uniform(0.8, 1.2, n)
        colour = jitter(rng, mix_colours(ramp(rng.random(n), codes), rgb("#f0806e"), 0.5 * (kind > 0.86)), 0.03, 0.03)
        colour = mix_colours(colour, rgb("#7a1028"), 0.4 * (kind < 0.14))
        px, py = x + right * size + rng.normal(0, 0.08, n) * size, y + down * size * 0.8
        second = jitter(rng, colour + 0.05, 0.05)
        groups.append(strokes(px, py, rng.normal(0, 0.7, n), petal * 1.25, petal * 0.95, colour, second, body=1.5))
        order.append(np.arange(n) + rank * 0.2)
    keep = np.concatenate([np.ones(n, bool), size > 6, np.ones(n, bool), size > 4.5])
    sequence = np.argsort(np.concatenate(order), kind="stable")
    canvas.paint(join(*groups).pick(sequence[keep[sequence]]), "dab")
    hearts = size > 13
    laid = strokes(x[hearts], y[hearts], 0.3, size[hearts] * 0.3, size[hearts] * 0.25, rgb("#3a1420"), opacity=0.8)
    canvas.paint(laid.pick(rng.random(hearts.sum()) < 0.22), "dab")


def paint_wild_flowers(canvas, rng):
    """Sparks of white, yellow and cornflower blue, and tall blades across the foreground."""
    x, y = scatter(rng, 900, (-10, 300, 810, 600))
    depth = field_depth(x, y)
    keep = (depth > 0.08) & (fractal(x, y * 1.6, 60, 37, 3) > 0.52)
    x, y, depth = x[keep], y[keep], depth[keep]
    colours = rgb("#f4eedd", "#f0cf57", "#7f8fd0", "#e9a9a0", "#f4e6a2")[rng.integers(5, size=len(x))]
    size = 2.5 + 5.5 * depth
    canvas.paint(strokes(x, y, rng.normal(0, 0.8, len(x)), size * 1.3, size, jitter(rng, colours), body=1.4), "dab")
    x, y = scatter(rng, 330, (-10, 450, 810, 640))
    colour = jitter(rng, ramp(rng.random(len(x)), ["#24401f", "#5e8034", "#a8b052", "#d9c878"]), 0.04)
    lean = -1.57 + rng.normal(0, 0.3, len(x))
    canvas.paint(strokes(x, y, lean, rng.uniform(30, 66, len(x)), 5.5, colour, bow=rng.normal(0, 4, len(x))), "blade")


def paint_walker(canvas, rng, x, foot, tall):
    """A lady in white with a green parasol, and a child, waist-deep in the grass."""
    k, at = tall / 100, standing(x, foot, tall)
    parts = (  # polygon, strokes, width, direction, colour, streaks
        (at((-20, 0), (-9, 52), (9, 52), (24, 0)), 70, 9, 1.5, "#e9e4ee", "#a9a6d2"),
        (at((4, 0), (4, 50), (10, 52), (25, 0)), 40, 8, 1.4, "#9b9acb", "#6f74b0"),
        (at((-9, 50), (-11, 78), (10, 78), (10, 50)), 40, 8, 1.5, "#f4efe8", "#b6b0d6"),
        (at((6, 62), (24, 76), (26, 70), (9, 54)), 16, 6, 0.6, "#e4dbe4", "#b6a8cc"),
        (at((-6, 78), (-6, 91), (6, 91), (6, 78)), 14, 6, 1.5, "#c98f72", "#8a5a58"),
        (at((-12, 88), (-6, 98), (7, 98), (13, 88)), 20, 6, 0.0, "#d9a648", "#8f6a3a"),
        (
            at((-16, 112), (-4, 128), (22, 134), (46, 124), (54, 108), (20, 116)),
            60,
            9,
            0.15,
            "#3f5f9c",
            "#d3d9ec",
        ),
        (at((58, 0), (52, 30), (54, 44), (64, 44), (67, 28), (72, 0)), 40, 7, 1.5, "#6f7fc0", "#d8d4e6"),
        (at((53, 46), (54, 57), (65, 57), (66, 46)), 12, 6, 0.2, "#e2b85a", "#b5703f"),
    )
    for polygon, n, width, angle, light, dark in parts:
        canvas.paint(fill(rng, polygon, n, width * k, 2.2 * width * k, angle, rgb(light), rgb(dark), body=1.3))
    handle = at((22, 66), (20, 118))
    canvas.paint(strokes(*polyline(handle, 2), 2.0, rgb("#5a4034")))
    n = 60
    gx, gy = rng.uniform(x - 34 * k, x + 84 * k, n), rng.uniform(foot - 6 * k, foot + 8 * k, n)
    grass = jitter(rng, meadow(gx, gy + 14) * 0.92, 0.06)
    canvas.paint(strokes(gx, gy, rng.normal(-1.45, 0.3, n), 17, 5, grass), "blade")


def render(width, height, seed):
    """A poppy field under a broken sky, in dabs of oil."""
    rng = np.random.default_rng(seed)
    canvas = Canvas(width, height, rgb("#c9ad86"), rng)
    paint_sky(canvas, rng)
    paint_distance(canvas, rng)
    paint_meadow(canvas, rng)
    paint_walker(canvas, rng, 118, 398, 68)
    paint_poppies(canvas, rng)
    paint_wild_flowers(canvas, rng)
    return canvas.lit()
