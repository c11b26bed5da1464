"""TensorBoard events: scalars, and audio with every channel it has."""

import time
from collections.abc import Mapping
from pathlib import Path

from attrs import define, field
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from torch import Tensor

from flowvae.folder.audio import wav_bytes


@define(eq=False)
class EventFile:
    """Writes an event file; torch's own writer would reduce stereo to mono."""

    folder: Path
    first_step: int = 0
    _writer: EventFileWriter = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._writer = EventFileWriter(str(self.folder))
        if self.first_step:
            # What an interrupted run wrote beyond its checkpoint is not shown twice.
            started = Event(wall_time=time.time(), step=self.first_step)
            started.session_log.status = 1
            self._writer.add_event(started)

    def scalars(self, step: int, figures: Mapping[str, float]) -> None:
        """One scalar a figure."""
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in figures.items()]
        self._add(step, values)

    def audio(self, step: int, tag: str, audio: Tensor, sample_rate: int) -> None:
        """(c, t) as a WAV of c channels."""
        sound = Summary.Audio(
            sample_rate=sample_rate,
            num_channels=audio.shape[0],
            length_frames=audio.shape[1],
            encoded_audio_string=wav_bytes(audio, sample_rate),
            content_type="audio/wav",
        )
        self._add(step, [Summary.Value(tag=tag, audio=sound)])

    def close(self) -> None:
        """Flushes and ends the file."""
        self._writer.close()

    def _add(self, step: int, values: list[Summary.Value]) -> None:
        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))
