"""What every normalization must do."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from flowvae.contracts import Normalization
from flowvae.testing import checks_in, properties

LAYERS: tuple[Callable[[], nn.Module], ...] = (
    lambda: nn.Conv1d(4, 6, 3),
    lambda: nn.ConvTranspose1d(4, 6, 4, stride=2),
    lambda: nn.Linear(12, 5),
)


def same_function_at_the_start(make: Normalization) -> None:
    """The layer computes what it computed before, for convolutions and linear layers."""
    for layer in LAYERS:
        x = properties.noise(2, 4, 12)
        before = properties.built(layer)(x)
        after = make(properties.built(layer))(x)
        assert torch.allclose(before, after, atol=1e-5), (
            f"{type(layer()).__name__} computes something else after wrapping: start from the weight that is there"
        )


def weight_can_be_read(make: Normalization) -> None:
    """`weight` and `bias` of the result are what it computes with: layers that fold their weight read them."""
    for layer in LAYERS:
        plain, wrapped = properties.built(layer), make(properties.built(layer))
        for name in ("weight", "bias"):
            held = getattr(wrapped, name, None)
            assert isinstance(held, Tensor), (
                f"the result has no tensor `{name}`: parametrize the layer, do not hide it"
            )
            assert torch.allclose(held, getattr(plain, name), atol=1e-5), (
                f"`{name}` is not what the layer held before"
            )


CHECKS = (*checks_in(globals()), *properties.of_modules(lambda make: make(nn.Conv1d(4, 6, 3)), 3, 4, 16))
