"""The verbs with their arguments. What a verb does is named here and imported when it is called: help needs none of it."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from flowvae import __version__
from flowvae.errors import UsageError

EDITORS = """
Editors that read TOML with taplo (Even Better TOML, helix, neovim ...) take the schema from a comment in the first
line of a recipe: "#:schema ./recipe.schema.json", a path beside the recipe. Make it anew when plugins change.
"""
SHELLS = """
bash and zsh: put eval "$(flowvae completion bash)" or zsh into ~/.bashrc or, after compinit, ~/.zshrc. fish: put
flowvae completion fish | source into ~/.config/fish/config.fish. Names are those of what is installed when the shell
starts.
"""
BLIND = """
The pages play without a network and never hold their key, which stays beside them in listening/key.json. flowvae report FOLDER
--answers FILE takes the answers in, locks them, and says what they show.
"""
STATES = """
It reads records and changes nothing, during a run and after. A run that says that it runs, while no process holds its
folder, is interrupted. Where that cannot be seen (its process is on another machine), a run that has said nothing for
long is silent. The same command continues both.
"""
MERGING = """
Runs that have ended, done or failed, are copied; others are left where they are and told, and the same command runs them in
TARGET. Folders are refused where recipes, sounds, components or, within a seed, versions of torch differ, and where one run is
there twice with other figures. The ledgers are joined. Seeds that were planned once others had finished count as added after
a look. The folders are only read, and TARGET is there whole or not at all.
"""
SEVERAL = """
The page of one ablation goes into its folder. Several ablations or runs are shown on a page of their own, by default
compared-A-B.html in the current folder; no other file is written over. Differences from the first arm of the first folder are
taken where runs are pairs: same seed, sounds, split, random streams and budget. Elsewhere the page says why not.
"""


class Parser(argparse.ArgumentParser):
    """Its complaints are told like every other mistake."""

    def __init__(self, **said: Any) -> None:
        super().__init__(formatter_class=_formatter, **said)

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, do=f"{self.prog} --help")


def _formatter(prog: str) -> argparse.HelpFormatter:
    """As argparse has it; but each argument makes one, and the first asks shutil, which takes 3 ms, how wide a line is."""
    return argparse.HelpFormatter(prog, width=_columns() - 2)


def _columns() -> int:
    with suppress(ValueError):
        if (said := int(os.environ.get("COLUMNS", "0"))) > 0:
            return said
    with suppress(AttributeError, ValueError, OSError):  # no standard output, or no terminal
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    return 80


def verbs_parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """What reads the arguments of `flowvae`: of every verb, or of the one that some words begin with."""
    parser = Parser(prog="flowvae", description="True comparisons of neural-audio components.")
    parser.add_argument("--version", action="version", version=f"flowvae {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, prog="flowvae")
    for name in words[:1] if {*words[:1]} & VERBS.keys() else VERBS:
        summary, add, act = VERBS[name]
        verb = verbs.add_parser(name, help=summary)
        add(verb)
        verb.set_defaults(act=act)
    return parser


def run_parser() -> argparse.ArgumentParser:
    """What reads the arguments of `flowvae-run`."""
    parser = Parser(prog="flowvae-run", description="Checks, plans, runs and reports; again: continues.")
    _run(parser)
    parser.set_defaults(act=VERBS["run"][-1])
    return parser


def _list(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("kind", nargs="?", help="only this kind, or: recipes")
    _json_and_plugins(verb)


def _doctor(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--report", metavar="FILE", type=Path, help="what a report of a fault should hold, without paths"
    )
    _json_and_plugins(verb)


def _explain(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "name",
        nargs="+",
        action=_Path,
        help="a component (its kind before it where several have it), a kind, a table such as train, or a recipe",
    )
    _json_and_plugins(verb)


class _Path(argparse.Action):
    """Words as one key path: `explain activation snake` asks for what `explain activation.snake` does."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option: Any = None) -> None:
        setattr(namespace, self.dest, ".".join(values))


def _check(verb: argparse.ArgumentParser) -> None:
    _recipe(verb)
    verb.add_argument("--data", metavar="FOLDER", help="as for flowvae-run")
    _settings(verb)
    _json_and_plugins(verb)


def _diff(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("recipe")
    verb.add_argument("other")
    verb.add_argument(
        "--costs", action="store_true", help="weights, multiply-adds, receptive field; loads torch"
    )
    _settings(verb)
    _json_and_plugins(verb)


def _suggest(verb: argparse.ArgumentParser) -> None:
    _recipe(verb)
    _json_and_plugins(verb)


def _run(verb: argparse.ArgumentParser) -> None:
    _recipe(verb)
    verb.add_argument("--data", metavar="FOLDER", help="train on the sounds in this folder")
    verb.add_argument("--out", metavar="FOLDER", type=Path, help="where the runs go (default: runs/RECIPE)")
    _settings(verb)
    _plugins(verb)


def _status(verb: argparse.ArgumentParser) -> None:
    verb.epilog = STATES
    verb.add_argument("folder", type=Path, help="of an ablation, or of one of its runs")
    verb.add_argument("--json", action="store_true")


def _report(verb: argparse.ArgumentParser) -> None:
    verb.epilog = SEVERAL
    verb.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="of an ablation, or of a run")
    verb.add_argument("--out", metavar="FILE", type=Path, help="where the page of several folders goes")
    verb.add_argument(
        "--answers",
        metavar="FILE",
        type=Path,
        nargs="+",
        default=[],
        help="of blind tests: they are locked first",
    )


