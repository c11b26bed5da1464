"""Who was at work when something went wrong: the innermost component, not the one that holds it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from attrs import Factory, define
from torch import Tensor, nn

from flowvae.building.builder import Builder
from flowvae.catalogue.plugin import OWN
from flowvae.errors import FlowvaeError, PluginError
from flowvae.recipe import Part, Recipe


@define
class Trace:
    """What was seen of a pass through a model."""

    at_work: list[tuple[str, Part]] = Factory(list)
    """The components that have begun and not ended, with their paths, the outermost first."""
    first_without_numbers: Part | None = None


@contextmanager
def traced(build: Builder, recipe: Recipe) -> Iterator[Trace]:
    """Watches the components of a model; PluginError with the one at work where a pass through it fails."""
    trace = Trace()
    handles = [
        handle
        for path, part, built in build.places
        if isinstance(built, nn.Module)
        for handle in (
            built.register_forward_pre_hook(_begins(trace, path, part)),
            built.register_forward_hook(_ends(trace, part)),
        )
    ]
    try:
        yield trace
    except (FlowvaeError, MemoryError):
        raise
    except Exception as error:
        if "allocate" in str(error) or not trace.at_work:
            raise
        path, part = trace.at_work[-1]
        said = " ".join(str(error).split())[:300]
        raise PluginError(
            f"{part.component} failed: {type(error).__name__}: {said}", where=path, do=advice(recipe)
        ) from error
    finally:
        for handle in handles:
            handle.remove()


def advice(recipe: Recipe) -> str:
    """The checks of whatever in a recipe is not flowvae's own: it may have handed on what others stumble over."""
    strangers = sorted({part.component.plugin.distribution for part in recipe.parts()} - {OWN})
    return "; ".join(f"flowvae check-plugin {name}" for name in strangers)


def _begins(trace: Trace, path: str, part: Part) -> Callable[[nn.Module, Any], None]:
    def hook(_module: nn.Module, _inputs: Any) -> None:
        trace.at_work.append((path, part))

    return hook


def _ends(trace: Trace, part: Part) -> Callable[[nn.Module, Any, Any], None]:
    def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
        trace.at_work.pop()
        if trace.first_without_numbers is None and not _finite(output):
            trace.first_without_numbers = part

    return hook


def _finite(output: Any) -> bool:
    return not isinstance(output, Tensor) or bool(torch.isfinite(output).all())
