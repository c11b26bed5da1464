"""Calls a component with what its parent gives and what the recipe says."""

import re
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from flowvae.catalogue.guard import guarded
from flowvae.catalogue.plugin import OWN
from flowvae.errors import Fault, PluginError, RecipeError
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
    except TypeError as error:
        raise PluginError(f"{part.component} could not be built at {path}: {error}") from error


def _key(error: ValueError, part: Part, path: str) -> str:
    """The key path of the value that was refused; the component's own where the error does not say its key."""
    key = getattr(error, "key", "")
    slot = re.sub(r"\[\d+\]", "", path)  # how often a slot was filled before is no part of a key path
    return f"{slot}.{key}" if key in part.values else slot
