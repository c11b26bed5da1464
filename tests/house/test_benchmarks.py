"""The tables of the benchmarks tell what was not reached, and why."""

from pathlib import Path

from benchmarks.peers.reasons import reason_of, reasons

PAGE = Path(__file__).parents[1] / "benchmarks" / "peers.md"


def rows():
    """The rows of the committed table."""
    names = ("id", "what", "ours", "theirs", "ratio", "goal", "met")
    told = {"met": True, "not met": False, "": None}
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| P")]
    cells = [dict(zip(names, map(str.strip, line.split("|")[1:8]), strict=True)) for line in lines]
    return [{**row, "met": told[row["met"]]} for row in cells]


def test_every_goal_that_is_missed_has_a_reason_on_the_page():
    missed = [row for row in rows() if row["met"] is False]
    assert len(missed) > 5
    assert not [row for row in missed if reason_of(row["id"], row["what"]) == "the cause is not known"]
    page = PAGE.read_text(encoding="utf-8")
    assert [line for line in reasons(rows()) if line not in page] == []


def test_a_goal_that_nobody_has_looked_into_says_so():
    row = {"id": "P99", "what": "a thing", "met": False}
    assert reasons([row, {**row, "met": True}]) == ["- P99, a thing: the cause is not known"]
