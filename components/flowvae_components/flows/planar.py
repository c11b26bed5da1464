"""Planar flow, a stack of layers that bend space along one direction each."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Refused
from flowvae_components.flows.monotone import LEAST_SLOPE, tanh_root
from flowvae_components.flows.steering import SteeredValues, matched


class Planar(nn.Module):
    """Pushes vectors along a direction, the more the farther they lie from a plane, layer after layer.

    Formula: y = x + v * tanh(w.x + b), log_abs_det = log(1 + gain * (1 - tanh(w.x + b)^2)), gain = w.v, where
        v = u + (bound(w.u) - w.u) * w / |w|^2 makes the gain bound(w.u) and leaves the rest of u as it is;
        bound(a) = a for a >= 0 and 0.9 * (exp(a / 0.9) - 1) below: always above -0.9, so the map can be undone.
        The paper's bound, softplus(a) - 1, is not 0 at 0: u = 0 would not be the identity, and v would have no
        limit where w goes to 0. Here u starts at 0, and with it the flow as the exact identity.
        (w, u, b) of all layers come from one linear layer of the context, which starts at 0.
        The inverse has no closed form, but is exact: a = w.x + b solves a + gain * tanh(a) = w.y + b, one number
        a layer, by 20 Newton steps. With the defaults it takes 20 to 30 times as long as forward.
    Shapes: x (b, features), context (b, context) or None; y (b, features), log_abs_det (b,).
    Units: log_abs_det is in nats.
    Parameters:
        n_layers: number of layers; each bends one direction.
    Source: Rezende and Mohamed 2015, arxiv.org/abs/1505.05770, section 4.1 and appendix A.1.

    >>> x = torch.randn(5, 4)
    >>> y, log_abs_det = Planar(4, 0)(x)
    >>> torch.equal(x, y), log_abs_det.shape
    (True, torch.Size([5]))
    """

    def __init__(self, features: int, context: int, *, n_layers: int = 16) -> None:
        super().__init__()
        if n_layers < 1:
            raise Refused("n_layers", f"n_layers must be at least 1, got {n_layers}")
        self.features, self.context = features, context
        start = torch.zeros(n_layers, 2 * features + 1)
        # Of length 1: tanh is in its bend, neither flat nor straight, for vectors of the size of noise.
        start[:, :features].normal_(0.0, features**-0.5)
        self.values = SteeredValues(start, context)

    def forward(
        self, x: Float[Tensor, "b d"], context: Float[Tensor, "b h"] | None = None
    ) -> tuple[Float[Tensor, "b d"], Float[Tensor, " b"]]:
        # Rounding grows through the layers and back: half precision would lose the inverse.
        with torch.autocast(x.device.type, enabled=False):
            x, context = matched(x, context, self.context, self.values.bias.dtype)
            normal, push, offset, gain = self._layers(context)
            bends = []
            for w, v, b in zip(normal.unbind(1), push.unbind(1), offset.unbind(1), strict=True):
                bend = torch.tanh((w * x).sum(-1, keepdim=True) + b)
                x = torch.addcmul(x, v, bend)
                bends.append(bend)
            return x, _log_slopes(gain, torch.cat(bends, dim=1))

    def inverse(
        self, y: Float[Tensor, "b d"], context: Float[Tensor, "b h"] | None = None
    ) -> tuple[Float[Tensor, "b d"], Float[Tensor, " b"]]:
        """The input that gives y, and the logarithm of the volume change on the way back."""
        with torch.autocast(y.device.type, enabled=False):
            y, context = matched(y, context, self.context, self.values.bias.dtype)
            normal, push, offset, gain = self._layers(context)
            bends: list[Tensor] = []
            for k in reversed(range(normal.shape[1])):
                target = (normal[:, k] * y).sum(-1, keepdim=True) + offset[:, k]
                bend = torch.tanh(tanh_root(target, gain[:, k, None]))
                y = torch.addcmul(y, push[:, k], bend, value=-1)
                bends.insert(0, bend)
            return y, -_log_slopes(gain, torch.cat(bends, dim=1))

    def _layers(self, context: Tensor | None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Of all layers: w and v (b, n, d), b (b, n, 1) and the gain (b, n); b is 1 without a context."""
        w, u, offset = self.values(context).split((self.features, self.features, 1), dim=-1)
        along = (w * u).sum(-1, keepdim=True)
        below = along.clamp(max=0.0)
        lift = (1 - LEAST_SLOPE) * torch.expm1(below / (1 - LEAST_SLOPE)) - below
        # The lift falls with |w|^2, so that their ratio is 0 and not undefined where w is 0.
        length = w.square().sum(-1, keepdim=True).clamp_min(torch.finfo(w.dtype).tiny)
        return w, u + lift * w / length, offset, (along + lift).squeeze(-1)


def _log_slopes(gain: Tensor, bends: Tensor) -> Tensor:
    return torch.log1p(gain * (1 - bends.square())).sum(-1)
