"""What every flow must do."""

from typing import cast

import torch
from torch import Tensor, nn

from flowvae.contracts import BuiltFlow, Flow
from flowvae.testing.device_reads import NoDeviceReads
from flowvae.testing.latent_probes import (
    assert_gradients_reach_all,
    assert_state_round_trip,
    noise,
    unsettled,
)

FEATURES, CONTEXT = 5, 3


def module_of(make: Flow, features: int = FEATURES, context: int = CONTEXT) -> nn.Module:
    """A flow that has left its start."""
    return unsettled(cast("nn.Module", make(features, context)))


def transform_of(module: nn.Module) -> BuiltFlow:
    """The same object under its contract."""
    return cast("BuiltFlow", module)


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
        flow, steer = (
            transform_of(module_of(make, context=context)),
            noise(64, context, seed=1) if context else None,
        )
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
    flow = transform_of(module_of(make))
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
    flow, x = transform_of(module_of(make)), noise(4, FEATURES)
    one, two = flow(x, noise(4, CONTEXT, seed=1))[0], flow(x, noise(4, CONTEXT, seed=2))[0]
    assert not torch.allclose(one, two), (
        "the context changes nothing; expected another map for another context; it has to reach each net of the flow"
    )


def items_do_not_mix(make: Flow) -> None:
    """One item of a batch does not see the others, in training as well."""
    flow, x, steer = transform_of(module_of(make).train()), noise(4, FEATURES), noise(4, CONTEXT, seed=1)
    other = x.clone()
    other[0] += 1
    assert torch.equal(flow(x, steer)[0][1:], flow(other, steer)[0][1:]), (
        "a change of one item moves the others; expected none; usually batch statistics, which also break the density"
    )


def same_input_gives_the_same_output(make: Flow) -> None:
    """The map is a function: it draws nothing, and leaves its input as it was."""
    flow, x, steer = transform_of(module_of(make)), noise(4, FEATURES), noise(4, CONTEXT, seed=1)
    kept = x.clone()
    assert torch.equal(flow(x, steer)[0], flow(x, steer)[0]), (
        "two calls differ; expected the same bits; usually dropout or a random draw inside the flow"
    )
    assert torch.equal(x, kept), (
        "the input was changed in place; expected a new tensor; look for a trailing underscore or +="
    )


def gradients_reach_every_parameter(make: Flow) -> None:
    """Away from its start, each parameter gets a finite gradient."""
    module = module_of(make)
    y, log_abs_det = transform_of(module)(noise(16, FEATURES), noise(16, CONTEXT, seed=1))
    assert_gradients_reach_all(module, (y.square().sum(-1) - log_abs_det).mean())


def state_survives_a_round_trip(make: Flow) -> None:
    """A second instance with the same state_dict is the same map."""
    x, steer = noise(4, FEATURES), noise(4, CONTEXT, seed=1)
    assert_state_round_trip(
        lambda: cast("nn.Module", make(FEATURES, CONTEXT)), lambda module: transform_of(module)(x, steer)[0]
    )


def half_precision_stays_outside(make: Flow) -> None:
    """Under autocast the flow computes in single precision."""
    flow, x, steer = transform_of(module_of(make)), noise(4, FEATURES), noise(4, CONTEXT, seed=1)
    expected = flow(x, steer)[0]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = flow(x, steer)[0]
    assert y.dtype == torch.float32, f"under autocast the flow gives {y.dtype}; expected float32"
    assert torch.allclose(y, expected, atol=1e-6), (
        f"autocast moves the output by {(y - expected).abs().max():.1e}; expected none: compute under torch.autocast(..., enabled=False)"
    )


def no_value_is_read_back(make: Flow) -> None:
    """Both ways run without waiting for the device."""
    flow, x, steer = transform_of(module_of(make)), noise(4, FEATURES), noise(4, CONTEXT, seed=1)
    with NoDeviceReads():
        flow(x, steer)
        flow.inverse(x, steer)


CHECKS = (
    starts_as_the_identity,
    inverse_undoes_forward,
    log_abs_det_is_that_of_the_jacobian,
    context_steers_the_map,
    items_do_not_mix,
    same_input_gives_the_same_output,
    gradients_reach_every_parameter,
    state_survives_a_round_trip,
    half_precision_stays_outside,
    no_value_is_read_back,
)
