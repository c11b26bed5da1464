"""Text of docstrings as Markdown that shows it as it was written."""

import re
from collections.abc import Iterable, Sequence

# What Markdown, or GitHub's, would take for emphasis, links, tags, strike-through or formulas. An underscore inside
# a word is safe, and readable as it is.
_SPECIAL = re.compile(r"[\\*<\[\]~$]|(?<!\w)_|_(?!\w)")
_CODE = re.compile(r"(`[^`]+`)")


def prose(text: str) -> str:
    r"""One paragraph of running text; what stands in backticks stays code.

    >>> print(prose("a * b, `x * y`, _hidden and n_fft"))
    a \* b, `x * y`, \_hidden and n_fft
    """
    pieces = _CODE.split(" ".join(text.split()))
    return "".join(p if p.startswith("`") else _SPECIAL.sub(r"\\\g<0>", p) for p in pieces)


def code(text: str) -> str:
    """A code span."""
    return f"`{text}`" if "`" not in text else f"`` {text} ``"


def block(text: str, language: str) -> str:
    """A block of code."""
    fence = "~~~" if "```" in text else "```"
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    # A bar ends a cell, even inside code.
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)
