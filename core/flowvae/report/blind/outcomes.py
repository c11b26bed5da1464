"""What the answers of blind tests show: each listener and pair of arms alone, then all of them as one family."""

from collections import Counter
from collections.abc import Sequence

from attrs import evolve, frozen

from flowvae.errors import FlowvaeError
from flowvae.folder.blind_records import BlindTest, Keys, Sheet, Test
from flowvae.report.blind.pages import FOLDER, TESTS
from flowvae.report.blind.pairs import steps_of
from flowvae.report.blind.sheets import key_of, locked
from flowvae.report.comparison import Comparison
from flowvae.report.reading import Folder
from flowvae.statistics.binomial import holm, p_at_least, p_either_side, share_interval
from flowvae.statistics.level import LEVEL


@frozen
class Outcome:
    """What one listener has answered about one pair of arms.

    Of an ABX, `hits` of `n` answers were right; of a preference, `hits` of `n` choices fell on `arm`, and `ties` on neither.
    """

    test: Test
    sheet: Sheet
    arm: str
    against: str
    hits: int
    n: int
    ties: int
    comparison: Comparison | None
    """What the primary metric says of the same pair, where the plan compares it."""
    before_end: tuple[int, int] | None = None
    """At which of how many steps the arms were heard, where that was before the end."""
    joint_p: float = 1.0
    family: int = 1
    """How many outcomes of this test there are."""

    @property
    def p(self) -> float:
        """One-sided of an ABX: only more than half speaks for an ear. Two-sided of a preference."""
        return (p_at_least if self.test == "abx" else p_either_side)(self.hits, self.n)

    @property
    def is_shown(self) -> bool:
        """Whether it is told apart from a coin, among all that was asked."""
        return self.joint_p <= LEVEL

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the share of hits lies in the long run; None where no choice was made."""
        return share_interval(self.hits, self.n) if self.n else None

    @property
    def preferred(self) -> str:
        """The arm that more choices fell on; nothing where both are even."""
        return "" if 2 * self.hits == self.n else self.arm if 2 * self.hits > self.n else self.against


@frozen
class Sum:
    """All listeners of a pair together: told as a sum, and never tested, since their answers are about the same sounds."""

    test: Test
    arm: str
    against: str
    listeners: int
    hits: int
    n: int
    ties: int


@frozen
class Blind:
    """The section of the page; `problem` says why there is none although there are answers."""

    outcomes: tuple[Outcome, ...] = ()
    problem: str = ""

    def of(self, test: Test) -> tuple[Outcome, ...]:
        """Those of one test."""
        return tuple(outcome for outcome in self.outcomes if outcome.test == test)

    def __bool__(self) -> bool:
        return bool(self.outcomes or self.problem)

    def sums(self, test: Test) -> tuple[Sum, ...]:
        """The sum of each pair that more than one sheet was handed in about."""
        pairs = dict.fromkeys((o.arm, o.against) for o in self.of(test))
        together = [[o for o in self.of(test) if (o.arm, o.against) == pair] for pair in pairs]
        return tuple(
            Sum(
                test,
                some[0].arm,
                some[0].against,
                len({o.sheet.listener.casefold() for o in some}),
                sum(o.hits for o in some),
                sum(o.n for o in some),
                sum(o.ties for o in some),
            )
            for some in together
            if len(some) > 1
        )


def blind(folder: Folder, comparisons: Sequence[Comparison]) -> Blind:
    """All locked answers of a folder, judged by the keys of their pages."""
    place = folder.place / FOLDER
    try:
        keys = Keys.read_if_there(place) or Keys()
        found = [
            outcome
            for sheet in locked(place)
            for outcome in _judged(folder, comparisons, sheet, key_of(place, keys, sheet.session))
        ]
    except FlowvaeError as error:
        return Blind(problem=error.what)
    joint: list[Outcome] = []
    for test in TESTS:
        family = [outcome for outcome in found if outcome.test == test]
        ps = holm([outcome.p for outcome in family])
        joint += [evolve(o, joint_p=p, family=len(family)) for o, p in zip(family, ps, strict=True)]
    return Blind(tuple(joint))


def _judged(folder: Folder, comparisons: Sequence[Comparison], sheet: Sheet, key: BlindTest) -> list[Outcome]:
    """The outcome of each pair that a page asked about."""
    found = []
    order = [arm.name for arm in sorted(folder.plan.arms, key=lambda arm: not arm.is_baseline)]
    for pair in dict.fromkeys(frozenset((q.a, q.b)) for q in key.questions):
        comparison = next((c for c in comparisons if {c.arm.name, c.against.name} == pair), None)
        against, arm = sorted(pair, key=lambda name: order.index(name) if name in order else len(order))
        if comparison is not None:
            against, arm = comparison.against.name, comparison.arm.name
        answered = [
            (question, answer)
            for question, answer in zip(key.questions, sheet.answers, strict=True)
            if {question.a, question.b} == pair
        ]
        if key.test == "abx":
            hits, n, ties = sum(question.x == answer for question, answer in answered), len(answered), 0
        else:
            chosen = Counter({"a": q.a, "b": q.b}.get(answer, "") for q, answer in answered)
            hits, n, ties = chosen[arm], chosen[arm] + chosen[against], chosen[""]
        steps = steps_of(folder.plan, arm)
        before_end = (key.step, steps) if key.step < steps else None
        found.append(Outcome(key.test, sheet, arm, against, hits, n, ties, comparison, before_end))
    return found
