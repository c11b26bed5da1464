"""What a step of two players computes: what their moves need, counted to the last multiply-add, and nothing besides."""

from contextlib import contextmanager

import pytest
import torch
from attrs import frozen
from torch import nn

from flowvae.probe.flops import MultiplyAdds
from flowvae.training.objective import Pass
from short_runs import training_of

SECOND = (
    'adversarial={ use = "hinge", optimizer = { use = "adamw", lr = 1e-3 }, schedule = "constant" }',
    'adversarial.feature_matching={ use = "relative_l1", weight = 2.0 }',
    "adversarial.discriminators.multi_period={ width = 2, periods = [2, 3] }",
    "adversarial.discriminators.multi_resolution={ width = 3, n_ffts = [512], band_edges = [0.0, 0.25, 1.0] }",
    "adversarial.discriminator_every=2",
)
# Nothing multiplies but the layers of the players: no filter bank, no flow, no mel filters, no taps that are added up.
BARE = (
    "defaults.upsampler=transposed_conv",
    "model.bands=none",
    "model.posterior=gaussian",
    "model.prior=standard_normal",
    "losses.multi_scale_mel=false",
    'may_be_unused=["defaults.flow"]',
)
FROZEN = ("model.encoder", "model.posterior")


@pytest.fixture(params=[(), FROZEN], ids=["all of the model moves", "the encoder is frozen"])
def training(request, tiny, catalogue, tmp_path):
    freeze = f"adversarial.freeze={list(request.param)}".replace("'", '"')
    training = training_of((*tiny, *SECOND, *BARE, freeze), catalogue)
    training._enter(training.phases[-1])
    return training


@frozen
class Sizes:
    """Multiply-adds of one batch."""

    forward: float
    """F: a pass of the model."""
    back: float
    """B: its gradient, 2 F where all of it moves."""
    hearing: float
    """D: the discriminators hear a batch."""
    ears: float
    """What their first layers have of it: a sound that asks for no gradient is given none."""

    @classmethod
    def of(cls, training):
        target, jury = training.batches(0), jury_of(training)
        with first_layers(training.model) as first:
            training.model(target)
        with first_layers(*training.parts.second_player.discriminators.values()) as ears:
            jury.hear(target, 0)
        training.parts.stft.forget()
        with torch.no_grad():
            forward = counted(lambda: training.model(target))
            hearing = counted(lambda: jury.hear(target, 0))
            still = counted(lambda: training.model.encode(target)) if training.phases[-1].frozen else 0
        return cls(forward, 2 * (forward - still) - sum(first), hearing, sum(ears))


@contextmanager
def first_layers(*networks):
    """Multiply-adds of the layers that learn from what asks for no gradient."""
    found = []

    def note(layer, inputs, out):
        if layer.weight.requires_grad and not inputs[0].requires_grad:
            found.append(out.numel() * layer.weight[0].numel())

    layers = [m for n in networks for m in n.modules() if isinstance(m, nn.Linear | nn.Conv1d | nn.Conv2d)]
    hooks = [layer.register_forward_hook(note) for layer in layers]
    yield found
    for hook in hooks:
        hook.remove()


def counted(work):
    with MultiplyAdds() as counter:
        work()
    return counter.total


def jury_of(training):
    return training.phases[-1].turns[0].objective.jury


def move(training, index):
    """One player's move, with a pass of the model of its own."""
    turn = training.phases[-1].turns[index]
    found = counted(lambda: training._take(turn, Pass(training.model, training.batches(0), 0)))
    training.parts.stft.forget()
    return found


def one_graph(training, who):
    """The usual order of work, RAVE's among others: everything is computed with a graph, whoever moves."""
    batch = Pass(training.model, training.batches(0), 0)
    generator, jury = training.phases[-1].turns[1].objective, jury_of(training)
    out, losses, n = batch.reconstruction, jury.player.losses, len(batch.target)
    judged = [j for said in jury.hear(torch.cat([batch.target, out.estimate]), 0).values() for j in said]
    told = jury.over_all(losses.discriminator(logits[:n], logits[n:]) for logits, _ in judged)
    deceived = jury.over_all(losses.generator(logits[n:]) for logits, _ in judged)
    alike = jury.over_all(
        jury.player.feature_matching([f[:n] for f in features], [f[n:] for f in features])
        for _, features in judged
    )
    moves = {
        "discriminators": told,
        "model": generator.representation(batch)["loss"] + deceived + 2.0 * alike,
    }
    moves[who].backward()


def test_the_model_moves_by_one_pass_of_its_own_and_three_hearings(training):
    """Of the estimate, back to it, and of the sounds without a graph: half of what discriminators cost with one."""
    size = Sizes.of(training)
    assert move(training, 1) == size.forward + size.back + 3 * size.hearing
    usual = counted(lambda: one_graph(training, "model"))
    assert usual == size.forward + size.back + 6 * size.hearing


def test_the_discriminators_move_without_a_gradient_of_the_model(training):
    size = Sizes.of(training)
    assert move(training, 0) == size.forward + 6 * size.hearing - 2 * size.ears
    usual = counted(lambda: one_graph(training, "discriminators"))
    assert usual == size.forward + size.back + 6 * size.hearing


def test_both_move_by_one_pass_of_the_model(training):
    size = Sizes.of(training)
    alone = size.forward + size.back + 3 * size.hearing
    assert counted(lambda: training.step(0)) == alone + 6 * size.hearing - 2 * size.ears
    assert counted(lambda: training.step(1)) == alone


def test_in_the_models_move_only_the_estimate_has_a_graph(training):
    """Multiply-adds alone would not tell: a graph that nobody goes back through costs memory."""
    seen = []

    def note(judge, _inputs, said):
        asked = any(weight.requires_grad for weight in judge.parameters())
        seen.append(("graph" if said[0][0].requires_grad else "no graph", asked))

    training.parts.second_player.discriminators["multi_period"].register_forward_hook(note)
    move(training, 1)
    assert seen == [("graph", False), ("no graph", False)]
