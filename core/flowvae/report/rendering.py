"""From a template, styles and scripts to a page that needs no other file."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).parent / "page"
# In the order of a page; what holds on narrow screens and paper comes last, since it takes back what stands before.
WHOLE = ("theme", "masthead", "contents", "text", "tables", "plots", "listen", "map", "facts", "narrow")


def rendered(
    template: str, view: Mapping[str, Any], styles: Sequence[str], scripts: Sequence[str] = ()
) -> str:
    """The page: what a view holds under the names that the template uses, with these styles and scripts inside.

    Errors: jinja2.UndefinedError where the template asks for what the view does not hold.
    """
    inside = {"style": _joined("style", "css", styles), "script": _joined("script", "js", scripts)}
    return _environment().get_template(template).render({**view, **inside})


@cache  # a second page of a process finds its templates compiled
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _joined(folder: str, ending: str, names: Sequence[str]) -> str:
    return "\n".join((HERE / folder / f"{name}.{ending}").read_text(encoding="utf-8") for name in names)
