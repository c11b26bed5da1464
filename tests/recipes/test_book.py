"""The book of ablations: each headline is worked out again from the figures of the seeds, and its page says what its records say."""

import sys
import tomllib
from pathlib import Path
from statistics import fmean

import pytest

from flowvae.recipe import plan_ablation, read_recipe
from second_statistics import joint, paired

BOOK = Path(__file__).parents[2] / "docs" / "book"
sys.path.insert(0, str(BOOK))
from make import before_and_now, main, page_of, records, tables  # noqa: E402 - the book is a folder of its own, no package

RECORDS = records()
QUESTIONS = {path.stem: path for path in BOOK.glob("questions/*.toml")}


def by_seed(record, arm, metric):
    figures = record["arms"][arm]["figures"][metric]
    return {int(seed): value for seed, value in figures.items() if value is not None}


def close(found, wanted):
    return found == pytest.approx(wanted, rel=1e-9, abs=1e-9)


def test_there_are_records_of_every_question_on_both_sets_of_sounds():
    assert QUESTIONS
    assert set(RECORDS) == {f"{name}.{data}" for name in QUESTIONS for data in ("drums", "kits")}


def effect_by_seed(record, levels):
    """The effect of a level, or of two together, for each seed: all cells, each with the signs that its levels have there."""
    signed = {}
    for arm, of in record["arms"].items():
        has = [of["changes"].get(path) for path in levels]
        if all(found in {None, level} for found, level in zip(has, levels.values(), strict=True)):
            sign = (-1) ** has.count(None)
            for seed, value in by_seed(record, arm, record["metric"]).items():
                signed.setdefault(seed, []).append(sign * value)
    return {seed: 2 ** len(levels) * fmean(values) for seed, values in signed.items()}


@pytest.mark.parametrize("name", RECORDS)
def test_every_difference_of_a_headline_is_found_again_from_the_figures_of_the_seeds(name):
    record = RECORDS[name]
    assert record["comparisons"] or record["effects"]
    for one in record["comparisons"]:
        for metric, told in one["metrics"].items():
            found = paired(by_seed(record, one["against"], metric), by_seed(record, one["arm"], metric))
            assert found["higher"] == told["higher"]
            assert found["lower"] == told["lower"]
            assert close(found["mean"], told["mean"])
            assert close(found["interval"], told["interval"])


@pytest.mark.parametrize("name", RECORDS)
def test_every_p_of_a_headline_is_found_again_by_trying_all_patterns_of_signs(name):
    record = RECORDS[name]
    joined = [one for one in record["comparisons"] if one["joint"]]
    differences = {}
    for one in joined:
        theirs, ours = (by_seed(record, one[side], record["metric"]) for side in ("against", "arm"))
        differences[one["arm"]] = {int(seed): d for seed, d in paired(theirs, ours)["differences"].items()}
    found = joint(differences)
    for one in joined:
        assert close(found[one["arm"]], one["joint"]["p"])


@pytest.mark.parametrize("name", [name for name in RECORDS if RECORDS[name]["effects"]])
def test_every_effect_of_a_crossed_question_is_found_again_from_all_its_cells(name):
    record = RECORDS[name]
    found = {str(one["levels"]): effect_by_seed(record, dict(one["levels"])) for one in record["effects"]}
    p_of = joint(found)
    for one in record["effects"]:
        again = paired(dict.fromkeys(found[str(one["levels"])], 0.0), found[str(one["levels"])])
        assert close(again["mean"], one["paired"]["mean"])
        assert close(again["interval"], one["paired"]["interval"])
        assert close(p_of[str(one["levels"])], one["joint"]["p"])


@pytest.mark.parametrize("name", RECORDS)
def test_a_question_still_asks_what_its_record_answered(name, catalogue):
    record, path = RECORDS[name], QUESTIONS[name.rpartition(".")[0]]
    asked = tomllib.loads(path.read_text())["ablation"]
    assert record["question"] == asked["question"]
    plan = plan_ablation(read_recipe(str(path)), catalogue)
    assert list(record["arms"]) == [arm.name for arm in plan.arms]
    assert len(record["seeds"]) >= 6


def test_the_page_shows_the_tables_of_the_records():
    page = (BOOK / "README.md").read_text()
    assert page == page_of(page, RECORDS)
    assert "\n".join(before_and_now(RECORDS)) in page
    assert "\n".join(tables(RECORDS)).strip() in page


def test_a_question_that_nobody_wrote_down_is_no_success(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["make.py", "nosuch"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "no question is called nosuch; there are as_it_was" in capsys.readouterr().err
