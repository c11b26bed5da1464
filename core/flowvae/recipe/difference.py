"""What an arm really changes: leaf by leaf, after all defaults are filled in."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flowvae.recipe.content import by_content
from flowvae.recipe.tables import Recipe
from flowvae.text import toml_like


def effective_difference(baseline: Recipe, arm: Recipe) -> list[dict[str, str]]:
    """Every key path whose value differs, as text; a path that only one side has shows as empty on the other."""
    a, b = baseline.leaves(), arm.leaves()
    return [
        {"path": path, "baseline": _said(a, path), "arm": _said(b, path)}
        for path in sorted(a.keys() | b.keys())
        if _differ(path, a, b) and not path.startswith("execution.")
    ]


def undeclared(difference: Iterable[dict[str, str]], declared: Iterable[str]) -> list[str]:
    """Differences outside what the ablation says it varies: the arm changes more than one factor.

    A default of a kind may reach into every slot of that kind; a key below a varied one belongs to it.
    """
    kinds = {path.removeprefix("defaults.") for path in declared if path.startswith("defaults.")}
    prefixes = tuple(path for path in declared if not path.startswith("defaults."))
    flagged = []
    for entry in difference:
        path = entry["path"]
        inside = any(f"{path}.".startswith(f"{p}.") or p.startswith(f"{path}.") for p in prefixes)
        of_kind = any(k in path.split(".") for kind in kinds for k in (kind, f"{kind}s"))
        if not inside and not of_kind:
            flagged.append(f"also changes {path}: {entry['baseline']} -> {entry['arm']}")
    return flagged


def _differ(path: str, a: dict[str, Any], b: dict[str, Any]) -> bool:
    if path.startswith(
        "data."
    ):  # sounds are compared by where they are: reading them all would take too long here
        return bool(a.get(path) != b.get(path))
    # What lies at one place is not read to be compared with itself.
    return bool(a.get(path) != b.get(path) and by_content(a.get(path)) != by_content(b.get(path)))


def _said(leaves: dict[str, Any], path: str) -> str:
    return toml_like(_short(leaves[path])) if path in leaves else ""


def _short(value: Any) -> Any:
    """A path by its name alone: what is written down does not say where on this machine things lie."""
    if isinstance(value, tuple):
        return tuple(_short(v) for v in value)
    return value.name if isinstance(value, Path) else value
