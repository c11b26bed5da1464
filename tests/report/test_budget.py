"""The difference over the steps, from the journals that runs write."""

import numpy as np
import pytest
from scipy import stats

from flowvae.folder.journal import Row
from flowvae.report.budget import over_steps, still_moving
from flowvae.report.comparison import compare
from flowvae.report.reading import read_folder
from flowvae.report.write import write_report
from pretended_runs import BASE, write_tree

STEPS = (0, 125, 250, 375, 500)


@pytest.fixture
def ablation(tmp_path):
    """An ablation whose difference at each validation is known: `by_step` holds a list over the seeds for each step."""

    def make(by_step, **changes):
        folder = write_tree(tmp_path / "runs", [BASE, BASE], n_clips=0, **changes)
        for arm, sign in (("snake", 0), ("leaky_relu", 1)):
            for seed, base in enumerate(BASE):
                rows = [
                    Row(
                        "validation",
                        step,
                        {"metric/spectral_distance": base + 0.1 * step + sign * by_step[step][seed]},
                    )
                    for step in by_step
                ]
                text = "".join(f"{row.line()}\n" for row in rows)
                (folder / f"runs/{arm}/seed-{seed}/metrics.jsonl").write_text(text)
        return folder

    return make


def growth(first, last, noise=0.02):
    rng = np.random.default_rng(0)
    shares = [step / STEPS[-1] for step in STEPS]
    return {
        step: first + (last - first) * share + noise * rng.standard_normal(6)
        for step, share in zip(STEPS, shares, strict=True)
    }


def moving_of(folder):
    read = read_folder(folder)
    return over_steps(read, compare(read), read.plan.primary)


def said(folder):
    read = read_folder(folder)
    return " ".join(finding.text for finding in still_moving(read, compare(read)))


def test_the_difference_is_paired_at_each_validation_and_the_untrained_models_are_left_out(ablation):
    by_step = growth(0.9, 0.5)
    [moving] = moving_of(ablation(by_step))
    assert moving.steps == STEPS[1:]
    for step, paired in zip(moving.steps, moving.paired, strict=True):
        assert paired.differences == pytest.approx(by_step[step])


def test_the_change_since_half_of_the_steps_has_scipys_interval(ablation):
    by_step = growth(0.9, 0.5)
    [moving] = moving_of(ablation(by_step))
    expected = stats.ttest_1samp(by_step[500] - by_step[250], 0).confidence_interval(0.95)
    assert moving.change[0] == 250
    assert moving.change[1] == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(
    ("first", "last", "word"), [(0.9, 0.5, "shrinking"), (0.5, 0.9, "growing"), (0.5, -0.4, "changing sides")]
)
def test_a_difference_that_still_moves_is_said_to(ablation, first, last, word):
    text = said(ablation(growth(first, last)))
    assert f"it was still {word}" in text
    assert "at 250 steps" in text
    assert "holds for 500 steps" in text


def test_a_difference_that_has_come_to_rest_says_nothing(ablation):
    assert said(ablation(growth(0.5, 0.5))) == ""


def test_one_validation_or_two_seeds_say_nothing(ablation):
    last = {500: growth(0.9, 0.5)[500]}
    assert said(ablation(last)) == ""


def test_the_page_shows_the_difference_over_the_steps(ablation):
    page = write_report(ablation(growth(0.9, 0.5))).read_text()
    assert "The paired difference of spectral_distance at each validation" in page
    assert "still shrinking" in page


def with_points(folder, arms):
    """Adds to the journals what runs write between their validations: the same, moved, at twice as many steps."""
    for arm in arms:
        for path in folder.glob(f"runs/{arm}/*/metrics.jsonl"):
            rows = [Row.of_line(line) for line in path.read_text().splitlines()]
            more = [Row("curve", step, rows[-1].figures) for step in range(0, 501, 50)]
            path.write_text("".join(f"{row.line()}\n" for row in [*rows, *more]))


def test_where_all_runs_have_points_between_the_difference_is_taken_there(ablation):
    folder = ablation(growth(0.9, 0.5))
    with_points(folder, ("snake",))
    # Of other sounds than those of the other arm: nothing to subtract.
    assert moving_of(folder)[0].steps == STEPS[1:]
    with_points(folder, ("leaky_relu",))
    [moving] = moving_of(folder)
    assert moving.steps == tuple(range(50, 501, 50))
    assert len({paired.mean for paired in moving.paired}) == 1


def test_a_sentence_on_some_of_the_sounds_says_so(ablation):
    folder = ablation(growth(0.9, 0.5))
    assert "on some of the held-out sounds" not in said(folder)
    for path in folder.glob("runs/*/*/metrics.jsonl"):
        rows = [Row.of_line(line) for line in path.read_text().splitlines()]
        more = [Row("curve", row.step, row.figures) for row in rows]
        path.write_text("".join(f"{row.line()}\n" for row in [*rows, *more]))
    assert "on some of the held-out sounds" in said(folder)
