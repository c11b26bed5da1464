"""Masked autoregressive flow."""

from torch import nn

from flowvae_zuko.library import zuko_flows
from flowvae_zuko.sizes import require_positive
from flowvae_zuko.vector_map import VectorMap


def zuko_maf(
    features: int, context: int, *, n_transforms: int = 3, hidden: int = 128, n_hidden_layers: int = 2
) -> VectorMap:
    """Scales and shifts each dimension as the ones before it choose, in both orders in turn.

    Formula: y[i] = x[i] * exp(s[i]) + t[i] with (s, t)[i] = net(x[0], ..., x[i - 1], context); log_abs_det is the sum
        of s, each softly kept within 6.9. Forward is one pass; the inverse takes a pass for each dimension, which
        a prior pays when it draws sounds and a posterior never. It starts as the identity.
    Shapes: x (b, features), context (b, context) or None; y (b, features), log_abs_det (b,).
    Units: log_abs_det is in nats.
    Parameters:
        n_transforms: number of autoregressive maps, the order of the dimensions turned round after each
        hidden: width of the nets
        n_hidden_layers: number of hidden layers of each net
    Source: Papamakarios, Pavlakou and Murray 2017, arxiv.org/abs/1705.07057, as in zuko's MAF.
    Errors: ValueError for a count below 1.

    >>> import torch
    >>> y, log_abs_det = zuko_maf(4, 0)(torch.zeros(5, 4))
    >>> y.shape, log_abs_det.shape
    (torch.Size([5, 4]), torch.Size([5]))
    """
    require_positive(n_transforms=n_transforms, hidden=hidden, n_hidden_layers=n_hidden_layers)
    flow = zuko_flows().MAF(
        features,
        context,
        transforms=n_transforms,
        hidden_features=(hidden,) * n_hidden_layers,
        activation=nn.SiLU,  # smooth, so that the density has no kinks
    )
    return VectorMap(flow.transform, context)
