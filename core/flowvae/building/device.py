"""The device that a run computes on."""

import torch

from flowvae.errors import MachineError


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


def _devices() -> str:
    return ", ".join(["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))])
