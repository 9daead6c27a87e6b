"""Mountains in mist and an old pine, in ink on paper.

Places and sizes are in sheet units, 800 x 600 (see `pictures.toolkit.sheet`).
"""

import numpy as np

from pictures.toolkit.blend import mix_colours, smoothstep
from pictures.toolkit.canvas import Canvas
from pictures.toolkit.colour import ramp, rgb
from pictures.toolkit.noise import fractal, noise
from pictures.toolkit.shapes import smooth_line
from pictures.toolkit.sheet import scatter
from pictures.toolkit.strokes import fill, polyline, strokes

INK = rgb("#1c1d22")


def paint_paper(canvas):
    """Warm paper: clouded, with long fibres lying every way."""
    x, y = canvas.x, canvas.y
    tone = 0.6 * fractal(x, y, 120, 101) + 0.25 * noise(x, y, 5, 102) + 0.15 * noise(x, y, 1.6, 103)
    canvas.colour[:] = ramp(tone, ["#d9cbaa", "#eadfc5", "#f3ebd8"])
    rng = canvas.rng
    x, y = scatter(rng, 900)
    colour = ramp(rng.random(900), ["#b9a67e", "#cdbd98", "#fbf6e8"])
    length = rng.uniform(8, 34, 900)
    hairs = strokes(
        x,
        y,
        rng.uniform(0, 3.14, 900),
        length,
        1.4,
        colour,
        bow=rng.normal(0, 3, 900),
        opacity=0.55,
        body=0.3,
    )
    canvas.paint(hairs, "dot")


def wash(canvas, strength, tint=INK):
    """Dilute ink over the whole sheet: it settles in the hollows of the paper."""
    x, y = canvas.x, canvas.y
    settling = 0.72 + 0.56 * (0.6 * noise(x, y, 2.2, 111) + 0.4 * fractal(x, y, 26, 112, 3))
    canvas.colour *= 1 - np.clip(strength * settling, 0, 1)[..., None] * (1 - tint)


def ridge(x, k):
    """Crest of the k-th range, far to near: one host peak and its guests, standing in mist."""
    peaks = (  # middle, height, reach to the left, reach to the right
        ((330, 176, 60, 44), (404, 128, 40, 56), (690, 150, 66, 50), (778, 98, 44, 60)),
        ((250, 96, 54, 40), (470, 150, 40, 52), (556, 318, 72, 60), (626, 206, 50, 74), (30, 150, 60, 66)),
        ((180, 70, 70, 90), (452, 78, 60, 80), (724, 196, 70, 64), (806, 236, 60, 60)),
        ((20, 150, 90, 84), (118, 74, 50, 70), (640, 34, 120, 150)),
    )[k]
    base = (336, 420, 486, 572)[k]
    rough = (22, 34, 34, 30)[k] * (fractal(x, np.full(np.shape(x), 40.0 * k), 50, 121 + k, 6) - 0.5)
    reach = [np.where(x < cx, left, right) for cx, _, left, right in peaks]
    height = np.max(
        [h * np.exp(-(np.abs((x - cx) / r) ** 1.9)) for (cx, h, _, _), r in zip(peaks, reach, strict=True)],
        axis=0,
    )
    return base - height - rough - 8 * np.sin(x / 90 + k)


def shaded_side(x, k):
    """1 on slopes that fall to the right, away from the light, 0 on those that rise."""
    return smoothstep(-1.0, 1.0, (ridge(x + 12, k) - ridge(x - 12, k)) / 24)


