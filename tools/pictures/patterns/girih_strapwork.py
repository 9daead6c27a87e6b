"""Star-and-polygon geometry by polygons in contact.

A tiling of decagons, pentagons and hexagons is laid out; from the middle of every edge two lines
leave at 72 degrees and run until they meet their neighbours (Hankin 1925; Kaplan, "Islamic star
patterns from polygons in contact", GI 2005). Lines become straps, which pass over and under in
turn; what they enclose becomes faces. Lengths are in tiling edges until `EDGE` makes them sheet units.
"""

from dataclasses import dataclass

import numpy as np

CIRCUMRADIUS = (1 + 5**0.5) / 2  # of a decagon with edge 1
TILT = np.radians(18)  # of a contact line from the normal of its edge
EDGE = 58.4  # half the width of the picture holds one period: stars fall on its axes


def tiling():
    """Corners, shape (n, 2), counterclockwise, of every polygon that can touch the picture."""
    angles = np.radians(36 * np.arange(10))
    decagon = CIRCUMRADIUS * np.column_stack([np.cos(angles), np.sin(angles)])
    cell = [decagon] + [_polygon_on(decagon, k, [72] * 5) for k in (8, 9, 0, 1)]
    cell.append(_polygon_on(decagon, 2, [72, 36, 72, 72, 36, 72]))
    step = 2 * CIRCUMRADIUS + 1
    along = step * np.array([[np.cos(np.pi / 5), -np.sin(np.pi / 5)], [np.cos(np.pi / 5), np.sin(np.pi / 5)]])
    shifts = [i * along[0] + j * along[1] for i in range(-4, 5) for j in range(-4, 5)]
    shifts = [s for s in shifts if abs(s[0]) < 400 / EDGE + 3 and abs(s[1]) < 300 / EDGE + 3]
    return [(polygon + shift) * EDGE for shift in shifts for polygon in cell]


def _polygon_on(polygon, k, turns):
    """The polygon outside edge k of another, with unit edges and turns (degrees) after each edge."""
    start, end = polygon[(k + 1) % len(polygon)], polygon[k]
    heading = np.arctan2(*(end - start)[::-1])
    corners = [start]
    for turn in turns[:-1]:
        corners.append(corners[-1] + (np.cos(heading), np.sin(heading)))
        heading += np.radians(turn)
    return np.array(corners)


@dataclass(frozen=True)
class Strap:
    """A piece of strap, over at its middle point and under at both ends.

    `path`: 5 points. `under`: for both ends the crossing and the direction of the strap above.
    """

    path: np.ndarray
    under: tuple


@dataclass(frozen=True)
class Face:
    """A tile: outline, middle, angle of its axis, and kind, by which it is painted."""

    outline: np.ndarray
    middle: np.ndarray
    axis: float
    kind: str


def strapwork(polygons):
    """Straps and faces of the pattern on these polygons."""
    crossings, corners, faces = {}, {}, []
    for polygon in polygons:
        middles, meets, directions = contact_lines(polygon)
        count = len(polygon)
        for i in range(count):
            nxt = (i + 1) % count
            half = middles[i], meets[i], middles[nxt]
            crossings.setdefault(_key(middles[i]), []).append((half, directions[i]))
            ring = corners.setdefault(_key(polygon[nxt]), [polygon[nxt], [], None])
            ring[1] += [middles[i], meets[i], middles[nxt]]
            if count == 10:
                ring[2] = polygon.mean(axis=0)
        faces.append(_star(polygon, middles, meets))
    faces += [_rosette_petal(*ring) for ring in corners.values() if len(ring[1]) == 9]
    return _weave(crossings), faces


def _key(point):
    return tuple(np.round(point * 8).astype(int))


def contact_lines(polygon):
    """Edge middles, the points where lines from successive edges meet, and the lines' directions."""
    nxt = np.roll(polygon, -1, axis=0)
    along = (nxt - polygon) / np.linalg.norm(nxt - polygon, axis=1)[:, None]
    inward = np.column_stack([-along[:, 1], along[:, 0]])
    middles = (polygon + nxt) / 2
    ahead = inward * np.cos(TILT) + along * np.sin(TILT)
    behind = np.roll(inward * np.cos(TILT) - along * np.sin(TILT), -1, axis=0)
    gap = np.roll(middles, -1, axis=0) - middles
    reach = (gap[:, 0] * behind[:, 1] - gap[:, 1] * behind[:, 0]) / (
        ahead[:, 0] * behind[:, 1] - ahead[:, 1] * behind[:, 0]
    )
    return middles, middles + ahead * reach[:, None], ahead


def _star(polygon, middles, meets):
    """The star in the middle of a polygon."""
    outline = np.stack([middles, meets], axis=1).reshape(-1, 2)
    middle = polygon.mean(axis=0)
    axis = np.arctan2(*(middles[0] - middle)[::-1])
    if len(polygon) == 6:  # its long axis joins the two blunt corners
        lengths = np.linalg.norm(polygon - middle, axis=1)
        axis = np.arctan2(*(polygon[np.argmax(lengths)] - middle)[::-1])
    return Face(outline, middle, axis, {10: "sun", 5: "star", 6: "spindle"}[len(polygon)])


def _rosette_petal(corner, points, sun):
    """The tile around a corner of the tiling: a petal of a rosette, or the small one between."""
    points = np.array(points)
    points = points[np.unique(np.round(points * 8).astype(int), axis=0, return_index=True)[1]]
    angle = np.arctan2(*(points - corner).T[::-1])
    outline = points[np.argsort(angle)]
    if sun is None:
        far = points[np.argmax(np.linalg.norm(points - corner, axis=1))]
        return Face(outline, corner, np.arctan2(*(far - corner)[::-1]), "bud")
    axis = np.arctan2(*(corner - sun)[::-1])
    # Petals on the axis and next to the spindles are dark: symmetric from left to right.
    dark = round(np.degrees(axis) / 36) % 5 in (0, 2, 3)
    return Face(outline, corner, axis, "dark petal" if dark else "petal")


def _weave(crossings):
    """Strap pieces. Leaving an edge towards the next one a line is over, arriving it is under;
    the two halves of a line agree, for half a turn about the crossing maps one to the other."""
    straps = []
    for halves in crossings.values():
        if len(halves) < 2:
            continue
        (first, _), (second, _) = halves
        ends = [_key(half[2]) for half in (first, second)]
        if all(end in crossings for end in ends):
            under = tuple((half[2], crossings[end][0][1]) for half, end in zip((first, second), ends, strict=True))
            straps.append(Strap(np.array([first[2], first[1], first[0], second[1], second[2]]), under))
    return straps
