"""Real NVP: an exact identity at the start, an exact inverse, the right Jacobian."""

import math

import pytest
import torch

from counting import Operators
from flowvae.testing import flow as conformance
from flowvae.testing.properties import unsettled
from flowvae_components.flows.real_nvp import AffineCoupling, RealNVP, moved_dimensions


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_real_nvp_does_what_a_flow_must(check):
    check(lambda features, context: RealNVP(features, context, hidden=16))


@pytest.mark.parametrize(("features", "context"), [(2, 0), (7, 0), (32, 5), (1, 3)])
def test_new_flow_is_the_identity_to_the_last_bit(features, context):
    x, steer = torch.randn(9, features), torch.randn(9, context) if context else None
    y, log_abs_det = RealNVP(features, context)(x, steer)
    assert torch.equal(x, y)
    assert torch.equal(log_abs_det, torch.zeros(9))


@pytest.mark.parametrize("features", [2, 3, 8])
def test_log_abs_det_is_that_of_autograds_jacobian(features):
    flow = unsettled(RealNVP(features, 2, hidden=16), 0.3).double()
    x, steer = torch.randn(1, features).double(), torch.randn(1, 2).double()
    jacobian = torch.autograd.functional.jacobian(lambda row: flow(row[None], steer)[0][0], x[0])
    assert torch.allclose(flow(x, steer)[1][0], torch.linalg.slogdet(jacobian).logabsdet, atol=1e-10)


def test_inverse_is_exact_in_128_dimensions():
    flow, x = unsettled(RealNVP(128, 0, hidden=64), 0.05), torch.randn(32, 128)
    y, there = flow(x)
    back, home = flow.inverse(y)
    assert (y - x).abs().max() > 0.1
    assert (x - back).abs().max() < 1e-5
    assert torch.allclose(there, -home, atol=1e-4)


def test_a_coupling_leaves_the_kept_dimensions_to_the_last_bit():
    flow, x = unsettled(RealNVP(6, 0, n_couplings=1, hidden=8)), torch.randn(5, 6)
    y, _ = flow(x)
    assert torch.equal(y[:, 1::2], x[:, 1::2])
    assert (y[:, ::2] != x[:, ::2]).all()


def test_log_scale_is_clamped_softly():
    coupling = AffineCoupling(1, 1, 0, (), max_log_scale=2.0)
    with torch.no_grad():
        coupling.net[-1].bias[0] = 1e6
    y, log_scale = coupling(torch.ones(1, 1), torch.ones(1, 1), None)
    assert log_scale.item() == pytest.approx(2.0)
    assert y.isfinite().all()


@pytest.mark.parametrize("gain", [0.1, 1.0])
def test_the_own_gradient_of_a_coupling_is_that_of_its_formula(gain):
    coupling = unsettled(AffineCoupling(3, 2, 1, (4,), max_log_scale=0.7, gain=gain), 0.5).double()
    kept, moved, steer = (torch.randn(4, n, dtype=torch.float64, requires_grad=True) for n in (3, 2, 1))
    assert torch.autograd.gradcheck(coupling, (kept, moved, steer))
    raw, shift = (gain * coupling.net(torch.cat((kept, steer), 1))).chunk(2, 1)
    log_scale = 0.7 * torch.tanh(raw / 0.7)
    y, its_log_scale = coupling(kept, moved, steer)
    assert torch.allclose(its_log_scale, log_scale)
    assert torch.allclose(y, moved * log_scale.exp() + shift)


def test_a_flow_of_a_larger_gain_follows_what_it_models_sooner():
    """Codes that are six times as wide as the noise, after fifty steps."""
    codes = 6 * torch.randn(64, 4)

    def nats(gain):
        flow = RealNVP(4, 0, n_couplings=4, hidden=16, gain=gain)
        optimizer = torch.optim.Adam(flow.parameters(), lr=1.5e-3)
        for _ in range(50):
            optimizer.zero_grad()
            u, log_abs_det = flow(codes)
            nats = (0.5 * u.square().sum(1) - log_abs_det).mean()
            nats.backward()
            optimizer.step()
        return nats.item()

    entropy = 4 * (0.5 + math.log(6))
    slow, quick = nats(0.1) - entropy, nats(1.0) - entropy
    assert quick < 0.5 * slow


