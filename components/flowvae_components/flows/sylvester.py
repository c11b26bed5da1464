"""Sylvester flow, a stack of layers that bend space along several directions at once."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Refused
from flowvae_components.flows.monotone import LEAST_SLOPE, tanh_root
from flowvae_components.flows.steering import SteeredValues, matched

ITERATIONS = 8
"""Of `tanh_root`: here no gain lies outside -0.9 to 0.9, for which it has all digits after 7."""


class Sylvester(nn.Module):
    """Bends vectors in a subspace by a small net that is made so that its volume change is a product.

    Formula: y = x + Q R1 tanh(a), a = R2 Q^T x + b, log_abs_det = sum over m of log(1 + gain_m * (1 - tanh(a_m)^2)),
        gain = diagonal of R1 * diagonal of R2. Q (d, m) has orthonormal columns, the first m of a product of
        n_reflections reflections 1 - 2 n n^T; R1 and R2 are upper triangular. Their diagonals are
        0.9 * tanh(p) and tanh(q), so that a gain is above -0.9 and the map can be undone.
        R1 starts at 0, and with it the flow as the exact identity. All values of all layers come from one linear
        layer of the context, which starts at 0. One square matrix holds what is above the diagonal of both:
        R1 in its upper triangle and its diagonal, R2 transposed in its lower one.
        The inverse has no closed form, but is exact: in the subspace it goes from the last of the m numbers to the first,
        and each solves c + gain * tanh(c) = its target by 8 Newton steps. So it takes n_layers * n_directions
        solutions, one after the other: with the defaults, 12 to 22 times as long as forward.
    Shapes: x (b, features), context (b, context) or None; y (b, features), log_abs_det (b,).
    Units: log_abs_det is in nats.
    Parameters:
        n_layers: number of layers.
        n_directions: dimensions of the subspace that a layer bends; all that there are, where it has no fewer.
        n_reflections: reflections that make a subspace.
    Source: van den Berg, Hasenclever, Tomczak and Welling 2018, arxiv.org/abs/1803.05649, with Householder reflections;
        their product in one formula is Joffrain et al. 2006, doi.org/10.1145/1141885.1141886.

    >>> x = torch.randn(5, 4)
    >>> y, log_abs_det = Sylvester(4, 0)(x)
    >>> torch.equal(x, y), log_abs_det.shape
    (True, torch.Size([5]))
    """

    def __init__(
        self, features: int, context: int, *, n_layers: int = 4, n_directions: int = 8, n_reflections: int = 8
    ) -> None:
        super().__init__()
        for name, value in (
            ("n_layers", n_layers),
            ("n_directions", n_directions),
            ("n_reflections", n_reflections),
        ):
            if value < 1:
                raise Refused(name, f"{name} must be at least 1, got {value}")
        m = min(n_directions, features)
        self.context, self.n_directions, self.normals_shape = context, m, (n_reflections, features)
        self.sizes = (m * m, m, m, n_reflections * features)
        square, diagonal, offset, normals = (torch.zeros(n_layers, size) for size in self.sizes)
        # R2 cannot start at 0 as R1 does: neither would ever have a gradient.
        diagonal.fill_(1.0)
        normals.normal_(0.0, features**-0.5)
        self.values = SteeredValues(torch.cat((square, diagonal, offset, normals), dim=1), context)

    def forward(
        self, x: Float[Tensor, "b d"], context: Float[Tensor, "b h"] | None = None
    ) -> tuple[Float[Tensor, "b d"], Float[Tensor, " b"]]:
        # Rounding grows through the layers and back: half precision would lose the inverse.
        with torch.autocast(x.device.type, enabled=False):
            x, context = matched(x, context, self.context, self.values.bias.dtype)
            basis, outer, inner, offset = self._layers(context)
            # The products of all layers at once: what is left for each of them is two small matrices.
            listens, pushes = (inner @ basis.mT).unbind(1), (basis @ outer).unbind(1)
            bends = []
            for listen, push, b in zip(listens, pushes, offset.unbind(1), strict=True):
                bends.append(torch.tanh(_times(listen, x) + b))
                x = x + _times(push, bends[-1])
            return x, _log_slopes(outer, inner, torch.stack(bends, dim=1))

    def inverse(
        self, y: Float[Tensor, "b d"], context: Float[Tensor, "b h"] | None = None
    ) -> tuple[Float[Tensor, "b d"], Float[Tensor, " b"]]:
        """The input that gives y, and the logarithm of the volume change on the way back."""
        with torch.autocast(y.device.type, enabled=False):
            y, context = matched(y, context, self.context, self.values.bias.dtype)
            basis, outer, inner, offset = self._layers(context)
            bends: list[Tensor] = []
            for k in reversed(range(basis.shape[1])):
                inside = _times(basis[:, k].mT, y)
                bends.insert(0, _bends_behind(inside, outer[:, k], inner[:, k], offset[:, k]))
                y = y - _times(basis[:, k] @ outer[:, k], bends[0])
            return y, -_log_slopes(outer, inner, torch.stack(bends, dim=1))

    def _layers(self, context: Tensor | None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Of all layers: Q (b, n, d, m), R1 and R2 (b, n, m, m) and b (b, n, m); b is 1 without a context."""
        square, diagonal, offset, normals = self.values(context).split(self.sizes, dim=-1)
        square = square.unflatten(-1, (self.n_directions, self.n_directions))
        own = torch.tanh(square.diagonal(dim1=-2, dim2=-1))
        outer = square.triu(1) + torch.diag_embed((1 - LEAST_SLOPE) * own)
        inner = square.mT.triu(1) + torch.diag_embed(torch.tanh(diagonal))
        return _basis(normals.unflatten(-1, self.normals_shape), self.n_directions), outer, inner, offset


