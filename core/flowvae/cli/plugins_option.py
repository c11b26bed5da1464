"""Which plugins a command may see: all that are installed, those named, or none."""

import argparse

from flowvae.catalogue import Catalogue


def add_plugin_options(parser: argparse.ArgumentParser) -> None:
    """`--plugins a,b` and `--no-plugins`."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--plugins", metavar="NAMES", help="only these distributions, separated by commas")
    group.add_argument("--no-plugins", action="store_true", help="only flowvae's own components")


def catalogue_of(options: argparse.Namespace) -> Catalogue:
    """The catalogue that the options leave."""
    if options.no_plugins:
        return Catalogue.installed(only=())
    names = [name.strip() for name in options.plugins.split(",")] if options.plugins else None
    return Catalogue.installed(only=names)
