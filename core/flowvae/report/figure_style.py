"""What all figures of the page share: size, letters, colours of the paper, and how they get into the page."""

import base64
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import wrap
from typing import Any

from attrs import frozen

INK, MUTED, HAIRLINE = "#1d1f24", "#6a6d75", "#e4e2db"
WIDTH_IN = 9.2
NARROW_IN = 3.8  # in the 342 pixels that a telephone leaves, its letters are 11 pixels high
LETTERS_IN_NARROW = 28  # so many fit beside arms with long names
PATH = re.compile(rb' d="(?:M|L)[^"]*"')
LINE_TO = re.compile(rb" ?\nL ")
DIGITS = re.compile(rb"(\.\d)\d+")
PLACE = re.compile(rb'(?<= [xy]=")(-?\d+\.\d)\d+')
ABOUT = re.compile(rb"\s*<metadata>.*?</metadata>", re.DOTALL)
STYLE = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib: the same picture on every machine
    "font.size": 9.0,
    "axes.titlesize": 9.8,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 15.0,  # room for the name of a phase
    "axes.edgecolor": "#b9b7b0",
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.xmargin": 0.02,
    "grid.color": HAIRLINE,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "none",
    "figure.edgecolor": "none",
    "axes.facecolor": "none",
    "svg.hashsalt": "flowvae",  # the ids inside an SVG are the same each time
    "svg.fonttype": "path",
}


@frozen
class Picture:
    """A figure, the same with its panels below each other for a narrow window, and what it says in words."""

    address: str
    narrow: str
    words: str


def short(name: str, most: int = 24) -> str:
    """A name that has to fit beside a panel."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


@contextmanager
def panels(n_columns: int, height_in: float, n_rows: int = 1) -> Iterator[tuple[Any, list[Any]]]:
    """A figure in the page's style with its panels, from left to right and from top to bottom."""
    from matplotlib import rc_context  # noqa: PLC0415  # slow to import, and only a report needs it
    from matplotlib.figure import Figure  # noqa: PLC0415  # the same
    from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: PLC0415  # the same

    with rc_context({**STYLE}):
        layout = ConstrainedLayoutEngine(wspace=0.07, hspace=0.12)
        figure = Figure(figsize=(WIDTH_IN, height_in), layout=layout)
        # One panel alone takes half of the width: stretched over all of it, a curve looks flatter than it is.
        axes = list(figure.subplots(n_rows, max(2, n_columns), squeeze=False).ravel())
        for axis in axes[n_rows * n_columns :]:
            axis.set_visible(False)
        yield figure, axes[: n_rows * n_columns]


def picture(figure: Any, words: str) -> Picture:
    """A figure as data addresses; the same figure gives the same bytes."""
    from flowvae.report.axis_numbers import number_axes  # noqa: PLC0415  # imports matplotlib

    for axes in figure.axes:
        number_axes(axes)
    wide = _address(figure)
    _stack(figure)
    return Picture(wide, _address(figure), words)


def _stack(figure: Any) -> None:
    """Puts the panels below each other, each as high as it was, in the width of a telephone."""
    shown = [axes for axes in figure.axes if axes.get_visible()]
    height_in = figure.get_figheight() / figure.axes[0].get_subplotspec().get_gridspec().nrows
    grid = figure.add_gridspec(len(shown), 1)
    for axes in [*figure.axes]:
        if axes in shown:
            axes.set_subplotspec(grid[shown.index(axes)])
            axes.tick_params(labelleft=True)
            axes.set_title(_broken(axes.get_title(loc="left")), loc="left")
            axes.set_xlabel(_broken(axes.get_xlabel()))
        else:
            axes.remove()
    figure.set_size_inches(NARROW_IN, height_in * len(shown))


def _broken(words: str) -> str:
    """Several lines instead of one that is too long for the narrow figure, by preference after a comma."""
    if len(words) <= LETTERS_IN_NARROW:
        return words
    start, comma, end = words.rpartition(", ")
    parts = [f"{start},", end] if comma else [words]
    return "\n".join(line for part in parts for line in wrap(part, LETTERS_IN_NARROW))


def _address(figure: Any) -> str:
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415  # slow to import

    file = io.StringIO()
    with warnings.catch_warnings():
        # A name may hold letters that the font lacks. They are drawn as boxes here and stand in full in the tables.
        warnings.filterwarnings("ignore", message="Glyph")
        # Figure.savefig would draw twice, the first time for the layout alone, which a drawing makes anyway.
        FigureCanvasSVG(figure).print_svg(file, metadata={"Date": None, "Creator": None})
    svg = _lean(file.getvalue().encode())
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode('ascii')}"


def _lean(svg: bytes) -> bytes:
    """The same drawing in fewer bytes: places to a tenth of a seventy-second of an inch, of which nobody sees more.

    What stands in units of its own, as the letters and markers that are drawn once and placed often, stays as it is.
    """
    begin = svg.find(b"<g ")
    head, drawing = ABOUT.sub(b"", svg[:begin]), svg[begin:]
    drawing = PLACE.sub(rb"\1", PATH.sub(_short_path, drawing))
    return head + drawing


def _short_path(path: re.Match[bytes]) -> bytes:
    """Lines alone; what bends is a letter or a marker. After a move, numbers are lines without saying it."""
    words = path[0]
    if b"C" in words or b"Q" in words:
        return words
    return DIGITS.sub(rb"\1", LINE_TO.sub(b" ", words).replace(b" \n", b"").replace(b' "', b'"'))
