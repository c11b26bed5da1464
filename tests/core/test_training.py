import json

import pytest
import torch

from flowvae.building.construct import construct
from flowvae.data.prepare import prepare_clips
from flowvae.errors import CheckpointError, NumbersError, Stopped
from flowvae.folder.journal import cut_journal
from flowvae.folder.status import Status
from flowvae.recipe import read_recipe, resolve
from flowvae.testing.device_reads import NoDeviceReads
from flowvae.training.training import Outside, Training, train

CPU = torch.device("cpu")


@pytest.fixture
def make(catalogue, tiny, tmp_path):
    def make(*more, seed=0):
        recipe = resolve(read_recipe("percussion_small", (*tiny, *more)), catalogue)
        model, data = recipe.model, recipe.data
        given = {"sample_rate": model.sample_rate, "channels": model.channels, "n_samples": model.n_samples}
        clips = prepare_clips(construct(data, "data", given, data.values), data, model, tmp_path / "data")
        return Training.of(recipe, seed, clips, CPU)

    return make


def surroundings(folder, stop=lambda: 0):
    folder.mkdir(exist_ok=True)
    return Outside(folder, "identity", Status(folder, 6), lambda *_: None, stop)


def weights(training):
    return {
        **training.model.state_dict(),
        **{f"average.{n}": t for n, t in training.average.state_dict().items()},
    }


def test_a_step_never_waits_for_its_device(make):
    training = make()
    training.step(0)
    optimizer_step = training.state.optimizer.step

    def outside():
        # torch's own step is not ours to judge: its fused kernels read nothing back on a GPU.
        with torch.utils._python_dispatch._disable_current_modes():
            optimizer_step()

    training.state.optimizer.step = outside
    with NoDeviceReads():
        training.step(1)


def test_a_stopped_run_continues_to_the_same_bits(make, tmp_path):
    whole = make()
    train(whole, surroundings(tmp_path / "whole"))
    asked = iter([0, 0, 0, 15])
    with pytest.raises(Stopped):
        train(make(), surroundings(tmp_path / "parts", lambda: next(asked)))
    again = make()
    train(again, surroundings(tmp_path / "parts"))
    expected, found = weights(whole), weights(again)
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        assert torch.equal(tensor, found[name]), name
    lines = [(tmp_path / f / "metrics.jsonl").read_text().splitlines() for f in ("whole", "parts")]
    last = [json.loads(one[-1]) for one in lines]
    assert last[0] == last[1]


@pytest.mark.parametrize("lost", ["average", "optimizer", "weights.model"])
def test_a_checkpoint_that_lacks_a_part_is_refused(make, tmp_path, lost):
    from safetensors.torch import load, save

    train(make(), surroundings(tmp_path / "run"))
    one = make()
    from flowvae.folder import checkpoint

    found = checkpoint.find_newest(tmp_path / "run" / "checkpoints")
    tensors = {n: t for n, t in load(found.files["tensors.safetensors"]).items() if lost not in n}
    with pytest.raises(CheckpointError):
        one.state.restore({**found.files, "tensors.safetensors": save(tensors)}, "identity")


def test_a_checkpoint_of_another_recipe_is_refused(make, tmp_path):
    train(make(), surroundings(tmp_path / "run"))
    around = surroundings(tmp_path / "run")
    other = Outside(around.folder, "other", around.status, around.validate, around.stop_signal)
    with pytest.raises(CheckpointError, match="another recipe"):
        train(make(), other)


def test_a_loss_that_is_no_number_ends_the_run_and_saves_nothing(make, tmp_path, monkeypatch):
    training = make()
    real = Training.step

    def poisoned(self, step):
        figures = real(self, step)
        return figures if step < 4 else {**figures, "loss": figures["loss"] * float("nan")}

    monkeypatch.setattr(Training, "step", poisoned)
    with pytest.raises(NumbersError, match="loss is nan at step 4") as caught:
        train(training, surroundings(tmp_path / "run"))
    assert "batch: " in caught.value.where
    assert sorted(p.name for p in (tmp_path / "run" / "checkpoints").iterdir()) == [
        "step-000000000",
        "step-000000003",
    ]


def test_a_torn_journal_is_cut_to_what_the_checkpoint_knows(tmp_path):
    lines = ['{"phase": "train", "step": 3}', '{"phase": "train", "step": 6}', '{"phase": "tra']
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines))
    cut_journal(tmp_path, 3)
    assert (tmp_path / "metrics.jsonl").read_text() == lines[0] + "\n"


def test_every_sound_is_seen_once_an_epoch(make):
    training = make()
    count, size = len(training.batches.names), training.batches.size
    seen = torch.cat([training.batches.rows(step) for step in range(count)])[: count * size]
    for epoch in seen.split(count):
        assert sorted(epoch.tolist()) == list(range(count))


def test_losses_share_one_transform_of_the_target(make):
    training = make(
        'losses=[{ use = "multi_scale_mel", n_ffts = [512], n_mels = [40] }, { use = "multi_scale_mel", n_ffts = [512], n_mels = [20] }]'
    )
    calls = []
    transform = type(training.stft)._transform
    type(training.stft)._transform = lambda self, *a: (calls.append(a[1:]), transform(self, *a))[1]
    try:
        training.step(0)
    finally:
        type(training.stft)._transform = transform
    assert len(calls) == 2  # one for the target, one for the estimate
    assert not training.stft._results
