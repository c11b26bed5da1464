"""Filtered noise beside what another head makes."""

from itertools import pairwise
from math import prod

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Activation, Convolution, Head, Normalization, Refused
from flowvae_components.blocks.filtered_noise import filtered, impulse_responses
from flowvae_components.blocks.geometry import require_positive
from flowvae_components.blocks.initial import HEAD_GAIN, level_keeping
from flowvae_components.blocks.mod_sigmoid import mod_sigmoid
from flowvae_components.blocks.padded import ends_of, padded_conv

QUIET = 5.0
"""What is taken off the network's output before the gate: where it says 0, a band stands at 2.0e-5, or -94 dB."""


class NoiseSynth(nn.Module):
    """Adds noise to a signal; a small network says for each frame how loud each band of the noise is.

    Formula: y = head(x) + noise, noise = uniform numbers in [-1, 1), each frame through its filter, where
        amplitudes = mod_sigmoid(net(x) - 5) and the filter's gain at the centre of band k is
        (A[k - 1] + 2 * A[k] + A[k + 1]) / 4, see impulse_responses. net lowers the rate stage by stage, with 2 * stride taps.
        A frame's tail is added to the next frames; RAVE drops it. The noise starts silent, at -94 dB.
        Every call draws other noise, from torch's generator of the device.
    Shapes: (b, in, t) -> (b, out, t), any t: x ends in silence until the strides divide it. A frame is the product of the
        strides long; the filter has 2 * (bands - 1) taps.
    Units: y is an amplitude.
    Parameters:
        strides: the factors of the stages that lead from samples to frames, 2 or more each
        hidden: channels between the stages
        bands: gains of a filter, from 0 Hz to half the rate, 2 or more
        head: what makes the signal that the noise is added to
        activation: the non-linearity between the stages
        normalization: how the weights of the stages are held
        convolution: where the stages look; none: as far back as ahead (RAVE: back only)
    Source: the second version of RAVE, Caillon and Esling 2021, arxiv.org/abs/2111.05011; the synthesizer is that of Engel et
        al. 2020 (DDSP), arxiv.org/abs/2001.04643. RAVE's first version has strides of 4, 4, 4 and kernels that are
        shorter than their stride, so that samples go unheard; here none does.
    Errors: ValueError for impossible sizes.

    >>> def head(i, o): return nn.Conv1d(i, o, 1)
    >>> parts = {"head": head, "activation": lambda channels: nn.ELU(), "normalization": lambda layer: layer}
    >>> NoiseSynth(4, 1, **parts)(torch.zeros(2, 4, 21)).shape
    torch.Size([2, 1, 21])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        strides: tuple[int, ...] = (2, 2, 2),
        hidden: int = 128,
        bands: int = 5,
        head: Head,
        activation: Activation,
        normalization: Normalization,
        convolution: Convolution | None = None,
    ) -> None:
        super().__init__()
        require_positive("hidden", hidden)
        if not strides or min(strides) < 2:
            raise Refused("strides", f"strides must be one or more, of 2 or more each, got {strides}")
        if bands < 2:
            raise Refused("bands", f"bands must be at least 2, got {bands}")
        self.head = head(in_channels, out_channels)
        self.bands, self.frame = bands, prod(strides)
        widths = (in_channels, *[hidden] * (len(strides) - 1), bands * out_channels)
        self.net = nn.Sequential()
        for stage, (stride, (i, o)) in enumerate(zip(strides, pairwise(widths), strict=True), 1):
            last = stage == len(strides)
            layer = padded_conv(i, o, 2 * stride, stride=stride, padding=ends_of(stride, convolution))
            self.net.append(normalization(level_keeping(layer, HEAD_GAIN if last else 1.0)))
            if not last:
                self.net.append(activation(o))

    def forward(self, x: Float[Tensor, "b i t"]) -> Float[Tensor, "b o t"]:
        y: Tensor = self.head(x) + self.noise(x)
        return y

    def noise(self, x: Float[Tensor, "b i t"]) -> Float[Tensor, "b o t"]:
        """The noise alone, drawn anew at each call."""
        t = x.shape[-1]
        steer = self.net(functional.pad(x, (0, -t % self.frame)))
        # FFTs do not know half precision. Drawn in single precision always, so that a double hears the same noise.
        steer = steer.to(torch.promote_types(steer.dtype, torch.float32))
        b, _, n_frames = steer.shape
        amplitudes = mod_sigmoid(steer - QUIET).reshape(b, -1, self.bands, n_frames).mT
        drawn = torch.rand(*amplitudes.shape[:-1], self.frame, dtype=torch.float32, device=x.device)
        return filtered((2 * drawn - 1).to(steer.dtype), impulse_responses(amplitudes))[..., :t]
