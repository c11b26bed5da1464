"""Answers to blind tests: taken in, locked, judged, and shown beside the figures."""

import csv
import io
import json
import re

import pytest

from blind_listeners import make, right, session_of, sheet, wrong_in
from flowvae.cli.main import main
from flowvae.errors import AnswersError, CheckpointError, RunFolderError, UsageError
from flowvae.folder.blind_records import Sheets
from flowvae.report.blind.outcomes import blind
from flowvae.report.blind.sheets import take_in
from flowvae.report.blind.words import agreement, beside_metric, meaning
from flowvae.report.comparison import compare
from flowvae.report.reading import read_folder
from flowvae.report.write import write_report
from pretended_runs import BASE, WORSE
from tiers import swept


@pytest.fixture
def folder(runs):
    return runs([BASE, WORSE], n_clips=3)


@pytest.fixture
def asked(folder):
    """A folder with its pages, and their keys by session."""
    return folder, make(folder)[0]


def outcomes(folder):
    found = read_folder(folder)
    return blind(found, compare(found))


def text_of(page):
    page = re.sub(r"<(style|script)>.*?</\1>|<[^>]*>", " ", page.read_text("utf-8"), flags=re.DOTALL)
    return " ".join(page.split())


def choosing(tests, session, arm, n, others="none"):
    """`arm` is chosen so often; to the rest of the questions the answer is `others`, or the other arm."""
    answers = []
    for i, question in enumerate(tests[session].questions):
        side = "a" if question.a == arm else "b"
        rest = others if others == "none" else "b" if side == "a" else "a"
        answers.append(side if i < n else rest)
    return answers


def test_who_is_right_often_enough_hears_a_difference(asked, tmp_path):
    folder, tests = asked
    session = session_of(tests)
    take_in(folder, [sheet(tmp_path / "a.csv", session, "Anna", wrong_in(right(tests, session), 2))])
    [found] = outcomes(folder).outcomes
    assert (found.hits, found.n, found.arm, found.against) == (14, 16, "leaky_relu", "snake")
    assert found.p == found.joint_p == pytest.approx(137 / 65536)
    assert agreement(found) == ""  # to hear a difference is to prefer nothing
    assert meaning(found) == "Anna hears a difference between leaky_relu and snake: 14 of 16 right, p 0.0021."


def test_who_guesses_is_told_what_it_would_have_taken(asked, tmp_path):
    folder, tests = asked
    session = session_of(tests)
    take_in(folder, [sheet(tmp_path / "a.csv", session, "Bert", wrong_in(right(tests, session), 6))])
    [found] = outcomes(folder).outcomes
    said = meaning(found)
    assert said.startswith(
        "It is not shown that Bert hears a difference between leaky_relu and snake: 10 of 16"
    )
    assert "12 would have shown it; who is right 80\u202f% of the time is found four times in five" in said


def test_nearly_nothing_right_is_no_hearing_and_is_said(asked, tmp_path):
    folder, tests = asked
    session = session_of(tests)
    take_in(folder, [sheet(tmp_path / "a.csv", session, "Cora", wrong_in(right(tests, session), 15))])
    [found] = outcomes(folder).outcomes
    assert not found.is_shown
    assert "given the wrong way round" in meaning(found)


def test_several_listeners_stand_alone_share_the_level_and_are_summed_without_a_p(asked, tmp_path):
    folder, tests = asked
    session = session_of(tests)
    files = [
        sheet(tmp_path / f"{name}.csv", session, name, wrong_in(right(tests, session), n))
        for name, n in (("Anna", 4), ("Bert", 8), ("Cora", 9))
    ]
    take_in(folder, files)
    found = outcomes(folder)
    assert [o.hits for o in found.outcomes] == [12, 8, 7]
    # 12 of 16 alone would show it; among three it does not.
    anna = found.outcomes[0]
    assert anna.p == pytest.approx(0.0384, abs=1e-4)
    assert anna.joint_p == pytest.approx(3 * anna.p)
    assert not anna.is_shown
    [both] = found.sums("abx")
    assert (both.hits, both.n, both.listeners) == (27, 48, 3)
    assert (
        "3 listeners together, leaky_relu beside snake: 27 of 48 right. This is a sum without a p"
        in text_of(write_report(folder))
    )


