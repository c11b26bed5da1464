"""Neural spline couplings."""

from flowvae.contracts import Refused
from torch import nn

from flowvae_zuko.library import zuko_flows
from flowvae_zuko.sizes import require_positive
from flowvae_zuko.vector_map import VectorMap


def zuko_nsf(
    features: int,
    context: int,
    *,
    n_couplings: int = 4,
    n_bins: int = 8,
    hidden: int = 128,
    n_hidden_layers: int = 2,
) -> VectorMap:
    """Bends each dimension of a vector along a spline; one half of the vector chooses the splines of the other.

    Formula: inside [-5, 5] each dimension goes through a rising rational-quadratic spline of n_bins pieces; outside
        it stays as it is. The splines of the first half depend on the context alone, those of the second on the
        first half as well; which half is which is drawn anew for each coupling. log_abs_det is the sum of the
        logarithms of the slopes. The inverse is a root of a quadratic, at the same cost. It starts as the identity.
    Shapes: x (b, features), context (b, context) or None; y (b, features), log_abs_det (b,).
    Units: log_abs_det is in nats.
    Parameters:
        n_couplings: number of couplings, each with halves of its own
        n_bins: pieces of each spline, 2 or more
        hidden: width of the nets that choose the splines
        n_hidden_layers: number of hidden layers of each net
    Source: Durkan, Bekasov, Murray and Papamakarios 2019, arxiv.org/abs/1906.04032, as in zuko's NSF with passes=2.
    Errors: ValueError for a count below its least.

    >>> import torch
    >>> y, log_abs_det = zuko_nsf(4, 0)(torch.zeros(5, 4))
    >>> y.shape, log_abs_det.shape
    (torch.Size([5, 4]), torch.Size([5]))
    """
    require_positive(n_couplings=n_couplings, hidden=hidden, n_hidden_layers=n_hidden_layers)
    if n_bins < 2:
        raise Refused("n_bins", f"n_bins must be 2 or more, got {n_bins}")
    flow = zuko_flows().NSF(
        features,
        context,
        bins=n_bins,
        transforms=n_couplings,
        passes=2,  # couplings; otherwise the inverse takes one pass for each dimension
        randperm=True,  # without it all couplings part the vector at the same place
        hidden_features=(hidden,) * n_hidden_layers,
        activation=nn.SiLU,  # smooth, so that the density has no kinks
    )
    return VectorMap(flow.transform, context)
