"""The latent space in plain words: a sentence an arm under each heading."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from attrs import frozen

from flowvae.folder.latents import Latents
from flowvae.report.latent_health import USED, Dimensions, Kind, chance, dimensions, drift, told_apart
from flowvae.report.number_format import THIN, count, percentage, plain, whole
from flowvae.report.reading import Folder

CRITERION: dict[Kind, str] = {
    "divergence": f"its divergence from the prior is above {USED} nats on average",
    "signal": f"its codes against their noise carry above {USED} nats",
    "spread": f"its variance from sound to sound is above {USED}",
}
"""When a number counts as used."""
PRICED_BY = "regularizer."
"""The table of a recipe that sets a price on what the latent vector says."""


@frozen
class Topic:
    """A heading, what its figure means, and a sentence for each arm."""

    title: str
    meaning: str
    said: tuple[tuple[str, str], ...]


def topics(folder: Folder) -> tuple[Topic, ...]:
    """Use, prior and way back; nothing where no run has left its codes."""
    if not any(run.latents for run in folder.runs):
        return ()
    return (
        Topic(
            "How many numbers a sound needs",
            "The encoder writes a sound as so many numbers. A number that says nothing can be left out: "
            "turning it changes no sound.",
            _each(folder, lambda arm, found: _use(folder, arm, found)),
        ),
        Topic(
            "Whether new sounds come from where sounds are",
            "New sounds are drawn from the prior. Told by the nearest neighbour alone, half of all guesses whether a point is a "
            "sound's or the prior's are right by luck: near 50\u202f% the prior lies where the sounds lie, near 100\u202f% "
            "new sounds come from where no sound has been.",
            _each(folder, lambda _, found: _place(found)),
        ),
        Topic(
            "Whether a sound comes back as itself",
            "Decoded and encoded again, a sound should get the numbers it had: otherwise each round of editing moves it "
            "on. 0\u202f% is no drift; at 100\u202f% it is carried as far as sounds lie from their middle.",
            _each(folder, lambda _, found: _way_back(found)),
        ),
    )


def _each(folder: Folder, say: Callable[[str, Sequence[Latents]], str]) -> tuple[tuple[str, str], ...]:
    said = []
    for arm in folder.plan.arms:
        runs = folder.of(arm.name)
        found = [run.latents for run in runs if run.latents]
        is_old = any(run.result for run in runs)
        missing = "not known: its runs have left no codes" if is_old else "not known yet: no run has finished"
        said.append((arm.name, say(arm.name, found) if found else missing))
    return tuple(said)


def _use(folder: Folder, arm: str, found: Sequence[Latents]) -> str:
    each = [dimensions(latents) for latents in found]
    n, kind = len(each[0].values), each[0].kind
    return f"{_used([one.n_used for one in each], n)} (a number is used if {CRITERION[kind]}){_most(each)}.{_price(folder, arm)}"


def _used(counts: Sequence[int], n: int) -> str:
    least, most = min(counts), max(counts)
    if most == 0:
        return f"none of {n} numbers is used, so the decoder ignores them all"
    if least == n:
        return f"all of {n} numbers are used"
    said = (
        f"{least} of {n} numbers are used" if least == most else f"{least} to {most} of {n} numbers are used"
    )
    rest = n - most
    return f"{said}; the other{'s' if rest > 1 else ''} could be left out" if rest else said


def _most(each: Sequence[Dimensions]) -> str:
    needed = [one.n_for_most for one in each if one.n_for_most]
    if not needed:
        return ""
    typical = round(float(np.median(needed)))
    return f"; {count(typical, 'number')} hold{'s' if typical == 1 else ''} nine tenths of what they say"


def _price(folder: Folder, arm: str) -> str:
    """The numbers of the recipe's regularizer: what is free of charge, or dear, decides how many numbers are used."""
    probed = folder.arms.get(arm)
    leaves = (probed.leaves if probed else {}).items()
    numbers = {
        path.removeprefix(PRICED_BY): float(value)
        for path, value in leaves
        if path.startswith(PRICED_BY) and isinstance(value, int | float) and not isinstance(value, bool)
    }
    told = ", ".join(f"{key} {plain(value)}" for key, value in numbers.items())
    return f" What they cost: {told}." if told else ""


def _place(found: Sequence[Latents]) -> str:
    shares = [known for latents in found if (known := told_apart(latents)) is not None]
    if not shares:
        return "not known: there are too few sounds to tell"
    n = min(len(found[0].drawn), len(found[0].prior))
    return f"{_shares(shares)} of the guesses are right; with {n} sounds, ± {percentage(chance(n))} is luck."


def _way_back(found: Sequence[Latents]) -> str:
    drifts = [known for latents in found if (known := drift(latents)) is not None]
    return f"{_shares(drifts)} drift." if drifts else "not known: all sounds have one and the same code"


def _shares(values: Iterable[float]) -> str:
    """The mean, and where the seeds lie."""
    known = list(values)
    mean, *ends = map(_percentage, (float(np.mean(known)), min(known), max(known)))
    return f"{mean} ({ends[0]} to {ends[1]} over {count(len(known), 'seed')})" if ends[0] != ends[1] else mean


def _percentage(ratio: float) -> str:
    """A drift may be more than the whole."""
    return percentage(ratio) if ratio < 1 else f"{whole(100 * ratio)}{THIN}%"
