"""A swirling night sky over a village, in long strokes along a stream.

Places and sizes are in sheet units, 800 x 600 (see `pictures.toolkit.sheet`).
"""

import numpy as np

from pictures.toolkit.blend import mix_colours, smoothstep
from pictures.toolkit.canvas import Canvas
from pictures.toolkit.colour import jitter, ramp, rgb
from pictures.toolkit.noise import fractal
from pictures.toolkit.sheet import scatter
from pictures.toolkit.strokes import blob, fill, follow, polyline, strokes

WHIRLS = (
    (318, 186, 112, 2.3),
    (508, 226, 66, -2.2),
    (640, 128, 40, 1.5),
    (70, 312, 60, 1.2),
)  # x, y, radius, strength
STARS = (  # x, y, radius of the core
    (242, 58, 9), (372, 40, 7), (482, 92, 11), (604, 262, 13), (580, 46, 8), (172, 262, 10), (48, 226, 8),
    (352, 336, 7), (756, 92, 11), (776, 236, 8), (112, 352, 6), (462, 340, 7), (700, 190, 6),
)  # fmt: skip
MOON = (112, 104, 34)
LAMPS = (*STARS, MOON)


def stream(x, y):
    """The stream function of the sky: the air runs along its level lines, round whirls and lamps."""
    level = y + 16 * np.sin(x / 88 + y / 150) + 9 * np.sin(x / 37 - y / 90)
    for cx, cy, radius, strength in WHIRLS:
        level = level + strength * radius * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (1.1 * radius) ** 2)
    return level


def along_stream(x, y):
    """The direction of the air: the level lines of `stream`, and circles round the lamps."""
    turn = 2 * np.arctan2(stream(x - 1, y) - stream(x + 1, y), stream(x, y + 1) - stream(x, y - 1))
    right, down = np.cos(turn), np.sin(turn)  # twice the angle, where a stroke and its reverse are the same
    for cx, cy, core in LAMPS:
        dx, dy = x - cx, y - cy
        pull = smoothstep(4.4 * core, 2.8 * core, np.hypot(dx, dy))
        round_lamp = 2 * np.arctan2(dx, -dy)
        right, down = right + pull * (np.cos(round_lamp) - right), down + pull * (np.sin(round_lamp) - down)
    return np.arctan2(down, right) / 2


HALOS = (  # golden lamps and silver ones, from the core outwards
    ["#fff6cf", "#fbe27c", "#f3bf3d", "#e9d27a", "#c4d49a", "#8dbcae", "#5f9cc0"],
    ["#ffe9a0", "#fdf6d2", "#f4f2d6", "#d6e6cc", "#a9d2c6", "#7fb6c8", "#5f9cc0"],
)


def night_sky(x, y):
    """Blues banded along the stream, light where the air whirls, with a halo round every lamp."""
    level = stream(x, y)
    spiral = sum(np.sign(strength) * np.arctan2(y - cy, x - cx) for cx, cy, _, strength in WHIRLS)
    band = 0.5 + 0.5 * np.sin(level / 8 + spiral + 3 * fractal(x, y, 150, 41, 3))
    whirl = sum(0.75 * np.exp(-((np.hypot(x - cx, y - cy) / r - 0.4) ** 2) / 0.2) for cx, cy, r, _ in WHIRLS[:3])
    t = 0.16 + 0.34 * band + 0.34 * whirl * (0.35 + band) + 0.16 * smoothstep(180, 400, y)
    blue = ramp(t, ["#141c4f", "#1d3480", "#2a56a8", "#4583c0", "#86b4cd", "#cfdcc4", "#ece4ae"])
    for cx, cy, core in LAMPS:
        away = np.hypot(x - cx, y - cy) / core
        halo = ramp(away / 3.6, HALOS[cx % 3 == 0])
        ring = 0.82 + 0.18 * np.cos(away * 5.2)
        blue = mix_colours(blue, halo * ring[..., None], smoothstep(3.5, 2.1, away + 0.7 * (band - 0.5)))
    return blue


