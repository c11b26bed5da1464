"""What a plan compares with what, and which of these are one comparison at several values."""

from flowvae.folder.plan_records import Plan, PlannedArm

Side = tuple[PlannedArm, PlannedArm]
"""What is compared, and with what."""


def sides_of(plan: Plan) -> list[Side]:
    """Each alternative beside its baseline, then the pairs that are asked for besides."""
    beside = [(arm, other) for arm in plan.alternatives if (other := plan.baseline_of(arm))]
    return [*beside, *plan.asked_pairs]


def over_values(plan: Plan) -> list[tuple[int, int]]:
    """Where among the sides one comparison stands at the first value that an ablation is run across, and at a later one."""
    sides, first = sides_of(plan), next(iter(plan.values), "")
    names = [(arm.variant, other.variant) for arm, other in sides]
    at_first = {names[i]: i for i, (arm, _) in enumerate(sides) if arm.at == first}
    later = (i for i, (arm, _) in enumerate(sides) if arm.at != first)
    return [(at_first[names[i]], i) for i in later if names[i] in at_first]
