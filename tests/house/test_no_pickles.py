"""Nothing that is read from a file may become code."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [*(ROOT / "core").rglob("*.py"), *(ROOT / "components").rglob("*.py")]
BETWEEN_OWN_COPIES = {"side_by_side.py"}
"""What a copy of a process leaves in memory that only its parent shares."""
OWN_CACHE = {"kept_outlines.py"}
"""marshal knows no class; Python reads its own bytecode with it."""

PROGRAMS = ["codec.py: torch.jit.load"]
"""The one component whose file is a program, and says so."""


def modules_of(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def test_nothing_is_unpickled_from_a_file():
    found, loads = {}, []
    for file in SOURCES:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for module in {*modules_of(tree)} & {"pickle", "marshal", "dill", "cloudpickle", "joblib", "shelve"}:
            found.setdefault(module, set()).add(file.name)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                what = ast.unparse(node.func)
                is_safe = any(
                    k.arg == "allow_pickle" and ast.unparse(k.value) == "False" for k in node.keywords
                )
                if what in {"torch.load", "torch.jit.load"} or (
                    what in {"np.load", "numpy.load"} and not is_safe
                ):
                    loads.append(f"{file.name}: {what}")
    assert found == {"pickle": BETWEEN_OWN_COPIES, "marshal": OWN_CACHE}
    assert loads == PROGRAMS