def paint_range(canvas, k, paper):
    """One range in wet washes: dark along the crest, lost in mist below, streaked down the slope."""
    x, y = np.broadcast_arrays(canvas.x, canvas.y)
    along = np.arange(-60.0, 861.0)  # crest and shade depend on x only: look them up
    crest, dark = ridge(along, k), shaded_side(along, k)
    wet = (8 - 1.5 * k) * (fractal(x, y, 30, 131 + k) - 0.5)
    below = y + wet - np.interp(x + wet, along, crest)
    canvas.colour[:] = mix_colours(canvas.colour, paper, (0.5, 0.7, 0.8, 0.8)[k] * smoothstep(-4, 12 + 10 * k, below))
    pools = fractal(x, y, 60, 145 + k, 4)
    clefts = smoothstep(0.42, 0.66, fractal(x * 1.7 + 0.2 * wet, y * 0.42, 34, 141 + k, 4))
    wander = np.clip(below / 60, 0, 1.5) * (90 * (pools - 0.5) + 34 * (clefts - 0.5))
    dark_side = np.interp(x + wander, along, dark)
    reach = (110, 150, 120, 170)[k]
    fade = np.exp(-np.clip(below, 0, None) / reach) * smoothstep(-(5 - k), 5 - k, below)
    edge = np.exp(-((below - 3) ** 2) / 16)
    tone = (0.36 + 0.68 * dark_side) * (0.6 + 0.6 * clefts) * (0.45 + 1.1 * pools)
    mist = smoothstep(0.28, 0.72, fractal(x * 0.45, y * 1.3, 110, 151 + k, 3) + 0.34 - below / (3.2 * reach))
    tint = ramp(np.array(k / 3), ["#55646f", "#3d4a56", "#2a333c", "#1a1e24"])
    wash(canvas, (0.55, 0.92, 1.1, 1.2)[k] * (fade * tone * (0.15 + 0.85 * mist)) + 0.2 * edge * mist, tint)


def paint_mist(canvas, rng):
    """Broad, nearly dry sweeps of the wide brush through sky and mist."""
    x, y = scatter(rng, 130, (-20, 0, 820, 600))
    n = len(x)
    lean = rng.normal(0, 0.1, n)
    laid = strokes(
        x, y, lean, rng.uniform(120, 300, n), rng.uniform(18, 44, n), rgb("#59656d"), bow=rng.normal(0, 7, n)
    )
    laid.opacity = rng.uniform(0.05, 0.16, n) * (1 - 0.5 * smoothstep(100, 300, y))
    canvas.paint(laid, "dry", glaze=True)


def paint_rock_strokes(canvas, rng, k, n):
    """Dry strokes down the shaded slopes, as an axe would cut them, and dots of moss along the crest."""
    x = rng.uniform(-10, 810, n)
    below = rng.exponential((40, 60, 50, 60)[k], n)
    y = ridge(x, k) + below + 4
    dark_side = shaded_side(x, k)
    angle = np.where(dark_side > 0.5, 1.12, 2.02) + rng.normal(0, 0.2, n) + 0.3 * (fractal(x, y, 70, 158) - 0.5)
    cleft = smoothstep(0.42, 0.6, fractal(x * 1.7, y * 0.42, 34, 141 + k, 4))
    keep = rng.random(n) < (0.2 + 0.8 * dark_side) * (0.15 + cleft) * np.exp(-below / (90 + 20 * k))
    x, y, angle = x[keep], y[keep], angle[keep]
    n = len(x)
    grey = ramp(rng.random(n) * 0.6 + 0.1 * (3 - k), ["#1a1b20", "#3c424a", "#717a82", "#9aa0a2"])
    length = rng.uniform(22, 56, n) * (0.6 + 0.16 * k)
    laid = strokes(x, y, angle, length, 4.5 + 2.2 * k, grey, opacity=0.3 + 0.12 * k, bow=rng.normal(0, 3, n))
    canvas.paint(laid, "dry", glaze=True)
    crest_x = np.arange(-10, 810, 9.0)
    crest = np.stack([crest_x, ridge(crest_x, k) + 2], 1)
    line = strokes(*polyline(crest, 4), rng.uniform(2, 4.5, len(crest) - 1) + 0.8 * k, INK, opacity=0.16 + 0.16 * k)
    canvas.paint(line.pick(rng.random(len(line)) < 0.75), "dry", glaze=True)
    x = rng.uniform(-5, 805, 130 + 60 * k)
    x = x[fractal(x, x * 0, 40, 161 + k) > 0.47]
    y = ridge(x, k) + rng.normal(2, 4 + k, len(x))
    size = rng.uniform(3.5, 6, len(x)) * (0.6 + 0.25 * k)
    canvas.paint(
        strokes(x, y, rng.normal(0, 0.5, len(x)), size * 1.4, size, INK, opacity=0.25 + 0.16 * k),
        "dab",
        glaze=True,
    )


