"""Which plugins a command may see: all that are installed, those named, or none."""

import argparse

from flowvae.catalogue import Catalogue


def catalogue_of(options: argparse.Namespace, *, silent_too: bool = False) -> Catalogue:
    """The catalogue that the options leave; plugins that did not answer earlier are asked again if wanted."""
    if options.no_plugins:
        return Catalogue.installed(only=())
    names = [name.strip() for name in options.plugins.split(",")] if options.plugins else None
    return Catalogue.installed(only=names, silent_too=silent_too)
