"""Each public check of what the second player is made of fails for what it is there to find."""

import pytest
import torch
from torch.nn.functional import softplus

from complaints import complaints
from flowvae.testing import checks


class Softplus:
    """A pair of losses that keeps its contract as long as `bent` does nothing."""

    boundary = 0.0
    calls = 0

    def discriminator(self, real, estimate):
        return self.averaged(self.bent(self.pulls(real, estimate)))

    def generator(self, estimate):
        return self.averaged(self.bent(softplus(-estimate)))

    def pulls(self, real, estimate):
        return torch.cat((softplus(-real), softplus(estimate)))

    def averaged(self, costs):
        return costs.mean()

    def bent(self, costs):
        self.calls += 1
        return costs


class Distance:
    """The same for features: `bent` sees each pair of them, and the cost of each."""

    floor = 1e-3
    calls = 0

    def __call__(self, real, estimate):
        costs = [self.cost(*self.pair(r, e)) for r, e in zip(real, estimate, strict=True)]
        return self.together(costs)

    def pair(self, real, estimate):
        return real.detach(), estimate

    def cost(self, real, estimate):
        return (real - estimate).abs().mean() / real.abs().mean().clamp_min(self.floor)

    def together(self, costs):
        return torch.stack(costs).mean()


class Level:
    """The same for a conditioning."""

    floor = 1e-3

    def __call__(self, sound):
        return sound / (sound.square().mean(-1, keepdim=True) + self.floor).sqrt()


class Shares:
    """The same for a balance."""

    tiny = 1e-9

    def __init__(self):
        self.last = {}

    def __call__(self, gradients, weights):
        pulls = [weights[name] * self.even(name, gradient) for name, gradient in gradients.items()]
        return torch.stack(pulls).sum(0)

    def even(self, name, gradient):
        self.last[name] = gradient.norm() + self.last.get(name, 0)
        return gradient / (self.last[name] + self.tiny)

    def state_dict(self):
        return {"last": dict(self.last)}

    def load_state_dict(self, state):
        self.last = dict(state["last"])


def at_the_start(shares, gradients, weights):
    """Forgets nothing that it saw first, and knows nothing else."""
    shares.first = getattr(shares, "first", {name: g.norm() + 1 for name, g in gradients.items()})
    pulls = [weights[name] * g / shares.first.get(name, 0) for name, g in gradients.items()]
    return torch.stack(pulls).sum(0)


def read(tensor):
    return tensor * (1 if tensor.abs().max() < 1e9 else 0)


WRONG = {
    Softplus: {
        "the_values_are_scalars": {"averaged": lambda own, costs: costs.double().mean()},
        "logits_of_any_shape_are_averaged": {"averaged": lambda own, costs: costs.mean(0).sum()},
        "huge_logits_stay_finite": {"bent": lambda own, costs: costs.exp().log1p()},
        "the_boundary_is_a_number": {"boundary": 0},
        "telling_apart_costs_the_discriminator_less": {
            "pulls": lambda own, real, estimate: torch.cat((softplus(real), softplus(estimate)))
        },
        "being_taken_for_real_costs_the_generator_less": {
            "generator": lambda own, estimate: softplus(estimate).mean()
        },
        "every_logit_is_pulled_at_the_boundary": {
            "discriminator": lambda own, real, estimate: (1 - real).relu().mean() + estimate.relu().mean()
        },
        "inputs_are_untouched": {"generator": lambda own, estimate: -estimate.mul_(2).mean()},
        "no_value_is_read_back": {"bent": lambda own, costs: read(costs)},
    },
    Distance: {
        "equal_features_cost_nothing": {"together": lambda own, costs: costs[0]},
        "the_value_is_a_scalar": {"together": lambda own, costs: torch.stack(costs)},
        "the_batch_is_averaged": {"cost": lambda own, real, estimate: (real - estimate).abs().sum()},
        "zeros_stay_finite": {"floor": 0},
        "no_gradient_reaches_the_real_side": {"pair": lambda own, real, estimate: (real, estimate)},
        "the_gradient_reaches_the_estimate": {
            "pair": lambda own, real, estimate: (
                real.detach(),
                torch.cat((estimate[:1].detach(), estimate[1:])),
            )
        },
        "inputs_are_untouched": {"pair": lambda own, real, estimate: (real.detach().mul_(2), estimate)},
        "no_value_is_read_back": {"together": lambda own, costs: read(torch.stack(costs).mean())},
    },
    Level: {
        "the_shape_is_kept": {"__call__": lambda own, sound: sound.mean(1, keepdim=True)},
        "items_do_not_mix": {"__call__": lambda own, sound: sound / (sound.abs().max() + 1)},
        "extremes_stay_finite": {"floor": 0},
        "the_gradient_reaches_every_sound": {"__call__": lambda own, sound: sound.detach()},
        "the_input_is_untouched": {"__call__": lambda own, sound: sound.sub_(sound.mean(-1, keepdim=True))},
        "no_value_is_read_back": {"__call__": lambda own, sound: read(sound)},
    },
    Shares: {
        "the_shape_is_kept": {"even": lambda own, name, gradient: gradient.mean(1, keepdim=True)},
        "a_loss_alone_keeps_its_direction": {"even": lambda own, name, gradient: -gradient},
        "every_loss_pulls": {"even": lambda own, name, gradient: gradient * (name != "flat")},
        "a_zero_gradient_stays_finite": {"tiny": 0},
        "a_loss_may_begin_later": {"__call__": at_the_start},
        "inputs_are_untouched": {"even": lambda own, name, gradient: gradient.div_(gradient.norm() + 1)},
        "what_it_keeps_survives_a_checkpoint": {"state_dict": lambda own: {"last": {}}},
        "no_value_is_read_back": {"even": lambda own, name, gradient: read(gradient)},
    },
}
KIND = {Softplus: "adversarial", Distance: "feature_matching", Level: "conditioning", Shares: "balance"}
CASES = [pytest.param(right, check, id=f"{KIND[right]}-{check}") for right in WRONG for check in WRONG[right]]


@pytest.mark.parametrize("right", WRONG, ids=KIND.get)
def test_what_keeps_its_contract_passes(right):
    assert complaints(right, KIND[right]) == []


@pytest.mark.parametrize(("right", "check"), CASES)
def test_a_check_sees(right, check):
    wrong = type("Wrong", (right,), WRONG[right][check])
    found = complaints(wrong, KIND[right])
    assert [said for said in found if said.startswith(f"{check}: ")], found


@pytest.mark.parametrize("right", WRONG, ids=KIND.get)
def test_every_check_has_something_that_it_sees(right):
    assert {check.__name__ for check in checks(KIND[right])} == {*WRONG[right]}
