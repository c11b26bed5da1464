"""P10: upsampling by interpolation and a convolution, beside the same in two steps and beside a transposed convolution.

That the values are those of the two steps is a test of the quick tier, in tests/components/test_resamplers.py.
"""

import torch
from torch import nn

from benchmarks.peers.alternating import Pair, tell
from flowvae_components.normalizations.none import none
from flowvae_components.upsamplers.resize_conv import ResizeConv

SHAPES = ((8, 512, 256, 138, 8), (8, 256, 128, 1104, 5), (8, 128, 64, 5520, 4), (4, 64, 32, 22080, 2))
"""Batch, channels in and out, frames, factor."""


def there_and_back(layer, shape):
    batch, i, _, n_frames, _ = shape
    x = torch.randn((batch, i, n_frames), requires_grad=True)
    gradient = torch.randn_like(layer(x))
    return lambda: layer(x).backward(gradient)


def ours(shape):
    _, i, o, _, factor = shape
    return there_and_back(ResizeConv(i, o, factor, normalization=none), shape)


def in_two_steps(shape):
    _, i, o, _, factor = shape
    conv = nn.Conv1d(i, o, 2 * factor + 1, padding=factor)
    return there_and_back(nn.Sequential(nn.Upsample(scale_factor=factor, mode="nearest"), conv), shape)


def transposed(shape):
    _, i, o, _, factor = shape
    padding = {"padding": (factor + 1) // 2, "output_padding": factor % 2}
    return there_and_back(nn.ConvTranspose1d(i, o, 2 * factor, stride=factor, **padding), shape)


PAIRS = [
    Pair(
        f"resize_conv {i} to {o} channels, {n_frames} frames, {factor} times, beside {name}",
        lambda shape=shape: ours(shape),
        lambda shape=shape, theirs=theirs: theirs(shape),
        goal,
        rounds=5,
    )
    for shape in SHAPES
    for _, i, o, n_frames, factor in [shape]
    for name, theirs, goal in (
        ("nearest and convolution", in_two_steps, 0.55),
        ("transposed convolution", transposed, 1.6),
    )
]

if __name__ == "__main__":
    tell("P10", __spec__.name, PAIRS)
