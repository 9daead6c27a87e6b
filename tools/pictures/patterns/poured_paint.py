"""Poured paint: dye carried by exact area-preserving maps, so that filaments stay sharp.

Every sample is followed backwards in time through what was done to the paint (last first): a
gentle tilt of the canvas, cells rising, strong swirls, the pours. Nothing is resampled on the
way, so nothing blurs. The drop map is that of mathematical marbling (Lu, Jaffer et al.,
"Mathematical Marbling", IEEE CG&A 2012, eq. 1).
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from pictures.toolkit.blend import mix, mix_colours, smoothstep
from pictures.toolkit.colour import linear
from pictures.toolkit.noise import raster_noise
from pictures.toolkit.raster import blur, finish, make_raster
from pictures.toolkit.relief import highlight, relief_normals
from pictures.toolkit.sheet import SHEET_HEIGHT, SHEET_WIDTH
from pictures.toolkit.vectors import dot, unit

MARGIN = 160  # sheet units around the picture from which paint may flow in

WHITE, ICE, SKY, AZURE, COBALT, NAVY, BLACK = linear(
    "#f7f2e6", "#b4dbe6", "#55b3d4", "#1a7ab8", "#0f489e", "#0a1e52", "#06070d"
)
GOLD = linear("#d9a640")

# What a cup holds, from the middle to the rim: colour and share of the radius.
CUPS = (
    (
        (WHITE, 4),
        (SKY, 2),
        (WHITE, 2),
        (COBALT, 6),
        (GOLD, 1.2),
        (NAVY, 5),
        (ICE, 1.5),
        (WHITE, 3),
        (AZURE, 4),
        (COBALT, 3),
    ),
    (
        (NAVY, 6),
        (AZURE, 3),
        (WHITE, 3),
        (BLACK, 1.2),
        (WHITE, 2),
        (COBALT, 7),
        (SKY, 2),
        (WHITE, 4),
        (GOLD, 0.9),
        (NAVY, 4),
    ),
    (
        (COBALT, 5),
        (WHITE, 3),
        (AZURE, 4),
        (NAVY, 6),
        (BLACK, 1.6),
        (GOLD, 1.3),
        (WHITE, 4),
        (ICE, 2),
        (COBALT, 3),
        (WHITE, 2),
    ),
    (
        (ICE, 3),
        (WHITE, 6),
        (SKY, 3),
        (WHITE, 2),
        (AZURE, 4),
        (WHITE, 3),
        (NAVY, 2),
        (WHITE, 5),
        (COBALT, 5),
        (GOLD, 0.6),
    ),
)


def render(width, height, seed):
    """Poured blue and white paint with gold and black, float32 (height, width, 3) in [0, 1]."""
    raster = make_raster(width, height)
    rng = np.random.default_rng(seed)
    swirl, tilt = flow_map(raster, rng, 3, 340, 0.38), flow_map(raster, rng, 1, 260, 0.14)
    foam, pours = foam_cells(rng), make_pours(rng)

    x, y = tilt(*raster.grid())
    web = rising_cells(x, y, foam)
    x, y = swirl(x, y)
    pigment, gold = poured_colour(x, y, pours)
    pigment = streak(pigment, x, y, rng)
    pigment, gold, relief = lay_lacing(pigment, gold, web, raster, rng)
    return finish(varnish(pigment, gold, relief, raster, rng), raster)


# ---------------------------------------------------------------------------- flow


@dataclass(frozen=True)
class FlowMap:
    """Where the paint at a point came from, tabulated on a grid over the canvas and its margin."""

    source_x: np.ndarray
    source_y: np.ndarray
    pitch: float

    def __call__(self, x, y):
        """The source (x, y) of the paint at points of the sheet."""
        at = np.stack([(y + MARGIN) / self.pitch, (x + MARGIN) / self.pitch])
        return tuple(ndimage.map_coordinates(s, at, order=1, mode="nearest") for s in (self.source_x, self.source_y))


def flow_map(raster, rng, phases, scale, strength):
    """Backward map of a flow that changes `phases` times; divergence-free, as it has a stream function.

    `strength`: how far, in units of `scale`, paint drifts during one phase.
    """
    pitch = max(1.0, 800 / max(raster.width, 200))
    xs = np.arange(-MARGIN, SHEET_WIDTH + MARGIN + pitch, pitch, dtype=np.float32)
    ys = np.arange(-MARGIN, SHEET_HEIGHT + MARGIN + pitch, pitch, dtype=np.float32)
    x, y = np.meshgrid(xs, ys)
    for _ in range(phases):
        velocity = _random_velocity(rng, scale, strength)
        x, y = _drift_back(x, y, velocity, steps=10)
    return FlowMap(x, y, pitch)


def _random_velocity(rng, scale, strength):
    """Curl of a random stream function with swirls of `scale` and of half that; a function of x, y."""
    step = 8.0
    shape = (
        int((SHEET_HEIGHT + 4 * MARGIN) / step),
        int((SHEET_WIDTH + 4 * MARGIN) / step),
    )
    stream = np.zeros(shape, np.float32)
    # Filtering a fixed number of random values, not pixels, keeps the flow the same at every size.
    for size, share in ((scale, 1.0), (scale / 2.2, 0.22), (scale / 5, 0.03)):
        layer = ndimage.gaussian_filter(rng.normal(size=shape), size / step / 2.6, mode="wrap")
        stream += (share * layer / layer.std()).astype(np.float32)
    down, right = np.gradient(stream)
    speed = np.sqrt((down**2 + right**2).mean())
    table = (down / speed * scale * strength, -right / speed * scale * strength)
    table = tuple(t.astype(np.float32) for t in table)

    def velocity(x, y):
        at = np.stack([(y + 2 * MARGIN) / step, (x + 2 * MARGIN) / step])
        return tuple(ndimage.map_coordinates(t, at, order=1, mode="nearest") for t in table)

    return velocity


def _drift_back(x, y, velocity, steps):
    """Follows points back through one unit of time by the midpoint rule."""
    dt = 1.0 / steps
    for _ in range(steps):
        u, v = velocity(x, y)
        u, v = velocity(x - u * dt / 2, y - v * dt / 2)
        x, y = x - u * dt, y - v * dt
    return x, y


# ---------------------------------------------------------------------------- pours


@dataclass(frozen=True)
class Pour:
    """One cup of paint: where it lands, how far it pushes the rest, and which cup."""

    x: float
    y: float
    radius: float
    cup: int
    wobble: np.ndarray


def make_pours(rng, count=17):
    """Cups poured one after the other, large ones first, spread over canvas and margin."""
    pours = []
    for i in range(count):
        golden = (0.5 + i * 0.7549) % 1, (0.5 + i * 0.5698) % 1  # low discrepancy: no bare corner
        x = -60 + 920 * golden[0] + rng.normal() * 25
        y = -60 + 720 * golden[1] + rng.normal() * 25
        pours.append(
            Pour(x, y, rng.uniform(70, 150) * (1.1 - 0.4 * i / count), int(rng.integers(4)), rng.normal(size=6))
        )
    return pours


def poured_colour(x, y, pours):
    """Colour, shape (..., 3), and share of gold at points before the flow."""
    ring, cup = np.full(x.shape, -1.0, np.float32), np.zeros(x.shape, np.int8)
    x, y = x.copy(), y.copy()
    waiting = np.ones(x.shape, bool)
    for pour in reversed(pours):
        dx, dy = x - pour.x, y - pour.y
        share = (dx * dx + dy * dy) / pour.radius**2
        inside = waiting & (share < 1)
        ring[inside] = _wobbly_ring(dx[inside], dy[inside], share[inside], pour)
        cup[inside] = pour.cup
        waiting &= ~inside
        # Undoing the drop: what it pushed aside moves back towards its middle.
        shrink = np.sqrt(np.maximum(1 - 1 / np.maximum(share, 1.0001), 0))
        x, y = pour.x + dx * shrink, pour.y + dy * shrink
    bands = 0.5 + 0.5 * np.sin((x * 0.8 + y * 0.6) / 46 + 1.3 * np.sin((y * 0.8 - x * 0.6) / 90))
    ring = np.where(waiting, bands, ring)
    cup = np.where(waiting, 2, cup)
    return _cup_colour(ring, cup)


def _wobbly_ring(dx, dy, share, pour):
    """Ring coordinate, 0 in the middle and 1 at the rim; paint from a cup never falls in true circles."""
    angle = np.arctan2(dy, dx)
    a = pour.wobble
    wobble = sum(a[k] * np.sin((k + 1) * angle + 9 * a[k - 3]) / (k + 2) for k in range(4))
    radius = np.sqrt(share)
    return np.clip(radius * (1 + 0.16 * wobble * (1 - radius) * 2), 0, 1)


def _cup_colour(ring, cup):
    """Colour and gold at ring coordinates, each averaged over the footprint of a sample.

    A filament thinner than a sample must give its share of colour, not flicker: so the profile
    of a cup is integrated once and looked up at both ends of the footprint.
    """
    down, right = np.gradient(ring)
    width = np.clip(np.hypot(down, right), 0.002, 0.5)
    colour = np.zeros((*ring.shape, 4), np.float32)
    for i, layers in enumerate(CUPS):
        here = cup == i
        middle, half = ring[here], width[here] / 2
        low, high = np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
        positions, integral = _profile_integral(layers)
        for channel in range(4):
            table = integral[:, channel]
            colour[here, channel] = (np.interp(high, positions, table) - np.interp(low, positions, table)) / (
                high - low
            )
    return colour[..., :3], colour[..., 3]


def _profile_integral(layers):
    """Positions in [0, 1] and the running integral of red, green, blue and gold along a cup."""
    ends = np.cumsum([0] + [share for _, share in layers])
    rows = [np.append(colour, float(colour is GOLD)) for colour, _ in layers]
    widths = np.diff(ends) / ends[-1]
    return ends / ends[-1], np.concatenate([np.zeros((1, 4)), np.cumsum(np.array(rows) * widths[:, None], axis=0)])


def streak(pigment, x, y, rng):
    """Badly stirred pigment: tones and hairlines, drawn out by the flow as the bands are."""
    soft, fine = _carried_noise(x, y, 26, rng), _carried_noise(x, y, 9, rng)
    pigment = pigment * np.exp(0.16 * soft + 0.07 * fine)[..., None]
    for field, tint, strength in ((soft, SKY, 0.6), (soft - 0.9, NAVY, 0.55), (fine + 0.8, WHITE, 0.4)):
        down, right = np.gradient(field)
        spread = 0.05 + np.hypot(down, right)
        # A hairline keeps its amount of pigment when it gets thinner than a sample.
        hair = np.maximum(1 - np.abs(field) / spread, 0) * (0.05 / spread)
        pigment = mix_colours(pigment, tint, strength * hair)
    return pigment


def _carried_noise(x, y, scale, rng):
    """Noise of `scale` sheet units at points before the flow, periodic far outside the picture."""
    table = ndimage.gaussian_filter(rng.normal(size=(512, 512)), 2.5, mode="wrap")
    at = np.stack([y, x]) * (4 / scale)
    return ndimage.map_coordinates((table / table.std()).astype(np.float32), at, order=1, mode="grid-wrap")


# ---------------------------------------------------------------------------- cells


@dataclass(frozen=True)
class Web:
    """Foam at every sample: distance to the cell's wall, its radius share, its size and a random number."""

    wall: np.ndarray
    share: np.ndarray
    size: np.ndarray
    chance: np.ndarray


