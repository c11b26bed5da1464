"""Who asks for the density of a distribution that has none: what would be NaN in training is a fault before it.

A class says so in constants: `has_density` of a posterior or a prior, `needs_density` of a regularizer, or of a prior that is
made of posteriors, `reads` of a metric.
"""

from collections.abc import Callable, Iterator, Mapping

from attrs import frozen

from flowvae.catalogue import Component
from flowvae.errors import Fault, PluginError
from flowvae.recipe.node import Node, nearest
from flowvae.recipe.part import Part
from flowvae.recipe.tables import ModelSection

DIVERGENCE = "kl"
"""What is made of densities: among what a metric reads, and in the journal, where a regularizer has no other name for it."""


@frozen(eq=False, repr=False)
class Densities:
    """The densities that a model's distributions have, against those that the rest of a recipe asks for."""

    model: ModelSection
    regularizer: Part
    metrics: Mapping[str, Part]
    root: Node

    def faults(self) -> Iterator[Fault]:
        """All that would be computed from a density that is not there."""
        posterior, prior = self.model.posterior, self.model.prior
        without = [part for part in (posterior, prior) if not _has_density(part.component)]
        if not without:
            return
        if _prices_density(self.regularizer.component):
            yield self._fault(
                "regularizer", self.regularizer, without, _others(self.regularizer, _prices_density)
            )
        if posterior in without and _is_of_posteriors(prior.component):
            yield self._fault("model.prior", prior, [posterior], _others(prior, _is_of_posteriors))
        for name, metric in self.metrics.items():
            if _reads_divergence(metric.component):
                yield self._fault(f"evaluation.metrics.{name}", metric, without, "leave it out")

    def _fault(self, path: str, who: Part, without: list[Part], accepted: str) -> Fault:
        names = list(dict.fromkeys(part.name for part in without))
        what = f"{who.name} needs a density, which {' and '.join(names)} {'has' if len(names) == 1 else 'have'} not"
        return Fault(what, nearest(self.root, path).place, path, str(who.component), accepted)


def price_of(regularizer: Component) -> str:
    """What the price of a posterior is called in the journal; nothing where there is none."""
    return str(regularizer.signature.constants.get("figure", DIVERGENCE))


def _has_density(distribution: Component) -> bool:
    return distribution.signature.constants.get("has_density", True) is not False


def _prices_density(regularizer: Component) -> bool:
    return regularizer.signature.constants.get("needs_density", True) is not False


def _is_of_posteriors(prior: Component) -> bool:
    return prior.signature.constants.get("needs_density", False) is True


def _reads_divergence(metric: Component) -> bool:
    reads = metric.signature.constants.get("reads", ())
    return isinstance(reads, tuple | list) and DIVERGENCE in reads


def _others(part: Part, needs: Callable[[Component], bool]) -> str:
    """The components of the same kind that ask for no density."""
    return ", ".join(
        c.name for c in part.component.catalogue.of_kind(part.component.kind) if _is_without(c, needs)
    )


def _is_without(component: Component, needs: Callable[[Component], bool]) -> bool:
    try:
        return not needs(component)
    except PluginError:  # of a stranger that nobody has asked for
        return False