def _basis(normals: Tensor, n_directions: int) -> Tensor:
    """The first columns of the product of the reflections at planes with these normals, (..., r, d) -> (..., d, m).

    With the normals as rows N of length 1, the product is 1 - N^T T N, where the inverse of T has 1/2 on its
    diagonal and the products of the normals above it: matrices in place of one reflection after another.
    """
    normals = functional.normalize(normals, dim=-1)
    half = 0.5 * torch.eye(normals.shape[-2], dtype=normals.dtype, device=normals.device)
    inverse = (normals @ normals.mT).triu(1) + half
    turned: Tensor = torch.linalg.solve_triangular(inverse, normals[..., :n_directions], upper=True)
    columns = torch.eye(normals.shape[-1], n_directions, dtype=normals.dtype, device=normals.device)
    return columns - normals.mT @ turned


def _bends_behind(inside: Tensor, outer: Tensor, inner: Tensor, offset: Tensor) -> Tensor:
    """The t = tanh(R2 p + b) of the p with p + R1 t = inside, from the last number to the first."""
    m = inside.shape[-1]
    rest, heights = inside, offset.expand_as(inside)
    bends: list[Tensor] = []
    for i in reversed(range(m)):
        own, slope, left = outer[:, i, i], inner[:, i, i], rest[:, i]
        # c = slope * p_i + height, and p_i + own * tanh(c) = left.
        bend = torch.tanh(
            tanh_root(slope * left + heights[:, i], (own * slope).expand_as(left), n_iterations=ITERATIONS)
        )
        bends.insert(0, bend)
        rest = rest - outer[:, :, i] * bend[:, None]
        # Of `rest`, number i has just become p_i.
        heights = heights + inner[:, :, i] * rest[:, i, None]
    return torch.stack(bends, dim=-1)


def _times(matrix: Tensor, vector: Tensor) -> Tensor:
    """(b, n, m) times (b, m); a matrix of all items, (1, n, m), is not copied for each of them."""
    product: Tensor = torch.einsum("bnm,bm->bn", matrix, vector)
    return product


def _log_slopes(outer: Tensor, inner: Tensor, bends: Tensor) -> Tensor:
    gain = outer.diagonal(dim1=-2, dim2=-1) * inner.diagonal(dim1=-2, dim2=-1)
    return torch.log1p(gain * (1 - bends.square())).sum((-2, -1))
