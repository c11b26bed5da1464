"""Everything on offer: kinds and components with their owners and parameters, known without importing torch."""

from flowvae.catalogue.catalogue import Catalogue, Component, Kind
from flowvae.catalogue.discovery import discover
from flowvae.catalogue.plugin import Plugin
from flowvae.catalogue.signature import REQUIRED, Parameter, Signature, Slot

__all__ = [
    "REQUIRED",
    "Catalogue",
    "Component",
    "Kind",
    "Parameter",
    "Plugin",
    "Signature",
    "Slot",
    "discover",
]
