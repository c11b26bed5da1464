"""Copies of a warm parent: what a new process would be, and nothing is lost with the parent."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from flowvae.contracts import Job
from flowvae.processes import launcher as launching
from flowvae.processes.launcher import launcher
from flowvae.processes.outcome import Outcome
from flowvae.processes.plain import start
from flowvae.processes.program import program
from flowvae.processes.side_by_side import side_by_side

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="copies of a warm parent are Linux's")
STATE = """
import json, os, random, resource, signal, sys
own = [int(n) for n in os.listdir("/proc/self/fd")]
print(json.dumps({
    "parent": os.getppid(), "argv": sys.argv, "main": __name__, "orig": sys.orig_argv, "path": sys.path, "safe": sys.flags.safe_path,
    "environment": dict(os.environ), "folder": os.getcwd(), "mask": [*signal.pthread_sigmask(0, [])],
    "handlers": [str(signal.getsignal(n)) for n in (1, 2, 13, 15)], "leads": os.getsid(0) == os.getpid(),
    "group": os.getpgid(0) == os.getpid(), "input": sys.stdin.read(), "threads": len(os.listdir("/proc/self/task")),
    "files": sorted(os.readlink(f"/proc/self/fd/{n}") for n in own if n > 2 and os.path.exists(f"/proc/self/fd/{n}")),
    "limits": resource.getrlimit(resource.RLIMIT_DATA), "there": "a_program" in sys.modules, "umask": os.umask(0),
    "encoding": [sys.stdout.encoding, sys.stderr.errors, sys.stdout.line_buffering],
}))
print(random.random(), file=sys.stderr)
"""
PROGRAM = """
import sys, os, signal, time
if __name__ == "__main__":
    exec(sys.argv[1])
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a program of ours to be, found by every process of the test."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a_program.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), *sys.path]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def warm(place, monkeypatch):
    # pytest says in the environment how far a test is, so it is another when the test begins.
    calm = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    monkeypatch.setattr(launching, "os", SimpleNamespace(environ=calm))
    with launcher(["a_program"], ["json"], {"OF_THE_JOB": "1"}) as found:
        assert found.parent is not None
        yield found


def job(place, code, name="a", **environment):
    return Job(name, program("a_program", code), {"OF_THE_JOB": "1"} | environment, place / name / "log.txt")


def ended(process, seconds=20):
    end = time.monotonic() + seconds
    while (status := process.exit_status()) is None:
        assert time.monotonic() < end, "it did not end"
        time.sleep(0.005)
    process.end()
    assert process.exit_status() == status
    return status


def runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.005)


def parent_of(line):
    parent = int(line.split()[1])
    assert parent != os.getpid()
    return parent


def test_a_copy_is_what_a_new_process_is(warm, place):
    told = {}
    for name, begin in (("plain", start), ("copy", warm.start)):
        assert ended(begin(job(place, STATE, name))) == 0
        # Which of the two streams is written first is for PYTHONUNBUFFERED to say.
        drawn, told[name] = sorted((place / name / "log.txt").read_text().splitlines())
        assert 0 < float(drawn) < 1
    plain, copy = (json.loads(told[name]) for name in ("plain", "copy"))
    plain["environment"].pop("PYTEST_CURRENT_TEST")
    assert (plain.pop("parent"), copy.pop("parent")) == (os.getpid(), warm.parent._process.pid)
    assert copy == plain
    assert copy["main"] == "__main__"
    assert copy["leads"]
    assert copy["input"] == ""


