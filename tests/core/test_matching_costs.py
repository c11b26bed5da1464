"""Widths by what models really cost, as the process finds them that an ablation asks."""

import signal

import pytest

from conftest import TINY
from flowvae.folder.matched import Matching
from flowvae.probe import relative_cost
from flowvae.probe.matching import main
from flowvae.probe.probe import probe
from flowvae.probe.relative_cost import TimedSteps, Workshop, timed
from flowvae.recipe import read_recipe, resolve
from flowvae.recipe.writing import write_recipe
from tiers import swept

WIDTH = "model.decoder.width"
BASELINE = (*TINY, f"{WIDTH}=12")
LATER = ("adversarial.from_step=2", "adversarial.warmup_steps=0", "adversarial.hears_samples=4096")
DEARER = (*BASELINE, "model.decoder.dilations=[1, 3, 9, 27]")


def recipe(catalogue, settings):
    return resolve(read_recipe("percussion_small", settings), catalogue)


@pytest.fixture
def matched(catalogue, tmp_path):
    def matched(what, by=WIDTH, arm=DEARER):
        for name, settings in (("plain", BASELINE), ("arm", arm)):
            (tmp_path / f"{name}.toml").write_text(write_recipe(recipe(catalogue, settings)))
        Matching(by, what, "plain", {"arm": "key"}, ()).write(tmp_path)
        status = main(tmp_path)
        return status, Matching.read(tmp_path).found.get("arm")

    return matched


@pytest.mark.parametrize(
    ("what", "counted"), swept([("multiply_adds", "macs_per_second"), ("parameters", "parameters")])
)
def test_no_other_width_comes_nearer_by_what_the_probe_counts(matched, catalogue, what, counted):
    status, found = matched(what)
    assert status == 0
    costs = {
        width: getattr(probe(recipe(catalogue, (*DEARER, f"{WIDTH}={width}")), catalogue), counted)
        for width in range(found.width - 1, found.width + 2)
    }
    baseline = getattr(probe(recipe(catalogue, BASELINE), catalogue), counted)
    assert min(costs, key=lambda width: abs(costs[width] - baseline)) == found.width < 12
    assert found.ratio == costs[found.width] / baseline
    assert found.is_near


def test_widths_that_a_component_refuses_are_gone_past_and_said(matched):
    status, found = matched("parameters", by="model.decoder.kernel_size")
    assert status == 0
    assert found.width % 2
    assert found.refused
    assert not any(width % 2 for width in found.refused)
    assert f"(refused: {found.refused[0]}" in found.said


def test_an_arm_that_no_width_saves_is_a_fault_with_the_reason(matched, capsys):
    status, found = matched("parameters", arm=(*BASELINE, "model.decoder.kernel_size=4"))
    assert (status, found) == (2, None)
    said = capsys.readouterr().out
    assert "ablation.match.by" in said
    assert "arm takes no model.decoder.width from 1 to 24: " in said


def test_time_is_told_with_its_spread(matched, monkeypatch):
    monkeypatch.setattr(relative_cost, "ROUNDS", 3)  # the fewest that have quartiles apart from their median
    status, found = matched("seconds")
    assert status == 0
    assert found.least < found.ratio < found.most
    assert "quartiles" in found.said


def test_steps_of_every_phase_are_timed_by_their_share(catalogue, monkeypatch):
    adversarial = resolve(
        read_recipe("percussion_small_adversarial", (*TINY, *LATER)),
        catalogue,
    )
    steps = TimedSteps(adversarial)
    assert steps.seconds() > 0
    monkeypatch.setattr(
        steps, "_step", lambda phase: {"representation": 30.0, "adversarial": 60.0}[phase.name]
    )
    assert steps.seconds() == pytest.approx(30 * 2 / 6 + 60 * 4 / 6)


def test_the_median_of_the_rounds_is_the_ratio(catalogue, monkeypatch):
    baseline, arm = recipe(catalogue, BASELINE), recipe(catalogue, DEARER)
    factors = iter([100.0, 1.2, 1.3, 1.1, 1.2, 9.0, 1.2, 1.2, 1.4, 1.1])
    cost_of = timed(baseline, Workshop(catalogue))

    def seconds(steps):
        dearer = len(steps._parts.recipe.model.decoder.values["dilations"]) > 2
        return next(factors) if dearer else 1.0

    monkeypatch.setattr(TimedSteps, "seconds", seconds)
    cost = cost_of(arm)
    assert cost.ratio == 1.2
    assert cost.least < 1.2 < cost.most < 9


def test_timing_may_take_longer_than_building_may(catalogue, monkeypatch):
    """The limits of building end a process that hangs there; steps of a large model take what they take."""
    baseline, within = recipe(catalogue, BASELINE), []
    cost_of = timed(baseline, Workshop(catalogue))

    def seconds(_steps):
        within.append(signal.getitimer(signal.ITIMER_REAL)[0])
        return 1.0

    monkeypatch.setattr(TimedSteps, "seconds", seconds)
    assert cost_of(baseline).ratio == 1
    assert len(within) == 20
    assert not any(within)
