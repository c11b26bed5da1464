"""What is measured beside the arms and never trained: once, before the first step, outside the identity of the runs."""

import os
import warnings
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from attrs import fields
from torch import nn

from conftest import TINY
from flowvae import worker
from flowvae.ablation import drive
from flowvae.catalogue import Catalogue
from flowvae.errors import FlowvaeError, RecipeError
from flowvae.evaluation.evidence import measure as by_metrics
from flowvae.folder.run_records import MeasuredReferences, Result
from flowvae.probe.__main__ import main as probe
from flowvae.processes.launcher import Called
from flowvae.recipe import read_recipe
from flowvae.references import main as measure
from flowvae.report import write
from flowvae.report.reading import read_folder
from flowvae.report.references import measured, sounds_of
from flowvae.report.tables import results_csv

SMALL = (*TINY, "train.steps=2", "evaluation.every=100", "train.checkpoint_every=100")
BESIDE = "evaluation.references={ same = { use = 'identity' }, sines_and_noise = { n_partials = 4 } }"


class Softer(nn.Module):
    def __init__(self, gain):
        super().__init__()
        self.gain = gain

    def forward(self, audio):
        return self.gain * audio


def codec(path, gain):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.trace(Softer(gain), torch.zeros(1, 1, 64)).save(str(path))
    return path


@pytest.fixture
def go(monkeypatch, tmp_path):
    """Drives a recipe in this process; gives what the terminal heard."""
    calls = {"measured": 0}

    def measured_here(command):
        calls["measured"] += 1
        place, arm, data, key = command[4:]
        with pytest.MonkeyPatch.context() as here:
            said = []
            here.setattr("builtins.print", lambda *words, **_: said.append(" ".join(map(str, words))))
            status = measure(Path(place), arm, Path(data), key)
        return Called(status, "\n".join(said), "\n".join(said))

    def called_here(command):
        if command[3] == "flowvae.references":
            return measured_here(command)
        return Called(probe(Path(command[4]), command[5:]), "", "")

    launcher = SimpleNamespace(call=called_here, start=None)
    monkeypatch.setattr(drive, "launched", lambda *_: nullcontext(launcher))
    monkeypatch.setattr(
        drive,
        "construct",
        lambda *_: lambda jobs, _: {j.name: worker.main(Path(j.command[-1])) for j in jobs},
    )
    monkeypatch.setattr(worker.StopSignals, "installed", classmethod(lambda cls: cls(parent=os.getppid())))
    monkeypatch.setattr(drive, "write_report", lambda folder, say: folder / "report.html")

    def go(*more, name="percussion_small"):
        heard = []
        drive.run_recipe(
            read_recipe(name, (*SMALL, *more)), tmp_path / "out", heard.append, Catalogue.installed()
        )
        return heard

    go.folder, go.calls = tmp_path / "out", calls
    return go


def test_references_have_the_figures_of_reconstructions_and_no_others(go):
    heard = go(BESIDE)
    assert any("measuring what is not trained: same, sines_and_noise" in line for line in heard)
    figures = MeasuredReferences.read(go.folder).figures
    assert {*figures} == {"same", "sines_and_noise"}
    assert {*figures["same"]} == {"spectral_distance", "si_sdr", "attack_error", "tonal_artefact"}
    assert figures["same"]["spectral_distance"].value == 0
    assert figures["sines_and_noise"]["spectral_distance"].value > 0
    [result] = go.folder.glob("runs/*/seed-0/result.json")
    sounds = Result.read(result.parent).sounds
    assert len(figures["same"]["spectral_distance"].per_sound) == len(sounds)


def test_their_metrics_are_told_the_classes_of_the_sounds(go, monkeypatch):
    told = []

    def told_first(measures, evidence):
        told.append(evidence.classes)
        return by_metrics(measures, evidence)

    monkeypatch.setattr("flowvae.references.measure", told_first)
    go(BESIDE)
    [result] = go.folder.glob("runs/*/seed-0/result.json")
    assert told == 2 * [Result.read(result.parent).classes]
    assert any(told[0])


def test_they_stand_in_the_report_with_figures_sounds_and_rows(go, monkeypatch):
    monkeypatch.setattr(write, "_draw", lambda *_: write.Pictures(*[None] * len(fields(write.Pictures))))
    go(BESIDE)
    folder = read_folder(go.folder)
    assert measured(folder, folder.metric("spectral_distance"))["same"] == "0"
    assert not measured(folder, folder.metric("kl_nats"))
    [run] = folder.runs
    targets = sorted((run.folder / "audio" / "target").glob("*.wav"))
    for number, target in enumerate(targets):
        [same] = [path for name, path in sounds_of(folder, number) if name == "same"]
        assert same.read_bytes() == target.read_bytes()
    assert "same,,not trained,spectral_distance,lower,dB,0.0," in results_csv(folder)
    page = write.write_report(go.folder).read_text()
    assert page.count("not trained") >= 2


def test_a_reference_that_comes_later_repeats_no_run_and_what_is_known_is_not_measured_again(go):
    go()
    assert go.calls["measured"] == 0
    assert not (go.folder / MeasuredReferences.file).exists()
    heard = go(BESIDE)
    assert any("runs to do: 0" in line for line in heard)
    assert go.calls["measured"] == 1
    go(BESIDE)
    assert go.calls["measured"] == 1
    go()
    assert not (go.folder / MeasuredReferences.file).exists()


def test_a_codec_counts_by_what_is_in_its_file(go, tmp_path):
    path = codec(tmp_path / "codec.ts", 0.5)
    setting = f"evaluation.references={{ codec = {{ path = '{path}' }} }}"
    go(setting)
    first = MeasuredReferences.read(go.folder)
    moved = path.rename(tmp_path / "elsewhere.ts")
    go(setting.replace(str(path), str(moved)))
    assert go.calls["measured"] == 1
    codec(moved, 0.25)
    go(setting.replace(str(path), str(moved)))
    second = MeasuredReferences.read(go.folder)
    assert go.calls["measured"] == 2
    assert first.identity != second.identity
    near, far = (one.figures["codec"]["spectral_distance"].value for one in (first, second))
    assert near < far


def test_a_network_that_gives_no_numbers_is_told_and_not_measured(go, tmp_path):
    path = codec(tmp_path / "codec.ts", float("nan"))
    with pytest.raises(FlowvaeError, match="not finite"):
        go(f"evaluation.references={{ codec = {{ path = '{path}' }} }}")
    assert not (go.folder / MeasuredReferences.file).exists()


def test_a_file_that_is_no_network_is_a_fault_of_its_line_before_anything_trains(go, tmp_path):
    path = tmp_path / "codec.ts"
    path.write_bytes(b"nothing")
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        'extends = "percussion_small"\n[evaluation.references.codec]\npath = "codec.ts"\n', encoding="utf-8"
    )
    with pytest.raises(RecipeError) as caught:
        go(name=str(recipe))
    [fault] = caught.value.faults
    assert fault.path == "evaluation.references.codec.path"
    assert str(fault.place).endswith("mine.toml:3:8")
    assert not [*go.folder.glob("runs/*/seed-0/status.json")]
