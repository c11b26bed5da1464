"""Calls a component with what its parent gives and what the recipe says."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flowvae.catalogue.guard import guarded
from flowvae.catalogue.interrupts import own_interrupts, said_by
from flowvae.catalogue.plugin import OWN
from flowvae.contracts import Refused
from flowvae.errors import Fault, FlowvaeError, PluginError, RecipeError, Stopped
from flowvae.processes.last_words import saying
from flowvae.recipe.part import Part

NOT_ITS_DOING = (FlowvaeError, MemoryError, TimeoutError, KeyboardInterrupt, Stopped)
"""What may pass through a component without being its fault: a limit of the machine, or a wish to end."""


def construct(part: Part, path: str, given: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    """The component; it takes of the given arguments those that it names.

    RecipeError where the component refuses a value, PluginError where it cannot be called.
    """
    with strangers_work(part, path):
        return _call(part, path, given, values)


@contextmanager
def strangers_work(part: Part, path: str) -> Iterator[None]:
    """Around what a part of another distribution does: it is named if the process ends in it, and shared things are put back."""
    plugin = part.component.plugin
    if plugin.distribution == OWN:
        yield
        return
    with saying(f"{part.component} at {path}"), guarded(plugin.note):
        yield


def _call(part: Part, path: str, given: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    target = part.component.load()
    arguments = {name: given[name] for name in part.component.signature.given}
    try:
        with own_interrupts():
            return target(**arguments, **values)
    except ValueError as error:
        # A component checks the values that it is given; the recipe knows where they were written.
        fault = Fault(str(error), path=_key(error, part, path), component=str(part.component))
        raise RecipeError([fault]) from error
    except NOT_ITS_DOING:
        raise
    except BaseException as error:
        if "allocate" in said_by(error):  # a machine that is too small is not the component's doing
            raise
        what = f"{part.component} could not be built at {path}: {said_by(error, 300)}"
        raise PluginError(what) from error


@contextmanager
def at_work(part: Part, path: str, *, given: str = "") -> Iterator[None]:
    """Blames a part for what goes wrong while it works: RecipeError for a value that it refuses, else PluginError.

    `given` says of what it was given by which keys of the recipe it came: a part does not know them.
    """
    try:
        with strangers_work(part, path), own_interrupts():
            yield
    except Refused as error:
        what = f"{error}; {given}" if given else str(error)
        raise RecipeError(
            [Fault(what, path=_key(error, part, path), component=str(part.component))]
        ) from error
    except NOT_ITS_DOING:
        raise
    except BaseException as error:
        if "allocate" in said_by(error):
            raise
        raise PluginError(f"{part.component} failed: {said_by(error, 300)}", where=path) from error


def _key(error: ValueError, part: Part, path: str) -> str:
    """The key path of the value that was refused; the component's own where the error does not say its key."""
    key = getattr(error, "key", "")
    slot = re.sub(r"\[\d+\]", "", path)  # how often a slot was filled before is no part of a key path
    return f"{slot}.{key}" if key in part.values else slot