def paint_night_sky(canvas, rng):
    """Three coats over a thin underpainting: broad strokes, long ones along the stream, light accents."""
    canvas.colour[:] = 0.85 * night_sky(canvas.x, canvas.y)
    for n, width, length in ((1100, 20, 60), (3800, 9.5, 46), (2600, 7, 34)):
        x, y = scatter(rng, n, (-15, -15, 815, 430))
        away = np.min([np.hypot(x - cx, y - cy) / core for cx, cy, core in LAMPS], axis=0)
        tight = np.min([np.hypot(x - cx, y - cy) / r for cx, cy, r, _ in WHIRLS], axis=0)
        short = np.clip(np.minimum(away / 3.6, tight / 0.75), 0.3, 1)
        colour = jitter(rng, night_sky(x, y), 0.055, 0.03, 0.02)
        second = jitter(rng, colour, 0.09, 0.05)
        size = width * rng.uniform(0.75, 1.2, len(x)) * (0.62 + 0.38 * short)
        laid = strokes(x, y, 0, length * short * rng.uniform(0.8, 1.25, len(x)), size, colour, second, body=1.3)
        canvas.paint(follow(laid, along_stream))


def paint_lamps(canvas, rng):
    """Thick yellow cores for stars, ring after ring, and a crescent for the moon."""
    for cx, cy, core in LAMPS:
        rings = np.arange(2.9, 0.1, -0.42)
        per_ring = np.maximum(5, (rings * core * 0.75).astype(int))
        radius = np.repeat(rings * core, per_ring)
        turn = np.concatenate([np.arange(n) / n * 2 * np.pi + rng.uniform(0, 6) for n in per_ring])
        radius = radius + rng.normal(0, 0.05 * core, len(radius))
        x, y = cx + radius * np.cos(turn), cy + radius * np.sin(turn)
        keep = rng.random(len(x)) < np.clip(1.9 - radius / core * 0.42, 0.3, 1)
        colour = jitter(rng, night_sky(x, y) * 0.5 + 0.5 * ramp(radius / core / 3.4, HALOS[cx % 3 == 0][:6]))
        width = 4.2 + 0.1 * core
        length = np.clip(radius * 1.15, 5, 20)
        laid = strokes(x, y, turn + 1.57, length, width, colour, jitter(rng, colour, 0.08), body=1.8)
        canvas.paint(follow(laid, along_stream).pick(keep))
    paint_crescent(canvas, rng)


def paint_crescent(canvas, rng):
    """The moon: orange strokes bent into a sickle, open to the upper right."""
    cx, cy, radius = MOON
    for n, reach_in, reach_out, start, end, codes in (
        (170, 0.0, 1.35, 0, 6.28, ["#fbe9a0", "#fff4c4", "#f6dc86", "#ffe98f"]),
        (130, 0.42, 1.12, 0.75, 4.0, ["#d06a1c", "#ec9420", "#f8b02c", "#fdd255"]),
    ):
        turn = rng.uniform(start, end, n)
        fat = np.sin((turn - start) / (end - start) * np.pi) ** 0.7 if end < 6 else 1.0
        reach = radius * (reach_out - (reach_out - reach_in) * fat * np.sqrt(rng.random(n)))
        x, y = cx + reach * np.cos(turn), cy + reach * np.sin(turn)
        colour = jitter(rng, ramp(rng.random(n), codes), 0.03)
        length = np.clip(reach * 0.9, 7, 22)
        laid = strokes(x, y, turn + 1.57, length, 6.5, colour, jitter(rng, colour, 0.07), body=1.9)
        canvas.paint(follow(laid, along_stream))


def hill_line(x, k):
    """Crest of the k-th range of hills, far to near."""
    return (
        392 - 34 * np.exp(-(((x - 560) / 170) ** 2)) + 12 * np.sin(x / 64),
        420 + 20 * np.sin(x / 120 + 2.2) + 5 * np.sin(x / 31) - 26 * smoothstep(380, 20, x),
        470 + 16 * np.sin(x / 105 + 4.6) - 30 * smoothstep(330, 800, x),
    )[k]


HILLS = (
    ["#31508c", "#4a7ea6", "#86b3b0", "#c9d8a8", "#ece6b0"],
    ["#1a2f66", "#25507c", "#2f7484", "#6a9d86", "#b4c48a"],
    ["#142c3e", "#1f4a48", "#3d7048", "#8d9a44", "#d0b654"],
)


