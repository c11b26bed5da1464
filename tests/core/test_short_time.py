"""The transform that losses share: torch's to the bit, with a gradient of its own."""

import pytest
import torch

from counting import Operators
from flowvae.building.shared_stft import SharedStft

LENGTHS = [(64, 16, 500), (64, 20, 500), (63, 21, 401), (16, 16, 100), (16, 20, 333), (512, 128, 200)]
"""Windows, hops and sounds: hops that divide a window or not, longer than it, and a sound that is shorter."""


@pytest.mark.parametrize(("n_fft", "hop_length", "n_samples"), LENGTHS)
def test_the_transform_is_torchs_to_the_bit_and_its_gradient_that_of_autograd(n_fft, hop_length, n_samples):
    x = torch.randn(3, 2, n_samples, dtype=torch.float64, requires_grad=True)
    mine = SharedStft()(x, n_fft, hop_length)
    theirs = torch.stft(
        x.flatten(0, 1),
        n_fft,
        hop_length,
        window=torch.hann_window(n_fft, dtype=torch.float64),
        pad_mode="reflect" if n_samples > n_fft // 2 else "constant",
        return_complex=True,
    )
    assert torch.equal(mine, theirs)
    pull = torch.randn_like(theirs)
    gradients = [torch.autograd.grad(spectrum, x, pull)[0] for spectrum in (mine, theirs)]
    assert torch.allclose(*gradients, rtol=1e-12, atol=1e-12)


def test_the_gradient_has_a_gradient():
    """As a penalty on the gradient of a discriminator asks for it."""
    x = torch.randn(1, 1, 40, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: SharedStft()(x, 16, 4).abs().square(), x)


def test_the_way_back_is_a_real_transform_and_as_many_additions_as_frames_overlap():
    x = torch.randn(2, 1, 400, requires_grad=True)
    spectrum = SharedStft()(x, 64, 16)
    with Operators() as counter:
        torch.autograd.grad(spectrum, x, spectrum.detach())
    assert counter.found["_fft_c2r"] == 1
    assert counter.found["add_"] == 4
    assert not counter.found.keys() & {"_fft_c2c", "index_add", "index_add_", "index_put_"}
    assert counter.total <= 11
