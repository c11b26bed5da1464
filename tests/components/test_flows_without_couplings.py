"""IAF, planar and Sylvester flows: what holds for all three, and that posteriors and priors learn with them."""

import math

import pytest
import torch

from flowvae.testing.properties import unsettled
from flowvae_components.flows.iaf import IAF
from flowvae_components.flows.planar import Planar
from flowvae_components.flows.steering import OF_A_POSTERIOR
from flowvae_components.flows.sylvester import Sylvester
from flowvae_components.posteriors.flow import FlowPosterior
from flowvae_components.priors.flow import FlowPrior
from short_runs import training_of

FLOWS = {"iaf": IAF, "planar": Planar, "sylvester": Sylvester}
FAR = {IAF: 0.3, Planar: 3.0, Sylvester: 4.0}
"""Changes of the weights that take each of them far from its start, though a single dimension leaves little to bend."""
every_flow = pytest.mark.parametrize("make", FLOWS.values(), ids=FLOWS)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def noise_for(features, context, items=9, dtype=torch.float64):
    x = torch.randn(items, features, dtype=dtype)
    return x, torch.randn(items, context, dtype=dtype) if context else None


def away(flow, size):
    """As far from its start as a posterior's flow: one without a context, which is a prior's, would go ten times as far."""
    if flow.context:
        return unsettled(flow, size)
    if hasattr(flow, "values"):
        return unsettled(flow, size * OF_A_POSTERIOR)
    with torch.no_grad():
        for weight in unsettled(flow, size).layers[-1].parameters():
            weight.mul_(OF_A_POSTERIOR)
    return flow


def far(make, features, context, **values):
    return away(make(features, context, **values), FAR[make]).double()


@every_flow
@pytest.mark.parametrize(("features", "context"), [(1, 0), (1, 3), (2, 0), (7, 3), (64, 5)])
@pytest.mark.parametrize("size", [1.0, 1e3, 1e-30])
def test_a_new_flow_is_the_identity_to_the_last_bit(make, features, context, size):
    x, steer = noise_for(features, context, dtype=torch.float32)
    y, log_abs_det = make(features, context)(size * x, steer)
    assert torch.equal(y, size * x)
    assert torch.equal(log_abs_det, torch.zeros(9))


@every_flow
@pytest.mark.parametrize(("features", "context"), [(1, 2), (2, 0), (3, 2), (8, 2), (8, 0)])
def test_log_abs_det_is_that_of_autograds_jacobian(make, features, context):
    flow = far(make, features, context)
    x, steer = noise_for(features, context, 1)
    y, log_abs_det = flow(x, steer)
    jacobian = torch.autograd.functional.jacobian(lambda row: flow(row[None], steer)[0][0], x[0])
    assert (y - x).abs().max() > 0.1
    assert log_abs_det.abs() > 1e-2
    assert torch.allclose(log_abs_det[0], torch.linalg.slogdet(jacobian).logabsdet, atol=1e-10)


@every_flow
@pytest.mark.parametrize("items", [1, 32])
@pytest.mark.parametrize(("features", "context"), [(1, 0), (1, 3), (8, 0), (64, 0), (64, 3)])
def test_the_inverse_is_exact_in_double_precision(make, features, context, items):
    flow = far(make, features, context)
    x, steer = noise_for(features, context, items)
    y, there = flow(x, steer)
    back, home = flow.inverse(y, steer)
    assert (y - x).abs().max() > 1e-2
    assert (x - back).abs().max() < 1e-10
    assert torch.allclose(there, -home, atol=1e-10)


@every_flow
@pytest.mark.parametrize(("features", "context"), [(1, 0), (8, 3), (64, 0), (64, 3)])
def test_the_inverse_is_good_to_1e_5_in_single_precision(make, features, context):
    flow = away(make(features, context), FAR[make] / 3)
    x, steer = noise_for(features, context, 32, torch.float32)
    y, there = flow(x, steer)
    back, home = flow.inverse(y, steer)
    assert (y - x).abs().max() > 1e-2
    assert (x - back).abs().max() < 1e-5
    assert torch.allclose(there, -home, atol=1e-4)


@every_flow
def test_the_way_back_has_the_gradient_of_an_inverse(make):
    flow = far(make, 3, 2)
    x, steer = noise_for(3, 2, 1)

    def around(x, steer):
        return flow.inverse(flow(x, steer)[0], steer)[0]

    by_x, by_steer = torch.autograd.functional.jacobian(around, (x, steer))
    assert torch.allclose(by_x.reshape(3, 3), torch.eye(3).double(), atol=1e-8)
    assert by_steer.abs().max() < 1e-8


@every_flow
def test_log_abs_det_of_the_way_back_has_the_gradient_of_its_opposite(make):
    flow = far(make, 3, 2)
    x, steer = noise_for(3, 2, 4)
    y, there = flow(x, steer)
    expected = torch.autograd.grad(-there.sum(), list(flow.parameters()), retain_graph=True)
    _, home = flow.inverse(y, steer)
    # At the fixed x that y came of, and not at the fixed y: the way there is part of the gradient.
    seen = torch.autograd.grad(home.sum(), list(flow.parameters()))
    assert all(torch.allclose(one, other, atol=1e-8) for one, other in zip(seen, expected, strict=True))


