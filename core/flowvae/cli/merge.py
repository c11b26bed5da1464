"""The verb merge: folders of one ablation as one."""

import argparse

from flowvae.errors import shown


def merge(options: argparse.Namespace) -> int:
    """Copies their runs into a new folder, with one plan and one page."""
    from flowvae.ablation import merge as merging  # noqa: PLC0415 - the page takes a while to import

    print(f"report: {shown(merging.merge(options.target, options.folders, print))}")
    return 0
