"""Schedules of weights and warm-ups, against the codes they come from and through a recipe."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from flowvae.building.parts import Parts
from flowvae.contracts import Refused
from flowvae.recipe import read_recipe, resolve
from flowvae.testing import schedule as conformance
from flowvae_components.schedules.constant import constant
from flowvae_components.schedules.cosine import cosine
from flowvae_components.schedules.cyclic import cyclic
from flowvae_components.schedules.linear import linear
from flowvae_components.schedules.log_linear import log_linear
from flowvae_components.schedules.one_cycle import one_cycle
from flowvae_components.schedules.warmup import warmup


def warmed(n_steps, then=cosine, **keys):
    return warmup(n_steps, then=then, **keys)


SCHEDULES = {"cyclic": cyclic, "linear": linear, "log_linear": log_linear, "warmup": warmed}


@pytest.mark.parametrize("make", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_schedules_do_what_a_schedule_must(make, check):
    check(make)


@pytest.mark.parametrize(("start", "end"), [(1.0, 0.1), (0.05, 0.8)])
def test_linear_is_that_of_torch(start, end):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    keys = {"start_factor": start, "end_factor": end, "total_iters": 60}
    schedule, rates = torch.optim.lr_scheduler.LinearLR(optimizer, **keys), []
    for _ in range(100):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    factor = linear(100, start=start, end=end, share=0.6)
    assert [factor(step) for step in range(100)] == pytest.approx(rates, abs=1e-12)


def test_linear_by_default_falls_to_a_tenth_over_the_run_as_the_generator_of_rave():
    factor = linear(1000)
    assert [factor(step) for step in (0, 500, 1000, 5000)] == pytest.approx([1.0, 0.55, 0.1, 0.1])


def test_log_linear_has_the_known_values_of_rave():
    """Relative to the 5e-2 at its end: 1e-6, 1.5e-5, 2.2e-4, 3.3e-3, 5e-2 at every quarter of 20,000 batches."""
    factor = log_linear(20_000)
    betas = [5e-2 * factor(step) for step in (0, 5_000, 10_000, 15_000, 20_000, 90_000)]
    assert betas == pytest.approx([1e-6, 1.5e-5, 2.2e-4, 3.3e-3, 5e-2, 5e-2], rel=0.02)
    exact = 1e-6 ** (1 - 0.3) * 5e-2**0.3
    assert 5e-2 * factor(6_000) == pytest.approx(exact, rel=1e-12)


def test_log_linear_takes_its_share_of_the_run():
    factor = log_linear(1000, start=0.01, share=0.2)
    assert [factor(step) for step in (0, 100, 200, 999)] == pytest.approx([0.01, 0.1, 1.0, 1.0])


def cycles_of_fu(n_steps, n_cycles, rise):
    """As in their code, where a cycle begins with 0."""
    values, period = [1.0] * n_steps, n_steps // n_cycles
    for cycle in range(n_cycles):
        value, index = 0.0, 0
        while value <= 1.0 and index < period:
            values[cycle * period + index] = value
            value, index = value + 1 / (period * rise), index + 1
    return values


@pytest.mark.parametrize(("n_cycles", "rise"), [(4, 0.5), (1, 1.0), (5, 0.25)])
def test_cyclic_is_that_of_fu_a_step_earlier(n_cycles, rise):
    factor, theirs = cyclic(400, n_cycles=n_cycles, rise=rise), cycles_of_fu(400, n_cycles, rise)
    period = 400 // n_cycles
    for cycle in range(n_cycles):
        mine = [factor(cycle * period + index) for index in range(period - 1)]
        assert mine == pytest.approx(theirs[cycle * period + 1 : (cycle + 1) * period], abs=1e-9)
        assert factor(cycle * period) == pytest.approx(1 / (period * rise))


def test_cyclic_without_a_rise_stays_at_one():
    assert {cyclic(12, rise=0.0)(step) for step in range(12)} == {1.0}


@pytest.mark.parametrize("then", [cosine, one_cycle, lambda n_steps: linear(n_steps, start=0.4, end=0.0)])
def test_a_warmup_meets_what_follows_where_it_begins(then):
    factor, rest = warmup(100, then=then, steps=20), then(80)
    values = [factor(step) for step in range(100)]
    assert values[20:] == [rest(step) for step in range(80)]
    rises = [values[0], *(values[i + 1] - values[i] for i in range(20))]
    assert rises == pytest.approx([rest(0) / 21] * 21, rel=1e-9)


def test_no_warmup_is_what_follows():
    factor, rest = warmup(50, then=cosine, steps=0), cosine(50)
    assert [factor(step) for step in range(50)] == [rest(step) for step in range(50)]


def test_a_run_that_is_shorter_than_its_warmup_ends_within_it():
    factor = warmup(3, then=lambda n_steps: constant(), steps=7)
    assert [factor(step) for step in range(3)] == [1 / 8, 2 / 8, 3 / 8]


def test_a_schedule_in_a_schedule_is_built_by_the_engine(tiny, catalogue):
    keys = 'train.schedule={ use = "warmup", steps = 2, then = { use = "linear", end = 0.0 } }'
    unused = 'may_be_unused=["defaults.schedule"]'
    factor = Parts(resolve(read_recipe("percussion_small", (*tiny, keys, unused)), catalogue), 0).schedule
    assert [factor(step) for step in range(6)] == pytest.approx([1 / 3, 2 / 3, 1.0, 0.75, 0.5, 0.25])


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (linear, {"start": -0.1}),
        (linear, {"end": 1.1}),
        (linear, {"share": 0.0}),
        (log_linear, {"start": 0.0}),
        (log_linear, {"end": 0.0}),
        (log_linear, {"share": 1.1}),
        (cyclic, {"n_cycles": 0}),
        (cyclic, {"rise": 1.1}),
        (warmed, {"steps": -1}),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_schedules_refuse_values_without_meaning_by_name(make, wrong):
    with pytest.raises(Refused, match=f"^{next(iter(wrong))} must") as no:
        make(10, **wrong)
    assert no.value.key == next(iter(wrong))


@pytest.mark.parametrize("make", [linear, log_linear, cyclic])
def test_a_run_without_steps_has_no_schedule(make):
    with pytest.raises(ValueError, match=r"^n_steps must"):
        make(0)


@pytest.mark.parametrize("n_steps", [8, 9, 10, 11])
def test_a_run_has_no_more_cycles_than_are_asked_for(n_steps):
    factor = cyclic(n_steps, n_cycles=4, rise=1.0)
    factors = [factor(step) for step in range(n_steps)]
    assert 1 + sum(later < earlier for earlier, later in pairwise(factors)) <= 4
