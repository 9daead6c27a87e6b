"""A notebook as a page: nothing from elsewhere, formulas as MathML, every image with its alt text."""

import base64
from pathlib import Path

import make_docs
import nbformat
import pytest
from bs4 import BeautifulSoup
from pages import PageExporter
from predictions import mark_answers

PROJECT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("0*.ipynb"))
GIF = base64.b64encode(b"GIF89a").decode()


def page_of(notebook):
    return BeautifulSoup(PageExporter().from_notebook_node(notebook)[0], "html.parser")


@pytest.fixture(scope="module")
def small_page():
    v4 = nbformat.v4
    alt = {"image/gif": {"alt": 'G, "moving"'}}
    outputs = [v4.new_output("display_data", {"image/gif": GIF, "text/plain": "<Image>"}, metadata=alt)]
    outputs.append(v4.new_output("display_data", {"image/jpeg": "/9j/", "text/plain": "<Image>"}))
    text = "# Costs\n\nWhere $a < b_1$ and `$x$`:\n\n$$J = \\frac{1}{2}$$\n"
    return page_of(v4.new_notebook(cells=[v4.new_markdown_cell(text), v4.new_code_cell("J", outputs=outputs)]))


def test_formulas_become_mathml(small_page):
    inline, block = small_page.find_all("math")
    assert inline["display"] == "inline" and inline.get_text() == "a<b1" and inline.find("msub")
    assert block["display"] == "block" and [part.get_text() for part in block.find("mfrac").children] == ["1", "2"]
    assert small_page.find("p").find("code").get_text() == "$x$"


def test_every_image_is_there_with_its_alt_text(small_page):
    film, figure = small_page.find_all("img")
    assert film["src"] == f"data:image/gif;base64,{GIF}" and film["alt"] == 'G, "moving"'
    assert figure["src"] == "data:image/jpeg;base64,/9j/" and figure["alt"] == "Figure in: Costs"
    assert "<Image>" not in small_page.get_text()


def test_the_page_has_a_title_and_a_language(small_page):
    assert small_page.title.get_text() == "Costs" and small_page.html["lang"] == "en"


def test_source_that_jupyter_hides_is_folded_and_no_other():
    v4 = nbformat.v4
    hidden = v4.new_code_cell("set_up()", metadata={"jupyter": {"source_hidden": True}})
    page = page_of(v4.new_notebook(cells=[v4.new_markdown_cell("# T"), hidden, v4.new_code_cell("taught()")]))
    (fold,) = page.find_all("details")
    assert "set_up" in fold.get_text() and "taught" not in fold.get_text() and "taught" in page.get_text()


def test_what_answers_a_prediction_is_folded_on_the_site_and_nothing_else():
    v4 = nbformat.v4
    figure = v4.new_output("display_data", {"image/jpeg": "/9j/"})
    cells = [
        v4.new_markdown_cell("# T\n\n*Predict first*: how large?"),
        v4.new_code_cell("measure()", outputs=[figure]),
        v4.new_markdown_cell("**So**: seven."),
        v4.new_markdown_cell("Then on."),
        v4.new_code_cell("draw()", outputs=[figure]),
    ]
    notebook = v4.new_notebook(cells=cells)
    assert not page_of(notebook).find_all("details")  # as where somebody has just run it
    mark_answers(notebook)
    page = page_of(notebook)
    shown, said = page.find_all("details")
    assert shown.find("img") and "measure" not in shown.get_text() and "prediction" in shown.summary.get_text()
    assert "seven" in said.get_text() and "Then on" not in said.get_text()
    assert len(page.find_all("img")) == 2 and "measure" in page.get_text()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_page_of_a_notebook_needs_no_network(path):
    notebook = nbformat.read(path, as_version=4)
    page = page_of(notebook)
    assert not page.find_all(["script", "link", "iframe"])
    assert all(image["src"].startswith("data:") and image["alt"] for image in page.find_all("img"))
    formulas = page.find_all("math")
    assert formulas and not any("\\" in formula.get_text() for formula in formulas)  # no command left unknown
    text = [cell.get_text() for cell in page.select(".jp-MarkdownCell")]
    assert not any("$" in cell or "\\frac" in cell for cell in text)


def test_the_site_has_a_page_per_notebook_and_its_links_lead_somewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(make_docs, "SITE", tmp_path)
    make_docs.main()
    pages = sorted(tmp_path.rglob("*.html"))
    assert len(pages) == 1 + len(NOTEBOOKS) + len(list((PROJECT / "notebooks" / "exercises").glob("*.ipynb")))
    for page in pages:
        soup = BeautifulSoup(page.read_text("utf-8"), "html.parser")
        targets = [a["href"] for a in soup.find_all("a", href=True)] + [i["src"] for i in soup.find_all("img")]
        here = [t for t in targets if not t.startswith(("#", "data:", "http"))]
        assert [t for t in here if t.endswith(".html") and not (page.parent / t).exists()] == []
        assert not [t for t in here if t.endswith(".ipynb")]


def test_the_first_page_shows_gallery_and_lessons_and_asks_no_other_host(tmp_path, monkeypatch):
    monkeypatch.setattr(make_docs, "SITE", tmp_path)
    make_docs.main()
    page = BeautifulSoup((tmp_path / "index.html").read_text("utf-8"), "html.parser")
    sources = [image["src"] for image in page.find_all("img")] + [link["href"] for link in page.find_all("link")]
    assert all((tmp_path / source).is_file() for source in sources)
    assert all(image["alt"] for image in page.find_all("img")) and not page.find_all("script")
    assert len(page.select(".gallery img")) >= 8 and len(page.select(".lessons img")) == len(NOTEBOOKS) == 4
    assert page.find("meta", attrs={"name": "viewport"})
    style = (tmp_path / "site.css").read_text("utf-8")
    assert "prefers-color-scheme: dark" in style and "url(" not in style and "@import" not in style
