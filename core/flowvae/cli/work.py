"""The verbs that do something: run, report, data."""

import argparse
import contextlib
from pathlib import Path
from typing import Any

from flowvae.cli.plugins_option import add_plugin_options, catalogue_of
from flowvae.errors import UsageError, shown
from flowvae.recipe import read_recipe
from flowvae.recipe.datasets import data_setting


def add_verbs(verbs: Any) -> None:
    """run, report and data."""
    run = verbs.add_parser("run", help="check, plan, run and report; again: continue")
    add_run_arguments(run)
    report = verbs.add_parser("report", help="rebuild the report of a folder")
    report.add_argument("folder", type=Path)
    report.set_defaults(act=_report)
    data = verbs.add_parser("data", help="what a folder of sounds holds, and what will be refused and why")
    data.add_argument("folder", type=Path)
    data.add_argument("--rate", type=int, default=44100, help="sample rate to convert to")
    data.add_argument("--json", action="store_true")
    data.set_defaults(act=_data)


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """What `run` takes."""
    parser.add_argument("recipe", help="a TOML file, or the name of a shipped recipe")
    parser.add_argument("--data", metavar="FOLDER", help="train on the sounds in this folder")
    parser.add_argument("--out", metavar="FOLDER", type=Path, help="where the runs go (default: runs/RECIPE)")
    parser.add_argument("--set", metavar="PATH=VALUE", action="append", default=[], dest="settings")
    add_plugin_options(parser)
    parser.set_defaults(act=_run)


def _run(options: argparse.Namespace) -> int:
    from flowvae.ablation.drive import run_recipe  # noqa: PLC0415 - other verbs start faster without it

    if options.out is not None and options.out == Path():
        raise UsageError("--out names no folder of its own", do="--out FOLDER")
    if options.data is not None and not options.data.strip():
        raise UsageError("--data names no folder", do="--data FOLDER")
    catalogue, settings = catalogue_of(options), [*options.settings]
    if options.data is not None:
        settings.insert(0, data_setting(catalogue, options.data))
    report = run_recipe(read_recipe(options.recipe, tuple(settings)), options.out, _say, catalogue)
    _say(f"report: {shown(report)}")
    return 0


def _report(options: argparse.Namespace) -> int:
    from flowvae.report.write import write_report  # noqa: PLC0415

    if not (options.folder / "plan.json").is_file():
        raise UsageError(
            f"{options.folder} holds no plan.json", do="name the folder of an ablation, as in runs/NAME"
        )
    _say(f"report: {shown(write_report(options.folder, _say))}")
    return 0


def _data(options: argparse.Namespace) -> int:
    if not 1000 <= options.rate <= 768_000:
        raise UsageError(f"--rate {options.rate} is out of range", do="1000 to 768000 samples a second")
    from flowvae.cli.survey import survey  # noqa: PLC0415

    return survey(options.folder, options.rate, as_json=options.json)


def _say(line: str) -> None:
    # A terminal that has gone away must not end a training.
    with contextlib.suppress(OSError, ValueError):
        print(line, flush=True)