def limb(canvas, rng, points, width):
    """A branch in dry ink: overlapping strokes that grow thinner, cracked bark on the thick ones."""
    line = smooth_line(points, 22)
    x, y, angle, length = polyline(line, 6)
    taper = np.linspace(width, width * 0.25, len(x))
    canvas.paint(strokes(x, y, angle, length * 1.9, taper, rgb("#6d6a66"), opacity=0.5), "flat", glaze=True)
    for shift, share, dark in ((0.34, 0.38, 0.8), (-0.42, 0.16, 0.75), (0.02, 0.3, 0.5)):
        off = shift * taper
        px, py = x - np.sin(angle) * off, y + np.cos(angle) * off
        wobble = rng.normal(0, 0.1, len(x))
        canvas.paint(
            strokes(px, py, angle + wobble, length * 1.7, share * taper + 1.4, INK, opacity=dark),
            "dry",
            glaze=True,
        )
    plates = rng.integers(len(x), size=int(width * 2.2))
    px = x[plates] + rng.normal(0, 0.24, len(plates)) * taper[plates]
    py = y[plates] + rng.normal(0, 0.24, len(plates)) * taper[plates]
    turn = angle[plates] + rng.choice([0.5, 1.3, 2.2], len(plates))
    canvas.paint(strokes(px, py, turn, 0.36 * taper[plates] + 3, 2.2, INK, bow=2, opacity=0.75), "dry", glaze=True)
    return line


def needles(canvas, rng, cx, cy, size):
    """A fan of pine needles over a pale cloud of ink."""
    canvas.paint(
        strokes(
            np.array([cx]),
            np.array([cy - size * 0.3]),
            0.0,
            size * 2.6,
            size * 1.2,
            rgb("#6f7a76"),
            opacity=0.4,
        ),
        "dab",
        glaze=True,
    )
    n = 26
    angle = np.linspace(-2.95, -0.2, n) + rng.normal(0, 0.09, n)
    reach = size * rng.uniform(0.75, 1.15, n)
    x, y = cx + np.cos(angle) * reach / 2 * 1.25, cy + np.sin(angle) * reach / 2 * 0.85
    grey = ramp(rng.random(n) * 0.5, ["#17181c", "#33383c", "#5a6264"])
    canvas.paint(
        strokes(x, y, angle, reach * 1.15, 2.6, grey, opacity=0.85, bow=rng.normal(0, 1, n)),
        "blade",
        glaze=True,
    )


def paint_pine(canvas, rng):
    """An old pine leaning out from the left over the mist."""
    trunk = limb(canvas, rng, [(30, 612), (74, 540), (92, 470), (70, 400), (98, 330), (150, 282), (176, 226)], 30)
    boughs = (
        [(92, 470), (150, 446), (214, 456), (276, 434)],
        [(72, 404), (30, 384), (2, 352)],
        [(98, 330), (160, 338), (222, 320), (296, 330)],
        [(140, 290), (110, 250), (60, 232)],
        [(160, 262), (214, 238), (262, 240)],
        [(176, 226), (186, 196), (214, 174)],
    )
    tufts = [(trunk[-1, 0], trunk[-1, 1], 25)]
    for bough in boughs:
        line = limb(canvas, rng, bough, 11)
        for place in (8, 11, 14, 17, 19, 21):
            x, y = line[place] + rng.normal(0, 5, 2)
            tufts.append((x + rng.normal(0, 6), y - rng.uniform(2, 16), rng.uniform(19, 29)))
    for x, y, size in sorted(tufts, key=lambda tuft: tuft[1]):
        needles(canvas, rng, x, y, size)


def paint_far_pines(canvas, rng):
    """Small pines on the crests, each a stem and a few level touches."""
    for k, places in ((1, (486, 502, 596, 640, 660)), (2, (440, 462, 486, 690, 706, 744, 768))):
        for x in np.array(places) + rng.uniform(-5, 5, len(places)):
            foot = float(ridge(np.array([x]), k)[0]) + 3
            tall = rng.uniform(16, 26) * (0.7 + 0.3 * k)
            shade = 0.35 + 0.25 * k
            canvas.paint(
                strokes(np.array([x]), np.array([foot - tall / 2]), -1.5, tall, 2.4, INK, opacity=shade),
                "dry",
                glaze=True,
            )
            up = np.linspace(0.35, 1.05, 6)
            wide = tall * (0.85 - 0.5 * up) * rng.uniform(0.7, 1.3, 6)
            across = x + rng.normal(0, 2, 6)
            canvas.paint(
                strokes(across, foot - tall * up, 0.0, wide, 5, INK, bow=-1.5, opacity=shade),
                "dab",
                glaze=True,
            )


