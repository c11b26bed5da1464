"""Calls a component with what its parent gives and what the recipe says."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from flowvae.catalogue.guard import guarded
from flowvae.catalogue.plugin import OWN
from flowvae.contracts import Refused
from flowvae.errors import Fault, FlowvaeError, PluginError, RecipeError
from flowvae.recipe.part import Part


def construct(part: Part, path: str, given: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    """The component; it takes of the given arguments those that it names.

    RecipeError where the component refuses a value, PluginError where it cannot be called.
    """
    plugin = part.component.plugin
    with nullcontext() if plugin.distribution == OWN else guarded(plugin.notes.append):
        return _call(part, path, given, values)


def _call(part: Part, path: str, given: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    target = part.component.load()
    arguments = {name: given[name] for name in part.component.signature.given}
    try:
        return target(**arguments, **values)
    except ValueError as error:
        # A component checks the values that it is given; the recipe knows where they were written.
        fault = Fault(str(error), path=_key(error, part, path), component=str(part.component))
        raise RecipeError([fault]) from error
    except (FlowvaeError, MemoryError, TimeoutError):
        raise
    except Exception as error:
        if "allocate" in str(error):  # a machine that is too small is not the component's doing
            raise
        said = " ".join(str(error).split())[:300]
        what = f"{part.component} could not be built at {path}: {type(error).__name__}: {said}"
        raise PluginError(what) from error


@contextmanager
def at_work(part: Part, path: str) -> Iterator[None]:
    """Blames a part for what goes wrong while it works: RecipeError for a value that it refuses, else PluginError."""
    try:
        yield
    except Refused as error:
        raise RecipeError(
            [Fault(str(error), path=_key(error, part, path), component=str(part.component))]
        ) from error
    except (FlowvaeError, MemoryError, TimeoutError):
        raise
    except Exception as error:
        if "allocate" in str(error):
            raise
        said = " ".join(str(error).split())[:300]
        raise PluginError(f"{part.component} failed: {type(error).__name__}: {said}", where=path) from error


def _key(error: ValueError, part: Part, path: str) -> str:
    """The key path of the value that was refused; the component's own where the error does not say its key."""
    key = getattr(error, "key", "")
    slot = re.sub(r"\[\d+\]", "", path)  # how often a slot was filled before is no part of a key path
    return f"{slot}.{key}" if key in part.values else slot
