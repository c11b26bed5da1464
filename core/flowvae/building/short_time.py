"""The short-time Fourier transform with a gradient that takes the way back as a transform of the same size."""

from typing import Any

import torch
from torch import Tensor


def transformed(padded: Tensor, window: Tensor, hop_length: int) -> Tensor:
    """The spectra of frames that lie `hop_length` apart: as torch.stft, whose gradient takes six times as long.

    (b, t) and (n_fft,) to complex (b, n_fft // 2 + 1, n_frames).

    >>> transformed(torch.zeros(2, 64), torch.ones(16), 8).shape
    torch.Size([2, 9, 7])
    """
    spectrum: Tensor = _Transform.apply(padded, window, hop_length)  # type: ignore[no-untyped-call]  # torch leaves apply untyped
    return spectrum


class _Transform(torch.autograd.Function):
    """Torch transforms the gradient of all bins of a full spectrum, and adds overlapping frames number by number.

    With X[k] = sum over n of w[n] x[n] exp(-2 pi i k n / N), k from 0 to N / 2, and G the gradient of X, that of x is
    w[n] * the real part of the sum over k of G[k] exp(2 pi i k n / N): half of what the inverse transform of a real signal
    makes of G, which counts all bins twice but the first and, where N is even, the last.
    """

    @staticmethod
    def forward(ctx: Any, padded: Tensor, window: Tensor, hop_length: int) -> Tensor:
        ctx.save_for_backward(window)
        ctx.hop_length, ctx.length = hop_length, padded.shape[-1]
        return torch.stft(padded, len(window), hop_length, window=window, center=False, return_complex=True)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,), (window,) = gradients, ctx.saved_tensors
        n_fft = len(window)
        half = gradient.clone()
        half[:, :: n_fft // 2 if n_fft % 2 == 0 else n_fft].mul_(2)
        frames = torch.fft.irfft(half, n_fft, dim=1, norm="forward").mul_((window / 2)[:, None])
        return _overlapped(frames.transpose(1, 2), ctx.hop_length, ctx.length), None, None


def _overlapped(frames: Tensor, hop_length: int, length: int) -> Tensor:
    """The sum of frames (b, n_frames, n_fft) at their places in a signal: as many additions as frames overlap."""
    b, n_frames, _ = frames.shape
    pieces = torch.split(frames, hop_length, dim=2)
    rows = max(n_frames + len(pieces) - 1, -(-length // hop_length))
    whole = frames.new_zeros(b, rows, hop_length)
    for late, piece in enumerate(pieces):
        whole[:, late : late + n_frames, : piece.shape[2]].add_(piece)
    return whole.flatten(1)[:, :length]
