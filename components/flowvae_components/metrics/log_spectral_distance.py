"""The log-spectral distance that papers report."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence, Refused
from flowvae_components.metrics.spectral_distance import SpectralDistance


class LogSpectralDistance(nn.Module):
    """The log-spectral distance at one window, to set beside published figures.

    Formula: mean over channels and frames of sqrt(mean over f of (20 log10(Y / X))^2), with X, Y the magnitudes of the real
        sound and of the estimate, a Hann window of n_fft samples and a hop of a quarter of it, resting on `floor`.
        One window sees either an attack or a pitch; spectral_distance takes the mean over four. Published figures differ in
        their floor, and the floor decides what a silent tail costs: compare only with what was computed by the same one.
    Shapes: real and estimate (n, c, t) -> (n,).
    Units: dB; 0 where both are equal.
    Parameters:
        n_fft: the length of the window in samples
        floor: the amplitude, relative to full scale, below which nothing is told apart; -100 dB
    Source: Gray and Markel 1976, "Distance measures for speech processing"; window and hop as in Liu et al. 2023 (AudioSR),
        arxiv.org/abs/2309.07314.

    >>> import torch
    >>> x, codes = torch.randn(3, 1, 4000), torch.zeros(3, 2)
    >>> LogSpectralDistance()(Evidence(real=x, estimate=0.1 * x, generated=x, codes=codes, kl=codes[:, 0])).round()
    tensor([20., 20., 20.])
    """

    direction: Literal["lower", "higher", "none"] = "lower"
    unit: str = "dB"
    family: str = "spectral"
    reads: tuple[str, ...] = ("real", "estimate")

    def __init__(self, *, n_fft: int = 2048, floor: float = 1e-5) -> None:
        super().__init__()
        if n_fft < 4:
            raise Refused("n_fft", f"n_fft must be at least 4, got {n_fft}")
        if floor <= 0:
            raise Refused("floor", f"floor must be above 0, got {floor}")
        self.distance = SpectralDistance(n_ffts=(n_fft,), floor=floor)

    def forward(self, evidence: Evidence) -> Float[Tensor, " n"]:
        apart: Tensor = self.distance(evidence)
        return apart
