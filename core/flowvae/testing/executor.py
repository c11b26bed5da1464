"""What every executor must do."""

import itertools
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from attrs import evolve

from flowvae.contracts import Executor, Job
from flowvae.processes.plain import start
from flowvae.testing import checks_in


def _quietly(_running: Sequence[str]) -> None:
    """Nothing to do between two looks."""


@contextmanager
def _jobs(codes: dict[str, str], devices: int = 0) -> Iterator[list[Job]]:
    """Jobs that run a line of Python each, in a bare interpreter; sys.argv[1] is a folder that goes afterwards."""
    with tempfile.TemporaryDirectory() as place:
        bare = (sys.executable, "-S", "-E", "-c")
        yield [
            Job(
                name,
                (*bare, code, place),
                {"OF_THE_JOB": name},
                Path(place, name, "log.txt"),
                devices=devices,
            )
            for name, code in codes.items()
        ]


def every_job_runs_once_and_its_status_is_told(make: Executor) -> None:
    """Each command is run exactly once, and the result has its exit status under its name."""
    code = "import sys; open(sys.argv[1] + '/mark-{0}', 'a').write('x'); sys.exit({0})"
    with _jobs({f"job-{i}": code.format(i) for i in range(4)}) as jobs:
        statuses = make((), None, start)(jobs, _quietly)
        wanted = {f"job-{i}": i for i in range(4)}
        assert statuses == wanted, f"returned {statuses}; expected the exit status of each job, {wanted}"
        for i, job in enumerate(jobs):
            mark = job.log.parents[1] / f"mark-{i}"
            times = len(mark.read_text(encoding="ascii")) if mark.exists() else 0
            assert times == 1, f"job-{i} ran {times} times; expected once"


def a_job_that_is_killed_has_its_signal_and_the_others_go_on(make: Executor) -> None:
    """A negative status is the signal that ended a job; what ends one job ends no other."""
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with _jobs({"killed": killed, "fails": "1 / 0", "fine": "pass"}) as jobs:
        statuses = make((), None, start)(jobs, _quietly)
    wanted = {"killed": -signal.SIGKILL, "fails": 1, "fine": 0}
    assert statuses == wanted, f"returned {statuses}; expected {wanted}"


def output_goes_to_the_log_of_the_job(make: Executor) -> None:
    """Both streams go behind what the log holds; its folder is made where it is missing."""
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr)"
    with _jobs({"begun": code, "new": code}) as [begun, new]:
        begun.log.parent.mkdir()
        begun.log.write_text("before\n", encoding="ascii")
        make((), None, start)([begun, new], _quietly)
        for job, wanted in ((begun, "before\nout\nerr\n"), (new, "out\nerr\n")):
            said = job.log.read_text(encoding="utf-8") if job.log.exists() else "nothing"
            assert said == wanted, f"the log of {job.name} holds {said!r}; expected {wanted!r}"


def the_environment_is_added_to_the_callers(make: Executor) -> None:
    """A job has the caller's variables and its own on top."""
    code = "import os; print(os.environ.get('OF_THE_CALLER'), os.environ.get('OF_THE_JOB'))"
    with patch.dict(os.environ, OF_THE_CALLER="1"), _jobs({"a": code}) as [job]:
        make((), None, start)([job], _quietly)
        said = job.log.read_text(encoding="utf-8")
    assert said == "1 a\n", (
        f"OF_THE_CALLER and OF_THE_JOB are {said.strip()!r} in the job; expected '1 a': "
        "start it with {**os.environ, **job.environment}"
    )


def poll_is_called_with_what_runs(make: Executor) -> None:
    """The caller hears of every job while it runs, more than once for one that takes its time."""
    heard: list[tuple[str, ...]] = []
    codes = {"slow": "import time; time.sleep(1)", "quick": "pass"}
    with _jobs(codes) as jobs:
        make((), None, start)(jobs, lambda running: heard.append(tuple(running)))
    strangers = {name for names in heard for name in names} - set(codes)
    assert not strangers, f"poll was called with {', '.join(strangers)}, which is no job"
    times = sum("slow" in names for names in heard)
    assert times >= 2, f"poll heard of a job of one second {times} times; expected a few times a second"