def foam_cells(rng):
    """Cell middles and sizes, shape (n, 3): drifts of small cells between larger ones."""
    drifts = rng.uniform((0, 0), (800, 600), (9, 2))
    spread = rng.uniform(18, 62, 9)
    middles = np.concatenate([rng.normal(drifts[i % 9], spread[i % 9], (1, 2)) for i in range(460)])
    middles = np.concatenate([middles, rng.uniform((-100, -100), (900, 700), (60, 2))])
    size = np.clip(cKDTree(middles).query(middles, k=4)[0][:, 1:].mean(axis=1), 5, 60)
    for _ in range(12):
        middles = _push_apart(middles, size)
    return np.column_stack([middles, size])


def _push_apart(middles, size):
    """One step of soft spheres, so that cells pack round and not as splinters."""
    distance, index = cKDTree(middles).query(middles, k=7)
    away = middles[:, None] - middles[index[:, 1:]]
    overlap = np.maximum((size[:, None] + size[index[:, 1:]]) / 2 - distance[:, 1:], 0)
    return middles + 0.3 * (away / (distance[:, 1:, None] + 0.1) * overlap[..., None]).sum(axis=1)


def rising_cells(x, y, foam):
    """The foam of cells at points before the last tilt."""
    tree = cKDTree(foam[:, :2])
    distance, index = tree.query(np.stack([x, y], axis=-1).reshape(-1, 2), k=3)
    size = foam[index, 2]
    # Larger cells claim more room: compare distances less a share of the size (a power-like diagram).
    claim = distance - 0.35 * size
    order = np.argsort(claim, axis=1)[:, :2]
    first, second = (np.take_along_axis(claim, order[:, i : i + 1], 1)[:, 0] for i in range(2))
    own = np.take_along_axis(index, order[:, :1], 1)[:, 0]
    own_distance = np.take_along_axis(distance, order[:, :1], 1)[:, 0]
    chance = np.random.default_rng(len(foam)).random(len(foam))[own]  # a cell's lot, the same at every sample
    fields = (second - first) / 2, own_distance / foam[own, 2], foam[own, 2], chance
    return Web(*(f.reshape(x.shape).astype(np.float32) for f in fields))


