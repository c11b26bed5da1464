"""Clicks where a sound fades out."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Evidence, Refused

FLOOR = 1e-4
"""A step of -80 dB of full scale is no click: it rests under the noise of a room."""


class TailClick(nn.Module):
    """How far the largest step in the tail of a reconstruction stands above the largest in the tail of its sound.

    Formula: max(0, 20 log10((step(y) + FLOOR) / (step(x) + FLOOR))), step(x) = max of |x_(t+1) - x_t| over channels and
        over the last `tail_ms`, silence after the end included: a sound that is cut off steps to 0.
        A step that the real sound has as well is no fault. Noise is steps all over: in a noisy tail a click must be
        larger than those, as it must to be heard. A tail that is smoother than the real one counts 0.
    Shapes: real and estimate (n, c, t) -> (n,).
    Units: dB; 0 where the estimate steps no farther. A click at full scale over a silent tail has 80 dB, 86 dB where it
        goes from end to end.
    Parameters:
        tail_ms: length of the tail in milliseconds before the end of the clip; of a shorter clip, all of it.
    Source: the definition is ours; a step is what one hears where a loop or a file ends away from 0.

    >>> import torch
    >>> x, codes = torch.zeros(1, 1, 2000), torch.zeros(1, 2)
    >>> figure = TailClick(44100)(Evidence(real=x, estimate=x + 0.1, generated=x, codes=codes, kl=codes[:, 0]))
    >>> figure.round()
    tensor([60.])
    """

    direction: Literal["lower", "higher", "none"] = "lower"
    unit: str = "dB"
    family: str = "artefact"
    reads: tuple[str, ...] = ("real", "estimate")

    def __init__(self, sample_rate: int, *, tail_ms: float = 20.0) -> None:
        super().__init__()
        if tail_ms <= 0:
            raise Refused("tail_ms", f"tail_ms must be above 0, got {tail_ms}")
        self.n_tail = max(1, round(tail_ms * sample_rate / 1000))

    def forward(self, evidence: Evidence) -> Float[Tensor, " n"]:
        x, y = self._step(evidence.real), self._step(evidence.estimate)
        return 20 * ((y + FLOOR) / (x + FLOOR)).log10().clamp_min(0)

    def _step(self, audio: Tensor) -> Tensor:
        tail = functional.pad(audio[..., -self.n_tail :], (0, 1))
        return tail.diff(dim=2).abs().amax(dim=(1, 2))