def what_stops_the_caller_stops_the_jobs(make: Executor) -> None:
    """An exception out of poll comes through, and no job is left running."""

    def interrupt(_running: Sequence[str]) -> None:
        if mark.exists():
            raise KeyboardInterrupt

    # Written beside and moved, so that poll never sees half a number.
    code = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # behind a shell's & it is ignored
with open(sys.argv[1] + "/part", "w") as file: file.write(str(os.getpid()))
os.rename(sys.argv[1] + "/part", sys.argv[1] + "/pid")
time.sleep(60)
"""
    with _jobs({"a": code}) as jobs:
        mark = jobs[0].log.parents[1] / "pid"
        try:
            make((), None, start)(jobs, interrupt)
        except KeyboardInterrupt:
            pass
        else:
            raise AssertionError("poll raised KeyboardInterrupt and it did not come through")
        pid = int(mark.read_text(encoding="ascii"))
        assert not _runs(pid), "poll raised KeyboardInterrupt and the job went on: end it before you leave"


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    os.kill(pid, signal.SIGKILL)
    return True


DEVICES = ("0", "1")
"""What a machine with two accelerators calls them. No job computes on one: they need not be there."""
SAYS_WHERE = "import os, time; d = os.environ.get('CUDA_VISIBLE_DEVICES'); t = time.time(); time.sleep(0.3); "
SAYS_WHERE += "print(d, t, time.time())"


def _stays(jobs: Sequence[Job]) -> list[tuple[str, float, float]]:
    """The device that each job saw, when it came and when it went."""
    lines = [job.log.read_text(encoding="utf-8").split() for job in jobs]
    return [(device, float(came), float(went)) for device, came, went in lines]


def no_two_jobs_are_on_one_device(make: Executor) -> None:
    """Each job that needs a device sees one in CUDA_VISIBLE_DEVICES, which no other job sees at that time."""
    with _jobs({f"job-{i}": SAYS_WHERE for i in range(4)}, devices=1) as jobs:
        make(DEVICES, None, start)(jobs, _quietly)
        stays = sorted(_stays(jobs))
    strangers = sorted({device for device, _, _ in stays} - set(DEVICES))
    assert not strangers, (
        f"there are the devices 0 and 1, and a job saw CUDA_VISIBLE_DEVICES={', '.join(strangers)}: "
        "give each job that needs a device one of those that you are made with"
    )
    for (device, _, went), (other, came, _) in itertools.pairwise(stays):
        assert device != other or went <= came, (
            f"two jobs were on device {device} at a time: let a job wait until a device is free"
        )


def a_job_keeps_the_device_that_its_environment_names(make: Executor) -> None:
    """CUDA_VISIBLE_DEVICES of the job's own is what the recipe asks for; jobs of one name wait for each other."""
    with _jobs({f"job-{i}": SAYS_WHERE for i in range(2)}, devices=1) as free:
        jobs = [evolve(job, environment={"CUDA_VISIBLE_DEVICES": "1"}) for job in free]
        make(DEVICES, None, start)(jobs, _quietly)
        first, second = sorted(_stays(jobs), key=lambda stay: stay[1])
    assert (first[0], second[0]) == ("1", "1"), (
        f"jobs whose environment says CUDA_VISIBLE_DEVICES=1 saw {first[0]} and {second[0]}"
    )
    assert first[2] <= second[1], "two jobs that name one device were on it at a time"


def no_jobs_are_no_work(make: Executor) -> None:
    """Where there is nothing to do, nothing is done."""
    statuses = make((), None, start)([], _quietly)
    assert statuses == {}, f"returned {statuses} for no jobs; expected an empty dict"


CHECKS = checks_in(globals())
