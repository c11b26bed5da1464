"""The device that a run computes on."""

import os

import torch

from flowvae.building.processor import processor
from flowvae.errors import MachineError
from flowvae.recipe import Recipe

VISIBLE = "CUDA_VISIBLE_DEVICES"


def pick_device(name: str) -> torch.device:
    """The device that a recipe names; never another one in silence."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    found = _devices()
    # Not what torch can parse: it parses names of machines that it was not even built for.
    if name not in {*found, *(device.partition(":")[0] for device in found)}:
        raise MachineError(
            f'there is no device "{name}"; found: {", ".join(found)}', do="--set execution.device=cpu"
        )
    return torch.device(name)


def uses_bf16(recipe: Recipe, device: torch.device) -> bool:
    """Whether encoder and decoder compute in bf16. On a CPU the small convolutions of this field do not gain."""
    if recipe.train.precision == "auto":
        return device.type == "cuda" and torch.cuda.is_bf16_supported()
    return recipe.train.precision == "bf16"


def machine(threads: int, device: torch.device) -> dict[str, object]:
    """What the last bits of a result depend on beside the recipe."""
    kind = processor() if device.type == "cpu" else model_name(device)
    return {"torch": torch.__version__, "threads": threads, "device": device.type, "processor": kind}


def wait_for(device: torch.device) -> None:
    """Returns when the device has done all that it was asked; on the CPU it has."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def visible_names(device: torch.device) -> list[str]:
    """What CUDA_VISIBLE_DEVICES is to a process that gets one of the accelerators that are meant; none for the CPU."""
    if device.type == "cpu":
        return []
    if device.type != "cuda":
        return ["0"]  # there is one, and nobody reads the variable
    numbers = range(torch.cuda.device_count()) if device.index is None else [device.index]
    # torch counts what this process sees, and the names go to processes that would see what it was given.
    given = [name.strip() for name in os.environ.get(VISIBLE, "").split(",") if name.strip()]
    return [given[number] if given else str(number) for number in numbers]


def model_name(device: torch.device) -> str:
    """Which device it is: two of one model give the same figures in about the same time."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def device_number(device: torch.device) -> str | None:
    """Which of the accelerators it is, as CUDA_VISIBLE_DEVICES calls it."""
    return None if device.type == "cpu" else (os.environ.get(VISIBLE) or str(device.index or 0))


def _devices() -> list[str]:
    cuda = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return ["cpu", *cuda, *(["mps"] if torch.backends.mps.is_available() else [])]
