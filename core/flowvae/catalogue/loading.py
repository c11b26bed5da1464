"""Imports a plugin and asks what it offers; what goes wrong is contained and blamed on it."""

import re
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pluggy

from flowvae.catalogue import hooks
from flowvae.catalogue.entry_points import EntryPoint
from flowvae.catalogue.interrupts import own_interrupts, said_by
from flowvae.catalogue.plugin import GROUP, ComponentOffer, KindOffer, Plugin

SLOW_S = 2.0
MOST_OFFERS = 10_000
"""Components of one plugin; all that there are come to a few hundred."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def new_manager() -> pluggy.PluginManager:
    """A plugin manager that knows flowvae's hooks and no plugin."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hooks)
    return manager


def load(plugin: Plugin, entry: EntryPoint) -> None:
    """Imports the module with the hooks."""
    started = time.perf_counter()
    with _contained(plugin):
        plugin.module = entry.load()
    plugin.seconds = time.perf_counter() - started
    if plugin.seconds > SLOW_S:
        plugin.notes.append(
            f"its import took {plugin.seconds:.1f} s: it should import neither torch nor its components"
        )


def ask(plugin: Plugin, manager: pluggy.PluginManager) -> None:
    """Calls the hooks of an imported plugin and keeps what it offers."""
    if plugin.state == "broken":
        return
    kinds: list[KindOffer] = []
    components: list[ComponentOffer] = []

    def register_kind(kind: str, contract: str, *, checks: str = "") -> None:
        kinds.append(KindOffer(kind, contract, checks))

    def register_component(kind: str, name: str, target: Any, *, given: tuple[str, ...] = ()) -> None:
        if len(components) == MOST_OFFERS:
            raise ValueError(f"it offers more than {MOST_OFFERS} components")
        components.append(ComponentOffer(kind, name, target, tuple(given)))

    # One plugin at a time: pluggy checks its signatures and finds misspelt hooks, and its exception cannot take the
    # others' registrations with it.
    with _contained(plugin):
        manager.register(plugin.module, name=plugin.name)
        try:
            manager.check_pending()
            manager.hook.flowvae_kinds(register=register_kind)
            manager.hook.flowvae_components(register=register_component)
        finally:
            manager.unregister(name=plugin.name)
    for offer in components:
        if not (_NAME.fullmatch(str(offer.name)) and isinstance(offer.kind, str)):
            plugin.fail(f"it offers {offer.name!r} for {offer.kind!r}: a name is letters, digits and _")
    if plugin.state == "ready":
        plugin.kinds, plugin.components = tuple(kinds), tuple(components)


@contextmanager
def _contained(plugin: Plugin) -> Iterator[None]:
    try:
        with warnings.catch_warnings(record=True) as caught, own_interrupts():
            warnings.simplefilter("always")
            yield
        plugin.notes += [str(w.message) for w in caught if issubclass(w.category, DeprecationWarning)]
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a plugin may raise anything, sys.exit included
        import traceback  # noqa: PLC0415 - only where something fails

        plugin.fail(said_by(error), traceback.format_exc())
