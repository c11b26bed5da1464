"""How long a step takes, on devices that work behind the host's back."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import torch
from attrs import define, field


def step_clock(device: torch.device) -> "HostClock | EventClock":
    """The clock that tells the truth on a device. Only `read` may wait: call it where figures are fetched anyway."""
    if device.type == "cuda":
        return EventClock(lambda: _mark(device))
    return HostClock()


@define(eq=False)
class StepTimes:
    """The seconds of the steps, by the phase that they belong to.

    >>> times = StepTimes()
    >>> times.expect("first"), times.expect("second"), times.take([0.5, 0.25])
    (None, None, None)
    >>> dict(times.of_phase), times.latest
    ({'first': [0.5], 'second': [0.25]}, [0.5, 0.25])
    """

    of_phase: defaultdict[str, list[float]] = field(factory=lambda: defaultdict(list))
    latest: list[float] = field(factory=list)
    """Of the last steps, whatever their phase."""
    _expected: list[str] = field(factory=list)

    def expect(self, phase: str) -> None:
        """A step of a phase has been asked for; its time is not known yet."""
        self._expected.append(phase)

    def take(self, seconds: Sequence[float]) -> None:
        """The times of all steps since the last."""
        for phase, time_ in zip(self._expected, seconds, strict=True):
            self.of_phase[phase].append(time_)
        self._expected.clear()
        self.latest = [*self.latest, *seconds][-50:]


@define(eq=False)
class HostClock:
    """For a device that is done when a call returns.

    >>> clock = HostClock()
    >>> clock.start(), clock.stop(), [seconds >= 0 for seconds in clock.read()], clock.read()
    (None, None, [True], [])
    """

    _started: float = 0.0
    _seconds: list[float] = field(factory=list)

    def start(self) -> None:
        """A step begins."""
        self._started = time.perf_counter()

    def stop(self) -> None:
        """The step is done."""
        self._seconds.append(time.perf_counter() - self._started)

    def read(self) -> list[float]:
        """The seconds of each step since the last reading."""
        seconds, self._seconds = self._seconds, []
        return seconds


@define(eq=False)
class EventClock:
    """For a device that is asked and works on its own: the host's clock would time the asking.

    The marks stand in the queue of the device between the kernels, so a step lasts from when the device could begin
    it to when it was done, be it the arithmetic or the host that took so long.
    """

    mark: Callable[[], Any]
    """Puts an event into the device's queue: something like torch.cuda.Event."""
    _marks: list[Any] = field(factory=list)

    def start(self) -> None:
        """A step begins."""
        self._marks.append(self.mark())

    def stop(self) -> None:
        """The step has been asked for."""
        self._marks.append(self.mark())

    def read(self) -> list[float]:
        """The seconds of each step since the last reading; waits for the last of them."""
        marks, self._marks = self._marks, []
        if marks:
            marks[-1].synchronize()
        return [start.elapsed_time(end) / 1000 for start, end in zip(marks[::2], marks[1::2], strict=True)]


def _mark(device: torch.device) -> torch.cuda.Event:
    event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    event.record(torch.cuda.current_stream(device))
    return event
