"""What an arm changes beside what the ablation varies: other values of the recipe, and another size, cost or reach."""

from collections.abc import Iterator

from flowvae.folder.matched import Matched
from flowvae.folder.probe_records import Probed
from flowvae.recipe import AblationPlan, Arm

SAME_SIZE = 0.02
"""Arms within 2 % of the weights count as one size."""
SAME_COST = 0.1
"""Multiply-adds that differ by less follow from almost any swap."""


def second_factors(
    plan: AblationPlan, arm: Arm, before: Probed, after: Probed, matched: Matched | None = None
) -> tuple[str, ...]:
    """All of them in words, each of which asks for a reason; `before` is what the arm is compared with.

    What was changed so that arms cost the same is none of them.
    """
    return (*plan.flags(arm, (matched.path,) if matched else ()), *_of_costs(before, after))


def _of_costs(before: Probed, after: Probed) -> Iterator[str]:
    """A larger model, a dearer one, and one that hears more of a sound may be better for that alone."""
    for what, ours, theirs, apart in (
        ("weights", after.parameters, before.parameters, SAME_SIZE),
        ("multiply-adds a second of audio", after.macs_per_second, before.macs_per_second, SAME_COST),
    ):
        if theirs and abs(ours / theirs - 1) > apart:
            more = f"{abs(ours / theirs - 1):.0%} {'more' if ours > theirs else 'fewer'}"
            yield f"has {more} {what}: {theirs:,.0f} -> {ours:,.0f}"
    if after.receptive_field != before.receptive_field:
        yield (
            "hears another span of a sound at once: "
            f"{before.receptive_field:,} -> {after.receptive_field:,} samples"
        )
