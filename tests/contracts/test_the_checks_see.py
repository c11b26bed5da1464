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


class Noisy(Right):
    def forward(self, x):
        return super().forward(x) + torch.rand_like(x)


def test_export_is_judged_with_one_noise_on_both_sides():
    check_called("activation", "export_keeps_the_output")(Noisy)


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
    def __init__(self, latent_dim, encode, channels, n_samples):
        super().__init__(latent_dim)

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
