"""Pictures and a curve as HTML, each with its description, for pages that change while one looks at them."""

import base64
import io
import math
from html import escape

import numpy as np
from PIL import Image

QUALITY = 88  # of JPEG
WIDTH, HEIGHT, LEFT, BOTTOM = 320, 130, 46, 18  # of a curve, and the room for its numbers


def picture(image, alt, caption="", **data):
    """An image (1, n_H, n_W, 3) as a <figure> as wide as it may be. data: attributes data-... of the <img>."""
    pixels = np.rint(np.asarray(image)[0].clip(0, 1) * 255).astype(np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "JPEG", quality=QUALITY)
    source = base64.b64encode(encoded.getvalue()).decode()
    more = "".join(f' data-{name}="{escape(str(value))}"' for name, value in data.items())
    size = f'width="{pixels.shape[1]}" height="{pixels.shape[0]}" style="width: 100%; height: auto; display: block"'
    below = f'<figcaption style="line-height: 1.5">{escape(caption)}</figcaption>' if caption else ""
    tag = f'<img alt="{escape(alt)}" src="data:image/jpeg;base64,{source}" {size}{more}>'
    return f'<figure style="margin: 0">{tag}{below}</figure>'


def curve(costs, label="J"):
    """(evaluations, J) pairs as a small SVG with a logarithmic J axis; empty for none."""
    points = [(n, math.log10(J)) for n, J in costs if J > 0]
    if len(points) < 2:
        return ""
    (first, _), (last, _) = points[0], points[-1]
    low, high = min(y for _, y in points), max(y for _, y in points)
    width, height = WIDTH - LEFT - 8, HEIGHT - BOTTOM - 10
    across = [LEFT + width * (n - first) / max(1, last - first) for n, _ in points]
    down = [10 + height * (high - y) / max(1e-9, high - low) for _, y in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, down, strict=True))
    texts = [(LEFT - 5, 14, "end", f"{10**high:.3g}"), (LEFT - 5, 10 + height, "end", f"{10**low:.3g}")]
    texts += [(LEFT, HEIGHT - 3, "start", f"{first}"), (WIDTH - 8, HEIGHT - 3, "end", f"{last} evaluations")]
    said = f"{label} falls from {10 ** points[0][1]:.3g} to {10 ** points[-1][1]:.3g} in {last} evaluations"
    return (
        f'<svg role="img" aria-label="{escape(said)}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'style="width: 100%; max-width: 420px; height: auto; font: 11px sans-serif" fill="currentColor">'
        f'<polyline points="{line}" fill="none" stroke="#3f6fb5" stroke-width="2"/>'
        f'<path d="M{LEFT} 8V{10 + height}H{WIDTH - 8}" fill="none" stroke="currentColor" stroke-opacity=".4"/>'
        + "".join(f'<text x="{x}" y="{y}" text-anchor="{anchor}">{t}</text>' for x, y, anchor, t in texts)
        + f'<text x="{WIDTH - 12}" y="22" text-anchor="end">{escape(label)}</text></svg>'
    )


# A slider's handle has no name for a screen reader, and ipywidgets has no means to give it one. What stands in an HTML
# widget may act when it is loaded, though: views appear in any order, so it looks again until all are there.
NAMING = """(function look(image, times) {
    const rows = [...image.closest('.widget-vbox')?.querySelectorAll('.widget-slider') ?? []];
    const handles = rows.map(row => row.querySelector('.noUi-handle, .ui-slider-handle'));
    handles.forEach((handle, i) =>
        handle?.setAttribute('aria-label', rows[i].querySelector('.widget-label').textContent.trim()));
    if (handles.filter(Boolean).length === COUNT || times === 0) image.remove();
    else setTimeout(look, 100, image, times - 1);
})(this, 100)"""
DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def naming_sliders(count):
    """For an HTML widget in a VBox: gives its `count` sliders the accessible names that their labels show."""
    return f'<img alt="" src="{DOT}" onload="{escape(NAMING.replace("COUNT", str(count)))}">'


def sentence(text):
    """A message as HTML."""
    return f'<span role="status">{escape(str(text))}</span>'