def test_copies_are_copies_of_one_process_and_draw_their_own_numbers(warm, place):
    code = "import numpy, random; print(os.getppid(), random.random(), numpy.random.random())"
    with launcher(["a_program"], ["numpy.random"], {"OF_THE_JOB": "1"}) as found:
        processes = [found.start(job(place, code, name)) for name in "ab"]
        assert [ended(process) for process in processes] == [0, 0]
    lines = [(place / name / "log.txt").read_text().split() for name in "ab"]
    assert lines[0][0] == lines[1][0] != str(os.getpid())
    assert lines[0][1] != lines[1][1]
    assert lines[0][2] != lines[1][2]


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("sys.exit(3)", 3, ""),
        ("sys.exit('no')", 1, "no\n"),
        ("os._exit(4)", 4, ""),
        ("os.kill(os.getpid(), signal.SIGKILL)", -9, ""),
        ("os.kill(os.getpid(), signal.SIGTERM)", -15, ""),
        ("print('out', flush=True); 1 / 0", 1, "ZeroDivisionError: division by zero\n"),
        ("import atexit; atexit.register(print, 'bye')", 0, "bye\n"),
    ],
)
def test_its_end_is_told_as_that_of_a_new_process(warm, place, code, status, said):
    for name, begin in (("plain", start), ("copy", warm.start)):
        assert ended(begin(job(place, code, name))) == status
        assert (place / name / "log.txt").read_text().endswith(said)


def test_output_goes_behind_what_the_log_holds(warm, place):
    (place / "a").mkdir()
    (place / "a" / "log.txt").write_text("before\n")
    assert ended(warm.start(job(place, "print('out', flush=True); print('err', file=sys.stderr)"))) == 0
    assert (place / "a" / "log.txt").read_text() == "before\nout\nerr\n"


def test_a_signal_reaches_the_job_and_its_end_takes_its_helpers(warm, place):
    code = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    process = warm.start(job(place, code))
    log = place / "a" / "log.txt"
    wait_until(lambda: log.read_text().endswith("\n"))
    helper = int(log.read_text())
    process.ask(signal.SIGTERM)
    assert ended(process) == -signal.SIGTERM
    wait_until(lambda: not runs(helper))


def test_a_job_that_runs_is_killed_with_its_group(warm, place):
    code = "import subprocess; print(os.getpid(), subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    process = warm.start(job(place, code))
    wait_until(lambda: (place / "a" / "log.txt").read_text().endswith("\n"))
    pids = [int(pid) for pid in (place / "a" / "log.txt").read_text().split()]
    process.end()
    assert process.exit_status() == -signal.SIGKILL
    wait_until(lambda: not any(map(runs, pids)))


@pytest.mark.parametrize("environment", [{"OF_THE_JOB": "2"}, {"MORE": "1"}])
def test_a_job_with_another_environment_is_a_process_of_its_own(warm, place, environment):
    code = "print(os.getppid(), os.environ['OF_THE_JOB'], os.environ.get('MORE'))"
    assert ended(warm.start(job(place, code, **environment))) == 0
    told = (place / "a" / "log.txt").read_text().split()
    assert told[0] == str(os.getpid())
    assert told[1:] == [environment.get("OF_THE_JOB", "1"), environment.get("MORE", "None")]


def test_a_job_on_an_accelerator_is_a_process_of_its_own(warm, place):
    from attrs import evolve

    assert ended(warm.start(evolve(job(place, "print(os.getppid())"), devices=1))) == 0
    assert int((place / "a" / "log.txt").read_text()) == os.getpid()


def test_nothing_is_lost_with_the_parent(warm, place):
    once = "print('began', os.getppid(), flush=True); time.sleep(0.3); sys.exit(7)"
    process = warm.start(job(place, once))
    log = place / "a" / "log.txt"
    wait_until(lambda: "began" in log.read_text())
    parent = parent_of(log.read_text())
    os.kill(parent, signal.SIGKILL)
    assert ended(process) == 7
    assert [int(line.split()[1]) for line in log.read_text().splitlines()] == [parent, os.getpid()]
    assert ended(warm.start(job(place, "sys.exit(8)", "b"))) == 8
    assert warm.call(program("a_program", "print(os.getppid())")).output == f"{os.getpid()}\n"


def test_what_was_asked_to_end_is_not_begun_anew_when_the_parent_is_lost(warm, place):
    process = warm.start(job(place, "print('began', os.getppid(), flush=True); time.sleep(60)"))
    log = place / "a" / "log.txt"
    wait_until(lambda: "began" in log.read_text())
    os.kill(parent_of(log.read_text()), signal.SIGKILL)
    process.ask(signal.SIGTERM)
    assert ended(process) == -signal.SIGTERM
    assert log.read_text().count("began") == 1


