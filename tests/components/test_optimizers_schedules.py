"""AdamW against its formula, schedules against theirs."""

import math

import pytest
import torch
from torch import nn

from flowvae.testing import optimizer as optimizer_conformance
from flowvae.testing import schedule as schedule_conformance
from flowvae_components.optimizers.adamw import adamw
from flowvae_components.schedules.constant import constant
from flowvae_components.schedules.one_cycle import one_cycle

SCHEDULES = {"one_cycle": one_cycle, "constant": lambda n_steps: constant()}


@pytest.mark.parametrize("check", optimizer_conformance.CHECKS, ids=lambda check: check.__name__)
def test_adamw_does_what_an_optimizer_must(check):
    check(adamw)


@pytest.mark.parametrize("make", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("check", schedule_conformance.CHECKS, ids=lambda check: check.__name__)
def test_schedules_do_what_a_schedule_must(make, check):
    check(make)


def test_steps_follow_the_formula():
    weight = nn.Parameter(torch.tensor([[1.0, -2.0], [3.0, 0.5]]).double())
    lr, (b1, b2), decay = 0.01, (0.8, 0.99), 0.1
    optimizer = adamw([("w", weight)], lr=lr, betas=(b1, b2), weight_decay=decay)
    w, m, v = weight.detach().clone(), torch.zeros(2, 2).double(), torch.zeros(2, 2).double()
    for step in range(1, 6):
        weight.grad = torch.sin(weight.detach() * step)
        g = torch.sin(w * step)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        w = w - lr * (m / (1 - b1**step) / ((v / (1 - b2**step)).sqrt() + 1e-8) + decay * w)
        optimizer.step()
        assert torch.allclose(weight, w, atol=1e-12)


def test_only_weights_that_mix_channels_decay():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.utils.parametrizations.weight_norm(nn.Conv1d(3, 4, 5))
            self.log_alpha = nn.Parameter(torch.zeros(4, 1))
            self.linear = nn.Linear(4, 2)

    model = Model()
    named = list(model.named_parameters())
    decaying = {
        id(parameter)
        for group in adamw(named, weight_decay=0.1).param_groups
        if group["weight_decay"] > 0
        for parameter in group["params"]
    }
    names = {name for name, parameter in named if id(parameter) in decaying}
    assert names == {"conv.parametrizations.weight.original1", "linear.weight"}


def test_one_cycle_rises_to_one_at_its_peak_and_falls_to_its_end():
    factor = one_cycle(1001, warmup=0.1, final=0.05)
    values = [factor(step) for step in range(1001)]
    assert values[0] == pytest.approx(0.05)
    assert values[100] == 1.0
    assert values[1000] == pytest.approx(0.05)
    assert values[:101] == sorted(values[:101])
    assert values[100:] == sorted(values[100:], reverse=True)
    assert values[550] == pytest.approx((1 + 0.05) / 2)
    assert values[50] == pytest.approx(0.05 + 0.95 * (1 - math.cos(math.pi / 2)) / 2)


def test_one_cycle_without_warmup_starts_at_its_height():
    assert one_cycle(10, warmup=0.0)(0) == 1.0


def test_one_cycle_stays_at_its_end_past_the_end():
    factor = one_cycle(10, final=0.2)
    assert factor(9) == factor(10) == factor(500) == pytest.approx(0.2)


def test_constant_is_one():
    assert {constant()(step) for step in (0, 5, 10**9)} == {1.0}


@pytest.mark.parametrize("wrong", [{"lr": 0.0}, {"betas": (0.9, 1.0)}, {"weight_decay": -1.0}], ids=str)
def test_adamw_refuses_values_without_meaning_by_name(wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} must"):
        adamw([("w", nn.Parameter(torch.ones(2, 2)))], **wrong)


@pytest.mark.parametrize("wrong", [{"n_steps": 0}, {"warmup": 1.1}, {"final": -0.1}], ids=str)
def test_one_cycle_refuses_values_without_meaning_by_name(wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} must"):
        one_cycle(**{"n_steps": 10, **wrong})
