from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor, nn


@runtime_checkable
class Stft(Protocol):
    """A short-time Fourier transform that is computed once for all who ask for it within a step.

    (b, c, t) to complex (b * c, n_fft // 2 + 1, n_frames): periodic Hann window of n_fft samples, centred
    frames, reflected ends, not scaled.
    """

    def __call__(self, audio: Tensor, n_fft: int, hop_length: int) -> Tensor: ...


@runtime_checkable
class Loss(Protocol):
    """A distance between a target and an estimate, (b, c, t) each, as a scalar to minimise.

    The module is called as `loss(target, estimate)`. The target carries no gradient. The loss is finite on
    silence, 0 where both are equal, and its own weight is 1: the recipe's `weight` multiplies it. One that
    cannot hear every number of channels or samples raises Refused where it is called; the probe calls each once. A
    class may say `within_clip`, a tuple of its keys whose values are lengths in samples: a recipe in which one is longer
    than a clip is refused before anything is built.
    """

    def __call__(self, sample_rate: int, stft: Stft) -> nn.Module: ...
