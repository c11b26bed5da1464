"""P12: what share of the rate at which this machine computes convolutions a whole step of ours reaches."""

from statistics import median

import torch
from torch import nn

from benchmarks.peers.alternating import Row, alternate, ratio_of, tell
from benchmarks.peers.sounds import decaying_noise, training_on
from flowvae.probe.flops import MultiplyAdds

CHANNELS, N_FRAMES, TAPS = 384, 1104, 7
"""In the middle of the convolutions that come next to the limit, of 192 to 768 channels."""
ROUNDS = 5
LEAKY = ('defaults.activation={ use = "leaky_relu" }',)
STEPS = (
    ("percussion, snake", "percussion", (2, 44160), (), 0.6),
    ("percussion, leaky ReLU", "percussion", (2, 44160), LEAKY, 0.7),
    ("percussion_small", "percussion_small", (4, 16384), (), None),
)


def convolution():
    """There and back."""
    layer = nn.Conv1d(CHANNELS, CHANNELS, TAPS, padding=TAPS // 2)
    x = torch.randn((8, CHANNELS, N_FRAMES), requires_grad=True)
    gradient = torch.randn_like(layer(x))
    return lambda: layer(x).backward(gradient)


def multiply_adds(work):
    with MultiplyAdds() as counter:
        work()
    return counter.total


def shares():
    limit = convolution()
    for what, recipe, sizes, settings, goal in STEPS:
        training = training_on(decaying_noise(*sizes), recipe, settings)

        def step(training=training):
            training.step(0)

        step()
        sums = [multiply_adds(work) for work in (step, limit)]
        seconds = alternate(step, limit, ROUNDS)
        rates = [[total / s for s in side] for total, side in zip(sums, seconds, strict=True)]
        share, text = ratio_of([mine / most for mine, most in zip(*rates, strict=True)])
        figures = [f"{2 * median(side) / 1e9:.0f} GFLOP/s" for side in rates]
        met = None if goal is None else share >= goal
        yield Row("P12", f"share of the limit, {what}", *figures, text, f">= {goal:.2f}" if goal else "", met)


if __name__ == "__main__":
    tell("P12", __spec__.name, [], shares)
