"""The verbs that do something: run, report, listen, data."""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from flowvae.cli.plugins_option import catalogue_of
from flowvae.errors import UsageError, shown
from flowvae.recipe import read_recipe
from flowvae.recipe.datasets import data_setting


def run(options: argparse.Namespace) -> int:
    """Checks, plans, runs and reports; again: continues."""
    from flowvae.ablation.drive import run_recipe  # noqa: PLC0415 - other verbs start faster without it

    if options.out is not None and options.out == Path():
        raise UsageError("--out names no folder of its own", do="--out FOLDER")
    if options.data is not None and not options.data.strip():
        raise UsageError("--data names no folder", do="--data FOLDER")
    catalogue, settings = catalogue_of(options), [*options.settings]
    if options.data is not None:
        settings.insert(0, data_setting(catalogue, options.data))
    page = run_recipe(read_recipe(options.recipe, tuple(settings)), options.out, _say, catalogue)
    _say(f"report: {shown(page)}")
    return 0


def report(options: argparse.Namespace) -> int:
    """Rebuilds the report of a folder, with the answers of blind tests if there are any, or shows several on one page."""
    first, *others = options.folders
    if not others and options.out is None and not (first / "run.json").is_file():
        page = _report_of(first, options.answers)
    elif options.answers:
        raise UsageError(
            "--answers goes with one folder of an ablation", do="take the answers in folder by folder"
        )
    else:
        from flowvae.report.write_several import write_several  # noqa: PLC0415

        page = write_several(options.folders, options.out, _say)
    _say(f"report: {shown(page)}")
    return 0


def _report_of(folder: Path, answers: Sequence[Path]) -> Path:
    from flowvae.report.blind.sheets import take_in  # noqa: PLC0415
    from flowvae.report.write import write_report  # noqa: PLC0415

    _refuse_other_than_ablations(folder)
    if answers:
        for line in take_in(folder, answers):
            _say(line)
    return write_report(folder, _say)


def listen(options: argparse.Namespace) -> int:
    """Writes the pages of blind tests, and their key beside them."""
    from flowvae.report.blind.pages import write_tests  # noqa: PLC0415

    _refuse_other_than_ablations(options.folder)
    for page in write_tests(options.folder, options.arms, options.questions, options.seed, _say):
        _say(f"page: {shown(page)}")
    return 0


def _refuse_other_than_ablations(folder: Path) -> None:
    if not (folder / "plan.json").is_file():
        raise UsageError(f"{folder} holds no plan.json", do="name the folder of an ablation, as in runs/NAME")


def data(options: argparse.Namespace) -> int:
    """What a folder of sounds holds, and what will be refused and why."""
    if not 1000 <= options.rate <= 768_000:
        raise UsageError(f"--rate {options.rate} is out of range", do="1000 to 768000 samples a second")
    from flowvae.cli.survey import survey  # noqa: PLC0415

    return survey(options.folder, options.rate, as_json=options.json)


def _say(line: str) -> None:
    try:
        print(line, flush=True)
    except (OSError, ValueError):
        # A terminal that has gone away must not end a training, nor fail it at its end with what was not printed.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
