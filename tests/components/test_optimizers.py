"""torch's other optimizers as components: each against its formula, written out."""

import pytest
import torch
from torch import nn

from flowvae.contracts import Refused
from flowvae.testing import optimizer as conformance
from flowvae_components.optimizers.adamax import adamax
from flowvae_components.optimizers.nadam import nadam
from flowvae_components.optimizers.radam import radam
from flowvae_components.optimizers.rmsprop import rmsprop
from flowvae_components.optimizers.sgd import sgd

ALL = (adamax, nadam, radam, rmsprop, sgd)


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_they_do_what_an_optimizer_must(make, check):
    check(make)


def sgd_by_hand(t, g, kept):
    m = kept.get("m")
    kept["m"] = g if m is None else 0.9 * m + g
    return kept["m"]


def rmsprop_by_hand(t, g, kept):
    kept["v"] = 0.99 * kept.get("v", 0) + 0.01 * g**2
    return g / (kept["v"].sqrt() + 1e-8)


def adamax_by_hand(t, g, kept):
    kept["m"] = 0.9 * kept.get("m", 0) + 0.1 * g
    kept["u"] = torch.maximum(0.999 * kept.get("u", torch.zeros_like(g)), g.abs() + 1e-8)
    return kept["m"] / ((1 - 0.9**t) * kept["u"])


def moments(t, g, kept):
    kept["m"] = 0.9 * kept.get("m", 0) + 0.1 * g
    kept["v"] = 0.999 * kept.get("v", 0) + 0.001 * g**2
    return kept["m"], (kept["v"] / (1 - 0.999**t)).sqrt()


def radam_by_hand(t, g, kept):
    m, size = moments(t, g, kept)
    most = 2 / (1 - 0.999) - 1
    known = most - 2 * t * 0.999**t / (1 - 0.999**t)
    mean = m / (1 - 0.9**t)
    if known <= 5:
        return mean
    share = ((known - 4) * (known - 2) * most / ((most - 4) * (most - 2) * known)) ** 0.5
    return mean * share / size


def nadam_by_hand(t, g, kept):
    m, size = moments(t, g, kept)
    now, then = (0.9 * (1 - 0.5 * 0.96 ** (0.004 * k)) for k in (t, t + 1))
    kept["U"] = kept.get("U", 1.0) * now
    return (then * m / (1 - kept["U"] * then) + (1 - now) * g / (1 - kept["U"])) / size


BY_HAND = {
    sgd: sgd_by_hand,
    rmsprop: rmsprop_by_hand,
    adamax: adamax_by_hand,
    radam: radam_by_hand,
    nadam: nadam_by_hand,
}


@pytest.mark.parametrize("make", ALL)
def test_steps_follow_the_formula(make):
    weight = nn.Parameter(torch.tensor([[1.0, -2.0], [3.0, 0.5]]).double())
    optimizer = make([("w", weight)], lr=0.01)
    w, kept = weight.detach().clone(), {}
    for t in range(1, 13):  # radam knows enough from its sixth step on
        weight.grad = torch.sin(weight.detach() * t)
        w = w - 0.01 * BY_HAND[make](t, torch.sin(w * t), kept)
        optimizer.step()
        assert torch.allclose(weight, w, rtol=1e-5, atol=1e-7), t


@pytest.mark.parametrize("make", ALL)
def test_values_without_meaning_are_refused_by_name(make):
    other = {"sgd": {"momentum": 1.0}, "rmsprop": {"smoothing": 1.0}}.get(
        make.__name__, {"betas": (1.0, 0.9)}
    )
    for wrong in ({"lr": 0.0}, other):
        with pytest.raises(Refused) as caught:
            make([("w", nn.Parameter(torch.zeros(1)))], **wrong)
        assert caught.value.key == next(iter(wrong))
