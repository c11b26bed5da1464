"""Finds the places where a step would wait for its device."""

from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

READS = ("_local_scalar_dense", "nonzero", "masked_select", "equal")


class NoDeviceReads(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it untyped
    """Fails where a value of a tensor is read back: `.item()`, `if tensor`, or indexing with a mask.

    On a GPU each such read empties the queue of work, and it forbids the capture of a step as a graph. It shows on
    the CPU as well, where it costs nothing.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        assert name not in READS, (
            f"{name} reads a value back from the device; keep it on the device (torch.where in place of `if` or of "
            "indexing with a mask; no .item(), no float(tensor); validate_args=False in distributions)"
        )
        return func(*args, **(kwargs or {}))
