"""What the words of the page rest on: one family of comparisons, looks, limits of a metric, what is worth it."""

import csv
import json

import pytest
from attrs import evolve

from flowvae.folder.plan_records import LedgerEntry
from flowvae.report.comparison import compare
from flowvae.report.findings import findings
from flowvae.report.headline import headline
from flowvae.report.reading import read_folder
from flowvae.report.write import write_report
from pretended_runs import BASE, METRICS, WORSE, write_tree

SEVEN = [*BASE, 3.1]


def found_in(folder):
    return {(c.arm.name, c.against.name): c for c in compare(read_folder(folder))}


def told(folder):
    read = read_folder(folder)
    return " ".join(finding.text for finding in findings(read, compare(read)))


def head(folder):
    read = read_folder(folder)
    return headline(read, compare(read))


def rows_of(folder):
    return list(csv.DictReader((folder / "comparisons.csv").read_text(encoding="utf-8").splitlines()))


def moved(by):
    return [value + change for value, change in zip(SEVEN, by, strict=True)]


CLEAR = moved((0.2, 0.21, 0.19, 0.2, 0.22, 0.18, 0.2))
NEARLY = moved((0.2, 0.21, 0.19, 0.2, 0.22, 0.18, -0.1))
ELSEWHERE = moved((0.2, 0.2, 0.2, 0.2, -0.15, 0.2, 0.2))


def test_an_arm_is_judged_in_its_family(tmp_path):
    alone = found_in(write_tree(tmp_path / "two", [SEVEN, NEARLY], names=("snake", "nearly"), n_clips=0))
    names = ("snake", "clear", "nearly", "elsewhere")
    folder = write_tree(tmp_path / "four", [SEVEN, CLEAR, NEARLY, ELSEWHERE], names=names, n_clips=0)
    family = found_in(folder)
    assert alone["nearly", "snake"].joint.p == 4 / 128 < family["nearly", "snake"].joint.p
    assert family["clear", "snake"].joint.p == 2 / 128
    write_report(folder)
    rows = {row["arm"]: row for row in rows_of(folder) if row["joint_p"]}
    for (arm, _), comparison in family.items():
        assert float(rows[arm]["joint_p"]) == comparison.joint.p
        assert float(rows[arm]["level"]) == 0.05


def test_a_pair_of_alternatives_can_be_asked_for(tmp_path):
    names, pairs = ("snake", "clear", "elsewhere"), (("clear", "elsewhere"),)
    folder = write_tree(tmp_path / "runs", [SEVEN, CLEAR, SEVEN[::-1]], names=names, n_clips=0, pairs=pairs)
    asked = found_in(folder)["elsewhere", "clear"]
    differences = [b - a for a, b in zip(CLEAR, SEVEN[::-1], strict=True)]
    assert asked.paired.differences == pytest.approx(differences)
    page = write_report(folder).read_text()
    assert "Other pairs" in page
    assert "between elsewhere and clear no difference" in told(folder).lower()
    rows = [row for row in rows_of(folder) if row["baseline"] == "clear"]
    assert {row["arm"] for row in rows} == {"elsewhere"}
    assert {row["metric"] for row in rows} == {metric.name for metric in METRICS}


def with_ledger(folder, before, finished):
    """The folder as it is once its seeds were others, and so many runs had been seen then."""
    plan = json.loads((folder / "plan.json").read_text())
    entry = LedgerEntry(
        "2026-11-23T08:00:00+00:00", finished, "seeds", "some", "others", tuple(range(before))
    )
    plan["ledger"].append(
        {name: getattr(entry, name) for name in LedgerEntry.__slots__ if name != "__weakref__"}
    )
    (folder / "plan.json").write_text(json.dumps(plan))
    return folder


EIGHT = [3.0, 3.2, 2.9, 3.1, 3.3, 3.05, 3.1, 3.0]
LATER = [v + d for v, d in zip(EIGHT, (0.2, 0.3, 0.25, 0.2, -0.08, 0.2, 0.25, 0.2), strict=True)]
"""Of the first six one disagrees: nothing is shown by them; by eight, p is 4 / 256."""
LESS = [v + d for v, d in zip(EIGHT, (0.2, 0.3, 0.25, 0.2, -0.13, 0.12, 0.25, 0.2), strict=True)]
"""By eight, p is 8 / 256: enough for who has not looked before."""


