"""Jobs as processes: each once, side by side, stopped so that they can save, and never left behind."""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from attrs import evolve

from flowvae.contracts import Job
from flowvae.processes.plain import start
from flowvae.testing import executor as checks
from flowvae_components.executors import processes, room

SAVES = """
import pathlib, signal, sys, time
def save(number, frame):
    with open(sys.argv[1], "a") as file:
        file.write(f"{number}\\n")
    time.sleep(0.3)
    sys.exit(128 + number)
signal.signal(signal.SIGINT, save)
signal.signal(signal.SIGTERM, save)
pathlib.Path(sys.argv[1] + ".ready").touch()
time.sleep(60)
"""
IGNORES = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGINT, lambda *_: pathlib.Path(sys.argv[1] + ".heard").touch())
print(os.getpid(), flush=True)
pathlib.Path(sys.argv[1] + ".ready").touch()
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(processes, "PERIOD_S", 0.02)


def job(folder: Path, name: str, code: str, *arguments: str, **environment: str) -> Job:
    # -S -E: a bare interpreter starts in a few milliseconds.
    return Job(
        name, (sys.executable, "-S", "-E", "-c", code, *arguments), environment, folder / name / "job.log"
    )


def Processes(devices=(), memory=None, start=start, **keys):
    return processes.Processes(devices, memory, start, **keys)


def quietly(running):
    """Nothing to do between two looks."""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return (
        Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
        if Path("/proc").exists()
        else True
    )


def wait_until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.01)


def test_every_job_runs_exactly_once_and_its_status_is_told(tmp_path):
    code = "import sys; open(sys.argv[1], 'a').write('x'); sys.exit(int(sys.argv[2]))"
    jobs = [job(tmp_path, f"run{i}", code, str(tmp_path / f"mark{i}"), str(i)) for i in range(7)]
    assert Processes(workers=3)(jobs, quietly) == {f"run{i}": i for i in range(7)}
    assert all((tmp_path / f"mark{i}").read_text() == "x" for i in range(7))


def test_no_more_jobs_run_than_workers_and_none_waits_without_need(tmp_path):
    seen = []
    jobs = [job(tmp_path, f"run{i}", "import time; time.sleep(0.15)") for i in range(5)]
    Processes(workers=2)(jobs, lambda running: seen.append(tuple(running)))
    assert max(map(len, seen)) == 2
    assert seen[0] == ("run0", "run1")


def test_zero_workers_mean_one_a_core(tmp_path):
    seen = []
    jobs = [job(tmp_path, f"run{i}", "import time; time.sleep(0.2)") for i in range(room.n_cores() + 1)]
    Processes()(jobs, lambda running: seen.append(len(running)))
    assert max(seen) == room.n_cores()


def test_command_that_cannot_start_is_told_in_its_log_and_the_others_go_on(tmp_path):
    missing = Job("missing", (str(tmp_path / "nothing"),), {}, tmp_path / "missing" / "job.log")
    assert Processes()([missing, job(tmp_path, "fine", "pass")], quietly) == {"missing": 127, "fine": 0}
    assert "did not start" in missing.log.read_text()


def test_two_jobs_of_one_name_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"^jobs must have different names"):
        Processes()([job(tmp_path, "run", "pass")] * 2, quietly)


@pytest.mark.parametrize(
    ("reason", "number"),
    [(KeyboardInterrupt, signal.SIGINT), (SystemExit, signal.SIGTERM), (OSError, signal.SIGTERM)],
)
def test_jobs_are_asked_once_to_stop_and_waited_for(tmp_path, reason, number):
    jobs = [job(tmp_path, f"run{i}", SAVES, str(tmp_path / f"mark{i}")) for i in range(2)]
    pids = []

    def poll(running):
        if all((tmp_path / f"mark{i}.ready").exists() for i in range(2)):
            raise reason

    watched = lambda given: pids.append(start(given)) or pids[-1]  # noqa: E731
    with pytest.raises(reason):
        Processes(start=watched, workers=2)(jobs, poll)
    assert [(tmp_path / f"mark{i}").read_text() for i in range(2)] == [f"{number:d}\n"] * 2
    assert [process.exit_status() for process in pids] == [128 + number] * 2