def test_a_coupling_is_a_handful_of_operators():
    """On a GPU its work is next to nothing beside their launches: 4 couplings there and back, and their 24 layers."""
    flow, x = RealNVP(8, 0, n_couplings=4, hidden=8), torch.randn(2, 8, requires_grad=True)
    with Operators() as counter:
        y, log_abs_det = flow(x)
        torch.autograd.backward((y, log_abs_det), (x, x[:, 0]))
    linear, bent = 12 * (1 + 3), 8 * (1 + 1)
    assert counter.total - linear - bent <= 68, counter.found


@pytest.mark.parametrize("features", [1, 3, 8])
def test_the_input_is_found_again_whatever_number_of_couplings(features):
    for n_couplings in (1, 2, 5):
        flow = unsettled(RealNVP(features, 2, n_couplings=n_couplings, hidden=8), 0.3).double()
        x, steer = torch.randn(4, features).double(), torch.randn(4, 2).double()
        y, there = flow(x, steer)
        back, home = flow.inverse(y, steer)
        assert torch.allclose(x, back)
        assert torch.allclose(there, -home)
        assert (x != y).any(0).sum() == (len(moved_dimensions(features, 0)) if n_couplings == 1 else features)


@pytest.mark.parametrize("features", [2, 3, 5, 8, 13])
def test_any_two_dimensions_stand_on_opposite_sides_once(features):
    turns = 2 * max(1, (features - 1).bit_length())
    sides = [set(moved_dimensions(features, turn)) for turn in range(turns)]
    for one in range(features):
        for other in range(one):
            assert any((one in moved) != (other in moved) for moved in sides)
        assert any(one in moved for moved in sides[:2])


def test_every_dimension_depends_on_every_other_after_six_couplings():
    flow, x = unsettled(RealNVP(8, 0, hidden=16), 0.3), torch.randn(8)
    jacobian = torch.autograd.functional.jacobian(lambda row: flow(row[None])[0][0], x)
    assert (jacobian.abs() > 0).all()


def test_density_of_a_learnt_flow_integrates_to_one_and_finds_the_entropy():
    flow = RealNVP(2, 0, n_couplings=4, hidden=16)
    optimizer = torch.optim.Adam(flow.parameters(), 1e-2)
    spread = torch.tensor([[1.0, 0.8], [0.0, 0.6]])  # a normal target, |det| = 0.6
    base = torch.distributions.Independent(torch.distributions.Normal(torch.zeros(2), torch.ones(2)), 1)

    def log_prob(z):
        u, log_abs_det = flow(z)
        return base.log_prob(u) + log_abs_det

    for _ in range(250):
        optimizer.zero_grad()
        (-log_prob(torch.randn(256, 2) @ spread.T).mean()).backward()
        optimizer.step()
    line = torch.linspace(-8, 8, 161)
    with torch.no_grad():
        total = log_prob(torch.cartesian_prod(line, line)).exp().sum() * 0.1**2
        learnt = -log_prob(torch.randn(20000, 2) @ spread.T).mean()
    entropy = 1 + torch.log(torch.tensor(2 * torch.pi)) + torch.log(torch.tensor(0.6))
    assert abs(total - 1) < 1e-2
    assert abs(learnt - entropy) < 0.05


def test_context_is_asked_for():
    with pytest.raises(ValueError, match=r"context must be \(b, 3\)"):
        RealNVP(4, 3)(torch.zeros(1, 4))
    with pytest.raises(ValueError, match="context"):
        RealNVP(4, 0)(torch.zeros(1, 4), torch.zeros(1, 3))


@pytest.mark.parametrize(
    "wrong", [{"n_couplings": 0}, {"hidden": 0}, {"n_hidden_layers": -1}, {"max_log_scale": 0.0}], ids=str
)
def test_values_without_meaning_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} must"):
        RealNVP(4, 0, **wrong)


def test_a_single_dimension_needs_a_context():
    with pytest.raises(ValueError, match=r"^features must be at least 2"):
        RealNVP(1, 0)
