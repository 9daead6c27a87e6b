"""A breaking wave as a Japanese woodcut: flat blues, carved lines.

Places and sizes are in sheet units, 800 x 600 (see `pictures.toolkit.sheet`).
"""

import itertools

import numpy as np

from pictures.toolkit.blend import smoothstep
from pictures.toolkit.colour import rgb
from pictures.toolkit.noise import fractal
from pictures.toolkit.shapes import line_normals, round_shape, smooth_line, swelling_line
from pictures.toolkit.woodblock import Sheet

INDIGO, PRUSSIAN, MID_BLUE, PALE_BLUE = rgb("#16284d", "#1f4379", "#4478a6", "#a3c3cd")
PAPER, FOAM, ROSE, SEAL = rgb("#eadbb8", "#f6efdc", "#d79b7c", "#b8392b")

# The great wave: its back from the lower right over the crest to the lip, its hollow from the trough.
WAVE_BACK = smooth_line(
    [
        (900, 640),
        (838, 420),
        (776, 262),
        (696, 152),
        (602, 92),
        (502, 72),
        (414, 92),
        (346, 142),
        (312, 206),
        (306, 262),
    ]
)
WAVE_HOLLOW = smooth_line(
    [
        (90, 580),
        (250, 556),
        (362, 520),
        (440, 462),
        (482, 388),
        (488, 316),
        (462, 250),
        (414, 212),
        (362, 216),
        (322, 262),
    ]
)


def between(wave, t):
    """A line of water t of the way from the hollow to the back of a wave (hollow, back)."""
    return wave[0] * (1 - t) + wave[1] * t


def ribbon(wave, low, high, end):
    """The strip of a wave between two lines of water, from its foot to the share `end` of their run."""
    n = int(end * len(wave[0]))
    return np.concatenate([between(wave, low)[:n], between(wave, high)[:n][::-1]])


def claw_edges(x, y, angle, size, curl):
    """Both edges of a hooked finger of foam, from its root to its tip: it tapers and bends more and more."""
    t = np.linspace(0, 1, 15)
    turn = angle + curl * t**1.4
    step = size / 15
    line = np.stack([x + np.cumsum(np.cos(turn)) * step, y + np.cumsum(np.sin(turn)) * step], 1)
    side = line_normals(line) * (size * (0.25 * (1 - t) ** 0.8 + 0.03))[:, None]
    return line + side, line - side


def claw(*place):
    """A hooked finger of foam as a shape; see `claw_edges`."""
    left, right = claw_edges(*place)
    return np.concatenate([left, right[::-1]])


def foam_fingers(rng, line, outward, sizes, count, side=1):
    """Claws along a line, each with smaller ones on its back; `outward` unit vectors say where they reach.

    `sizes` are their mean lengths at the start and at the end of the line; they come in bunches.
    """
    shapes = []
    for place in np.sort(rng.uniform(0.02, 0.99, count)):
        k = int(place * (len(line) - 1))
        bunch = 0.55 + 0.9 * np.sin(place * 23 + 1) ** 2
        reach = (sizes[0] + (sizes[1] - sizes[0]) * place) * bunch * rng.uniform(0.8, 1.2)
        angle = np.arctan2(outward[k, 1], outward[k, 0]) + rng.normal(0.25 * side, 0.3)
        curl = side * rng.uniform(0.9, 2.4)
        x, y = line[k] - outward[k] * reach * 0.2
        for share, small in ((0.25, 0.62), (0.5, 0.5), (0.68, 0.36)):
            bx, by = x + np.cos(angle) * reach * share, y + np.sin(angle) * reach * share
            shapes.append(claw(bx, by, angle - curl * rng.uniform(0.3, 0.6), reach * small, curl))
        shapes.append(claw(x, y, angle, reach, curl))
    return shapes


def outlined(sheet, shapes, fill_ink, line_ink, width):
    """Shapes that run into one another, filled alike, with one carved line round them all."""
    rims = [swelling_line(np.concatenate([shape, shape[:2]]), width, 1.0, 1.0) for shape in shapes]
    sheet.print(line_ink, *rims, *shapes, grain=0.1, mottle=0.1)
    sheet.print(fill_ink, *shapes, grain=0.0, mottle=0.0)


