"""Two hundred arms cost what two hundred arms must cost: nothing is read or asked for again by each of them."""

import hashlib
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import soundfile

from flowvae.ablation import environment
from flowvae.ablation.kept_files import KeptFiles
from flowvae.ablation.runs import all_runs, prepare_run
from flowvae.data.sounds import prepare_all
from flowvae.folder import files as files_module
from flowvae.folder.files import write_bytes
from flowvae.folder.run_records import Order
from flowvae.recipe import plan_ablation, read_recipe


@pytest.fixture
def hashed(monkeypatch):
    """The files whose content was hashed for what they hold."""
    found = []
    monkeypatch.setattr(
        hashlib,
        "file_digest",
        lambda file, name, look=hashlib.file_digest: found.append(file.name) or look(file, name),
    )
    return found


@pytest.fixture
def planned(write, tiny, catalogue, tmp_path):
    """The plan of as many arms as are asked for, over sounds and an impulse response that lie on the disk."""
    rng = np.random.default_rng(0)
    (tmp_path / "sounds").mkdir()
    for i in range(12):
        soundfile.write(tmp_path / "sounds" / f"kick{i}.wav", 0.1 * rng.standard_normal(4000), 44100)
    soundfile.write(tmp_path / "room.wav", 0.1 * rng.standard_normal(400), 44100)

    def plan(n_arms):
        rates = [1e-4 * (i + 1) for i in range(n_arms)]
        text = (
            'extends = "percussion_small"\n[augmentations.impulse_response]\npath = "room.wav"\n[ablation]\n'
            f'metric = "spectral_distance"\nseeds = 3\n[ablation.vary]\n"train.optimizer.lr" = {rates}\n'
        )
        data = f'data={{ use = "folder", path = "{tmp_path / "sounds"}" }}'
        return plan_ablation(read_recipe(write("many.toml", text), (*tiny, data)), catalogue)

    return plan


def test_telling_arms_apart_reads_nothing_that_all_of_them_point_to(planned, hashed):
    assert len(planned(8).arms) == 8
    assert hashed == []


def test_arms_that_point_to_files_of_one_content_are_still_the_same(write, tiny, catalogue, tmp_path, hashed):
    tone = 0.1 * np.random.default_rng(0).standard_normal(400)
    for name in ("one", "two", "other"):
        soundfile.write(tmp_path / f"{name}.wav", tone if name != "other" else -tone, 44100)
    base = 'extends = "percussion_small"\n[augmentations.impulse_response]\npath = "one.wav"\n'
    text = f'{base}[ablation]\nmetric = "spectral_distance"\n[ablation.vary]\n'
    both = '"augmentations.impulse_response.path" = ["one.wav", "two.wav"]\n'
    with pytest.raises(Exception, match="is the same recipe as"):
        plan_ablation(read_recipe(write("same.toml", text + both), tiny), catalogue)
    rates = '"train.optimizer.lr" = [1e-4, 2e-4, 3e-4]\n'
    hashed.clear()
    apart = f'{base}[ablation]\nmetric = "spectral_distance"\ncross = true\n[ablation.vary]\n{rates}'
    others = '"augmentations.impulse_response.path" = ["one.wav", "other.wav"]\n'
    assert len(plan_ablation(read_recipe(write("apart.toml", apart + others), tiny), catalogue).arms) == 6
    # Once each to tell the arms apart, then for each arm that differs from the baseline in them, twice.
    assert len(hashed) <= 2 + 2 * 2 * 3


@pytest.mark.parametrize("n_arms", [2, 8])
def test_a_file_is_read_for_the_identities_once_whatever_the_number_of_runs(
    n_arms, planned, hashed, tmp_path, catalogue
):
    plan = planned(n_arms)
    sounds = prepare_all(plan.arms, tmp_path / "data", lambda _: None)
    hashed.clear()
    runs = all_runs(plan, sounds, tmp_path / "runs")
    assert len(runs) == 3 * n_arms
    assert [Path(name).name for name in hashed] == ["room.wav"]
    files = KeptFiles(tmp_path)
    hashed.clear()
    for run in runs:
        prepare_run(run, catalogue, files, "cpu", alone=False)
    assert [Path(name).name for name in hashed] == ["room.wav"]


def test_versions_are_asked_for_once_and_not_by_every_run(planned, tmp_path, catalogue, monkeypatch):
    plan = planned(4)
    runs = all_runs(plan, prepare_all(plan.arms, tmp_path / "data", lambda _: None), tmp_path / "runs")
    asked = []
    monkeypatch.setattr(
        metadata, "version", lambda name, look=metadata.version: asked.append(name) or look(name)
    )
    environment._machine.cache_clear()
    files = KeptFiles(tmp_path)
    for run in runs:
        prepare_run(run, catalogue, files, "cpu", alone=False)
    assert sorted(asked) == sorted(environment.DISTRIBUTIONS)
    texts = {(run.folder / "environment.json").read_bytes() for run in runs}
    assert len(texts) == 1


def test_a_run_that_waits_is_written_again_only_where_something_is_new(
    planned, tmp_path, catalogue, monkeypatch
):
    plan = planned(2)
    runs = all_runs(plan, prepare_all(plan.arms, tmp_path / "data", lambda _: None), tmp_path / "runs")
    files, flushed = KeptFiles(tmp_path), []
    monkeypatch.setattr(files_module.os, "fsync", flushed.append)

    def prepare():
        flushed.clear()
        for run in runs:
            prepare_run(run, catalogue, files, "cpu", alone=False)
        return len(flushed)

    assert [prepare(), prepare()] == [3 * len(runs), 0]
    write_bytes(runs[0].folder / "recipe.toml", b"torn")
    assert prepare() == 1
    text = (runs[0].folder / "recipe.toml").read_text()
    assert "lr = 0.0001" in text
    (runs[1].folder / Order.file).unlink()
    assert prepare() == 1
    assert Order.read(runs[1].folder).identity == runs[1].identity
