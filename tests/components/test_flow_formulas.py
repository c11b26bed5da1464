"""IAF, planar and Sylvester flows against their formulas, written a second time, and against other codes."""

import math

import pytest
import torch
from scipy.optimize import brentq
from torch.distributions import AffineTransform, Distribution

from flowvae.testing.properties import unsettled
from flowvae_components.flows.iaf import IAF
from flowvae_components.flows.monotone import tanh_root
from flowvae_components.flows.planar import Planar
from flowvae_components.flows.real_nvp import RealNVP
from flowvae_components.flows.steering import OF_A_POSTERIOR, SteeredValues
from flowvae_components.flows.sylvester import ITERATIONS, Sylvester


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.fixture
def zuko_transforms():
    # Its first import switches off the validation of arguments in every distribution of the process.
    validated = Distribution._validate_args
    try:
        import zuko.transforms
    finally:
        Distribution.set_default_validate_args(validated)
    return zuko.transforms


def jacobian(flow, features):
    return torch.autograd.functional.jacobian(
        lambda row: flow(row[None])[0][0], torch.randn(features).double()
    )


@pytest.mark.parametrize(
    ("gains", "iterations"),
    [((-0.9, 0.9), ITERATIONS), ((-0.9, 1e4), 20), ((1e4, 1e8), 20)],
    ids=str,
)
def test_tanh_root_solves_its_equation_to_the_last_digit(gains, iterations):
    gain = torch.linspace(*gains, 101, dtype=torch.float64)[:, None]
    near = torch.linspace(0, 20, 801, dtype=torch.float64)
    target = torch.cat(
        (torch.logspace(-30, 9, 2000, dtype=torch.float64).expand(101, -1), near + gain.abs() - 10), 1
    )
    target = torch.cat((target, -target, torch.zeros_like(gain)), 1)
    root = tanh_root(target, gain.expand_as(target), n_iterations=iterations)
    size = root.abs() + (gain * root.tanh()).abs() + target.abs()
    assert ((root + gain * root.tanh() - target).abs() <= 1e-15 * size).all()


@pytest.mark.parametrize("gain", [-0.9, -0.3, 0.0, 2.0, 50.0])
def test_tanh_root_finds_what_bisection_finds(gain):
    for target in (-7.0, -0.2, 0.01, 1.0, 49.0):
        expected = brentq(lambda a, y=target: a + gain * math.tanh(a) - y, -100, 100, xtol=1e-14)
        root = tanh_root(torch.tensor(target, dtype=torch.float64), torch.tensor(gain, dtype=torch.float64))
        assert root.item() == pytest.approx(expected, abs=1e-12)


