"""Validation: figures and audio of the same sounds with the same noise, at the start, on the way, and at the end."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import Factory, define
from torch import Tensor

from flowvae.building.parts import Parts
from flowvae.contracts import BuiltMetric, Evidence
from flowvae.evaluation.evidence import Figures, HeldOut, gather_evidence, measure, what_is_read
from flowvae.folder.audio import write_wav
from flowvae.folder.journal import CURVE, VALIDATION, Journal, read_journal
from flowvae.folder.sound_names import FINAL, slug
from flowvae.folder.tensorboard import AUDIO, TARGET, EventFile
from flowvae.recipe.measured_steps import has_steps_between, in_full

FEWEST = 16
"""Sounds of a curve: the median of fewer jumps with each of them."""
CHEAP = frozenset({"real", "estimate", "codes", "kl"})
"""The evidence that a reconstruction leaves by itself."""


@define(eq=False)
class Validation:
    """Called after a step, it measures what the model has become and writes how it sounds."""

    parts: Parts
    held_out: HeldOut
    journal: Journal
    folder: Path
    trained: Tensor | None = None
    """Sounds that the model is trained on, where a metric reads them."""
    untrained: dict[str, Figures] = Factory(dict)
    last: dict[str, Figures] = Factory(dict)

    def __call__(self, step: int) -> None:
        """Measures, and writes figures; in full with audio, between that a point of the curves."""
        if in_full(self.parts.recipe, step):
            self._in_full(step)
        else:
            evidence = gather_evidence(
                self.parts.average,
                self.held_out.first(self._few),
                0,
                self.parts.recipe.train.batch_size,
            )
            self._write_point(step, measure(self._of_reconstructions, evidence))

    def _in_full(self, step: int) -> None:
        evidence = self._evidence()
        figures = measure(self.parts.metrics, evidence)
        (self.untrained if step == 0 else self.last).update(figures)
        self.journal.write(VALIDATION, step, {f"metric/{name}": f.value for name, f in figures.items()})
        if has_steps_between(self.parts.recipe):
            # The same sounds at every point: a curve that ends with more of them would leap there.
            ours = self._of_reconstructions
            self._write_point(step, {n: f.of_first(self._few) for n, f in figures.items() if n in ours})
        self._write_audio(evidence.estimate, evidence.generated, step, self.journal.events)
        if step == self.parts.recipe.train.steps:
            self._write_final(evidence.estimate)

    @property
    def _few(self) -> int:
        """The sounds of which curves are made."""
        return max(len(self.held_out.names) // 4, FEWEST)

    @property
    def _of_reconstructions(self) -> Mapping[str, BuiltMetric]:
        """What needs no sample of the prior, nor more than a few sounds."""
        return {
            name: one
            for name, one in self.parts.metrics.items()
            if CHEAP.issuperset(getattr(one, "reads", ("generated",)))
            and getattr(one, "least_sounds", 0) <= self._few
        }

    def _write_point(self, step: int, figures: Mapping[str, Figures]) -> None:
        known = {f"metric/{name}": f.value for name, f in figures.items() if f.per_sound is not None}
        self.journal.write(CURVE, step, known)

    def final(self) -> Mapping[str, Figures]:
        """The figures of the trained model."""
        if not self.last:  # everything was done before a kill came between the last checkpoint and the result
            evidence = self._evidence()
            self.last.update(measure(self.parts.metrics, evidence))
            self._write_final(evidence.estimate)
        return self.last

    def before_training(self) -> Mapping[str, float | None]:
        """The figures of the untrained model; a run that was resumed has them in its journal."""
        if self.untrained:
            return {name: figures.value for name, figures in self.untrained.items()}
        rows, _ = read_journal(self.folder)
        first = next((row for row in rows if row.phase == VALIDATION and row.step == 0), None)
        return {name.removeprefix("metric/"): value for name, value in first.figures.items()} if first else {}

    def of_targets(self) -> Mapping[str, float | None]:
        """The figures of the held-out sounds themselves, of the metrics that read a reconstruction and nothing beside it."""
        own = {
            n: one for n, one in self.parts.metrics.items() if {*getattr(one, "reads", ())} == {"estimate"}
        }
        audio, nothing = self.held_out.audio, self.held_out.audio.new_zeros(0)
        evidence = Evidence(audio, audio, nothing, nothing, nothing, self.held_out.classes)
        return {name: figures.value for name, figures in measure(own, evidence).items()}

    def _evidence(self) -> Evidence:
        recipe = self.parts.recipe
        return gather_evidence(
            self.parts.average,
            self.held_out,
            recipe.evaluation.prior_samples,
            recipe.train.batch_size,
            trained=self.trained,
            reads=what_is_read(self.parts.metrics),
        )

    def _write_audio(self, estimate: Tensor, generated: Tensor, step: int, events: EventFile) -> None:
        recipe = self.parts.recipe
        rate, count = recipe.model.sample_rate, recipe.evaluation.audio_examples
        targets, here = self.folder / AUDIO / TARGET, self.folder / AUDIO / f"step-{step:09d}"
        for file, row in self._numbered(count):
            if not (targets / file).exists():
                write_wav(targets / file, self.held_out.audio[row], rate)
                events.sound(0, targets / file)
            self._write_sound(here / file, estimate[row], step, events)
        for i in range(min(count, len(generated))):
            self._write_sound(here / f"prior-{i:02d}.wav", generated[i], step, events)

    def _write_final(self, estimate: Tensor) -> None:
        """The sounds beside the examples, of which a report chooses by their figures: no run can know those of the others.

        They are no part of the event file, which would grow tenfold.
        """
        evaluation, rate = self.parts.recipe.evaluation, self.parts.recipe.model.sample_rate
        here = self.folder / AUDIO / FINAL
        for file, row in [*self._numbered(evaluation.final_audio)][evaluation.audio_examples :]:
            write_wav(here / TARGET / file, self.held_out.audio[row], rate)
            if wrong := write_wav(here / file, estimate[row], rate):
                print(f"after the last step: {file}: {wrong}")

    def _numbered(self, count: int) -> Iterator[tuple[str, int]]:
        """The file and the row of each sound that is written: more of them leave the numbers of the first as they are."""
        for i, row in enumerate(self.held_out.audio_examples(count)):
            yield f"{i:02d}-{slug(self.held_out.names[row])}.wav", row

    def _write_sound(self, path: Path, audio: Tensor, step: int, events: EventFile) -> None:
        """One sound; what a file could not hold of it is said in the log."""
        if wrong := write_wav(path, audio, self.parts.recipe.model.sample_rate):
            print(f"step {step}: {path.name}: {wrong}")
        events.sound(step, path)
