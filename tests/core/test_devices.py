"""What a recipe's word for a device means on a machine, and which run gets which device."""

import json
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch

from flowvae.ablation import drive
from flowvae.building.device import device_number, model_name, pick_device, visible_names
from flowvae.errors import FlowvaeError, MachineError
from flowvae.folder.status import Status
from flowvae.probe import __main__ as probe
from flowvae.processes.launcher import Called
from flowvae.recipe import read_recipe
from flowvae_components.executors.processes import Processes
from tiers import swept


@pytest.fixture
def machine(monkeypatch):
    """Makes torch say that there are devices."""

    def with_devices(cuda=0, mps=False, visible=None):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA X1")
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if visible is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    with_devices()
    return with_devices


@pytest.mark.parametrize("name", ["mps", "cuda", "cuda:0", "cuda:9", "tpu", "meta", "xpu", "cpu:3", ""])
def test_a_device_that_is_not_there_is_refused(machine, name):
    with pytest.raises(MachineError) as caught:
        pick_device(name)
    assert f'"{name}"; found: cpu' in caught.value.what
    assert caught.value.exit_status == 8


def test_a_word_means_what_the_machine_has(machine):
    assert str(pick_device("auto")) == "cpu"
    assert visible_names(pick_device("auto")) == []
    machine(cuda=2, mps=True)
    assert str(pick_device("auto")) == "cuda"
    assert visible_names(pick_device("cuda")) == ["0", "1"]
    assert visible_names(pick_device("cuda:1")) == ["1"]
    assert len(visible_names(pick_device("mps"))) == 1
    with pytest.raises(MachineError, match=r'"cuda:2"; found: cpu, cuda:0, cuda:1, mps'):
        pick_device("cuda:2")


def test_devices_are_handed_on_under_the_names_that_this_process_was_given(machine):
    machine(cuda=2, visible="3, GPU-8f")
    assert visible_names(pick_device("cuda")) == ["3", "GPU-8f"]
    assert visible_names(pick_device("cuda:1")) == ["GPU-8f"]


def test_a_result_tells_the_model_and_the_number_of_its_device(machine):
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    assert (model_name(cpu), device_number(cpu)) == ("cpu", None)
    machine(cuda=1, visible="3")
    assert (model_name(cuda), device_number(cuda)) == ("NVIDIA X1", "3")


@pytest.fixture
def planned(catalogue, tiny, tmp_path, monkeypatch):
    """Drives an ablation up to its executor, and gives the devices and jobs that this gets."""
    handed = []

    def take(self, jobs, poll):
        handed.append((self.devices, jobs))
        return {job.name: 1 for job in jobs}

    def in_this_process(command):
        # torch, which pretends to have devices, is in this process.
        at = command.index("flowvae.probe")
        try:
            status = probe.main(tmp_path / "out", command[at + 2 :])
        except SystemExit as error:
            status = error.code
        return Called(status, "", "")

    monkeypatch.setattr(Processes, "__call__", take)
    launcher = SimpleNamespace(call=in_this_process, start=None)
    monkeypatch.setattr(drive, "launched", lambda *_: nullcontext(launcher))
    monkeypatch.setattr(drive, "write_report", lambda folder, say: folder / "report.html")

    def plan(*settings, said=None):
        handed.clear()
        more = ("ablation.seeds=2", *settings)
        say = (lambda line: None) if said is None else said.append
        with pytest.raises(FlowvaeError) as caught:
            drive.run_recipe(read_recipe("ablation_snake", (*tiny, *more)), tmp_path / "out", say, catalogue)
        return (*handed[0], caught.value) if handed else ((), [], caught.value)

    return plan


def orders(folder):
    return [json.loads(path.read_text()) for path in sorted(folder.glob("out/runs/*/*/run.json"))]


def test_every_run_on_an_accelerator_needs_one_of_all(machine, planned, tmp_path):
    machine(cuda=2)
    said = []
    devices, jobs, _ = planned(said=said)
    assert devices == ("0", "1")
    assert [(job.devices, job.memory) for job in jobs] == [(1, None)] * 4
    assert not any("CUDA_VISIBLE_DEVICES" in job.environment for job in jobs)
    assert {order["device"] for order in orders(tmp_path)} == {"cuda"}
    assert "devices for the runs: 2 (0, 1)" in said


def test_a_named_device_is_the_only_one_that_is_handed_out(machine, planned, tmp_path):
    machine(cuda=2, visible="5,7")
    devices, jobs, _ = planned("execution.device=cuda:1")
    assert devices == ("7",)
    assert {job.environment["CUDA_VISIBLE_DEVICES"] for job in jobs} == {"7"}
    assert {order["device"] for order in orders(tmp_path)} == {"cuda"}  # the first of those it sees


def test_runs_on_the_cpu_need_cores_and_no_device(machine, planned, tmp_path):
    machine(cuda=2)
    devices, jobs, _ = planned("execution.device=cpu", "execution.threads=3")
    assert devices == ()
    assert {(job.devices, job.cores) for job in jobs} == {(0, 3)}
    assert all(5e8 < job.memory < 2e9 for job in jobs)
    assert {order["device"] for order in orders(tmp_path)} == {"cpu"}


@pytest.mark.parametrize("name", swept(["cuda", "mps", "cuda:9", "tpu"]))
def test_a_device_that_is_not_there_is_refused_before_the_first_run_also_where_arms_are_known(
    machine, planned, tmp_path, name, capsys
):
    _, jobs, error = planned()
    assert jobs
    assert "runs failed" in str(error)
    before = orders(tmp_path)
    arms = (tmp_path / "out" / "arms.json").read_bytes()
    _, jobs, error = planned(f"execution.device={name}")
    assert (jobs, error.exit_status) == ([], 8)
    assert f'there is no device "{name}"; found: cpu' in capsys.readouterr().err
    assert orders(tmp_path) == before
    assert (tmp_path / "out" / "arms.json").read_bytes() == arms


def begin(planned, tmp_path):
    """The first run takes its first step."""
    planned()
    Status(tmp_path / "out" / "runs" / "snake" / "seed-0", 6).write("running", 1)


def test_auto_stays_what_it_was_when_the_runs_began(machine, planned, tmp_path):
    begin(planned, tmp_path)
    machine(cuda=2)
    said = []
    devices, jobs, _ = planned(said=said)
    assert devices == ()
    assert {job.devices for job in jobs} == {0}
    assert any(line.startswith("computing on the CPU, as the runs of this folder began") for line in said)
    devices, jobs, _ = planned("execution.device=cuda")
    assert devices == ("0", "1")


def test_runs_that_began_on_an_accelerator_do_not_go_on_elsewhere_in_silence(machine, planned, tmp_path):
    machine(cuda=2)
    begin(planned, tmp_path)
    machine()
    _, jobs, error = planned()
    assert (jobs, error.exit_status) == ([], 8)
    assert 'began on the device "cuda"' in str(error)
    _, jobs, _ = planned("execution.device=cpu")
    assert len(jobs) == 4


def test_runs_that_were_only_planned_bind_auto_to_nothing(machine, planned):
    planned()
    machine(cuda=1)
    devices, _, _ = planned()
    assert devices == ("0",)
