"""A notebook as one HTML page that is whole without a network: formulas, figures and film inside."""

import copy
from html import escape

from jinja2 import pass_context
from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath


def heading_of(cell):
    """The last heading in a text cell, or None."""
    headings = [line.lstrip("# ") for line in cell.source.splitlines() if line.startswith("#")]
    return headings[-1] if cell.cell_type == "markdown" and headings else None


class FormulasAsMathML(IPythonRenderer):
    """Markdown whose LaTeX becomes MathML, which browsers draw by themselves."""

    def inline_math(self, body):
        return convert(body)

    def block_math(self, body):
        return convert(body, display="block")


class PageExporter(HTMLExporter):
    """nbconvert's page in JupyterLab's look; title, formulas and alt texts are its own.

    The blocks left empty load require.js, MathJax and Mermaid from elsewhere. Source that Jupyter hides
    is folded, and what `mark_answers` has marked.
    """

    raw_template = """
        {%- extends 'lab/index.html.j2' -%}
        {%- block html_head_js -%}{%- endblock -%}
        {%- block html_head_js_mathjax -%}{%- endblock -%}
        {%- block html_head_js_mermaidjs -%}{%- endblock -%}
        {%- block html_head_css -%}
        {%- set dark = "<style media='(prefers-color-scheme: dark)'" -%}
        {{ resources.include_css("static/theme-dark.css") | replace("<style", dark, 1) }}
        <style>
            :root { color-scheme: light dark; }
            math { font-family: "Cambria Math", "STIX Two Math", "Latin Modern Math", "DejaVu Math TeX Gyre", math; }
            .jp-InputArea-editor, .jp-MarkdownOutput { overflow-x: auto; }
            .jp-MarkdownOutput .highlight { margin-bottom: 1em; }
            .fold > summary { padding: .4em 1.4em; cursor: pointer; }
            @media (min-width: 761px) { .fold > summary { padding-left: 7.2em; } }
        </style>{%- endblock -%}
        {%- block input_group -%}
            {%- if cell.metadata.get("jupyter", {}).get("source_hidden") -%}
                <details class="fold"><summary>Set-up</summary>{{ super() }}</details>
            {%- else -%}{{ super() }}{%- endif -%}
        {%- endblock input_group -%}
        {%- block output_group -%}
            {%- if cell.metadata.fold -%}
                <details class="fold"><summary>{{ cell.metadata.fold }}</summary>{{ super() }}</details>
            {%- else -%}{{ super() }}{%- endif -%}
        {%- endblock output_group -%}
        {%- block markdowncell -%}
            {%- if cell.metadata.fold -%}
                <details class="fold"><summary>{{ cell.metadata.fold }}</summary>{{ super() }}</details>
            {%- else -%}{{ super() }}{%- endif -%}
        {%- endblock markdowncell -%}
    """

    @pass_context
    def markdown2html(self, context, source):
        return MarkdownWithMath(FormulasAsMathML(escape=False)).render(source)

    def from_notebook_node(self, nb, resources=None, **settings):
        nb = copy.deepcopy(nb)
        heading = nb.metadata["title"] = heading_of(nb.cells[0])
        for cell in nb.cells:
            heading = heading_of(cell) or heading
            for output in cell.get("outputs", []):
                _describe_image(output, heading)
        return super().from_notebook_node(nb, resources, **settings)


def _describe_image(output, heading):
    """An image as HTML with its alt text, which nbconvert drops; GIFs it does not show at all."""
    for kind in ("image/png", "image/jpeg", "image/gif"):
        if kind in output.get("data", {}):
            alt = output.metadata.get(kind, {}).get("alt", f"Figure in: {heading}")
            source = f"data:{kind};base64,{output.data[kind].strip()}"
            output.data = {"text/html": f'<img alt="{escape(alt)}" src="{source}">'}
