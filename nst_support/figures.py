"""Every figure, live view and GIF of the notebooks, drawn so that their pages show the lesson and not the plotting."""

import html
import io
import itertools
import sys
from pathlib import Path

import imageio.v3 as imageio
import numpy as np

from nst_support.layers import BGR_MEAN
from nst_support.startup import tf
from nst_support.whole_file import write_whole

__all__ = ["Table", "heat", "save_gif", "show_costs", "show_curves", "show_feature_maps", "show_gif", "show_grams"]
__all__ += ["show_grid", "show_images", "show_lab", "show_matrix", "show_method", "show_shares", "show_spread"]
__all__ += ["watch", "watch_grid", "window"]

WIDTH, DPI = 12.0, 80  # inches, about a notebook's page; dots per inch
FIGURE_QUALITY = {"quality": 88}


def _pyplot():
    import matplotlib.pyplot as plt  # not needed to compute a picture

    if "ipykernel" in sys.modules:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("jpeg", dpi=DPI, pil_kwargs=FIGURE_QUALITY)  # a quarter of PNG's bytes
    return plt


def _jpeg(figure, alt):
    """A figure for a notebook's page. alt: what it shows, in words."""
    from IPython import display as notebook

    page = io.BytesIO()
    figure.savefig(page, format="jpeg", dpi=DPI, pil_kwargs=FIGURE_QUALITY)
    return notebook.Image(page.getvalue(), alt=alt)


def _show(figure, alt):
    """Show a finished figure, and return it. alt: for those who cannot see it, stored in a notebook."""
    plt = _pyplot()
    if "ipykernel" not in sys.modules:
        plt.show()
        return figure
    from IPython import display as notebook

    notebook.display(_jpeg(figure, alt))
    plt.close(figure)  # or the notebook would show it again
    return figure


def _array(image):
    return np.asarray(image).reshape(image.shape[-3:]).clip(0, 1)


def show_images(images, height=3.0):
    """A strip of images, {title: image}, each under its title."""
    plt = _pyplot()
    widths = [image.shape[-2] / image.shape[-3] for image in images.values()]
    figure, axes = plt.subplots(
        1, len(images), figsize=(height * sum(widths), height), width_ratios=widths, layout="constrained", squeeze=False
    )
    for axis, (title, image) in zip(axes[0], images.items(), strict=True):
        axis.imshow(_array(image))
        axis.set_title(title)
        axis.axis("off")
    return _show(figure, "Side by side: " + "; ".join(images).replace("\n", ", "))


def show_lab(images, costs, text):
    """A still of a live view: images {title: image} side by side, with the curve of J beside them.

    costs: (evaluations, J) pairs. text: the settings, in words.
    """
    plt = _pyplot()
    widths = [image.shape[-2] / image.shape[-3] for image in images.values()]
    height = min(4.5, WIDTH / (sum(widths) + 1.3))
    size = {"figsize": (WIDTH, height + 0.8), "width_ratios": [*widths, 1.2]}
    figure, axes = plt.subplots(1, len(images) + 1, layout="constrained", **size)
    for axis, (title, image) in zip(axes[:-1], images.items(), strict=True):
        axis.imshow(_array(image))
        axis.set_title(title)
        axis.axis("off")
    axes[-1].semilogy(*zip(*costs, strict=True), color="#3f6fb5")
    axes[-1].set(title=f"J, from {costs[0][1]:.3g} to {costs[-1][1]:.3g}", xlabel="evaluations")
    axes[-1].yaxis.set_major_formatter("{x:g}")
    axes[-1].yaxis.set_minor_formatter("")
    axes[-1].grid(alpha=0.3)
    figure.suptitle(text, fontsize=10)
    return _show(figure, f"Side by side: {', '.join(images)}, and the curve of J, which falls. {text}")


