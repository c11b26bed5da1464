"""The door: what a plugin can say to flowvae."""

from typing import Any, Protocol

import pluggy

hookspec = pluggy.HookspecMarker("flowvae")
hookimpl = pluggy.HookimplMarker("flowvae")

API_VERSION = 1
"""Grows when a hook changes so that an old plugin could no longer be read."""


class RegisterComponent(Protocol):
    """Offers a component: kind, name, and "package.module:Name" (or the object itself).

    `given` names the leading arguments that the parent supplies, for a class that was not written for flowvae
    and has no star in its signature.
    """

    def __call__(self, kind: str, name: str, target: str | Any, *, given: tuple[str, ...] = ()) -> None: ...


class RegisterKind(Protocol):
    """Offers a kind: its name, and "package.module:Contract", a Protocol whose `__call__` the parent uses.

    `checks` is "package.module:CHECKS", the checks that `flowvae check-plugin` runs over components of the kind.
    """

    def __call__(self, kind: str, contract: str, *, checks: str = "") -> None: ...


@hookspec
def flowvae_components(register: RegisterComponent) -> None:
    """Offer components: call `register` once for each."""


@hookspec
def flowvae_kinds(register: RegisterKind) -> None:
    """Offer kinds of your own: call `register` once for each."""
