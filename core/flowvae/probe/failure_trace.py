"""Who was at work when something went wrong: the innermost component, not the one that holds it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from attrs import Factory, define
from torch import Tensor, nn

from flowvae.building.builder import Builder
from flowvae.building.construct import NOT_ITS_DOING
from flowvae.building.undisturbed import watch
from flowvae.catalogue.interrupts import own_interrupts, said_by
from flowvae.catalogue.plugin import OWN
from flowvae.errors import PluginError
from flowvae.processes.last_words import say
from flowvae.recipe import Part, Recipe


@define
class Trace:
    """What was seen of a pass through a model."""

    at_work: list[tuple[str, Part]] = Factory(list)
    """The components that have begun and not ended, with their paths, the outermost first."""
    first_without_numbers: Part | None = None
    last_changed: tuple[str, Part, str] | None = None
    """The last component of another distribution that returned another shape than it was given, and the two in words."""
    first_odd: tuple[str, Part, str] | None = None
    """The first whose output its contract does not allow."""

    def failed(self, path: str, part: Part, said: str) -> tuple[str, str]:
        """What to say of a component that failed, and where: of the one whose output it failed on, where there is one."""
        culprit = self.first_odd or (self.last_changed if _is_own(part) else None)
        if culprit is None or culprit[1] is part:
            return f"{part.component} failed: {said}", path
        return f"{culprit[1].component} {culprit[2]}, and then {part.component} failed: {said}", culprit[0]


@contextmanager
def traced(build: Builder, recipe: Recipe) -> Iterator[Trace]:
    """Watches the components of a model; PluginError with the one at work where a pass through it fails."""
    trace = Trace()
    watch(build.places, n_calls=1)
    modules = [place for place in build.places if isinstance(place[2], nn.Module)]
    handles = [
        handle
        for path, part, built in modules
        for handle in (
            built.register_forward_pre_hook(_begins(trace, path, part)),
            built.register_forward_hook(_ends(trace, path, part)),
        )
    ]
    try:
        with own_interrupts():
            yield trace
    except NOT_ITS_DOING:
        raise
    except BaseException as error:
        said = said_by(error, 300)
        if "allocate" in said or not trace.at_work:
            raise
        what, where = trace.failed(*trace.at_work[-1], said)
        raise PluginError(what, where=where, do=advice(recipe)) from error
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
        if not _is_own(part):
            say(f"{part.component} at {path}")

    return hook


def _ends(trace: Trace, path: str, part: Part) -> Callable[[nn.Module, Any, Any], None]:
    def hook(_module: nn.Module, inputs: Any, output: Any) -> None:
        trace.at_work.pop()
        if trace.first_without_numbers is None and not _finite(output):
            trace.first_without_numbers = part
        if _is_own(part):
            return
        say("")
        given = next((tensor for tensor in inputs if isinstance(tensor, Tensor)), None)
        if given is not None and isinstance(output, Tensor):
            found = (path, part, f"returned {_told(output)} for {_told(given)}")
            if given.shape != output.shape:
                trace.last_changed = found
            if trace.first_odd is None and _is_odd(part, given, output):
                trace.first_odd = found

    return hook


def _is_own(part: Part) -> bool:
    return part.component.plugin.distribution == OWN


def _is_odd(part: Part, given: Tensor, output: Tensor) -> bool:
    """Whether a contract forbids it: another kind of number always, another shape where its module says so."""
    if given.is_floating_point() and output.is_floating_point() and given.dtype != output.dtype:
        return True
    component = part.component
    return component.catalogue.kinds[component.kind].keeps_shape and given.shape != output.shape


def _told(tensor: Tensor) -> str:
    return f"{list(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"


def _finite(output: Any) -> bool:
    return not isinstance(output, Tensor) or bool(torch.isfinite(output).all())
