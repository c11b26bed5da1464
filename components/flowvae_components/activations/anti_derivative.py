"""An activation of the line between two samples, in place of each sample by itself."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Activation, Refused


@runtime_checkable
class Averaged(Protocol):
    """An activation whose antiderivative has a closed form."""

    def mean_between(self, a: Tensor, b: Tensor) -> Tensor:
        """The mean over all values from a to b, value by value: (F(b) - F(a)) / (b - a), and f(a) where b is a."""
        ...


class AntiDerivative(nn.Module):
    """Draws a line between each sample and the one before it, and takes the mean of the activation along the line.

    Formula: y[n] = (F(x[n]) - F(x[n-1])) / (x[n] - x[n-1]), F the antiderivative of the activation; y[n] =
        activation(x[n]) where both are the same, and x[-1] = x[0].
        It is the activation in continuous time with a window of one sample around it, so overtones beyond the Nyquist
        frequency are weaker before they fold. The activation's own closed form stands for the quotient, which loses its
        digits where samples are near each other.
    Shapes: (b, c, t) -> (b, c, t), any t.
    Units: hidden amplitudes, without unit. It is causal and late by half a sample, which nothing makes up for: in a
        residual unit the branch is as much behind the sum. A linear activation becomes the mean of two samples:
        -0.4 dB at 0.1 of the rate, -1.8 dB at 0.2, -3.0 dB at 0.25, -10 dB at 0.4, in each layer anew. It takes ten to
        twenty times as long as snake by itself, and 170 times as long as leaky_relu.
    Parameters:
        activation: what is averaged; it needs a mean_between, which flowvae's leaky_relu, snake and snake_beta have
    Source: Parker, Zavalishin and Le Bivic 2016, Reducing the aliasing of nonlinear waveshaping using continuous-time
        convolution, DAFx; Bilbao, Esqueda, Parker and Valimaki 2017, Antiderivative antialiasing for memoryless
        nonlinearities, IEEE Signal Processing Letters 24 (7).
    Errors: ValueError for an activation without a mean_between.

    >>> from flowvae_components.activations.leaky_relu import LeakyReLU
    >>> relu = AntiDerivative(1, activation=lambda channels: LeakyReLU(slope=0.0))
    >>> relu(torch.tensor([[[-1.0, 1.0, 1.0, 3.0]]]))
    tensor([[[0.0000, 0.2500, 1.0000, 2.0000]]])
    """

    def __init__(self, channels: int, *, activation: Activation) -> None:
        super().__init__()
        curve = activation(channels)
        if not isinstance(curve, Averaged):
            raise Refused(
                "activation",
                f"activation must have a closed antiderivative (mean_between), got {type(curve).__name__}; "
                "leaky_relu, snake and snake_beta have one",
            )
        self.activation = curve

    def forward(self, x: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        before = torch.cat((x[..., :1], x[..., :-1]), dim=-1)
        return self.activation.mean_between(before, x)
