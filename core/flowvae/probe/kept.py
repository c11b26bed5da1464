"""What autograd keeps of a pass, for the way back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


@contextmanager
def kept_for_backward(counts: Callable[[Tensor], bool] = lambda _: True) -> Iterator[dict[int, int]]:
    """Collects the bytes that are kept of the tensors that count, each piece of memory once, by its place."""
    sizes: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        if counts(tensor):
            storage = tensor.untyped_storage()
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        yield sizes
