"""What a machine has for jobs, and who has it at the moment."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence

from flowvae.contracts import Job

DEVICE = "CUDA_VISIBLE_DEVICES"
"""The variable that shows a process the devices it may use."""


class Room:
    """The cores and devices of this machine, handed to jobs and taken back.

    Formula: a job fits while fewer than `workers` run (0: no such limit), while its cores and those of the running jobs
        are no more than the machine has, while their memory together is no more than was free, and while the device
        that it needs has fewer than `runs_per_device` jobs. A job that needs more cores or memory than there are fits
        where nothing else runs. That memory makes a job wait is printed once: nobody would guess it.
    Shapes: none.
    Units: cores and devices, counted; memory in bytes.
    Source: none.

    >>> room = Room(["0", "1"], runs_per_device=1, workers=0, cores=8)
    >>> job = Job("a", ("true",), {}, None, cores=2, devices=1)
    >>> room.take(job)
    {'CUDA_VISIBLE_DEVICES': '0'}
    """

    def __init__(
        self,
        devices: Sequence[str],
        runs_per_device: int,
        workers: int,
        *,
        cores: int | None = None,
        memory: int | None = None,
    ) -> None:
        self.devices, self.runs_per_device, self.workers = tuple(devices), runs_per_device, workers
        self.cores, self.memory = cores or n_cores(), memory
        self.taken: dict[str, tuple[Job, str | None]] = {}
        self.told = False

    def refuse_impossible(self, jobs: Sequence[Job]) -> None:
        """ValueError for a job that would wait for ever."""
        for job in jobs:
            if job.devices > 1 or (job.devices and not self._allowed(job)):
                raise ValueError(
                    f"devices: {job.name} needs {job.devices}, and there are {len(self.devices)}, for one job each"
                )

    def take(self, job: Job) -> Mapping[str, str] | None:
        """What to add to the environment of a job that fits, which has its share from now on; None where it must wait."""
        if self.taken and not (self._has_cores(job) and self._has_memory(job)):
            return None
        device = None
        if job.devices:
            device = self._device(job)
            if device is None:
                return None
        self.taken[job.name] = job, device
        return {} if device is None else {DEVICE: device}

    def leave(self, name: str) -> None:
        """Takes back what a job had."""
        del self.taken[name]

    def _has_cores(self, job: Job) -> bool:
        if self.workers:  # who names a number has thought of the cores
            return len(self.taken) < self.workers
        return job.cores + sum(other.cores for other, _ in self.taken.values()) <= self.cores

    def _has_memory(self, job: Job) -> bool:
        taken = sum(other.memory or 0 for other, _ in self.taken.values())
        if self.memory is None or taken + (job.memory or 0) <= self.memory:
            return True
        if not self.told:
            self.told = True
            print(
                f"memory allows {len(self.taken)} at a time: {job.name} will take about {(job.memory or 0) / 1e9:.1f} GB, "
                f"and {(self.memory - taken) / 1e9:.1f} of {self.memory / 1e9:.1f} GB are left",
                flush=True,
            )
        return False

    def _device(self, job: Job) -> str | None:
        """The device with the fewest jobs, where it has room for one more."""
        jobs = Counter(device for _, device in self.taken.values())
        device = min(self._allowed(job), key=lambda d: jobs[d])
        return device if jobs[device] < self.runs_per_device else None

    def _allowed(self, job: Job) -> tuple[str, ...]:
        named = job.environment.get(DEVICE)
        return self.devices if named is None else (named,)


def n_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
