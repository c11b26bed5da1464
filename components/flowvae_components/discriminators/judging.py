"""How a stack of convolutions comes to a judgement."""

from collections.abc import Callable, Iterable

from torch import Tensor
from torch.nn import functional

from flowvae.contracts import Judgement


def judged(
    layers: Iterable[Callable[[Tensor], Tensor]], last: Callable[[Tensor], Tensor], x: Tensor, slope: float
) -> Judgement:
    """Runs a stack, and keeps what each of its hidden layers says.

    Formula: f_0 = x; f_i = leaky(layer_i(f_i-1)); logits = last(f_n), leaky(x) = x where x > 0, else slope * x.
    Shapes: x as the first layer takes it -> (logits, [f_1, ..., f_n]).
    Units: hidden amplitudes and logits, without unit.
    Source: the discriminators of MelGAN, Kumar et al. 2019, arxiv.org/abs/1910.06711.

    >>> import torch
    >>> logits, features = judged([torch.nn.Conv1d(1, 4, 3)], torch.nn.Conv1d(4, 1, 3), torch.zeros(2, 1, 9), 0.1)
    >>> logits.shape, [feature.shape for feature in features]
    (torch.Size([2, 1, 5]), [torch.Size([2, 4, 7])])
    """
    features = []
    for layer in layers:
        # In place: no convolution needs its own output to find its gradient, and half of the memory is saved.
        x = functional.leaky_relu(layer(x), slope, inplace=True)
        features.append(x)
    return last(x), features