def print_sky(sheet):
    """Bokashi: a dark band wiped to nothing from the top, rose over the horizon, long bars of cloud."""
    x, y = np.broadcast_arrays(sheet.x, sheet.y)
    wipe = 14 * (fractal(x, y, 170, 81, 3) - 0.5)
    everywhere = np.ones(x.shape, np.float32)
    sheet.print_mask(everywhere * 0.55, rgb("#dccba4"), 0.6, 0.4)
    sheet.print_mask(smoothstep(250, 20, y + wipe) * 0.72, rgb("#7d97a4"), 0.4, 0.25)
    sheet.print_mask(smoothstep(96, -14, y + wipe) * 0.95, INDIGO, 0.35, 0.2)
    sheet.print_mask(smoothstep(190, 400, y + wipe) * smoothstep(560, 420, y) * 0.8, ROSE, 0.45, 0.3)
    for cx, cy, reach, thick in (
        (90, 178, 170, 9),
        (20, 204, 150, 8),
        (190, 226, 130, 7),
        (760, 128, 140, 9),
        (720, 156, 90, 7),
    ):
        bar = swelling_line(
            np.stack([np.linspace(cx - reach, cx + reach, 40), np.full(40, float(cy))], 1),
            thick * 2,
            0.3,
            0.3,
        )
        sheet.print(rgb("#f0e6cb"), bar, grain=0.35)
        for edge in (-thick, thick):
            line = np.stack([np.linspace(cx - reach * 0.86, cx + reach * 0.86, 30), np.full(30, float(cy + edge))], 1)
            sheet.print(rgb("#6f7f88"), swelling_line(line, 1.6))


def print_mountain(sheet):
    """The far mountain with its snow, ridges cut as lines."""
    slope = smooth_line([(60, 462), (128, 420), (176, 372), (206, 342)], 40)
    other = smooth_line([(222, 342), (250, 376), (298, 424), (380, 466)], 40)
    sheet.print(MID_BLUE, np.concatenate([slope, other, [(380, 480), (60, 480)]]), grain=0.4)
    snow = [
        (206, 341),
        (222, 341),
        (240, 362),
        (232, 372),
        (226, 388),
        (218, 374),
        (210, 394),
        (203, 374),
        (193, 384),
        (190, 366),
        (184, 364),
    ]
    sheet.print(FOAM, snow, grain=0.05, mottle=0.05)
    for line in (slope, other):
        sheet.print(INDIGO, swelling_line(line, 2.6))
    for dx in (-62, -44, -24, 26, 48, 74):
        top = (214 + dx * 0.42, 392 + abs(dx) * 0.3)
        crease = smooth_line([top, (214 + dx * 0.8, 420 + abs(dx) * 0.15), (214 + dx * 1.15, 452)], 20)
        sheet.print(INDIGO, swelling_line(crease, 2.0))


def swell_line(x, k):
    """Upper edge of the k-th band of open sea."""
    heights = (456, 480, 512, 548, 584)
    return heights[k] + (5 + 3 * k) * np.sin(x / (52 + 14 * k) + 1.7 * k) + 4 * np.sin(x / 23 + k)


def print_sea(sheet, k):
    """A band of open sea: dark body, pale stripes under the edge, a carved line above."""
    x = np.linspace(-20, 830, 120)
    body = (MID_BLUE, PRUSSIAN, MID_BLUE, PRUSSIAN, INDIGO)[k]
    line = np.stack([x, swell_line(x, k)], 1)
    sheet.print(body, np.concatenate([line, [(830, 640), (-20, 640)]]))
    for down, ink, width in (
        (3, FOAM, 3.4),
        (10 + 2 * k, PALE_BLUE, 3.2),
        (18 + 3 * k, PALE_BLUE, 2.2),
        (25 + 4 * k, MID_BLUE, 2.4),
    ):
        for begin in range(-20 + 31 * k, 830, 150):
            run = (x > begin) & (x < begin + 120 - down)
            if run.sum() > 4:
                sheet.print(ink, swelling_line(line[run] + [down * 0.8, down], width))
    sheet.print(INDIGO, swelling_line(line, 2.4, 1, 1))