def paint_hills(canvas, rng):
    """Three ranges, each stroke running with its slope."""
    for k, codes in enumerate(HILLS):
        x, y = scatter(rng, (1500, 1500, 2300)[k], (-10, 350, 810, 615))
        below = y - hill_line(x, k)
        keep = (below > 0) & (below < (75, 95, 400)[k])
        x, y, below = x[keep], y[keep], below[keep]

        def direction(x, y, k=k):
            slope = (hill_line(x + 2, k) - hill_line(x - 2, k)) / 4
            return np.arctan(slope) + 0.55 * np.sin(x / 46 + y / 21 + k)

        t = 0.75 * np.exp(-below / 16) + 0.55 * (fractal(x, y * 2, 55, 51 + k, 3) ** 1.3) - 0.05
        colour = jitter(rng, ramp(t, codes), 0.045, 0.03)
        length = rng.uniform(20, 40, len(x))
        laid = strokes(x, y, 0, length, 8.5, colour, jitter(rng, colour, 0.08), body=1.2)
        canvas.paint(follow(laid, direction))
        x = np.linspace(-10, 810, 56)
        crest = np.stack([x, hill_line(x, k) + rng.normal(1, 1.6, 56)], 1)
        colour = jitter(rng, ramp(rng.random(55), ["#12204c", "#1b3a70", "#22506a"]), 0.03)
        outline = strokes(
            *polyline(crest, 9), rng.uniform(3.5, 7.5, 55), colour, bow=rng.normal(0, 1.5, 55), opacity=0.85
        )
        canvas.paint(outline.pick(rng.random(55) < 0.8), "blade")


def paint_cottage(canvas, rng, x, base, width, height, lit):
    """A small house: a front and a side wall, a roof, dark outlines, perhaps lit windows."""
    eaves, ridge = base - height, base - height - width * 0.42
    front = [
        (x, base),
        (x, eaves),
        (x + width * 0.2, ridge),
        (x + width * 0.4, eaves),
        (x + width * 0.4, base),
    ]
    side = [(x + width * 0.4, base), (x + width * 0.4, eaves), (x + width, eaves), (x + width, base)]
    roof = [
        (x + width * 0.18, ridge),
        (x + width * 0.86, ridge),
        (x + width * 1.04, eaves + 2),
        (x + width * 0.4, eaves + 2),
    ]
    wall = rgb("#8fa6b8", "#c2b78e", "#7e9aa0", "#a9a2b4")[rng.integers(4)]
    tile = rgb("#6e3c44", "#39507e", "#8a5238", "#3f4a7a", "#4f6a80")[rng.integers(5)]
    dark = rgb("#0f1738")
    n = int(width * height / 6) + 14
    canvas.paint(fill(rng, front, n, 4, height * 0.5, 1.57, wall, wall * 0.8))
    canvas.paint(fill(rng, side, n, 4, height * 0.45, 1.57, wall * 0.62, wall * 0.5))
    canvas.paint(fill(rng, roof, n, 4.2, width * 0.34, 0.1, tile, tile * 1.35, body=1.4))
    for edge in (front + front[:1], roof + roof[:1], side[2:]):
        canvas.paint(strokes(*polyline(edge, 2.4), 2.4, dark, opacity=0.85))
    if lit:
        wx = x + width * np.array([0.2, 0.58, 0.8])
        glow = jitter(rng, np.tile(rgb("#ffd34d"), (3, 1)), 0.03)
        canvas.paint(
            strokes(
                wx,
                np.full(3, base - height * 0.45),
                1.57,
                height * 0.42 + 2,
                width * 0.1 + 2,
                glow,
                rgb("#ff9a2e"),
                body=1.8,
            ),
            "dab",
        )


