"""Main effects and interactions of a crossed ablation, against least squares and against what was put in."""

import itertools

import numpy as np
import pytest
from attrs import evolve

from flowvae.folder.plan_records import Plan
from flowvae.recipe import plan_ablation, read_recipe
from flowvae.report.comparison import compare
from flowvae.report.factors import effects
from flowvae.report.findings import findings
from flowvae.report.headline import headline
from flowvae.report.reading import read_folder
from flowvae.report.write import write_report
from pretended_runs import write_tree

ACT, UP = "defaults.activation", "defaults.upsampler"
FACTORS = {ACT: ("snake", "leaky_relu"), UP: ("transposed_conv", "resize_conv", "subpixel_conv")}
CELLS = list(itertools.product(*FACTORS.values()))


@pytest.fixture
def crossed(tmp_path):
    """A crossed ablation of two and three alternatives; `figure` gives the mean of a cell."""

    def make(figure, noise=0.03, **changes):
        rng = np.random.default_rng(2)
        luck = rng.standard_normal(6)  # of a seed, the same in all cells
        values = [
            [5 + luck[s] + figure(*cell) + noise * rng.standard_normal() for s in range(6)] for cell in CELLS
        ]
        names = ["-".join(cell) for cell in CELLS]
        folder = write_tree(tmp_path / "runs", values, names=names, n_clips=0)
        plan = Plan.read(folder)
        arms = tuple(
            evolve(
                arm,
                changes={
                    path: said
                    for (path, all_), said in zip(FACTORS.items(), cell, strict=True)
                    if said != all_[0]
                },
            )
            for arm, cell in zip(plan.arms, CELLS, strict=True)
        )
        evolve(plan, arms=arms, factors=FACTORS, axes=tuple(FACTORS), **changes).write(folder)
        return folder, np.array(values)

    return make


def additive(activation, upsampler):
    return 0.4 * (activation == "leaky_relu") - 0.3 * (upsampler == "resize_conv")


def dependent(activation, upsampler):
    return additive(activation, upsampler) + 0.5 * (activation == "leaky_relu" and upsampler == "resize_conv")


def found_in(folder):
    return {effect.name: effect for effect in effects(read_folder(folder))}


def test_effects_are_those_of_least_squares(crossed):
    folder, values = crossed(dependent)
    rows = []
    for activation, upsampler in CELLS:  # sum contrasts, so that main effects are means over the other factor
        a = np.array([1.0 if activation == "leaky_relu" else -1.0])
        u = np.array(
            [(upsampler == name) - (upsampler == "transposed_conv") for name in FACTORS[UP][1:]], float
        )
        rows.append(np.concatenate([[1.0], a, u, a * u]))
    fit = np.linalg.lstsq(np.array(rows), values, rcond=None)[0]
    found = found_in(folder)
    assert found["leaky_relu instead of snake"].paired.differences == pytest.approx(2 * fit[1])
    assert found["resize_conv instead of transposed_conv"].paired.differences == pytest.approx(
        2 * fit[2] + fit[3]
    )
    together = found["leaky_relu with resize_conv"].paired.differences
    assert together == pytest.approx(2 * (2 * fit[4] + fit[5]))
    assert len(found) == 1 + 2 + 2


def test_factors_that_add_up_show_no_interaction(crossed):
    folder, _ = crossed(additive)
    words = {name: effect.verdict.word for name, effect in found_in(folder).items()}
    assert words["leaky_relu instead of snake"] == "worse"
    assert words["resize_conv instead of transposed_conv"] == "better"
    assert words["leaky_relu with resize_conv"] == "not shown"
    read = read_folder(folder)
    assert headline(read, compare(read)) == (
        "leaky_relu instead of snake is worse; resize_conv instead of transposed_conv is better, on spectral_distance."
    )


def test_factors_that_act_together_are_said_to(crossed):
    folder, _ = crossed(dependent)
    read = read_folder(folder)
    text = " ".join(finding.text for finding in findings(read, compare(read)))
    assert (
        "What leaky_relu does instead of snake depends on the other factor: with resize_conv instead of"
        in text
    )
    assert "leaky_relu with resize_conv act together" in headline(read, compare(read))


def test_cells_are_not_compared_one_by_one(crossed):
    folder, _ = crossed(dependent)
    assert compare(read_folder(folder)) == ()
    page = write_report(folder).read_text()
    assert "<h3>Factors</h3>" in page
    assert page.count("leaky_relu instead of snake") >= 2


def test_a_seed_that_one_cell_lacks_counts_in_no_effect(crossed):
    folder, _ = crossed(additive)
    (folder / f"runs/{'-'.join(CELLS[3])}/seed-2/result.json").unlink()
    assert {effect.paired.seeds for effect in found_in(folder).values()} == {(0, 1, 3, 4, 5)}


def test_the_engine_plans_the_factors_of_what_is_crossed(catalogue, tmp_path):
    text = (
        'extends = "percussion_small"\n[ablation]\nquestion = "?"\nmetric = "spectral_distance"\ncross = {cross}\n'
        '[ablation.vary]\n"defaults.activation" = ["snake", "leaky_relu"]\n'
        '"defaults.upsampler" = ["transposed_conv", {{ use = "resize_conv", mode = "linear" }}]\n'
    )
    plans = {}
    for cross in ("true", "false"):
        file = tmp_path / f"{cross}.toml"
        file.write_text(text.format(cross=cross))
        plans[cross] = plan_ablation(read_recipe(str(file)), catalogue)
    assert plans["false"].factors == {}
    factors = plans["true"].factors
    assert factors[ACT] == ("snake", "leaky_relu")
    for arm in plans["true"].arms:
        assert all(arm.changes.get(path, said[0]) in said for path, said in factors.items())
