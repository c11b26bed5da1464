"""Whether the metrics of a recipe can measure what it asks: enough sounds, and the parts that an ablation varies."""

from collections.abc import Iterator, Mapping, Sequence

from flowvae.catalogue import Catalogue, Component
from flowvae.errors import Fault, Place, PluginError
from flowvae.recipe.difference import effective_difference
from flowvae.recipe.node import Node, node_at
from flowvae.recipe.tables import EvaluationSection, Recipe

LEAST = {"sounds": ("least_sounds", "sounds"), "prior_samples": ("least_generated", "sounds of the prior")}
"""Key of the evaluation: the constant by which a metric says how many it needs, and what it counts."""
OF_THE_PRIOR = ("generated", "kl", "kl_by_dimension", "prior_latents")
REACHED = {"model.prior": OF_THE_PRIOR, "prior_fit": OF_THE_PRIOR}
"""What of the evidence a part reaches by itself; all else it moves only by way of training, together with everything."""
LENGTH = "prior_fit.from_step"
"""The one key below these that decides how long all else is trained."""
IDLE = ("losses.", "regularizer.", "adversarial.", "train.optimizer.", "train.schedule.", "train.clip")
"""What nothing reads where the whole run is a fit of the prior."""


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
    parts = [part for part in REACHED if any(f"{path}.".startswith(f"{part}.") for path in differences)]
    inside = all(f"{path}.".startswith(tuple(f"{part}." for part in parts)) for path in differences)
    if inside and LENGTH not in differences:
        fields = tuple(dict.fromkeys(field for part in parts for field in REACHED[part]))
        if isinstance(reads, tuple) and not set(reads).intersection(fields):
            decide = [c.name for c in catalogue.of_kind("metric") if decides(c, fields)]
            yield Fault(
                f"all arms differ in {' and '.join(parts)} alone, and {ablation.metric} reads nothing that it makes: only "
                f"{' and '.join(map(str, reads))}",
                place,
                "ablation.metric",
                accepted=f"a metric that reads {', '.join(fields[:-1])} or {fields[-1]}, and stands among "
                f"evaluation.metrics: {', '.join(decide) or 'none is installed'}",
            )


def idle(recipes: Sequence[Recipe], place: Place) -> Iterator[Fault]:
    """Arms that differ from the baseline only in how a model is trained that no longer moves."""
    first, *others = recipes
    for one in others:
        differences = [entry["path"] for entry in effective_difference(first, one)]
        fitted = all(
            recipe.prior_fit is not None and not recipe.prior_fit.from_step for recipe in (first, one)
        )
        if fitted and differences and all(path.startswith(IDLE) for path in differences):
            what = f"nothing but the prior moves ({LENGTH} = 0), so no result depends on {', '.join(differences)}"
            yield Fault(what, place, "ablation.vary")


def judge_of(evaluation: EvaluationSection, path: str) -> str:
    """The first metric of a recipe that can tell which of several arms is better that differ in one part; "" for none."""
    able = (n for n, part in evaluation.metrics.items() if decides(part.component, fields_of(path)))
    return next(able, "")


def fields_of(path: str) -> tuple[str, ...]:
    """What of the evidence a part reaches by itself; nothing where it moves all of it."""
    return next((fields for part, fields in REACHED.items() if f"{path}.".startswith(f"{part}.")), ())


def decides(metric: Component, fields: tuple[str, ...]) -> bool:
    """Whether one end of a metric is the better one, and it reads one of some fields, where there are any."""
    said = _says(metric)
    reads = said.get("reads")
    has_end = said.get("direction") in {"lower", "higher"}
    return has_end and isinstance(reads, tuple) and (not fields or not set(reads).isdisjoint(fields))


def _says(component: Component) -> Mapping[str, object]:
    """The constants of a component, none where its source does not allow to know."""
    try:
        return component.signature.constants
    except PluginError:
        return {}
