"""What every filter bank must do."""

import torch
from torch import Tensor, nn

from flowvae.contracts import Bands, BuiltBands
from flowvae.testing import checks_in, properties

FRAMES = 64


class _ThereAndBack(nn.Module):
    """The bank as one module, so that the properties of modules apply to both directions."""

    def __init__(self, bank: BuiltBands) -> None:
        super().__init__()
        self.bank = bank

    def forward(self, audio: Tensor) -> Tensor:
        """Analysis and synthesis of the input, repeated to the length that the bank needs."""
        t = FRAMES * self.bank.n_bands
        return self.bank.synthesis(self.bank.analysis(audio.repeat(1, 1, t // 32 + 1)[..., :t]))


def _sound(bank: BuiltBands, channels: int) -> Tensor:
    return properties.noise(2, channels, FRAMES * bank.n_bands)


def lengths_are_exact(make: Bands) -> None:
    """(b, c, t) becomes (b, c * n_bands, t / n_bands) and comes back."""
    bank = make()
    for channels in (1, 2):
        sound = _sound(bank, channels)
        bands = bank.analysis(sound)
        expected = (2, channels * bank.n_bands, FRAMES)
        assert tuple(bands.shape) == expected, f"analysis gives {tuple(bands.shape)}, expected {expected}"
        back = bank.synthesis(bands)
        assert back.shape == sound.shape, (
            f"synthesis gives {tuple(back.shape)}, expected {tuple(sound.shape)}"
        )


def synthesis_undoes_analysis_up_to_the_ends(make: Bands) -> None:
    """The error is 40 dB below the sound, in its first and last frames as well."""
    bank = make()
    sound = _sound(bank, 1)
    error = bank.synthesis(bank.analysis(sound)) - sound
    size = 8 * bank.n_bands
    for name, part in (("first", slice(size)), ("last", slice(-size, None)), ("all", slice(None))):
        ratio = float(error[..., part].norm() / sound[..., part].norm())
        assert ratio < 0.01, (
            f"the error in the {name} samples is {ratio:.3f} of the sound: a delay, or bands cut off at the ends"
        )


def noise_keeps_its_level(make: Bands) -> None:
    """White noise of standard deviation 1 gives bands of standard deviation 1."""
    bank = make()
    level = float(bank.analysis(_sound(bank, 4)).square().mean().sqrt())
    assert abs(level - 1) < 0.15, (
        f"bands have standard deviation {level:.2f}: scale by the square root of n_bands"
    )


def channels_come_one_after_another(make: Bands) -> None:
    """The bands of channel 0 come first, and channels do not mix."""
    bank = make()
    sound = _sound(bank, 2)
    both, first = bank.analysis(sound), bank.analysis(sound[:, :1])
    assert torch.allclose(both[:, : bank.n_bands], first, atol=1e-5), (
        "the first n_bands of two channels are not those of channel 0: order is (channel, band)"
    )


CHECKS = (*checks_in(globals()), *properties.of_modules(lambda make: _ThereAndBack(make()), 3, 1, 32))
