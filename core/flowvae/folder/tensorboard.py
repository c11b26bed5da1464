"""TensorBoard events: the shadow of a run's journal and of its sounds, made from them anew whenever the run goes on."""

import io
import math
import os
import time
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import soundfile
from attrs import define, field, frozen
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.api_pb2 import (
    DataType,
    Experiment,
    HParamInfo,
    MetricInfo,
    MetricName,
    Status,
)
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo, SessionStartInfo
from tensorboard.summary.writer.record_writer import RecordWriter

from flowvae.folder.checkpoint import step_of
from flowvae.folder.files import made_anew, read_regular

EVENTS = "events.out.tfevents."
"""What the name of an event file begins with; they lie in the run's folder, so that TensorBoard names a run by arm and seed."""
AUDIO = "audio"
TARGET = "target"
"""The folder of the sounds that a run reconstructs, in that of its audio."""


@frozen
class Session:
    """What makes a run different from the others, and the figures that they are compared by, the primary one first."""

    told: Mapping[str, str | float]
    tags: tuple[str, ...]


@define(eq=False)
class EventFile:
    """Writes an event file; what was written is in the file when a call returns, so that a kill loses nothing.

    torch's own writer keeps events back for two minutes, and reduces stereo to mono.
    """

    folder: Path
    session: Session | None = None
    _before: tuple[Path, ...] = ()
    fault: str = field(default="", init=False)
    """Why it says no more: it is a shadow, made anew when the run goes on, and ends none."""
    _file: IO[bytes] = field(init=False)
    _records: RecordWriter = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._before = tuple(p for p in sorted(self.folder.glob(f"{EVENTS}*")) if _is_ours(p))
        self._file = made_anew(self.folder / ".events.tmp")
        self._records = RecordWriter(self._file)
        now = time.time()
        self._write(Event(wall_time=now, file_version="brain.Event:2"))
        # Who has read an older file forgets it: all that it held comes again.
        started = Event(wall_time=now, step=0)
        started.session_log.status = 1
        self._write(started)
        if self.session is not None:
            metrics = [
                MetricInfo(name=MetricName(tag=tag), display_name=tag.rpartition("/")[2])
                for tag in self.session.tags
            ]
            # Without them the page of hyperparameters has no column for any.
            columns = [HParamInfo(name=name, type=_type(value)) for name, value in self.session.told.items()]
            self._tell(
                metadata.EXPERIMENT_TAG,
                HParamsPluginData(
                    version=metadata.PLUGIN_DATA_VERSION,
                    experiment=Experiment(hparam_infos=columns, metric_infos=metrics),
                ),
            )
            start = SessionStartInfo(start_time_secs=now)
            for name, value in self.session.told.items():
                setattr(
                    start.hparams[name], "string_value" if isinstance(value, str) else "number_value", value
                )
            self._tell(
                metadata.SESSION_START_INFO_TAG,
                HParamsPluginData(version=metadata.PLUGIN_DATA_VERSION, session_start_info=start),
            )

    def take_up(self, rows: Iterable[tuple[int, Mapping[str, float]]], last_step: int) -> None:
        """Writes the scalars of a journal and the sounds up to a step, and takes the place of the older files."""
        times = _times(self._before)
        for step, figures in rows:
            self.scalars(step, figures, _time_of(step, times))
        for step, path in _sounds(self.folder / AUDIO, last_step):
            self.sound(step, path, _time_of(step, times))
        # A name that sorts behind the others: readers go from file to file in their order.
        numbers = [_number(path) or 0 for path in self._before]
        number = max([int(time.time()), *(number + 1 for number in numbers)])
        Path(self._file.name).replace(self.folder / f"{EVENTS}{number:010d}.{os.getpid()}")
        for path in self._before:
            # A reader that finds its file gone is stuck; at the end of an empty one it goes on to the next.
            if path.stat().st_size:
                os.truncate(path, 0)
            else:
                path.unlink()

    def scalars(self, step: int, figures: Mapping[str, float], when: float | None = None) -> None:
        """One scalar a figure."""
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in figures.items()]
        self._add(step, values, when)

    def sound(self, step: int, path: Path, when: float | None = None) -> None:
        """A WAV file, whole and with every channel it has; both sides of a sound stand under its name."""
        with suppress(OSError, RuntimeError):  # one that is damaged is left out
            content = read_regular(path)
            told = soundfile.info(io.BytesIO(content))
            sound = Summary.Audio(
                sample_rate=told.samplerate,
                num_channels=told.channels,
                length_frames=told.frames,
                encoded_audio_string=content,
                content_type="audio/wav",
            )
            self._add(step, [Summary.Value(tag=tag_of(path), audio=sound)], when)

    def close(self, *, whole: bool = True) -> None:
        """Says how the run ended, and ends the file."""
        if self.session is not None:
            status = Status.Value("STATUS_SUCCESS" if whole else "STATUS_FAILURE")
            end = SessionEndInfo(status=status, end_time_secs=time.time())
            self._tell(
                metadata.SESSION_END_INFO_TAG,
                HParamsPluginData(version=metadata.PLUGIN_DATA_VERSION, session_end_info=end),
            )
        with suppress(OSError):  # what a full disk did not take
            self._file.close()

    def _tell(self, tag: str, data: HParamsPluginData) -> None:
        """Something for the page of hyperparameters."""
        plugin = SummaryMetadata.PluginData(
            plugin_name=metadata.PLUGIN_NAME, content=data.SerializeToString()
        )
        said = SummaryMetadata(plugin_data=plugin)
        self._add(0, [Summary.Value(tag=tag, metadata=said, tensor=metadata.NULL_TENSOR)], None)

    def _add(self, step: int, values: list[Summary.Value], when: float | None) -> None:
        self._write(Event(wall_time=when or time.time(), step=step, summary=Summary(value=values)))

    def _write(self, event: Event) -> None:
        if self.fault:
            return
        try:
            self._records.write(event.SerializeToString())
            self._file.flush()
        except OSError as error:
            self.fault = error.strerror or str(error)