def show_feature_maps(a, count=8, title=""):
    """The `count` channels of activations (1, n_H, n_W, n_C) with the largest spread, each to its own scale."""
    plt = _pyplot()
    channels = np.argsort(np.asarray(a)[0].std(axis=(0, 1)))[::-1][:count]
    rows = -(-len(channels) // 4)
    figure, axes = plt.subplots(
        rows, 4, figsize=(10, 10 / 4 * rows * a.shape[1] / a.shape[2] + 0.5), layout="constrained"
    )
    for axis, channel in itertools.zip_longest(axes.flat, channels):
        axis.axis("off")
        if channel is not None:
            axis.imshow(a[0, :, :, channel], cmap="magma")
            axis.set_title(f"channel {channel}", fontsize=9)
    title = title or f"{len(channels)} of {a.shape[-1]} channels"
    figure.suptitle(title)
    return _show(figure, f"Feature maps. {title}")


def show_grams(grams, own_scales=False):
    """Heat maps of Gram matrices, {title: (n_C, n_C)}, on one colour scale, or each divided by its own largest entry.

    Colours go with the square root of an entry, so that the small ones are seen as well.
    """
    from matplotlib.colors import PowerNorm

    plt = _pyplot()
    if own_scales:
        grams = {title: G / tf.reduce_max(G) for title, G in grams.items()}
    top = max(float(tf.reduce_max(G)) for G in grams.values())
    figure, axes = plt.subplots(1, len(grams), figsize=(4 * len(grams), 3.6), layout="constrained", squeeze=False)
    for axis, (title, G) in zip(axes[0], grams.items(), strict=True):
        drawn = axis.imshow(np.reshape(G, G.shape[-2:]), cmap="viridis", norm=PowerNorm(0.5, 0, top))
        axis.set(title=title, xlabel="channel", ylabel="channel")
    figure.colorbar(drawn, ax=axes, label="entries, in units of the largest" if own_scales else "entries")
    return _show(figure, "Gram matrices as heat maps. " + "; ".join(grams))


def show_shares(terms, title="share of J"):
    """A bar per term of J, {name: value}, as its share of their sum."""
    plt = _pyplot()
    values = np.array([float(value) for value in terms.values()])
    shares = 100 * values / values.sum()
    figure, axis = plt.subplots(figsize=(7, 0.42 * len(terms) + 1), layout="constrained")
    bars = axis.barh(list(terms), shares, color="#3f6fb5")
    axis.bar_label(bars, [f"{share:.3g} %" for share in shares], padding=3)
    axis.set(title=title, xlabel="share (%)", xlim=(0, 115))
    axis.invert_yaxis()
    parts = ", ".join(f"{name} {share:.3g} %" for name, share in zip(terms, shares, strict=True))
    return _show(figure, f"Shares, '{title}': {parts}")


def show_costs(runs):
    """J against seconds, a curve per run, {title: records}: all of it, and closer where the curves end."""
    figure, (whole, end) = _pyplot().subplots(1, 2, figsize=(10, 4), width_ratios=(1.5, 1), layout="constrained")
    for axis, name in ((whole, "J"), (end, "J, closer")):
        for title, records in runs.items():
            axis.plot([r.seconds for r in records], [r.J for r in records], ".-", label=title)
        axis.set(xlabel="seconds", ylabel=name)
        axis.grid(alpha=0.3)
    whole.set_yscale("log")
    whole.legend()
    lowest = min(r.J for records in runs.values() for r in records)
    end.set_ylim(0.95 * lowest, 1.5 * lowest)
    return _show(figure, "J against seconds, and closer where the curves end: " + ", ".join(runs))


def _parts(weights):
    """[(label, what it is of a record, colour)] of the curves of a run, J and its parts."""
    alpha, beta = (weights.alpha, weights.beta) if weights else (1, 1)
    names = ("alpha J_content", "beta J_style") if weights else ("J_content", "J_style")
    return [
        ("J", lambda r: r.J, "black"),
        (names[0], lambda r: alpha * r.J_content, "#b5533f"),
        (names[1], lambda r: beta * r.J_style, "#3f6fb5"),
    ]


def _draw_run(figure, records, steps, weights):
    figure.clear()
    picture, curves = figure.subplots(1, 2, width_ratios=(1.25, 1))
    last = records[-1]
    left = last.seconds / last.step * (steps - last.step) if last.step else float("nan")
    remaining = f", about {left:.0f} s left" if left > 0 else ""
    picture.imshow(_array(last.image))
    picture.set_title(f"step {last.step} of {steps}, {last.seconds:.0f} s{remaining}")
    picture.axis("off")
    rounding = 1e-6 * max(r.J for r in records)  # all that there is to the content cost of C itself
    for name, cost_of, colour in _parts(weights):
        costs = [cost if cost > rounding else np.nan for cost in map(cost_of, records)]
        curves.semilogy([r.step for r in records], costs, ".-", color=colour, label=name)
    curves.set(xlabel="step", ylabel="cost", xlim=(0, steps))
    curves.legend()
    curves.grid(alpha=0.3)


def watch(records, steps, weights=None):
    """Pass the records on while showing G and the three costs in one output that is redrawn.

    In a terminal, a progress bar. steps: how many the run will take in all. weights: `CostWeights`, to draw J
    and the two parts that add up to it, alpha J_content and beta J_style.
    """
    if "ipykernel" not in sys.modules:
        yield from _watch_in_terminal(records, steps)
        return
    from IPython import display as notebook
    from matplotlib.figure import Figure

    figure, seen, handle = Figure(figsize=(10, 4), layout="constrained"), [], None
    for record in records:
        seen.append(record)
        _draw_run(figure, seen, steps, weights)
        costs = ", ".join(name for name, *_ in _parts(weights))
        image = _jpeg(figure, f"G after {record.step} steps beside its costs {costs}")
        if handle is None:
            handle = notebook.display(image, display_id=True)
        else:
            handle.update(image)
        yield record


def _watch_in_terminal(records, steps):
    from tqdm import tqdm

    with tqdm(total=steps, unit="step") as bar:
        for record in records:
            bar.update(record.step - bar.n)
            bar.set_postfix(J=f"{record.J:.4g}", J_content=f"{record.J_content:.4g}", J_style=f"{record.J_style:.4g}")
            yield record


def save_gif(images, path, long_side=240, most=24, seconds=4.0):
    """A timelapse of one or more images: at most `most` frames, evenly chosen, the last one held. Returns the path."""
    chosen = [images[i] for i in np.unique(np.linspace(0, len(images) - 1, min(most, len(images))).round().astype(int))]
    factor = min(1.0, long_side / max(chosen[0].shape[1:3]))
    size = [max(1, round(n * factor)) for n in chosen[0].shape[1:3]]
    frames = [np.rint(_array(tf.image.resize(f, size, "area")) * 255).astype(np.uint8) for f in chosen]
    milliseconds = [1000 * seconds / len(frames)] * (len(frames) - 1) + [1500]
    duration = milliseconds if len(frames) > 1 else milliseconds[0]  # a list is for several frames only
    data = imageio.imwrite("<bytes>", frames, extension=".gif", duration=duration, loop=0)
    return write_whole(path, data)


def show_gif(path):
    """An animated GIF inside the notebook's page, so that it is there without the file as well."""
    from IPython import display as notebook

    return notebook.Image(Path(path).read_bytes(), format="gif", alt="G from its start image to the result")


# ------------------------------------------------------------------------------------ the method

BOX = {"boxstyle": "round,pad=0.45", "facecolor": "#eef2f8", "edgecolor": "#3f6fb5"}
CENTRED = {"ha": "center", "va": "center", "fontsize": 14}  # of 7 inches: legible on a phone, too
THERE, BACK = {"arrowstyle": "->", "color": "#555555"}, {"arrowstyle": "->", "color": "#b5533f", "lw": 2.0}


def show_method(C, S, G):
    """The whole method as a drawing: three images through one network to two costs, and back to the pixels of G."""
    size = (7.0, 4.9)
    figure = _pyplot().figure(figsize=size)
    page = figure.add_axes((0, 0, 1, 1))
    page.axis("off")
    for name, image, y in (("C", C, 4.3), ("S", S, 3.15), ("G", G, 2.0)):
        page.imshow(_array(image), extent=(0.4, 1.8, y - 0.5, y + 0.5), aspect="auto")
        page.text(0.2, y, name, CENTRED, weight="bold")
        page.annotate("", (2.14, y), (1.83, y), arrowprops=THERE)
        page.plot([3.26, 3.95], [y, y], color=THERE["color"], linewidth=1)
        page.text(3.6, y + 0.24, f"$a^{{({name})}}$", CENTRED)
    page.text(2.7, 3.15, "\n" * 5 + "VGG-19\n\nfrozen" + "\n" * 5, CENTRED, bbox=BOX)
    page.text(5.75, 4.2, "$J_{content}$, C and G:\nplace by place", CENTRED, bbox=BOX)
    page.text(5.35, 2.9, "$J_{style}$, S and G:\nGram matrices", CENTRED, bbox=BOX)
    page.text(5.75, 1.5, "$J = \\alpha J_{content} + \\beta J_{style}$", CENTRED, bbox=BOX)
    for x, y in ((6.45, 3.72), (5.35, 2.42)):
        page.annotate("", (x, 1.8), (x, y), arrowprops=THERE)
    content, style = (4.85, 4.25), (4.5, 3.0)
    ways = ((4.3, content, 0), (3.15, style, 0), (2.0, (4.5, 2.65), 0.1), (2.0, (4.85, 4.0), 0.25))
    for y, end, bend in ways:
        page.annotate("", end, (3.95, y), arrowprops=THERE | {"connectionstyle": f"arc3,rad={-bend}", "shrinkA": 0})
    page.plot([5.75, 5.75, 1.1], [1.2, 0.25, 0.25], color=BACK["color"], linewidth=BACK["lw"])
    page.annotate("", (1.1, 1.48), (1.1, 0.235), arrowprops=BACK)
    page.text(3.4, 0.75, r"$\partial J / \partial G$: how to change" + "\nevery pixel of G; repeat", CENTRED)
    page.set(xlim=(0, size[0]), ylim=(0, size[1]))
    costs = "the content cost compares C with G, the style cost S with G"
    back = "the gradient of their sum J goes back to the pixels of G"
    return _show(figure, f"The method: C, S and G go through one frozen VGG-19; {costs}; {back}.")


# ------------------------------------------------------------------------------------ pictures in a grid


def show_grid(pictures, columns=None):
    """Images under their captions. pictures: {caption: image}, or pairs of the two. columns: None for what fits."""
    plt = _pyplot()
    pairs = list(pictures.items() if isinstance(pictures, dict) else pictures)
    columns = columns or _columns(len(pairs))
    figure = plt.figure(figsize=_size(pairs, len(pairs), columns), layout="constrained")
    _draw_grid(figure, pairs, len(pairs), columns)
    return _show(figure, _alt(pairs))


def _columns(count):
    return 2 if count in (2, 4) else 3


def watch_grid(pairs, count, columns=None):
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

    seen, handle, columns = [], None, columns or _columns(count)
    for caption, image in pairs:
        seen.append((caption, image))
        figure, page = Figure(figsize=_size(seen, count, columns), layout="constrained"), io.BytesIO()
        _draw_grid(figure, seen, count, columns)
        figure.savefig(page, format="jpeg", dpi=DPI, pil_kwargs=FIGURE_QUALITY)
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
        axis.imshow(_array(image))
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
    square = np.tile(np.float32(BGR_MEAN[::-1]) / 255, (1, side, side, 1))
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
    plt = _pyplot()
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
    return _show(
        figure, f"Matrix, '{title}'. Columns, {xlabel} {', '.join(columns)}. Rows, {ylabel} {'; '.join(lines)}."
    )


def show_spread(rows, title, xlabel, ylabel):
    """{name: {column: [numbers]}} as the median of each list, on a line from its least to its largest number."""
    plt = _pyplot()
    figure, axis = plt.subplots(figsize=(9, 3.6), layout="constrained")
    columns = list(next(iter(rows.values())))
    for k, (name, row) in enumerate(rows.items()):
        values = [np.asarray(row[column]) for column in columns]
        middle = np.array([np.median(v) for v in values])
        reach = np.abs(np.array([[v.min() for v in values], [v.max() for v in values]]) - middle)
        aside = (k - (len(rows) - 1) / 2) * 0.12
        axis.errorbar(np.arange(len(columns)) + aside, middle, reach, fmt="o", capsize=3, label=name)
    axis.set_xticks(range(len(columns)), columns)
    axis.set(title=title, xlabel=xlabel, ylabel=ylabel, ylim=(0, None))
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
    axis.grid(alpha=0.3, axis="y")
    lines = (f"{name} {', '.join(f'{np.median(row[c]):.2g}' for c in columns)}" for name, row in rows.items())
    return _show(figure, f"Spread, '{title}'. Medians at {', '.join(columns)}: {'; '.join(lines)}.")


def show_curves(curves, title, xlabel, ylabel):
    """Curves {label: (x, y)} on a logarithmic y axis; x may be names."""
    plt = _pyplot()
    figure, axis = plt.subplots(figsize=(7, 3.4), layout="constrained")
    for label, (x, y) in curves.items():
        axis.semilogy(x, y, ".-", label=label)
    axis.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_formatter("")
    axis.legend()
    axis.grid(alpha=0.3)
    return _show(figure, "Curves: " + ", ".join(line.get_label() for line in axis.lines))
