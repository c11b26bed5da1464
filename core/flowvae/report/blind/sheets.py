"""Answers that come back: read with care, checked against the page that asked, and locked."""

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen

from flowvae.errors import AnswersError, CheckpointError, Fault, Place, RunFolderError, UsageError, shown
from flowvae.folder.blind_records import BlindTest, Keys, Sheet, Sheets
from flowvae.report.blind.pages import ANSWERS, FOLDER
from flowvae.report.blind.questions import session_of

HEADER = ["session", "listener", "question", "answer"]
LARGEST = 1_000_000  # a sheet of 48 answers has 3,000 bytes


@frozen
class Row:
    """A line of a file of answers, and where it stands."""

    place: Place
    session: str
    listener: str
    question: str
    answer: str


def take_in(folder: Path, files: Sequence[Path]) -> list[str]:
    """Locks the answers of some files beside the keys of their pages; gives what there is to say of each.

    All files are checked before one is locked. The same answers again change nothing.
    Errors: AnswersError where a file holds no complete answers; RunFolderError where its page was not made here, or where the
        listener's answers to it are locked already.
    """
    place = folder / FOLDER
    keys = Keys.read_if_there(place)
    if keys is None:
        raise RunFolderError(
            f"{shown(folder)} has no blind test", do=f"flowvae listen {shown(folder)} makes one"
        )
    known = locked(place)
    said = []
    for file in files:
        sheet = _sheet(file, place, keys)
        earlier = [s for s in known if s.session == sheet.session and _same(s.listener, sheet.listener)]
        if not earlier:
            known = (*known, sheet)
            said.append(f"{shown(file)}: {len(sheet.answers)} answers of {sheet.listener} are locked")
        elif earlier[0].answers == sheet.answers:
            said.append(f"{shown(file)}: these answers are locked since {earlier[0].locked}")
        else:
            raise RunFolderError(
                f"{sheet.listener} has answered {sheet.session} before, and otherwise: locked since {earlier[0].locked}",
                where=str(file),
                do="a listener answers a page once; flowvae listen makes a new one, with new questions",
            )
    Sheets(known).write(place)
    return said


def locked(place: Path) -> tuple[Sheet, ...]:
    """All answers that were taken in; CheckpointError where one was changed afterwards."""
    sheets = (Sheets.read_if_there(place) or Sheets()).sheets
    for sheet in sheets:
        if sheet.digest != _digest(sheet.session, sheet.listener, sheet.answers):
            raise CheckpointError(
                f"{shown(place / Sheets.file)}: the answers of {sheet.listener} to {sheet.session} are not those "
                "that were locked",
                do="restore it from a backup",
            )
    return sheets


def key_of(place: Path, keys: Keys, session: str) -> BlindTest:
    """The key of a page; CheckpointError where it was changed after the page was made."""
    if session not in keys.tests:
        raise RunFolderError(
            f"{shown(place)} has no key for {session}", do="name the folder that its page was made from"
        )
    test = keys.tests[session]
    if session_of(test) != session:
        raise CheckpointError(
            f"{shown(place / Keys.file)}: the key of {session} is not that of its page",
            do="restore it from a backup, or make new pages with flowvae listen",
        )
    return test


def _sheet(file: Path, place: Path, keys: Keys) -> Sheet:
    rows = _rows(file)
    stranger = next((row for row in rows if row.session not in keys.tests), None)
    if stranger is not None:
        raise RunFolderError(
            f"no page of this folder is called {stranger.session or 'nothing'}",
            where=str(stranger.place),
            do="name the folder that the page was made from: its listening/key.json knows it",
        )
    test = key_of(place, keys, rows[0].session)
    faults = _faults(rows, test)
    if faults:
        raise AnswersError(faults, recipe=str(file))
    answers = tuple(row.answer for row in sorted(rows, key=lambda row: int(row.question)))
    session, listener = rows[0].session, rows[0].listener
    when = datetime.now(UTC).isoformat(timespec="seconds")
    return Sheet(session, listener, when, answers, _digest(session, listener, answers))


def _rows(file: Path) -> list[Row]:
    """The lines of a file under its header."""
    if not file.is_file():
        raise UsageError(
            f"{file} is no file", do="--answers takes the files that the pages of a blind test gave"
        )
    if file.stat().st_size > LARGEST:
        raise UsageError(f"{file} is too large for answers", do="name the file that the page gave")
    try:
        text = file.read_text("utf-8-sig")
        lines = [(reader.line_num, cells) for reader in [csv.reader(io.StringIO(text))] for cells in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise AnswersError(
            [Fault(f"no text of commas: {error}", Place(str(file)))], recipe=str(file)
        ) from error
    written = text.splitlines()
    lines = [(number, [cell.strip() for cell in cells]) for number, cells in lines if any(cells)]
    accepted = ",".join(HEADER)
    if not lines or [cell.lower() for cell in lines[0][1]] != HEADER:
        place = Place(str(file), 1, 1, 1, written[0] if written else "")
        raise AnswersError(
            [Fault("this is no header of answers", place, accepted=accepted)], recipe=str(file)
        )
    places = {number: Place(str(file), number, 1, 1, written[number - 1]) for number, _ in lines}
    uneven = [
        Fault(f"{len(cells)} cells", places[n], accepted=accepted) for n, cells in lines if len(cells) != 4
    ]
    if uneven or len(lines) == 1:
        nothing = Fault("no answers", Place(str(file)), accepted=accepted)
        raise AnswersError(uneven or [nothing], recipe=str(file))
    return [Row(places[number], *cells) for number, cells in lines[1:]]


def _faults(rows: Sequence[Row], test: BlindTest) -> list[Fault]:
    """Everything that keeps some rows from being one listener's answers to each question once."""
    faults = []
    answers = [value for value, _ in ANSWERS[test.test]]
    numbers = {str(i + 1) for i in range(len(test.questions))}
    answered: dict[str, Row] = {}
    for row in rows:
        if row.session != rows[0].session:
            faults.append(
                Fault("the session is not that of the lines before", row.place, accepted=rows[0].session)
            )
        if not row.listener or not _same(row.listener, rows[0].listener):
            faults.append(
                Fault(
                    "the listener is not that of the lines before",
                    row.place,
                    accepted=rows[0].listener or "a name",
                )
            )
        if row.question not in numbers:
            faults.append(
                Fault(f"there is no question {row.question}", row.place, accepted=f"1 to {len(numbers)}")
            )
        elif row.question in answered:
            line = answered[row.question].place.line
            faults.append(Fault(f"question {row.question} is answered in line {line} already", row.place))
        answered.setdefault(row.question, row)
        if row.answer not in answers:
            faults.append(Fault(f'"{row.answer}" is no answer', row.place, accepted=", ".join(answers)))
    missing = sorted(numbers - answered.keys(), key=int)
    if missing:
        do = "the page gives its file when all are answered"
        faults.append(Fault(f"no answer to question {', '.join(missing)}: {do}", Place(rows[0].place.label)))
    return faults


def _same(one: str, other: str) -> bool:
    """Whether two names mean one listener: the case of letters and the width of gaps make no other person."""
    return " ".join(one.casefold().split()) == " ".join(other.casefold().split())


def _digest(session: str, listener: str, answers: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps([session, listener, *answers]).encode()).hexdigest()
