"""Nats a sound: closed where torch knows them, estimated elsewhere, some of them free; and their weight over a run."""

from functools import partial

import pytest
import torch

from flowvae.building.parts import Parts
from flowvae.recipe import read_recipe, resolve
from flowvae.testing import regularizer as conformance
from flowvae_components.distributions.diagonal_normal import DiagonalNormal
from flowvae_components.distributions.full_normal import FullNormal
from flowvae_components.flows.real_nvp import RealNVP
from flowvae_components.priors.flow import FlowPrior
from flowvae_components.priors.standard_normal import StandardNormalPrior
from flowvae_components.regularizers.free_bits import FreeBits
from flowvae_components.regularizers.kl import KL
from flowvae_components.schedules.cyclic import cyclic
from short_runs import training_of


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def priced(kl, posterior, prior):
    return kl(posterior, prior, *posterior.rsample_and_log_prob())


@pytest.mark.parametrize(
    "make", [KL, FreeBits, partial(KL, schedule=cyclic), partial(FreeBits, schedule=cyclic)]
)
@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_regularizers_do_what_a_regularizer_must(make, check):
    check(make)


def test_closed_form_is_the_mean_of_the_estimates():
    mean, scale = torch.randn(1, 3).double(), torch.rand(1, 3).double() + 0.2
    prior = StandardNormalPrior(3).double()()
    closed = priced(KL(10), DiagonalNormal(mean, scale), prior).item()
    many = DiagonalNormal(mean.expand(100_000, -1), scale.expand(100_000, -1))
    latent, log_prob = many.rsample_and_log_prob()
    estimates = log_prob - prior.log_prob(latent)
    assert abs(closed - estimates.mean().item()) < 3 * estimates.std().item() / 100_000**0.5


def test_closed_form_is_used_where_there_is_one():
    posterior, prior = DiagonalNormal(torch.ones(4, 3), torch.ones(4, 3)), StandardNormalPrior(3)()
    assert priced(KL(10), posterior, prior).item() == pytest.approx(
        1.5, abs=1e-6
    )  # no noise of a sample in it


def test_estimate_is_taken_at_the_vector_that_is_decoded():
    prior = FlowPrior(3, flow=partial(RealNVP, hidden=8))()
    posterior = DiagonalNormal(torch.zeros(4, 3), torch.full((4, 3), 0.5))
    latent, log_prob = posterior.rsample_and_log_prob()
    expected = (log_prob - prior.log_prob(latent)).mean()
    assert torch.equal(KL(10)(posterior, prior, latent, log_prob), expected)


def test_estimates_below_zero_count():
    prior = FlowPrior(3, flow=partial(RealNVP, hidden=8))()  # the identity: the same as the posterior below
    posterior = DiagonalNormal(torch.zeros(4, 3), torch.ones(4, 3))
    latent = torch.zeros(4, 3)
    price = KL(10)(posterior, prior, latent, posterior.log_prob(latent) - 1)
    assert price.item() == pytest.approx(-1.0, abs=1e-5)


def test_free_bits_are_a_floor_on_the_mean_over_the_batch():
    prior = StandardNormalPrior(1)()
    mean = torch.tensor([[0.0], [2.0]], requires_grad=True)  # 0 and 2 nats, 1 in the mean
    scale = torch.ones(2, 1)
    above = priced(KL(10, free_bits=0.5), DiagonalNormal(mean, scale), prior)
    assert above.item() == pytest.approx(1.0, abs=1e-6)
    below = priced(KL(10, free_bits=3.0), DiagonalNormal(mean, scale), prior)
    assert below.item() == 3.0
    assert torch.autograd.grad(below, mean)[0].abs().sum() == 0


def test_beta_rises_on_a_line_and_stays():
    kl = KL(1000, beta=0.5, warmup=0.2)
    assert kl.beta(0) == pytest.approx(0.5 / 200)
    assert kl.beta(99) == pytest.approx(0.25)
    assert kl.beta(199) == kl.beta(200) == kl.beta(999) == 0.5


def test_beta_is_whole_from_the_first_step_without_warmup():
    assert KL(1000, beta=0.5, warmup=0.0).beta(0) == 0.5


def with_nats(*nats):
    """A posterior with so many nats in each dimension, over a standard normal prior."""
    return DiagonalNormal(
        (2 * torch.tensor(nats)).sqrt().requires_grad_(), torch.ones(len(nats), len(nats[0]))
    )


def test_free_bits_have_the_known_price():
    prior = StandardNormalPrior(3)()
    assert priced(FreeBits(10, nats_a_dimension=0.25), with_nats([0.01, 0.2, 1.5]), prior).item() == (
        pytest.approx(2.0, abs=1e-6)
    )


