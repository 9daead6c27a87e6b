"""Grass painted blade by blade."""

import numpy as np


def roots_on_ground(camera, sink, across):
    """Points (3, n) on the ground that are seen `sink` of the film's height below the horizon and `across` its
    width, both shares, where 0 and 1 lie a little beyond its left and right edge.
    """
    z = camera.eye[1] / (sink * camera.height * camera.scale)
    x = (across - 0.5) * 1.1 * camera.width * camera.scale * z
    return np.stack([x, 0 * x, z]).astype(np.float32)


def paint_blades(camera, film, depth, root, tip, bend, root_colour, tip_colour, thickness):
    """Paint grass blades from far to near, each a curve of film pixels that hides what is behind it.

    root, tip, bend: (3, n) points in metres; colours (3, n) in linear light; thickness in metres.
    """
    distance = camera.project(root)[2]
    order = np.argsort(-distance)
    for part in np.array_split(order, 12):
        column, row, far = camera.project(root[:, part])
        tip_column, tip_row, _ = camera.project(tip[:, part])
        bend_column, bend_row, _ = camera.project(bend[:, part])
        length = np.hypot(tip_column - column, tip_row - row)
        marks = int(np.clip(np.percentile(length, 98) * 1.2, 3, 400))
        along = np.linspace(0, 1, marks, dtype=np.float32)[:, None]
        curve_column = (1 - along) ** 2 * column + 2 * along * (1 - along) * bend_column + along**2 * tip_column
        curve_row = (1 - along) ** 2 * row + 2 * along * (1 - along) * bend_row + along**2 * tip_row
        colours = root_colour[:, None, part] + (tip_colour - root_colour)[:, None, part] * along
        pixels = thickness / (far * camera.scale)
        for side in range(int(np.clip(np.ceil(pixels.max()), 1, 9))):
            broad = pixels * (1 - 0.85 * along) > side
            i, j = np.round(curve_row).astype(int), np.round(curve_column).astype(int) + side
            # Nearest last, so that assignment in this order paints far to near.
            ok = (broad | (side == 0)) & (i >= 0) & (i < camera.height) & (j >= 0) & (j < camera.width)
            ok = ok.T
            spot = (i.T * camera.width + j.T)[ok]
            before = np.broadcast_to(far[:, None], ok.shape)[ok] < depth[spot]
            film[:, spot[before]] = colours.transpose(0, 2, 1)[:, ok][:, before]
