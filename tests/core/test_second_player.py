"""Two phases, two players: what moves, what stays, what is shared, and what is taken up again."""

import pytest
import torch
from torch import nn

from flowvae.ablation.progress import Progress
from flowvae.ablation.standing import Watched
from flowvae.catalogue import Catalogue
from flowvae.errors import NumbersError, RecipeError, Stopped
from flowvae.folder.checkpoint import find_newest
from flowvae.probe.steps import freeze, phase_costs
from flowvae.testing.device_reads import NoDeviceReads
from flowvae.training import loop
from flowvae.training.objective import Pass
from pretend import catalogue_with, offering, plugin
from short_runs import go, training_of, weights
from tiers import swept


class Listener(nn.Module):
    """Two small discriminators in one, of which the second hears noise of its own."""

    def __init__(self, channels: int, *, width: int = 4) -> None:
        super().__init__()
        self.first = nn.Conv1d(channels, width, 15, 4)
        self.second = nn.Conv1d(channels, width, 41, 16)
        self.judge = nn.Conv1d(width, 1, 3)
        self.register_buffer("heard", torch.zeros(()))
        self.dropout = nn.BatchNorm1d(width)

    def forward(self, audio, stream):
        self.heard += 1
        noisy = audio + 1e-3 * stream.normal((1, 1, audio.shape[-1]), audio.device)
        features = [self.first(audio), self.second(noisy)]
        return [(self.judge(nn.functional.leaky_relu(f, 0.2)), [f]) for f in features]


PLAYERS = offering(("discriminator", "listener", Listener))
SECOND = (
    'adversarial={ use = "hinge", discriminators = { listener = {} }, optimizer = { use = "adamw", lr = 1e-3 }, schedule = "constant" }',
    'adversarial.feature_matching={ use = "relative_l1", weight = 2.0 }',
)


@pytest.fixture
def make(tiny, tmp_path):
    offered = catalogue_with(plugin("fv-players", flowvae_components=PLAYERS))

    def make(*more, seed=0):
        return training_of((*tiny, *more), offered, seed)

    return make


