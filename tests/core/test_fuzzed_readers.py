"""Readers of strangers' bytes, given mutations of what they take: they say their own error, or read it."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz import targets

FUZZ = Path(__file__).parents[1] / "fuzz" / "fuzz.py"
WORDS = [
    b"[",
    b"]",
    b"{",
    b"}",
    b'"',
    b"'",
    b"=",
    b".",
    b"\n",
    b"\0",
    b"\xff",
    b"nan",
    b"1e999",
    b"9" * 40,
    b"-1",
    b"null",
]
WORDS += [b"use", b"extends", b"[[a]]", b"\\u0000", b'"weights', b"1" + b"0" * 20, b"true", b"[" * 200]


def mutated(seed, draw):
    """A few bytes other, gone, doubled, or a word of grammar between them."""
    data = bytearray(seed)
    for _ in range(draw.randint(1, 6)):
        at = draw.randrange(len(data) + 1)
        match draw.randrange(5):
            case 0:
                data[at : at + 1] = bytes([draw.randrange(256)])
            case 1:
                del data[at : at + draw.randint(1, 40)]
            case 2:
                data[at:at] = data[at : at + draw.randint(1, 40)]
            case 3:
                data[at:at] = draw.choice(WORDS)
            case 4:
                data[at:] = b"" if draw.random() < 0.3 else data[at:]
    return bytes(data)


def thrown(name, count):
    """How many of so many mutations a target took; any other error than its own comes through."""
    draw, seeds = random.Random(0), targets.seeds(name)
    assert all(map(targets.TARGETS[name], seeds))
    return sum(targets.TARGETS[name](mutated(draw.choice(seeds), draw)) for _ in range(count))


def test_case_45_mutated_recipes_end_in_faults_and_nothing_else():
    assert 0 < thrown("recipe", 400) < 400


@pytest.mark.parametrize("name", ["checkpoint_content", "checkpoint_manifest"])
def test_case_59_mutated_checkpoints_end_in_a_refusal_and_nothing_else(name):
    assert thrown(name, 1500) < 1500


FINDS = {
    "checkpoint_content": [b"\1" + b"[" * 100_000, b"\1null", b'\1{"modules": []}', b"\0" + b"\xff" * 8],
    "checkpoint_manifest": [b"[" * 100_000, b"null", b'{"files": 1}', b"\xff"],
    "recipe": [b"", b"\0", b"a = " + b"[" * 5000],
}
"""What was found, by hand or by a fuzzer."""


@pytest.mark.parametrize("name", FINDS)
def test_what_was_found_once_is_refused(name):
    for data in FINDS[name]:
        assert not targets.TARGETS[name](data) or not data


def test_a_target_that_lets_another_error_through_is_seen(monkeypatch):
    monkeypatch.setattr(targets.TrainingState, "restore", lambda state, files: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        thrown("checkpoint_content", 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", targets.TARGETS)
def test_twenty_seconds_of_atheris_find_nothing(name, tmp_path):
    pytest.importorskip("atheris", reason="atheris has no wheel for this Python")
    done = subprocess.run(
        [sys.executable, str(FUZZ), name, "20", str(tmp_path / "corpus")],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done " in done.stderr
