"""An ablation that is run across two budgets, against what was put in: where a verdict holds, and what becomes of it."""

import csv
import json
import re

import numpy as np
import pytest
from scipy import stats

from flowvae.folder.plan_records import Plan
from flowvae.report.across import shifts
from flowvae.report.arm_costs import cost_tables
from flowvae.report.blind.pairs import asked_pairs
from flowvae.report.comparison import compare
from flowvae.report.findings import findings
from flowvae.report.headline import headline
from flowvae.report.number_format import MINUS, percent, signed
from flowvae.report.reading import read_folder
from flowvae.report.tables import figure
from flowvae.report.write import write_report
from flowvae.statistics.joint import joint_sign_flip
from pretended_across import SEEDS, VALUES, VARIANTS, made
from second_statistics import joint


@pytest.fixture
def across(tmp_path):
    """Makes a folder of its own; `name` tells several apart."""
    return lambda figure, name="runs", **changes: made(tmp_path / name, figure, **changes)


@pytest.fixture(scope="module")
def shrunk(tmp_path_factory):
    """A folder whose runs nobody touches, and its figures."""
    return made(tmp_path_factory.mktemp("across") / "runs", shrinking)


def shrinking(variant, value):
    """leaky_relu is worse by 1.0 at the first value, and by 0.3 at the second; elu is the same at both."""
    return {"snake": 0.0, "leaky_relu": 1.0 if value == "100" else 0.3, "elu": 0.0}[variant]


def vanishing(variant, value):
    return 0.6 if (variant, value) == ("leaky_relu", "100") else 0.0


def by_hand(numbers):
    """Every difference and every change, seed by seed, without a word of the report's own code."""
    found = {}
    for variant in VARIANTS[1:]:
        for value in VALUES:
            found[variant, value] = {
                s: numbers[variant, value][s] - numbers["snake", value][s] for s in SEEDS
            }
        found[variant, "change"] = {s: found[variant, "500"][s] - found[variant, "100"][s] for s in SEEDS}
    return found


def read(folder):
    content = read_folder(folder)
    comparisons = compare(content)
    return content, comparisons, shifts(content, comparisons)


def test_arms_are_held_against_the_baseline_of_their_value_and_changes_are_differences_of_those(shrunk):
    folder, numbers = shrunk
    _, comparisons, found = read(folder)
    expected = by_hand(numbers)
    assert len(comparisons) == 4
    for c in comparisons:
        assert c.against.name == f"snake-steps-{c.arm.at}"
        ours = expected[c.arm.variant, c.arm.at]
        assert dict(zip(c.paired.seeds, c.paired.differences, strict=True)) == pytest.approx(ours)
    assert [shift.before.arm.variant for shift in found] == ["leaky_relu", "elu"]
    for shift in found:
        ours = expected[shift.before.arm.variant, "change"]
        assert dict(zip(shift.paired.seeds, shift.paired.differences, strict=True)) == pytest.approx(ours)
        low, high = stats.t.interval(0.95, 5, np.mean([*ours.values()]), stats.sem([*ours.values()]))
        assert shift.paired.interval == pytest.approx((low, high))


def test_comparisons_at_all_values_and_their_changes_are_one_family(shrunk):
    folder, numbers = shrunk
    _, comparisons, found = read(folder)
    expected = joint({str(key): by_seed for key, by_seed in by_hand(numbers).items()})
    ours = {str((c.arm.variant, c.arm.at)): c.joint.p for c in comparisons}
    ours |= {str((shift.before.arm.variant, "change")): shift.joint.p for shift in found}
    assert ours == pytest.approx(expected)


def test_a_difference_that_shrinks_is_told_with_its_size(shrunk):
    folder, _ = shrunk
    content, comparisons, [shift, other] = read(folder)
    assert (shift.is_shown, shift.how, other.is_shown) == (True, "shrinks", False)
    low, high = shift.paired.interval
    assert headline(content, comparisons) == (
        "leaky_relu is worse than snake on spectral_distance at steps = 100 and 500; the difference shrinks by "
        f"{-shift.paired.mean:.3f} ({-high:.3f} to {-low:.3f}). No difference is shown for elu beside snake at any value."
    )
    said = " ".join(finding.text for finding in findings(content, comparisons))
    moved = f"{shift.paired.mean:.3f}".replace("-", MINUS)
    assert (
        f"The difference of leaky_relu from snake shrinks between steps = 100 and 500: spectral_distance {moved}"
        in said
    )
    assert "That the difference of elu from snake changes between steps = 100 and 500 is not shown" in said
    assert "100 or 500 steps each" in said