def _listen(verb: argparse.ArgumentParser) -> None:
    verb.epilog = BLIND
    verb.add_argument("folder", type=Path)
    verb.add_argument(
        "--arms", metavar="ARM", nargs="+", default=[], help="only these, each beside each other"
    )
    verb.add_argument(
        "--questions", metavar="N", type=int, default=16, help="how many of each pair of arms (default: 16)"
    )
    verb.add_argument("--seed", metavar="N", type=int, help="draw by it: who knows it knows the key")


def _merge(verb: argparse.ArgumentParser) -> None:
    verb.epilog = MERGING
    verb.add_argument("target", type=Path, metavar="TARGET", help="the new folder")
    verb.add_argument(
        "folders", type=Path, nargs="+", metavar="FOLDER", help="of an ablation, as in runs/NAME"
    )


def _data(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("folder", type=Path)
    verb.add_argument("--rate", type=int, default=44100, help="sample rate to convert to")
    verb.add_argument("--json", action="store_true")


def _docs(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--out", metavar="FOLDER", type=Path, default=Path("reference"), help="default: reference"
    )
    verb.add_argument(
        "--check", action="store_true", help="write nothing; exit with 2 where pages are not current"
    )
    _json_and_plugins(verb)


def _schema(verb: argparse.ArgumentParser) -> None:
    verb.epilog = EDITORS
    verb.add_argument("--out", metavar="FILE", type=Path, help="where to write it (default: print it)")
    _plugins(verb)


def _completion(verb: argparse.ArgumentParser) -> None:
    verb.epilog = SHELLS
    verb.add_argument("shell", choices=["bash", "zsh", "fish"])


def _new_plugin(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", help="of the distribution: small letters, digits and hyphens")
    verb.add_argument("--kind", required=True, help="the kind of its first component")
    verb.add_argument("--in", type=Path, default=Path(), dest="folder", help="where the package goes")


def _check_plugin(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", help="a distribution, an entry point, or a component")
    verb.add_argument("--json", action="store_true")


def _recipe(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("recipe", help="a TOML file, or the name of a shipped recipe")


def _settings(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--set", metavar="PATH=VALUE", action="append", default=[], dest="settings")


def _json_and_plugins(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--json", action="store_true")
    _plugins(verb)


def _plugins(verb: argparse.ArgumentParser) -> None:
    group = verb.add_mutually_exclusive_group()
    group.add_argument("--plugins", metavar="NAMES", help="only these distributions, separated by commas")
    group.add_argument("--no-plugins", action="store_true", help="only flowvae's own components")


VERBS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None], str]] = {
    "list": ("kinds and components with their owners, or the shipped recipes", _list, "browse:listing"),
    "explain": (
        "a component, a kind, a table of a recipe with all its keys, or a recipe",
        _explain,
        "explain:explain",
    ),
    "doctor": (
        "every plugin: its state, its import time, what it offers",
        _doctor,
        "browse:doctor",
    ),
    "check": ("every fault of a recipe, or what it would run", _check, "inspect_recipe:check"),
    "resolve": ("the complete recipe, every value with its origin", _check, "inspect_recipe:resolve"),
    "diff": ("what two recipes really differ in, after all defaults", _diff, "inspect_recipe:diff"),
    "suggest": (
        "the slots of a recipe that no ablation of its family has compared yet",
        _suggest,
        "suggest:suggest",
    ),
    "run": ("check, plan, run and report; again: continue", _run, "work:run"),
    "status": ("how the runs of a folder stand, and what to do", _status, "status:status"),
    "report": ("rebuild the report of a folder, or show several on one page", _report, "work:report"),
    "listen": ("pages of blind tests of a folder: ABX and preference", _listen, "work:listen"),
    "merge": ("folders of one ablation, run on several machines, as one", _merge, "merge:merge"),
    "data": ("what a folder of sounds holds, and what will be refused and why", _data, "work:data"),
    "docs": ("reference pages of recipes, kinds and components, in Markdown", _docs, "docs:docs"),
    "schema": ("a JSON Schema of recipes, for editors", _schema, "schema:schema"),
    "completion": ("a script that completes these commands", _completion, "completion:completion"),
    "new-plugin": ("write a package with a component of your own", _new_plugin, "new_plugin:new_plugin"),
    "check-plugin": (
        "run the public checks over a plugin or a component",
        _check_plugin,
        "check_plugin:check_plugin",
    ),
}
"""Name of a verb to what it is for, what adds its arguments, and what it does: the module and the function in it."""
