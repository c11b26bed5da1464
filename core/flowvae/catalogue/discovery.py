"""Discovers plugins: who is installed, whose language they speak, and what each of them offers."""

from collections.abc import Collection
from importlib import metadata

from flowvae.catalogue import hooks
from flowvae.catalogue.isolation import ask_isolated
from flowvae.catalogue.loading import load
from flowvae.catalogue.plugin import GROUP, OWN, Plugin


def discover(only: Collection[str] | None = None) -> list[Plugin]:
    """The plugins that are installed and what they offer, in an order that the path cannot change.

    With `only`, no distribution but these is asked; flowvae's own components always are.
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
    ask_isolated(strangers)
    return plugins


def installed_entries() -> list[tuple[Plugin, metadata.EntryPoint]]:
    """Every entry point of the group with its owner; nothing is imported."""
    # pluggy's own loader skips the second of two entry points of one name and stops at the first that fails.
    found = [
        (Plugin(e.name, *_distribution(e), module_name=e.module), e)
        for e in metadata.entry_points(group=GROUP)
    ]
    return sorted(found, key=lambda pair: (pair[0].distribution, pair[0].name, pair[1].value))


def _distribution(entry: metadata.EntryPoint) -> tuple[str, str]:
    if entry.dist is None:
        return ("unknown", "0")
    # Two lines of its head: reading all of it as a message takes longer than importing the plugin.
    text = entry.dist.read_text("METADATA") or entry.dist.read_text("PKG-INFO") or ""
    head = {
        key: value
        for key, _, value in (line.partition(": ") for line in text.partition("\n\n")[0].splitlines())
    }
    return (head.get("Name", "unknown"), head.get("Version", "0"))


def _speaks(plugin: Plugin, entry: metadata.EntryPoint) -> bool:
    """Whether the plugin is written for this flowvae: told by its metadata, before a line of it runs."""
    spoken = [extra.removeprefix("api") for extra in entry.extras if extra.startswith("api")]
    if not spoken or str(hooks.API_VERSION) in spoken:
        return True
    plugin.fail(f"written for plugin API {' and '.join(spoken)}; flowvae speaks {hooks.API_VERSION}")
    return False