STRIPES = (  # low, high, end of run, ink
    (0.02, 0.075, 1.0, PALE_BLUE), (0.12, 0.17, 0.98, MID_BLUE), (0.205, 0.25, 0.99, PALE_BLUE),
    (0.30, 0.345, 0.97, INDIGO), (0.375, 0.42, 0.97, FOAM), (0.46, 0.52, 0.96, MID_BLUE),
    (0.555, 0.60, 0.95, PALE_BLUE), (0.645, 0.70, 0.94, INDIGO), (0.735, 0.775, 0.93, PALE_BLUE),
    (0.82, 0.88, 0.92, MID_BLUE),
)  # fmt: skip


def print_wave_body(sheet, wave, size):
    """A wave in stripes that fan from the trough to the lip, with carved lines between."""
    hollow, back = wave
    outline = np.concatenate([hollow, back[::-1], [(back[0, 0], 650), (hollow[0, 0], 650)]])
    sheet.print(PRUSSIAN, outline)
    for low, high, end, ink in STRIPES:
        sheet.print(ink, ribbon(wave, low, high, end))
    for t in np.linspace(0.0, 0.93, 27 if size > 0.6 else 12):
        sheet.print(INDIGO, swelling_line(between(wave, t)[: int(150 - 14 * t)], 1.7, 0.5, 0.1))
    sheet.print(INDIGO, swelling_line(hollow, 3.4 * size**0.5, 0.3, 0.8), swelling_line(back, 3.0 * size**0.5))


def print_foam(sheet, rng, wave, size):
    """The breaking crest: a white mass with claws on both edges."""
    hollow, back = wave
    crest = back[int(0.36 * len(back)) :]
    (ax, ay), (bx, by) = crest[20] - crest[0], crest[60] - crest[20]
    turn = np.sign(ax * by - ay * bx)  # which way the wave curls
    inward = -turn * line_normals(crest)
    t = np.linspace(0, 1, len(crest))
    lobes = 1 + 0.22 * np.sin(t * 19 + 0.6) + 0.12 * np.sin(t * 43)
    thick = size * (2 + 58 * np.sin(np.pi * np.minimum(t * 0.78, 1)) ** 0.8 * lobes)[:, None]
    inner = crest + inward * thick
    lip = hollow[int(0.86 * len(hollow)) :]
    mass = [np.concatenate([crest, inner[::-1]]), np.concatenate([lip, crest[-30:][::-1]])]
    puffs = [
        round_shape(x, y, r * size) for (x, y), r in zip(crest[6::6], rng.uniform(5, 14, len(crest[6::6])), strict=True)
    ]
    outer = foam_fingers(rng, crest, -inward, (12 * size, 34 * size), 30, turn)
    under = foam_fingers(rng, inner[6:], inward[6:], (44 * size, 58 * size), 24, -turn)
    tip = foam_fingers(rng, lip, np.tile([0.25 * turn, 1.0], (len(lip), 1)), (36 * size, 44 * size), 9, turn)
    print_drips(sheet, rng, wave, size)
    outlined(sheet, mass + puffs + outer + under + tip, FOAM, INDIGO, 3.0 * size**0.5)
    print_foam_shading(sheet, rng, crest, inward, thick, size, turn)


def print_foam_shading(sheet, rng, crest, inward, thick, size, turn):
    """Rows of claws upon the foam, each with a pale blue shade below and carved edges."""
    for share, reach in ((0.05, 18), (0.3, 26), (0.6, 30), (0.85, 30)):
        row = crest + inward * thick * share
        for k in np.sort(rng.integers(5, len(row) - 3, 26)):
            angle = np.arctan2(inward[k, 1], inward[k, 0]) + rng.normal(0, 0.45)
            length = min(reach * size, thick[k, 0]) * rng.uniform(0.5, 1.3)
            left, right = claw_edges(*row[k], angle, length, -turn * rng.uniform(0.7, 2.2))
            fall = inward[k] * rng.uniform(1, 6) * size + [0.0, 2.0 * size]
            shape = np.concatenate([left, right[::-1]])
            sheet.print(PALE_BLUE, shape + fall, grain=0.15, mottle=0.15)
            sheet.print(FOAM, shape, grain=0.0, mottle=0.0)
            sheet.print(PRUSSIAN, swelling_line(left, 1.6), swelling_line(right, 1.6), grain=0.2)


