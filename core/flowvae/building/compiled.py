"""Networks that are trained through torch's compiler. It is imported where something is compiled, and not before."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

OPTIONS: dict[str, Any] = {
    # What a network draws is what it draws without a compiler.
    "fallback_random": True
}


def compile_networks(networks: dict[str, nn.Module], warn: Callable[[str], None]) -> None:
    """Has the forward of each network compiled for training; modules, names and weights stay as they are.

    One that cannot be compiled computes as before, and `warn` is told.
    """
    for name, network in networks.items():
        network.forward = _Compiled(name, network, network.forward, warn)


class _Compiled:
    """A forward that is compiled while its network trains, and as it was where it is evaluated or frozen."""

    def __init__(
        self, name: str, network: nn.Module, forward: Callable[..., Any], warn: Callable[[str], None]
    ) -> None:
        self.name, self.network, self.plain, self.warn = name, network, forward, warn
        self.fast: Callable[..., Any] | None = torch.compile(forward, dynamic=False, options=OPTIONS)

    def __call__(self, *given: Any) -> Any:
        # Evaluation has other sizes, each of which would be compiled anew, and is short.
        if self.fast is None or not (self.network.training and torch.is_grad_enabled()):
            return self.plain(*given)
        # The way back is compiled with the way there: once it has begun, nothing could be taken back.
        from torch._functorch import config  # noqa: PLC0415 - the compiler is slow to import

        try:
            with config.patch(force_non_lazy_backward_lowering=True):
                return self.fast(*given)
        except Exception as error:  # noqa: BLE001 - a fault of the network's own shows again below
            self.fast = None
            self.warn(f"{self.name} is not compiled: {type(error).__name__}: {str(error).strip()[:200]}")
            return self.plain(*given)
