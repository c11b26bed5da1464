"""Weights of a finished run to begin with: matched by name and shape, and told one by one."""

from collections.abc import Iterable, Mapping

import torch
from attrs import define, field
from torch import Tensor, nn

from flowvae.building.parts import Parts
from flowvae.errors import Fault, RecipeError
from flowvae.folder.checkpoint import read_verified
from flowvae.folder.run_records import Started
from flowvae.recipe.tables import StartSection
from flowvae.training.phases import MODEL
from flowvae.training.state import fill, state_of
from flowvae.training.training import AVERAGE

SHOWN = 4
"""Names of weights that a fault lists."""


def take_weights(parts: Parts) -> Started | None:
    """Gives the parts what the recipe takes from another run; RecipeError where that is not what is said."""
    start = parts.recipe.start
    if start is None:
        return None
    mine = {MODEL: parts.model, **(parts.second_player.modules if parts.second_player else {})}
    match = _Match(start, mine)
    told = match.told()
    with torch.no_grad():
        for name in told.taken:
            fill(match.mine[name], match.theirs[name])
        # The average begins where the weights begin: its own start would be that of an untrained model.
        averaged = dict(parts.average.state_dict())
        for name in told.taken:
            module, _, inside = name.partition(".")
            if module == MODEL and parts.average is not parts.model:
                fill(averaged[inside], match.theirs[name])
    return told


@define
class _Match:
    start: StartSection
    modules: Mapping[str, nn.Module]
    mine: dict[str, Tensor] = field(init=False)
    theirs: dict[str, Tensor] = field(init=False)

    def __attrs_post_init__(self) -> None:
        files = read_verified(self.start.from_)
        self.mine = _named({name: module.state_dict() for name, module in self.modules.items()})
        # What was evaluated is what the other run has become: its averaged weights, where it had any.
        states = {name: state_of(files, name) or {} for name in self.modules}
        self.theirs = _named({**states, MODEL: state_of(files, AVERAGE) or states[MODEL]})

    def told(self) -> Started:
        """What is taken, what begins anew, and what is left; RecipeError where the recipe does not say so."""
        faults = [fault for name in self.start.take for fault in self._faults(name)]
        found = self._under(self.start.take)
        if not faults and not self.start.partly and (found.new or found.left):
            faults = [Fault(_unlike(found), path="start.from", accepted="partly = true takes what fits")]
        if faults:
            raise RecipeError(faults)
        return found

    def _faults(self, name: str) -> Iterable[Fault]:
        found = self._under([name])
        if not found.taken and not found.new:
            accepted = ", ".join(self.modules)
            yield Fault(f'there is no module "{name}" with weights', path="start.take", accepted=accepted)
        elif not found.taken:
            what = f"no weight of {name} fits: {_unlike(found)}"
            yield Fault(what, path="start.from", accepted="a run whose model is built alike")

    def _under(self, names: Iterable[str]) -> Started:
        prefixes = tuple(f"{name}." for name in names)
        mine = [name for name in self.mine if name.startswith(prefixes)]
        taken = [n for n in mine if n in self.theirs and self.theirs[n].shape == self.mine[n].shape]
        new = [name for name in mine if name not in taken]
        left = [name for name in self.theirs if name.startswith(prefixes) and name not in taken]
        return Started(tuple(taken), tuple(new), tuple(left))


def _named(states: Mapping[str, Mapping[str, object]]) -> dict[str, Tensor]:
    return {
        f"{module}.{name}": value
        for module, state in states.items()
        for name, value in state.items()
        if isinstance(value, Tensor)
    }


def _unlike(found: Started) -> str:
    other_shape = tuple(name for name in found.new if name in found.left)
    said = [
        ("lacks", tuple(name for name in found.new if name not in other_shape)),
        ("has besides", tuple(name for name in found.left if name not in other_shape)),
        ("has in another shape", other_shape),
    ]
    parts = [f"{verb} {_listed(names)}" for verb, names in said if names]
    return f"the other run {'; '.join(parts)}"


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
