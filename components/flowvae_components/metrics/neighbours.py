"""Who is near whom, measured by how near real sounds are to each other."""

from jaxtyping import Bool, Float
from torch import Tensor

from flowvae_components.metrics.discrepancy import squared_distances

K = 5
"""The neighbour that ends the reach of a real sound, as in the code of Naeem et al. 2020."""


def reached(real: Float[Tensor, "n e"], other: Float[Tensor, "m e"]) -> Bool[Tensor, "n m"]:
    """Which of the other vectors lie within the reach of which real one: no farther than its K-th real neighbour.

    Formula: |real_i - other_j| <= r_i, r_i the K-th smallest of |real_i - real_k|, k other than i.
    Shapes: (n, e), (m, e) -> (n, m); n must be above K.
    Units: none.
    Source: Kynkaanniemi et al. 2019, arxiv.org/abs/1904.06991.

    >>> import torch
    >>> reached(torch.arange(6.0)[:, None], torch.tensor([[3.0], [5.5]])).any(dim=1)
    tensor([True, True, True, True, True, True])
    """
    # The nearest of all is the sound itself: it is left out by counting it.
    reach = squared_distances(real, real).kthvalue(K + 1, dim=1).values
    return squared_distances(real, other) <= reach[:, None]
