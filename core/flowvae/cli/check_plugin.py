"""`flowvae check-plugin NAME`: runs the public checks over what a plugin offers."""

import argparse
import json
from collections import Counter

from attrs import asdict

from flowvae.building.installation import require_torch
from flowvae.catalogue import Catalogue, Component, Plugin
from flowvae.cli.strangers_text import on_a_page
from flowvae.errors import PluginError, UsageError


def check_plugin(options: argparse.Namespace) -> int:
    """Runs the public checks and tells each result."""
    catalogue = Catalogue.installed()
    plugins, components = meant(options.name, catalogue)
    require_torch("check-plugin")
    from flowvae.testing.conformance import conformance  # noqa: PLC0415 - torch comes in with it

    results = []
    for result in conformance(plugins, components, catalogue):
        results.append(result)
        if not options.json:
            print(on_a_page(str(result)), flush=True)
    counts = Counter(result.state for result in results)
    if options.json:
        print(json.dumps({"counts": counts, "results": [asdict(r) for r in results]}, indent=1))
    else:
        n = len(components)
        print(
            f"{n} {'component' if n == 1 else 'components'}: {counts['ok']} checks passed, "
            f"{counts['FAILED']} failed, {counts['unchecked']} could not be run"
        )
    return PluginError.exit_status if counts["FAILED"] else 0


def meant(name: str, catalogue: Catalogue) -> tuple[list[Plugin], list[Component]]:
    """What a name stands for: a distribution or an entry point with all its components, or components alone."""
    everything = [c for found in catalogue.components.values() for c in found]
    for field in ("distribution", "name"):
        plugins = [p for p in catalogue.plugins if _plain(getattr(p, field)) == _plain(name)]
        if plugins:
            return plugins, [c for c in everything if c.plugin in plugins]
    found = [c for c in everything if name in {c.name, c.qualified, f"{c.kind}.{c.name}"}]
    if not found:
        names = {p.distribution for p in catalogue.plugins} | {c.name for c in everything}
        near = catalogue.suggest(name, names)
        raise UsageError(
            f'no plugin and no component is called "{name}"',
            do=f"did you mean {' or '.join(near)}?" if near else "flowvae doctor shows every plugin",
        )
    return [], found


def _plain(name: str) -> str:
    # pip takes drum_extras for drum-extras.
    return name.replace("_", "-").lower()
