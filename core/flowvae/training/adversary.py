"""What two players minimise: discriminators tell sounds from estimates, and the model has its estimates taken for sounds."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from attrs import frozen
from torch import Tensor
from torch.linalg import vector_norm

from flowvae.building.second_player import SecondPlayer
from flowvae.contracts import Judgement
from flowvae.streams import SeededStream, stream_key
from flowvae.training.objective import Pass, Representation

ADVERSARIAL, MATCHING = "adversarial", "feature_matching"
"""The names of the model's losses from discriminators, among its figures."""
FAINTEST = 1e-12
"""A pull that is compared with another is at least this strong."""


@frozen(eq=False)
class Jury:
    """The discriminators, and how they are listened to."""

    player: SecondPlayer
    seed: int
    bf16: bool

    def hear(self, audio: Tensor, step: int) -> dict[str, list[Judgement]]:
        """What each discriminator says of a batch: at one step the same draws, whatever it hears."""
        audio = self._part(audio, step)
        if self.player.conditioning is not None:
            audio = self.player.conditioning(audio)
        judged: dict[str, list[Judgement]] = {}
        for name, discriminator in self.player.discriminators.items():
            stream = SeededStream.of(self.seed, "discriminator", name, step)
            with torch.autocast(audio.device.type, torch.bfloat16, enabled=self.bf16):
                judgements = discriminator(audio, stream)
            judged[name] = [
                (logits.float(), [feature.float() for feature in features]) for logits, features in judgements
            ]
        return judged

    def _part(self, audio: Tensor, step: int) -> Tensor:
        length = self.player.keys.hears_samples or audio.shape[-1]
        begin = stream_key(self.seed, "part that is heard", step) % (audio.shape[-1] - length + 1)
        return audio.narrow(-1, begin, length)

    def over_all(self, losses: Iterable[Tensor]) -> Tensor:
        """One loss from that of every sub-discriminator."""
        stacked = torch.stack(list(losses))
        return stacked.sum() if self.player.keys.over_discriminators == "sum" else stacked.mean()


@frozen(eq=False)
class DiscriminatorObjective:
    """Tell the sounds of a batch from their estimates.

    Formula: loss = mean, or sum, over sub-discriminators of the adversarial loss on the logits of both.
    """

    jury: Jury

    def __call__(self, batch: Pass) -> dict[str, Tensor]:
        """The loss, and of each discriminator its own, and the share of its logits on the right side."""
        losses, n = self.jury.player.losses, len(batch.target)
        # In one batch: the estimate as it is, for no gradient goes back from here.
        both = torch.cat([batch.target, batch.reconstruction.estimate.detach()])
        judged = {
            name: [(logits[:n], logits[n:]) for logits, _ in judgements]
            for name, judgements in self.jury.hear(both, batch.step).items()
        }
        apart = {
            name: [losses.discriminator(real, estimate) for real, estimate in pairs]
            for name, pairs in judged.items()
        }
        return {
            "loss": self.jury.over_all(loss for found in apart.values() for loss in found),
            **{f"loss/{name}": self.jury.over_all(found) for name, found in apart.items()},
            **{f"right/{name}": self._right(pairs) for name, pairs in judged.items()},
        }

    def _right(self, pairs: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        boundary = self.jury.player.losses.boundary
        shares = [
            ((real > boundary).float().mean() + (estimate < boundary).float().mean()) / 2
            for real, estimate in pairs
        ]
        return torch.stack(shares).mean()


@frozen(eq=False)
class GeneratorObjective:
    """Reconstruct, and have the estimates taken for sounds.

    Formula: loss = the loss of the representation + weight * adversarial + its weight * feature matching.
        All but the divergence pulls at the estimate. The pulls are found one by one at the estimate and go back through the
        model together, so comparing and balancing them costs nothing more.
    """

    representation: Representation
    jury: Jury

    def __call__(self, batch: Pass) -> dict[str, Tensor]:
        """The figures of one batch, with the strength of the adversary's pull against that of the losses."""
        out, weights = batch.reconstruction, self._weights(batch.step)
        estimate = out.estimate.detach().requires_grad_()
        distances = self.representation.distances(batch.target, estimate)
        opposed = self._opposed(batch.target, estimate, batch.step)
        pull, ratio = self._pull(distances, opposed, weights, estimate)
        nats = self.representation.nats(out)
        divergence = nats * self.representation.regularizer.beta(batch.step)
        at_estimate = [weights[name] * loss for name, loss in (distances | opposed).items()]
        # What moves the model is what the pull makes of the estimate; what is told is the loss that it was weighed from.
        moving = divergence + (out.estimate * pull).sum()
        told = (divergence + torch.stack(at_estimate).sum()).detach()
        loss = told + moving - moving.detach()
        return {
            "loss": loss,
            **self.representation.told(nats),
            **distances,
            **opposed,
            "pull_ratio": ratio,
        }

    def _weights(self, step: int) -> dict[str, float]:
        keys = self.jury.player.keys
        begun = (step - keys.from_step + 1) / max(keys.warmup_steps, 1)
        matching = keys.feature_matching.extras["weight"] if keys.feature_matching else 0.0
        adversarial = keys.weight * min(begun, 1.0)
        return {**self.representation.weights, ADVERSARIAL: adversarial, MATCHING: matching}

    def _opposed(self, target: Tensor, estimate: Tensor, step: int) -> dict[str, Tensor]:
        """The losses from discriminators. Real sounds are heard without a graph, and only by who compares features."""
        jury, matching = self.jury, self.jury.player.feature_matching
        judged = _flat(jury.hear(estimate, step))
        found = {
            ADVERSARIAL: jury.over_all(jury.player.losses.generator(logits) for logits, _ in judged),
        }
        if matching is not None:
            with torch.no_grad():
                real = _flat(jury.hear(target, step))
            pairs = zip(real, judged, strict=True)
            found[MATCHING] = jury.over_all(matching(r, e) for (_, r), (_, e) in pairs)
        return found

    def _pull(
        self,
        distances: dict[str, Tensor],
        opposed: dict[str, Tensor],
        weights: Mapping[str, float],
        estimate: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """The gradient at the estimate, and how much stronger the adversary's part in it is than that of the losses."""
        balance = self.jury.player.balance
        if balance is None:
            ours, theirs = (
                _gradient(
                    torch.stack([weights[name] * loss for name, loss in losses.items()]).sum(), estimate
                )
                for losses in (distances, opposed)
            )
            return ours + theirs, _ratio(theirs, ours)
        pulls = {name: _gradient(loss, estimate) for name, loss in (distances | opposed).items()}
        ours, theirs = (
            torch.stack([weights[name] * pulls[name] for name in losses]).sum(0)
            for losses in (distances, opposed)
        )
        shares = {name: weights[name] for name in pulls}
        return balance(pulls, shares), _ratio(theirs, ours)


def _flat(judged: Mapping[str, Sequence[Judgement]]) -> list[Judgement]:
    return [judgement for judgements in judged.values() for judgement in judgements]


def _gradient(loss: Tensor, estimate: Tensor) -> Tensor:
    # A transform may be shared by what pulls first and what pulls last.
    gradient: Tensor = torch.autograd.grad(loss, estimate, retain_graph=True)[0]
    return gradient


def _ratio(theirs: Tensor, ours: Tensor) -> Tensor:
    ratio: Tensor = vector_norm(theirs) / vector_norm(ours).clamp(min=FAINTEST)
    return ratio
