"""What building needs beside flowvae itself. Everything else works in an installation without torch."""

import importlib.util

from flowvae.errors import MachineError

HEAVY = ("torch", "torchaudio", "tensorboard")
"""What `pip install --no-deps` may have left out where recipes are only looked at."""


def require_torch(what: str) -> None:
    """MachineError where torch, or what comes with it, is absent: asked before anything is written or imported."""
    missing = [name for name in HEAVY if importlib.util.find_spec(name) is None]
    if missing:
        raise MachineError(
            f"{what} needs {', '.join(missing)}: not installed here",
            do=f"pip install {' '.join(repr(wanted) for wanted in _wanted(missing))}",
        )


def _wanted(names: list[str]) -> list[str]:
    """The names with the versions that flowvae is made for, as its own metadata have them."""
    # Whoever has torch needs neither, and every command that could need torch asks here first.
    from importlib.metadata import PackageNotFoundError, requires  # noqa: PLC0415

    from packaging.requirements import Requirement  # noqa: PLC0415

    try:
        lines = requires("flowvae") or []
    except PackageNotFoundError:  # run from its sources
        lines = []
    versions = {Requirement(line).name: line for line in lines if ";" not in line}
    return [versions.get(name, name) for name in names]
