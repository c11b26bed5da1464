"""Tests that pages name, and the tests that there are, both read from their text."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
CASES = ROOT / "docs" / "reliability.md"
_NAMED = re.compile(r"`(test_\w+)`")


def rows(page: Path) -> list[list[str]]:
    """The cells of the tables of a page, without heads and lines."""
    lines = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [
        row for i, row in enumerate(cells) if not set("".join(row)) <= set("- :") and not _is_head(cells, i)
    ]


def _is_head(cells: list[list[str]], i: int) -> bool:
    return i + 1 < len(cells) and set("".join(cells[i + 1])) <= set("- :")


def named_in(text: str) -> list[str]:
    """The tests that a text names."""
    return _NAMED.findall(text)


@cache
def cases_of_tests() -> dict[str, tuple[str, ...]]:
    """By the name of a test: the cases whose rows name it, as case_07."""
    found = defaultdict[str, list[str]](list)
    for row in rows(CASES):
        for name in named_in(row[2]):
            found[name].append(f"case_{int(row[0]):02d}")
    return {name: tuple(cases) for name, cases in found.items()}


@cache
def known_tests() -> frozenset[str]:
    """The name of every test function of the project."""
    files = [*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("plugins/*/tests/test_*.py")]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    return frozenset(
        node.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )
