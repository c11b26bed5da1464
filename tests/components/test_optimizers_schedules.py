"""Optimizers against their formulas, schedules against theirs and torch's."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from counting import Operators
from flowvae.testing import optimizer as optimizer_conformance
from flowvae.testing import schedule as schedule_conformance
from flowvae_components.optimizers.adam import adam
from flowvae_components.optimizers.adamw import adamw
from flowvae_components.optimizers.one_count import OneCountAdamW
from flowvae_components.schedules.constant import constant
from flowvae_components.schedules.cosine import cosine
from flowvae_components.schedules.exponential import exponential
from flowvae_components.schedules.inverse import inverse
from flowvae_components.schedules.one_cycle import one_cycle

KEYS = {"lr": 0.1, "betas": (0.5, 0.9), "weight_decay": 0.01, "fused": True}
SCHEDULES = {
    "one_cycle": one_cycle,
    "cosine": cosine,
    "constant": lambda n_steps: constant(),
    "exponential": lambda n_steps: exponential(),
    "inverse": lambda n_steps: inverse(),
}


@pytest.mark.parametrize("make", [adamw, adam])
@pytest.mark.parametrize("check", optimizer_conformance.CHECKS, ids=lambda check: check.__name__)
def test_optimizers_do_what_an_optimizer_must(make, check):
    check(make)


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


def stepped(optimizer, weights, turns):
    for turn in turns:
        for index, weight in enumerate(weights):
            weight.grad = torch.sin((turn + 1 + index) * weight.detach())
        optimizer.step()


def taken_apart(state):
    """As a checkpoint holds it: every tensor for itself."""
    of_each = {i: {name: v.clone() for name, v in kept.items()} for i, kept in state["state"].items()}
    return {**state, "state": of_each}


def test_weights_with_one_count_move_as_torch_moves_them():
    """And keep the same state under the same names, so that either takes up a checkpoint of the other."""
    mine, theirs = ([nn.Parameter(torch.linspace(-1, 1, n)) for n in (3, 40)] for _ in range(2))
    adam, torchs = OneCountAdamW(mine, **KEYS), torch.optim.AdamW(theirs, **KEYS)
    stepped(adam, mine, range(3))
    stepped(torchs, theirs, range(3))
    assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))
    ours, its = adam.state_dict(), torchs.state_dict()
    assert ours["param_groups"] == its["param_groups"]
    for index, kept in its["state"].items():
        assert {name: (v.shape, v.dtype) for name, v in kept.items()} == {
            name: (v.shape, v.dtype) for name, v in ours["state"][index].items()
        }
        assert all(torch.equal(value, ours["state"][index][name]) for name, value in kept.items())
    ours, its = (taken_apart(state) for state in (ours, its))
    adam.load_state_dict(its)
    torchs.load_state_dict(ours)
    stepped(adam, mine, range(3, 6))
    stepped(torchs, theirs, range(3, 6))
    assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))


def test_a_weight_that_rests_keeps_its_count():
    weights = [nn.Parameter(torch.ones(2)) for _ in range(2)]
    adam = OneCountAdamW(weights, **KEYS)
    stepped(adam, weights, range(2))
    weights[1].grad = None
    adam.step()
    assert [float(adam.state[weight]["step"]) for weight in weights] == [3.0, 2.0]
    stepped(adam, weights, range(2))
    assert [float(adam.state[weight]["step"]) for weight in weights] == [5.0, 4.0]


def test_the_count_of_steps_is_one_operator_for_all_weights_after_a_checkpoint_too():
    weights = [nn.Parameter(torch.ones(2)) for _ in range(9)]
    adam = OneCountAdamW(weights, **KEYS)
    stepped(adam, weights, range(2))
    adam.load_state_dict(taken_apart(adam.state_dict()))
    for weight in weights:
        weight.grad = torch.ones(2)
    with Operators() as counter:
        adam.step()
    assert counter.found == {"add": 1, "_fused_adamw_": 1}


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


def test_adam_steps_follow_the_formula():
    weight = nn.Parameter(torch.tensor([[1.0, -2.0], [3.0, 0.5]]).double())
    lr, (b1, b2) = 0.01, (0.5, 0.9)
    optimizer = adam([("w", weight)], lr=lr, betas=(b1, b2))
    w, m, v = weight.detach().clone(), torch.zeros(2, 2).double(), torch.zeros(2, 2).double()
    for step in range(1, 6):
        weight.grad = torch.sin(weight.detach() * step)
        g = torch.sin(w * step)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        w = w - lr * (m / (1 - b1**step)) / ((v / (1 - b2**step)).sqrt() + 1e-8)
        optimizer.step()
        assert torch.allclose(weight, w, atol=1e-12)


def test_adam_pulls_no_weight_towards_zero():
    weight = nn.Parameter(torch.ones(2, 2))
    weight.grad = torch.zeros(2, 2)
    adam([("w", weight)]).step()
    assert torch.equal(weight, torch.ones(2, 2))


@pytest.mark.parametrize("wrong", [{"lr": 0.0}, {"betas": (0.9, 1.0)}, {"betas": (-0.1, 0.9)}], ids=str)
def test_adam_refuses_values_without_meaning_by_name(wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} must"):
        adam([("w", nn.Parameter(torch.ones(2, 2)))], **wrong)


def rates_of_torch(scheduler, n_steps, **keys):
    """What torch's own scheduler gives for a rate of 1."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule, rates = scheduler(optimizer, **keys), []
    for _ in range(n_steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


def test_cosine_is_the_annealing_of_torch():
    factor = cosine(200, final=0.05)
    expected = rates_of_torch(torch.optim.lr_scheduler.CosineAnnealingLR, 201, T_max=200, eta_min=0.05)
    assert [factor(step) for step in range(201)] == pytest.approx(expected, abs=1e-12)


def test_cosine_falls_from_one_past_the_middle_to_its_end_and_stays_there():
    factor = cosine(1000, final=0.2)
    values = [factor(step) for step in range(1001)]
    assert values[0] == 1.0
    assert values[500] == pytest.approx(0.6)
    assert values == sorted(values, reverse=True)
    assert values[1000] == factor(5000) == pytest.approx(0.2)


@pytest.mark.parametrize("n_steps", [1, 2, 1000])
def test_cosine_moves_the_weights_at_every_step_of_a_run(n_steps):
    assert cosine(n_steps)(n_steps - 1) > 0


def test_exponential_is_that_of_torch():
    factor = exponential(gamma=0.97)
    expected = rates_of_torch(torch.optim.lr_scheduler.ExponentialLR, 300, gamma=0.97)
    assert [factor(step) for step in range(300)] == pytest.approx(expected, rel=1e-10)


def test_exponential_leaves_a_fifth_after_the_400_000_steps_of_the_descript_codec():
    assert exponential()(400_000) == pytest.approx(math.exp(400_000 * math.log1p(-4e-6)), rel=1e-9)
    assert exponential()(400_000) == pytest.approx(0.2019, abs=1e-4)


@pytest.mark.parametrize(("step", "expected"), [(0, 0.001), (999, 0.6307), (200_000, 0.7071), (600_000, 0.5)])
def test_inverse_has_the_known_values_of_stable_audio(step, expected):
    assert inverse()(step) == pytest.approx(expected, abs=5e-5)


def test_inverse_with_power_one_halves_the_rate_at_its_scale_and_thirds_it_at_twice_that():
    factor = inverse(decay_steps=50.0, power=1.0, warmup_decay=0.0)
    assert [factor(step) for step in (0, 50, 100)] == pytest.approx([1, 1 / 2, 1 / 3], abs=1e-15)


def test_inverse_warms_up_by_a_share_of_what_is_missing():
    factor = inverse(power=0.0, warmup_decay=0.75)
    missing = [1 - factor(step) for step in range(20)]
    assert missing[0] == 0.75
    assert [after / before for before, after in pairwise(missing)] == pytest.approx([0.75] * 19, rel=1e-9)


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (lambda **keys: cosine(**{"n_steps": 10, **keys}), {"n_steps": 0}),
        (lambda **keys: cosine(**{"n_steps": 10, **keys}), {"final": 1.1}),
        (exponential, {"gamma": 0.0}),
        (exponential, {"gamma": 1.01}),
        (inverse, {"decay_steps": 0.0}),
        (inverse, {"power": -0.5}),
        (inverse, {"warmup_decay": 1.0}),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_schedules_refuse_values_without_meaning_by_name(make, wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} must"):
        make(**wrong)
