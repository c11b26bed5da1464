"""flowvae: true comparisons of neural-audio components.

Importing it costs nothing: each name loads what it needs when it is first used, and torch comes in with the first tensor.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowvae.api import build, check, components, load, run
    from flowvae.catalogue.hooks import hookimpl
    from flowvae.errors import FlowvaeError, RecipeError

_HOMES = {
    "FlowvaeError": "flowvae.errors",
    "RecipeError": "flowvae.errors",
    "build": "flowvae.api",
    "check": "flowvae.api",
    "components": "flowvae.api",
    "hookimpl": "flowvae.catalogue.hooks",
    "load": "flowvae.api",
    "run": "flowvae.api",
}
__all__ = ["FlowvaeError", "RecipeError", "build", "check", "components", "hookimpl", "load", "run"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"flowvae has no {name}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