def test_a_parent_that_cannot_import_what_is_wanted_is_done_without(place):
    with launcher(["a_program"], ["no_such_module"], {}) as found:
        assert found.call(program("a_program", "print(os.getppid())")).output == f"{os.getpid()}\n"
    with launcher([], [], {}) as found:
        assert found.parent is None
        assert found.call(program("a_program", "sys.exit(5)")).exit_status == 5


def test_a_call_keeps_output_and_errors_apart(warm):
    done = warm.call(program("a_program", "print('out'); print('err', file=sys.stderr); sys.exit(3)"))
    assert (done.exit_status, done.output, done.errors) == (3, "out\n", "err\n")


DRIVER = """
import os, sys, time
from flowvae.contracts import Job
from flowvae.processes import launcher as launching
from flowvae.processes.launcher import launcher
from flowvae.processes.program import program
from pathlib import Path
with launcher(["a_program"], [], {}) as found:
    jobs = [Job(n, program("a_program", c), {}, Path(n)) for n, c in (("quiet", sys.argv[1]), ("saves", sys.argv[2]))]
    processes = [found.start(job) for job in jobs]
    print(os.getpid(), flush=True)
    time.sleep(60)
"""
QUIET = "print(os.getpid(), os.getppid(), flush=True); time.sleep(60)"
SAVES = (
    """
def save(number, frame):
    print("saved", number, flush=True); sys.exit(0)
signal.signal(signal.SIGTERM, save)
"""
    + QUIET
)


@pytest.fixture(params=["heard", "ignored"])
def hang_up(request):
    """Hang-ups as a shell leaves them to what it starts, and as nohup does."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if request.param == "ignored" else signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hang_up")
def test_no_process_outlives_a_driver_that_is_killed_and_a_run_may_save(place):
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, QUIET, SAVES], stdout=subprocess.PIPE, text=True)
    driver.stdout.readline()
    logs = [place / name for name in ("quiet", "saves")]
    wait_until(lambda: all(log.exists() and log.read_text() for log in logs))
    pids = {int(pid) for log in logs for pid in log.read_text().split()}
    assert len(pids) == 3
    driver.kill()
    driver.communicate()
    wait_until(lambda: not any(map(runs, pids)), 5)
    assert logs[1].read_text().endswith("saved 15\n")


def test_the_parent_ends_with_who_had_it_started(place):
    with launcher(["a_program"], [], {}) as found:
        parent = int(found.call(program("a_program", "print(os.getppid())")).output)
        assert runs(parent)
    assert not runs(parent)


@pytest.mark.usefixtures("hang_up")
def test_a_copy_that_nobody_knows_of_ends_with_the_parent(place):
    with launcher(["a_program"], [], {}) as found, (place / "log").open("wb") as log:
        child = found.parent.fork(program("a_program", "time.sleep(60)"), log, log)
        assert runs(child)
    wait_until(lambda: not runs(child), 5)


def test_tasks_side_by_side_have_their_outcomes_in_order_and_run_at_the_same_time():
    def task(number):
        began = time.monotonic()
        time.sleep(0.2 if number == 0 else 0.1)
        return Outcome((number, began, time.monotonic(), os.getpid()))

    found = [outcome.found for outcome in side_by_side([lambda n=n: task(n) for n in range(4)], 2)]
    assert [number for number, *_ in found] == [0, 1, 2, 3]
    assert len({pid for *_, pid in found} | {os.getpid()}) == 5
    assert found[1][1] < found[0][2]  # the second began before the first had ended
    busy = [sum(other[1] <= one[1] < other[2] for other in found) for one in found]
    assert max(busy) == 2


def test_a_task_that_is_killed_is_told_and_who_listens_no_more_ends_the_rest(tmp_path):
    def killed():
        os.kill(os.getpid(), signal.SIGKILL)

    def long():
        (tmp_path / "pid").write_text(str(os.getpid()))
        time.sleep(60)

    outcomes = side_by_side([killed, long], 2)
    first = next(outcomes)
    assert first.exit_status == 137
    assert "SIGKILL" in first.errors
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    began = time.monotonic()
    outcomes.close()
    assert time.monotonic() - began < 20
    assert not runs(int((tmp_path / "pid").read_text()))
