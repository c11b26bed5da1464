"""Whether the metrics of a recipe can measure what it asks: enough sounds, and the parts that an ablation varies."""

from collections.abc import Iterator, Mapping, Sequence

from flowvae.catalogue import Catalogue, Component
from flowvae.errors import Fault, Place, PluginError
from flowvae.recipe.difference import effective_difference
from flowvae.recipe.node import Node, node_at
from flowvae.recipe.tables import EvaluationSection, Recipe

LEAST = {"sounds": ("least_sounds", "sounds"), "prior_samples": ("least_generated", "sounds of the prior")}
"""Key of the evaluation: the constant by which a metric says how many it needs, and what it counts."""
REACHED = {"model.prior": ("generated", "kl", "kl_by_dimension", "prior_latents")}
"""What of the evidence a part reaches by itself; all else it moves only by way of training, together with everything."""


def too_few(evaluation: EvaluationSection, root: Node) -> Iterator[Fault]:
    """Numbers of sounds that are smaller than some metric needs: one fault a key, for the most demanding one."""
    for key, (constant, counted) in LEAST.items():
        needs = {part.name: _says(part.component).get(constant) for part in evaluation.metrics.values()}
        known = {name: least for name, least in needs.items() if isinstance(least, int)}
        name = max(known, key=lambda one: known[one], default=None)
        asked: int = getattr(evaluation, key)
        if name is not None and asked < known[name]:
            path, least = f"evaluation.{key}", known[name]
            node = node_at(root, path) or node_at(root, "evaluation") or root
            what = f"{asked} is too few: {name} needs at least {least} {counted}"
            yield Fault(what, node.place, path, accepted=f"at least {least}")


def blind(recipes: Sequence[Recipe], place: Place, catalogue: Catalogue) -> Iterator[Fault]:
    """A primary metric that reads nothing of the one part that all arms differ in; the baseline comes first."""
    first, *others = recipes
    differences = {entry["path"] for one in others for entry in effective_difference(first, one)}
    ablation = first.ablation
    if ablation is None or not differences:
        return
    reads = _says(first.evaluation.metrics[ablation.metric].component).get("reads")
    for part, fields in REACHED.items():
        only_here = all(f"{path}.".startswith(f"{part}.") for path in differences)
        if only_here and isinstance(reads, tuple) and not set(reads).intersection(fields):
            decide = [c.name for c in catalogue.of_kind("metric") if _decides(c, [fields])]
            yield Fault(
                f"all arms differ in {part} alone, and {ablation.metric} reads nothing that it makes: only "
                f"{' and '.join(map(str, reads))}",
                place,
                "ablation.metric",
                accepted=f"a metric that reads {', '.join(fields[:-1])} or {fields[-1]}, and stands among "
                f"evaluation.metrics: {', '.join(decide) or 'none is installed'}",
            )


def judge_of(evaluation: EvaluationSection, path: str) -> str:
    """The first metric of a recipe that can tell which of several arms is better that differ in one part; "" for none."""
    of_part = [fields for part, fields in REACHED.items() if f"{path}.".startswith(f"{part}.")]
    return next((name for name, part in evaluation.metrics.items() if _decides(part.component, of_part)), "")


def _decides(metric: Component, of_each: Sequence[tuple[str, ...]]) -> bool:
    """Whether one end of it is good, and it reads something of each of some parts."""
    said = _says(metric)
    reads, has_end = said.get("reads", ()), said.get("direction") in {"lower", "higher"}
    return has_end and isinstance(reads, tuple) and all(set(reads).intersection(fields) for fields in of_each)


def _says(component: Component) -> Mapping[str, object]:
    """The constants of a component, none where its source does not allow to know."""
    try:
        return component.signature.constants
    except PluginError:
        return {}
