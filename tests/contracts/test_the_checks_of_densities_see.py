"""The public checks of posteriors, priors and regularizers, where there is no density or nobody asks for one."""

import pytest
import torch
from torch import nn

from complaints import complaints
from flowvae.testing.regularizer import NormalVector


class Bare(NormalVector):
    """A distribution that gives NaN for a density."""

    def rsample_and_log_prob(self):
        sample = self.rsample()
        return sample, self.log_prob(sample)

    def log_prob(self, value):
        return torch.full_like(value[..., 0], torch.nan)


class Dense(Bare):
    def log_prob(self, value):
        return NormalVector.log_prob(self, value)


class Posterior(nn.Module):
    has_density = False
    gives = Bare

    def __init__(self, features, latent_dim):
        super().__init__()
        self.linear = nn.Linear(features, latent_dim)

    def forward(self, features):
        with torch.autocast("cpu", enabled=False):
            mean = self.linear(self.heard(features.float()))
            return self.gives(mean, torch.full_like(mean, 0.5))

    def heard(self, features):
        return features


class Prior(nn.Module):
    has_density = False
    gives = Bare

    def __init__(self, latent_dim, encode, channels, n_samples):
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(latent_dim))

    def forward(self):
        return self.gives(self.moved(self.mean), torch.ones_like(self.mean))

    def moved(self, mean):
        return mean


class Deaf:
    def heard(self, features):
        return features.detach().mul(0)

    def moved(self, mean):
        return mean.detach()


class Keeping(Prior):
    """It takes the whole model for its own."""

    def __init__(self, latent_dim, encode, channels, n_samples):
        super().__init__(latent_dim, encode, channels, n_samples)
        self.borrowed = getattr(encode, "__self__", None)


class Closed(Prior):
    """It encodes with the model that it was made for, whoever it belongs to now."""

    def __init__(self, latent_dim, encode, channels, n_samples):
        super().__init__(latent_dim, encode, channels, n_samples)
        self.sound = torch.ones(1, channels, n_samples)
        self.place = lambda: encode(self.sound).mode[0]

    def forward(self):
        return self.gives(self.mean + self.place(), torch.ones_like(self.mean))


class Price:
    """The distance of codes from the origin."""

    needs_density = False
    figure = "distance"

    def __init__(self, n_steps):
        pass

    def __call__(self, posterior, prior, latent, log_prob):
        return latent.square().mean()

    def beta(self, step):
        return 1.0


class Free(Price):
    figure = ""

    def __call__(self, posterior, prior, latent, log_prob):
        return latent.new_zeros(())


class Asking(Price):
    def __call__(self, posterior, prior, latent, log_prob):
        return (log_prob - prior.log_prob(latent)).mean()


class Summed(Price):
    def __call__(self, posterior, prior, latent, log_prob):
        return latent.square().sum()


class Secret(Price):
    figure = ""


class Loss(Price):
    figure = "loss"


RIGHT = {"posterior": [Posterior], "prior": [Prior], "regularizer": [Price, Free]}
WRONG = [
    ("posterior", type("Wrong", (Posterior,), {"gives": Dense}), "a_density_that_is_not_there_is_nan"),
    ("posterior", type("Wrong", (Posterior,), {"has_density": True}), "ordinary level"),
    ("posterior", type("Wrong", (Deaf, Posterior), {}), "gradients_reach_everything"),
    ("prior", type("Wrong", (Prior,), {"gives": Dense}), "a_density_that_is_not_there_is_nan"),
    ("prior", type("Wrong", (Prior,), {"has_density": True}), "the_density_integrates_to_one"),
    ("prior", type("Wrong", (Deaf, Prior), {}), "gradients_reach_everything"),
    ("prior", Keeping, "the_encoder_is_not_its_own"),
    ("prior", Closed, "the_encoder_is_not_its_own"),
    ("regularizer", Asking, "latents_are_enough_where_it_says_so"),
    ("regularizer", Summed, "the_batch_is_averaged"),
    ("regularizer", Secret, "farther_costs_more"),
    ("regularizer", Loss, "the_figure_has_a_name_of_its_own"),
]


@pytest.mark.parametrize(
    ("kind", "right"), [(kind, right) for kind, all_of in RIGHT.items() for right in all_of]
)
def test_what_has_no_density_and_says_so_passes(kind, right):
    assert complaints(right, kind) == []


@pytest.mark.parametrize(
    ("kind", "wrong", "check"), WRONG, ids=[f"{kind}-{i}" for i, (kind, *_) in enumerate(WRONG)]
)
def test_a_check_of_densities_sees(kind, wrong, check):
    found = complaints(wrong, kind)
    assert [said for said in found if check in said], found
