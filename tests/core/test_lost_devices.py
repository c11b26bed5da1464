"""A device that fails in the middle of a run: its last checkpoint is named, and nothing is saved of what cannot be trusted."""

import itertools

import pytest
import torch

from flowvae import worker
from flowvae.ablation.endings import RunError, raise_failures
from flowvae.folder import checkpoint
from flowvae.folder.status import read_status
from flowvae.training.training import Training
from short_runs import planned_runs, take
from tiers import swept

ERRORS = (
    torch.AcceleratorError("CUDA error: an illegal memory access was encountered"),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("CUDA error: device-side assert triggered\nCUDA kernel errors might be reported later"),
    RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
)


def fails(training, where, error):
    """In the fifth step of a training: after the checkpoint of step 3."""

    def fail(*_):
        if training.state.step == 4:
            raise error

    if where == "forward":
        training.model.encoder.register_forward_pre_hook(fail)
    elif where == "backward":
        next(training.model.parameters()).register_hook(fail)
    else:
        for optimizer in training.state.optimizers.values():
            optimizer.register_step_pre_hook(fail)


@pytest.mark.parametrize(
    ("where", "error"),
    swept(itertools.product(("forward", "backward", "optimizer"), ERRORS), quick=2),
    ids=lambda one: one if isinstance(one, str) else f"{type(one).__name__}-{str(one)[:5]}",
)
def test_case_22_a_device_that_fails_in_a_step_ends_the_run_without_a_save(
    where, error, tiny, catalogue, tmp_path, monkeypatch, capsys
):
    [run] = planned_runs(tiny, catalogue, tmp_path)
    saved, real_of, commit = [], Training.of, checkpoint.commit

    def built(*given):
        training = real_of(*given)
        fails(training, where, error)
        return training

    with monkeypatch.context() as here:
        here.setattr(worker.Training, "of", built)
        here.setattr(
            checkpoint,
            "commit",
            lambda folder, step, files: (saved.append(step), commit(folder, step, files)),
        )
        assert take(run) == 8
    assert saved == [0, 3]
    status = read_status(run.folder)
    assert (status.state, status.step) == ("failed", 3)
    assert "the device" in status.reason
    assert "error[MACHINE]: the device" in capsys.readouterr().err
    with pytest.raises(RunError, match="its last checkpoint is of step 3") as caught:
        raise_failures([run], {run.name: 8}, run.folder)
    assert caught.value.exit_status == 8
    assert "the same command continues" in caught.value.do
    assert take(run) == 0
    assert status.exact


def test_case_22_another_error_of_a_component_is_no_failure_of_a_device():
    assert worker.expected(RuntimeError("shape '[2]' is invalid for input of size 3")) is None
