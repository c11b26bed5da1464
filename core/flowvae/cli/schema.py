"""The verb schema: what an editor needs to complete and check recipes. It needs no torch."""

import argparse
import json

from flowvae.cli.plugins_option import catalogue_of
from flowvae.errors import shown
from flowvae.folder.files import write_bytes
from flowvae.reference.json_schema import recipe_schema


def schema(options: argparse.Namespace) -> int:
    """Writes or prints the schema."""
    text = json.dumps(recipe_schema(catalogue_of(options)), indent=1, ensure_ascii=False) + "\n"
    if options.out is None:
        print(text, end="")
    else:
        write_bytes(options.out, text.encode())
        print(f"schema: {shown(options.out)}")
    return 0
