"""The page of several folders: written where it is asked for, and never over a file that is not one of ours."""

from collections.abc import Callable, Sequence
from pathlib import Path

from flowvae.errors import RunFolderError, shown
from flowvae.folder.files import write_bytes
from flowvae.recipe.arm_names import slug
from flowvae.report import number_format
from flowvae.report.pairing import BUDGET
from flowvae.report.rendering import WHOLE, rendered
from flowvae.report.several import Beside, Several, read_several

MARK = "flowvae: several folders"
"""What the head of such a page says: nothing else is written over."""
COSTS = {
    "parameters": "parameters",
    "macs_per_second": "multiply-adds a second",
    "seconds_per_step": "seconds a step",
    "train_seconds": "seconds of training",
}
COUNTED = ("parameters", "macs_per_second")
MOST_NAMES = 4
"""Folders that a page is named after."""


def write_several(folders: Sequence[Path], out: Path | None, say: Callable[[str], None]) -> Path:
    """Writes the page; gives its path, which is by default one in the current folder that is named after the folders.

    The same folders give the same bytes. Errors: UsageError where a folder is none of runs; RunFolderError where another file
    has the name of the page.
    """
    several = read_several(folders)
    page = out or Path(default_name(folders))
    _refuse_foreign(page)
    view = {
        "several": several,
        "title": " · ".join(dict.fromkeys(group.name.partition(":")[0] for group in several.groups)),
        "headline": headline(several),
        "budget": list(BUDGET.values()),
        "costs": COSTS,
        "counted": COUNTED,
        "n": number_format,
        "mark": MARK,
    }
    write_bytes(page, rendered("several.html.j2", view, WHOLE).encode())
    say(headline(several))
    for one in several.beside:
        say(f"  {_said(several, one)}")
    return page


def default_name(folders: Sequence[Path]) -> str:
    """A name for the page of some folders.

    >>> default_name([Path("runs/snake"), Path("runs/elu")])
    'compared-snake-elu.html'
    """
    names = [slug(folder.absolute().name) for folder in folders]
    more = [f"and-{len(names) - MOST_NAMES}-more"] if len(names) > MOST_NAMES else []
    return f"compared-{'-'.join([*names[:MOST_NAMES], *more])}.html"


def headline(several: Several) -> str:
    """How many are pairs of the first."""
    pairs, others = sum(one.paired is not None for one in several.beside), len(several.beside)
    first, metric = several.first.name, several.metrics[0].name
    if not others:
        return f"One group of runs alone: {first}."
    if not pairs:
        return f"None of these is a pair of {first}: figures stand side by side, and no difference is taken."
    rest = "" if pairs == others else f" {number_format.count(others - pairs, 'other')} only beside it."
    return f"{pairs} of {others} can be paired with {first} on {metric}.{rest}"


def _said(several: Several, one: Beside) -> str:
    metric = several.metrics[0]
    if one.paired is None:
        return f"{one.group.name}: no paired difference: {'; '.join(one.reasons)}"
    mean = number_format.with_unit(number_format.signed(one.paired.mean), metric.unit)
    interval = f", 95 % interval {number_format.span(one.paired.interval)}" if one.paired.interval else ""
    pairs = number_format.count(len(one.paired.seeds), "pair")
    lost = f"; {number_format.count(len(one.lost), 'seed')} without a figure on one side" if one.lost else ""
    return f"{one.group.name}: {metric.name} {mean} ({pairs}{interval}){lost}"


def _refuse_foreign(page: Path) -> None:
    if not page.exists():
        return
    head = b""
    if page.is_file():  # a pipe would be waited for
        with page.open("rb") as file:
            head = file.read(2000)
    if MARK.encode() not in head:
        raise RunFolderError(
            f"{shown(page)} is there already, and is no page of several folders",
            do="name another --out FILE.html",
        )
