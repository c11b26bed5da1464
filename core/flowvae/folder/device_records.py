"""devices.json of an ablation's folder: what its words for devices mean on this machine."""

from collections.abc import Mapping
from typing import ClassVar

from attrs import frozen

from flowvae.folder.record import Record


@frozen
class Device:
    """What a recipe's word for a device means here."""

    kind: str
    names: tuple[str, ...]
    """As CUDA_VISIBLE_DEVICES takes them; none for the CPU."""


@frozen
class Devices(Record):
    """The devices of the machine that a folder was last used on, by the recipe's word."""

    file: ClassVar[str] = "devices.json"

    places: Mapping[str, Device]
