"""Real NVP, a stack of affine couplings."""

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from flowvae.contracts import Refused
from flowvae_components.flows.division import Division
from flowvae_components.flows.steering import OF_A_POSTERIOR, matched, pace

Step = Callable[["AffineCoupling", Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor]]
"""A coupling's way there or back: from what is kept, what is moved and the context to what that becomes and its log scales."""


class RealNVP(nn.Module):
    """Moves one part of a vector by an affine map that the other part chooses, in turns.

    Formula: moved -> moved * exp(s) + t with (raw, t) = gain * net(kept, context), s = c * tanh(raw / c),
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
        gain: how fast the map learns beside other weights, under an optimizer of Adam's kind, which moves all weights alike.
            With none it is 0.1 where there is a context, as in a posterior, whose vectors would be thrown about, and 1 where there
            is none, as in a prior, which has to keep up with the codes.
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
        gain: float | None = None,
    ) -> None:
        super().__init__()
        for name, value in (("n_couplings", n_couplings), ("hidden", hidden)):
            if value < 1:
                raise Refused(name, f"{name} must be at least 1, got {value}")
        if n_hidden_layers < 0:
            raise Refused("n_hidden_layers", f"n_hidden_layers must be at least 0, got {n_hidden_layers}")
        if max_log_scale <= 0:
            raise Refused("max_log_scale", f"max_log_scale must be above 0, got {max_log_scale}")
        gain = pace(context) if gain is None else gain
        if gain <= 0:
            raise Refused("gain", f"gain must be above 0, got {gain}")
        if features + context < 2:
            raise ValueError(
                "features must be at least 2 without a context: a coupling has to listen to something"
            )
        self.context, self.n_sides = context, min(2, features)
        widths = (hidden,) * n_hidden_layers
        moved = [moved_dimensions(features, turn) for turn in range(n_couplings)]
        self.couplings = nn.ModuleList(
            AffineCoupling(
                features - len(some), len(some), context, widths, max_log_scale=max_log_scale, gain=gain
            )
            for some in moved
        )
        self.divisions = nn.ModuleList(Division(features, some) for some in moved[::2])

    def forward(
        self, x: Float[Tensor, "b d"], context: Float[Tensor, "b h"] | None = None
    ) -> tuple[Float[Tensor, "b d"], Float[Tensor, " b"]]:
        return self._through(range(len(self.couplings)), AffineCoupling.forward, x, context)

    def inverse(
        self, y: Float[Tensor, "b d"], context: Float[Tensor, "b h"] | None = None
    ) -> tuple[Float[Tensor, "b d"], Float[Tensor, " b"]]:
        """The input that gives y, and the logarithm of the volume change on the way back."""
        return self._through(reversed(range(len(self.couplings))), AffineCoupling.inverse, y, context)

    def _through(
        self, turns: Iterable[int], step: Step, x: Tensor, context: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        couplings = cast("list[AffineCoupling]", list(self.couplings))
        divisions = cast("list[Division]", list(self.divisions))
        log_scales: list[Tensor] = []
        # Rounding grows through the layers and back: half precision would lose the inverse.
        with torch.autocast(x.device.type, enabled=False):
            x, context = matched(x, context, self.context, next(self.parameters()).dtype)
            for pair, its_turns in groupby(turns, lambda turn: turn // 2):
                sides = divisions[pair].apart(x)
                for turn in its_turns:
                    # A single dimension has no other side: it is moved at every turn.
                    side = turn % self.n_sides
                    sides[side], log_scale = step(couplings[turn], sides[1 - side], sides[side], context)
                    log_scales.append(log_scale)
                x = divisions[pair].together(sides)
            return x, torch.cat(log_scales, dim=1).sum(1)


class AffineCoupling(nn.Module):
    """Scales and shifts some dimensions by amounts that the other dimensions and the context choose.

    Formula: y = moved * exp(s) + t, with (raw, t) = gain * net(kept, context), s = c * tanh(raw / c), c = max_log_scale;
        log_abs_det is the sum of s.
    Shapes: kept (b, n_kept), moved (b, n_moved), context (b, context) or None; y and s (b, n_moved).
    Units: s is in nats.
    Source: Dinh, Sohl-Dickstein and Bengio 2017, arxiv.org/abs/1605.08803.

    >>> y, log_scale = AffineCoupling(1, 1, 0, (8,))(torch.ones(1, 1), torch.ones(1, 1), None)
    >>> y.tolist(), log_scale.tolist()
    ([[1.0]], [[0.0]])
    """

    def __init__(
        self,
        n_kept: int,
        n_moved: int,
        context: int,
        widths: tuple[int, ...],
        *,
        max_log_scale: float = 2.0,
        gain: float = OF_A_POSTERIOR,
    ) -> None:
        super().__init__()
        # An unclamped exponential is the usual source of NaN in a coupling.
        self.max_log_scale, self.gain = max_log_scale, gain
        layers: list[nn.Module] = []
        width = n_kept + context
        for next_width in widths:
            # Smooth, so that the density has no kinks.
            layers += [nn.Linear(width, next_width), nn.SiLU()]
            width = next_width
        last = nn.Linear(width, 2 * n_moved)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.net = nn.Sequential(*layers, last)

    def forward(self, kept: Tensor, moved: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        chosen = self._chosen(kept, context)
        y, log_scale = _ScaledAndShifted.apply(moved, chosen, self.max_log_scale, self.gain)  # type: ignore[no-untyped-call]  # torch leaves apply untyped
        return y, log_scale

    def inverse(self, kept: Tensor, y: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """What was moved to y: the kept dimensions are the same in both, and so are s and t."""
        raw, shift = (self.gain * self._chosen(kept, context)).chunk(2, dim=1)
        log_scale = -self.max_log_scale * torch.tanh(raw / self.max_log_scale)
        return (y - shift) * log_scale.exp(), log_scale

    def _chosen(self, kept: Tensor, context: Tensor | None) -> Tensor:
        chosen: Tensor = self.net(kept if context is None else torch.cat((kept, context), dim=1))
        return chosen


class _ScaledAndShifted(torch.autograd.Function):
    """The map of a coupling with its own gradient: 11 operators where autograd takes 28.

    With h = tanh(raw / c) and s = c * h, ds/draw = 1 - h^2; dy/dmoved = exp(s), dy/ds = moved * exp(s), dy/dt = 1.
    """

    @staticmethod
    def forward(
        ctx: Any, moved: Tensor, chosen: Tensor, max_log_scale: float, gain: float
    ) -> tuple[Tensor, Tensor]:
        raw, shift = chosen.chunk(2, dim=1)
        bounded = (raw * (gain / max_log_scale)).tanh_()
        log_scale = bounded * max_log_scale
        scale = log_scale.exp()
        ctx.gain = gain
        ctx.save_for_backward(moved, bounded, scale)
        return (moved * scale).add_(shift, alpha=gain), log_scale

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        grad_y, grad_log_scale = gradients
        moved, bounded, scale = ctx.saved_tensors
        grad_moved = grad_y * scale
        grad_scale = torch.addcmul(grad_log_scale, grad_moved, moved)
        grad_raw = torch.ops.aten.tanh_backward(grad_scale, bounded)
        return grad_moved, torch.cat((grad_raw, grad_y), dim=1).mul_(ctx.gain), None, None


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
