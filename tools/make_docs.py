#!/usr/bin/env python3
"""Build the notebooks as a static site that needs no network: outputs/site/index.html.

    python tools/make_docs.py

A first page, and one page per notebook and student copy, made by nbconvert; links between notebooks lead to pages.
"""

import base64
import re
from html import escape
from pathlib import Path

import nbformat
from pages import PageExporter, heading_of
from predictions import mark_answers
from tqdm import tqdm

from nst_support.whole_file import write_whole

PROJECT = Path(__file__).resolve().parent.parent
SITE = PROJECT / "outputs" / "site"
GALLERY = PROJECT / "images" / "gallery"
CONTENTS = {
    "louvre": "a glass pyramid before a palace",
    "persepolis": "a ruined terrace",
    "pasargadae": "a stepped stone tomb",
    "turbulence": "a turbulent flow",
}
LESSONS = {  # what each is about, and which of its figures shows it
    "01": ("The network as an instrument, both costs, the gradient, the training: all written by you.", -1),
    "02": ("A picture rebuilt from what one layer has seen, and a texture from statistics alone.", 5),
    "03": ("Predict, then run: layers, weights, start image, optimiser, size.", -1),
    "04": ("Your own pictures, in a lab that follows every slider.", 1),
}

INDEX = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Neural style transfer</title><link rel="stylesheet" href="site.css"></head>
<body><main>
<h1>Neural style transfer</h1>
<p>A photograph's content in a painting's style. No brush touches the picture: it is a copy of the photograph whose \
pixels are nudged until a network that learnt to see finds the photograph's things in it and the painting's strokes. \
Here you write it yourself, in four notebooks, on an ordinary computer.</p>
<div class="gallery">{gallery}</div>
<h2>The lessons</h2><ul class="lessons">{lessons}</ul>
<h2>Student copies</h2>
<p>The same lessons with functions left for you to write, each checked as you go.</p><ul class="copies">{copies}</ul>
<h2>Run it</h2>
<p>Python 3.11 to 3.13 and <code>make</code>; no GPU, and after the set-up no network. In the project's folder:</p>
<pre>make run    # a stylised picture in one to two minutes
make lab    # the lessons, in JupyterLab</pre>
<p>With pictures of your own:</p>
<pre>.venv/bin/nst photo.jpg painting.jpg</pre>
<p class="quiet">Code and gallery are under the MIT licence. The method is that of Gatys, Ecker and Bethge, 2015.</p>
</main></body></html>
"""
FIGURE = """<figure><a href="{file}"><img src="{file}" alt="{alt}" loading="lazy"></a>\
<figcaption>{caption}</figcaption></figure>"""
LESSON = """<li><img src="{file}" alt="{alt}" loading="lazy"><p><a href="{page}">{heading}</a><br>{text}</p></li>"""


def linked(html):
    """Links to notebooks as links to their pages."""
    return re.sub(r'(<a [^>]*href="[^":]+)\.ipynb', r"\1.html", html)


def gallery():
    """The gallery as HTML, its pictures copied."""
    figures = []
    for path in sorted(GALLERY.glob("*.jpg")):
        content, _, style = path.stem.partition("_")
        if content not in CONTENTS:
            continue  # a strip of several pictures
        write_whole(SITE / "gallery" / path.name, path.read_bytes())
        caption = f"{CONTENTS[content].capitalize()}, after {style.replace('_', ' ')}"
        figures.append(FIGURE.format(file=f"gallery/{path.name}", alt=escape(caption), caption=escape(caption)))
    return "".join(figures)


def lesson(path, notebook, page):
    """A lesson as HTML, with one of its figures."""
    text, which = LESSONS[path.name[:2]]
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [output for output in outputs if "image/jpeg" in output.get("data", {})][which]
    file = f"lessons/{path.stem}.jpg"
    write_whole(SITE / file, base64.b64decode(shown.data["image/jpeg"]))
    alt = escape(shown.metadata["image/jpeg"]["alt"])
    heading = escape(heading_of(notebook.cells[0]))
    return LESSON.format(file=file, alt=alt, page=page, heading=heading, text=escape(text))


def main():
    notebooks = sorted((PROJECT / "notebooks").glob("0*.ipynb"))
    copies = sorted((PROJECT / "notebooks" / "exercises").glob("0*.ipynb"))
    items = {}
    for path in tqdm(notebooks + copies, unit="page"):
        notebook = nbformat.read(path, as_version=4)
        if path in notebooks:  # in a copy they are folded already
            mark_answers(notebook)
        page = path.relative_to(PROJECT / "notebooks").with_suffix(".html")
        write_whole(SITE / page, linked(PageExporter().from_notebook_node(notebook)[0]).encode())
        name = page.as_posix()
        items[path] = f'<li><a href="{name}">{escape(heading_of(notebook.cells[0]))}</a></li>'
        if path in notebooks:
            items[path] = lesson(path, notebook, name)
    parts = {"lessons": "".join(map(items.get, notebooks)), "copies": "".join(map(items.get, copies))}
    write_whole(SITE / "site.css", (PROJECT / "tools" / "site.css").read_bytes())
    write_whole(SITE / "index.html", INDEX.format(gallery=gallery(), **parts).encode())
    print(f"{len(items)} pages, beginning with {SITE / 'index.html'}")


if __name__ == "__main__":
    main()
