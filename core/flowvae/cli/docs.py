"""The verb docs: reference pages of everything that is installed. It needs no torch."""

import argparse
import json
from pathlib import Path
from typing import Any

from flowvae.cli.plugins_option import add_plugin_options, catalogue_of
from flowvae.errors import MachineError, UsageError, shown
from flowvae.folder.files import write_bytes
from flowvae.reference.pages import INDEX, MARK, reference_pages


def add_verbs(verbs: Any) -> None:
    """Docs."""
    docs = verbs.add_parser("docs", help="reference pages of recipes, kinds and components, in Markdown")
    docs.add_argument(
        "--out", metavar="FOLDER", type=Path, default=Path("reference"), help="default: reference"
    )
    docs.add_argument(
        "--check", action="store_true", help="write nothing; exit with 2 where pages are not current"
    )
    docs.add_argument("--json", action="store_true")
    add_plugin_options(docs)
    docs.set_defaults(act=_docs)


def _docs(options: argparse.Namespace) -> int:
    pages, folder = reference_pages(catalogue_of(options)), options.out
    try:
        there = {file.name: file.read_bytes() for file in folder.glob("*.md")}
        differing = sorted(name for name, text in pages.items() if there.get(name) != text.encode())
        outdated = sorted(n for n, data in there.items() if n not in pages and data.startswith(MARK.encode()))
        if not options.check:
            folder.mkdir(parents=True, exist_ok=True)
            for name in outdated:
                (folder / name).unlink()
    except OSError as error:
        raise MachineError(
            f"{shown(folder)} cannot be used: {error.strerror}", do="choose another --out"
        ) from error
    for name in () if options.check else differing:
        write_bytes(folder / name, pages[name].encode())
    if options.json:
        print(json.dumps({"pages": sorted(pages), "differing": differing, "outdated": outdated}, indent=1))
    elif not options.check:
        print(f"reference: {shown(folder / INDEX)}")
    if options.check and differing + outdated:
        names = ", ".join(differing + outdated)
        raise UsageError(f"not current in {shown(folder)}: {names}", do="the same command without --check")
    return 0
