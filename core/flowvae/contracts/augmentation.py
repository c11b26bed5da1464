from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor

    from flowvae.contracts.stream import Stream


@runtime_checkable
class BuiltAugmentation(Protocol):
    """Maps a batch (b, c, t) to another one, on the batch's device. The input is left as it was."""

    def __call__(self, batch: Tensor, stream: Stream) -> Tensor: ...


@runtime_checkable
class Augmentation(Protocol):
    """A change that leaves a sound of the same family. The same stream gives the same change.

    A batch comes with some slack before and after the clip: t = n_samples + 2 * slack, and the clip starts at
    `slack`. An augmentation either keeps t, or cuts the clip out itself and returns n_samples.
    """

    def __call__(self, sample_rate: int, n_samples: int) -> BuiltAugmentation: ...
