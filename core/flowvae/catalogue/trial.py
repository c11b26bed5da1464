"""Loads plugins where they can do no harm: in a process of its own, which says whom it is about to load.

Where that process dies, the plugin that was announced last has killed it, and another process tries the rest.
"""

import json
import subprocess
import sys
from typing import Any

from flowvae.catalogue.catalogue import Catalogue
from flowvae.catalogue.door import Plugin, installed_entries, load_plugin
from flowvae.errors import PluginError

TIMEOUT_S = 60.0
LOADING, VERDICT = "flowvae-loading ", "flowvae-verdict "


def try_plugins() -> list[dict[str, Any]]:
    """How every plugin fares, the deadly ones included."""
    deadly: dict[str, str] = {}
    while True:
        rows, announced, problem = _one_process(list(deadly))
        if rows:
            return rows + [
                _epitaph(plugin, deadly) for plugin, _ in installed_entries() if _key(plugin) in deadly
            ]
        if announced is None or announced in deadly:
            raise PluginError(f"the process that loads plugins {problem}", do="flowvae list --no-plugins")
        deadly[announced] = problem


def _one_process(skip: list[str]) -> tuple[list[dict[str, Any]], str | None, str]:
    """The verdicts; or whom the process was loading when it died, and how it died."""
    command = [sys.executable, "-m", "flowvae.catalogue.trial", *skip]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)  # noqa: S603
        output = done.stdout
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit status {done.returncode}"
        problem = f"was ended by {how}"
    except subprocess.TimeoutExpired as error:
        output, problem = (error.stdout or b"").decode(), f"was not done within {TIMEOUT_S:g} s"
    announced = None
    for line in output.splitlines():  # a plugin may print lines of its own
        if line.startswith(VERDICT):
            verdicts: list[dict[str, Any]] = json.loads(line.removeprefix(VERDICT))
            return verdicts, None, ""
        if line.startswith(LOADING):
            announced = line.removeprefix(LOADING)
    return [], announced, problem


def _key(plugin: Plugin) -> str:
    return f"{plugin.distribution}/{plugin.name}"


def _epitaph(plugin: Plugin, deadly: dict[str, str]) -> dict[str, Any]:
    plugin.fail(f"the process that loaded it {deadly[_key(plugin)]}")
    return _verdict(plugin, Catalogue.of([plugin]))


def main(skip: list[str]) -> None:
    """Loads every plugin that is not to be skipped, and prints what came of it."""
    plugins = []
    for plugin, entry in installed_entries():
        if _key(plugin) not in skip:
            print(LOADING + _key(plugin), flush=True)
            load_plugin(plugin, entry)
            plugins.append(plugin)
    catalogue = Catalogue.of(plugins)
    print("\n" + VERDICT + json.dumps([_verdict(plugin, catalogue) for plugin in plugins]), flush=True)


def _verdict(plugin: Plugin, catalogue: Catalogue) -> dict[str, Any]:
    kinds = [f"kind {kind.name}" for kind in catalogue.kinds.values() if kind.plugin is plugin]
    offered = [c for cs in catalogue.components.values() for c in cs if c.plugin is plugin]
    unreadable = []
    for component in offered:
        try:
            _ = component.signature
        except PluginError as error:
            unreadable.append(error.what)
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "state": plugin.state,
        "problem": plugin.problem,
        "seconds": round(plugin.seconds, 4),
        "offers": kinds + [f"{c.kind} {c.name}" for c in offered],
        "unreadable": unreadable,
        "notes": plugin.notes,
    }


if __name__ == "__main__":
    main(sys.argv[1:])
