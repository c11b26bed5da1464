"""Each public check of discriminators fails for what it is there to find."""

import pytest
import torch
from torch import nn

from complaints import complaints
from flowvae.testing import checks


class Judge(nn.Module):
    """Two sub-discriminators, which keep the contract as long as nothing below is bent."""

    def __init__(self, channels, sample_rate, n_samples, stft):
        super().__init__()
        self.parts = nn.ModuleList(
            nn.ModuleList((nn.Conv1d(channels, 4, 8, stride=4), nn.Conv1d(4, 1, 3))) for _ in range(2)
        )

    def before(self, audio, stream):
        return audio

    def hidden(self, features, stream):
        return features

    def after(self, logits, stream):
        return logits

    def said(self, judgements, audio):
        return judgements

    def forward(self, audio, stream):
        x, judgements = self.before(audio, stream), []
        for first, last in self.parts:
            feature = self.hidden(nn.functional.leaky_relu(first(x), 0.1), stream)
            judgements.append((self.after(last(feature), stream), [feature]))
        return self.said(judgements, audio)


def shuffled_each(own, x, stream):
    """A shift for each sound: two passes of two draw others than one of four."""
    shifts = stream.integers(0, 20, (len(x),), x.device).tolist()
    return torch.stack([item.roll(shift, -1) for item, shift in zip(x, shifts, strict=True)])


def with_own_noise(own, x, stream):
    return x + 1e-2 * torch.randn(x.shape)


def folded(own, x, stream):
    return x.flatten(0, 1)[:, None].expand(-1, 2, -1)


def only_of_silence(own, judgements, audio):
    return judgements[:1] if not audio.any() else judgements


def around_a_large_number(own, x, stream):
    """The sound again, to seven digits in float32 and to none in half precision."""
    return nn.functional.conv1d(x + 1000, torch.eye(2).to(x)[:, :, None]) - 1000


MISJUDGED = [
    ("a_judgement_is_logits_and_what_led_to_them", "said", lambda own, said, audio: []),
    ("a_judgement_is_logits_and_what_led_to_them", "said", lambda own, said, audio: [x for x, _ in said]),
    (
        "a_judgement_is_logits_and_what_led_to_them",
        "said",
        lambda own, said, audio: [(x, []) for x, _ in said],
    ),
    (
        "a_judgement_is_logits_and_what_led_to_them",
        "said",
        lambda own, said, audio: [(x, f[0]) for x, f in said],
    ),
    (
        "a_judgement_is_logits_and_what_led_to_them",
        "said",
        lambda own, said, audio: [(x, [*f, x]) for x, f in said],
    ),
    ("the_first_axis_is_the_batch", "said", only_of_silence),
    ("the_first_axis_is_the_batch", "said", lambda own, said, audio: said * len(audio)),
    ("the_first_axis_is_the_batch", "before", folded),
    ("the_first_axis_is_the_batch", "after", lambda own, x, stream: x.mean()),
    ("extremes_stay_finite", "before", lambda own, x, stream: x / x.abs().amax(-1, keepdim=True)),
    (
        "extremes_stay_finite",
        "before",
        lambda own, x, stream: x.square().sum(1, keepdim=True).sqrt() * x.sign(),
    ),
    (
        "extremes_stay_finite",
        "hidden",
        lambda own, x, stream: x * (x.abs() - x.abs().detach() + 1e-30).rsqrt(),
    ),
    ("every_channel_is_heard", "before", lambda own, x, stream: x[:, :1].expand(-1, 2, -1)),
    ("every_channel_is_heard", "before", lambda own, x, stream: x.mean(1, keepdim=True).expand(-1, 2, -1)),
    ("the_logits_pull_at_every_channel", "after", lambda own, x, stream: x.detach()),
    ("the_logits_pull_at_every_channel", "before", lambda own, x, stream: x.detach()),
    (
        "the_logits_pull_at_every_channel",
        "before",
        lambda own, x, stream: torch.cat((x[:, :1], x[:, 1:].sign()), 1),
    ),
    ("real_and_estimate_may_share_a_batch", "before", shuffled_each),
    ("real_and_estimate_may_share_a_batch", "hidden", lambda own, x, stream: x - x.mean(0)),
    ("one_stream_gives_one_judgement", "before", with_own_noise),
    ("input_is_untouched", "before", lambda own, x, stream: x.detach().mul_(2) + 0 * x),
    ("gradients_reach_everything", "hidden", lambda own, x, stream: x.detach()),
    ("batch_items_do_not_mix", "hidden", lambda own, x, stream: x - x.mean(0)),
    ("bf16_autocast_works", "before", around_a_large_number),
    ("float64_works", "before", lambda own, x, stream: x.float()),
    ("no_value_is_read_back", "after", lambda own, x, stream: x * (1 if x.abs().max() < 1e4 else 0)),
]


@pytest.mark.parametrize(("check", "where", "bend"), [(None, "after", None), *MISJUDGED])
def test_a_check_of_discriminators_sees(check, where, bend):
    wrong = type("Wrong", (Judge,), {where: bend} if bend else {})
    found = complaints(wrong, "discriminator")
    assert [said for said in found if said.startswith(f"{check}: ")] if check else not found, found


class HiddenJudge(Judge):
    """What it depends on is neither a weight nor a buffer, and stays where it was made."""

    def __init__(self, channels, sample_rate, n_samples, stft):
        super().__init__(channels, sample_rate, n_samples, stft)
        self.gain = torch.rand(1, 1, 1) + 0.5

    def before(self, audio, stream):
        return audio * self.gain


class SeededJudge(Judge):
    def __init__(self, channels, sample_rate, n_samples, stft):
        torch.manual_seed(1)
        super().__init__(channels, sample_rate, n_samples, stft)


OWN_GENERATOR = torch.Generator()


class UnseededJudge(Judge):
    def __init__(self, channels, sample_rate, n_samples, stft):
        super().__init__(channels, sample_rate, n_samples, stft)
        for part in self.parameters():
            nn.init.normal_(part, generator=OWN_GENERATOR)


@pytest.mark.parametrize(
    ("wrong", "checks_that_see"),
    [
        (HiddenJudge, {"state_makes_a_twin", "follows_its_device"}),
        (SeededJudge, {"nothing_is_seeded"}),
        (UnseededJudge, {"same_seed_gives_same_module"}),
    ],
)
def test_what_a_discriminator_hides_is_seen(wrong, checks_that_see):
    assert checks_that_see <= {said.partition(":")[0] for said in complaints(wrong, "discriminator")}


def test_every_check_of_discriminators_has_a_wrong_one_that_it_sees():
    seen = {check for check, _, _ in MISJUDGED}
    seen |= {"state_makes_a_twin", "follows_its_device", "nothing_is_seeded", "same_seed_gives_same_module"}
    assert seen == {check.__name__ for check in checks("discriminator")}
