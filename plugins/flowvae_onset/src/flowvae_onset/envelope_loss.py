"""A distance between loudness over time."""

from flowvae.contracts import Refused
from jaxtyping import Float
from torch import Tensor, nn

from flowvae_onset.contracts import Envelope


class EnvelopeLoss(nn.Module):
    """Compares how two sounds rise and fall, and nothing else of them.

    Formula: mean over frames of (20 log10((e(estimate) + floor) / (e(target) + floor)))^2, e the envelope.
        The floor is where silence begins: what lies far below it costs nothing. The square lets the gradient fade
        as the envelopes meet; an absolute difference would push a quiet frame to and fro.
    Shapes: target and estimate (b, c, t) -> scalar.
    Units: dB^2.
    Parameters:
        floor: amplitude that is told from silence, above 0; 0.01 is -40 dB of full scale
        envelope: how loudness is read
    Source: the logarithmic envelope of onset detection, as in Klapuri 1999.
    Errors: ValueError where the floor is not above 0.

    >>> import torch
    >>> def highest(sample_rate): return lambda audio: audio.abs().amax(1)
    >>> loss = EnvelopeLoss(44100, envelope=highest, floor=1e-6)
    >>> round(float(loss(torch.ones(1, 1, 4), torch.full((1, 1, 4), 10.0))))
    400
    """

    def __init__(self, sample_rate: int, *, floor: float = 1e-2, envelope: Envelope) -> None:
        super().__init__()
        if floor <= 0:
            raise Refused("floor", f"floor must be above 0, got {floor}")
        self.floor = floor
        self.envelope = envelope(sample_rate)

    def forward(self, target: Float[Tensor, "b c t"], estimate: Float[Tensor, "b c t"]) -> Float[Tensor, ""]:
        return (self._level_db(estimate) - self._level_db(target)).square().mean()

    def _level_db(self, audio: Tensor) -> Tensor:
        envelope: Tensor = self.envelope(audio)
        return 20 * (envelope + self.floor).log10()
