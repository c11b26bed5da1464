"""Whether a model keeps quiet when nothing was played."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence

FLOOR = 1e-6
"""An answer below this level (-120 dB) is rounding, not sound."""


class SilenceLevel(nn.Module):
    """How loud the reconstruction of a silent clip is.

    Formula: 10 log10(max(mean over channels and samples of y^2, FLOOR^2)), y what the model makes of silence.
        All that is heard here is the model's own: biases that pass its layers, its noise, tones of its layers.
    Shapes: silence (1, c, t) -> ().
    Units: dB of full scale; a sine that reaches full scale is at -3, a file of 16 bits rounds at -101. -120 is the least
        that is told.
    Source: Pons et al. 2021, arxiv.org/abs/2010.14356, listen to models on constant input; the figure is ours.

    >>> import torch
    >>> codes, y = torch.zeros(1, 2), torch.full((1, 1, 100), 0.01)
    >>> SilenceLevel()(Evidence(real=y, estimate=y, generated=y, codes=codes, kl=codes[:, 0], silence=y))
    tensor(-40.)
    """

    direction: Literal["lower", "higher", "none"] = "lower"
    unit: str = "dBFS"
    family: str = "artefact"
    reads: tuple[str, ...] = ("silence",)
    limits: tuple[float | None, float | None] = (-120.0, None)

    def forward(self, evidence: Evidence) -> Float[Tensor, ""]:
        return 10 * evidence.silence.square().mean().clamp_min(FLOOR**2).log10()