def test_free_bits_are_taken_of_each_dimension_after_the_mean_over_the_batch():
    posterior = with_nats([0.0, 0.0, 3.0], [0.4, 0.1, 1.0])  # 0.2, 0.05 and 2 in the mean
    price = priced(FreeBits(10, nats_a_dimension=0.1), posterior, StandardNormalPrior(3)())
    assert price.item() == pytest.approx(0.2 + 0.1 + 2.0, abs=1e-6)
    pull = torch.autograd.grad(price, posterior.base_dist.loc)[0]
    assert pull[:, 1].abs().sum() == 0
    assert pull[1, 0] > 0


def test_without_free_bits_the_price_is_the_kl():
    posterior, prior = DiagonalNormal(torch.randn(5, 3), torch.rand(5, 3) + 0.1), StandardNormalPrior(3)()
    free = priced(FreeBits(10, nats_a_dimension=0.0), posterior, prior)
    assert free.item() == pytest.approx(priced(KL(10), posterior, prior).item(), rel=1e-6)


def test_free_bits_are_a_floor_on_the_total_where_dimensions_have_no_share():
    posterior = with_nats([0.0, 0.0, 3.0], [0.0, 0.0, 1.0])  # 2 nats, all in one dimension
    full = FullNormal(torch.zeros(3), torch.eye(3))
    assert priced(FreeBits(10, nats_a_dimension=0.5), posterior, full).item() == pytest.approx(2.0, abs=1e-5)
    below = priced(FreeBits(10, nats_a_dimension=0.7), posterior, full)
    assert below.item() == pytest.approx(2.1, abs=1e-5)
    flow = FlowPrior(3, flow=partial(RealNVP, hidden=8))()  # the identity
    latent, log_prob = posterior.rsample_and_log_prob()
    estimate = (log_prob - flow.log_prob(latent)).mean()
    free = FreeBits(10, nats_a_dimension=0.001)(posterior, flow, latent, log_prob)
    assert free.item() == pytest.approx(max(estimate.item(), 0.003), rel=1e-6)


@pytest.mark.parametrize("kl", [KL(8, beta=0.5, warmup=0.0), FreeBits(8, beta=0.5)], ids=["kl", "free_bits"])
def test_beta_stays_without_a_schedule(kl):
    assert {kl.beta(step) for step in range(8)} == {0.5}


def test_a_schedule_multiplies_beta_and_its_warmup():
    kl = KL(8, beta=0.5, warmup=1.0, schedule=partial(cyclic, n_cycles=2))
    assert [kl.beta(step) for step in range(8)] == [
        0.5 * (step + 1) / 8 * cyclic(8, n_cycles=2)(step) for step in range(8)
    ]


@pytest.mark.parametrize("use", ['"kl", warmup = 0.0', '"free_bits"'])
def test_beta_of_a_recipe_rises_as_that_of_rave(tiny, catalogue, use):
    keys = f'regularizer={{ use = {use}, beta = 0.05, schedule = {{ use = "log_linear", start = 2e-5 }} }}'
    recipe = resolve(read_recipe("percussion_small", (*tiny, keys, "train.steps=20000")), catalogue)
    beta = Parts(recipe, 0).regularizer.beta
    known = [1e-6, 1.5e-5, 2.2e-4, 3.3e-3, 5e-2]
    assert [beta(step) for step in (0, 5_000, 10_000, 15_000, 20_000)] == pytest.approx(known, rel=0.02)


def test_a_training_pays_by_the_schedule_of_its_regularizer(tiny, catalogue):
    keys = 'regularizer={ use = "kl", beta = 1.0, warmup = 0.0, schedule = { use = "linear", start = 0.0, end = 1.0 } }'
    training = training_of((*tiny, keys), catalogue)
    weights = {name: part.extras["weight"] for name, part in training.recipe.losses.items()}
    for step in range(2):
        told = training.step(step)
        apart = sum(weight * told[f"loss/{name}"] for name, weight in weights.items())
        assert (told["loss"] - apart).item() == pytest.approx(
            step / 6 * told["kl"].item(), rel=1e-3, abs=1e-5
        )


def test_a_schedule_of_the_defaults_leaves_the_regularizer_alone(tiny, catalogue):
    recipe = resolve(read_recipe("percussion_small", tiny), catalogue)
    assert recipe.train.schedule.name == "one_cycle"  # from [defaults]
    assert recipe.regularizer.values["schedule"] is None


@pytest.mark.parametrize("wrong", [{"beta": -1.0}, {"nats_a_dimension": -0.1}], ids=str)
def test_free_bits_refuse_values_without_meaning_by_name(wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} must"):
        FreeBits(10, **wrong)


@pytest.mark.parametrize("wrong", [{"beta": -1.0}, {"warmup": 1.5}, {"free_bits": -0.1}], ids=str)
def test_values_without_meaning_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} must"):
        KL(10, **wrong)
