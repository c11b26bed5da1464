"""P4: snake, beside the Descript codec's, which is scripted."""

import torch
from torch import nn

from benchmarks.peers.alternating import Pair, compared, missing, tell
from counting import kept_bytes
from flowvae_components.activations.snake import Snake
from peer_packages import imported, is_there

SHAPE = (8, 64, 11040)


def there_and_back(layer):
    x, gradient = torch.randn(SHAPE, requires_grad=True), torch.randn(SHAPE)
    return lambda: layer(x).backward(gradient)


def codec():
    return imported("dac", "nn.layers").layers.Snake1d(SHAPE[1])


def kept():
    """Bytes for the way back, beside the output that the next layer keeps."""
    if not is_there("dac"):
        return [missing("P4", "kept for the way back", "dac")]
    found = []
    for layer in (Snake(SHAPE[1]), codec()):
        for _ in range(3):  # a scripted function is another one once it has been called
            x = torch.randn(SHAPE, requires_grad=True)
            with kept_bytes() as total:
                y = layer(x)
        found.append(total(y))
    return [compared("P4", "snake: bytes kept for the way back, beside its output", *found, 0.25)]


def compiled():
    layer: nn.Module = Snake(SHAPE[1])
    layer.compile()
    return layer


PAIRS = [
    Pair("snake", lambda: there_and_back(Snake(64)), lambda: there_and_back(codec()), 0.9, peer="dac"),
    Pair(
        "snake, compiled",
        lambda: there_and_back(compiled()),
        lambda: there_and_back(codec()),
        0.25,
        peer="dac",
    ),
]

if __name__ == "__main__":
    tell("P4", __spec__.name, PAIRS, kept)
