"""Whether the prior draws sounds that one does not hear."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence

FLOOR = 1e-4
"""A sound below this level (-80 dB of full scale) counts as that loud, so that silence has a level."""


class FaintestSample(nn.Module):
    """How far the faintest of the prior's samples lies below the median level of the held-out sounds.

    Formula: median over real x of L(x) - min over generated y of L(y), L(x) = 10 log10(E(x) + FLOOR^2), E the mean over
        channels and samples of the square.
        An extreme: it grows with the number of samples, so figures of other numbers of them do not compare. Real sounds
        differ in level as well: how far the faintest of them lies below is the figure to set beside it.
    Shapes: real (n, c, t), generated (m, c, t) -> ().
    Units: dB; below 0 where every sample is louder than half of the sounds.
    Source: the definition is ours. A prior that is wider than all posteriors together draws codes from between them,
        which may decode to hardly anything.

    >>> import torch
    >>> x, codes = torch.randn(4, 1, 2000), torch.zeros(4, 2)
    >>> one_is_faint = x * torch.tensor([1.0, 1.0, 1.0, 0.1])[:, None, None]
    >>> FaintestSample()(Evidence(real=x, estimate=x, generated=one_is_faint, codes=codes, kl=codes[:, 0])).round()
    tensor(20.)
    """

    direction: Literal["lower", "higher", "none"] = "lower"
    unit: str = "dB"
    family: str = "distribution"
    reads: tuple[str, ...] = ("real", "generated")

    def forward(self, evidence: Evidence) -> Float[Tensor, ""]:
        real, generated = (
            10 * (audio.square().mean(dim=(1, 2)) + FLOOR**2).log10()
            for audio in (evidence.real, evidence.generated)
        )
        return real.median() - generated.min()
