"""What an arm changes beside what is varied is flagged, and its reason stands beside it."""

import json

import pytest
from attrs import fields

from conftest import TINY
from flowvae.ablation.drive import run_recipe
from flowvae.ablation.one_factor import second_factors
from flowvae.errors import RecipeError
from flowvae.folder.plan_records import Plan
from flowvae.probe.probe import probe
from flowvae.recipe import plan_ablation, read_recipe
from flowvae.report import write
from flowvae.report.write import Pictures
from two_players import in_this_process

TEXT = """extends = "percussion_small"
[ablation]
question = "Is a wider code better?"
metric = "spectral_distance"
seeds = 1
reasons = {{ {reasons} }}
[ablation.vary]
"model.latent_dim" = [4, 16]
"""
NAME = "16"


@pytest.fixture
def here(monkeypatch):
    """Probes and runs in this process, and draws nothing: others would load torch, and this is of words."""
    in_this_process(monkeypatch)
    monkeypatch.setattr(write, "_draw", lambda *_: Pictures(*[None] * len(fields(Pictures))))


def run(write, tmp_path, catalogue, reasons):
    said = []
    settings = (*(s for s in TINY if "latent_dim" not in s), "train.steps=1", "evaluation.every=1")
    source = read_recipe(write("wide.toml", TEXT.format(reasons=reasons)), settings)
    page = run_recipe(source, tmp_path / "out", said.append, catalogue)
    return said, page


@pytest.mark.usefixtures("here")
def test_a_larger_arm_is_flagged_in_the_run_the_plan_the_ledger_and_the_page(write, tmp_path, catalogue):
    said, page = run(write, tmp_path, catalogue, "")
    small, large = Plan.read(page.parent).arms
    assert small.flags == ()
    assert f"more weights: {small.parameters:,.0f} -> {large.parameters:,.0f}" in large.flags[0]
    assert f"    flagged: it {large.flags[0]}" in said
    assert any("no reason given" in line for line in said)
    assert "No reason is given." in page.read_text()

    said, page = run(write, tmp_path, catalogue, f'{large.name} = "the length is the question"')
    assert "    reason: the length is the question" in said
    plan = json.loads((page.parent / "plan.json").read_text())
    assert plan["arms"][1]["reason"] == "the length is the question"
    assert f"reason for {large.name}" in [entry["what"] for entry in plan["ledger"]]
    words = page.read_text()
    assert "The reason given: the length is the question." in words
    assert "No reason is given." not in words


def test_a_reason_for_an_arm_that_is_not_there_is_refused_with_its_place(write, catalogue):
    with pytest.raises(RecipeError) as caught:
        plan_ablation(read_recipe(write("wide.toml", TEXT.format(reasons='wider = "because"'))), catalogue)
    (fault,) = caught.value.faults
    assert "there is no arm wider" in fault.what
    assert fault.place.line == 6


@pytest.mark.parametrize(
    ("varied", "words"),
    [
        ('"model.channels" = [1, 2]', "more multiply-adds a second of audio"),
        ('"model.n_samples" = [4096, 8192]', "hears another span of a sound at once: 4,096 -> 8,192 samples"),
    ],
)
def test_an_arm_that_is_dearer_or_hears_more_is_flagged(write, catalogue, varied, words):
    text = TEXT.format(reasons="").replace('"model.latent_dim" = [4, 16]', varied)
    settings = tuple(s for s in TINY if "n_samples=" not in s)
    plan = plan_ablation(read_recipe(write("other.toml", text), settings), catalogue)
    before, after = (probe(arm.recipe, catalogue) for arm in plan.arms)
    assert any(words in flag for flag in second_factors(plan, plan.arms[1], before, after))
    assert second_factors(plan, plan.arms[0], before, before) == ()
