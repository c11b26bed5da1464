import json

import pytest
import torch

from flowvae.building.shared_stft import SharedStft
from flowvae.errors import CheckpointError, NumbersError, Stopped
from flowvae.folder.checkpoint import find_newest
from flowvae.folder.journal import cut_journal, read_journal
from flowvae.testing.device_reads import NoDeviceReads
from flowvae.training.phases import Phase
from flowvae.training.training import Training
from pretend import catalogue_with, offering, plugin
from short_runs import go, training_of, weights
from tiers import swept

CPU = torch.device("cpu")


@pytest.fixture
def make(catalogue, tiny, tmp_path):
    def make(*more, seed=0):
        return training_of((*tiny, *more), catalogue, seed)

    return make


def test_a_step_never_waits_for_its_device(make):
    training = make()
    training.step(0)
    [optimizer] = training.state.optimizers.values()
    optimizer_step = optimizer.step

    def outside():
        # torch's own step is not ours to judge: its fused kernels read nothing back on a GPU.
        with torch.utils._python_dispatch._disable_current_modes():
            optimizer_step()

    optimizer.step = outside
    with NoDeviceReads():
        training.step(1)


def test_case_04_a_stopped_run_continues_to_the_same_bits(make, tmp_path):
    whole = make()
    go(whole, tmp_path / "whole")
    asked = iter([0, 0, 0, 15])
    with pytest.raises(Stopped):
        go(make(), tmp_path / "parts", lambda: next(asked))
    again = make()
    assert go(again, tmp_path / "parts").exact
    expected, found = weights(whole), weights(again)
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        assert torch.equal(tensor, found[name]), name
    lines = [(tmp_path / f / "metrics.jsonl").read_text().splitlines() for f in ("whole", "parts")]
    last = [json.loads(one[-1]) for one in lines]
    assert last[0] == last[1]


@pytest.mark.slow
def test_case_04_each_step_stands_once_in_the_journal_after_a_kill(make, tmp_path):
    def killed_after(steps):
        for _ in range(steps - 1):
            yield 0
        raise KeyboardInterrupt  # a kill says nothing: no checkpoint, no status

    settings = ("train.steps=40", "train.checkpoint_every=15")
    asked = killed_after(22)
    with pytest.raises(KeyboardInterrupt):
        go(make(*settings), tmp_path / "run", lambda: next(asked))
    go(make(*settings), tmp_path / "run")
    rows, _ = read_journal(tmp_path / "run")
    assert [row.step for row in rows] == [10, 20, 30, 40]


def test_case_16_a_run_that_is_asked_to_end_finishes_its_step_and_saves_it(make, tmp_path):
    asked = iter([0, 0, 0, 0, 15])
    with pytest.raises(Stopped):
        go(make(), tmp_path / "run", lambda: next(asked))
    assert find_newest(tmp_path / "run" / "checkpoints").step == 5


@pytest.mark.parametrize("lost", ["average", "optimizer", "weights.model"])
def test_case_06_a_checkpoint_that_lacks_a_part_is_refused(make, tmp_path, lost):
    from safetensors.torch import load, save

    go(make(), tmp_path / "run")
    one = make()
    from flowvae.folder import checkpoint

    found = checkpoint.find_newest(tmp_path / "run" / "checkpoints")
    tensors = {n: t for n, t in load(found.files["tensors.safetensors"]).items() if lost not in n}
    with pytest.raises(CheckpointError):
        one.state.restore({**found.files, "tensors.safetensors": save(tensors)})


def test_case_14_a_checkpoint_of_another_recipe_is_refused(make, tmp_path):
    go(make(), tmp_path / "run")
    with pytest.raises(CheckpointError, match="another recipe"):
        go(make(), tmp_path / "run", identity="other")


def test_case_07_a_run_that_goes_on_with_another_torch_says_that_its_bits_may_differ(make, tmp_path):
    asked = iter([0, 0, 15])
    with pytest.raises(Stopped):
        go(make(), tmp_path / "run", lambda: next(asked), machine={"torch": "2.11.0"})
    assert not go(make(), tmp_path / "run", machine={"torch": "2.12.0"}).exact
    assert json.loads((tmp_path / "run" / "status.json").read_text())["exact"] is False


