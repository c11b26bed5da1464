"""Probes for a fresh process: what an import takes, brings along and leaves behind. Each prints a JSON array."""

import hashlib
import importlib
import json
import os
import random
import signal
import sys
import time
import warnings
from collections.abc import Callable, Sequence

HEAVY = ("torch", "numpy", "scipy", "matplotlib")


def answer(probe: Callable[..., list[str]], arguments: Sequence[Sequence[str]]) -> None:
    """Prints what a probe finds, after whatever the imports have printed."""
    print("\n" + json.dumps(probe(*arguments)))


def without_torch(distributions: Sequence[str], modules: Sequence[str]) -> list[str]:
    """The heavy modules, and those of the components, that listing and reading signatures bring in."""
    from flowvae.catalogue import Catalogue  # noqa: PLC0415 - its time is not the plugin's
    from flowvae.catalogue.discovery import installed_entries  # noqa: PLC0415

    for plugin, entry in installed_entries():
        if plugin.distribution in distributions:
            entry.load()  # here, where it can be seen: the catalogue asks in another process
    for found in Catalogue.installed(distributions).components.values():
        for component in found:
            _ = component.signature
    return [name for name in (*HEAVY, *modules) if name in sys.modules]


def import_time(modules: Sequence[str]) -> list[str]:
    """The seconds that the imports take, once flowvae's own front page is there."""
    importlib.import_module("flowvae")
    started = time.perf_counter()
    for module in modules:
        importlib.import_module(module)
    return [str(time.perf_counter() - started)]


def traces(modules: Sequence[str]) -> list[str]:
    """What the imports change, as `name: before -> after`."""
    before = shared_state()
    for module in modules:
        importlib.import_module(module)
    after = shared_state()
    return [f"{name}: {before[name]} -> {after[name]}" for name in before if before[name] != after[name]]


def shared_state() -> dict[str, str]:
    """What a process has only one of, and what an import has no business with."""
    import numpy as np  # noqa: PLC0415 - only this probe pays for it
    import torch  # noqa: PLC0415

    signals = {s.name: signal.getsignal(s) for s in signal.valid_signals() if isinstance(s, signal.Signals)}
    state: dict[str, object] = {
        "torch's default type": torch.get_default_dtype(),
        "torch's threads": torch.get_num_threads(),
        "torch's generator": _digest(torch.get_rng_state().tolist()),
        "torch's gradient mode": torch.is_grad_enabled(),
        "torch's deterministic mode": torch.are_deterministic_algorithms_enabled(),
        "validation in torch.distributions": torch.distributions.Distribution._validate_args,  # noqa: SLF001 - no public reader
        "numpy's generator": _digest(np.random.get_state()),  # noqa: NPY002 - what others may still use
        "numpy's errors": np.geterr(),
        "Python's generator": _digest(random.getstate()),
        "the working directory": os.getcwd(),  # noqa: PTH109 - as text
        "the environment": _digest(sorted(os.environ.items())),
        "signal handlers": _digest(signals),
        "warning filters": len(warnings.filters),
    }
    return {name: str(value) for name, value in state.items()}


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:8]