def test_a_preference_counts_ties_apart_and_stands_beside_the_metric(asked, tmp_path):
    folder, tests = asked
    session = session_of(tests, "preference")
    answers = choosing(tests, session, "snake", 13)
    take_in(folder, [sheet(tmp_path / "a.csv", session, "Anna", answers)])
    [found] = outcomes(folder).outcomes
    assert (found.hits, found.n, found.ties, found.preferred) == (0, 13, 3, "snake")
    assert found.p == pytest.approx(2 / 2**13)
    assert meaning(found).startswith(
        "Anna prefers snake to leaky_relu: 13 of 13 choices, 3 without a preference, p"
    )
    metric = read_folder(folder).plan.primary
    assert re.fullmatch(r"\+0\.\d+, worse", beside_metric(found, metric))
    page = text_of(write_report(folder))
    assert "0 of 13 for leaky_relu, not snake" in page
    assert "the ear agrees" in page


def test_a_preference_against_the_metric_is_said_to_be(asked, tmp_path):
    folder, tests = asked
    session = session_of(tests, "preference")
    answers = choosing(tests, session, "leaky_relu", 14, others="other")
    take_in(folder, [sheet(tmp_path / "a.csv", session, "Anna", answers)])
    [found] = outcomes(folder).outcomes
    assert (found.hits, found.n, found.preferred) == (14, 16, "leaky_relu")
    assert agreement(found) == "the ear disagrees"


def test_no_choice_at_all_shows_no_preference(asked, tmp_path):
    folder, tests = asked
    session = session_of(tests, "preference")
    take_in(folder, [sheet(tmp_path / "a.csv", session, "Anna", ["none"] * 16)])
    [found] = outcomes(folder).outcomes
    assert (found.p, found.interval, found.preferred) == (1.0, None, "")
    assert meaning(found).startswith(
        "No preference of Anna is shown: 0 for leaky_relu and 0 for snake, 16 without"
    )
    assert "No preference of Anna" in text_of(write_report(folder))


def test_each_pair_of_a_page_with_several_is_judged_alone(runs, tmp_path):
    folder = runs([BASE, WORSE, WORSE], names=("snake", "leaky_relu", "elu"), n_clips=3)
    tests, _ = make(folder, n=8)
    session = session_of(tests)
    answers = [q.x if "elu" in {q.a, q.b} else "b" if q.x == "a" else "a" for q in tests[session].questions]
    take_in(folder, [sheet(tmp_path / "a.csv", session, "Anna", answers)])
    assert {o.arm: (o.hits, o.n) for o in outcomes(folder).outcomes} == {"elu": (8, 8), "leaky_relu": (0, 8)}


def test_the_report_has_the_section_and_the_numbers_lie_beside_it(asked, tmp_path, capsys):
    folder, tests = asked
    session = session_of(tests)
    assert "Blind listening" not in text_of(write_report(folder))
    assert not (folder / "listening.csv").exists()
    file = sheet(tmp_path / "a.csv", session, "Anna", wrong_in(right(tests, session), 1))
    assert main(["report", str(folder), "--answers", str(file)]) == 0
    out = capsys.readouterr().out
    assert "16 answers of Anna are locked" in out
    assert "Anna hears a difference" in out
    page = (folder / "report.html").read_text("utf-8")
    assert '<a href="#blind">' in page
    assert "listening.csv" in page
    assert "15 of 16" in page
    [row] = csv.DictReader(io.StringIO((folder / "listening.csv").read_text()))
    assert (row["hits"], row["answers"], row["listener"], row["shown"]) == ("15", "16", "Anna", "True")
    assert float(row["p"]) == pytest.approx(17 / 65536)
    [comparison] = compare(read_folder(folder))
    assert (row["metric"], row["verdict"]) == ("spectral_distance", "worse")
    assert float(row["mean_difference"]) == comparison.paired.mean
    assert write_report(folder).read_text("utf-8") == page


