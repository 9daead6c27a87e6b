#!/usr/bin/env python3
"""Build the notebooks as a static site that needs no network: outputs/site/index.html.

    python tools/make_docs.py

One page per notebook and student copy, made by nbconvert; links between notebooks lead to pages.
"""

import re
from html import escape
from pathlib import Path

import nbformat
from pages import PageExporter, heading_of
from tqdm import tqdm

from nst_support.whole_file import write_whole

PROJECT = Path(__file__).resolve().parent.parent
SITE = PROJECT / "outputs" / "site"

INDEX = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Neural style transfer</title>
<style>body {{ font: 17px/1.6 sans-serif; max-width: 44em; margin: 3em auto; padding: 0 1em; }}
img {{ width: 100%; }}</style></head>
<body><h1>Neural style transfer</h1>
<img src="louvre_poppies.jpg" alt="A glass pyramid before a palace, painted like a field of poppies">
<h2>The lesson</h2><ol>{solved}</ol><h2>Student copies</h2><ol>{copies}</ol></body></html>
"""


def linked(html):
    """Links to notebooks as links to their pages."""
    return re.sub(r'(<a [^>]*href="[^":]+)\.ipynb', r"\1.html", html)


def main():
    notebooks = sorted((PROJECT / "notebooks").glob("0*.ipynb"))
    copies = sorted((PROJECT / "notebooks" / "exercises").glob("0*.ipynb"))
    items = {}
    for path in tqdm(notebooks + copies, unit="page"):
        notebook = nbformat.read(path, as_version=4)
        page = path.relative_to(PROJECT / "notebooks").with_suffix(".html")
        write_whole(SITE / page, linked(PageExporter().from_notebook_node(notebook)[0]).encode())
        items[path] = f'<li><a href="{page.as_posix()}">{escape(heading_of(notebook.cells[0]))}</a></li>'
    write_whole(SITE / "louvre_poppies.jpg", (PROJECT / "images" / "gallery" / "louvre_poppies.jpg").read_bytes())
    index = INDEX.format(solved="".join(map(items.get, notebooks)), copies="".join(map(items.get, copies)))
    write_whole(SITE / "index.html", index.encode())
    print(f"{len(items)} pages, beginning with {SITE / 'index.html'}")


if __name__ == "__main__":
    main()
