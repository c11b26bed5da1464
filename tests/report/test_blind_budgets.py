"""A blind test compares what was trained for equally long, and says where that was not to the end."""

import json
import shutil

import pytest

from blind_listeners import make, right, session_of, sheet
from flowvae.errors import UsageError
from flowvae.report.blind.outcomes import blind
from flowvae.report.blind.sheets import take_in
from flowvae.report.blind.words import meaning
from flowvae.report.reading import read_folder
from pretended_across import VALUES, made

LAST = "audio/step-000000500"


@pytest.fixture
def across(tmp_path):
    """Arms of 100 steps and of 500, each with the sounds of its own end."""
    folder, _ = made(tmp_path / "runs", lambda variant, value: 0.0, variants=("snake", "elu"), n_clips=3)
    for run in folder.glob("runs/*-100/seed-*"):
        shutil.rmtree(run / LAST)
    return folder


@pytest.fixture
def stopped(runs):
    """Runs that were stopped at 100 of 500 steps."""
    folder = runs([[3.0, 3.1, 3.2]] * 2, n_clips=3)
    for run in folder.glob("runs/*/seed-*"):
        shutil.rmtree(run / LAST)
        (run / "result.json").unlink()
        status = json.loads((run / "status.json").read_text())
        (run / "status.json").write_text(json.dumps({**status, "state": "stopped", "step": 100}))
    return folder


def page_of(folder):
    return (folder / "listening" / "abx.html").read_text(encoding="utf-8")


def test_arms_of_each_budget_are_asked_about_at_their_own_end(across):
    tests, said = make(across, n=12)
    asked = [{q.a, q.b} for q in tests[session_of(tests)].questions]
    for value in VALUES:
        assert asked.count({f"snake-steps-{value}", f"elu-steps-{value}"}) == 12
    assert not [line for line in said if "left out" in line]
    assert "had not ended" not in page_of(across)


def test_arms_of_different_budgets_are_refused(across):
    with pytest.raises(UsageError) as refused:
        make(across, arms=("snake-steps-100", "snake-steps-500"))
    assert "snake-steps-100 is trained for 100 steps, snake-steps-500 for 500" in refused.value.what
    assert not (across / "listening").exists()


def test_what_had_not_ended_is_said_on_the_page_to_whoever_made_it_and_beside_the_answers(stopped, tmp_path):
    tests, said = make(stopped, n=6)
    words = "had not ended when this page was made: what is heard is step 100 of 500"
    assert words in page_of(stopped)
    assert words.replace("this page was", "the pages were") in " ".join(said)
    session = session_of(tests)
    take_in(stopped, [sheet(tmp_path / "a.csv", session, "Anna", right(tests, session))])
    [outcome] = blind(read_folder(stopped), ()).outcomes
    assert "Heard at step 100 of 500" in meaning(outcome)


def test_of_what_had_ended_nothing_is_said(runs, tmp_path):
    folder = runs([[3.0, 3.1, 3.2]] * 2, n_clips=3)
    tests, said = make(folder, n=6)
    session = session_of(tests)
    take_in(folder, [sheet(tmp_path / "a.csv", session, "Anna", right(tests, session))])
    [outcome] = blind(read_folder(folder), ()).outcomes
    assert "had not ended" not in " ".join([page_of(folder), *said])
    assert "Heard at" not in meaning(outcome)
