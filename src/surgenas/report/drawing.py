"""A figure becomes a part of a page, and a page a single file that needs no network."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files
from string import Template

import plotly.graph_objects as go

BUNDLE = "plotly-basic.min.js"
"""The part of plotly.js that draws points, lines and bars: a quarter of what plotly's Python package brings along."""
PAGE = Template(
    """<!doctype html><html lang="en"><meta charset="utf-8"><title>$title</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2937; max-width: 1080px; margin: 2em auto; padding: 0 1em }
h1 { font-size: 26px } table { border-collapse: collapse } div { overflow-x: auto }
td, th { padding: .3em .8em; text-align: left; border-bottom: 1px solid #e5e7eb }
</style><script>$script</script><h1>$title</h1>$body</html>
"""
)


@cache
def drawing_script() -> str:
    """The JavaScript that draws figures."""
    return files("surgenas.report").joinpath(BUNDLE).read_text()


def figure_html(figure: go.Figure, said: str = "") -> str:
    """The figure for a page that has `drawing_script`. said: what it shows, for whoever cannot see it."""
    drawn: str = figure.to_html(
        full_html=False, include_plotlyjs=False, config={"displayModeBar": False, "responsive": True}
    )
    return f'<div role="img" aria-label="{escape(said)}">{drawn}</div>' if said else drawn


def small_page(title: str, figure: go.Figure, body: str = "") -> bytes:
    """A page of one figure, and of HTML below it."""
    drawn = figure_html(figure, title)
    return PAGE.substitute(title=escape(title), script=drawing_script(), body=drawn + body).encode()
