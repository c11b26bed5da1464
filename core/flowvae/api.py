"""The front page: what flowvae does, from Python. Torch loads when a sound is touched, and not before."""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from flowvae.building.installation import require_torch
from flowvae.catalogue import Catalogue, Component
from flowvae.errors import UsageError
from flowvae.folder.starts import check_starts
from flowvae.play.trained import TrainedRun
from flowvae.recipe import AblationPlan, plan_ablation, read_recipe
from flowvae.recipe.datasets import folder_dataset

if TYPE_CHECKING:
    import pandas as pd

    from flowvae.building.model import SoundVAE
    from flowvae.report.comparison import Comparison

Recipe = str | Path
"""A TOML file, or the name of a shipped recipe."""
Data = str | Path | Mapping[str, Any]
"""A folder of sounds, or what to lay over the recipe's table of data."""
Seeds = int | Mapping[str, int]
"""How many, or the looks at which more are added: {"first": 6, "most": 12, "looks": 3}."""


@frozen(eq=False, slots=False)
class Ablation:
    """An ablation that was run: its arms, how they compare, and the page that shows it."""

    folder: Path

    @property
    def report(self) -> Path:
        """The page."""
        return self.folder / "report.html"

    @cached_property
    def arms(self) -> Mapping[str, tuple[TrainedRun, ...]]:
        """The finished runs of every arm, the baseline's first, in the order of their seeds."""
        found = self._content
        return {
            arm.name: tuple(TrainedRun(run.folder) for run in found.of(arm.name) if run.result)
            for arm in found.plan.arms
        }

    @property
    def comparisons(self) -> "tuple[Comparison, ...]":
        """Each alternative against the baseline on the primary metric: the difference, its interval, the verdict."""
        from flowvae.report.comparison import compare  # noqa: PLC0415 - scipy takes a while

        return compare(self._content)

    def to_pandas(self) -> "pd.DataFrame":
        """One row for each arm, seed and metric. It needs pandas, which flowvae does not bring."""
        import pandas as pd  # noqa: PLC0415 - only who asks for it has it

        return pd.read_csv(self.folder / "results.csv")

    @cached_property
    def _content(self) -> Any:
        from flowvae.report.reading import read_folder  # noqa: PLC0415 - as above

        return read_folder(self.folder)


def check(
    recipe: Recipe, *, data: Data | None = None, seeds: Seeds | None = None, **tables: Any
) -> AblationPlan:
    """What a recipe would run: its arms, complete, with their seeds. RecipeError with every fault, as data.

    `tables` are laid over the recipe: train={"steps": 200}.

    >>> plan = check("ablation_snake", train={"steps": 200})
    >>> [arm.name for arm in plan.arms], plan.recipe.train.steps, len(plan.seeds)
    (['snake', 'leaky_relu'], 200, 7)
    >>> [len(seeds) for seeds in check("ablation_snake", seeds={"first": 6, "most": 12, "looks": 3}).looks]
    [6, 9, 12]
    """
    catalogue = Catalogue.installed()
    laid = _laid_over(catalogue, data, seeds, tables)
    plan = plan_ablation(read_recipe(str(recipe), tables=laid), catalogue)
    check_starts(plan)
    if data is not None:
        from flowvae.data.outlook import outlooks  # noqa: PLC0415 - needs numpy, and recipes alone do not

        outlooks(plan.arms)
    return plan


def run(
    recipe: Recipe,
    *,
    data: Data | None = None,
    out: Recipe | None = None,
    seeds: Seeds | None = None,
    say: Callable[[str], None] = print,
    **tables: Any,
) -> Ablation:
    """Checks, plans, runs and reports; called again, it continues. As `flowvae-run` does."""
    from flowvae.ablation.drive import run_recipe  # noqa: PLC0415 - numpy and scipy take a while

    catalogue = Catalogue.installed()
    source = read_recipe(str(recipe), tables=_laid_over(catalogue, data, seeds, tables))
    report = run_recipe(source, Path(out) if out else None, say, catalogue)
    return Ablation(report.parent)


def load(folder: Recipe) -> TrainedRun:
    """The trained run in a folder such as runs/ablation_snake/runs/snake/seed-0."""
    return TrainedRun.at(Path(folder))


def build(recipe: Recipe, *, seed: int = 0, **tables: Any) -> "SoundVAE":
    """An untrained model, as a training would start it: the baseline's, where the recipe is an ablation.

    Who trains it in this process, on a CPU, gains by the settings of memory that `flowvae doctor` prints.
    """
    plan = check(recipe, **tables)
    require_torch("a model")
    from flowvae.building.parts import Parts  # noqa: PLC0415 - torch comes in here

    return Parts(plan.recipe, seed).model


def components(kind: str | None = None) -> tuple[Component, ...]:
    """Everything on offer, or what is of one kind.

    >>> {"leaky_relu", "snake"} <= {component.name for component in components("activation")}
    True
    """
    catalogue = Catalogue.installed()
    if kind is not None and kind not in catalogue.kinds:
        near = catalogue.suggest(kind, catalogue.kinds)
        do = f"did you mean {' or '.join(near)}?" if near else f"kinds: {', '.join(sorted(catalogue.kinds))}"
        raise UsageError(f'there is no kind "{kind}"', do=do)
    return tuple(c for one in ([kind] if kind else sorted(catalogue.kinds)) for c in catalogue.of_kind(one))


def _laid_over(
    catalogue: Catalogue, data: Data | None, seeds: Seeds | None, tables: Mapping[str, Any]
) -> dict[str, Any]:
    """What is laid over a recipe, by key path."""
    laid: dict[str, Any] = {}
    if isinstance(data, Mapping):
        laid["data"] = data
    elif data is not None:
        component, key = folder_dataset(catalogue)
        laid["data"] = {"use": component.name, key: Path(data).expanduser().absolute()}
    if seeds is not None:
        laid["ablation.seeds"] = seeds
    return {**laid, **tables}
