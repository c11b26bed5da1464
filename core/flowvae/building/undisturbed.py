"""Whether parts of other distributions leave alone, in their calls, what all parts share."""

from collections.abc import Callable, Iterable
from typing import Any

from torch import nn

from flowvae.catalogue.guard import SEED, Guard
from flowvae.catalogue.plugin import OWN
from flowvae.errors import PluginError
from flowvae.recipe.part import Part

WATCHED_CALLS = 3
"""Of each module: what it does to others, it does in its first calls."""


def watch(places: Iterable[tuple[str, Part, Any]], n_calls: int = WATCHED_CALLS) -> None:
    """From now on, in the first calls of each module: PluginError where it seeds torch, a note where it changes something else."""
    for path, part, built in places:
        if isinstance(built, nn.Module) and part.component.plugin.distribution != OWN:
            _watch(built, path, part, n_calls)


def _watch(module: nn.Module, path: str, part: Part, n_calls: int) -> None:
    guards: list[Guard] = []
    left = [n_calls]

    def begins(_module: nn.Module, _inputs: Any) -> None:
        guards.append(Guard())

    def ends(_module: nn.Module, _inputs: Any, _output: Any) -> None:
        guards.pop().put_back(teller(part, path))
        left[0] -= 1
        if left[0] <= 0 and not guards:
            for handle in handles:
                handle.remove()

    handles = [
        module.register_forward_pre_hook(begins),
        module.register_forward_hook(ends),
    ]


def teller(part: Part, path: str) -> Callable[[str], None]:
    """What hears of a change in a part's call."""

    def tell(what: str) -> None:
        if SEED in what:
            raise PluginError(
                f"{part.component} sets {SEED} in its call: what all others draw would no longer be that of another arm",
                where=path,
                do="draw from torch without a seed, or from a generator of its own; flowvae seeds every step",
            )
        part.component.plugin.note(what)

    return tell
