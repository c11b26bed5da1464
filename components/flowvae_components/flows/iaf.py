"""Inverse autoregressive flow."""

from collections.abc import Iterable
from typing import cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Refused
from flowvae_components.flows.steering import matched, pace

Net = list[tuple[Tensor, Tensor]]
"""The weight and the bias of each layer."""


class IAF(nn.Module):
    """Scales and shifts each dimension as the ones before it choose, in both orders in turn.

    Formula: y_i = exp(s_i) * x_i + t_i, (raw, t)_i = 0.1 * net(x_1, ..., x_(i-1), context), s = c * tanh(raw / c),
        c = max_log_scale; log_abs_det is the sum of every s. The next step counts the dimensions from the other end.
        The last layer of each net starts at 0, so the flow starts as the exact identity. The paper's gate
        sigma * x + (1 - sigma) * m is the case t = (1 - sigma) * m; it is not used as it stands, for it can be
        the identity only at sigma = 1, where m has no effect and no gradient.
        One net gives all dimensions in one pass: of its weights, a mask leaves those that lead from earlier
        dimensions to later ones. The context is added to its first hidden layer, by one linear layer for all steps.
        The inverse is exact and finds one dimension a pass: `features` passes through each net, about 40 times
        as long as forward for 64. Rounding grows from each dimension to the next, the more the steeper the nets.
        A posterior never takes it in training; a prior takes it to draw samples.
    Shapes: x (b, features), context (b, context) or None; y (b, features), log_abs_det (b,).
    Units: log_abs_det is in nats.
    Parameters:
        n_steps: number of autoregressive maps; from two on, every dimension depends on every other.
        hidden: width of the nets; with fewer units than features, neighbouring dimensions share theirs, and
            some do not hear the one just before them.
        n_hidden_layers: number of hidden layers of each net, at least 1.
        max_log_scale: the largest absolute logarithm of a scale in one step, reached softly.
    Source: Kingma et al. 2016, arxiv.org/abs/1606.04934; the masks are Germain et al. 2015, arxiv.org/abs/1502.03509.

    >>> x = torch.randn(5, 4)
    >>> y, log_abs_det = IAF(4, 0)(x)
    >>> torch.equal(x, y), log_abs_det.shape
    (True, torch.Size([5]))
    """

    def __init__(
        self,
        features: int,
        context: int,
        *,
        n_steps: int = 4,
        hidden: int = 128,
        n_hidden_layers: int = 1,
        max_log_scale: float = 2.0,
    ) -> None:
        super().__init__()
        counts = (("n_steps", n_steps), ("hidden", hidden), ("n_hidden_layers", n_hidden_layers))
        for name, value in counts:
            if value < 1:
                raise Refused(name, f"{name} must be at least 1, got {value}")
        if max_log_scale <= 0:
            raise Refused("max_log_scale", f"max_log_scale must be above 0, got {max_log_scale}")
        self.context, self.max_log_scale, self.gain = context, max_log_scale, pace(context)
        # Where a dimension stands in each step, from 1; a hidden unit hears the places up to its own.
        forth = torch.arange(1, features + 1)
        places = torch.stack([forth if step % 2 == 0 else forth.flip(0) for step in range(n_steps)])
        # Units that hear nothing of x are of use to the context alone.
        first = 0 if context or features == 1 else 1
        units = (first + torch.arange(hidden) * (features - first) // hidden).expand(n_steps, -1)
        layers = [MaskedLayer(units[:, :, None] >= places[:, None])]
        layers += [MaskedLayer(units[:, :, None] >= units[:, None]) for _ in range(n_hidden_layers - 1)]
        last = MaskedLayer(places.repeat(1, 2)[:, :, None] > units[:, None])
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.ModuleList([*layers, last])
        self.steer = nn.Linear(context, n_steps * hidden, bias=False) if context else None

    def forward(
        self, x: Float[Tensor, "b d"], context: Float[Tensor, "b h"] | None = None
    ) -> tuple[Float[Tensor, "b d"], Float[Tensor, " b"]]:
        # Rounding grows through the steps and back: half precision would lose the inverse.
        with torch.autocast(x.device.type, enabled=False):
            x, steps = self._prepared(x, context)
            log_scales = []
            for net, steer in steps:
                log_scale, shift = self._chosen_by(x, net, steer)
                x = torch.addcmul(shift, x, log_scale.exp())
                log_scales.append(log_scale)
            return x, torch.cat(log_scales, dim=1).sum(-1)

    def inverse(
        self, y: Float[Tensor, "b d"], context: Float[Tensor, "b h"] | None = None
    ) -> tuple[Float[Tensor, "b d"], Float[Tensor, " b"]]:
        """The input that gives y, and the logarithm of the volume change on the way back."""
        with torch.autocast(y.device.type, enabled=False):
            y, steps = self._prepared(y, context)
            log_scales = []
            for net, steer in reversed(steps):
                x, log_scale = y, torch.zeros_like(y)
                # Each pass makes one dimension more right: the first hears nothing, the next hears right ones only.
                for _ in range(y.shape[1]):
                    log_scale, shift = self._chosen_by(x, net, steer)
                    x = (y - shift) * (-log_scale).exp()
                y = x
                log_scales.append(log_scale)
            return y, -torch.cat(log_scales, dim=1).sum(-1)

    def _prepared(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, list[tuple[Net, Tensor | None]]]:
        """The vector, and for each step its masked layers and what the context adds to the first of them."""
        x, context = matched(x, context, self.context, next(self.parameters()).dtype)
        layers = [layer() for layer in cast("Iterable[MaskedLayer]", self.layers)]
        nets = [list(net) for net in zip(*layers, strict=True)]
        steers: list[Tensor | None] = [None] * len(nets)
        if context is not None and self.steer is not None:
            steers = list(self.steer(context).chunk(len(nets), dim=1))
        return x, list(zip(nets, steers, strict=True))

    def _chosen_by(self, x: Tensor, net: Net, steer: Tensor | None) -> tuple[Tensor, Tensor]:
        (weight, bias), *others = net
        hidden = functional.linear(x, weight, bias)
        if steer is not None:
            hidden = hidden + steer
        for weight, bias in others:
            # Smooth, so that the density has no kinks.
            hidden = functional.linear(functional.silu(hidden), weight, bias)
        raw, shift = (self.gain * hidden).chunk(2, dim=1)
        # An unclamped exponential is the usual source of NaN in a flow.
        return self.max_log_scale * torch.tanh(raw / self.max_log_scale), shift


class MaskedLayer(nn.Module):
    """One linear layer for each step of a flow, without the weights that a mask takes out.

    Formula: the weights of all steps are masked in one product; a step computes x W^T + b with its own.
    Shapes: mask (n, out, in) -> for each of n steps, a weight (out, in) and a bias (out,).
    Units: none.
    Source: Germain et al. 2015, arxiv.org/abs/1502.03509.

    >>> (weight, bias), = MaskedLayer(torch.zeros(1, 3, 2, dtype=torch.bool))()
    >>> bool(weight.any()), bias.shape
    (False, torch.Size([3]))
    """

    mask: Tensor

    def __init__(self, mask: Bool[Tensor, "n o i"]) -> None:
        super().__init__()
        bound = mask.shape[-1] ** -0.5
        self.weight = nn.Parameter(torch.empty(mask.shape).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(mask.shape[:-1]).uniform_(-bound, bound))
        self.register_buffer("mask", mask, persistent=False)

    def forward(self) -> list[tuple[Tensor, Tensor]]:
        return list(zip((self.weight * self.mask).unbind(), self.bias.unbind(), strict=True))
