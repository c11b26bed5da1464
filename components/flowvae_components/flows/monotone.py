"""The scalar equation that the inverse of a tanh layer comes down to."""

import torch
from jaxtyping import Float
from torch import Tensor

LEAST_SLOPE = 0.1
"""What a tanh layer leaves of a length at least. Its inverse multiplies rounding errors by 1 / LEAST_SLOPE, so a layer costs
one digit at worst; the couplings of Real NVP are bounded alike, by exp(-2) = 0.14."""


def tanh_root(
    target: Float[Tensor, "*#n"], gain: Float[Tensor, "*#n"], *, n_iterations: int = 20
) -> Float[Tensor, "*#n"]:
    """The a with a + gain * tanh(a) = target, for a gain above -1.

    Formula: for target >= 0 (the equation is odd) the left side is concave where gain > 0 and convex where gain < 0.
        Newton's method comes down to its root from one side, without a leap beyond it, if it starts below the root
        of a concave and above that of a convex function. Both target - gain and target / (1 + gain) lie on that side,
        for |tanh(a)| is below 1 and below |a|; the nearer one is taken. So no bisection has to guard it, and
        the number of iterations can be fixed: all digits of float64 are there after 7 for gains from -0.9 to 0.9,
        after 12 up to 1e4 and after 20 up to 1e8 (measured over targets from 1e-30 to 1e9).
        Only the last step has a gradient: at the root, that of one Newton step is the gradient of the root.
    Shapes: two tensors that broadcast -> one of their common shape.
    Units: none.
    Parameters:
        n_iterations: Newton steps, the same for all items.
    Source: Newton's method for convex functions; the gradient is that of the implicit function theorem.

    >>> tanh_root(torch.tensor(1.0).add(torch.tensor(1.0).tanh()), torch.tensor(1.0)).item()
    1.0
    """
    with torch.no_grad():
        size = target.abs()
        one, other = size - gain, size / (1 + gain)
        root = torch.where(gain > 0, torch.maximum(one, other), torch.minimum(one, other))
        for _ in range(n_iterations - 1):
            root = _newton(root, size, gain)
        root = root.copysign(target)
    return _newton(root, target, gain)


def _newton(root: Tensor, target: Tensor, gain: Tensor) -> Tensor:
    bend = root.tanh()
    return root - (root + gain * bend - target) / (1 + gain * (1 - bend.square()))
