"""A figure with the words that belong to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from matplotlib.figure import Figure

from reports.figures import style
from reports.figures.style import Format
from reports.results.measures import NotComputable

Draw = Callable[[Figure], None]


@dataclass(frozen=True)
class Plate:
    """One figure of the report.

    Attributes:
        name: Of its files: ``figure-4``.
        title: What it shows.
        caption: Sentences beneath it: how to read it, and its numbers.
        alt: The figure in words, for those who do not see it.
        content: How it is drawn, or why it cannot be.
        height: In inches; its width is :data:`reports.figures.style.WIDTH`.
    """

    name: str
    title: str
    caption: str
    alt: str
    content: Draw | NotComputable
    height: float = style.HEIGHT

    def figure(self) -> Figure:
        """Draw it; with nothing computable, the sentence that says why."""
        with style.styled():
            if isinstance(self.content, NotComputable):
                figure = style.new_figure(1.1)
                style.sentence_instead(figure, self.content.why)
            else:
                figure = style.new_figure(self.height)
                self.content(figure)
        return figure

    def files(self) -> Mapping[Format, bytes]:
        """It as PNG, SVG and PDF."""
        figure = self.figure()
        return {kind: style.encode(figure, kind) for kind in style.FORMATS}

    @property
    def description(self) -> str:
        """The alternative text; why there is no figure where there is none."""
        return self.content.why if isinstance(self.content, NotComputable) else self.alt
