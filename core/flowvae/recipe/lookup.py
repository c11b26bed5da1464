"""Finds the component that a name means, or says why it means none."""

from collections.abc import Sequence

from attrs import frozen

from flowvae.catalogue import Catalogue, Component


@frozen
class NotFound:
    """Why a name means no component, and what would have been right."""

    what: str
    accepted: str
    suggestions: tuple[str, ...] = ()


def look_up(catalogue: Catalogue, kind: str, name: str, unmet: Sequence[str]) -> Component | NotFound:
    """The one component of a kind with this name; `unmet` requirements may be why there is none."""
    found = catalogue.find(kind, name)
    if len(found) == 1:
        return found[0]
    if found:
        owners = " and ".join(c.plugin.owner for c in found)
        return NotFound(f'"{name}" is offered by {owners}', " or ".join(f'"{c.qualified}"' for c in found))
    elsewhere = catalogue.elsewhere(kind, name)
    if elsewhere:
        kinds = " and ".join(_article(other) for other in sorted({c.kind for c in elsewhere}))
        what = f"{name} is {kinds}; this slot takes {_article(kind)}"
    else:
        what = f'there is no {kind} called "{name}"'
    known = [c.name for c in catalogue.of_kind(kind)]
    near = catalogue.suggest(name, known)
    owned = [str(c) for n in near for c in catalogue.find(kind, n)]
    broken = [f"{p.distribution} {p.version} did not load ({p.problem})" for p in catalogue.broken()]
    distribution, colon, _ = name.rpartition(":")
    if colon and distribution not in {plugin.distribution for plugin in catalogue.plugins}:
        broken.append(f'no plugin called "{distribution}" is installed')
    return NotFound(what, "; ".join([", ".join(known), *broken, *unmet]), tuple(owned[:3]))


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
