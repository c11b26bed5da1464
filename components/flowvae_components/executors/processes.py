"""Jobs as processes of this machine."""

import signal
import time
from collections.abc import Callable, Sequence

from attrs import evolve

from flowvae.contracts import Job, Process, Refused
from flowvae_components.executors.room import Room

PERIOD_S = 0.2
"""How often the jobs are looked after."""
GRACE_S = 30.0
"""How long a job that was asked to stop may take to save what it has."""
NOT_STARTED = 127
"""The exit status of a command that could not be started, as a shell gives it."""


class Processes:
    """Runs as many jobs side by side as this machine has cores and devices for, each in a process of its own.

    Formula: none; a job that ends, however it ends, makes room for the next in the order of the plan. Jobs run side by
        side as long as their cores together are no more than the machine has, and the memory that they will take no
        more than is free; one that needs more runs alone.
        A job that needs a device is given the one with the fewest jobs on it, by CUDA_VISIBLE_DEVICES, and waits while
        all have as many as they may.
        Every job leads a session of its own: an interrupt from the terminal reaches only the caller, who hands it on to
        each job once and waits for it, so that it can save; after 30 seconds, or at a second interrupt, the
        job's whole group is killed. What a job leaves running is killed too when it ends.
        Cores are left to the kernel: pinning one job to each gained nothing in the measurement and ties a job
        to a core that another program may be using.
    Shapes: jobs -> the exit status of each, by name; a negative one is the signal that ended it, 127 a command that
        could not be started.
    Units: none.
    Parameters:
        workers: how many jobs run at a time; 0 means as many as the cores and devices allow.
        runs_per_device: how many jobs share a device at a time; small models leave most of a large one idle.
    Source: POSIX process groups. Needs a POSIX system.

    >>> import sys, tempfile, pathlib
    >>> from flowvae.processes.plain import start
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     job = Job("a", (sys.executable, "-c", "raise SystemExit(3)"), {}, pathlib.Path(folder, "job.log"))
    ...     Processes((), None, start, workers=1)([job], lambda running: None)
    {'a': 3}
    """

    def __init__(
        self,
        devices: Sequence[str],
        memory: int | None,
        start: Callable[[Job], Process],
        *,
        workers: int = 0,
        runs_per_device: int = 1,
    ) -> None:
        if workers < 0:
            raise Refused("workers", f"workers must not be below 0, got {workers}")
        if runs_per_device < 1:
            raise Refused("runs_per_device", f"runs_per_device must be at least 1, got {runs_per_device}")
        self.devices, self.memory, self.start = tuple(devices), memory, start
        self.workers, self.runs_per_device = workers, runs_per_device

    def __call__(self, jobs: Sequence[Job], poll: Callable[[Sequence[str]], None]) -> dict[str, int]:
        names = [job.name for job in jobs]
        if len(set(names)) < len(names):
            raise ValueError(f"jobs must have different names, got {names}")
        room = Room(self.devices, self.runs_per_device, self.workers, memory=self.memory)
        room.refuse_impossible(jobs)
        waiting, running, statuses = list(jobs), dict[str, Process](), dict[str, int]()
        try:
            while waiting or running:
                while waiting and (environment := room.take(waiting[0])) is not None:
                    job = waiting.pop(0)
                    try:
                        running[job.name] = self.start(
                            evolve(job, environment={**job.environment, **environment})
                        )
                    except OSError as fault:
                        with job.log.open("a", encoding="utf-8") as log:
                            log.write(f"{job.command[0]} did not start: {fault}\n")
                        statuses[job.name] = NOT_STARTED
                        room.leave(job.name)
                poll(tuple(running))
                ended = collect(running)
                for name in ended:
                    room.leave(name)
                statuses |= ended
                if running:
                    time.sleep(PERIOD_S)
        except BaseException as reason:
            stop(running, signal.SIGINT if isinstance(reason, KeyboardInterrupt) else signal.SIGTERM)
            raise
        return {name: statuses[name] for name in names}


def collect(running: dict[str, Process]) -> dict[str, int]:
    """Takes the jobs that have ended out of `running`, and gives their exit statuses."""
    looked = {name: process.exit_status() for name, process in running.items()}
    ended = {name: status for name, status in looked.items() if status is not None}
    for name in ended:
        running[name].end()
        del running[name]
    return ended


def stop(running: dict[str, Process], number: signal.Signals) -> None:
    """Asks each job once to end, waits, and kills what is left, also when it is interrupted itself."""
    try:
        for process in running.values():
            process.ask(number)
        deadline = time.monotonic() + GRACE_S
        while running and time.monotonic() < deadline:
            collect(running)
            time.sleep(PERIOD_S / 4)
    finally:
        for process in running.values():
            process.end()
