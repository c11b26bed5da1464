"""Opens the door to plugins: each is loaded on its own, and what fails is contained and blamed."""

import time
import traceback
import warnings
from collections.abc import Callable, Collection
from contextlib import nullcontext
from functools import partial
from importlib import metadata
from types import ModuleType
from typing import Any, Literal

import pluggy
from attrs import define, field

from flowvae.catalogue import hooks
from flowvae.catalogue.watch import watched

GROUP = "flowvae"
OWN = "flowvae"
SLOW_S = 2.0


@define(eq=False)
class Plugin:
    """An installed distribution's entry point, and how it fared."""

    name: str
    """The entry point's name."""
    distribution: str
    version: str
    module: ModuleType | Any = None
    state: Literal["ready", "broken"] = "ready"
    problem: str = ""
    """Why it is broken, in one line."""
    trace: str = field(default="", repr=False)
    seconds: float = 0.0
    """The time that its import took."""
    notes: list[str] = field(factory=list)
    """What its authors should know: deprecations, a slow import."""

    @property
    def owner(self) -> str:
        """Who to turn to: distribution and version."""
        return f"{self.distribution} {self.version}"

    def fail(self, problem: str, trace: str = "") -> None:
        """Takes the plugin out of use and keeps the reason."""
        self.state, self.problem, self.trace = "broken", problem, trace


def open_door(only: Collection[str] | None = None) -> list[Plugin]:
    """The plugins that are installed, imported, in an order that the path cannot change.

    With `only`, no distribution but these is imported; flowvae's own components always are.
    """
    plugins = []
    for plugin, entry in installed_entries():
        if only is None or plugin.distribution in {OWN, *only}:
            load_plugin(plugin, entry)
            plugins.append(plugin)
    return plugins


def installed_entries() -> list[tuple[Plugin, metadata.EntryPoint]]:
    """Every entry point of the group with its owner; nothing is imported."""
    # pluggy's own loader skips the second of two entry points of one name and stops at the first that fails.
    found = [(Plugin(e.name, *_distribution(e)), e) for e in metadata.entry_points(group=GROUP)]
    return sorted(found, key=lambda pair: (pair[0].distribution, pair[0].name, pair[1].value))


def load_plugin(plugin: Plugin, entry: metadata.EntryPoint) -> None:
    """Imports one plugin; what fails is contained and kept in its record."""
    spoken = [extra.removeprefix("api") for extra in entry.extras if extra.startswith("api")]
    if spoken and str(hooks.API_VERSION) not in spoken:
        # Told by its metadata, before a line of it runs.
        plugin.fail(f"written for plugin API {' and '.join(spoken)}; flowvae speaks {hooks.API_VERSION}")
        return
    started = time.perf_counter()
    with nullcontext() if plugin.distribution == OWN else watched(plugin.notes.append):
        _contained(plugin, partial(_load, plugin, entry))
    plugin.seconds = time.perf_counter() - started
    if plugin.seconds > SLOW_S:
        plugin.notes.append(
            f"its import took {plugin.seconds:.1f} s: it should import neither torch nor its components"
        )


def new_manager() -> pluggy.PluginManager:
    """A plugin manager that knows flowvae's hooks and no plugin."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hooks)
    return manager


def call_hook(
    manager: pluggy.PluginManager, plugin: Plugin, hook: str, register: Callable[..., None]
) -> None:
    """Calls one hook of one plugin, if it has it; a failure is the plugin's own."""
    if plugin.state != "broken":
        _contained(plugin, partial(_call, manager, plugin, hook, register))


def _distribution(entry: metadata.EntryPoint) -> tuple[str, str]:
    if entry.dist is None:
        return ("unknown", "0")
    return (entry.dist.name, entry.dist.version)


def _load(plugin: Plugin, entry: metadata.EntryPoint) -> None:
    plugin.module = entry.load()


def _call(manager: pluggy.PluginManager, plugin: Plugin, hook: str, register: Callable[..., None]) -> None:
    # One plugin at a time: pluggy checks its signatures and finds misspelt hooks, and its exception cannot take the
    # others' registrations with it.
    manager.register(plugin.module, name=plugin.name)
    try:
        manager.check_pending()
        getattr(manager.hook, hook)(register=register)
    finally:
        manager.unregister(name=plugin.name)


def _contained(plugin: Plugin, action: Callable[[], None]) -> None:
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            action()
        plugin.notes += [str(w.message) for w in caught if issubclass(w.category, DeprecationWarning)]
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a plugin may raise anything, sys.exit included
        cause = " ".join(str(error).split())[:400]
        plugin.fail(f"{type(error).__name__}: {cause}".rstrip(": "), traceback.format_exc())
