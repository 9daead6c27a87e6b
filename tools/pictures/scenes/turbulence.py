"""Turbulence: a two-dimensional flow in a disc, simulated, then painted by its vorticity."""

import numpy as np
from scipy import fft, ndimage

from pictures.toolkit.blend import mix, smoothstep
from pictures.toolkit.camera import in_chunks, tone_map
from pictures.toolkit.noise import Noise
from pictures.toolkit.raster import block_mean
from pictures.toolkit.relief import highlight
from pictures.toolkit.vectors import dot, unit


class DiscFlow:
    """Two-dimensional incompressible Navier-Stokes in a disc with a no-slip wall.

    Pseudo-spectral vorticity equation on a periodic square of side 2 pi, the wall as a porous solid outside
    the disc (volume penalisation, Angot, Bruneau and Fabrie 1999), Adams-Bashforth in time with the
    viscous term integrated exactly, the upper third of the wavenumbers removed (2/3 rule).
    """

    RADIUS = 2.75  # of a square that reaches from -pi to pi

    def __init__(self, size, seed, viscosity):
        self.size, self.viscosity = size, viscosity
        axis = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 * np.pi - np.pi
        x, y = np.meshgrid(axis, axis)
        self.wall = 1 / (1 + np.exp(np.clip((self.RADIUS - np.hypot(x, y)) * size / 5.0, -60, 60))).astype(np.float32)
        self.kx = np.fft.rfftfreq(size, 1 / size).astype(np.float32)[None]
        self.ky = np.fft.fftfreq(size, 1 / size).astype(np.float32)[:, None]
        square = self.kx**2 + self.ky**2
        self.inverse = np.where(square > 0, 1 / np.maximum(square, 1), 0).astype(np.float32)
        self.keep = ((np.abs(self.kx) < size / 3) & (np.abs(self.ky) < size / 3)).astype(np.float32)
        self.square = square
        self.vorticity = fft.rfft2(self.eddies(x, y, seed)) * self.keep

    def eddies(self, x, y, seed):
        """The start: a jittered lattice of round vortices of either sign, none at the wall."""
        rng = np.random.default_rng(seed)
        field = np.zeros_like(x)
        spots = [(i * 0.46, j * 0.46) for i in range(-5, 6) for j in range(-5, 6)]
        spots = [spot for spot in spots if np.hypot(*spot) < 0.86 * self.RADIUS]
        # As many of either sign, so that neither colour wins.
        signs = rng.permutation(np.arange(len(spots)) % 2 * 2 - 1)
        for (centre_x, centre_y), sign in zip(spots, signs, strict=True):
            jitter_x, jitter_y, strength, radius = rng.normal(0, 0.09, 4)
            away = (x - centre_x - jitter_x) ** 2 + (y - centre_y - jitter_y) ** 2
            field += sign * (1 + 3 * strength) * np.exp(-away / (0.17 + 0.3 * radius) ** 2)
        return (field * 14).astype(np.float32)

    def rate(self, spectrum, drag=None):
        """Rate of change without viscosity, and the wall's drag (chosen from the speed if not given)."""
        stream = spectrum * self.inverse
        u, v = fft.irfft2(1j * self.ky * stream), fft.irfft2(-1j * self.kx * stream)
        if drag is None:
            # Courant number 0.75 at the fastest point; the wall as stiff as that step allows.
            self.velocity = u, v
            self.length = 0.75 * 2 * np.pi / self.size / (np.abs(u) + np.abs(v)).max()
            drag = self.wall * np.float32(0.9 / self.length)
        w_x, w_y = fft.irfft2(1j * self.kx * spectrum), fft.irfft2(1j * self.ky * spectrum)
        carried = fft.rfft2(u * w_x + v * w_y)
        torque = 1j * (self.kx * fft.rfft2(drag * v) - self.ky * fft.rfft2(drag * u))
        return -(carried + torque) * self.keep, drag

    def step(self):
        """One Runge-Kutta step (Shu and Osher 1988); returns its length in time."""
        start = self.vorticity
        change, drag = self.rate(start)
        length = self.length
        decay = np.exp(-self.viscosity * self.square * length)
        half = np.exp(-self.viscosity * self.square * length / 2)
        first = (start + length * change) * decay
        second = 0.75 * start * half + 0.25 * (first + length * self.rate(first, drag)[0]) / half
        self.vorticity = start * decay / 3 + 2 / 3 * (second + length * self.rate(second, drag)[0]) * half
        return length


def render(width, height, seed):
    """Decaying turbulence in a disc, its vorticity in ink blue, ivory and ember, under a raking light."""
    # A larger grid would let finer eddies live, and in the end give another flow.
    size = int(np.clip(height * 0.54, 96, 324)) // 4 * 4
    flow = DiscFlow(size, seed, viscosity=52 / size**1.9)
    until, now, dye_from, trail = 2.5, 0.0, 1.6, []
    while now < until:
        length = flow.step()
        now += length
        if now > dye_from:
            trail.append((length, *flow.velocity))
    return paint_flow(flow, trail, width, height, seed)


