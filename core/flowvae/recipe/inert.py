"""What a recipe says without effect, or cannot mean: a fault, for its author meant something by it."""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from flowvae.errors import Fault
from flowvae.recipe.keys import entries
from flowvae.recipe.node import Node, nearest, node_at
from flowvae.recipe.part import Part
from flowvae.recipe.tables import AdversarialKeys, ModelSection, PriorFitSection, StartSection, TrainSection


def inert_losses(losses: Mapping[str, Part], n_samples: int, root: Node) -> Iterator[Fault]:
    """Losses of weight 0, and windows that are longer than the clip."""
    for name, loss in losses.items():
        yield from _weightless(loss, f"losses.{name}", root)
        yield from beyond(loss, f"losses.{name}", n_samples, "of a clip (model.n_samples)", root)


def beyond(part: Part, path: str, most: int, which: str, root: Node) -> Iterator[Fault]:
    """Lengths in samples that are longer than there are; the component says which of its keys are lengths."""
    for key in _names(part.component.signature.constants.get("within_clip")):
        value = part.values.get(key)
        lengths = value if isinstance(value, tuple) else (value,)
        longer = [length for length in lengths if isinstance(length, int) and length > most]
        if longer:
            what, here = f"{longer[0]} is longer than the {most} samples {which}", f"{path}.{key}"
            yield Fault(what, nearest(root, here).place, here, accepted=f"at most {most}")


def inert_clips(sections: Mapping[str, Any], root: Node) -> Iterator[Fault]:
    """Gradients that are cut to nothing."""
    for name, section in sections.items():
        if section is not None and section.clip == 0:
            path = f"{name}.clip"
            what = "a gradient of length 0 moves nothing"
            yield Fault(what, nearest(root, path).place, path, accepted="more than 0; or leave it out")


def inert_fit(
    fit: PriorFitSection,
    train: TrainSection,
    second_player: AdversarialKeys | None,
    start: StartSection | None,
    root: Node,
) -> Iterator[Fault]:
    """A fit that never begins, that undoes another phase, or that has no model to fit to."""
    what, accepted = "", ""
    if fit.from_step >= train.steps:
        what, accepted = f"the phase never begins: train.steps = {train.steps}", f"less than {train.steps}"
    elif second_player is not None and fit.from_step <= second_player.from_step:
        what = f"the adversarial phase begins at {second_player.from_step}, and never would"
        accepted = f"more than {second_player.from_step}; or no [adversarial]"
    elif fit.from_step == 0 and start is None:
        what = "there is no model to fit a prior to: nothing was trained before"
        accepted = 'at least 1; or [start] from = "the folder of a run"'
    if what:
        yield Fault(
            what, nearest(root, "prior_fit.from_step").place, "prior_fit.from_step", accepted=accepted
        )


@frozen(eq=False, repr=False)
class SecondPlayer:
    """The keys of the adversarial table against the rest of the recipe."""

    keys: AdversarialKeys
    train: TrainSection
    fit: PriorFitSection | None
    n_samples: int
    root: Node

    def faults(self) -> Iterator[Fault]:
        """All that could have no effect."""
        keys, steps = self.keys, self.train.steps
        if keys.from_step >= steps:
            what = f"the phase never begins: train.steps = {steps}"
            yield self._fault(what, "from_step", f"less than {steps}")
        elif keys.warmup_steps > (n_steps := self._ends() - keys.from_step):
            what = f"the weight never gets there: the phase has {n_steps} steps"
            yield self._fault(what, "warmup_steps", "at most as many")
        if keys.weight == 0 and keys.feature_matching is None:
            yield self._fault("nothing of the discriminators reaches the model", "weight", "more than 0")
        if keys.feature_matching is not None:
            yield from _weightless(keys.feature_matching, "adversarial.feature_matching", self.root)
        for name, part in keys.discriminators.items():
            yield from self._too_long(name, part)
        if keys.hears_samples is not None and keys.hears_samples > self.n_samples:
            what = f"the clip is no longer than model.n_samples = {self.n_samples}"
            yield self._fault(what, "hears_samples", f"at most {self.n_samples}")
        for name in keys.freeze:
            yield from self._unknown(name)

    def _ends(self) -> int:
        """The step that is no longer of the phase: a fit that comes after it ends it."""
        steps, fit = self.train.steps, self.fit
        return fit.from_step if fit and self.keys.from_step < fit.from_step < steps else steps

    def _too_long(self, name: str, part: Part) -> Iterator[Fault]:
        """Windows and periods that are longer than the sound that is heard."""
        heard = self.keys.hears_samples or self.n_samples
        yield from beyond(part, f"adversarial.discriminators.{name}", heard, "that are heard", self.root)

    def _unknown(self, name: str) -> Iterator[Fault]:
        slots = [key for key, entry in entries(ModelSection).items() if entry.parameter.slot]
        model, _, inside = name.partition(".")
        if model != "model" or inside.partition(".")[0] not in slots:
            accepted = ", ".join(f"model.{key}" for key in slots)
            yield self._fault(f'the model has no part "{name}"', "freeze", accepted)

    def _fault(self, what: str, key: str, accepted: str) -> Fault:
        path = f"adversarial.{key}"
        return Fault(what, nearest(self.root, path).place, path, accepted=accepted)


def _names(said: object) -> tuple[str, ...]:
    return tuple(map(str, said)) if isinstance(said, tuple | list) else ()


def _weightless(part: Part, path: str, root: Node) -> Iterator[Fault]:
    weight: Any = node_at(root, f"{path}.weight")
    if weight is not None and part.extras["weight"] == 0:
        yield Fault(
            "a loss of weight 0 has no effect", weight.place, f"{path}.weight", accepted="leave it out"
        )