def print_drips(sheet, rng, wave, size):
    """White water that runs back down the face from the foam, in streaks with flecks at their ends."""
    n = len(wave[0])
    for t in np.linspace(0.06, 0.95, 22):
        stop = int((0.97 - 0.12 * t) * n)
        start = stop - int(rng.uniform(0.1, 0.36) * n)
        streak = between(wave, t + rng.normal(0, 0.008))[start:stop][::-1]
        sheet.print(FOAM, swelling_line(streak, rng.uniform(3, 7.5) * size, 1.0, 0.1), grain=0.1)
        for back in (5, 9, 14):
            x, y = between(wave, t)[max(0, start - back)]
            sheet.print(FOAM, round_shape(x, y, rng.uniform(0.8, 2.4) * size, 10), grain=0.1)


def print_spray(sheet, rng, count, cx, cy, reach):
    """Drops thrown off the crest, thicker near (cx, cy)."""
    away, turn = reach * rng.random(count) ** 0.7, rng.uniform(0, 2 * np.pi, count)
    drops = [
        round_shape(cx + r * np.cos(a) * 1.3, cy + r * np.sin(a) * 0.8, rng.uniform(1.5, 4.2), 14)
        for r, a in zip(away, turn, strict=True)
    ]
    outlined(sheet, drops, FOAM, rgb("#5a7186"), 1.3)


def print_label(sheet, x, y):
    """A tall label with a pattern of small waves, and a red seal with a mountain below it."""
    corners = [(x, y), (x + 36, y), (x + 36, y + 100), (x, y + 100), (x, y)]
    sheet.print(rgb("#efe3c4"), corners[:4], grain=0.1)
    for row in range(9):
        for column in range(3 + row % 2):
            cx, cy = x + 6 + 12 * column - 6 * (row % 2) + 6, y + 14 + 10.4 * row
            for radius in (7.2, 4.6, 2.0):
                turn = np.linspace(np.pi, 2 * np.pi, 14)
                arc = np.stack([cx + radius * np.cos(turn), cy + radius * np.sin(turn)], 1)
                arc[:, 0] = np.clip(arc[:, 0], x + 1, x + 35)
                sheet.print(PRUSSIAN, swelling_line(arc, 1.5, 1, 1), grain=0.1)
    for start, stop in itertools.pairwise(corners):
        sheet.print(INDIGO, swelling_line(np.linspace(start, stop, 8), 2.4, 1, 1), grain=0.1)
    sheet.print(SEAL, [(x + 5, y + 110), (x + 31, y + 110), (x + 31, y + 136), (x + 5, y + 136)], grain=0.25)
    sheet.print(
        PAPER, round_shape(x + 24, y + 117, 3), [(x + 8, y + 132), (x + 16, y + 116), (x + 28, y + 132)], grain=0.1
    )


def mirrored(line, size, x, y):
    """A small copy of a line of the great wave, turned to the other side, its lip about at (x, y)."""
    return np.stack([x - size * (line[:, 0] - 310), y + size * (line[:, 1] - 250)], 1)


def render(width, height, seed):
    """A breaking wave in the manner of a Japanese woodcut."""
    rng = np.random.default_rng(seed)
    sheet = Sheet(width, height, PAPER, seed + 90)
    print_sky(sheet)
    print_mountain(sheet)
    for k in (0, 1):
        print_sea(sheet, k)
    print_spray(sheet, rng, 46, 350, 150, 150)
    great = WAVE_HOLLOW, WAVE_BACK
    print_wave_body(sheet, great, 1.0)
    print_foam(sheet, rng, great, 1.0)
    print_spray(sheet, rng, 34, 356, 300, 90)
    print_sea(sheet, 3)
    small = mirrored(WAVE_HOLLOW, 0.4, 196, 500), mirrored(WAVE_BACK, 0.4, 196, 500)
    print_wave_body(sheet, small, 0.4)
    print_foam(sheet, rng, small, 0.45)
    print_sea(sheet, 4)
    print_label(sheet, 40, 34)
    return sheet.dried()
