"""Each public check fails for what it is there to find."""

import pytest
import torch
from torch import nn

from flowvae.testing import checks


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


def complaints(make):
    found = []
    for check in checks("activation"):
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                check(make)
        except Exception as error:  # noqa: BLE001 - as check-plugin does
            found.append(f"{check.__name__}: {error}")
    return found


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
