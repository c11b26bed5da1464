"""What every activation must do."""

import torch

from flowvae.contracts import Activation
from flowvae.testing import checks_in, properties


def shape_and_dtype_are_kept(make: Activation) -> None:
    """The output has the input's shape and dtype, in bf16 too."""
    for dtype in (torch.float32, torch.bfloat16):
        x = properties.noise(2, 4, 33).to(dtype)
        y = make(4)(x)
        assert y.shape == x.shape, (
            f"(2, 4, 33) became {tuple(y.shape)}: an activation keeps channels and samples"
        )
        assert y.dtype == dtype, f"{dtype} became {y.dtype}: cast back after computing in float32"


def one_channel_and_one_sample_are_enough(make: Activation) -> None:
    """The smallest signal passes."""
    y = make(1)(properties.noise(1, 1, 1))
    assert bool(y.isfinite().all()), (
        "a signal of one sample gives inf or NaN: a statistic over time needs more"
    )


def large_values_stay_finite(make: Activation) -> None:
    """Levels far outside the usual give finite outputs and gradients."""
    x = (5e3 * properties.noise(2, 4, 32)).requires_grad_()
    y = make(4)(x)
    y.sum().backward()
    finite = x.grad is not None and bool(x.grad.isfinite().all() & y.isfinite().all())
    assert finite, "values of 1e4 give inf or NaN in the output or its gradient: look for exp or a power"


CHECKS = (*checks_in(globals()), *properties.of_modules(lambda make: make(4), 3, 4, 32))
