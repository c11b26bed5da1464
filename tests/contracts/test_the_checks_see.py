"""Each public check fails for what it is there to find."""

import pytest
import torch
from torch import nn

from complaints import complaints
from flowvae.testing import checks
from flowvae.testing.regularizer import NormalVector


class Right(nn.Module):
    """Keeps its contract."""

    def __init__(self, channels=1):
        super().__init__()
        self.slope = nn.Parameter(torch.full((), 0.5))

    def forward(self, x):
        return torch.where(x > 0, x, self.slope * x)


class Short(Right):
    def forward(self, x):
        return super().forward(x)[..., :-1]


class Doubled(Right):
    def forward(self, x):
        return super().forward(x).double()


class InPlace(Right):
    def forward(self, x):
        return x.mul_(2)


class Mixing(Right):
    def forward(self, x):
        return super().forward(x) - x.mean(0)


class Counting(Right):
    calls = 0

    def forward(self, x):
        self.calls += 1
        return super().forward(x) * self.calls


class Hidden(Right):
    def __init__(self, channels=1):
        super().__init__()
        self.hidden = torch.randn(())

    def forward(self, x):
        return super().forward(x) * self.hidden


class Detached(Right):
    def forward(self, x):
        return super().forward(x).detach()


class Unused(Right):
    def __init__(self, channels=1):
        super().__init__()
        self.never = nn.Parameter(torch.zeros(()))


class Seeding(Right):
    def __init__(self, channels=1):
        torch.manual_seed(1)
        super().__init__()


class Divided(Right):
    def forward(self, x):
        return super().forward(x) / x.abs().amax(-1, keepdim=True)


class Exponential(Right):
    def forward(self, x):
        return super().forward(x) + x.exp()


class Deaf(Right):
    def forward(self, x):
        return super().forward(x) * torch.nan


class Branching(Right):
    def forward(self, x):
        return super().forward(x) if float(x.sum()) > 0 else x


SEEN = {
    Short: "shape",
    Doubled: "dtype",
    InPlace: "input_is_untouched",
    Mixing: "batch_items_do_not_mix",
    Counting: "same_input_gives_same_output",
    Hidden: "state_makes_a_twin",
    Detached: "gradients_reach_everything",
    Unused: "gradients_reach_everything",
    Seeding: "nothing_is_seeded",
    Divided: "silence_stays_finite",
    Exponential: "large_values_stay_finite",
    Deaf: "ordinary level",
    Branching: "export_keeps_the_output",
}


def test_what_keeps_its_contract_passes():
    assert complaints(Right) == []


@pytest.mark.parametrize("wrong", SEEN, ids=lambda wrong: wrong.__name__)
def test_a_check_sees(wrong):
    found = complaints(wrong)
    assert [said for said in found if SEEN[wrong] in said], found


class Forgetful(torch.optim.SGD):
    """An optimizer whose rate lives where no state_dict sees it."""

    def __init__(self, parameters):
        super().__init__([p for _, p in parameters], lr=0.01)
        self.rate = 0.01

    def step(self, closure=None):
        self.rate *= 1.1
        for group in self.param_groups:
            group["lr"] = self.rate
        return super().step()


class Growing:
    """A regularizer that asks for more with every call, and forgets it at an interruption."""

    def __init__(self, n_steps):
        self.calls = 0

    def __call__(self, posterior, prior, latent, log_prob):
        self.calls += 1
        return self.calls * (log_prob - prior.log_prob(latent)).mean()

    def beta(self, step):
        return 1.0


class Remembering(Growing):
    """The same, and it says what it keeps."""

    def state_dict(self):
        return {"calls": self.calls}

    def load_state_dict(self, state):
        self.calls = state["calls"]


class Swelling:
    """An augmentation that gets louder with every batch."""

    def __init__(self, sample_rate, n_samples):
        self.gain = 1.0

    def __call__(self, batch, stream):
        self.gain *= 1.5
        return self.gain * batch


def check_called(kind, name):
    return next(check for check in checks(kind) if check.__name__ == name)


def test_state_that_an_interruption_would_lose_is_seen_through_the_engines_own_checkpoint():
    with pytest.raises(AssertionError, match="state outside state_dict"):
        check_called("optimizer", "state_survives_a_checkpoint")(Forgetful)
    for kind, bad in (("regularizer", Growing), ("augmentation", Swelling)):
        with pytest.raises(AssertionError, match="is lost when a run is interrupted"):
            check_called(kind, "what_it_keeps_survives_a_checkpoint")(bad)
    check_called("regularizer", "what_it_keeps_survives_a_checkpoint")(Remembering)


class Fresh(NormalVector):
    """Draws from torch's own generator, and may look at bent vectors."""

    def __init__(self, mean, scale, bent=lambda vector: vector):
        super().__init__(mean, scale)
        self.bent = bent

    def rsample_and_log_prob(self):
        sample = self.rsample()
        return sample, self.log_prob(sample)

    def log_prob(self, value):
        return super().log_prob(self.bent(value))


class Shift(nn.Module):
    """What a flow, a posterior and a prior below share: each keeps its contract as long as `bent` does nothing."""

    def __init__(self, size, context=0):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(size))
        self.steer = nn.Linear(context, size) if context else None
        for parameter in self.parameters():
            nn.init.zeros_(parameter)
        self.hidden = torch.randn(())

    def bent(self, x):
        return x


class ShiftFlow(Shift):
    def forward(self, x, context=None):
        with torch.autocast("cpu", enabled=False):
            return self.bent(x) + self.moved(context), torch.zeros(len(x))

    def inverse(self, y, context=None):
        return y - self.moved(context), torch.zeros(len(y))

    def moved(self, context):
        return self.shift if context is None else self.shift + self.steer(context)


class ShiftPosterior(Shift):
    def __init__(self, features, latent_dim):
        super().__init__(latent_dim, features)

    def forward(self, features):
        with torch.autocast("cpu", enabled=False):
            mean = self.shift + self.steer(self.bent(features.float()))
            return Fresh(mean, torch.full_like(mean, 0.5))


class ShiftPrior(Shift):
    def forward(self):
        return Fresh(self.shift, torch.ones_like(self.shift), self.bent)


OWN = torch.Generator()
BENDS = {
    "same_input_gives_same_output": lambda own, x: x + torch.randn(x.shape, generator=OWN),
    "batch_items_do_not_mix": lambda own, x: x - x.mean(0),
    "input_is_untouched": lambda own, x: x.detach().mul_(2) + 0 * x,
    "gradients_reach_everything": lambda own, x: x.detach(),
    "no_gradient_vanishes": lambda own, x: 0 * x,
    "state_makes_a_twin": lambda own, x: x * own.hidden,
    "no_value_is_read_back": lambda own, x: x * (1 if x.abs().max() < 1e4 else 0),
}


@pytest.mark.parametrize("base", [ShiftFlow, ShiftPosterior, ShiftPrior])
@pytest.mark.parametrize("check", [None, *BENDS])
def test_a_check_of_latents_sees(base, check):
    wrong = type("Wrong", (base,), {"bent": BENDS[check]} if check else {})
    found = complaints(wrong, base.__name__.removeprefix("Shift").lower())
    assert [said for said in found if said.startswith(f"{check}: ")] if check else not found, found


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
