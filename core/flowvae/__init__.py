"""flowvae: true comparisons of neural-audio components.

Importing it costs nothing: each name loads what it needs when it is first used, and torch comes in with the first tensor.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowvae.api import build, check, components, load, run
    from flowvae.catalogue.hooks import hookimpl

__all__ = ["build", "check", "components", "hookimpl", "load", "run"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"flowvae has no {name}; it has {', '.join(__all__)}")
    home = "flowvae.catalogue.hooks" if name == "hookimpl" else "flowvae.api"
    return getattr(import_module(home), name)
