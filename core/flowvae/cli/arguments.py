"""The verbs with their arguments. What a verb does is named here and imported when it is called: help needs none of it."""

import argparse
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


class Parser(argparse.ArgumentParser):
    """Its complaints are told like every other mistake."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, do=f"{self.prog} --help")


def verbs_parser() -> argparse.ArgumentParser:
    """What reads the arguments of `flowvae`."""
    parser = Parser(prog="flowvae", description="True comparisons of neural-audio components.")
    parser.add_argument("--version", action="version", version=f"flowvae {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    _add_browsing(verbs)
    _add_inspection(verbs)
    _add_work(verbs)
    _add_descriptions(verbs)
    _add_plugin_verbs(verbs)
    return parser


def run_parser() -> argparse.ArgumentParser:
    """What reads the arguments of `flowvae-run`."""
    parser = Parser(prog="flowvae-run", description="Checks, plans, runs and reports; again: continues.")
    _add_run_arguments(parser)
    return parser


def _add_browsing(verbs: Any) -> None:
    listing = verbs.add_parser("list", help="kinds and components with their owners")
    listing.add_argument("kind", nargs="?", help="only this kind")
    explain = verbs.add_parser(
        "explain", help="a component, a kind, or a table of a recipe, with all its keys"
    )
    explain.add_argument(
        "name",
        nargs="+",
        action=_Path,
        help="a component (its kind before it where several have it), a kind, or a table such as train",
    )
    doctor = verbs.add_parser("doctor", help="every plugin: its state, its import time, what it offers")
    for verb, act in ((listing, "browse:listing"), (explain, "explain:explain"), (doctor, "browse:doctor")):
        verb.add_argument("--json", action="store_true")
        _add_plugin_options(verb)
        verb.set_defaults(act=act)


class _Path(argparse.Action):
    """Words as one key path: `explain activation snake` asks for what `explain activation.snake` does."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option: Any = None) -> None:
        setattr(namespace, self.dest, ".".join(values))


def _add_inspection(verbs: Any) -> None:
    check = verbs.add_parser("check", help="every fault of a recipe, or what it would run")
    resolve = verbs.add_parser("resolve", help="the complete recipe, every value with its origin")
    diff = verbs.add_parser("diff", help="what two recipes really differ in, after all defaults")
    diff.add_argument("recipe")
    diff.add_argument("other")
    diff.add_argument(
        "--costs", action="store_true", help="weights, multiply-adds, receptive field; loads torch"
    )
    for verb, act in (
        (check, "inspect_recipe:check"),
        (resolve, "inspect_recipe:resolve"),
        (diff, "inspect_recipe:diff"),
    ):
        if verb is not diff:
            verb.add_argument("recipe", help="a TOML file, or the name of a shipped recipe")
            verb.add_argument("--data", metavar="FOLDER", help="as for flowvae-run")
        verb.add_argument("--set", metavar="PATH=VALUE", action="append", default=[], dest="settings")
        verb.add_argument("--json", action="store_true")
        _add_plugin_options(verb)
        verb.set_defaults(act=act)
    suggest = verbs.add_parser(
        "suggest", help="the slots of a recipe that no ablation of its family has compared yet"
    )
    suggest.add_argument("recipe", help="a TOML file, or the name of a shipped recipe")
    suggest.add_argument("--json", action="store_true")
    _add_plugin_options(suggest)
    suggest.set_defaults(act="suggest:suggest")


def _add_work(verbs: Any) -> None:
    run = verbs.add_parser("run", help="check, plan, run and report; again: continue")
    _add_run_arguments(run)
    report = verbs.add_parser("report", help="rebuild the report of a folder")
    report.add_argument("folder", type=Path)
    report.set_defaults(act="work:report")
    data = verbs.add_parser("data", help="what a folder of sounds holds, and what will be refused and why")
    data.add_argument("folder", type=Path)
    data.add_argument("--rate", type=int, default=44100, help="sample rate to convert to")
    data.add_argument("--json", action="store_true")
    data.set_defaults(act="work:data")


def _add_run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", help="a TOML file, or the name of a shipped recipe")
    parser.add_argument("--data", metavar="FOLDER", help="train on the sounds in this folder")
    parser.add_argument("--out", metavar="FOLDER", type=Path, help="where the runs go (default: runs/RECIPE)")
    parser.add_argument("--set", metavar="PATH=VALUE", action="append", default=[], dest="settings")
    _add_plugin_options(parser)
    parser.set_defaults(act="work:run")


def _add_descriptions(verbs: Any) -> None:
    docs = verbs.add_parser("docs", help="reference pages of recipes, kinds and components, in Markdown")
    docs.add_argument(
        "--out", metavar="FOLDER", type=Path, default=Path("reference"), help="default: reference"
    )
    docs.add_argument(
        "--check", action="store_true", help="write nothing; exit with 2 where pages are not current"
    )
    docs.add_argument("--json", action="store_true")
    _add_plugin_options(docs)
    docs.set_defaults(act="docs:docs")
    schema = verbs.add_parser("schema", help="a JSON Schema of recipes, for editors", epilog=EDITORS)
    schema.add_argument("--out", metavar="FILE", type=Path, help="where to write it (default: print it)")
    _add_plugin_options(schema)
    schema.set_defaults(act="schema:schema")
    completion = verbs.add_parser("completion", help="a script that completes these commands", epilog=SHELLS)
    completion.add_argument("shell", choices=["bash", "zsh", "fish"])
    completion.set_defaults(act="completion:completion")


def _add_plugin_verbs(verbs: Any) -> None:
    new = verbs.add_parser("new-plugin", help="write a package with a component of your own")
    new.add_argument("name", help="of the distribution: small letters, digits and hyphens")
    new.add_argument("--kind", required=True, help="the kind of its first component")
    new.add_argument("--in", type=Path, default=Path(), dest="folder", help="where the package goes")
    new.set_defaults(act="new_plugin:new_plugin")
    check = verbs.add_parser("check-plugin", help="run the public checks over a plugin or a component")
    check.add_argument("name", help="a distribution, an entry point, or a component")
    check.add_argument("--json", action="store_true")
    check.set_defaults(act="check_plugin:check_plugin")


def _add_plugin_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--plugins", metavar="NAMES", help="only these distributions, separated by commas")
    group.add_argument("--no-plugins", action="store_true", help="only flowvae's own components")
