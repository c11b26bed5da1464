"""Noise through a filter that changes from frame to frame."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def impulse_responses(amplitudes: Float[Tensor, "*any bands"]) -> Float[Tensor, "*any taps"]:
    """Filters of no delay with these gains, from 0 Hz to half the rate in equal steps.

    Formula: h = irfft(amplitudes) * hann, both turned so that time 0 stands in the middle, at tap bands - 1 of
        2 * (bands - 1). The window lets no filter ring, and smooths over the bands:
        the gain at the centre of band k is (A[k - 1] + 2 * A[k] + A[k + 1]) / 4, with A mirrored at both ends.
    Shapes: (..., bands) -> (..., 2 * (bands - 1)).
    Units: gains; taps are in samples.
    Source: Engel et al. 2020 (DDSP), arxiv.org/abs/2001.04643.

    >>> impulse_responses(torch.ones(3))
    tensor([0., 0., 1., 0.])
    """
    taps = 2 * (amplitudes.shape[-1] - 1)
    h: Tensor = torch.fft.irfft(torch.complex(amplitudes, torch.zeros_like(amplitudes)), n=taps)
    window = torch.hann_window(taps, dtype=h.dtype, device=h.device)
    return h.roll(taps // 2, -1) * window


def filtered(
    noise: Float[Tensor, "b c n frame"], responses: Float[Tensor, "b c n taps"]
) -> Float[Tensor, "b c t"]:
    """Each frame through its own filter, each tail added to the frames that it reaches.

    Formula: y[t] = sum over frames n and samples i of noise[n, i] * responses[n, t + taps / 2 - n * frame - i], by FFTs that
        are long enough for a whole tail. What would come before the first frame or after the last is cut off.
    Shapes: (b, c, n_frames, frame) and (b, c, n_frames, taps) -> (b, c, n_frames * frame).
    Units: of the noise.
    Source: overlap and add, Oppenheim and Schafer, Discrete-Time Signal Processing, section 8.7.

    >>> filtered(torch.ones(1, 1, 2, 3), torch.tensor([0.0, 0.5, 1.0, 0.5]).expand(1, 1, 2, 4))
    tensor([[[1.5000, 2.0000, 2.0000, 2.0000, 2.0000, 1.5000]]])
    """
    b, c, n_frames, frame = noise.shape
    taps = responses.shape[-1]
    reach = frame + taps - 1
    whole = torch.fft.irfft(torch.fft.rfft(noise, reach) * torch.fft.rfft(responses, reach), reach)
    added = functional.fold(
        whole.reshape(b * c, n_frames, reach).mT,
        output_size=(1, n_frames * frame + taps - 1),
        kernel_size=(1, reach),
        stride=(1, frame),
    )
    return added.reshape(b, c, -1)[..., taps // 2 : taps // 2 + n_frames * frame]
