"""Plugins that are installed nowhere."""

from types import SimpleNamespace

from flowvae import hookimpl
from flowvae.catalogue import Catalogue
from flowvae.catalogue.discovery import Plugin
from flowvae_components import plugin as built_in


def plugin(distribution, version="1.0", **hooks):
    return Plugin(distribution, distribution, version, module=SimpleNamespace(**hooks))


def offering(*offers):
    @hookimpl
    def flowvae_components(register):
        for offer in offers:
            register(*offer)

    return flowvae_components


def catalogue_with(*plugins):
    return Catalogue.of([Plugin("components", "flowvae", "0.1.0", module=built_in), *plugins])
