"""Which sounds stay together on one side of the split."""

from collections import Counter
from collections.abc import Sequence

from attrs import evolve, frozen

from flowvae.data.instruments import class_of, folder_instrument

_OTHERS = 3
"""Instruments beside its own that make a folder a kit after all: Tom's kick, snare and hat lie in "Tom"."""


@frozen
class Member:
    """What is known of a sound before it is read: its name, and the group and the label that its data set gives it."""

    name: str
    group: str
    label: str = ""

    @property
    def kind(self) -> str:
        """Its class; "" where nothing says it."""
        return class_of(self.name, self.label)


Named = tuple[str, str, str, str]
"""Of a sound its name, the name of the recording that it is a piece of, its group and its label."""


def members_of(named: Sequence[Named]) -> list[Member]:
    """Sounds as the split knows them: pieces of one recording by its name, which keeps them together.

    One recording alone has nothing beside it: there each piece stands for itself.

    >>> [m.name for m in members_of([("a/0", "a", "a", ""), ("a/1", "a", "a", ""), ("b", "", "b", "")])]
    ['a', 'a', 'b']
    """
    if len({whole or name for name, whole, _, _ in named}) == 1:
        return [Member(name, name, label) for name, _, _, label in named]
    return [Member(whole or name, group, label) for name, whole, group, label in named]


def units(members: Sequence[Member], split_by: str, apart: Sequence[str] = ()) -> list[str]:
    """What each sound is held out with: its kit, its class, or nothing but itself.

    >>> kits = [Member(f"{kit}/kicks/{i}.wav", f"{kit}/kicks") for kit in ("A", "B") for i in (1, 2)]
    >>> units(kits, "auto"), units(kits, "folder")
    (['A', 'A', 'B', 'B'], ['A/kicks', 'A/kicks', 'B/kicks', 'B/kicks'])
    """
    ways = {"auto": _kits, "folder": _groups, "file": _names, "class": _classes}
    if split_by == "auto" and apart:
        return _kits_apart(members, apart)
    return ways[split_by](members)


def _kits_apart(members: Sequence[Member], apart: Sequence[str]) -> list[str]:
    """The kits of each of some folders, as if nothing lay beside it."""
    found: dict[Member, str] = {}
    for folder in apart:
        own = [member for member in members if member.name.startswith(f"{folder}/")]
        inside = [
            evolve(m, name=m.name.removeprefix(f"{folder}/"), group=m.group.removeprefix(f"{folder}/"))
            for m in own
        ]
        found |= {member: f"{folder}/{kit}" for member, kit in zip(own, _kits(inside), strict=True)}
    return [found.get(member, member.name) for member in members]


def _names(members: Sequence[Member]) -> list[str]:
    return [member.name for member in members]


def _groups(members: Sequence[Member]) -> list[str]:
    return [member.group for member in members]


def _classes(members: Sequence[Member]) -> list[str]:
    return [member.kind or "no known class" for member in members]


def _kits(members: Sequence[Member]) -> list[str]:
    """The deepest folder that is no class; a folder that holds class folders is one kit with all that is below it.

    A folder that holds every sound tells no kits apart: what has no other stands for itself.
    """
    classes = _class_folders(members)
    shared = _shared_folders(members)
    holders = {path.rpartition("/")[0] for path in classes} - shared
    kits = []
    for member in members:
        kit = member.group
        if _lies_in_its_group(member):
            paths = _with_parents(kit)
            kept = [path.rpartition("/")[2] for path in paths if path not in classes]
            kit = next((path for path in paths if path in holders), "/".join(kept))
            kit = member.name if kit in shared else kit
        kits.append(kit)
    return kits if len(set(kits)) > 1 else _names(members)


def _shared_folders(members: Sequence[Member]) -> set[str]:
    """The folders that hold every sound, the nameless outermost one included."""
    folders = [_with_parents(m.group) if _lies_in_its_group(m) else [] for m in members]
    return {""} | set.intersection(*map(set, folders))


def _with_parents(folder: str) -> list[str]:
    """From the outermost on.

    >>> _with_parents("drums/old")
    ['drums', 'drums/old']
    """
    parts = folder.split("/")
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


def _lies_in_its_group(member: Member) -> bool:
    return member.name.rpartition("/")[0] == member.group


def _class_folders(members: Sequence[Member]) -> set[str]:
    """The paths of the folders that are named for an instrument and hold nothing that says otherwise."""
    inside: dict[str, Counter[str | None]] = {}
    for member in members:
        if _lies_in_its_group(member):
            kind = class_of(member.name.rpartition("/")[2], member.label) or None
            for path in _with_parents(member.group):
                inside.setdefault(path, Counter())[kind] += 1
    return {path for path, kinds in inside.items() if _is_class(path, kinds)}


def _is_class(path: str, inside: Counter[str | None]) -> bool:
    own = folder_instrument(path.rpartition("/")[2])
    others = {kind: count for kind, count in inside.items() if kind not in {own, None}}
    # Whatever has no folder of its own lies in "percussion".
    kit = own != "percussion" and len(others) >= _OTHERS and inside[own] < sum(others.values())
    return own is not None and not kit