def kept(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def same(one, other):
    assert one.keys() == other.keys()
    return [name for name in one if not torch.equal(one[name], other[name])]


def opponents(training):
    return next(iter(training.parts.second_player.discriminators.values()))


def steps(training, first, last):
    return [training.step(step) for step in range(first, last)]


def test_before_its_phase_the_second_player_neither_moves_nor_changes_a_bit(make):
    plain, opposed = make(), make(*SECOND, "adversarial.from_step=3")
    before = kept(opponents(opposed))
    figures = [steps(training, 0, 3) for training in (plain, opposed)]
    assert not same(weights(plain), weights(opposed))
    for one, other in zip(*figures, strict=True):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert not same(before, kept(opponents(opposed)))
    steps(plain, 3, 4)
    steps(opposed, 3, 4)
    assert same(weights(plain), weights(opposed))
    assert same(before, kept(opponents(opposed)))


def test_arms_with_different_adversaries_share_all_but_the_adversary(make):
    """The same latent noise in the phase too: what discriminators draw is theirs."""
    one = make(*SECOND)
    other = make(
        *SECOND, "adversarial.use=least_squares", 'adversarial.discriminators.more={ use = "listener" }'
    )
    assert not same(kept(opponents(one)), kept(opponents(other)))
    figures = [training.step(0) for training in (one, other)]
    for name in ("kl", "loss/multi_scale_mel"):
        assert torch.equal(figures[0][name], figures[1][name]), name


@pytest.mark.parametrize(
    "frozen", ['["model.encoder", "model.posterior"]', '["model.decoder.stages"]', '["model.prior"]']
)
def test_what_is_frozen_is_the_same_bits_at_the_end(make, frozen):
    training = make(*SECOND, "adversarial.from_step=2", f"adversarial.freeze={frozen}")
    steps(training, 0, 2)
    paths = [path.removeprefix("model.") for path in training.phases[-1].frozen]

    def state():
        entries = training.state.optimizers["optimizer"].state
        names = {p: n for n, p in training.model.named_parameters()}
        held = {
            f"{names[p]}.{key}": value.clone() for p, entry in entries.items() for key, value in entry.items()
        }
        return {**weights(training), **{f"entry.{name}": value for name, value in held.items()}}

    def is_frozen(name):
        return any(
            name.removeprefix("entry.").removeprefix("average.").startswith(f"{path}.") for path in paths
        )

    before = {name: tensor.clone() for name, tensor in state().items()}
    steps(training, 2, 6)
    changed = same(before, state())
    assert changed
    assert any(is_frozen(name) for name in before if name.startswith("entry."))
    assert not [name for name in changed if is_frozen(name)]


def test_what_is_frozen_is_not_computed_with_a_graph(make):
    training = make(*SECOND, 'adversarial.freeze=["model.encoder", "model.posterior"]')
    seen = []
    training.model.encoder.register_forward_hook(lambda _m, _i, out: seen.append(out.requires_grad))
    training.model.decoder.register_forward_hook(lambda _m, _i, out: seen.append(out.requires_grad))
    training.step(0)
    assert seen == [False, True]
    assert not training.model.encoder.training
    assert training.model.decoder.training


def test_one_pass_of_the_model_serves_both_players(make):
    training, passes = make(*SECOND), []
    training.model.decoder.register_forward_hook(lambda *_: passes.append(1))
    training.step(0)
    assert len(passes) == 1


def test_neither_player_leaves_a_gradient_with_the_other(make):
    training = make(*SECOND)
    [discriminators, generator] = training.phases[-1].turns
    training._enter(training.phases[-1])
    batch = Pass(training.model, training.batches(0), 0)
    training._take(discriminators, batch)
    assert all(p.grad is None for p in training.model.parameters())
    for p in opponents(training).parameters():
        p.grad = None
    training._take(generator, batch)
    assert all(p.grad is None for p in opponents(training).parameters())
    assert all(p.requires_grad for p in opponents(training).parameters())


def test_the_discriminators_move_at_every_nth_step_from_the_first_of_the_phase(make):
    training, moved = make(*SECOND, "adversarial.from_step=1", "adversarial.discriminator_every=2"), []
    for step in range(6):
        before = kept(opponents(training))
        figures = training.step(step)
        moved.append("first.weight" in same(before, kept(opponents(training))))
        assert ("discriminator/loss" in figures) is moved[-1]
    assert moved == [False, True, False, True, False, True]


def test_both_sides_are_heard_at_one_place_of_the_clip_and_at_others_at_other_steps(make):
    jury = make(*SECOND, "adversarial.hears_samples=1000").phases[-1].turns[-1].objective.jury
    clip = torch.arange(4096.0).expand(2, 1, -1)
    parts = [jury._part(clip, step) for step in range(20)]
    assert all(part.shape == (2, 1, 1000) for part in parts)
    begins = [int(part[0, 0, 0]) for part in parts]
    assert torch.equal(parts[0], jury._part(clip, 0))
    assert len({*begins}) > 15
    assert min(begins) < 1000
    assert max(begins) > 2000


def test_losses_of_sub_discriminators_are_a_mean_or_a_sum(make):
    figures = {
        how: make(*SECOND, f"adversarial.over_discriminators={how}").step(0) for how in ("mean", "sum")
    }
    for name in ("discriminator/loss", "adversarial", "feature_matching"):
        if name.startswith("discriminator"):  # the model's come after the discriminators have moved apart
            assert torch.isclose(figures["sum"][name], 2 * figures["mean"][name])
        assert figures["sum"][name].abs() > figures["mean"][name].abs()


def test_the_discriminators_have_a_rate_and_a_clip_of_their_own(make):
    """Their schedule begins with the phase, and the model's goes on."""
    cosine = 'adversarial.schedule="cosine"'
    training = make(*SECOND, cosine, "adversarial.from_step=3", "adversarial.clip=1e-6", "train.steps=6")
    steps(training, 0, 3)
    plain = training.rates()["lr"]
    training.step(3)
    assert training.rates()["discriminator/lr"] == pytest.approx(1e-3)
    training.step(5)
    assert training.rates()["discriminator/lr"] < 0.5 * 1e-3
    assert training.rates()["lr"] < plain
    norm = (
        sum(float(p.grad.square().sum()) for p in opponents(training).parameters() if p.grad is not None)
        ** 0.5
    )
    assert norm <= 1.01e-6


def test_the_weight_of_the_adversary_rises_over_its_warm_up(make):
    training = make(
        *SECOND, "adversarial.from_step=2", "adversarial.warmup_steps=4", "adversarial.weight=2.0"
    )
    objective = training.phases[-1].turns[-1].objective
    assert [objective._weights(step)["adversarial"] for step in (2, 3, 5, 6)] == [0.5, 1.0, 2.0, 2.0]


def test_the_gradient_is_that_of_the_weighted_sum(make):
    """The pulls that meet at the estimate move the model as one loss would."""
    training = make(*SECOND, "adversarial.weight=3.0")
    generator = training.phases[-1].turns[-1]
    training._enter(training.phases[-1])

    def gradient(loss):
        training.model.zero_grad(set_to_none=True)
        loss.backward()
        return {n: p.grad.clone() for n, p in training.model.named_parameters() if p.grad is not None}

    torch.manual_seed(0)
    figures = generator.objective(Pass(training.model, training.batches(0), 0))
    found = gradient(figures["loss"])
    training.parts.stft.forget()

    torch.manual_seed(0)
    batch = Pass(training.model, training.batches(0), 0)
    representation, jury = generator.objective.representation, generator.objective.jury
    estimate = batch.reconstruction.estimate
    judged = jury.hear(estimate, 0)["listener"]
    real = jury.hear(batch.target, 0)["listener"]
    adversarial = torch.stack([-logits.mean() for logits, _ in judged]).mean()
    matching = torch.stack(
        [
            (r[0].detach() - e[0]).abs().mean() / r[0].detach().abs().mean()
            for (_, r), (_, e) in zip(real, judged, strict=True)
        ]
    ).mean()
    whole = representation(batch)["loss"] + 3.0 * adversarial + 2.0 * matching
    assert torch.allclose(figures["loss"], whole, rtol=1e-5)
    for name, expected in gradient(whole).items():
        assert torch.allclose(found[name], expected, rtol=1e-3, atol=1e-6 * float(expected.abs().max())), name


def test_with_a_balance_a_weight_is_a_share_of_the_pull(make):
    """However large the losses are: by their weights alone, one of these would pull a thousand times harder."""
    balance = 'adversarial.balance={ use = "gradient_norm", decay = 0.0 }'
    others = ("losses.multi_resolution_stft=false", "losses.rms_level=false")
    shares = ("losses.multi_scale_mel.weight=3.0", *others)
    training = make(*SECOND, balance, *shares, "adversarial.weight=1.0", "adversarial.feature_matching=none")
    training._enter(training.phases[-1])
    batch, arrived = Pass(training.model, training.batches(0), 0), []
    batch.reconstruction.estimate.register_hook(arrived.append)
    training._take(training.phases[-1].turns[-1], batch)
    estimate = batch.reconstruction.estimate.detach().requires_grad_()
    distance = training.parts.losses["multi_scale_mel"](batch.target, estimate)
    jury = training.phases[-1].turns[-1].objective.jury
    opposed = torch.stack([-logits.mean() for logits, _ in jury.hear(estimate, 0)["listener"]]).mean()
    pulls = [torch.autograd.grad(loss, estimate)[0] for loss in (distance, opposed)]
    unit = [pull / pull.norm(dim=(1, 2)).mean() for pull in pulls]
    assert torch.allclose(arrived[0], 0.75 * unit[0] + 0.25 * unit[1], atol=1e-5)


@pytest.mark.parametrize("more", [(), ('adversarial.balance="gradient_norm"',)])
def test_a_run_stopped_in_the_second_phase_ends_in_the_same_bits(make, tmp_path, more):
    settings = (*SECOND, "adversarial.from_step=2", 'adversarial.freeze=["model.encoder"]', *more)
    whole = make(*settings)
    go(whole, tmp_path / "whole")
    asked = iter([0, 0, 0, 15])
    with pytest.raises(Stopped):
        go(make(*settings), tmp_path / "parts", lambda: next(asked))
    again = make(*settings)
    assert go(again, tmp_path / "parts").exact
    assert not same(weights(whole), weights(again))
    assert not same(kept(opponents(whole)), kept(opponents(again)))
    kept_of = [t.state.optimizers["adversarial.optimizer"].state_dict()["state"] for t in (whole, again)]
    assert not [
        key
        for i, entry in kept_of[0].items()
        for key, v in entry.items()
        if not torch.equal(v, kept_of[1][i][key])
    ]
    lines = [(tmp_path / f / "metrics.jsonl").read_text().splitlines() for f in ("whole", "parts")]
    assert lines[0] == lines[1]


CELLS = {
    "discriminator": 'adversarial.discriminators=[{{ use = "{name}", width = 2 }}]',
    "adversarial": 'adversarial.use="{name}"',
    "feature_matching": 'adversarial.feature_matching="{name}"',
    "conditioning": 'adversarial.conditioning="{name}"',
    "balance": 'adversarial.balance="{name}"',
}
CASES = [
    (kind, component.name, channels)
    for kind in CELLS
    for component in Catalogue.installed(only=()).of_kind(kind)
    for channels in ((1, 2) if kind == "discriminator" else (1,))
]


@pytest.mark.parametrize(("kind", "name", "channels"), swept(CASES, quick=3))
def test_every_part_of_a_second_player_trains(make, kind, name, channels):
    training = make(*SECOND, CELLS[kind].format(name=name), f"model.channels={channels}")
    before = kept(opponents(training))
    figures = training.step(0)
    assert all(bool(torch.isfinite(figure)) for figure in figures.values())
    assert same(before, kept(opponents(training)))


FROZEN = {
    "model.decoder.stagez": "no module",
    "model.bands": "no weights",
    "model": "nothing of the model is left",
}


@pytest.mark.parametrize("name", FROZEN)
def test_what_cannot_be_frozen_is_told_before_the_first_run(make, name):
    training = make(*SECOND)
    with pytest.raises(RecipeError, match=r"adversarial\.freeze") as caught:
        freeze(training.parts, (name,))
    assert FROZEN[name] in caught.value.faults[0].what


def test_the_probe_counts_what_each_phase_costs(make):
    costs = phase_costs(make(*SECOND, "adversarial.from_step=2").parts)
    often = phase_costs(make(*SECOND, "adversarial.from_step=2", "adversarial.discriminator_every=3").parts)
    frozen = phase_costs(
        make(*SECOND, "adversarial.from_step=2", 'adversarial.freeze=["model.encoder"]').parts
    )
    assert [*costs] == ["representation", "adversarial"]
    assert costs["representation"].macs == often["representation"].macs < often["adversarial"].macs
    assert often["adversarial"].macs < costs["adversarial"].macs
    assert frozen["adversarial"].macs < costs["adversarial"].macs
    assert costs["adversarial"].kept > costs["representation"].kept > 0


def test_a_live_run_says_its_phase_and_how_the_discriminators_do(make, tmp_path):
    training = make(*SECOND, "adversarial.from_step=2")
    status = go(training, tmp_path / "run")
    status._written = 0.0
    status.tick(
        6, **loop._said(training, {"loss": 1.0, "discriminator/loss": 2.0, "discriminator/right/a": 0.75})
    )
    said = []
    with Progress([Watched("arm", 0, tmp_path / "run")], said.append) as progress:
        progress.poll(["arm seed 0"])
    assert "(adversarial: discriminators 2.000, 75 % right)" in said[0]


def test_a_step_of_both_never_waits_for_its_device(make):
    training = make(*SECOND)
    training.step(0)
    for optimizer in training.state.optimizers.values():
        optimizer.step = lambda: None  # torch's own step is not ours to judge
    with NoDeviceReads():
        training.step(1)


def test_a_figure_of_the_discriminators_that_is_no_number_stops_the_run(make, tmp_path):
    training = make(*SECOND, "adversarial.from_step=2", "adversarial.optimizer.lr=1e30")
    with pytest.raises(NumbersError, match=r"(discriminator/|adversarial|loss).* at step [2345]"):
        go(training, tmp_path / "run")
    assert find_newest(tmp_path / "run" / "checkpoints")


FAULTS = {
    "never begins": (("adversarial.from_step=6",), "adversarial.from_step", "the phase never begins"),
    "warm-up": (("adversarial.warmup_steps=7",), "adversarial.warmup_steps", "the weight never gets there"),
    "warm-up before a fit": (
        (
            "adversarial.warmup_steps=3",
            'prior_fit={ from_step = 4, optimizer = "adam", schedule = "constant" }',
            "adversarial.from_step=2",
        ),
        "adversarial.warmup_steps",
        "the weight never gets there: the phase has 2 steps",
    ),
    "clip": (("adversarial.clip=0",), "adversarial.clip", "a gradient of length 0 moves nothing"),
    "no effect": (
        ("adversarial.feature_matching=none", "adversarial.weight=0"),
        "adversarial.weight",
        "nothing of the discriminators",
    ),
    "no matching": (
        ("adversarial.feature_matching.weight=0",),
        "adversarial.feature_matching.weight",
        "weight 0",
    ),
    "period": (
        ('adversarial.discriminators.judge={ use = "multi_period", periods = [2, 5000] }',),
        "adversarial.discriminators.judge.periods",
        "5000 is longer than the 4096 samples that are heard",
    ),
    "window": (
        ("adversarial.hears_samples=1024", "adversarial.discriminators.multi_resolution={}"),
        "adversarial.discriminators.multi_resolution.n_ffts",
        "2048 is longer than the 1024 samples that are heard",
    ),
    "part": (("adversarial.hears_samples=5000",), "adversarial.hears_samples", "the clip is no longer"),
    "unknown module": (('adversarial.freeze=["encoder"]',), "adversarial.freeze", "no part"),
    "no discriminator": (
        ("adversarial.discriminators={ listener = false }",),
        "adversarial.discriminators",
        "at least one",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_second_player_without_effect_is_a_fault_with_its_line(make, fault):
    settings, path, what = FAULTS[fault]
    with pytest.raises(RecipeError) as caught:
        make(*SECOND, *settings)
    [found] = caught.value.faults
    assert found.path == path
    assert what in found.what
    assert found.place