def paint_steeple(canvas, rng):
    """The church whose spire crosses the hills into the sky."""
    wall, slate, dark = rgb("#93a7b5"), rgb("#33507f"), rgb("#0f1738")
    nave = [(276, 520), (276, 494), (336, 494), (336, 520)]
    roof = [(270, 496), (284, 474), (330, 474), (342, 496)]
    tower = [(252, 522), (252, 452), (276, 452), (276, 522)]
    spire = [(249, 454), (264, 352), (279, 454)]
    canvas.paint(fill(rng, nave, 110, 4.5, 12, 1.57, wall * 0.75, wall * 0.6))
    canvas.paint(fill(rng, roof, 110, 4.5, 18, 1.9, slate, slate * 1.4))
    canvas.paint(fill(rng, tower, 130, 4.5, 16, 1.57, wall, wall * 0.7))
    canvas.paint(fill(rng, spire, 150, 4, 26, 1.6, slate * 0.9, slate * 1.5))
    for edge in (spire + spire[:1], tower + tower[:1], roof + roof[:1], nave[2:]):
        canvas.paint(strokes(*polyline(edge, 2.6), 2.6, dark, opacity=0.9))
    glow = strokes(
        np.array([264, 264, 292, 308, 324]),
        np.array([468, 496, 507, 507, 507]),
        1.57,
        11,
        5,
        rgb("#ffcf45"),
        rgb("#ff962b"),
        body=1.8,
    )
    canvas.paint(glow, "dab")


def paint_village(canvas, rng):
    """Cottages from far to near among round bushes, with the church in the middle."""
    spots = [(x + rng.uniform(-6, 6), base) for base in (503, 522, 545, 572) for x in range(30, 600, 62)]
    done_church = False
    for x, base in spots:
        if base > 510 and not done_church:
            paint_steeple(canvas, rng)
            done_church = True
        near = (base - 480) / 100
        x += (base % 9) * 5
        if rng.random() < 0.62 and not (225 < x < 340 and base < 530):
            paint_cottage(
                canvas,
                rng,
                x,
                base + rng.uniform(-4, 4),
                (22 + 20 * near) * rng.uniform(0.8, 1.35),
                10 + 9 * near,
                rng.random() < 0.7,
            )
        bx, by, facing = blob(rng, x - 9, base - 2, 13 + 6 * near, 9 + 4 * near, 34)
        order = np.argsort(facing)
        colour = jitter(rng, ramp(0.5 + 0.5 * facing[order], ["#0e2030", "#17424a", "#2f6b4c", "#6f9248"]), 0.03)
        canvas.paint(strokes(bx[order], by[order], facing[order] * 1.2, 9 + 4 * near, 4.5, colour, bow=1.5))


def cypress_edge(t):
    """Half-width of the dark flame at height t, 0 at the foot and 1 at the tip."""
    return (56 * (1 - t) ** 0.75 + 10 * np.sin(t * 17) * (1 - t)) * (0.72 + 0.28 * smoothstep(0, 0.12, t))


def paint_cypress(canvas, rng):
    """Dark flames at the right: strokes that lick upwards, green and brown lights between."""
    for foot, height, share, n in ((752, 300, 0.6, 420), (690, 560, 1.0, 1500), (634, 190, 0.5, 260)):
        t = rng.random(n) ** 1.15
        across = rng.uniform(-1, 1, n)
        order = np.argsort(-t * 0.6 + rng.random(n))[::-1] if share < 1 else rng.permutation(n)
        t, across = t[order], across[order]
        x = foot + across * cypress_edge(t) * share + 9 * np.sin(t * 7 + foot)
        y = 612 - t * height
        tone = 0.42 * rng.random(n) ** 1.2 + 0.3 * np.maximum(0, np.sin(across * 7 + t * 16)) - 0.12 * across
        colour = jitter(rng, ramp(tone, ["#0b1420", "#14302c", "#2a5230", "#66702f", "#a8843a"]), 0.02, 0.02)
        lean = -1.57 + across * 0.42 * (0.4 - t) * -1 + 0.35 * np.sin(t * 21 + across * 3)
        length = rng.uniform(26, 52, n) * (0.65 + 0.35 * (1 - t))
        canvas.paint(
            strokes(x, y, lean, length, 8, colour, jitter(rng, colour, 0.05), bow=rng.normal(0, 4, n), body=1.5),
            "blade",
        )


def render(width, height, seed):
    """A swirling night sky over a village, in long strokes."""
    rng = np.random.default_rng(seed)
    canvas = Canvas(width, height, rgb("#1b2a63"), rng)
    paint_night_sky(canvas, rng)
    paint_lamps(canvas, rng)
    paint_hills(canvas, rng)
    paint_village(canvas, rng)
    paint_cypress(canvas, rng)
    return canvas.lit(0.2, 0.07)