def test_one_verdict_that_is_reached_and_one_that_is_not_are_no_change_by_themselves(across):
    def faint(variant, value):
        if variant != "leaky_relu":
            return 0.0
        return 0.09 if value == "100" else 0.03

    folder, _ = across(faint)
    content, comparisons, [shift, _] = read(folder)
    words = {(c.arm.variant, c.arm.at): c.verdict.word for c in comparisons}
    assert words["leaky_relu", "100"] != words["leaky_relu", "500"]
    assert not shift.is_shown
    assert "that the difference changes is not shown" in headline(content, comparisons)
    said = " ".join(finding.text for finding in findings(content, comparisons))
    assert "that one verdict was reached and another not is no sign of it" in said


def test_a_verdict_that_holds_at_one_value_is_said_of_that_one(across):
    folder, _ = across(vanishing)
    content, comparisons, _ = read(folder)
    said = headline(content, comparisons)
    assert said.startswith(
        "leaky_relu is worse than snake on spectral_distance at steps = 100, not shown at 500; the"
    )


def test_what_grows_and_what_changes_sides_is_called_so(across):
    growing = across(lambda v, at: (0.2 if at == "100" else 0.9) * (v == "leaky_relu"), name="grows")[0]
    turning = across(lambda v, at: (0.4 if at == "100" else -0.4) * (v == "leaky_relu"), name="turns")[0]
    assert "the difference grows by 0.69" in headline(*read(growing)[:2])
    said = headline(*read(turning)[:2])
    assert "is worse than snake on spectral_distance at steps = 100, better at 500" in said
    assert "the difference changes sides by 0.8" in said


def test_of_three_values_each_later_one_is_held_against_the_first(across):
    size = {"100": 1.0, "300": 0.5, "500": 0.1}
    folder, _ = across(lambda v, at: size[at] * (v == "leaky_relu"), values=tuple(size))
    content, comparisons, found = read(folder)
    assert [shift.values for shift in found[::2]] == [("100", "300"), ("100", "500")]
    assert len(found) == 4
    said = headline(content, comparisons)
    assert "from 100 to 300" in said
    assert "from 100 to 500" in said


def test_pairs_are_held_at_each_value_too(across):
    pairs = tuple((f"leaky_relu-steps-{at}", f"elu-steps-{at}") for at in VALUES)
    _, comparisons, found = read(across(shrinking, pairs=pairs)[0])
    assert [(c.arm.name, c.against.name) for c in comparisons[4:]] == [(b, a) for a, b in pairs]
    assert found[-1].name == "elu beside leaky_relu, 500 less 100"
    assert found[-1].how == "shrinks"


def test_a_difference_that_changes_by_less_than_is_worth_it_is_told(across):
    content, comparisons, found = read(across(vanishing, worthwhile_difference=0.3)[0])
    assert found[1].verdict.word == "equivalent"
    said = " ".join(finding.text for finding in findings(content, comparisons))
    assert (
        "The difference of elu from snake is the same between steps = 100 and 500, but for less than" in said
    )


def test_nothing_is_said_of_a_change_where_an_arm_lost_runs(across):
    folder, _ = across(shrinking)
    run = folder / "runs/snake-steps-500/seed-3"
    (run / "result.json").unlink()
    status = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps({**status, "state": "failed"}))
    _, _, found = read(folder)
    assert {shift.verdict.word for shift in found} == {"not shown"}
    assert all("snake-steps-500 lost runs" in shift.verdict.reason for shift in found)


def test_a_change_waits_for_the_runs_of_both_values(across):
    folder, _ = across(shrinking)
    for file in folder.glob("runs/*-500/seed-*/status.json"):
        status = json.loads(file.read_text())
        file.write_text(json.dumps({**status, "state": "running"}))
        (file.parent / "result.json").unlink()
    content, comparisons, found = read(folder)
    assert [shift.joint for shift in found] == [None, None]
    assert "have not ended yet" in found[0].verdict.reason
    assert "worse than snake on spectral_distance at steps = 100, not shown at 500" in headline(
        content, comparisons
    )


