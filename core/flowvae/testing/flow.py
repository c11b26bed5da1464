"""What every flow must do."""

from typing import cast

import torch
from torch import Tensor, nn

from flowvae.contracts import BuiltFlow, Flow
from flowvae.testing import checks_in, properties
from flowvae.testing.properties import noise, unsettled

FEATURES, CONTEXT = 5, 3


def _flow(make: Flow, context: int = CONTEXT) -> BuiltFlow:
    """A flow that has left its start."""
    return cast("BuiltFlow", unsettled(cast("nn.Module", make(FEATURES, context))))


class _ThereAndBack(nn.Module):
    """A flow that has left its start as a module of one input and one output, which calls it both ways."""

    def __init__(self, make: Flow) -> None:
        super().__init__()
        self.flow = _flow(make)

    def forward(self, x: Tensor) -> Tensor:
        """The image of x beside the volume change."""
        steer = noise(len(x), CONTEXT, seed=1)
        y, log_abs_det = self.flow(x, steer)
        with torch.no_grad():
            self.flow.inverse(y, steer)
        return torch.cat((y, log_abs_det[:, None]), dim=-1)


def starts_as_the_identity(make: Flow) -> None:
    """Before training, y == x and log_abs_det == 0."""
    x = noise(7, FEATURES)
    for context in (0, CONTEXT):
        y, log_abs_det = make(FEATURES, context)(x, noise(7, context) if context else None)
        assert torch.allclose(x, y, atol=1e-6), (
            f"a new flow moves its input by {(x - y).abs().max():.1e}; expected the identity; zero the last layer of each net"
        )
        assert log_abs_det.abs().max() < 1e-6, (
            f"a new flow has a log_abs_det of {log_abs_det.abs().max():.1e}; expected 0; usually a scale that starts off 1"
        )


def inverse_undoes_forward(make: Flow) -> None:
    """The way back leads to x within 1e-5, and the two volume changes cancel."""
    for context in (0, CONTEXT):
        flow, steer = _flow(make, context), noise(64, context, seed=1) if context else None
        x = noise(64, FEATURES)
        y, there = flow(x, steer)
        back, home = flow.inverse(y, steer)
        assert (x - back).abs().max() < 1e-5, (
            f"inverse(forward(x)) is off by {(x - back).abs().max():.1e}; expected 1e-5 at most; usually nets that see a "
            "dimension which they move, or half precision"
        )
        assert (there + home).abs().max() < 1e-4, (
            f"the log_abs_det of both ways differ by {(there + home).abs().max():.1e}; expected opposite signs of one number"
        )


def log_abs_det_is_that_of_the_jacobian(make: Flow) -> None:
    """log_abs_det agrees with the determinant of the Jacobian that autograd gives, item by item."""
    flow = _flow(make)
    x, steer = noise(4, FEATURES), noise(4, CONTEXT, seed=1)
    _, log_abs_det = flow(x, steer)
    assert log_abs_det.shape == (4,), (
        f"log_abs_det has the shape {tuple(log_abs_det.shape)}; expected (b,): summed over the dimensions, not over the batch"
    )
    for item in range(4):

        def move(row: Tensor, context: Tensor = steer[item : item + 1]) -> Tensor:
            return flow(row[None], context)[0][0]

        jacobian = torch.autograd.functional.jacobian(move, x[item])  # type: ignore[no-untyped-call]  # torch leaves it untyped
        expected = torch.linalg.slogdet(cast("Tensor", jacobian)).logabsdet
        assert torch.allclose(log_abs_det[item], expected, atol=1e-4), (
            f"log_abs_det is {log_abs_det[item]:.5f}, the Jacobian's is {expected:.5f}; usually a mean for a sum, or a sign"
        )


def context_steers_the_map(make: Flow) -> None:
    """Another context gives another map."""
    flow, x = _flow(make), noise(4, FEATURES)
    one, two = flow(x, noise(4, CONTEXT, seed=1))[0], flow(x, noise(4, CONTEXT, seed=2))[0]
    assert not torch.allclose(one, two), (
        "the context changes nothing; expected another map for another context; it has to reach each net of the flow"
    )


def half_precision_stays_outside(make: Flow) -> None:
    """Under autocast the flow computes in single precision."""
    flow, x, steer = _flow(make), noise(4, FEATURES), noise(4, CONTEXT, seed=1)
    expected = flow(x, steer)[0]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = flow(x, steer)[0]
    assert y.dtype == torch.float32, f"under autocast the flow gives {y.dtype}; expected float32"
    assert torch.allclose(y, expected, atol=1e-6), (
        f"autocast moves the output by {(y - expected).abs().max():.1e}; expected none: compute under torch.autocast(..., enabled=False)"
    )


CHECKS = (
    *checks_in(globals()),
    *properties.of_modules(_ThereAndBack, 3, FEATURES, which=properties.OF_DENSITIES),
)
