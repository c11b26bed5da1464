"""The shortest true answer to what was asked."""

from collections.abc import Sequence

from flowvae.folder.plan_records import Plan
from flowvae.report.across import across_headline, shifts
from flowvae.report.comparison import ENDED, Comparison
from flowvae.report.factors import effect_headline, effects
from flowvae.report.reading import Folder

MOST_NAMED = 6


def headline(folder: Folder, comparisons: Sequence[Comparison]) -> str:
    """One or two sentences, without a number unless a difference changes from one value to another."""
    if folder.plan.across:
        said = across_headline(folder.plan, comparisons, shifts(folder, comparisons))
        return said or _without_answer(folder, comparisons)
    answered = f"{_claimed(folder.plan, comparisons)}{_equal(comparisons)}".strip()
    if answered:
        return f"{answered}{_unknown(comparisons)}"
    return _without_answer(folder, comparisons)


def _claimed(plan: Plan, comparisons: Sequence[Comparison]) -> str:
    alike: dict[str, list[str]] = {}
    for c in comparisons:
        if c.is_claim:
            small = ", by less than is worth it," if c.verdict.is_small else ""
            alike.setdefault(f"{c.verdict.word} than {c.against.name}{small}", []).append(c.arm.name)
    if sum(map(len, alike.values())) > MOST_NAMED:
        told = [f"{_named(arms)} {'are' if len(arms) > 1 else 'is'} {how}" for how, arms in alike.items()]
    else:
        told = [f"{arm} is {how}" for how, arms in alike.items() for arm in arms]
    return f"{'; '.join(told)} on {plan.metric}." if told else ""


def _named(arms: Sequence[str]) -> str:
    """All of a few, and how many of many: who reads a headline reads no list."""
    shown = arms if len(arms) <= MOST_NAMED else arms[:2]
    rest = [f"{len(arms) - len(shown)} more"] if len(arms) > len(shown) else []
    *before, last = [*shown, *rest]
    return f"{', '.join(before)} and {last}" if before else last


def _equal(comparisons: Sequence[Comparison]) -> str:
    said = [
        f"{c.arm.name} is as good as {c.against.name}" for c in comparisons if c.verdict.word == "equivalent"
    ]
    return f" {'; '.join(said)}: the difference is less than is worth it." if said else ""


def _unknown(comparisons: Sequence[Comparison]) -> str:
    """Whom nothing is said of."""
    rest = [
        c.arm.name if c.against.is_baseline else f"{c.arm.name} beside {c.against.name}"
        for c in comparisons
        if c.verdict.word in {"not shown", "not compared"}
    ]
    return (
        f" No difference is shown for {' and '.join(rest) if len(rest) <= MOST_NAMED else _named(rest)}."
        if rest
        else ""
    )


def _without_answer(folder: Folder, comparisons: Sequence[Comparison]) -> str:
    if any(run.state not in ENDED for run in folder.runs):
        return "Not finished: nothing is concluded yet."
    if folder.plan.factors:
        return effect_headline(folder, effects(folder))
    if comparisons and all(c.verdict.word == "not compared" for c in comparisons):
        return "The runs are not comparable, so there is no winner."
    if comparisons:
        return "No difference between the arms has been shown."
    if any(run.result for run in folder.runs):
        return f"{folder.plan.name} is trained. Nothing was compared."
    return "No run has finished."
