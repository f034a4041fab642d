"""SVG files as parts of a page: they follow its theme, and their names are their own."""

import re

from markupsafe import Markup, escape

from reports.figures.colours import GRID, INK, PAPER

_THEME = {INK: "--ink", GRID: "--grid", PAPER: "--paper"}


def inline(svg: bytes, name: str, alt: str) -> Markup:
    """An SVG of the house style to be put into HTML.

    Args:
        name: What sets its names apart from those of other figures on the page.
        alt: What a screen reader says instead of it.
    """
    text = svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r"font-family: [^;\"]*;\s*", "", text)
    for colour, variable in _THEME.items():
        text = text.replace(colour, f"var({variable}, {colour})")
    head = f'<svg role="img" aria-label="{escape(alt)}" class="plot"'
    text = re.sub(r'<svg\b([^>]*?) width="[^"]*" height="[^"]*"', rf"{_literal(head)}\1", text, count=1)
    return Markup(text.strip())  # noqa: S704 – drawn by ourselves; what it says was escaped when it was drawn


def _literal(text: str) -> str:
    """The text as a replacement in which nothing is special."""
    return text.replace("\\", r"\\")
