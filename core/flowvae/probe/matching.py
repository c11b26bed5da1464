"""`python -m flowvae.probe.matching FOLDER` reads FOLDER/matching.json and the arms beside it, and writes into it the width
at which each of them costs what the baseline does.
"""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import torch
from attrs import Factory, define, evolve

from flowvae.catalogue import Catalogue
from flowvae.errors import Fault, FlowvaeError, MachineError, PluginError, RecipeError
from flowvae.folder.matched import Matched, Matching
from flowvae.probe.relative_cost import WAYS, CostOf, Workshop
from flowvae.probe.tasks import Task, in_turn, together
from flowvae.probe.width_search import Cost, search
from flowvae.processes.outcome import Outcome, outcome_of
from flowvae.recipe import Recipe, read_recipe, resolve

BY = "ablation.match.by"


def main(folder: Path, side_by_side: Callable[[Sequence[Task]], Iterable[Outcome]] = in_turn) -> int:
    """Matches every arm that is asked for; the first fault ends it. What is timed has the processor for itself."""
    torch.set_num_threads(1)
    asked = Matching.read(folder)
    doing = in_turn if asked.what == "seconds" else side_by_side
    tasks = [partial(_outcome, folder, asked, name) for name in asked.asked]
    found = {}
    for name, outcome in zip(asked.asked, doing(tasks), strict=False):
        if outcome.exit_status:
            return outcome.tell()
        found[name] = outcome.found
    evolve(asked, found=found).write(folder)
    return 0


def _outcome(folder: Path, asked: Matching, name: str, share: int) -> Outcome:
    return outcome_of(name, lambda: _Arm(folder, asked, name, share).matched())


@define
class _Arm:
    folder: Path
    asked: Matching
    name: str
    share: int
    """How many are matched at a time."""
    catalogue: Catalogue = Factory(lambda self: Catalogue.installed(self.asked.plugins), takes_self=True)
    refusals: dict[int, str] = Factory(dict)

    def matched(self) -> Matched:
        """RecipeError where no width can be built."""
        asked, baseline = self.asked, self._recipe(self.asked.baseline)
        own = self._recipe(self.name).leaves()[asked.by]
        cost_of = WAYS[asked.what](baseline, Workshop(self.catalogue, self.share))
        found = search(own, partial(self._cost, cost_of))
        if found.width is None:
            least, most = found.refused[0], found.refused[-1]
            what = f"{self.name} takes no {asked.by} from {least} to {most}: {self.refusals[own]}"
            raise RecipeError([Fault(what, path=BY)])
        ratio, refused = found.cost, found.refused
        return Matched(
            asked.asked[self.name],
            asked.by,
            found.width,
            own,
            asked.what,
            ratio.ratio,
            ratio.least,
            ratio.most,
            refused,
        )

    def _cost(self, cost_of: CostOf, width: int) -> Cost | None:
        try:
            return cost_of(self._recipe(self.name, (f"{self.asked.by}={width}",)))
        except (RecipeError, PluginError, MachineError) as error:
            if isinstance(error, MachineError) and self.share > 1:
                raise  # it has the machine for itself once the others are through
            self.refusals[width] = _why(error)
            return None

    def _recipe(self, name: str, settings: tuple[str, ...] = ()) -> Recipe:
        return resolve(read_recipe(str(self.folder / f"{name}.toml"), settings), self.catalogue)


def _why(error: FlowvaeError) -> str:
    return error.faults[0].what if isinstance(error, RecipeError) and error.faults else error.what


if __name__ == "__main__":
    # macOS has os.fork, and libraries that a copy may not use.
    ways = together if sys.platform == "linux" and hasattr(os, "fork") else in_turn
    sys.exit(main(Path(sys.argv[1]), ways))
