"""Real NVP, a stack of affine couplings."""

from collections.abc import Callable, Iterable
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Refused
from flowvae_components.flows.steering import OUTPUT_GAIN, matched

Step = Callable[[Tensor, Tensor | None], tuple[Tensor, Tensor]]


class RealNVP(nn.Module):
    """Moves one part of a vector by an affine map that the other part chooses, in turns.

    Formula: moved -> moved * exp(s) + t with (raw, t) = 0.1 * net(kept, context), s = c * tanh(raw / c),
        c = max_log_scale; log_abs_det is the sum of every s. The inverse is (moved - t) * exp(-s), with the
        same nets and at the same cost. The last layer of each net starts at zero, so the flow starts as the
        exact identity; its bias is an affine map without input, so no separate scale layer is needed.
        Couplings 2k and 2k + 1 part the dimensions by bit k of their number, one side each: after
        log2(features) pairs any two dimensions have stood on opposite sides, and nothing is drawn at random.
    Shapes: x (b, features), context (b, context) or None; y (b, features), log_abs_det (b,).
    Units: log_abs_det is in nats.
    Parameters:
        n_couplings: number of couplings; two move every dimension once.
        hidden: width of the nets inside the couplings.
        n_hidden_layers: number of hidden layers of each net.
        max_log_scale: the largest absolute logarithm of a scale in one coupling, reached softly.
    Source: Dinh, Sohl-Dickstein and Bengio 2017, arxiv.org/abs/1605.08803; the start at zero is Kingma and
        Dhariwal 2018, arxiv.org/abs/1807.03039.

    >>> x = torch.randn(5, 4)
    >>> y, log_abs_det = RealNVP(4, 0)(x)
    >>> torch.equal(x, y), log_abs_det.shape
    (True, torch.Size([5]))
    """

    def __init__(
        self,
        features: int,
        context: int,
        *,
        n_couplings: int = 6,
        hidden: int = 128,
        n_hidden_layers: int = 2,
        max_log_scale: float = 2.0,
    ) -> None:
        super().__init__()
        for name, value in (("n_couplings", n_couplings), ("hidden", hidden)):
            if value < 1:
                raise Refused(name, f"{name} must be at least 1, got {value}")
        if n_hidden_layers < 0:
            raise Refused("n_hidden_layers", f"n_hidden_layers must be at least 0, got {n_hidden_layers}")
        if max_log_scale <= 0:
            raise Refused("max_log_scale", f"max_log_scale must be above 0, got {max_log_scale}")
        if features + context < 2:
            raise ValueError(
                "features must be at least 2 without a context: a coupling has to listen to something"
            )
        self.context = context
        widths = (hidden,) * n_hidden_layers
        couplings = [
            AffineCoupling(features, context, moved_dimensions(features, turn), widths, max_log_scale)
            for turn in range(n_couplings)
        ]
        self.couplings = nn.ModuleList(couplings)

    def forward(
        self, x: Float[Tensor, "b d"], context: Float[Tensor, "b h"] | None = None
    ) -> tuple[Float[Tensor, "b d"], Float[Tensor, " b"]]:
        return self._through(self.couplings, x, context)

    def inverse(
        self, y: Float[Tensor, "b d"], context: Float[Tensor, "b h"] | None = None
    ) -> tuple[Float[Tensor, "b d"], Float[Tensor, " b"]]:
        """The input that gives y, and the logarithm of the volume change on the way back."""
        couplings = cast("list[AffineCoupling]", list(self.couplings))
        return self._through([coupling.inverse for coupling in reversed(couplings)], y, context)

    def _through(self, steps: Iterable[Step], x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        dtype = next(self.parameters()).dtype
        # Rounding grows through the layers and back: half precision would lose the inverse.
        with torch.autocast(x.device.type, enabled=False):
            x, context = matched(x, context, self.context, dtype)
            log_abs_det = x.new_zeros(len(x))
            for step in steps:
                x, change = step(x, context)
                log_abs_det = log_abs_det + change
            return x, log_abs_det


class AffineCoupling(nn.Module):
    """Scales and shifts some dimensions by amounts that the other dimensions and the context choose.

    Formula: y = x * exp(s) + t on the moved dimensions, y = x on the others; log_abs_det is the sum of s.
    Shapes: x (b, features), context (b, context) or None; y (b, features), log_abs_det (b,).
    Units: log_abs_det is in nats.
    Source: Dinh, Sohl-Dickstein and Bengio 2017, arxiv.org/abs/1605.08803.

    >>> y, log_abs_det = AffineCoupling(2, 0, (0,), (8,), 2.0)(torch.ones(1, 2), None)
    >>> y.tolist(), log_abs_det.tolist()
    ([[1.0, 1.0]], [0.0])
    """

    moved: Tensor
    kept: Tensor

    def __init__(
        self,
        features: int,
        context: int,
        moved: tuple[int, ...],
        widths: tuple[int, ...],
        max_log_scale: float,
    ) -> None:
        super().__init__()
        kept = [dimension for dimension in range(features) if dimension not in moved]
        self.max_log_scale = max_log_scale
        self.register_buffer("moved", torch.tensor(moved), persistent=False)
        self.register_buffer("kept", torch.tensor(kept, dtype=torch.int64), persistent=False)
        layers: list[nn.Module] = []
        width = len(kept) + context
        for next_width in widths:
            # Smooth, so that the density has no kinks.
            layers += [nn.Linear(width, next_width), nn.SiLU()]
            width = next_width
        last = nn.Linear(width, 2 * len(moved))
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.net = nn.Sequential(*layers, last)

    def forward(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        log_scale, shift = self._chosen_by(x, context)
        moved = x.index_select(1, self.moved) * log_scale.exp() + shift
        return x.index_copy(1, self.moved, moved), log_scale.sum(-1)

    def inverse(self, y: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """The input that gives y: the kept dimensions are the same in both, and so are s and t."""
        log_scale, shift = self._chosen_by(y, context)
        moved = (y.index_select(1, self.moved) - shift) * (-log_scale).exp()
        return y.index_copy(1, self.moved, moved), -log_scale.sum(-1)

    def _chosen_by(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        kept = x.index_select(1, self.kept)
        chosen = self.net(kept if context is None else torch.cat((kept, context), dim=1))
        raw, shift = (OUTPUT_GAIN * chosen).chunk(2, dim=1)
        # An unclamped exponential is the usual source of NaN in a coupling.
        return self.max_log_scale * torch.tanh(raw / self.max_log_scale), shift


def moved_dimensions(features: int, turn: int) -> tuple[int, ...]:
    """The dimensions that coupling number `turn` moves.

    Formula: those whose bit (turn // 2) modulo n_bits equals turn % 2; n_bits numbers every dimension.
    Shapes: two integers -> a tuple, never empty; all of a single dimension.
    Units: numbers of dimensions, from 0.
    Source: the binary expansion; it takes the place of the random permutations of other flows.

    >>> [moved_dimensions(4, turn) for turn in range(4)]
    [(0, 2), (1, 3), (0, 1), (2, 3)]
    """
    n_bits = max(1, (features - 1).bit_length())
    bit = turn // 2 % n_bits
    moved = tuple(d for d in range(features) if (d >> bit) % 2 == turn % 2)
    return moved or tuple(range(features))