def test_seeds_that_were_added_after_a_look_are_judged_by_what_it_has_left(tmp_path):
    folder = write_tree(tmp_path / "runs", [EIGHT, LESS], n_clips=0)
    before = found_in(folder)["leaky_relu", "snake"]
    assert (before.joint.level, before.verdict.word) == (0.05, "worse")
    after = found_in(with_ledger(folder, 6, 12))["leaky_relu", "snake"]
    # Six seeds spend 2 / 64 where all agree; half of what is left of 0.05 may be spent now.
    assert after.joint.level == pytest.approx(2 / 64 + (0.05 - 2 / 64) / 2)
    assert after.joint.p > after.joint.level
    assert after.verdict.word == "not shown"
    assert "0.041" in after.verdict.reason
    assert "The number of seeds was changed after runs had been seen" in told(folder)


def test_seeds_that_were_added_before_anything_was_seen_cost_nothing(tmp_path):
    folder = with_ledger(write_tree(tmp_path / "runs", [EIGHT, LATER], n_clips=0), 6, 0)
    assert found_in(folder)["leaky_relu", "snake"].joint.level == 0.05
    assert "number of seeds was changed" not in told(folder)


def test_seeds_that_were_left_out_after_a_look_leave_a_share_of_the_level(tmp_path):
    folder = with_ledger(write_tree(tmp_path / "runs", [BASE, WORSE], n_clips=0), 12, 10)
    comparison = found_in(folder)["leaky_relu", "snake"]
    assert comparison.joint.level == pytest.approx(0.025)
    assert comparison.verdict.word == "not shown"
    assert comparison.verdict.reason.endswith(
        "and 0.025 is what the looks allow by now: this look could not have shown a difference"
    )


def limited(folder, share, arm="leaky_relu"):
    """So that this share of one arm's figures for each sound lies on a limit of the metric at 2."""
    for seed in range(len(BASE)):
        path = folder / f"runs/{arm}/seed-{seed}/result.json"
        content = json.loads(path.read_text())
        figure = content["metrics"]["spectral_distance"]
        cut = round(share * 20)
        figure["per_sound"] = [2.0] * cut + [figure["value"]] * (20 - cut)
        path.write_text(json.dumps(content))
    return folder


WITH_LIMIT = (evolve(METRICS[0], least=2.0), *METRICS[1:])


def test_a_metric_decides_nothing_where_more_than_a_twentieth_of_it_lies_on_a_limit(tmp_path):
    make = {"metrics": WITH_LIMIT, "n_clips": 0}
    folder = limited(write_tree(tmp_path / "runs", [BASE, WORSE], **make), 0.1)
    verdict = found_in(folder)["leaky_relu", "snake"].verdict
    assert verdict.word == "not shown"
    assert verdict.reason == "of its figures, 10 % of leaky_relu lie on its limit of 2 "
    assert "of the figures of spectral_distance lie on its limit of 2" in told(folder)
    few = limited(write_tree(tmp_path / "few", [BASE, WORSE], **make), 0.05)
    assert found_in(few)["leaky_relu", "snake"].verdict.word == "worse"
    assert "lie on its limit" in told(few)
    none = limited(write_tree(tmp_path / "none", [BASE, WORSE], **make), 0)
    assert "lie on its limit" not in told(none)


def test_what_is_less_than_worthwhile_is_said_in_the_headline(tmp_path):
    close = [value + change for value, change in zip(BASE, (0.01, -0.01, 0.02, 0, -0.02, 0.01), strict=True)]
    names = ("snake", "leaky_relu", "elu")
    folder = write_tree(
        tmp_path / "runs", [BASE, WORSE, close], names=names, n_clips=0, worthwhile_difference=0.5
    )
    words = {name: comparison.verdict.word for (name, _), comparison in found_in(folder).items()}
    assert words == {"leaky_relu": "worse", "elu": "equivalent"}
    assert head(folder) == (
        "leaky_relu is worse than snake, by less than is worth it, on spectral_distance. "
        "elu is as good as snake: the difference is less than is worth it."
    )
    assert "elu is as good as snake: the difference is less than 0.500" in told(folder)
    assert "but by less than the 0.500 that is worth it" in told(folder)
