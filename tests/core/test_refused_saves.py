"""A disk that refuses one save costs that save and no run; one that refuses two in a row, or is full, ends it."""

import errno
import shutil
import subprocess
import sys
from collections import Counter

import pytest
import torch

from flowvae.errors import MachineError
from flowvae.folder import checkpoint, files
from flowvae.folder.status import read_status
from short_runs import go, planned_runs, take, training_of, weights
from tiers import swept

SIX_SAVES = ("train.steps=6", "train.checkpoint_every=1")


@pytest.fixture
def make(catalogue, tiny):
    return lambda: training_of((*tiny, *SIX_SAVES), catalogue)


@pytest.fixture
def refused(monkeypatch):
    """The steps of the saves that were tried; those named fail at their first tensor, with an error number, once each or always."""
    real = checkpoint._write_flushed

    def refuse(*steps, number=errno.EIO, times=1):
        tried = []

        def write(path, data):
            step = checkpoint.step_of(path.parent.name.removeprefix(".tmp-"))
            if path.name == checkpoint.TENSORS:
                tried.append(step)
                if step in steps and tried.count(step) <= times:
                    raise OSError(number, "Input/output error")
            real(path, data)

        monkeypatch.setattr(checkpoint, "_write_flushed", write)
        return tried

    return refuse


def kept(folder):
    return [checkpoint.step_of(path.name) for path in checkpoint.steps_in(folder / "checkpoints")]


def test_case_11_the_first_save_that_fails_is_given_up_whole_and_training_goes_on(
    make, tmp_path, refused, capsys
):
    undisturbed = make()
    go(undisturbed, tmp_path / "undisturbed")
    tried = refused(2, 4, 6)
    training = make()
    status = go(training, tmp_path / "run")
    assert tried == [0, 1, 2, 3, 4, 5, 6, 6]  # after the last there is no next one
    assert kept(tmp_path / "run") == [5, 6]
    assert not list((tmp_path / "run" / "checkpoints").glob(".*"))
    assert [warning.partition(":")[0] for warning in status.warnings] == [
        f"the checkpoint of step {step} could not be written" for step in (2, 4, 6)
    ]
    assert all("the next one is tried in full" in warning for warning in status.warnings)
    log = capsys.readouterr().out.splitlines()
    assert [line for line in log if "given up" in line] == status.warnings
    assert status.exact
    expected, found = weights(undisturbed), weights(training)
    assert all(torch.equal(tensor, found[name]) for name, tensor in expected.items())


@pytest.mark.parametrize(
    ("steps", "times", "tried"), swept([((3, 4), 1, [0, 1, 2, 3, 4]), ((6,), 2, [*range(7), 6])])
)
def test_case_11_a_second_failure_in_a_row_ends_the_run(
    steps, times, tried, tiny, catalogue, tmp_path, refused
):
    [run] = planned_runs((*tiny, *SIX_SAVES), catalogue, tmp_path)
    seen = refused(*steps, times=times)
    assert take(run) == MachineError.exit_status
    assert seen == tried
    assert read_status(run.folder).state == "failed"
    assert f"the checkpoint of step {steps[-1]} could not be written" in read_status(run.folder).reason
    assert kept(run.folder) == [steps[0] - 2, steps[0] - 1]
    assert take(run) == 0  # the same command continues


def test_case_11_a_history_that_is_refused_costs_that_save_too(make, tmp_path, monkeypatch):
    real, tried = files.made_anew, []

    def refuse(path):
        if path.name == ".history.json.tmp":
            tried.append(path)
            if len(tried) == 3:
                raise OSError(errno.EIO, "Input/output error")
        return real(path)

    monkeypatch.setattr(files, "made_anew", refuse)
    status = go(make(), tmp_path / "run")
    assert len(tried) == 7
    assert kept(tmp_path / "run") == [5, 6]
    [warning] = status.warnings
    assert "history.json could not be written: Input/output error: that save was given up" in warning


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_case_10_a_full_disk_ends_the_run_at_its_first_failure(number, make, tmp_path, refused):
    tried = refused(2, number=number)
    with pytest.raises(MachineError, match="step 2 could not be written"):
        go(make(), tmp_path / "run")
    assert tried == [0, 1, 2]
    assert kept(tmp_path / "run") == [0, 1]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
def test_case_11_a_flush_that_failed_is_never_repeated_on_its_file(tiny, catalogue, tmp_path):
    """The system itself refuses the flush of one file of one save; its next save flushes others."""
    [run] = planned_runs(tiny, catalogue, tmp_path)
    drafts = [run.folder.absolute() / "checkpoints" / f".tmp-step-{step:09d}" for step in (0, 3, 6)]
    paths = [
        f"--trace-path={draft / name}" for draft in drafts for name in (checkpoint.TENSORS, checkpoint.STATE)
    ]
    command = ["strace", "-f", "-y", "-qq", "-o", str(tmp_path / "trace"), "-e", "trace=fsync", *paths]
    # The tensors and the state of step 0 are the first two.
    command += [
        "-e",
        "inject=fsync:error=EIO:when=3",
        sys.executable,
        "-m",
        "flowvae.worker",
        str(run.folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, done.stderr
    flushed = [
        line.partition("<")[2].partition(">")[0] for line in (tmp_path / "trace").read_text().splitlines()
    ]
    assert set(Counter(flushed).values()) == {1}
    assert kept(run.folder) == [0, 6]
    [warning] = read_status(run.folder).warnings
    assert "the checkpoint of step 3 could not be written: Input/output error" in warning
