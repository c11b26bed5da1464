"""Discovers plugins: who is installed, whose language they speak, and what each of them offers."""

from collections.abc import Collection

from flowvae.catalogue import hooks
from flowvae.catalogue.entry_points import EntryPoint, entry_points
from flowvae.catalogue.isolation import ask_isolated
from flowvae.catalogue.loading import load
from flowvae.catalogue.plugin import GROUP, OWN, Plugin
from flowvae.catalogue.silent import SilentPlugins


def discover(only: Collection[str] | None = None, *, silent_too: bool = False) -> list[Plugin]:
    """The plugins that are installed and what they offer, in an order that the path cannot change.

    With `only`, no distribution but these is asked; flowvae's own components always are. A plugin that did not answer is not
    asked again before its files change, unless silent ones are wanted too.
    """
    plugins, strangers = [], []
    for plugin, entry in installed_entries():
        if only is not None and plugin.distribution not in {OWN, *only}:
            continue
        plugins.append(plugin)
        if plugin.distribution == OWN:
            load(plugin, entry)
        elif _speaks(plugin, entry):
            strangers.append((plugin, entry))
    ask_isolated(strangers, SilentPlugins.of_this_user(are_asked=silent_too))
    return plugins


def installed_entries() -> list[tuple[Plugin, EntryPoint]]:
    """Every entry point of the group with its owner; nothing is imported."""
    # pluggy's own loader skips the second of two entry points of one name and stops at the first that fails.
    found = [
        (Plugin(e.name, e.distribution, e.version, module_name=e.module), e) for e in entry_points(GROUP)
    ]
    return sorted(found, key=lambda pair: (pair[0].distribution, pair[0].name, pair[1].value))


def _speaks(plugin: Plugin, entry: EntryPoint) -> bool:
    """Whether the plugin is written for this flowvae: told by its metadata, before a line of it runs."""
    spoken = [extra.removeprefix("api") for extra in entry.extras if extra.startswith("api")]
    if not spoken or str(hooks.API_VERSION) in spoken:
        return True
    plugin.fail(f"written for plugin API {' and '.join(spoken)}; flowvae speaks {hooks.API_VERSION}")
    return False
