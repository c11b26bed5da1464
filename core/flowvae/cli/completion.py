"""The verb completion: what a shell needs to complete verbs, options, kinds, components and recipes. No torch."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from shlex import join
from typing import Any

import shtab

from flowvae.catalogue import Catalogue
from flowvae.cli.arguments import run_parser, verbs_parser
from flowvae.cli.browse import RECIPES
from flowvae.recipe.keys import entries
from flowvae.recipe.shipped import shipped_recipes
from flowvae.recipe.tables import Recipe


def completion(options: argparse.Namespace) -> int:
    """Prints the script."""
    catalogue = Catalogue.installed()
    for parser in (verbs_parser(), run_parser()):
        _complete(parser, catalogue)
        print(shtab.complete(parser, options.shell))
    return 0


def _complete(parser: argparse.ArgumentParser, catalogue: Catalogue) -> None:
    """Says of every argument what may stand there; shtab reads it off the actions."""
    folders, files, recipes = shtab.DIRECTORY, shtab.FILE, _recipes()
    places = {
        "FOLDER": folders,
        "folder": folders,
        "FILE": files,
        "recipe": recipes,
        "other": recipes,
        Path: files,
    }
    kinds, components = sorted(catalogue.kinds), sorted(set(_names(catalogue)))
    offering = sorted({plugin.distribution for plugin in catalogue.plugins})
    # What a name is differs from verb to verb: new-plugin takes one that nobody has.
    explained = [*kinds, *entries(Recipe), *components, *shipped_recipes()]
    names = {"explain": sorted({*explained}), "check-plugin": [*offering, *components]}
    choices = {"kind": [*kinds, RECIPES], "name": names.get(parser.prog.rpartition(" ")[2])}
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to walk over arguments
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for inner in action.choices.values():
                _complete(inner, catalogue)
            continue
        action.choices = choices.get(action.dest, action.choices)
        for said in (action.metavar, action.dest, action.type):
            if said in places:
                action.complete = places[said]  # type: ignore[attr-defined]
                break


def _names(catalogue: Catalogue) -> Iterator[str]:
    """What explain takes: a component, with its kind where the name alone could mean another thing."""
    for kind, name in catalogue.components:
        ambiguous = name in catalogue.kinds or catalogue.elsewhere(kind, name)
        yield f"{kind}.{name}" if ambiguous else name


def _recipes() -> dict[str, Any]:
    """Shipped recipes by name, TOML files, and folders to look for them in."""
    names = join(shipped_recipes())
    # bash adds the slash to folders only where the function's name says that it completes files.
    return {
        "bash": "_flowvae_recipe_files",
        "zsh": "_flowvae_recipe_files",
        "fish": "(_flowvae_recipe_files)",
        "preamble": {
            "bash": f"""
_flowvae_recipe_files() {{
  compgen -W "{names}" -- "$1"
  compgen -f -X '!*.toml' -- "$1"
  compgen -d -- "$1"
}}
""",
            "zsh": f"""
_flowvae_recipe_files() {{
  _alternative 'recipes:shipped recipe:({names})' 'files:recipe file:_files -g "*.toml"'
}}
""",
            "fish": f"""
function _flowvae_recipe_files
  printf '%s\\n' {names}
  __fish_complete_path (commandline -ct) | string match -r '.*(?:/|[.]toml)(?:\\t.*)?$'
end
""",
        },
    }
