"""What a piece of work asks of the host: figures that no clock and no machine has a part in."""

from collections import Counter
from contextlib import contextmanager

import torch
from torch.utils._python_dispatch import TorchDispatchMode

HOST_READS = frozenset({"_local_scalar_dense", "equal", "nonzero", "masked_select"})
"""Their results are numbers or sizes of the host's, so it waits for the device."""
MEMORY = frozenset(
    {"_unsafe_view", "empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "lift_fresh"}
)
"""They give a tensor and compute nothing, and are no views by their signature."""
BOOKKEEPING = frozenset({"promote_types", "_record_function_enter_new", "_record_function_exit"})
"""Of the host alone."""


class Operators(TorchDispatchMode):
    """Within it, the operators that do work are counted by their names: on a GPU each is a launch or more.

    Views do none. An operator over a list of tensors counts once.
    """

    def __init__(self):
        super().__init__()
        self.found = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func._schema.name.partition("::")[2]
        looks = func.is_view or torch.Tag.inplace_view in func.tags
        if not looks and name not in MEMORY | BOOKKEEPING:
            self.found[name] += 1
        return func(*args, **(kwargs or {}))

    @property
    def total(self):
        return self.found.total()

    @property
    def host_reads(self):
        """How many times the host waits for a number."""
        return sum(self.found[name] for name in HOST_READS)


@contextmanager
def kept_bytes():
    """Gives a function: the bytes that are kept within for the way back, each storage once, but for some tensors'."""
    seen = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    def total(*but):
        left_out = {tensor.untyped_storage().data_ptr() for tensor in but}
        return sum(size for place, size in seen.items() if place not in left_out)

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield total