def test_tanh_root_has_the_gradient_of_the_root():
    target = torch.tensor([-3.0, -0.1, 0.0, 0.5, 8.0], dtype=torch.float64, requires_grad=True)
    gain = torch.tensor([-0.8, 0.0, 2.0, 0.9, 9.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(tanh_root, (target, gain))


def test_steered_values_start_as_told_and_move_at_a_tenth_of_the_pace():
    start = torch.randn(2, 3)
    values = SteeredValues(start, 4)
    assert torch.allclose(values(torch.randn(5, 4)), start.expand(5, -1, -1))
    with torch.no_grad():
        values.weight.fill_(1.0)
        values.bias.add_(2.0)
    assert torch.allclose(values(torch.ones(1, 4))[0], start + OF_A_POSTERIOR * (2 + 4))


@pytest.mark.parametrize("make", [RealNVP, IAF, Planar, Sylvester])
def test_the_flow_of_a_prior_learns_ten_times_as_fast_as_that_of_a_posterior(make):
    x = torch.randn(64, 6)
    moved = []
    for context in (0, 3):
        torch.manual_seed(1)
        flow = make(6, context)
        start = {name: weight.detach().clone() for name, weight in flow.named_parameters()}
        given = torch.zeros(64, context) if context else None
        optimizer = torch.optim.Adam(flow.parameters(), lr=1e-5)
        for _ in range(3):
            y, log_abs_det = flow(x, given)
            (0.5 * (y - 1).square().sum(1) - log_abs_det).mean().backward()
            optimizer.step()
        assert any(not torch.equal(start[name], weight) for name, weight in flow.named_parameters())
        moved.append((flow(x, given)[0] - x).norm().item())
    assert 5 < moved[0] / moved[1] < 20


def test_a_planar_layer_is_the_formula_of_the_paper_with_another_bound():
    flow = unsettled(Planar(5, 0, n_layers=1), 0.5).double()
    w, u, b = flow.values.bias.detach().split((5, 5, 1))
    for sign in (1, -1):
        with torch.no_grad():
            flow.values.bias[5:10] = sign * w.dot(u).sign() * u
        pushed = sign * w.dot(u).sign() * u
        along = w.dot(pushed).item()
        assert math.copysign(1, along) == sign
        gain = along if along >= 0 else 0.9 * math.expm1(along / 0.9)
        v = pushed + (gain - along) * w / w.dot(w)
        x = torch.randn(7, 5).double()
        bend = torch.tanh(x @ w + b)
        y, log_abs_det = flow(x)
        assert torch.allclose(y, x + bend[:, None] * v, atol=1e-12)
        assert torch.allclose(log_abs_det, (1 + (1 - bend.square()) * w.dot(v)).log(), atol=1e-12)


@pytest.mark.parametrize("pull", [-1e6, -50.0])
def test_a_planar_layer_keeps_a_tenth_of_a_length_however_hard_it_is_pulled(pull):
    flow = Planar(3, 0, n_layers=1).double()
    with torch.no_grad():
        flow.values.bias[3:6] = pull * flow.values.bias[:3]
    y, log_abs_det = flow(torch.zeros(1, 3).double())
    assert log_abs_det.item() == pytest.approx(math.log(0.1), abs=1e-6)
    assert torch.allclose(flow.inverse(y)[0], torch.zeros(1, 3).double(), atol=1e-6)


def test_a_planar_layer_without_a_plane_is_a_shift():
    flow = unsettled(Planar(3, 0, n_layers=1), 0.1)
    with torch.no_grad():
        flow.values.bias[:3] = 0.0
    x = torch.randn(4, 3)
    y, log_abs_det = flow(x)
    (y.sum() + log_abs_det.sum()).backward()
    u, b = flow.values.bias.detach()[3:].split((3, 1))
    assert torch.allclose(y, x + u * b.tanh(), atol=1e-6)
    assert torch.equal(log_abs_det, torch.zeros(4))
    assert flow.values.bias.grad.isfinite().all()


@pytest.mark.parametrize(("n_directions", "n_reflections"), [(3, 2), (5, 8), (1, 1)])
def test_a_sylvester_layer_is_the_formula_of_the_paper(n_directions, n_reflections):
    flow = Sylvester(5, 0, n_layers=1, n_directions=n_directions, n_reflections=n_reflections)
    values = unsettled(flow, 0.5).double().values.bias.detach()
    m = n_directions
    square, diagonal, b, normals = values.split((m * m, m, m, n_reflections * 5))
    q = torch.eye(5).double()
    for n in normals.view(n_reflections, 5):
        q @= torch.eye(5).double() - 2 * n.outer(n) / n.dot(n)
    q = q[:, :m]
    r1, r2 = square.view(m, m).triu(), square.view(m, m).T.triu()
    r1.diagonal().tanh_().mul_(0.9)
    r2.diagonal().copy_(diagonal.tanh())
    x = torch.randn(7, 5).double()
    bend = torch.tanh(x @ q @ r2.T + b)
    y, log_abs_det = flow(x)
    assert torch.allclose(q.T @ q, torch.eye(m).double(), atol=1e-12)
    assert torch.allclose(y, x + bend @ r1.T @ q.T, atol=1e-12)
    slopes = 1 + (1 - bend.square()) * r1.diagonal() * r2.diagonal()
    assert torch.allclose(log_abs_det, slopes.log().sum(-1), atol=1e-12)


def test_a_sylvester_layer_leaves_what_is_across_its_subspace():
    moved = jacobian(unsettled(Sylvester(8, 0, n_layers=1, n_directions=3), 0.5).double(), 8)
    assert torch.linalg.matrix_rank(moved - torch.eye(8)) == 3


def test_a_sylvester_layer_keeps_a_tenth_of_a_length_however_hard_it_is_pulled():
    flow = Sylvester(1, 0, n_layers=1).double()
    with torch.no_grad():
        flow.values.bias[0], flow.values.bias[1] = -1e6, 1e6
    assert flow(torch.zeros(1, 1).double())[1].item() == pytest.approx(math.log(0.1), abs=1e-6)


@pytest.mark.parametrize("n_hidden_layers", [1, 2, 3])
@pytest.mark.parametrize("context", [0, 2])
def test_one_autoregressive_step_hears_all_earlier_dimensions_and_no_later_one(n_hidden_layers, context):
    flow = unsettled(IAF(6, context, n_steps=1, hidden=24, n_hidden_layers=n_hidden_layers), 0.3).double()
    steer = torch.randn(1, context).double() if context else None
    seen = jacobian(lambda row: flow(row, steer), 6)
    assert torch.equal(seen, seen.tril())
    assert (seen.abs() > 1e-9).sum() == 21


def test_steps_count_from_both_ends_in_turn():
    flow = unsettled(IAF(6, 0, n_steps=2, hidden=24), 0.3).double()
    assert (jacobian(flow, 6).abs() > 1e-9).all()
    with torch.no_grad():
        for tensor in (flow.layers[-1].weight, flow.layers[-1].bias):
            tensor[0] = 0.0
    seen = jacobian(flow, 6)
    assert torch.equal(seen, seen.triu())


def test_the_context_reaches_every_dimension_of_a_step():
    flow = unsettled(IAF(6, 2, n_steps=1, hidden=24), 0.3).double()
    x = torch.randn(1, 6).double()
    by_context = torch.autograd.functional.jacobian(lambda h: flow(x, h)[0][0], torch.randn(1, 2).double())
    assert (by_context.abs() > 1e-9).all()


@pytest.mark.parametrize("context", [0, 3])
def test_a_step_is_zukos_autoregressive_transform_of_the_same_net(context, zuko_transforms):
    flow = unsettled(IAF(5, context, n_steps=1, hidden=20), 0.3).double()
    x = torch.randn(7, 5).double()
    steer = torch.randn(7, context).double() if context else None

    def affine(earlier):
        _, ((net, added),) = flow._prepared(earlier, steer)
        log_scale, shift = flow._chosen_by(earlier, net, added)
        return zuko_transforms.DependentTransform(AffineTransform(shift, log_scale.exp()), 1)

    transform = zuko_transforms.AutoregressiveTransform(affine, passes=5)
    y, log_abs_det = transform.call_and_ladj(x)
    for ours, theirs in zip(flow(x, steer), (y, log_abs_det), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-12)
    for ours, theirs in zip(flow.inverse(y, steer), transform.inv.call_and_ladj(y), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-12)


def test_the_papers_gate_is_one_of_its_maps():
    flow = IAF(1, 0, n_steps=1, hidden=1).double()
    sigma, m = 0.4, 3.0
    with torch.no_grad():
        raw = 2.0 * math.atanh(math.log(sigma) / 2.0)
        flow.layers[-1].bias.copy_(torch.tensor([[raw, (1 - sigma) * m]]))
    x = torch.randn(9, 1).double()
    y, log_abs_det = flow(x)
    assert torch.allclose(y, sigma * x + (1 - sigma) * m, atol=1e-6)
    assert torch.allclose(log_abs_det, torch.tensor(math.log(sigma)).double(), atol=1e-6)


def test_log_scale_is_clamped_softly():
    flow = IAF(1, 0, n_steps=1)
    with torch.no_grad():
        flow.layers[-1].bias[0, 0] = 1e6
    assert flow(torch.ones(1, 1))[1].item() == pytest.approx(2.0)
