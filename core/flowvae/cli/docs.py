"""The verb docs: reference pages of everything that is installed. It needs no torch."""

import argparse
import json

from flowvae.cli.plugins_option import catalogue_of
from flowvae.errors import MachineError, UsageError, shown
from flowvae.folder.files import write_bytes
from flowvae.reference.pages import INDEX, MARK, reference_pages


def docs(options: argparse.Namespace) -> int:
    """Writes the pages, or says which are not current."""
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