def tag_of(path: Path) -> str:
    """What a sound is called: a target and its reconstruction stand together.

    >>> tag_of(Path("audio/target/00-kick.wav")), tag_of(Path("audio/step-000000100/00-kick.wav"))
    ('00-kick/target', '00-kick/reconstruction')
    >>> tag_of(Path("audio/step-000000100/prior-01.wav"))
    'prior/01'
    """
    if path.stem.startswith("prior-"):
        return path.stem.replace("-", "/", 1)
    return f"{path.stem}/{'target' if path.parent.name == TARGET else 'reconstruction'}"


def _sounds(audio: Path, last_step: int) -> Iterable[tuple[int, Path]]:
    """Every sound that a run has kept up to a step; at step 0 it begins, and writes again all but the targets."""
    yield from ((0, path) for path in sorted(audio.glob(f"{TARGET}/*.wav")))
    for folder in sorted(audio.glob("step-*")) if last_step else ():
        step = step_of(folder.name)
        if step is not None and step <= last_step:
            yield from ((step, path) for path in sorted(folder.glob("*.wav")))


def _is_ours(path: Path) -> bool:
    """A link is none of ours: to empty it would empty what it points to."""
    return path.is_file() and not path.is_symlink() and _number(path) is not None


def _number(path: Path) -> int | None:
    text = path.name.removeprefix(EVENTS).partition(".")[0]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _times(files: Iterable[Path]) -> list[tuple[int, float]]:
    """When each step was told, by the files that were written before; of what no file tells, nothing."""
    from tensorboard.backend.event_processing.event_file_loader import (  # noqa: PLC0415 - only who goes on reads
        LegacyEventFileLoader,
    )

    times: dict[int, float] = {}
    for path in files:
        # What a damaged file makes of its reader is not ours to know; it costs times and nothing else.
        with suppress(Exception):
            for event in LegacyEventFileLoader(str(path)).Load():
                if event.HasField("summary"):
                    times.setdefault(event.step, event.wall_time)
    return sorted(times.items())


def _time_of(step: int, times: Sequence[tuple[int, float]]) -> float | None:
    """The time of a step, or of the last one before it that is known."""
    found = bisect_right(times, (step, math.inf))
    return times[found - 1][1] if found else None


def _type(value: str | float) -> int:
    return DataType.Value("DATA_TYPE_STRING" if isinstance(value, str) else "DATA_TYPE_FLOAT64")  # type: ignore[no-any-return]
