from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor

    from flowvae.contracts.loss import Stft
    from flowvae.contracts.stream import Stream

Judgement: TypeAlias = "tuple[Tensor, Sequence[Tensor]]"
"""What one sub-discriminator says of a batch: logits, above some boundary where it takes the sound for real, and the
hidden features that led to them, in their order. The first axis of each is the batch."""


@runtime_checkable
class BuiltDiscriminator(Protocol):
    """A torch.nn.Module that tells real sounds from estimates."""

    def __call__(self, audio: Tensor, stream: Stream) -> Sequence[Judgement]:
        """(b, c, n_samples) to a judgement of each sub-discriminator, always the same number of them.

        What it draws, it draws from the stream, for the batch as a whole: real sounds and estimates of one step are
        given streams of one key, in one batch or in two.
        """


@runtime_checkable
class Discriminator(Protocol):
    """The second player. The parent gives the number of channels (all of them are heard), the rate and the length.

    The judgement is finite on silence and leaves no sound of the batch to another. `stft` serves who wants a spectrum
    that others want too. A class may say `within_clip`, a tuple of its keys whose values are lengths in samples: a recipe
    in which one is longer than what the discriminators hear is refused before anything is built.
    """

    def __call__(self, channels: int, sample_rate: int, n_samples: int, stft: Stft) -> BuiltDiscriminator: ...