def carried_from(x, y, flow, trail, stride=3):
    """Where the fluid that is now at x, y was when the trail of velocities began (walked back in time)."""
    scale = flow.size / (2 * np.pi)
    for end in range(len(trail), 0, -stride):
        steps = trail[max(end - stride, 0) : end]
        _, u, v = steps[len(steps) // 2]
        way = sum(step[0] for step in steps)
        half_x, half_y = x, y
        for share in (0.5, 1.0):
            place = [(half_y + np.pi) * scale - 0.5, (half_x + np.pi) * scale - 0.5]
            half_x = x - share * way * ndimage.map_coordinates(u, place, order=1, mode="grid-wrap")
            half_y = y - share * way * ndimage.map_coordinates(v, place, order=1, mode="grid-wrap")
        x, y = half_x, half_y
    return x, y


def spectral_zoom(spectrum, size, new_size):
    """A periodic field of size x size on a finer grid, exactly, by zero padding its spectrum."""
    half = size // 2
    wide = np.zeros((new_size, new_size // 2 + 1), np.complex64)
    wide[:half, :half] = spectrum[:half, :half]
    wide[-half:, :half] = spectrum[-half:, :half]
    return fft.irfft2(wide) * (new_size / size) ** 2


# Vorticity colours, from strongly clockwise to strongly anticlockwise.
FLOW_COLOURS = (
    np.array(
        [
            (8, 18, 48),
            (18, 52, 112),
            (36, 108, 168),
            (112, 178, 206),
            (240, 234, 216),
            (246, 190, 110),
            (230, 112, 44),
            (168, 40, 32),
            (66, 8, 24),
        ],
        np.float32,
    )
    / 255
)


def flow_colour(value):
    """Colours (h, w, 3) for values in [-1, 1]."""
    place = (np.clip(value, -1, 1) + 1) / 2 * (len(FLOW_COLOURS) - 1)
    stops = np.arange(len(FLOW_COLOURS))
    return np.stack([np.interp(place, stops, FLOW_COLOURS[:, channel]) for channel in range(3)], -1)


def paint_flow(flow, trail, width, height, seed):
    """The disc as thick lit paint on a table of slate."""
    scale = 2
    wide, high = width * scale, height * scale
    fine = int(np.ceil(high * 1.2 / 8)) * 8
    # The highest wavenumbers ring beside sharp filaments, and relief would show it: fade them out.
    spectrum = flow.vorticity * np.exp(-((flow.square / (0.27 * flow.size) ** 2) ** 2))
    vorticity = spectral_zoom(spectrum, flow.size, fine)
    # Film coordinates with the disc's radius as the unit.
    radius = 0.445 * min(high, wide * 0.75)
    y, x = np.mgrid[:high, :wide].astype(np.float32)
    x, y = (x - wide * 0.5) / radius, (y - high * 0.5) / radius
    away = np.hypot(x, y)
    place = [(axis * flow.RADIUS + np.pi) / (2 * np.pi) * fine - 0.5 for axis in (y, x)]
    swirl = ndimage.map_coordinates(vorticity, place, order=1, mode="grid-wrap")
    strong = np.percentile(np.abs(swirl[away < 0.97]), 97)
    source = carried_from(x[::scale, ::scale] * flow.RADIUS, y[::scale, ::scale] * flow.RADIUS, flow, trail)
    dye = Noise(seed + 1).fbm(source[0] * 5, source[1] * 5, 0 * x[::scale, ::scale], 3)
    # Where the flow has drawn the dye out finer than the pixels, its streaks would only sparkle.
    stretch = 5 * np.sqrt(sum(slope**2 for axis in source for slope in np.gradient(axis)))
    dye = ndimage.zoom((dye - 0.5) * smoothstep(1.0, 0.3, stretch), scale, order=1)
    value = np.tanh(1.3 * swirl / strong + 0.9 * dye)
    # Thick paint where the flow spins: the light from the upper left shows its ridges.
    raised = ndimage.gaussian_filter(np.abs(value) * 0.05 - 0.12 * away**6, radius * 0.004)
    colour = lit_relief(flow_colour(value) ** 2.2, raised, radius, 0.22)
    table = slate(x, y, radius, seed)
    # The disc's soft shadow falls to the lower right; a thin ivory rim holds it.
    shadow = smoothstep(0.86, 1.22, np.hypot(x - 0.05, y - 0.07))
    table = table * (0.15 + 0.85 * shadow[..., None])
    rim = np.array([0.75, 0.66, 0.5]) * (0.55 - 0.5 * (x + y) / 1.4)[..., None]
    colour = mix(colour, rim, smoothstep(0.994, 0.998, away)[..., None])
    colour = mix(colour, table, smoothstep(1.008, 1.012, away)[..., None])
    image = tone_map(colour, 0.95)
    return block_mean(image, scale).astype(np.float32)


def lit_relief(colour, raised, pixels, gloss):
    """Colour (h, w, 3) on a surface of that height (unit: `pixels`), lit from the upper left."""
    slope_y, slope_x = np.gradient(raised, 1 / pixels)
    normal, light = unit([-slope_x, -slope_y, np.ones_like(slope_x)]), unit([-0.5, -0.6, 0.62])
    shine = highlight(normal, light, 50)
    return colour * (0.3 + 1.1 * np.clip(dot(normal, light), 0, 1))[..., None] + gloss * shine[..., None]


def slate(x, y, pixels, seed):
    """A dark slate table: layers split off along the grain, lighter towards the light."""
    noise = Noise(seed)
    shape = x.shape
    x, y = x.ravel(), y.ravel()

    def layers(x, y):
        bend = noise.fbm(1.2 * x, 1.2 * y, 0 * x, 3)
        return noise.fbm(1.6 * x + 2 * bend, 6 * y + 2 * bend, 3 * bend, 6)

    height = in_chunks(layers, x, y).reshape(shape)
    steps = np.round(height * 9) / 9
    tone = (0.45 + 0.9 * height)[..., None] * np.array([0.030, 0.038, 0.052], np.float32)
    fall = np.exp(-0.35 * ((x + 1.0) ** 2 + (y + 0.9) ** 2)).reshape(shape)[..., None]
    relief = ndimage.gaussian_filter(mix(height, steps, 0.5), 0.003 * pixels)
    return lit_relief(tone * (0.5 + 1.4 * fall), relief * 0.14, pixels, 0.006)
