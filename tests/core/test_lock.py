"""One writer a folder: who is refused, who waits, and what frees the lock."""

import errno
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import filelock
import pytest

from flowvae.errors import MachineError, RunFolderError
from flowvae.folder.lock import locked

HOLD = """
import subprocess, sys, time
from pathlib import Path
from flowvae.folder.lock import locked
with locked(Path(sys.argv[1])):
    {child}
    print("held", flush=True)
    time.sleep(300)
"""
# A forked child says that it runs: until then it still holds what it was born with, the lock among it.
CHILDREN = {
    "no child": "pass",
    "a forked child": """
    import os
    born, tell = os.pipe()
    os.fork() or (os.write(tell, b"."), time.sleep(300))
    os.read(born, 1)
""",
    "a forked worker": """
    import multiprocessing
    context = multiprocessing.get_context("fork")
    born = context.Event()
    context.Process(target=lambda: (born.set(), time.sleep(300))).start()
    born.wait()
""",
    "another program": "subprocess.Popen(['sleep', '300'], close_fds=False)",
}


@pytest.fixture
def owner(tmp_path):
    """Starts a process that holds the folder's lock; it leads a group, which ends with the test."""
    started = []

    def start(child="pass"):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD.format(child=child), str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):  # the test may have killed all there was
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def test_case_20_another_process_is_refused_and_told_who_has_it(owner, tmp_path):
    process = owner()
    with (
        pytest.raises(RunFolderError, match=f"is in use by process {process.pid} on ") as caught,
        locked(tmp_path),
    ):
        pass
    assert caught.value.exit_status == 6


def test_a_folder_that_was_renamed_meanwhile_is_still_in_use(owner, tmp_path):
    process = owner()
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    with pytest.raises(RunFolderError, match=f"process {process.pid} "), locked(moved):
        pass
    process.kill()
    process.wait()
    with locked(moved):
        pass


@pytest.mark.parametrize("child", CHILDREN)
def test_case_20_it_is_free_at_once_when_its_owner_is_killed_whatever_the_owner_started(
    child, owner, tmp_path
):
    process = owner(CHILDREN[child])
    process.kill()
    process.wait()
    with locked(tmp_path):
        pass


def test_who_waits_gets_it_when_the_owner_is_gone(owner, tmp_path):
    process = owner()
    code = "import sys; from pathlib import Path; from flowvae.folder.lock import locked\n"
    code += "with locked(Path(sys.argv[1]), wait=True): print('mine')"
    waiting = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    time.sleep(1)
    assert waiting.poll() is None
    process.kill()
    assert waiting.communicate(timeout=60)[0] == "mine\n"


def test_the_lock_can_be_taken_again_after_work_that_failed(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    with locked(tmp_path):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_case_20_a_disk_without_locks_is_no_folder_in_use(number, tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(MachineError, match="cannot be locked") as caught, locked(tmp_path, wait=True):
        pass
    assert os.strerror(number) in caught.value.what
    assert "--out" in caught.value.do


def test_a_folder_that_is_a_file_cannot_be_written_to(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MachineError, match="cannot be written to"), locked(tmp_path / "file"):
        pass


def test_it_is_known_without_a_module_that_only_some_systems_have():
    code = "import sys; sys.modules['fcntl'] = None; import flowvae.folder.lock, flowvae.cli.main"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert filelock.FileLock is not filelock.SoftFileLock
