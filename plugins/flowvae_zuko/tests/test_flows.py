import subprocess
import sys

import pytest
import torch
from flowvae.testing import checks

from flowvae_zuko.flows.maf import zuko_maf
from flowvae_zuko.flows.nsf import zuko_nsf
from flowvae_zuko.vector_map import OF_A_POSTERIOR, OF_A_PRIOR

FLOWS = (zuko_maf, zuko_nsf)


def moved(flow):
    """The flow away from its start, in double precision."""
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return flow.double()


def jacobian(flow, x):
    return torch.autograd.functional.jacobian(lambda row: flow(row[None])[0][0], x)


@pytest.mark.parametrize("make", FLOWS)
@pytest.mark.parametrize("check", checks("flow"), ids=lambda check: check.__name__)
def test_the_contract_of_flows_is_kept(make, check):
    torch.manual_seed(0)
    check(make)


@pytest.mark.parametrize("make", FLOWS)
@pytest.mark.parametrize("context", [0, 3])
def test_a_vector_of_one_dimension_starts_as_the_identity_and_can_move(make, context):
    x, steer = torch.randn(5, 1), torch.randn(5, context) if context else None
    flow = make(1, context)
    assert torch.allclose(flow(x, steer)[0], x, atol=1e-6)
    flow, x, steer = moved(flow), x.double(), None if steer is None else steer.double()
    assert not torch.allclose(flow(x, steer)[0], x, atol=1e-3)
    assert torch.allclose(flow.inverse(flow(x, steer)[0], steer)[0], x, atol=1e-9)


def test_splines_leave_what_lies_outside_of_their_box():
    flow = moved(zuko_nsf(4, 0))
    x = torch.tensor([[5.5, -6.0, 8.0, -5.1], [0.5, -1.0, 2.0, -3.0]], dtype=torch.float64)
    y, log_abs_det = flow(x)
    assert torch.equal(y[0], x[0])
    assert log_abs_det[0] == 0
    assert ((y - x)[1].abs() > 1e-3).all()


def test_a_spline_keeps_the_order_of_numbers():
    line = torch.linspace(-6, 6, 500, dtype=torch.float64)[:, None]
    assert (moved(zuko_nsf(1, 0))(line)[0].diff(dim=0) > 0).all()


def test_one_coupling_lets_half_of_the_vector_choose():
    seen = jacobian(moved(zuko_nsf(6, 0, n_couplings=1)), torch.randn(6, dtype=torch.float64)).abs() > 1e-9
    assert seen.sum(1).tolist().count(1) == 3
    assert seen.sum(1).tolist().count(4) == 3


def test_couplings_part_the_vector_at_different_places():
    orders = {tuple(part.order.tolist()) for part in zuko_nsf(8, 0, n_couplings=6).lazy.transforms}
    assert len(orders) > 2


def test_one_autoregressive_map_has_a_triangular_jacobian():
    seen = jacobian(moved(zuko_maf(5, 0, n_transforms=1)), torch.randn(5, dtype=torch.float64))
    assert torch.equal(seen, seen.tril())
    assert (seen.tril(-1).abs().sum(1)[1:] > 1e-6).all()


@pytest.mark.parametrize(("context", "gain"), [(0, OF_A_PRIOR), (3, OF_A_POSTERIOR)])
@pytest.mark.parametrize("make", FLOWS)
def test_the_pace_is_that_of_a_prior_or_of_a_posterior(make, context, gain):
    flow = make(8, context)
    last = [part.hyper[-2] for part in flow.lazy.transforms]
    for layer in last:
        torch.nn.init.ones_(layer.bias)
    net = flow.lazy.transforms[0].hyper
    assert torch.allclose(net(torch.zeros(1, 8 + context)), torch.tensor(gain))


@pytest.mark.parametrize(
    ("make", "values", "name"),
    [
        (zuko_nsf, {"n_bins": 1}, "n_bins"),
        (zuko_nsf, {"n_couplings": 0}, "n_couplings"),
        (zuko_nsf, {"hidden": 0}, "hidden"),
        (zuko_maf, {"n_transforms": 0}, "n_transforms"),
        (zuko_maf, {"n_hidden_layers": 0}, "n_hidden_layers"),
    ],
)
def test_impossible_sizes_are_refused_by_name(make, values, name):
    with pytest.raises(ValueError, match=f"^{name} must be"):
        make(4, 0, **values)


def test_distributions_are_validated_as_before():
    # In a fresh process: it is the first import of zuko that switches validation off.
    code = """
import torch
from flowvae_zuko.flows.nsf import zuko_nsf
zuko_nsf(2, 0)
try:
    torch.distributions.Normal(0.0, -1.0)
except ValueError:
    raise SystemExit(7)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 7
