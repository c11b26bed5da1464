"""The verb schema: what an editor needs to complete and check recipes. It needs no torch."""

import argparse
import json
from pathlib import Path
from typing import Any

from flowvae.cli.plugins_option import add_plugin_options, catalogue_of
from flowvae.errors import shown
from flowvae.folder.files import write_bytes
from flowvae.reference.json_schema import recipe_schema

USAGE = """
Editors that read TOML with taplo (Even Better TOML, helix, neovim ...) take the schema from a comment in the first
line of a recipe: "#:schema ./recipe.schema.json", a path beside the recipe. Make it anew when plugins change.
"""


def add_verbs(verbs: Any) -> None:
    """Schema."""
    schema = verbs.add_parser("schema", help="a JSON Schema of recipes, for editors", epilog=USAGE)
    schema.add_argument("--out", metavar="FILE", type=Path, help="where to write it (default: print it)")
    add_plugin_options(schema)
    schema.set_defaults(act=_schema)


def _schema(options: argparse.Namespace) -> int:
    text = json.dumps(recipe_schema(catalogue_of(options)), indent=1, ensure_ascii=False) + "\n"
    if options.out is None:
        print(text, end="")
    else:
        write_bytes(options.out, text.encode())
        print(f"schema: {shown(options.out)}")
    return 0