def test_case_25_a_loss_that_is_no_number_ends_the_run_and_saves_nothing(make, tmp_path, monkeypatch):
    training = make()
    real = Training.step

    def poisoned(self, step):
        figures = real(self, step)
        return figures if step < 4 else {**figures, "loss": figures["loss"] * float("nan")}

    monkeypatch.setattr(Training, "step", poisoned)
    with pytest.raises(NumbersError, match="loss is nan at step 4") as caught:
        go(training, tmp_path / "run")
    assert "batch: " in caught.value.where
    assert sorted(p.name for p in (tmp_path / "run" / "checkpoints").iterdir()) == [
        "step-000000000",
        "step-000000003",
    ]


def test_case_58_a_torn_journal_is_cut_to_what_the_checkpoint_knows(tmp_path):
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


def test_case_39_fewer_sounds_than_a_batch_holds_are_trained_on_all_the_same(make):
    batches = make("train.batch_size=100").batches
    count = len(batches.names)
    assert count < 100
    for step in range(2):
        times = torch.bincount(batches.rows(step), minlength=count)
        assert times.sum() == 100
        assert times.min() >= 100 // count


def test_losses_share_one_transform_of_the_target(make):
    training = make(
        'losses={ multi_resolution_stft = false, multi_scale_mel = { n_ffts = [512], n_mels = [40] }, second = { use = "multi_scale_mel", n_ffts = [512], n_mels = [20], overlap = 2 } }'
    )
    calls = []
    transform = SharedStft._transform
    SharedStft._transform = lambda self, *a: (calls.append(a[1:]), transform(self, *a))[1]
    try:
        training.step(0)
    finally:
        SharedStft._transform = transform
    assert len(calls) == 2  # one for the target, one for the estimate
    assert not training.parts.stft._results


TWICE = (
    "losses={ multi_resolution_stft = false, multi_scale_mel = false, rms_level = false, "
    'long = { use = "multi_scale_mel", n_ffts = [2048], n_mels = [40], weight = 2.0 }, '
    'short = { use = "multi_scale_mel", n_ffts = [256], n_mels = [20], weight = 0.5 } }'
)


def test_two_losses_of_one_component_both_count(make):
    training = make(TWICE)
    figures = training.step(0)
    assert figures["loss/long"] != figures["loss/short"]
    beta = training.parts.regularizer.beta(0)
    expected = figures["kl"] * beta + 2.0 * figures["loss/long"] + 0.5 * figures["loss/short"]
    assert figures["loss"].item() == pytest.approx(expected.item(), rel=1e-6)
    alone = make(TWICE, "losses.long=false").step(0)
    assert alone["loss/short"] == figures["loss/short"]


def test_two_augmentations_of_one_component_draw_noise_of_their_own(make):
    twice = (
        'augmentations={ random_crop = false, dequantize = false, one = { use = "dequantize", bits = 4 } }'
    )
    one, other = make(twice), make(twice.replace("one =", "other ="))
    assert not torch.equal(one.batches(0), other.batches(0))
    both = make(twice.replace("one =", 'other = { use = "dequantize", bits = 4 }, one ='))
    assert torch.equal(make(twice).batches(0), one.batches(0))
    first, second = both.parts.augmentations.values()
    assert first is not second


def test_what_is_left_out_changes_nothing_about_the_others(make):
    with_both = make(TWICE)
    with_one = make(TWICE, "losses.short=false")
    for name, tensor in weights(with_one).items():
        assert torch.equal(tensor, weights(with_both)[name])
    assert torch.equal(with_both.batches(3), with_one.batches(3))


class Lurching(torch.optim.SGD):
    """Keeps its learning in its groups, as Prodigy and the schedule-free family do."""

    def __init__(self, parameters, *, reach: float = 1.0):
        super().__init__([p for _, p in parameters], lr=1e-3)
        for group in self.param_groups:
            group["reach"], group["seen"], group["sum"] = reach, 0, torch.zeros((), dtype=torch.float64)

    def step(self, closure=None):
        for group in self.param_groups:
            group["seen"] += 1
            group["sum"] += 1 / 3
            group["reach"] *= 0.5
            group["lr"] = group["lr"] * group["reach"]
            for weight in group["params"]:  # in more digits than the weight has
                kept = self.state[weight].get("total", torch.zeros((), dtype=torch.float64))
                self.state[weight]["total"] = kept + 1 / 3
        return super().step()


