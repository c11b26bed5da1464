"""The pages of the blind tests: each is one file that plays without a network, and its key stays in the folder."""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from flowvae.errors import AblationError, UsageError, shown
from flowvae.folder.blind_records import BlindTest, Keys, Test
from flowvae.folder.files import write_bytes
from flowvae.report.blind.pairs import FEWEST, Pair, asked_pairs
from flowvae.report.blind.questions import Draws, Sounds, drawn, session_of
from flowvae.report.blind.takes import Couple, payload
from flowvae.report.reading import read_folder
from flowvae.report.rendering import rendered
from flowvae.statistics.binomial import fewest_to_show

FOLDER = "listening"
TESTS: tuple[Test, ...] = ("abx", "preference")
MOST_BYTES = 100_000_000  # what a browser opens without complaint
MOST_REASONS = 8
STYLES = ("theme", "text", "blind")
SCRIPTS = ("switching", "blind")
ANSWERS = {
    "abx": (("a", "A"), ("b", "B")),
    "preference": (("a", "A"), ("b", "B"), ("none", "no preference")),
}


def write_tests(
    folder: Path, arms: Sequence[str], n: int, seed: int | None, say: Callable[[str], None]
) -> list[Path]:
    """Writes both pages and their keys into the folder `listening` of an ablation; gives the paths of the pages.

    `n` is how many questions are asked of each pair of arms; without a seed nobody can draw the key again.
    Errors: UsageError where arms are unknown or questions too few or too many; AblationError where sounds are missing.
    """
    found = read_folder(folder)
    pairs = asked_pairs(found.plan, arms, n)
    sounds = Sounds(found)
    secret = secrets.token_hex(16) if seed is None else str(seed)
    made = {test: drawn(test, sounds, pairs, n, secret) for test in TESTS}
    for reason in [*sounds.reasons][:MOST_REASONS]:
        say(f"left out: {reason}")
    if len(sounds.reasons) > MOST_REASONS:
        say(f"left out: {len(sounds.reasons) - MOST_REASONS} more")
    for line in _told(folder, pairs, made["abx"][0], n):
        say(line)
    unended = list(dict.fromkeys(words for pair in pairs if (words := sounds.not_ended(pair))))
    for words in unended:
        say(f"runs had not ended when the pages were made: {words}")
    place = folder / FOLDER
    place.mkdir(exist_ok=True)
    pages = {test: _page(of, heard, unended) for test, (of, heard) in made.items()}
    known = Keys.read_if_there(place) or Keys()
    # The keys come first: a page without its key asks for nothing.
    Keys({**known.tests, **{session_of(of): of for of, _ in made.values()}}).write(place)
    for test, page in pages.items():
        write_bytes(place / f"{test}.html", page.encode())
    say(f"key: {shown(place / Keys.file)}, not to be read before the answers are in")
    return [place / f"{test}.html" for test in TESTS]


def _told(folder: Path, pairs: Sequence[Pair], key: BlindTest, n: int) -> list[str]:
    """How often each pair is asked about; AblationError where that is too seldom to show anything."""
    said = []
    for pair in pairs:
        n_asked = sum({q.a, q.b} == {*pair} for q in key.questions)
        if n_asked < FEWEST:
            raise AblationError(
                f"{' and '.join(pair)} have {n_asked} sounds of a clip and a seed in common, and a test takes {FEWEST}",
                where=shown(folder),
                do="train more seeds or raise evaluation.audio_examples; or name other arms with --arms",
            )
        fewer = f" (there are no {n} sounds of a clip and a seed in common)" if n_asked < n else ""
        needed = f"{fewest_to_show(n_asked)} right answers show a difference"
        said.append(f"{' or '.join(pair)}: {n_asked} questions{fewer}, {needed}")
    return said


def _page(test: BlindTest, heard: Sequence[Couple], unended: Sequence[str]) -> str:
    """The page of a test; nothing on it but its sounds and its session depends on the key.

    `unended` says in words what is heard before its training has ended.
    """
    draws = Draws(f"{test.test}:{test.secret}").of("dither")
    questions = []
    for question, both in zip(test.questions, heard, strict=True):
        again = {"a": [both.one], "b": [both.other], "none": []}[question.x]
        questions.append(
            {
                "rate": both.rate,
                "channels": both.one.shape[1],
                "sounds": [payload(audio, draws) for audio in (both.one, both.other, *again)],
            }
        )
    n_bytes = sum(len(sound) for question in questions for sound in question["sounds"])
    if n_bytes > MOST_BYTES:
        raise UsageError(
            f"the sounds of {len(questions)} questions take {n_bytes // 1_000_000} MB, more than a browser opens",
            do="ask fewer with --questions, or of fewer arms with --arms",
        )
    view = {
        "test": test.test,
        "session": session_of(test),
        "questions": questions,
        "unended": unended,
        "answers": ANSWERS[test.test],
    }
    return rendered("blind.html.j2", view, STYLES, SCRIPTS)
