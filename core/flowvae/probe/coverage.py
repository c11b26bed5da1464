"""What a swap reaches: the places of a kind that each component fills, and what does the same past any slot."""

from collections import Counter

from torch import nn

from flowvae.building.builder import Builder
from flowvae.catalogue import Catalogue
from flowvae.folder.probe_records import Coverage


def coverage(model: nn.Module, build: Builder, catalogue: Catalogue) -> dict[str, Coverage]:
    """By kind: how many places each component fills, and what is left over, by the component that holds it."""
    found = {}
    for kind in sorted({part.component.kind for _, part, _ in build.places}):
        filled = Counter(part.name for _, part, _ in build.places if part.component.kind == kind)
        found[kind] = Coverage(dict(filled), _left_over(model, build, catalogue, kind))
    return found


def _left_over(model: nn.Module, build: Builder, catalogue: Catalogue, kind: str) -> dict[str, int]:
    """Modules that a swap of this kind would not reach, as `Class in component (kind)` with their number."""
    alike = catalogue.kinds[kind].alike
    offered = {c.target.rpartition(":")[2] for c in catalogue.of_kind(kind) if isinstance(c.target, str)}
    reached: set[int] = set()
    owner: dict[int, str] = {}
    for (
        _,
        part,
        built,
    ) in build.places:  # a child is built before its parent, so the innermost owner is the first
        if isinstance(built, nn.Module):
            for module in built.modules():
                owner.setdefault(id(module), f"{part.name} ({part.component.kind})")
                if part.component.kind == kind:
                    reached.add(id(module))
    left = [
        f"{type(module).__name__} in {owner.get(id(module), 'the model')}"
        for module in model.modules()
        if id(module) not in reached
        and (type(module).__module__ in alike or type(module).__name__ in offered)
    ]
    return dict(Counter(left))
