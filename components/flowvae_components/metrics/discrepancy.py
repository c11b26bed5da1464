"""How far apart two clouds of vectors are."""

import torch
from jaxtyping import Float
from torch import Tensor

SHRINK = 0.25
"""A feature counts in its own spread, but not in less than about a quarter of the usual one: else features that hardly
vary, as bands above the end of a recording, would decide everything."""


def spread(reference: Float[Tensor, "n e"], *, least: float) -> Float[Tensor, " e"]:
    """What each feature is divided by before distances are taken.

    Formula: max(least, sqrt(sd^2 + (SHRINK * median of sd)^2)), sd the standard deviation over the reference.
    Shapes: (n, e) -> (e,).
    Units: those of the features. `least` keeps a reference without any spread from dividing by 0.

    >>> spread(torch.tensor([[0.0, 1.0], [2.0, 1.0]]), least=0.5)
    tensor([1.0000, 0.5000])
    """
    deviation = reference.std(dim=0, correction=0)
    return (deviation.square() + (SHRINK * deviation.median()).square()).sqrt().clamp_min(least)


def squared_distances(x: Float[Tensor, "n e"], y: Float[Tensor, "m e"]) -> Float[Tensor, "n m"]:
    """|x_i - y_j|^2, from differences: by way of products, equal vectors would be a hair apart.

    >>> squared_distances(torch.zeros(1, 2), torch.ones(3, 2))
    tensor([[2.0000, 2.0000, 2.0000]])
    """
    distances: Tensor = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
    return distances.square()


def discrepancy(reference: Float[Tensor, "n e"], other: Float[Tensor, "m e"]) -> Float[Tensor, ""]:
    """The squared maximum mean discrepancy of two sets, estimated without bias.

    Formula: mean of k(x, x') over pairs of the reference + mean of k(y, y') over pairs of the other set
        - 2 * mean of k(x, y), with k(a, b) = exp(-gamma |a - b|^2) and gamma = 1 / median of |x - x'|^2.
        A pair is of two different vectors: that leaves no bias, and sets of one distribution give a little less than 0
        as often as a little more. The reference alone sets the scale, so that figures of one reference compare.
        Of an even number of distances the median is the lower of the two in the middle.
    Shapes: (n, e), (m, e) -> (); NaN for a set of one vector, which has no pair.
    Units: 0 to 2, apart from noise.
    Source: Gretton et al. 2012, "A kernel two-sample test", lemma 6; the kernel as in Chung et al. 2025,
        arxiv.org/abs/2502.15602.

    >>> x = torch.tensor([[0.0], [1.0], [2.0]])
    >>> bool(discrepancy(x, x + 100) > discrepancy(x, x))
    True
    """
    within = squared_distances(reference, reference)
    rows, columns = torch.triu_indices(len(reference), len(reference), 1, device=reference.device)
    # All equal: then every distance to them is told apart or not, and any gamma says so.
    gamma = 1 / within[rows, columns].median().clamp_min(torch.finfo(within.dtype).tiny ** 0.5)

    def of_pairs(squared: Tensor) -> Tensor:
        n = len(squared)
        return ((-gamma * squared).exp().sum() - n) / (n * (n - 1))  # a vector with itself has 1

    between = (-gamma * squared_distances(reference, other)).exp().mean()
    return of_pairs(within) + of_pairs(squared_distances(other, other)) - 2 * between
