"""Figures for the later notebooks: pictures in a grid, also while they are being made, and numbers in tables."""

import html
import io
import sys

import numpy as np

import nst_utils as nst
from nst_utils import tf

WIDTH, DPI = 12.0, 80  # inches, about a notebook's page; dots per inch, as in nst_utils


# ------------------------------------------------------------------------------------ pictures


def show_grid(pictures, columns=3):
    """Images under their captions, `columns` in a row. pictures: {caption: image}, or pairs of the two."""
    plt = nst._pyplot()
    pairs = list(pictures.items() if isinstance(pictures, dict) else pictures)
    figure = plt.figure(figsize=_size(pairs, len(pairs), columns), layout="constrained")
    _draw_grid(figure, pairs, len(pairs), columns)
    return nst._show(figure, _alt(pairs))


def watch_grid(pairs, count, columns=3):
    """Pass on (caption, image) pairs while showing all so far in one grid that is redrawn.

    In a terminal, a line for each. count: how many there will be.
    """
    if "ipykernel" not in sys.modules:
        for caption, image in pairs:
            print(f"made: {caption}".replace("\n", ", "))
            yield caption, image
        return
    from IPython import display as notebook
    from matplotlib.figure import Figure

    seen, handle = [], None
    for caption, image in pairs:
        seen.append((caption, image))
        figure, page = Figure(figsize=_size(seen, count, columns), layout="constrained"), io.BytesIO()
        _draw_grid(figure, seen, count, columns)
        figure.savefig(page, format="jpeg", dpi=DPI, pil_kwargs=nst.FIGURE_QUALITY)
        shown = notebook.Image(page.getvalue(), alt=_alt(seen))
        if handle is None:
            handle = notebook.display(shown, display_id=True)
        else:
            handle.update(shown)
        yield caption, image


def _alt(pairs):
    return "; ".join(caption.replace("\n", ", ") for caption, _ in pairs)


def _size(pairs, count, columns):
    lines = max(caption.count("\n") + 1 for caption, _ in pairs)
    tallest = max(image.shape[-3] / image.shape[-2] for _, image in pairs)
    return WIDTH, -(-count // columns) * (WIDTH / columns * tallest + 0.24 * lines + 0.1)


def _draw_grid(figure, pairs, count, columns):
    axes = figure.subplots(-(-count // columns), columns, squeeze=False).ravel()
    for axis in axes:
        axis.axis("off")
    for axis, (caption, image) in zip(axes, pairs, strict=False):
        axis.imshow(nst._array(image))
        axis.set_title(caption, fontsize=10)


def heat(values):
    """A map (n_H, n_W) as an image (1, n_H, n_W, 3): black where it is 0 or less, bright at its maximum."""
    from matplotlib import colormaps

    values = np.asarray(values, np.float32)
    colours = colormaps["magma"](np.clip(values / max(values.max(), np.finfo(np.float32).tiny), 0, 1))
    return tf.constant(colours[None, ..., :3], tf.float32)


def window(image, top, left, side):
    """The square of side px of an image (1, n_H, n_W, 3) whose first pixel is at (top, left), which may lie outside.

    Beyond the border it shows ImageNet's mean colour, which is what zero padding amounts to.
    """
    _, n_H, n_W, _ = image.shape
    square = np.tile(nst.BGR_MEAN[::-1] / 255, (1, side, side, 1))
    rows, columns = (slice(max(0, first), min(n, first + side)) for first, n in ((top, n_H), (left, n_W)))
    inside = np.asarray(image)[:, rows, columns]
    down, right = rows.start - top, columns.start - left
    square[:, down : down + inside.shape[1], right : right + inside.shape[2]] = inside
    return tf.constant(square, tf.float32)


# ------------------------------------------------------------------------------------ numbers


class Table:
    """A table of {row: {column: number or text}}, numbers to three digits, that Jupyter shows by itself."""

    def __init__(self, rows):
        self.columns = list(dict.fromkeys(column for row in rows.values() for column in row))
        self.rows = {name: [_text(row.get(column, "")) for column in self.columns] for name, row in rows.items()}

    def __repr__(self):
        lines = [["", *self.columns], *([name, *row] for name, row in self.rows.items())]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        aligned = ([cell.rjust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
        return "\n".join("  ".join(cells) for cells in aligned)

    def _repr_html_(self):
        def line(tag, cells):
            first, *others = (html.escape(cell) for cell in cells)
            style = ' style="text-align: left"'
            return f"<tr><th{style}>{first}</th>{''.join(f'<{tag}>{cell}</{tag}>' for cell in others)}</tr>"

        head = line("th", ["", *self.columns])
        body = "".join(line("td", [name, *row]) for name, row in self.rows.items())
        return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"


def _text(value):
    return value if isinstance(value, str) else f"{float(value):,.3g}" if abs(value) < 1000 else f"{float(value):,.0f}"


def show_matrix(rows, title, xlabel, ylabel):
    """{row: {column: number}} as a heat map with its numbers; dark is large, and the scale is logarithmic."""
    plt = nst._pyplot()
    from matplotlib.colors import LogNorm

    columns = list(next(iter(rows.values())))
    values = np.array([[float(row[column]) for column in columns] for row in rows.values()])
    figure, axis = plt.subplots(figsize=(1.2 * len(columns) + 1.6, 0.42 * len(rows) + 1.1), layout="constrained")
    norm = LogNorm(1e-3, 3, clip=True)
    axis.imshow(values, cmap="YlOrBr", norm=norm, aspect="auto")
    axis.set_xticks(range(len(columns)), columns)
    axis.set_yticks(range(len(rows)), list(rows))
    axis.set(title=title, xlabel=xlabel, ylabel=ylabel)
    for (i, j), value in np.ndenumerate(values):
        text = "< 0.001" if value < 1e-3 else f"{value:.1g}" if value < 0.1 else f"{value:.2f}"
        axis.text(j, i, text, ha="center", va="center", color="white" if norm(value) > 0.6 else "black")
    lines = (f"{name}: {', '.join(f'{value:.2g}' for value in row)}" for name, row in zip(rows, values, strict=True))
    return nst._show(
        figure, f"Matrix, '{title}'. Columns, {xlabel} {', '.join(columns)}. Rows, {ylabel} {'; '.join(lines)}."
    )


def show_curves(curves, title, xlabel, ylabel):
    """Curves {label: (x, y)} on a logarithmic y axis; x may be names."""
    plt = nst._pyplot()
    figure, axis = plt.subplots(figsize=(7, 3.4), layout="constrained")
    for label, (x, y) in curves.items():
        axis.semilogy(x, y, ".-", label=label)
    axis.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_formatter("")
    axis.legend()
    axis.grid(alpha=0.3)
    return nst._show(figure, "Curves: " + ", ".join(line.get_label() for line in axis.lines))