def lay_lacing(pigment, gold, web, raster, rng):
    """Lets cells break through the paint; returns colour, gold and relief in sheet units."""
    # Lacing swells and thins along its way.
    lace = 0.7 + 0.045 * web.size * np.clip(1 + 0.6 * raster_noise(raster, 40, rng), 0.2, 2.4)
    wall, shell = (web.wall - lace) / web.size, 0.58 + 0.22 * (web.chance - 0.5) - web.share
    edge = -np.logaddexp(-wall * 14, -shell * 14) / 14 * web.size  # a smooth minimum: round corners
    # Only crowded cells break open; the lone ones stay under the
    alive = ((web.size < 26) & (web.chance > 0.06)).astype(np.float32)
    opened = smoothstep(-0.5, 0.5, edge) * alive
    inside = _cell_colour(web, pigment, np.maximum(edge, 0) / web.size)
    rim = smoothstep(0.86, 0.72, web.share + 0.1 * (web.chance * 5 % 1)) * alive * (1 - opened)
    pigment = mix_colours(pigment, WHITE * (0.9 + 0.1 * np.cos(40 * web.chance))[..., None], 0.93 * rim)
    pigment = mix_colours(pigment, inside, opened)
    relief = 1.3 * rim + 0.5 * opened * np.sqrt(np.maximum(edge, 0))
    return pigment, gold * (1 - np.maximum(opened, rim)), relief


