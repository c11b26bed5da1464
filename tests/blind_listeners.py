"""Blind tests that were made, and listeners who answer them: their files are what the page would give."""

from flowvae.folder.blind_records import Keys
from flowvae.report.blind.pages import write_tests


def make(folder, *, arms=(), n=16, seed=7):
    """The keys of both pages, by session, the pages of this call last."""
    said = []
    write_tests(folder, arms, n, seed, said.append)
    return Keys.read(folder / "listening").tests, said


def session_of(tests, test="abx"):
    return [session for session, key in tests.items() if key.test == test][-1]


def right(tests, session):
    return [question.x for question in tests[session].questions]


def wrong_in(answers, n_wrong):
    """The same with so many turned round."""
    turned = {"a": "b", "b": "a"}
    return [turned[answer] if i < n_wrong else answer for i, answer in enumerate(answers)]


def sheet(path, session, listener, answers):
    lines = [f"{session},{listener},{i + 1},{answer}" for i, answer in enumerate(answers)]
    path.write_text("\n".join(["session,listener,question,answer", *lines]) + "\n", encoding="utf-8")
    return path
