"""What a component must do, as checks that anyone can run on their own: one module a kind, each with CHECKS.

from flowvae.testing import checks

@pytest.mark.parametrize("check", checks("activation"))
def test_mine(check):
    check(Mine)
"""

import importlib
import importlib.util
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowvae.catalogue import Catalogue

Check = Callable[[Any], None]


def checks(kind: str, catalogue: "Catalogue | None" = None) -> tuple[Check, ...]:
    """The checks of a kind: each takes the factory that a parent would call, and fails with a line of advice.

    With a catalogue, a kind that a plugin has added is asked for the checks that it was registered with.
    """
    of_kind = catalogue.kinds.get(kind) if catalogue else None
    if of_kind is not None and of_kind.checks:
        module_name, _, name = of_kind.checks.partition(":")
        registered: tuple[Check, ...] = getattr(importlib.import_module(module_name), name)
        return registered
    module_name = f"flowvae.testing.{kind}"
    if importlib.util.find_spec(module_name) is None:
        return ()
    # A kind of a plugin may be called as one of the modules here that hold no checks.
    found: tuple[Check, ...] = getattr(importlib.import_module(module_name), "CHECKS", ())
    return found


def checks_in(file: Mapping[str, Any]) -> tuple[Check, ...]:
    """The checks that a file defines, in their order: every function of it that takes `make` alone.

    A name that begins with _ is that of a step on the way.
    """
    own = (f for f in file.values() if inspect.isfunction(f) and f.__module__ == file["__name__"])
    return tuple(f for f in own if f.__name__[0] != "_" and [*inspect.signature(f).parameters] == ["make"])
