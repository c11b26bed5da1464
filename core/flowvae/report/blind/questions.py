"""Which sounds a blind test asks about, in which order, and which of the two is heard again: all drawn from one secret number."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from attrs import Factory, define, frozen

from flowvae.folder.blind_records import BlindTest, Question, Side, Test
from flowvae.folder.record import CONVERTER
from flowvae.report.blind.pairs import Pair, steps_of
from flowvae.report.blind.takes import Couple, NotComparable, couple, last_step, sounds_at, title_of
from flowvae.report.reading import Folder


@frozen
class Draws:
    """Streams of random numbers that belong to one secret, so that the sounds of a page do not move its key.

    >>> Draws("7").of("key").random() == Draws("7").of("key").random() != Draws("7").of("dither").random()
    True
    """

    secret: str

    def of(self, purpose: str) -> np.random.Generator:
        """The stream of one purpose."""
        drawn = hashlib.sha256(f"{purpose}:{self.secret}".encode()).digest()
        return np.random.default_rng(int.from_bytes(drawn, "little"))


@define
class Sounds:
    """What of a folder can be asked about, and why some of it cannot."""

    folder: Folder
    reasons: dict[str, None] = Factory(dict)

    def step_of(self, pair: Pair) -> int:
        """The last step that most runs of two arms have sounds of; 0 where none has any."""
        runs = [run for arm in pair for run in self.folder.of(arm)]
        steps = Counter(step for run in runs if (step := last_step(run)) is not None)
        return max(steps, key=lambda step: (steps[step], step), default=0)

    def not_ended(self, pair: Pair) -> str:
        """In words that two arms are heard before the end of their training; nothing where they are not."""
        step, steps = self.step_of(pair), steps_of(self.folder.plan, pair[0])
        heard = [run for arm in pair for run in self.folder.of(arm) if sounds_at(run, step)]
        if all(run.state == "done" and last_step(run) == step for run in heard):
            return ""
        return f"what is heard is step {step} of {steps}"

    def of(self, pair: Pair, n: int, draws: np.random.Generator) -> list[tuple[Question, Couple]]:
        """So many questions about a pair, each about another clip or another seed, as evenly over both as there are."""
        found: list[tuple[Question, Couple]] = []
        step = self.step_of(pair)
        one, other = ({run.seed: sounds_at(run, step) for run in self.folder.of(arm)} for arm in pair)
        for arm, sounds in zip(pair, (one, other), strict=True):
            for seed in (seed for seed, files in sounds.items() if not files):
                self.reasons[f"{arm}, seed {seed}, has no sounds of step {step}"] = None
        clips = sorted({clip for seed in one for clip in one[seed]})
        for clip, seed in _dealt(clips, list(one), draws):
            mine, theirs = one[seed].get(clip), other.get(seed, {}).get(clip)
            if mine is None or theirs is None or len(found) == n:
                continue
            try:
                heard = couple(mine, theirs)
            except NotComparable as reason:
                self.reasons[f"{title_of(mine)}, seed {seed}, {' and '.join(pair)}: {reason}"] = None
                continue
            found.append((Question(title_of(mine), seed, *pair, x="none"), heard))
        return found


def _dealt(
    clips: Sequence[int], seeds: Sequence[int], draws: np.random.Generator
) -> Iterator[tuple[int, int]]:
    """Every clip with every seed once: each round holds every clip, and the seeds take turns."""
    clips, seeds = list(draws.permutation(clips)), list(draws.permutation(seeds))
    for turn, _ in enumerate(seeds):
        for at, clip in enumerate(clips):
            yield int(clip), int(seeds[(turn + at) % len(seeds)])


def drawn(
    test: Test, sounds: Sounds, pairs: Sequence[Pair], n: int, secret: str
) -> tuple[BlindTest, list[Couple]]:
    """The key of a test, and the sounds of its questions as they are asked: `one` is A, `other` is B.

    Who is A is a throw of a fair coin at every question, and so is who is X. The throws are not evened out: where as many X
    were A as B, the answers would depend on each other, and the binomial p would not be exact.
    """
    draws = Draws(f"{test}:{secret}")
    asked = [found for pair in pairs for found in sounds.of(pair, n, draws.of(f"sounds {pair}"))]
    key = draws.of("key")
    questions, heard = [], []
    for i in key.permutation(len(asked)):
        question, both = asked[i]
        a_is_first, x_is_a = key.random() < 0.5, key.random() < 0.5
        one, other = (question.a, question.b) if a_is_first else (question.b, question.a)
        x: Side = "none" if test == "preference" else "a" if x_is_a else "b"
        questions.append(Question(question.clip, question.seed, one, other, x))
        heard.append(both if a_is_first else Couple(both.other, both.one, both.rate))
    digest = hashlib.sha256()
    for couple_ in heard:
        digest.update(couple_.one.tobytes() + couple_.other.tobytes())
    step = max(sounds.step_of(pair) for pair in pairs)
    return BlindTest(test, secret, step, digest.hexdigest(), tuple(questions)), heard


def session_of(test: BlindTest) -> str:
    """What a page is called: the hash of its key, so that a key that was changed afterwards belongs to no page.

    The secret goes into the hash: without it nobody can try the keys until one fits.
    """
    content = json.dumps(CONVERTER.unstructure(test), sort_keys=True)
    return f"{test.test}-{hashlib.sha256(content.encode()).hexdigest()[:20]}"
