"""What every discriminator must do."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from flowvae.contracts import Discriminator, Judgement
from flowvae.testing import checks_in, properties
from flowvae.testing.loss import SAMPLE_RATE, extremes, plain_stft
from flowvae.testing.streams import SeededStream

N_SAMPLES = 4096


class _Heard(nn.Module):
    """A discriminator with a stream of its own in each call; all that it says of a sound comes as one row."""

    def __init__(self, make: Discriminator, channels: int) -> None:
        super().__init__()
        judge = make(channels, SAMPLE_RATE, N_SAMPLES, plain_stft)
        assert isinstance(judge, nn.Module), f"it is a {type(judge).__name__}; expected an nn.Module"
        self.judge = judge

    def forward(self, audio: Tensor) -> Tensor:
        return torch.cat([tensor.flatten(1) for tensor in _tensors(self.judgements(audio))], dim=1)

    def judgements(self, audio: Tensor, seed: int = 0) -> list[Judgement]:
        """What it says of a batch, with random numbers of one key."""
        return list(self.judge(audio, SeededStream(seed)))


def _tensors(judgements: list[Judgement]) -> Iterator[Tensor]:
    for logits, features in judgements:
        yield logits
        yield from features


def _sounds(n_items: int, channels: int = 2) -> Tensor:
    return 0.3 * properties.noise(n_items, channels, N_SAMPLES)


def a_judgement_is_logits_and_what_led_to_them(make: Discriminator) -> None:
    """One pair or more: logits, and one feature or more that are not the logits again."""
    said: list[Any] = [*_Heard(make, 2).judgements(_sounds(2))]
    assert said, "there is no judgement; expected one pair (logits, features) or more"
    for pair in said:
        assert isinstance(pair, tuple) and len(pair) == 2, (  # noqa: PT018 - one fact
            f"a judgement is a {type(pair).__name__}; expected the pair (logits, features)"
        )
        logits, features = pair
        assert isinstance(logits, Tensor), f"the logits are a {type(logits).__name__}; expected a tensor"
        assert not isinstance(features, Tensor), "the features are one tensor; expected a sequence of them"
        assert len(features) > 0, "there are no features; expected the hidden layers, which get compared"
        for feature in features:
            again = feature.shape == logits.shape and torch.equal(feature, logits)
            assert not again, "the logits stand among the features; expected the hidden layers alone"


def the_first_axis_is_the_batch(make: Discriminator) -> None:
    """Each tensor has one entry for each sound, whatever the sounds; their number and shapes stay, too."""
    heard = _Heard(make, 2)
    shapes = []
    for audio in (_sounds(3), torch.zeros(3, 2, N_SAMPLES), _sounds(1)):
        tensors = [[logits, *features] for logits, features in heard.judgements(audio)]
        first = {tensor.shape[:1] for group in tensors for tensor in group}
        assert first == {(len(audio),)}, (
            f"{len(audio)} sounds give first axes of {sorted(f[0] if f else 0 for f in first)}; expected "
            f"{len(audio)}: channels and periods belong behind the batch"
        )
        shapes.append([[tensor.shape[1:] for tensor in group] for group in tensors])
    assert shapes[0] == shapes[1], (
        "silence is judged by other numbers or shapes than noise; expected the same, whatever the sound"
    )
    assert shapes[0] == shapes[2], (
        "one sound gets other numbers or shapes of judgements than three; expected the same for each"
    )


def extremes_stay_finite(make: Discriminator) -> None:
    """Silence and other legal extremes give finite logits, features and gradients."""
    sounds = extremes()
    audio = torch.cat([sound.expand(1, 2, -1) for sound in sounds.values()]).requires_grad_()
    heard = _Heard(make, 2)
    said = heard(audio)
    said.square().mean().backward()
    for index, name in enumerate(sounds):
        assert said[index].isfinite().all(), (
            f"{name} gives logits or features that are not finite; usually a logarithm or a division at 0"
        )
        assert torch.as_tensor(audio.grad)[index].isfinite().all(), (
            f"{name} has a gradient that is not finite; usually a root at 0: put the epsilon inside it"
        )
    broken = [
        n for n, p in heard.judge.named_parameters() if p.grad is not None and not p.grad.isfinite().all()
    ]
    assert not broken, f"the gradient of {', '.join(broken)} is not finite at silence or another extreme"


def every_channel_is_heard(make: Discriminator) -> None:
    """Each channel counts, and which is which: silencing one or swapping both changes the logits."""
    heard, audio = _Heard(make, 2), _sounds(1)
    left, right = audio.clone(), audio.clone()
    left[:, 0], right[:, 1] = 0, 0
    changes = {
        "silencing the left channel": left,
        "silencing the right channel": right,
        "swapping the channels": audio.flip(1),
    }
    with torch.no_grad():
        before = heard.judgements(audio)
        for change, changed in changes.items():
            after = heard.judgements(changed)
            moved = any(
                not torch.allclose(a, b, atol=1e-7) for (a, _), (b, _) in zip(before, after, strict=True)
            )
            assert moved, (
                f"{change} leaves the logits as they were; expected others: all channels enter as channels, "
                "neither mixed down nor folded into the batch"
            )


def the_logits_pull_at_every_channel(make: Discriminator) -> None:
    """The generator learns from the logits alone: each has a gradient, and each channel of each sound gets one."""
    audio = _sounds(2).requires_grad_()
    for logits, _ in _Heard(make, 2).judgements(audio):
        assert logits.requires_grad, "logits carry no gradient; expected one; usually a detach()"
        (pull,) = torch.autograd.grad(logits.sin().sum(), audio, retain_graph=True, allow_unused=True)
        assert pull is not None, (
            "no gradient of the logits reaches the sound; expected one; usually a detach()"
        )
        assert (pull.abs().sum(-1) > 0).all(), (
            "a sound or a channel gets no gradient of the logits; expected one"
        )


def real_and_estimate_may_share_a_batch(make: Discriminator) -> None:
    """One batch of both gives what two passes give, with streams of one key."""
    heard, real = _Heard(make, 2), _sounds(2)
    estimate = real.flip(0) * 0.5
    with torch.no_grad():
        for seed in (1, 2):
            both = _tensors(heard.judgements(torch.cat((real, estimate)), seed))
            apart = zip(
                *(_tensors(heard.judgements(sounds, seed)) for sounds in (real, estimate)), strict=True
            )
            for one, two in zip(both, apart, strict=True):
                near = torch.allclose(
                    one, torch.cat(two), rtol=1e-3, atol=1e-5 + 1e-5 * float(one.abs().max())
                )
                assert near, (
                    "real sounds and estimates in one batch are judged otherwise than in two passes; expected the same: "
                    "draw once for the batch as a whole, and take no statistics over it"
                )


def one_stream_gives_one_judgement(make: Discriminator) -> None:
    """The same stream gives the same judgement, whatever torch's own generator has done, and leaves that alone."""
    heard, audio = _Heard(make, 2), _sounds(2)
    with torch.no_grad():
        first = heard(audio)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            before = torch.get_rng_state()
            second = heard(audio)
            assert torch.equal(before, torch.get_rng_state()), (
                "torch's own generator was used; expected draws from the stream alone, or arms could not share them"
            )
    assert torch.equal(first, second), (
        "one stream gives two judgements; expected one: draw from the stream alone, and keep nothing between calls"
    )


OF_DISCRIMINATORS = (
    properties.same_seed_gives_same_module,
    properties.nothing_is_seeded,
    properties.input_is_untouched,
    properties.gradients_reach_everything,
    properties.batch_items_do_not_mix,
    properties.state_makes_a_twin,
    properties.bf16_autocast_works,
    properties.float64_works,
    properties.follows_its_device,
    properties.no_value_is_read_back,
)
"""Of what holds for every module, all but export: a discriminator never leaves training."""
CHECKS = (
    *checks_in(globals()),
    *properties.of_modules(lambda make: _Heard(make, 2), 2, 2, N_SAMPLES, which=OF_DISCRIMINATORS),
)
