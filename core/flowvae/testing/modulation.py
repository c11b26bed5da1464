"""What every modulation must do."""

import torch
from torch import Tensor, nn

from flowvae.contracts import Modulation
from flowvae.testing import checks_in, properties

CHANNELS, LATENT_DIM, N_SAMPLES = 4, 3, 16


class _OfOneInput(nn.Module):
    """A modulation that has left its start, with signal and latent vector in one input, (b, channels, t + 1)."""

    def __init__(self, make: Modulation) -> None:
        super().__init__()
        self.modulate = properties.unsettled(make(CHANNELS, LATENT_DIM))

    def forward(self, both: Tensor) -> Tensor:
        """The signal, steered by the last column."""
        y: Tensor = self.modulate(both[..., 1:], both[:, :LATENT_DIM, 0])
        return y


def the_shape_is_kept(make: Modulation) -> None:
    """(b, channels, t) stays, for odd lengths and for a single sound too."""
    for b, t in ((2, N_SAMPLES), (1, 7)):
        x = properties.noise(b, CHANNELS, t)
        shape = tuple(make(CHANNELS, LATENT_DIM)(x, properties.noise(b, LATENT_DIM)).shape)
        assert shape == tuple(x.shape), f"{tuple(x.shape)} becomes {shape}; expected the same shape"


def one_sample_and_equal_samples_are_enough(make: Modulation) -> None:
    """A signal of one sample, and one that never moves, give finite numbers and gradients."""
    for name, x in (("one sample", torch.ones(2, CHANNELS, 1)), ("a constant", torch.ones(2, CHANNELS, 8))):
        given = x.requires_grad_()
        y = make(CHANNELS, LATENT_DIM)(given, properties.noise(2, LATENT_DIM))
        y.square().sum().backward()
        finite = given.grad is not None and bool(given.grad.isfinite().all() & y.isfinite().all())
        assert finite, (
            f"{name} gives inf or NaN: a deviation over time is 0 there, or has no estimate; put an epsilon inside its root"
        )


CHECKS = (*checks_in(globals()), *properties.of_modules(_OfOneInput, 3, CHANNELS, N_SAMPLES + 1))