def test_the_page_and_its_files_tell_the_values(shrunk):
    folder, numbers = shrunk
    page = write_report(folder).read_text()
    values = re.findall(r'<tr class="value"><th[^>]*>(train.steps = \d+)', page)
    assert values == ["train.steps = 100", "train.steps = 500"]
    assert "<h3>The difference by train.steps</h3>" in page
    assert "from the baseline at the same value" in page
    expected = by_hand(numbers)
    content = json.loads((folder / "comparisons.json").read_text())
    assert content["across"] == {"path": "train.steps", "values": list(VALUES)}
    assert [arm["at"] for arm in content["arms"]] == ["100"] * 3 + ["500"] * 3
    assert [arm["steps"] for arm in content["arms"]] == [100] * 3 + [500] * 3
    [leaky, _] = content["shifts"]
    assert (leaky["arm"], leaky["against"], leaky["values"]) == ("leaky_relu", "snake", list(VALUES))
    ours = {str(seed): d for seed, d in expected["leaky_relu", "change"].items()}
    assert leaky["paired"]["differences"] == pytest.approx(ours)
    assert leaky["how"] == "shrinks"
    with (folder / "comparisons.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["role"] != "secondary"]
    assert [(row["arm"], row["baseline"], row["at"]) for row in rows[:2]] == [
        ("leaky_relu-steps-100", "snake-steps-100", "100"),
        ("elu-steps-100", "snake-steps-100", "100"),
    ]
    changes = [row for row in rows if row["role"] == "change"]
    assert [(row["arm"], row["baseline"], row["at"]) for row in changes] == [
        ("leaky_relu", "snake", "500 less 100"),
        ("elu", "snake", "500 less 100"),
    ]
    mean = np.mean([*expected["leaky_relu", "change"].values()])
    assert float(changes[0]["mean_difference"]) == pytest.approx(mean)
    assert changes[0]["verdict"] == "better"


def test_a_blind_test_asks_of_arms_at_one_value(shrunk):
    plan = Plan.read(shrunk[0])
    pairs = [("snake-steps-{}", "leaky_relu-steps-{}"), ("snake-steps-{}", "elu-steps-{}")]
    assert asked_pairs(plan, (), 12) == [
        (one.format(at), other.format(at)) for at in VALUES for one, other in pairs
    ]


def test_tables_hold_every_arm_against_the_baseline_of_its_value(shrunk):
    folder, numbers = shrunk
    content = read_folder(folder)
    expected = by_hand(numbers)
    use = cost_tables(content)[1]
    macs = use.names.index("multiply-adds for 1 s of audio")
    for arm in content.plan.alternatives:
        mean = np.mean([*expected[arm.variant, arm.at].values()])
        assert figure(content, arm, content.plan.primary).difference == signed(mean)
    # Each arm of the tree has a tenth of the first one's multiply-adds more than the arm before it.
    changes = {arm.name: use.cells[arm.name][macs].change for arm in content.plan.arms}
    assert changes["leaky_relu-steps-500"] == percent(1.4, 1.3)
    assert changes["snake-steps-500"] == ""


def test_costs_are_held_against_the_baseline_of_the_same_value(shrunk):
    folder, _ = shrunk
    content, comparisons, _ = read(folder)
    said = [f.text for f in findings(content, comparisons) if f.text.startswith("Cost beside")]
    assert [text.partition(":")[0] for text in said] == [f"Cost beside snake-steps-{at}" for at in VALUES]
    assert all(at in text for at, text in zip(VALUES, said, strict=True))


def test_a_change_that_is_not_there_is_claimed_in_at_most_one_of_twenty_ablations():
    """Beside differences that are there, and large: they are claimed, and leave the change to be tested alone."""
    rng, n = np.random.default_rng(0), 1000
    claimed = 0
    for _ in range(n):
        first, later = 3 + rng.standard_normal((2, 6))
        family = [dict(enumerate(map(float, row))) for row in (first, later, later - first)]
        *_, change = joint_sign_flip(family)
        claimed += change.p <= change.level
    assert 0.01 < claimed / n <= 0.05 + 2 * (0.05 * 0.95 / n) ** 0.5
