"""A tree of finished runs of an ablation that is run across two budgets, as `pretended_runs` writes one of a single budget."""

import json

import numpy as np
from attrs import evolve

from flowvae.folder.plan_records import Plan
from pretended_runs import write_tree

VALUES = ("100", "500")
VARIANTS = ("snake", "leaky_relu", "elu")
SEEDS = range(6)


def luck(seed):
    """What a seed brings, the same for all arms."""
    return 0.5 * np.sin(7.0 * seed)


def noise(*where):
    return float(np.random.default_rng([abs(hash_of(part)) for part in where]).normal(0, 0.03))


def hash_of(part):
    return sum(map(ord, str(part)))


def made(place, figure, values=VALUES, variants=VARIANTS, n_clips=0, **changes):
    """`figure(variant, value)` is the mean of an arm; each arm has its figures, and validations until its budget."""
    places = [(variant, value) for value in values for variant in variants]
    names = [f"{variant}-steps-{value}" for variant, value in places]
    numbers = [[6 + luck(s) + figure(*p) + noise(*p, s) for s in SEEDS] for p in places]
    folder = write_tree(place, numbers, names=names, n_clips=n_clips)
    plan = Plan.read(folder)
    arms = tuple(
        evolve(
            arm,
            is_baseline=variant == variants[0],
            changes={"defaults.activation": variant} if variant != variants[0] else {},
            variant=variant,
            at=value,
            steps=int(value),
            flags=(),
        )
        for arm, (variant, value) in zip(plan.arms, places, strict=True)
    )
    axes = ("defaults.activation", "train.steps")
    evolve(plan, arms=arms, axes=axes, across={"train.steps": tuple(values)}, **changes).write(folder)
    for arm in arms:
        for run in (folder / "runs" / arm.name).glob("seed-*"):
            lines = (run / "metrics.jsonl").read_text().splitlines()
            kept = [line for line in lines if json.loads(line)["step"] <= arm.steps]
            (run / "metrics.jsonl").write_text("".join(f"{line}\n" for line in kept))
    return folder, {
        (variant, value): dict(zip(SEEDS, row, strict=True))
        for (variant, value), row in zip(places, numbers, strict=True)
    }


RATES = ("1e-3", "3e-4", "1e-4")
BETTER = {("snake", "3e-4"): -0.5, ("elu", "1e-4"): -0.8}
"""Each side has a value of its own at which it is better."""


def made_at_rates(place, n_seeds, shift=None, noise=0.05, steps=None, **changes):
    """Two sides at three rates of learning."""
    rng = np.random.default_rng(3)
    places = [(variant, rate) for rate in RATES for variant in ("snake", "elu")]
    shift = BETTER if shift is None else shift
    numbers = [(6 + shift.get(p, 0.0) + rng.normal(0, noise, n_seeds)).tolist() for p in places]
    folder = write_tree(place, numbers, names=[f"{v}-lr-{rate}" for v, rate in places], n_clips=0)
    plan = Plan.read(folder)
    arms = tuple(
        evolve(
            arm, is_baseline=v == "snake", variant=v, at=rate, steps=(steps or {}).get(rate, 500), flags=()
        )
        for arm, (v, rate) in zip(plan.arms, places, strict=True)
    )
    evolve(plan, arms=arms, across={"train.optimizer.lr": RATES}, **changes).write(folder)
    return folder, dict(zip(places, np.array(numbers), strict=True))
