"""When encoder and decoder go through torch's compiler, and what becomes of a run where they do."""

import os
import subprocess
import sys

import pytest
import torch
from attrs import evolve

from conftest import TINY
from flowvae.ablation import compiling
from flowvae.ablation.compiling import compiled, lacking, pays, seconds_of_run
from flowvae.ablation.devices import CPU
from flowvae.ablation.runs import job_of
from flowvae.building.compiled import compile_networks
from flowvae.errors import MachineError
from flowvae.folder.checkpoint import newest_whole
from flowvae.folder.run_records import Order, Result
from flowvae.folder.status import Status, read_status
from flowvae.probe.probe import probe
from flowvae.recipe import plan_ablation, read_recipe
from flowvae.training.state import state_of
from short_runs import planned_runs, take, training_of

LONG = "train.steps=10000000"


@pytest.fixture(scope="module")
def probed(catalogue):
    """What the probe finds of both arms."""
    plan = plan_ablation(read_recipe("ablation_snake", TINY), catalogue)
    return {arm.name: probe(arm.recipe, catalogue) for arm in plan.arms}


@pytest.fixture
def decide(catalogue, tiny, tmp_path, monkeypatch, probed):
    """What becomes of a recipe's runs on a machine that lacks nothing, or this."""

    def decided(*settings, lacks="", said=None):
        monkeypatch.setattr(compiling, "lacking", lambda kind: lacks)
        begun = (*tiny, "ablation.seeds=2", "execution.compile=auto", *settings)
        runs = planned_runs(begun, catalogue, tmp_path, "ablation_snake")
        placements = {run.name: CPU for run in runs}
        say = (lambda line: None) if said is None else said.append
        return runs, compiled(runs, runs, probed, placements, say)

    return decided


def test_only_runs_that_win_back_the_compilers_time_are_compiled_and_all_arms_alike(decide):
    said = []
    runs, found = decide(LONG, said=said)
    assert found == {run.name: True for run in runs}
    assert len(runs) == 4
    assert said == ["encoder and decoder are compiled: the first step of a run takes a minute or two"]
    assert set(decide("train.steps=500")[1].values()) == {False}
    assert set(decide("train.steps=500", "execution.compile=always")[1].values()) == {True}
    assert set(decide(LONG, "execution.compile=never")[1].values()) == {False}


def test_without_a_compiler_auto_compiles_nothing_and_always_says_what_to_install(decide):
    assert set(decide(LONG, lacks="a compiler (g++)")[1].values()) == {False}
    with pytest.raises(MachineError, match=r"always, and this machine lacks a compiler \(g\+\+\)") as caught:
        decide("execution.compile=always", lacks="a compiler (g++)")
    assert caught.value.exit_status == 8
    assert "install" in caught.value.do


@pytest.mark.parametrize("was", [True, False])
def test_auto_stays_what_it_was_when_the_runs_began(decide, probed, was):
    runs, _ = decide()
    evolve(Order.read(runs[1].folder), compiled=was).write(runs[1].folder)
    Status(runs[1].folder, 6).write("running", 1)
    found = compiled(runs, runs, probed, {run.name: CPU for run in runs}, lambda line: None)
    assert set(found.values()) == {was}


def test_what_a_run_takes_grows_with_its_steps_and_sounds_and_shrinks_with_its_threads(catalogue, tiny):
    recipe = training_of(tiny, catalogue).recipe
    whole = seconds_of_run(recipe, 1e9, 1, "cpu")
    assert whole == pytest.approx(6 * 3 * 1e9 * 2 * 4096 / 44100 / 25e9)
    assert seconds_of_run(recipe, 2e9, 4, "cpu") == pytest.approx(whole / 2)
    assert seconds_of_run(recipe, 1e9, 1, "cuda") == pytest.approx(6 * 0.02)
    assert not pays(whole)


def test_what_the_compiler_needs_is_looked_for_and_named(monkeypatch, tmp_path):
    monkeypatch.setattr(compiling.shutil, "which", lambda name: None)
    assert lacking("cpu").startswith("a compiler (g++)")
    assert lacking("cuda").startswith("a compiler (gcc)")
    monkeypatch.setattr(compiling.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(compiling.sysconfig, "get_path", lambda name: str(tmp_path))
    assert lacking("cpu") == "the headers of Python (python3-dev)"
    (tmp_path / "Python.h").touch()
    assert lacking("cpu") == ""
    assert "mps" in lacking("mps")


@pytest.mark.slow
def test_a_network_that_cannot_be_compiled_trains_as_it_is_and_the_status_says_so(
    catalogue, tiny, tmp_path, monkeypatch
):
    def no_compiler(forward, **_):
        def fail(*given):
            raise RuntimeError("the compiler has a fault")

        return fail

    monkeypatch.setattr(torch, "compile", no_compiler)
    plain, fast = (planned_runs(tiny, catalogue, tmp_path / name)[0] for name in ("plain", "fast"))
    evolve(Order.read(fast.folder), compiled=True).write(fast.folder)
    assert [take(plain), take(fast)] == [0, 0]
    told = [
        f"{name} is not compiled: RuntimeError: the compiler has a fault" for name in ("encoder", "decoder")
    ]
    assert list(read_status(fast.folder).warnings) == told
    assert [Result.read(run.folder).compiled for run in (plain, fast)] == [False, True]
    figures = [Result.read(run.folder).metrics for run in (plain, fast)]
    assert figures[0] == figures[1]


def test_what_is_evaluated_or_frozen_is_not_compiled(catalogue, tiny, monkeypatch):
    calls = []

    def count(forward, **_):
        def fast(*given):
            calls.append(forward)
            return forward(*given)

        return fast

    monkeypatch.setattr(torch, "compile", count)
    training = training_of(tiny, catalogue)
    names = list(training.model.state_dict())
    compile_networks({"encoder": training.model.encoder}, pytest.fail)
    assert list(training.model.state_dict()) == names
    training.step(0)
    assert len(calls) == 1
    audio = training.batches(1)
    with torch.no_grad():
        training.model.encode(audio)
    training.model.encoder.eval()
    training.model.encode(audio)
    assert len(calls) == 1


@pytest.mark.slow
def test_compiled_runs_differ_in_their_last_bits_alone_and_their_weights_keep_their_names(
    catalogue, tiny, tmp_path
):
    plain, fast = (planned_runs(tiny, catalogue, tmp_path / name)[0] for name in ("plain", "fast"))
    evolve(Order.read(fast.folder), compiled=True).write(fast.folder)
    for run in (plain, fast):
        job = job_of(run)
        subprocess.run(job.command, env={**os.environ, **job.environment}, check=True)
    assert read_status(fast.folder).warnings == ()
    found, expected = (Result.read(run.folder).metrics for run in (fast, plain))
    for name, figure in found.items():
        assert figure.value == pytest.approx(expected[name].value, rel=1e-3), name
    weights = [state_of(newest_whole(run.folder / "checkpoints"), "model") for run in (fast, plain)]
    assert weights[0].keys() == weights[1].keys()


@pytest.mark.slow
def test_the_compiler_is_not_imported_where_nothing_is_compiled(catalogue, tiny, tmp_path):
    (run,) = planned_runs(tiny, catalogue, tmp_path)
    code = (
        "import sys; from pathlib import Path; from flowvae import worker; "
        "status = worker.main(Path(sys.argv[1])); sys.exit(status or 'torch._inductor.compile_fx' in sys.modules)"
    )
    environment = {**os.environ, **job_of(run).environment}
    done = subprocess.run([sys.executable, "-c", code, str(run.folder)], env=environment, check=False)
    assert done.returncode == 0
