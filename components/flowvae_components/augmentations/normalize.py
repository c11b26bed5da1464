"""One loudness for all."""

from jaxtyping import Float
from torch import Tensor

from flowvae.contracts import Refused, Stream


class Normalize:
    """Brings every sound to the same peak, the quietest ones only as far as a gain allows.

    Formula: y = x * min(level / peak, most), level = 10^(peak_db / 20), most = 10^(max_gain_db / 20), and the peak is
        the highest |x| in all channels, what lies before and after the clip included. Silence stays silence.
        Nothing is drawn. Loudness in LUFS would need 400 ms of sound, which a short hit has not.
    Shapes: (b, c, t) -> the same; one gain a sound, the same in all channels, so a stereo image is kept.
    Units: decibels; full scale is 1.
    Parameters:
        peak_db: the peak that sounds are brought to, in decibels of full scale.
        max_gain_db: the most that a sound is raised by, in decibels, so that the noise of a silent one stays low.
    Source: RAVE, Caillon and Esling 2021, arxiv.org/abs/2111.05011.

    >>> import torch
    >>> from flowvae.testing.streams import SeededStream
    >>> Normalize()(torch.tensor([[[0.5, -0.25]], [[0.0, 0.0]]]), SeededStream(0))
    tensor([[[ 1.0000, -0.5000]],
    <BLANKLINE>
            [[ 0.0000,  0.0000]]])
    """

    def __init__(self, *, peak_db: float = 0.0, max_gain_db: float = 30.0) -> None:
        if not -120 <= peak_db <= 0:  # below it there is nothing left of 20 bits
            raise Refused("peak_db", f"peak_db must be from -120 to 0, got {peak_db}")
        if not 0 <= max_gain_db <= 120:
            raise Refused("max_gain_db", f"max_gain_db must be from 0 to 120, got {max_gain_db}")
        self.level, self.most = 10 ** (peak_db / 20), 10 ** (max_gain_db / 20)

    def __call__(self, batch: Float[Tensor, "b c t"], stream: Stream) -> Float[Tensor, "b c t"]:
        peak = batch.abs().amax(dim=(1, 2), keepdim=True)
        # The smaller gain is the larger divisor, and this one is never 0.
        return batch / (peak / self.level).clamp(min=1 / self.most)
