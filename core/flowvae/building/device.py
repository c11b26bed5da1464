"""The device that a run computes on."""

import torch

from flowvae.building.processor import processor
from flowvae.errors import MachineError
from flowvae.recipe import Recipe


def pick_device(name: str) -> torch.device:
    """The device that a recipe names; never another one in silence."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise MachineError(
            f'"{name}" is no device; found: {_devices()}', do="--set execution.device=cpu"
        ) from error
    if device.type == "cuda" and (
        not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()
    ):
        raise MachineError(f"there is no device {name}; found: {_devices()}", do="--set execution.device=cpu")
    return device


def uses_bf16(recipe: Recipe, device: torch.device) -> bool:
    """Whether encoder and decoder compute in bf16. On a CPU the small convolutions of this field do not gain."""
    if recipe.train.precision == "auto":
        return device.type == "cuda" and torch.cuda.is_bf16_supported()
    return recipe.train.precision == "bf16"


def machine(threads: int, device: torch.device) -> dict[str, object]:
    """What the last bits of a result depend on beside the recipe."""
    kind = torch.cuda.get_device_name(device) if device.type == "cuda" else processor()
    return {"torch": torch.__version__, "threads": threads, "device": str(device), "processor": kind}


def _devices() -> str:
    return ", ".join(["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))])