class Counting(torch.nn.Module):
    """A loss that weighs more with every batch that it has seen."""

    def __init__(self, sample_rate, stft, *, growth: float = 2.0):
        super().__init__()
        self.growth = growth
        self.register_buffer("seen", torch.ones(()))

    def forward(self, target, estimate):
        self.seen.mul_(self.growth)
        return self.seen * (target - estimate).abs().mean()


class Warming:
    """A regularizer that counts its calls; it is no module and says its state itself."""

    def __init__(self, n_steps, *, free_nats: float = 0.0):
        self.calls = 0

    def __call__(self, posterior, prior, latent, log_prob):
        self.calls += 1
        return self.calls * (log_prob - prior.log_prob(latent)).mean()

    def beta(self, step):
        return 1e-4

    def state_dict(self):
        return {"calls": self.calls}

    def load_state_dict(self, state):
        self.calls = state["calls"]


class Tied(torch.nn.Module):
    """An activation with tied weights, a view of a buffer, and an expanded one."""

    def __init__(self, channels, *, slope: float = 0.1):
        super().__init__()
        self.one = torch.nn.Parameter(torch.full((channels, 1), slope))
        self.two = self.one
        self.register_buffer("whole", torch.ones(4))
        self.register_buffer("piece", self.whole[:2])
        self.register_buffer("wide", torch.ones(1).expand(3))

    def forward(self, x):
        return torch.nn.functional.leaky_relu(x, 0.1) * (1 + self.one - 0.5 * self.two)


@pytest.fixture
def make_with(tiny, tmp_path):
    offered = offering(
        ("optimizer", "lurching", Lurching),
        ("loss", "counting", Counting),
        ("regularizer", "warming", Warming),
        ("activation", "tied", Tied),
    )
    catalogue = catalogue_with(plugin("fv-state", flowvae_components=offered))

    def make(*more):
        return training_of((*tiny, *more), catalogue)

    return make


@pytest.mark.parametrize(
    "setting",
    swept(
        [
            "train.optimizer=lurching",
            "losses.counting={}",
            "regularizer=warming",
            "defaults.activation=tied",
            "train.optimizer=adamw",
        ],
        quick=3,
    ),
)
def test_case_06_whatever_a_part_keeps_is_taken_up_again_to_the_bit(make_with, tmp_path, setting):
    whole = make_with(setting)
    go(whole, tmp_path / "whole")
    asked = iter([0, 0, 0, 15])
    with pytest.raises(Stopped):
        go(make_with(setting), tmp_path / "parts", lambda: next(asked))
    again = make_with(setting)
    go(again, tmp_path / "parts")
    for name, tensor in weights(whole).items():
        assert torch.equal(tensor, weights(again)[name]), name
    groups = [
        {k: v for k, v in g.items() if k != "params"}
        for one in (whole, again)
        for g in one.state.optimizers["optimizer"].param_groups
    ]
    half = len(groups) // 2
    assert groups[:half] == groups[half:]
    kept, taken_up = (one.state.optimizers["optimizer"].state_dict()["state"] for one in (whole, again))
    assert kept.keys() == taken_up.keys()
    for index, entry in kept.items():
        for name, value in entry.items():
            there = taken_up[index][name]
            same = (
                isinstance(value, torch.Tensor) and value.dtype == there.dtype and torch.equal(value, there)
            )
            assert same or value == there, name


def test_case_06_tied_weights_stay_tied(make_with, tmp_path):
    go(make_with("defaults.activation=tied"), tmp_path / "run")
    again = make_with("defaults.activation=tied")
    go(again, tmp_path / "run")
    [tied, *_] = [m for m in again.model.modules() if isinstance(m, Tied)]
    assert tied.one is tied.two
    assert tied.piece.data_ptr() == tied.whole.data_ptr()


def test_what_is_frozen_stays_to_the_bit(make):
    training = make("train.ema=0.9")
    [whole] = training.phases
    training.phases = (whole, Phase("later", whole.turns, from_step=2, frozen=("model.encoder",)))
    for step in range(2):
        training.step(step)
    before = {name: tensor.clone() for name, tensor in weights(training).items()}
    for step in range(2, 4):
        training.step(step)
    after = weights(training)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert not {name for name in changed if "encoder." in name.removeprefix("average.")[:8]}
    assert any(name.startswith("decoder.") for name in changed)
    assert any(name.startswith("average.decoder.") for name in changed)
