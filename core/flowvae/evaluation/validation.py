"""Validation: figures and audio of the same sounds with the same noise, at the start, on the way, and at the end."""

from collections.abc import Mapping
from pathlib import Path

from attrs import Factory, define
from torch import Tensor

from flowvae.building.parts import Parts
from flowvae.contracts import Evidence
from flowvae.evaluation.evidence import Figures, HeldOut, gather_evidence, measure, what_is_read
from flowvae.folder.audio import write_wav
from flowvae.folder.journal import Journal, read_journal
from flowvae.folder.sound_names import slug
from flowvae.folder.tensorboard import AUDIO, TARGET, EventFile


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
        """Measures, and writes figures and audio."""
        evidence = self._evidence()
        figures = measure(self.parts.metrics, evidence)
        (self.untrained if step == 0 else self.last).update(figures)
        self.journal.write("validation", step, {f"metric/{name}": f.value for name, f in figures.items()})
        self._write_audio(evidence.estimate, evidence.generated, step, self.journal.events)

    def final(self) -> Mapping[str, Figures]:
        """The figures of the trained model."""
        if not self.last:  # everything was done before a kill came between the last checkpoint and the result
            self.last.update(measure(self.parts.metrics, self._evidence()))
        return self.last

    def before_training(self) -> Mapping[str, float | None]:
        """The figures of the untrained model; a run that was resumed has them in its journal."""
        if self.untrained:
            return {name: figures.value for name, figures in self.untrained.items()}
        rows, _ = read_journal(self.folder)
        first = next((row for row in rows if row.phase == "validation" and row.step == 0), None)
        return {name.removeprefix("metric/"): value for name, value in first.figures.items()} if first else {}

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
        for i, row in enumerate(self.held_out.audio_examples(count)):
            file = f"{i:02d}-{slug(self.held_out.names[row])}.wav"
            if not (targets / file).exists():
                write_wav(targets / file, self.held_out.audio[row], rate)
                events.sound(0, targets / file)
            write_wav(here / file, estimate[row], rate)
            events.sound(step, here / file)
        for i in range(min(count, len(generated))):
            write_wav(here / f"prior-{i:02d}.wav", generated[i], rate)
            events.sound(step, here / f"prior-{i:02d}.wav")
