"""What there is to say of a split before anything is trained, and what no run can be made of."""

from collections import Counter

from flowvae.data.split import Split
from flowvae.errors import DataError
from flowvae.recipe import Recipe

FEW_GROUPS = 5
"""With fewer, the held-out ones say little of kits that are new."""
FAR = 1.5
"""The factor by which the real share may differ from the one asked for without a word."""


def told(split: Split) -> list[str]:
    """The split in a sentence, and what about it is worth a word."""
    sizes = Counter(split.units)
    real = sum(split.held) / len(split.held)
    asked = split.goal / len(split.held)
    notes = []
    if not asked / FAR <= real <= asked * FAR:
        notes.append(
            f"{real:.1%} held out where {split.share:.0%} was asked for: whole groups come no nearer without "
            'leaving classes out; data.split_by = "file" splits groups'
        )
    if len(sizes) < FEW_GROUPS:
        what = "groups" if max(sizes.values()) > 1 else "sounds"
        notes.append(f"only {len(sizes)} {what}: what is held out says little of sounds that are new")
    return [_summary(split, real), *notes, *_one_sided(split), *_copies(split)]


def refuse_unmeasurable(recipe: Recipe, n_held: int) -> None:
    """DataError where a metric needs more sounds than are held out."""
    for part in recipe.evaluation.metrics.values():
        least = part.component.signature.constants.get("least_sounds", 1)
        if isinstance(least, int) and n_held < least:
            raise DataError(
                f"{part.name} needs at least {least} held-out sounds, and the split leaves {n_held}",
                do="add sounds, ask for more with data.held_out, or leave the metric out",
            )


def _summary(split: Split, real: float) -> str:
    groups = {u for m, u in zip(split.members, split.units, strict=True) if u != m.name}
    held = sorted({u for u, is_held in zip(split.units, split.held, strict=True) if is_held and u in groups})
    shares = f"{sum(split.held)} of {len(split.held)} sounds ({real:.1%}, asked {split.share:.0%})"
    if not groups:
        return f"split: every sound stands for itself; held out: {shares}"
    n_single = len(set(split.units)) - len(groups)
    beside = f" and {_counted(n_single, 'single sound')}" if n_single else ""
    listed = ", ".join(held[:5]) + (f" and {len(held) - 5} more" if len(held) > 5 else "")
    which = f"{_counted(len(held), 'group')}, {shares}" + (f": {listed}" if held else "")
    return f"split: {_counted(len(groups), 'group')}{beside}; held out: {which}"


def _copies(split: Split) -> list[str]:
    """The sounds of which there are copies elsewhere, on one side and on both."""
    together: list[str] = []
    across: list[str] = []
    for i, j in split.copies:
        pair = f"{split.members[i].name} and {split.members[j].name}"
        (across if split.held[i] != split.held[j] else together).append(pair)
    # Of recordings of which several pieces are copies, one pair of names is enough.
    together, across = list(dict.fromkeys(together)), list(dict.fromkeys(across))
    said = []
    if together:
        said.append(f"copies of one sound, kept on one side: {_few(together)}")
    if across:
        said.append(
            f"held out and trained on as well, for they are copies of one sound: {_few(across)}; "
            "figures of held-out sounds are better than they would be of new ones: remove one of each"
        )
    return said


def _few(pairs: list[str]) -> str:
    return "; ".join(pairs[:3]) + (f"; {len(pairs) - 3} pairs more" if len(pairs) > 3 else "")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _one_sided(split: Split) -> list[str]:
    """Classes that only one of the two parts has; where that was asked for, nothing."""
    if split.split_by == "class":
        return []
    sides: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for member, held in zip(split.members, split.held, strict=True):
        if kind := member.kind:
            sides[held][kind] += 1
    found = []
    for here, there, what in (
        (0, 1, "only trained on, never measured"),
        (1, 0, "only measured, never trained on"),
    ):
        alone = {kind: count for kind, count in sides[here].items() if kind not in sides[there]}
        if alone:
            found.append(f"{what}: {', '.join(f'{kind} ({count})' for kind, count in sorted(alone.items()))}")
    return found
