"""How a run ends that could not end by itself, what is said of it, and with which exit status."""

import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from attrs import evolve

from flowvae import worker
from flowvae.ablation import runs
from flowvae.ablation.endings import RunError, announce_taken_up, raise_failures, settle
from flowvae.cli.guarded import verb
from flowvae.cli.work import _say
from flowvae.errors import AblationError, CheckpointError, MachineError, NumbersError, Stopped
from flowvae.folder import checkpoint, files
from flowvae.folder.journal import Journal, read_journal
from flowvae.folder.lock import locked
from flowvae.folder.run_records import Order, StatusRecord
from flowvae.folder.status import Status, read_status
from flowvae.processes.launcher import launcher
from flowvae.processes.program import program
from flowvae.recipe import read_recipe, resolve
from short_runs import planned_runs, take, training_of

FILES = {"tensors.safetensors": b"weights", "state.json": b"{}"}


@pytest.fixture
def killed(tiny, catalogue, tmp_path):
    """A run that said that it runs, and is not there any more; its last checkpoint is of step 3."""
    [run] = planned_runs(tiny, catalogue, tmp_path)
    with locked(run.folder):
        Status(run.folder, 6).write("running", 1, loss=1.0)
    checkpoint.commit(run.folder / "checkpoints", 3, FILES)
    return run


@pytest.mark.parametrize(
    ("status", "state", "said", "code"),
    [
        (-9, "failed", "killed by signal 9 (SIGKILL), perhaps for want of memory", 137),
        (137, "failed", "killed by signal 9 (SIGKILL), perhaps for want of memory", 137),
        (-15, "stopped", "signal 15 (SIGTERM)", 143),
        (143, "stopped", "signal 15 (SIGTERM)", 143),
        (-11, "failed", "signal 11 (SIGSEGV)", 139),
    ],
)
def test_case_21_a_run_that_was_killed_is_told_with_its_checkpoint_and_as_a_shell_does(
    status, state, said, code, killed
):
    settle([killed], {killed.name: status})
    record = read_status(killed.folder)
    assert (record.state, record.step, record.reason) == (state, 3, said)
    with pytest.raises(RunError) as caught:
        raise_failures([killed], {killed.name: status}, killed.folder)
    assert caught.value.exit_status == code
    assert caught.value.what == f"{killed.name}: {said}; its last checkpoint is of step 3"
    assert caught.value.do == "the same command continues"


def test_case_21_where_the_driver_was_interrupted_too_no_status_says_that_it_runs(killed):
    settle([killed], {})
    assert read_status(killed.folder).state == "failed"


def test_a_run_that_is_at_work_elsewhere_keeps_its_word(killed):
    with locked(killed.folder):
        settle([killed], {})
    assert read_status(killed.folder).state == "running"


def test_case_21_the_next_command_says_that_a_run_ended_without_a_word(killed):
    said = []
    announce_taken_up([killed], said.append)
    [line] = said
    assert f"{killed.name} ended without a word after step 1" in line
    assert "perhaps for want of memory; it continues from step 3" in line


def test_case_07_a_run_that_is_told_to_go_on_with_other_threads_is_told_before_it_does(
    killed, tiny, catalogue
):
    Status(killed.folder, 6).write("stopped", 3)
    said = []
    announce_taken_up([killed], said.append)
    assert not said
    other = resolve(read_recipe("percussion_small", (*tiny, "execution.threads=2")), catalogue)
    announce_taken_up([evolve(killed, recipe=other)], said.append)
    assert said == [f"  {killed.name} goes on with threads 1 -> 2: not to the same bits"]


@pytest.mark.parametrize(
    ("error", "code", "again"),
    [
        (NumbersError("loss is nan at step 4", do="lower train.optimizer.lr, in another --out"), 7, False),
        (CheckpointError("no usable checkpoint is left", do="restore a backup"), 5, False),
        (OSError(errno.ENOSPC, "No space left on device", "/full/metrics.jsonl"), 8, True),
        (MemoryError(), 8, True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), 8, True),
        (ZeroDivisionError("division by zero"), 1, False),
        (Stopped(signal.SIGTERM), 143, True),
    ],
)
def test_case_21_case_25_a_run_is_told_to_go_on_by_itself_only_where_that_may_help(
    error, code, again, tiny, catalogue, tmp_path, monkeypatch, capsys
):
    [run] = planned_runs(tiny, catalogue, tmp_path)

    def fail(*_):
        raise error

    monkeypatch.setattr(worker, "run", fail)
    assert take(run) == code
    with pytest.raises(RunError) as caught:
        raise_failures([run], {run.name: code}, run.folder)
    assert caught.value.exit_status == code
    assert ("the same command continues" in caught.value.do) is again
    if not again and code != 1:
        assert error.do in caught.value.do
    assert ("Traceback" in capsys.readouterr().err) is (code == 1)
    assert not (run.folder / ".reserve").exists()
    with pytest.raises(AblationError) as caught:
        raise_failures([run, run], {run.name: code}, run.folder)
    assert ("the same command continues" in caught.value.do) is again


def test_case_10_a_disk_that_fills_in_mid_run_is_told_with_the_file_and_the_status_says_so(
    tiny, catalogue, tmp_path, monkeypatch, capsys
):
    [run] = planned_runs(tiny, catalogue, tmp_path)
    full = []
    write = Journal.write

    def fills(self, phase, step, figures):
        if phase == "train":
            full.append(step)
            self._lines.close()
            self._lines = Path("/dev/full").open("a")  # noqa: SIM115 - the journal closes it
        write(self, phase, step, figures)

    monkeypatch.setattr(Journal, "write", fills)
    assert take(run) == MachineError.exit_status
    assert full == [6]
    record = read_status(run.folder)
    assert (record.state, record.step) == ("failed", 3)
    assert "metrics.jsonl could not be written: No space left on device" in record.reason
    assert "make room" in record.do
    assert "metrics.jsonl" in capsys.readouterr().err