def test_job_that_does_not_stop_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "GRACE_S", 0.3)
    mark = tmp_path / "mark"
    started = []
    watched = lambda given: started.append(start(given)) or started[-1]  # noqa: E731

    def poll(running):
        if mark.with_suffix(".ready").exists():
            raise KeyboardInterrupt

    before = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        Processes(start=watched)([job(tmp_path, "run", IGNORES, str(mark))], poll)
    assert time.monotonic() - before < 5
    assert started[0].exit_status() == -signal.SIGKILL


def test_a_second_interrupt_kills_at_once(tmp_path):
    """From outside, as a user does it: the signal goes to the caller alone, the job has a session of its own."""
    mark = tmp_path / "mark"
    caller = f"""
import pathlib, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs the tests in the background has interrupts ignored
from flowvae.contracts import Job
from flowvae.processes.plain import start
from flowvae_components.executors.processes import Processes
command = (sys.executable, "-S", "-E", "-c", {IGNORES!r}, {str(mark)!r})
Processes((), None, start)([Job("run", command, {{}}, pathlib.Path({str(tmp_path / "job.log")!r}))], lambda running: None)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", caller], stderr=subprocess.DEVNULL, start_new_session=True
    )
    wait_until(mark.with_suffix(".ready").exists)
    process.send_signal(signal.SIGINT)
    # Not a span of time: on a busy machine both interrupts would arrive as one.
    wait_until(mark.with_suffix(".heard").exists)
    assert process.poll() is None  # it waits for the job
    process.send_signal(signal.SIGINT)
    assert process.wait(20) != 0
    assert not is_alive(int((tmp_path / "job.log").read_text()))


def test_what_a_job_leaves_running_is_killed_when_it_ends(tmp_path):
    code = "import subprocess, sys; print(subprocess.Popen(['sleep', '60']).pid, flush=True)"
    given = job(tmp_path, "run", code)
    assert Processes()([given], quietly) == {"run": 0}
    helper = int(given.log.read_text())
    wait_until(lambda: not is_alive(helper), 2)


def test_job_gets_no_input_and_a_session_of_its_own(tmp_path):
    given = job(tmp_path, "run", "import os, sys; print(os.getsid(0) == os.getpid(), repr(sys.stdin.read()))")
    Processes()([given], quietly)
    assert given.log.read_text() == "True ''\n"


def test_executor_does_not_import_torch():
    code = "import sys, flowvae_components.executors.processes; print('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False\n"
    )


def test_negative_workers_are_refused():
    with pytest.raises(ValueError, match=r"^workers must"):
        Processes(workers=-1)


def test_jobs_run_side_by_side_as_far_as_their_cores_reach(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "n_cores", lambda: 4)
    seen = []
    jobs = [evolve(job(tmp_path, f"run{i}", "import time; time.sleep(0.2)"), cores=2) for i in range(3)]
    Processes()(jobs, seen.append)
    assert max(map(len, seen)) == 2
    seen.clear()
    Processes()([evolve(one, cores=64) for one in jobs], seen.append)
    assert max(map(len, seen)) == 1


def stays(jobs):
    """The device that each job saw, when it came and when it went."""
    return [(d, float(a), float(b)) for d, a, b in (one.log.read_text().split() for one in jobs)]


def on_devices(folder, count, executor, monkeypatch, **environment):
    monkeypatch.setattr(room, "n_cores", lambda: 16)
    code = "import os, time; a = time.time(); time.sleep(0.3); print(os.environ['CUDA_VISIBLE_DEVICES'], a, time.time())"
    jobs = [evolve(job(folder, f"run{i}", code, **environment), devices=1) for i in range(count)]
    most = []
    assert set(executor(jobs, lambda running: most.append(len(running))).values()) == {0}
    return stays(jobs), max(most)


def test_two_devices_take_two_jobs_at_a_time_however_many_cores_there_are(tmp_path, monkeypatch):
    where, most = on_devices(tmp_path, 5, Processes(("0", "GPU-7")), monkeypatch)
    assert most == 2
    for device in ("0", "GPU-7"):
        mine = sorted(stay for stay in where if stay[0] == device)
        assert len(mine) >= 2
        assert all(a[2] <= b[1] for a, b in itertools.pairwise(mine))


def test_a_recipe_may_put_more_jobs_on_a_device_and_they_are_spread(tmp_path, monkeypatch):
    where, most = on_devices(tmp_path, 5, Processes(("0", "1"), runs_per_device=2), monkeypatch)
    assert most == 4
    assert Counter(device for device, _, _ in where[:4]) == {"0": 2, "1": 2}


def test_jobs_that_name_a_device_have_it_one_after_the_other(tmp_path, monkeypatch):
    where, most = on_devices(tmp_path, 2, Processes(("0", "1")), monkeypatch, CUDA_VISIBLE_DEVICES="1")
    assert most == 1
    assert [device for device, _, _ in where] == ["1", "1"]


def test_a_device_is_free_again_where_a_job_fails_or_does_not_start(tmp_path):
    missing = Job("missing", (str(tmp_path / "nothing"),), {}, tmp_path / "missing" / "job.log", devices=1)
    jobs = [missing, *(evolve(job(tmp_path, f"run{i}", "1 / 0"), devices=1) for i in range(2))]
    assert Processes(("0",))(jobs, quietly) == {"missing": 127, "run0": 1, "run1": 1}


def test_a_job_that_would_wait_for_ever_for_a_device_is_refused_before_any_runs(tmp_path):
    mark = tmp_path / "mark"
    fine = job(tmp_path, "fine", f"open({str(mark)!r}, 'w')")
    with pytest.raises(ValueError, match=r"^devices: run needs 1, and there are 0"):
        Processes()([fine, evolve(job(tmp_path, "run", "pass"), devices=1)], quietly)
    with pytest.raises(ValueError, match=r"^devices: run needs 2"):
        Processes(("0", "1"))([evolve(job(tmp_path, "run", "pass"), devices=2)], quietly)
    assert not mark.exists()


def test_fewer_than_one_run_a_device_is_refused():
    with pytest.raises(ValueError, match=r"^runs_per_device must"):
        Processes(runs_per_device=0)


class Careless:
    """An executor that knows nothing of devices."""

    def __call__(self, jobs, poll):
        return Processes(workers=8)([evolve(one, devices=0) for one in jobs], poll)


class Crowding:
    """An executor that gives every job the first device."""

    def __call__(self, jobs, poll):
        with_device = [
            evolve(one, devices=0, environment={**one.environment, "CUDA_VISIBLE_DEVICES": "0"})
            for one in jobs
        ]
        return Processes(workers=8)(with_device, poll)


@pytest.mark.parametrize(
    ("bad", "said"), [(Careless, "saw CUDA_VISIBLE_DEVICES=None"), (Crowding, "two jobs were on")]
)
def test_the_public_check_sees_an_executor_that_does_not_hand_devices_out(bad, said, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with pytest.raises(AssertionError, match=said):
        checks.no_two_jobs_are_on_one_device(lambda devices, memory, start: bad())


def test_the_public_check_sees_a_named_device_that_is_not_kept():
    with pytest.raises(AssertionError, match="saw 0 and 0"):
        checks.a_job_keeps_the_device_that_its_environment_names(lambda devices, memory, start: Crowding())


def test_no_more_jobs_run_than_fit_into_memory_and_it_is_told_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(room, "n_cores", lambda: 16)
    jobs = [
        evolve(job(tmp_path, f"run{i}", "import time; time.sleep(0.2)"), memory=3_000_000_000)
        for i in range(5)
    ]
    seen = []
    Processes((), 7_000_000_000)(jobs, seen.append)
    assert max(map(len, seen)) == 2
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "memory allows 2 at a time: run2 will take about 3.0 GB, and 1.0 of 7.0 GB are left",
    ]


def test_a_job_that_is_larger_than_memory_runs_alone_and_one_of_unknown_size_waits_for_none(tmp_path):
    large = [evolve(job(tmp_path, f"large{i}", "import time; time.sleep(0.2)"), memory=9) for i in range(2)]
    seen = []
    assert set(Processes((), 1)(large, seen.append).values()) == {0}
    assert max(map(len, seen)) == 1
    seen.clear()
    Processes((), 1, workers=2)([evolve(one, memory=None) for one in large], seen.append)
    assert max(map(len, seen)) == 2


def test_jobs_end_where_the_system_cannot_look_without_reaping(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "waitid")
    jobs = [job(tmp_path, f"j{n}", f"raise SystemExit({n})") for n in range(3)]
    assert Processes(workers=2)(jobs, quietly) == {"j0": 0, "j1": 1, "j2": 2}
