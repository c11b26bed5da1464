"""A distance between the bands of two sounds."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Bands, Refused, Stft
from flowvae_components.spectra.multi_resolution import MultiResolution


class SubbandSTFT(nn.Module):
    """Compares spectrograms band by band, so that what is faint in one band does not drown in another.

    Formula: mean over windows of convergence + logarithm, as multi_resolution_stft, of the outputs of a filter bank.
        Each band of each channel is an item with a loudness of its own, and all items weigh alike. A sound whose
        length the bank cannot divide is followed by silence up to where it can.
    Shapes: target and estimate (b, c, t) -> scalar; a band has t / n_bands samples.
    Units: relative; the bank keeps the level of white noise, so a full-scale sine may read sqrt(n_bands) in its band.
    Parameters:
        bands: the filter bank; it is the loss's own, whatever the model hears
        n_ffts: window lengths in samples of a band: n_bands of them pass in one; half of the longest must be
            shorter than a band.
        overlap: how many windows cover a sample; the hop is n_fft / overlap.
        floor: the amplitude, relative to full scale, below which nothing is told apart.
    Source: the multi-band distance of Caillon and Esling 2021 (RAVE), arxiv.org/abs/2111.05011, and of Yang et al.
        2020 (Multi-band MelGAN), arxiv.org/abs/2005.05106, with the distance of Parallel WaveGAN,
        arxiv.org/abs/1910.11480.
    Errors: Refused for n_ffts that are too long for the bands of a sound, and for sounds too short for the bank.

    >>> import torch
    >>> class Halves:
    ...     n_bands = 2
    ...     def analysis(self, audio):
    ...         return torch.cat((audio[..., ::2], audio[..., 1::2]), dim=1)
    >>> def stft(audio, n_fft, hop_length):
    ...     return torch.stft(audio.flatten(0, 1), n_fft, hop_length, window=torch.hann_window(n_fft), return_complex=True)
    >>> x = torch.randn(2, 1, 4096)
    >>> SubbandSTFT(stft, bands=Halves)(x, x)
    tensor(0.)
    """

    def __init__(
        self,
        stft: Stft,
        *,
        bands: Bands,
        n_ffts: tuple[int, ...] = (512, 128, 32),
        overlap: int = 4,
        floor: float = 1e-4,
    ) -> None:
        super().__init__()
        self.bank = bands()
        self.spectra = MultiResolution(stft, n_ffts, overlap, floor)

    def forward(self, target: Float[Tensor, "b c t"], estimate: Float[Tensor, "b c t"]) -> Float[Tensor, ""]:
        return self.spectra.distance(self._bands(target), self._bands(estimate))

    def _bands(self, audio: Tensor) -> Tensor:
        n_bands, longest = self.bank.n_bands, max(self.spectra.n_ffts)
        n_frames = -(-audio.shape[-1] // n_bands)
        if longest // 2 >= n_frames:
            raise Refused(
                "n_ffts",
                f"n_ffts must be at most {2 * n_frames - 1}: {n_bands} bands have {n_frames} samples each, got {longest}",
            )
        whole = functional.pad(audio, (0, n_frames * n_bands - audio.shape[-1]))
        try:
            return self.bank.analysis(whole)
        except ValueError as error:  # the bank knows its lengths, the recipe whose slot it stands in
            raise Refused(
                "bands", f"bands cannot split a sound of {audio.shape[-1]} samples: {error}"
            ) from error