def paint_river_and_boat(canvas, rng):
    """Pale ripples, a boatman under his hat, reeds, and a flight of geese."""
    x, y = scatter(rng, 150, (230, 500, 810, 606))
    keep = fractal(x, y * 3, 60, 171) > 0.45
    x, y = x[keep], y[keep]
    n = len(x)
    canvas.paint(
        strokes(
            x,
            y,
            rng.normal(0, 0.03, n),
            rng.uniform(30, 80, n),
            5,
            rgb("#4c565e"),
            opacity=0.4,
            bow=rng.normal(0, 1.5, n),
        ),
        "dry",
        glaze=True,
    )
    hull = (
        (430, 546, 0.0, 84, 7, 5.0),
        (470, 540, -0.35, 26, 5, 1.0),
        (390, 541, 0.35, 24, 5, 1.0),
        (424, 541, 0.0, 60, 3, 4.0),
    )
    man = (
        (452, 530, 1.5, 16, 8, 0.0),
        (452, 518, 0.05, 17, 5, -2.0),
        (440, 528, 2.2, 18, 3, 0.0),
        (476, 524, 0.95, 66, 2.4, 0.0),
    )
    hut = ((412, 532, 0.0, 30, 9, -5.0), (400, 536, 1.57, 12, 3, 0.0), (425, 536, 1.57, 12, 3, 0.0))
    for cx, cy, angle, length, width, bow in hull + man + hut:
        for _ in range(2):
            canvas.paint(
                strokes(np.array([cx]), np.array([cy]), angle, length, width, INK, bow=bow, opacity=0.7),
                "flat",
                glaze=True,
            )
    x = np.concatenate([rng.normal(cx, 26, 40) for cx in (560, 706, 770)])
    y = 604 - rng.uniform(0, 8, len(x))
    lean = -1.57 + rng.normal(0.1, 0.28, len(x))
    tall = rng.uniform(22, 64, len(x))
    canvas.paint(
        strokes(x, y - tall / 2, lean, tall, 4, INK, bow=rng.normal(0, 4, len(x)), opacity=0.7),
        "blade",
        glaze=True,
    )
    for k in range(9):
        gx, gy = 230 + 16 * k, 118 - 5 * k + 12 * abs(k - 3)
        wings = strokes(
            np.array([gx - 4.0, gx + 4.0]),
            np.array([gy, gy]),
            np.array([0.5, -0.5]),
            11,
            3,
            INK,
            bow=-1.5,
            opacity=0.75,
        )
        canvas.paint(wings, "blade", glaze=True)


def paint_seal(canvas, rng, x, y):
    """The painter's red seal: a mountain, a sun and water, left white in the red."""
    square = [(x, y), (x + 33, y + 1), (x + 32, y + 35), (x, y + 34)]
    for _ in range(2):
        canvas.paint(fill(rng, square, 110, 7, 9, 0.0, rgb("#b5291f"), body=0.3), "dab")
    marks = ((10, 15, -1.0, 15), (19, 16, 1.0, 17), (25, 9, 0.0, 5), (16, 24, 0.05, 24), (16, 29, -0.05, 20))
    px, py, angle, length = np.array(marks, float).T
    canvas.paint(strokes(x + px, y + py, angle, length, 2.8, rgb("#ecdfc4"), opacity=0.9, body=0.2), "flat")


def render(width, height, seed):
    """Mountains in mist and an old pine, in ink on paper."""
    rng = np.random.default_rng(seed)
    canvas = Canvas(width, height, rgb("#eadfc5"), rng, weave=0.0)
    paint_paper(canvas)
    x, y = canvas.x, canvas.y
    cloud = smoothstep(0.42, 0.75, fractal(x * 0.5, y * 1.2, 120, 181, 5))
    paper = canvas.colour.copy()
    wash(canvas, 0.34 * cloud * smoothstep(360, 60, y) + 0.16 * smoothstep(70, 0, y), rgb("#6a7880"))
    paint_mist(canvas, rng)
    for k in range(4):
        paint_range(canvas, k, paper)
        paint_rock_strokes(canvas, rng, k, (1100, 2000, 2200, 2200)[k])
        if k == 2:
            paint_far_pines(canvas, rng)
            paint_river_and_boat(canvas, rng)
    paint_pine(canvas, rng)
    paint_seal(canvas, rng, 728, 60)
    return canvas.lit(0.06, 0.0)