@every_flow
@pytest.mark.parametrize("features", [1, 4])
def test_each_vector_hears_its_own_context(make, features):
    flow = far(make, features, 3)
    x, steer = noise_for(features, 3)
    other = steer.clone()
    other[0] += 1
    moved = (flow(x, steer)[0] - flow(x, other)[0]).abs().amax(1)
    assert moved[0] > 1e-3
    assert torch.equal(moved[1:], torch.zeros(8).double())


@every_flow
def test_the_density_integrates_to_one(make):
    flow = far(make, 2, 0)
    line = torch.linspace(-12, 12, 241, dtype=torch.float64)
    grid = torch.cartesian_prod(line, line)
    with torch.no_grad():
        u, log_abs_det = flow(grid)
    log_prob = -0.5 * u.square().sum(-1) - math.log(2 * math.pi) + log_abs_det
    assert (u - grid).abs().max() > 0.5
    assert abs(log_prob.exp().sum() * 0.1**2 - 1) < 1e-2


@every_flow
@pytest.mark.parametrize("size", [1e3, 1.0, 1e-30, 0.0])
@pytest.mark.parametrize("features", [1, 64])
def test_extreme_vectors_and_contexts_stay_finite(make, features, size):
    flow = unsettled(make(features, 3), FAR[make])
    x, steer = noise_for(features, 3, 4, torch.float32)
    x, steer = (size * x).requires_grad_(), (size * steer).requires_grad_()
    for way in (flow, flow.inverse):
        y, log_abs_det = way(x, steer)
        gradients = torch.autograd.grad(
            y.sin().sum() + log_abs_det.sum(), [x, steer, *flow.parameters()], materialize_grads=True
        )
        assert all(bool(numbers.isfinite().all()) for numbers in (y, log_abs_det, *gradients))


@every_flow
def test_context_is_asked_for(make):
    with pytest.raises(ValueError, match=r"context must be \(b, 3\)"):
        make(4, 3)(torch.zeros(1, 4))
    with pytest.raises(ValueError, match="context must be"):
        make(4, 0).inverse(torch.zeros(1, 4), torch.zeros(1, 3))


COUNTS = {
    IAF: ("n_steps", "hidden", "n_hidden_layers"),
    Planar: ("n_layers",),
    Sylvester: ("n_layers", "n_directions", "n_reflections"),
}


@pytest.mark.parametrize(("make", "name"), [(make, name) for make, names in COUNTS.items() for name in names])
def test_counts_below_one_are_refused_by_name(make, name):
    with pytest.raises(ValueError, match=f"^{name} must be at least 1, got 0"):
        make(4, 0, **{name: 0})


def test_a_bound_without_room_is_refused():
    with pytest.raises(ValueError, match=r"^max_log_scale must be above 0, got 0"):
        IAF(4, 0, max_log_scale=0.0)


@every_flow
def test_a_posterior_and_a_prior_learn_with_it(make):
    """Sounds of two kinds, whose latent vectors a posterior has to keep apart and a prior has to find."""
    posterior, prior = FlowPosterior(6, 2, flow=make), FlowPrior(2, flow=make)
    weights = [*posterior.parameters(), *prior.parameters()]
    start = [weight.detach().clone() for weight in weights]
    optimizer = torch.optim.Adam(weights, 1e-2)
    features = torch.randn(2, 6).repeat(16, 1)
    target = features[:, :2]
    costs = []
    for _ in range(40):
        latent, log_prob = posterior(features).rsample_and_log_prob()
        kl = (log_prob - prior().log_prob(latent)).mean()
        cost = 10 * (latent - target).square().mean() + kl
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
        costs.append(cost.item())
    assert sum(costs[-10:]) < sum(costs[:10]) - 10
    assert not [old for old, new in zip(start, weights, strict=True) if torch.equal(old, new)]
    assert prior().sample(torch.Size((5,))).isfinite().all()


@pytest.mark.parametrize("name", FLOWS)
def test_a_recipe_trains_with_it_on_both_sides(name, tiny, catalogue):
    settings = (f'defaults.flow={{ use = "{name}" }}', "model.posterior=flow", "model.prior=flow")
    training = training_of((*tiny, *settings), catalogue)
    flows = [training.model.posterior.flow, training.model.prior.flow]
    assert all(isinstance(flow, FLOWS[name]) for flow in flows)
    before = [{key: tensor.clone() for key, tensor in flow.state_dict().items()} for flow in flows]
    values = training.step(0)
    assert all(math.isfinite(value) for value in values.values())
    for flow, old in zip(flows, before, strict=True):
        assert any(not torch.equal(tensor, old[key]) for key, tensor in flow.state_dict().items())
