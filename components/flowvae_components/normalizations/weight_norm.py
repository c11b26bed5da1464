"""Weight normalization: the length and the direction of a filter are learnt apart."""

from torch import Tensor, nn
from torch.nn.utils import parametrizations


def weight_norm(layer: nn.Module) -> nn.Module:
    """Splits the weight of a layer into directions and lengths.

    Formula: weight = g * v / ||v||, where v is the weight as initialised and g = ||v||, one g for each slice
        of the first axis: the output channels of a convolution, the input channels of a transposed one, as
        in the published vocoders.
    Shapes: the layer's own; g is (first axis, 1, ...), v has the shape of the weight.
    Units: weights have none.
    Parameters: none.
    Source: Salimans and Kingma 2016, arxiv.org/abs/1602.07868.
    Errors: ValueError where a slice of the weight is zero: it has no direction, and would turn into NaN.

    >>> layer = nn.Conv1d(2, 3, 5)
    >>> sorted(name for name, _ in weight_norm(layer).named_parameters())
    ['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1']
    """
    weight = getattr(layer, "weight", None)
    if not isinstance(weight, Tensor):
        raise TypeError(f"weight_norm needs a layer with a weight, got {type(layer).__name__}")
    if not weight.is_meta and not bool(weight.detach().flatten(1).any(dim=1).all()):
        raise ValueError("weight_norm needs a direction, got a weight with a slice of zeros")
    wrapped: nn.Module = parametrizations.weight_norm(layer)
    return wrapped