def _cell_colour(web, pigment, depth):
    """Colour inside the cells: a dark ring along the lacing, and in some the paint below shows."""
    lots = np.array([0.36, 0.62, 0.84, 0.91, 0.95, 1.0])
    inside = np.stack([COBALT, AZURE, NAVY, SKY, BLACK, WHITE])[np.searchsorted(lots, web.chance)]
    inside = mix_colours(inside, inside * 0.45, smoothstep(0.16, 0.02, depth))
    see_through = smoothstep(0.16, 0.3, depth) * (web.chance * 7 % 1 > 0.55)
    return mix_colours(inside, mix(pigment, inside, 0.35), see_through)


# ---------------------------------------------------------------------------- gloss


def varnish(pigment, gold, relief, raster, rng):
    """Wet, glossy paint under a window and a lamp."""
    brightness = np.sqrt(pigment @ np.array([0.3, 0.5, 0.2], np.float32))
    # Wet paint levels itself: colours stand a little apart in height, with rounded shoulders.
    lifted = 1.5 * blur(brightness, 1.8, raster) + 6 * blur(brightness, 8, raster)
    flakes = raster_noise(raster, 1.6, rng)
    height = lifted + blur(relief, 0.7, raster) + gold * (0.8 + 0.3 * flakes)
    swell = 10 * raster_noise(raster, 190, rng) + 2.2 * raster_noise(raster, 60, rng)
    normal = relief_normals(height + swell + 0.16 * raster_noise(raster, 9, rng), raster.pitch)
    diffuse = 0.60 + 0.5 * np.maximum(dot(normal, unit((-0.5, -0.62, 0.6))), 0)
    light = pigment * diffuse[..., None]
    metal = highlight(normal, (-0.4, -0.5, 0.9), 12) * (0.8 + 0.5 * flakes)
    light = mix_colours(light, GOLD * (0.3 + 1.7 * np.maximum(metal, 0))[..., None], gold)
    return light + reflections(normal)


def reflections(normal):
    """What a clear varnish mirrors: a window with a crossbar, the pale room, a second lamp."""
    # The direction in which the viewer's ray leaves, from straight above.
    right, down = 2 * normal[2] * normal[0], 2 * normal[2] * normal[1]
    across, upwards = right + 0.34, down + 0.42
    pane = smoothstep(0.17, 0.12, np.abs(across)) * smoothstep(0.2, 0.15, np.abs(upwards))
    bars = smoothstep(0.008, 0.022, np.abs(across)) * smoothstep(0.008, 0.022, np.abs(upwards + 0.02))
    room = 0.04 * smoothstep(0.2, -0.9, down) + 0.09 * highlight(normal, (-0.3, -0.42, 0.86), 110)
    lamp = 0.6 * highlight(normal, (0.55, 0.28, 0.8), 420)
    return (0.34 * pane * bars + room)[..., None] * linear("#fff4e2") + lamp[..., None] * linear("#dfeaff")
