"""Counts multiply-adds by torch's own formulas, gradients that are asked for by name included."""

from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class MultiplyAdds(TorchDispatchMode):
    """Within it, the multiply-adds of convolutions and matrix products are added up.

    torch's FlopCounterMode would do, but it tells modules apart by hooks that torch.autograd.grad does not bear.

    >>> import torch
    >>> with MultiplyAdds() as counter:
    ...     _ = torch.ones(3, 4) @ torch.ones(4, 5)
    >>> counter.total
    60.0
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.total = 0.0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)  # noqa: SLF001 - torch's counter finds it so too
        if formula is not None:
            self.total += formula(*args, **(kwargs or {}), out_val=out) / 2
        return out