def test_names_from_outside_are_shown_and_never_run(asked, tmp_path):
    folder, tests = asked
    session = session_of(tests)
    name = "=<script>alert(1)</script>"
    take_in(folder, [sheet(tmp_path / "a.csv", session, name, right(tests, session))])
    page = write_report(folder).read_text("utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert f"'{name}" in (folder / "listening.csv").read_text()


def test_answers_are_locked_with_time_and_hash_and_the_same_again_change_nothing(asked, tmp_path):
    folder, tests = asked
    session = session_of(tests)
    file = sheet(tmp_path / "a.csv", session, "Anna", right(tests, session))
    take_in(folder, [file])
    before = (folder / "listening" / "answers.json").read_bytes()
    [kept] = Sheets.read(folder / "listening").sheets
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", kept.locked)
    assert len(kept.digest) == 64
    assert "are locked since" in take_in(folder, [file])[0]
    assert (folder / "listening" / "answers.json").read_bytes() == before


def test_a_listener_answers_a_page_once(asked, tmp_path, capsys):
    folder, tests = asked
    session = session_of(tests)
    take_in(folder, [sheet(tmp_path / "a.csv", session, "Anna", wrong_in(right(tests, session), 8))])
    before = (folder / "listening" / "answers.json").read_bytes()
    again = sheet(tmp_path / "b.csv", session, " ANNA ", right(tests, session))
    with pytest.raises(RunFolderError, match=r"has answered abx-.* before, and otherwise"):
        take_in(folder, [again])
    assert main(["report", str(folder), "--answers", str(again)]) == 6
    assert "locked since" in capsys.readouterr().err
    assert (folder / "listening" / "answers.json").read_bytes() == before


def test_a_new_page_is_another_session_and_the_earlier_one_stays_answerable(asked, tmp_path):
    folder, tests = asked
    first = session_of(tests)
    tests, _ = make(folder, seed=8)
    second = session_of(tests)
    assert first != second
    files = [
        sheet(tmp_path / f"{session}.csv", session, "Anna", right(tests, session))
        for session in (first, second)
    ]
    take_in(folder, files)
    assert [o.sheet.session for o in outcomes(folder).outcomes] == [first, second]


def test_answers_that_were_changed_after_they_were_locked_are_no_longer_shown(asked, tmp_path):
    folder, tests = asked
    session = session_of(tests)
    take_in(folder, [sheet(tmp_path / "a.csv", session, "Anna", wrong_in(right(tests, session), 8))])
    path = folder / "listening" / "answers.json"
    content = json.loads(path.read_text())
    content["sheets"][0]["answers"] = right(tests, session)
    path.write_text(json.dumps(content))
    page = text_of(write_report(folder))
    assert "The answers are left out" in page
    assert "hears a difference" not in page
    with pytest.raises(CheckpointError, match="are not those that were locked"):
        take_in(folder, [sheet(tmp_path / "b.csv", session, "Bert", right(tests, session))])


def spoilt(lines, session):
    """What can be wrong with a file, and the line and the words that say so."""
    first = f"{session},Anna"
    return {
        "no header": (lines[1:], ":1:1", "no header of answers"),
        "nothing": ([], ":1:1", "no header of answers"),
        "only a header": (lines[:1], "", "no answers"),
        "a line of three": ([*lines[:2], f"{first},2", *lines[3:]], ":3:1", "3 cells"),
        "an unknown question": ([*lines[:16], f"{first},17,a"], ":17:1", "there is no question 17"),
        "a question twice": (
            [*lines[:16], f"{first},1,a"],
            ":17:1",
            "question 1 is answered in line 2 already",
        ),
        "a missing one": (lines[:16], "", "no answer to question 16"),
        "another answer": ([*lines[:16], f"{first},16,none"], ":17:1", '"none" is no answer'),
        "two listeners": ([*lines[:16], f"{session},Bert,16,a"], ":17:1", "listener is not that"),
        "no name": ([line.replace("Anna", "") for line in lines], ":2:1", "listener"),
    }


@pytest.mark.parametrize("fault", swept(spoilt([""] * 17, ""), quick=4))
def test_a_file_that_is_no_complete_answer_is_refused_with_file_and_line(asked, tmp_path, capsys, fault):
    folder, tests = asked
    session = session_of(tests)
    path = sheet(tmp_path / "answers.csv", session, "Anna", right(tests, session))
    lines, place, words = spoilt(path.read_text().splitlines(), session)[fault]
    path.write_text("".join(f"{line}\n" for line in lines))
    assert main(["report", str(folder), "--answers", str(path)]) == 2
    said = capsys.readouterr().err
    assert f"{path}{place}\n" in said
    assert words in said
    assert "Traceback" not in said
    assert not (folder / "listening" / "answers.json").exists()


def test_all_faults_of_a_file_are_told_at_once(asked, tmp_path):
    folder, tests = asked
    session = session_of(tests)
    path = sheet(tmp_path / "answers.csv", session, "Anna", ["c", "d", *right(tests, session)[2:]])
    with pytest.raises(AnswersError) as caught:
        take_in(folder, [path])
    assert [fault.place.line for fault in caught.value.faults] == [2, 3]


def test_one_bad_file_keeps_the_others_from_being_locked(asked, tmp_path):
    folder, tests = asked
    session = session_of(tests)
    good = sheet(tmp_path / "a.csv", session, "Anna", right(tests, session))
    bad = sheet(tmp_path / "b.csv", session, "Bert", ["c"] * 16)
    with pytest.raises(AnswersError):
        take_in(folder, [good, bad])
    assert not (folder / "listening" / "answers.json").exists()


def test_answers_to_a_page_of_another_folder_are_refused(asked, tmp_path, capsys):
    folder, _ = asked
    file = sheet(tmp_path / "a.csv", "abx-0123456789abcdef0123", "Anna", ["a"] * 16)
    assert main(["report", str(folder), "--answers", str(file)]) == 6
    said = capsys.readouterr().err
    assert "no page of this folder is called abx-0123456789abcdef0123" in said
    assert f"{file}:2:1" in said


def test_answers_to_a_folder_without_pages_are_refused(folder, tmp_path):
    file = sheet(tmp_path / "a.csv", "abx-0", "Anna", ["a"])
    with pytest.raises(RunFolderError, match="has no blind test"):
        take_in(folder, [file])


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b'session,"list\x00\n', b"a\x00b"])
def test_a_file_of_junk_is_refused(asked, tmp_path, content):
    path = tmp_path / "junk.csv"
    path.write_bytes(content)
    with pytest.raises(AnswersError):
        take_in(asked[0], [path])
    with pytest.raises(UsageError, match="is no file"):
        take_in(asked[0], [tmp_path])


def test_a_file_that_a_spreadsheet_saved_is_taken_in(asked, tmp_path):
    """With a mark at its beginning, other ends of lines, and empty lines at its end."""
    folder, tests = asked
    session = session_of(tests)
    path = sheet(tmp_path / "a.csv", session, "Anna", right(tests, session))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n") + b",,,\r\n\r\n")
    take_in(folder, [path])
    assert outcomes(folder).outcomes[0].hits == 16


def test_no_torch_is_loaded_for_a_blind_test(asked):
    import subprocess
    import sys

    code = (
        "import sys; sys.modules['torch'] = None; from flowvae.cli.main import main; "
        f"sys.exit(main(['listen', {str(asked[0])!r}]))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
