"""A sound as a vector of numbers, without a network."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae_components.spectra.mel_filters import mel_filters

WINDOWS = ((256, 24), (1024, 64), (4096, 128))
"""Window lengths in samples with their numbers of mel bands: 6, 23 and 93 ms at 44.1 kHz, from attack to pitch."""
FLOOR_DB = -90.0
"""Below it nothing is told apart. At -60 dB the noise of a model in a silent tail would not show."""
CHUNK = 64
"""Sounds that are transformed at a time: bounds the memory, whatever the size of the set."""


class MelStatistics(nn.Module):
    """Mean, standard deviation and maximum over time of the level in each mel band, under three windows.

    Formula: level = 10 log10(filters @ P + 10^(FLOOR_DB / 10)), P the power of a short-time spectrum in units of full
        scale, averaged over channels; of each band the mean, the standard deviation and the maximum over frames.
        What has no statistic, and so does not count: the order in time, a delay, phase, polarity. Level does count,
        and so does silence around a sound: compare sounds of one length.
    Shapes: (n, c, t) -> (n, 648), in double precision, which distances between near neighbours need.
    Units: dB of full scale, from FLOOR_DB up. Any length will do: the ends are filled up with silence.
    Source: the features are ours; mean and deviation of mel bands as in Logan 2000, "Mel frequency cepstral
        coefficients for music modeling", at the resolutions of the losses.

    >>> MelStatistics(44100)(torch.zeros(2, 1, 100)).shape
    torch.Size([2, 648])
    """

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        for n_fft, n_mels in WINDOWS:
            # An area of 1 over hertz becomes one over bins: a filter is the mean power of its band.
            filters = mel_filters(sample_rate, n_fft, n_mels) * (sample_rate / n_fft)
            self.register_buffer(f"filters_{n_fft}", filters.double(), persistent=False)

    def forward(self, audio: Float[Tensor, "n c t"]) -> Float[Tensor, "n e"]:
        return torch.cat([self._of_some(part) for part in torch.split(audio, CHUNK)])

    def _of_some(self, audio: Tensor) -> Tensor:
        statistics: list[Tensor] = []
        for n_fft, _ in WINDOWS:
            window = torch.hann_window(n_fft, dtype=audio.dtype, device=audio.device)
            spectrum = torch.stft(
                audio.flatten(0, 1),
                n_fft,
                n_fft // 4,
                window=window,
                pad_mode="constant",
                return_complex=True,
            )
            # A sine of amplitude 1 has the magnitude n_fft / 4 under a Hann window.
            power = (spectrum.abs() * (4 / n_fft)).square()
            power = power.view(*audio.shape[:2], *power.shape[1:]).mean(dim=1).double()
            bands = self.get_buffer(f"filters_{n_fft}").to(audio.device) @ power
            level = 10 * (bands + 10 ** (FLOOR_DB / 10)).log10()
            statistics += [level.mean(dim=2), level.std(dim=2, correction=0), level.amax(dim=2)]
        return torch.cat(statistics, dim=1)