def test_case_10_a_full_disk_has_room_for_the_last_words(tmp_path, monkeypatch):
    status, real = Status(tmp_path, 6), files.made_anew

    def full(path):
        if (tmp_path / ".reserve").exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path)

    def filling():
        with status.room_for_last_words():
            assert (tmp_path / ".reserve").stat().st_size > 4096
            monkeypatch.setattr(files, "made_anew", full)
            status.write("running", 1)

    with pytest.raises(MachineError, match="No space left"):
        filling()
    status.end("failed", "the disk is full")
    assert StatusRecord.read(tmp_path).reason == "the disk is full"


def test_case_10_an_event_file_that_cannot_be_written_ends_no_run(tmp_path):
    with Journal(tmp_path, 0) as journal:
        journal.write("train", 1, {"loss": 1.0})
        journal.events._file.close()
        journal.events._file = journal.events._records._writer = Path("/dev/full").open("wb")  # noqa: SIM115 - the same
        journal.write("train", 2, {"loss": 2.0})
        journal.write("train", 3, {"loss": 3.0})
    assert journal.events.fault == "No space left on device"
    assert [row.step for row in read_journal(tmp_path)[0]] == [1, 2, 3]


def test_case_10_there_must_be_room_for_a_checkpoint_before_it_is_begun(tmp_path, monkeypatch):
    usage = SimpleNamespace(total=10**9, free=5)
    monkeypatch.setattr(checkpoint.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(MachineError, match=r"it needs 0\.0 MB, and 0\.0 MB are free"):
        checkpoint.commit(tmp_path / "checkpoints", 1, FILES)
    assert not list((tmp_path / "checkpoints").iterdir())
    usage.total = usage.free = 0  # it does not say
    checkpoint.commit(tmp_path / "checkpoints", 1, FILES)


def test_case_10_a_disk_that_holds_too_few_checkpoints_is_told_before_the_first_step(
    tiny, catalogue, tmp_path, monkeypatch
):
    [run] = planned_runs(tiny, catalogue, tmp_path)
    usage = SimpleNamespace(total=10**9, free=10**9)
    monkeypatch.setattr(checkpoint.shutil, "disk_usage", lambda _: usage)
    training = training_of(tiny, catalogue)
    size = sum(map(len, training.state.files().values()))
    usage.free = 2 * size
    assert take(run) == MachineError.exit_status
    record = read_status(run.folder)
    assert "there is no room for 3 checkpoints" in record.reason
    assert not list((run.folder / "checkpoints").glob("step-*"))
    usage.free = 4 * size
    assert take(run) == 0


@pytest.mark.slow
def test_case_21_memory_that_does_not_suffice_for_the_imports_is_no_trace(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (700_000_000, before[1]))
    try:
        with launcher((), (), {}) as start:
            called = start.call(program("flowvae.probe", str(tmp_path)))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert called.exit_status in {8, 139, 134}
    if called.exit_status == 8:
        assert "Traceback" not in called.errors
        assert "the memory did not suffice for flowvae.probe" in called.errors


def test_a_process_that_was_called_and_killed_has_the_status_of_a_shell(tmp_path):
    with launcher((), (), {}) as start:
        called = start.call((sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"))
    assert called.exit_status == 137
    assert "signal 9" in called.errors


@pytest.mark.parametrize("ignored", [True, False])
def test_case_18_a_hang_up_that_nohup_told_to_ignore_is_ignored(ignored):
    before = {n: signal.getsignal(n) for n in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
        signals = worker.StopSignals.installed()
        signal.raise_signal(signal.SIGHUP) if ignored else signals.take(signal.SIGHUP, None)
        assert signals.asked() == (0 if ignored else signal.SIGHUP)
        signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
        verb(["list", "activation"])
        assert (signal.getsignal(signal.SIGHUP) is signal.SIG_IGN) is ignored
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_case_56_a_run_that_was_begun_keeps_its_threads(tiny, catalogue, tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "n_cores", lambda: 3)
    recipe = resolve(read_recipe("percussion_small", (*tiny, "execution.threads=0")), catalogue)
    assert runs.n_threads(recipe, tmp_path, alone=True) == 3
    assert runs.n_threads(recipe, tmp_path, alone=False) == 1
    order = Order(identity="a", arm="a", seed=0, threads=3, device="cpu", plugins=(), data="data")
    order.write(tmp_path)
    assert runs.n_threads(recipe, tmp_path, alone=False) == 3


def test_case_24_a_run_whose_driver_has_died_is_asked_to_end(monkeypatch):
    signals = worker.StopSignals(parent=os.getppid())
    assert signals.asked() == 0
    monkeypatch.setattr(os, "getppid", lambda: 1)
    assert signals.asked() == signal.SIGHUP


WORDS = "import sys; from flowvae.cli.main import main; from flowvae.cli.work import _say\n"


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_case_18_a_closed_standard_file_ends_nothing_and_no_other_file_takes_its_place(closed, tmp_path):
    code = f"{WORDS}status = main(['list', 'activation'])\n"
    code += (
        "import os\nmine = open(sys.argv[1], 'w')\nassert mine.fileno() > 2, mine.fileno()\nsys.exit(status)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "mine")]
    done = subprocess.run(command, preexec_fn=lambda: os.close(closed), check=False)
    assert done.returncode == 0


def test_case_18_output_that_cannot_be_written_ends_no_run():
    code = f"{WORDS}_say('one'); _say('two'); sys.stdout.flush()"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (0, "")
    _say("and here it is printed")
