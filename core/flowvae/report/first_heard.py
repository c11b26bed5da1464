"""What is heard on the first screen: one clip, arm against arm, and how much the difference rests on."""

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from flowvae.folder.plan_records import PlannedArm
from flowvae.folder.sound_names import slug
from flowvae.report.comparison import Comparison, pair_metric
from flowvae.report.listening import Listening, Row, Take
from flowvae.report.number_format import THIN, count, signed, span, whole, with_unit
from flowvae.report.reading import Folder


@frozen
class FirstHeard:
    """The players beside the headline, by the name of their arm; `why` says by which rule the clip was chosen."""

    row: Row
    arms: tuple[tuple[str, Take], ...]
    why: str


def shown_arm(folder: Folder, comparisons: Sequence[Comparison]) -> PlannedArm | None:
    """The alternative of the headline: one with a verdict, else the one with the largest difference, else the first."""
    plan, metric = folder.plan, folder.plan.primary
    claimed = [c for c in comparisons if c.is_claim and c.against.is_baseline]
    if claimed:
        return max(claimed, key=lambda c: abs(c.paired.mean) if c.paired else 0.0).arm
    if plan.baseline is None or not plan.alternatives:
        return None
    pairs = {arm.name: pair_metric(folder, arm, metric.name) if metric else None for arm in plan.alternatives}

    def size(arm: PlannedArm) -> float:
        paired = pairs[arm.name]
        return abs(paired.mean) if paired else -1.0

    return max(plan.alternatives, key=size)


def first_heard(folder: Folder, comparisons: Sequence[Comparison], listening: Listening) -> FirstHeard | None:
    """The players of the first screen; None where nobody left a sound beside a target."""
    if not listening.rows:
        return None
    alternative, baseline = shown_arm(folder, comparisons), folder.plan.baseline
    wanted = [arm.name for arm in (baseline, alternative) if arm] or [folder.plan.arms[0].name]
    rows = [row for row in listening.rows if _at_one_seed(row, wanted)]
    if rows:
        row, why = _median(folder, wanted, rows)
        return FirstHeard(row, _at_one_seed(row, wanted), why)
    # One of the two has left no sound yet: whoever has is heard beside the target.
    names = [*wanted, *(arm.name for arm in folder.plan.arms)]
    for row in listening.rows:
        alone = next((takes for name in names if (takes := _at_one_seed(row, [name]))), None)
        if alone:
            return FirstHeard(row, alone, "the first clip with a sound")
    return None


def _at_one_seed(row: Row, names: Sequence[str]) -> tuple[tuple[str, Take], ...]:
    """A take of each arm, all of the first seed that all of them have; nothing where there is none."""
    takes = {cell.arm: {take.seed: take for take in cell.takes} for cell in row.cells if cell.arm in names}
    if len(takes) < len(names):
        return ()
    shared = [seed for seed in takes[names[0]] if all(seed in found for found in takes.values())]
    return tuple((name, takes[name][shared[0]]) for name in names) if shared else ()


def _median(folder: Folder, names: Sequence[str], rows: Sequence[Row]) -> tuple[Row, str]:
    """The clip in the middle: a clip picked by ear, or the one with the largest difference, would speak for an arm."""
    differences = _differences(folder, names) if len(names) == 2 else {}
    known = sorted((differences[row.title], i) for i, row in enumerate(rows) if row.title in differences)
    if len(known) < 2:
        return rows[0], "the first clip"
    _, i = known[(len(known) - 1) // 2]
    return rows[i], f"the clip whose difference is the median of {len(known)}"


def _differences(folder: Folder, names: Sequence[str]) -> dict[str, float]:
    """The mean paired difference of the primary metric of each sound, by the name that its file has.

    Names that two sounds share tell neither.
    """
    metric = folder.plan.primary
    if metric is None:
        return {}
    found: dict[str, list[float]] = {}
    shared: set[str] = set()
    for theirs, ours in zip(folder.of(names[0]), folder.of(names[1]), strict=True):
        if theirs.result is None or ours.result is None or theirs.result.sounds != ours.result.sounds:
            continue
        titles = [slug(name) for name in ours.result.sounds]
        shared |= {title for title in titles if titles.count(title) > 1}
        figures = zip(titles, theirs.per_sound(metric.name), ours.per_sound(metric.name), strict=False)
        for title, a, b in figures:
            if a is not None and b is not None:
                found.setdefault(title, []).append(b - a)
    return {title: float(np.mean(values)) for title, values in found.items() if title not in shared}


def evidence(folder: Folder, comparisons: Sequence[Comparison]) -> str:
    """The difference of the headline with its interval, the budget it holds for, and what it rests on; empty without one."""
    plan, metric = folder.plan, folder.plan.primary
    arm = shown_arm(folder, comparisons)
    if any(c.arm == arm and c.verdict.word == "not compared" for c in comparisons):
        return ""
    paired = pair_metric(folder, arm, metric.name) if arm and metric else None
    if arm is None or metric is None or paired is None:
        return ""
    size = with_unit(signed(paired.mean), metric.unit)
    interval = f" (95{THIN}% interval {span(paired.interval)})" if paired.interval else ""
    result = next(run.result for run in folder.of(arm.name) if run.result and run.seed in paired.seeds)
    rests = [count(len(paired.seeds), "seed")]
    if result.sounds:
        groups = len(set(result.groups))
        rests.append(
            count(len(result.sounds), "held-out sound") + (f" of {count(groups, 'group')}" if groups else "")
        )
    return f"{arm.name}: {metric.name} {size}{interval} at {whole(plan.steps)} steps; {', '.join(rests)}"
