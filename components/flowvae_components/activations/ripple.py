"""The ripple of the snakes, with a gradient that keeps no hidden tensor."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

BLOCK = 1 << 17
"""Values that a core works on at a time: the passes over a block of float32 find in its cache what the last one left."""


def _blocks(of: Sequence[Tensor], rates: Sequence[Tensor]) -> Iterator[Sequence[Tensor]]:
    """The tensors, (b, c) or (b, c, t), and the rates of their channels, part by part; the first says how.

    Small tensors and other devices are one part: there more of them would only cost calls, or launches.
    """
    n_items, n_channels, n_samples = of[0].shape
    most = BLOCK * torch.get_num_threads()
    if of[0].device.type != "cpu" or of[0].numel() <= 2 * most:
        yield (*of, *rates)
        return
    width = min(n_channels, max(1, most // n_samples))
    length = max(1, most // (width * n_samples))
    for item in range(0, n_items, length):
        for channel in range(0, n_channels, width):
            channels = slice(channel, channel + width)
            block = (slice(item, item + length), channels)
            yield (*(tensor[block] for tensor in of), *(rate[channels] for rate in rates))


def _formula(x: Tensor, log_alpha: Tensor, log_ratio: Tensor | None) -> Tensor:
    """The ripple as torch can differentiate it any number of times, and a compiler make one pass of it."""
    full, alpha = x.to(log_alpha.dtype), log_alpha.exp()
    beta = alpha if log_ratio is None else (log_alpha - log_ratio).exp()
    return (full + (alpha * full).sin().square() / beta).to(x.dtype)


class _Ripple(torch.autograd.Function):
    """The formula with its own gradient: nothing is kept but the input, in the input's own type.

    With r = alpha / beta, u = alpha * x, s = sin(u) and c = cos(u), dy/dx = 1 + 2 * r * s * c; at fixed r,
    dy/dlog_alpha = r * s * (2 * u * c - s) / alpha, and dy/dlog_r = r * s^2 / alpha. What lies between is as large as a
    block: it stays in the cache, and takes no new pages from the system for each pass.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, log_alpha: Tensor, log_ratio: Tensor | None) -> Tensor:
        alpha = log_alpha.exp()
        beta = alpha if log_ratio is None else (log_alpha - log_ratio).exp()
        y = torch.empty_like(x)
        for part, bent, a, b in _blocks((x, y), (alpha, beta)):
            torch.addcdiv(part, (a * part).sin_().square_(), b, out=bent)
        ctx.save_for_backward(x, log_alpha, log_ratio, alpha)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (grad_y,) = gradients
        x, _, log_ratio, alpha = ctx.saved_tensors
        if torch.is_grad_enabled():  # somebody wants a gradient of this gradient
            return _gradients_with_graph(ctx, grad_y)
        ratio = None if log_ratio is None else log_ratio.exp()
        # Sums over t, weighed by the gradient of y: r * s * (s - 2 * u * c) and r * s^2.
        turns = alpha.new_empty(x.shape[:2])
        heights = turns if ratio is None else torch.empty_like(turns)
        grad_x = torch.empty_like(x)
        tensors, rates = (x, grad_y, grad_x, turns, heights), (alpha, alpha if ratio is None else ratio)
        for part, pull, slope, turn, height, a, r in _blocks(tensors, rates):
            u = a * part
            c, s = u.cos(), u.sin()
            bend = pull * s
            if ratio is not None:
                bend.mul_(r)
            torch.addcmul(pull, bend, c, value=2, out=slope)
            torch.sum(torch.addcmul(s, u, c, value=-2, out=u).mul_(bend), 2, out=turn)
            if ratio is not None:
                torch.sum(s.mul_(bend), 2, out=height)
        grad_log_alpha = -(turns.sum(0).unsqueeze(-1) / alpha)
        return grad_x, grad_log_alpha, None if ratio is None else heights.sum(0).unsqueeze(-1) / alpha


def _gradients_with_graph(ctx: Any, grad_y: Tensor) -> tuple[Tensor | None, ...]:
    saved, needed = ctx.saved_tensors[:3], ctx.needs_input_grad
    inputs = [tensor for tensor, asked in zip(saved, needed, strict=True) if asked]
    found = iter(torch.autograd.grad(_formula(*saved), inputs, grad_y, create_graph=True))
    return tuple(next(found) if asked else None for asked in needed)


def ripple(x: Tensor, log_alpha: Tensor, log_beta: Tensor | None = None) -> Tensor:
    """Gives x + sin(alpha * x)^2 / beta, computed in float32 at least; without log_beta, beta is alpha.

    x is (b, c, t), the logarithms of the rates are (c, 1).

    >>> rate = torch.zeros(1, 1)
    >>> torch.equal(ripple(torch.ones(1, 1, 1), rate), ripple(torch.ones(1, 1, 1), rate, rate))
    True
    """
    # In half precision alpha * x loses the phase of the ripple: the sine would be noise.
    full = torch.promote_types(x.dtype, torch.float32)
    log_alpha = log_alpha.to(full)
    log_ratio = None if log_beta is None else log_alpha - log_beta.to(full)
    # A compiler makes one pass of the formula by itself, at any size; the blocks are those of one.
    if torch.compiler.is_compiling():
        return _formula(x, log_alpha, log_ratio)
    y: Tensor = _Ripple.apply(x, log_alpha, log_ratio)  # type: ignore[no-untyped-call]  # torch leaves apply untyped
    return y


class _RippleMean(torch.autograd.Function):
    """The mean of the ripple between two values, with its own gradient.

    With m = (a + b) / 2, u = alpha * (b - a), r = alpha / beta, S = sin(u) / u and D its slope at u,
    y = m + r * (S * sin(alpha * m)^2 + (1 - S) / 2) / alpha: the difference of the antiderivatives over b - a, with what
    would cancel taken out by hand. dy/dm = 1 + r * sin(2 * alpha * m) * S, dy/d(b - a) = -r / 2 * cos(2 * alpha * m) * D;
    at fixed r, dy/dlog_alpha = m * dy/dm + (b - a) * dy/d(b - a) - y, and dy/dlog_r = y - m.
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, log_alpha: Tensor, log_ratio: Tensor | None) -> Tensor:
        alpha = log_alpha.exp()
        beta = alpha if log_ratio is None else (log_alpha - log_ratio).exp()
        middle = (a + b).mul_(0.5)
        short = _one_minus_sinc(alpha * (b - a))
        bend = (alpha * middle).sin_().square_()
        # S * bend + (1 - S) / 2, S = 1 - short
        y = torch.addcdiv(middle, bend.addcmul_(short, 0.5 - bend), beta)
        ctx.save_for_backward(a, b, log_alpha, log_ratio, y)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        (grad_y,) = gradients
        a, b, log_alpha, log_ratio, y = ctx.saved_tensors
        alpha = log_alpha.exp()
        middle, step = (a + b) / 2, b - a
        sinc, slope = _sinc_and_slope(alpha * step)
        phase, grad_bent = 2 * alpha * middle, grad_y
        if log_ratio is not None:
            grad_bent = log_ratio.exp() * grad_y
        grad_middle = torch.addcmul(grad_y, grad_bent, phase.sin() * sinc)
        grad_step = -0.5 * grad_bent * phase.cos() * slope
        grad_a, grad_b = grad_middle / 2 - grad_step, grad_middle / 2 + grad_step
        grad_log_alpha = (grad_middle * middle + grad_step * step - grad_y * y).sum((0, 2)).unsqueeze(-1)
        if log_ratio is None:
            return grad_a, grad_b, grad_log_alpha, None
        return grad_a, grad_b, grad_log_alpha, (grad_y * (y - middle)).sum((0, 2)).unsqueeze(-1)


NEAR = 0.5
"""Below it sin(u) / u is a series: the quotients of its slope and of 1 - sin(u) / u lose their digits there."""
TERMS = tuple((-1) ** k / math.factorial(2 * k + 1) for k in range(1, 7))
"""sin(u) / u = 1 + the sum of term k times u^(2 * k); beyond six they are less than rounding, in float64 too."""


def _series(square: Tensor, terms: Sequence[float]) -> Tensor:
    """The sum of term k times square^k, k from 0."""
    total = torch.full_like(square, terms[-1])
    for term in reversed(terms[:-1]):
        total = total * square + term
    return total


def _one_minus_sinc(u: Tensor) -> Tensor:
    """1 - sin(u) / u, with all its digits near 0."""
    near = u.abs() < NEAR
    square = u.square().clamp_(max=NEAR**2)
    return torch.where(near, -square * _series(square, TERMS), 1 - u.sin().div_(torch.where(near, 1.0, u)))


def _sinc_and_slope(u: Tensor) -> tuple[Tensor, Tensor]:
    """sin(u) / u and its derivative (cos(u) - sin(u) / u) / u."""
    near = u.abs() < NEAR
    # Each branch sees only values that it can take: gradients of both are computed, and 0 times inf is NaN.
    small, large = torch.where(near, u, 0.0), torch.where(near, 1.0, u)
    square, quotient = small.square(), large.sin() / large
    sinc = torch.where(near, 1 + square * _series(square, TERMS), quotient)
    slopes = [2 * (k + 1) * term for k, term in enumerate(TERMS)]
    return sinc, torch.where(near, small * _series(square, slopes), (large.cos() - quotient) / large)


def ripple_mean(a: Tensor, b: Tensor, log_alpha: Tensor, log_beta: Tensor | None = None) -> Tensor:
    """Gives the mean of the ripple over all values from a to b, in closed form and in float32 at least.

    >>> rate, x = torch.zeros(1, 1), torch.ones(1, 1, 1)
    >>> torch.allclose(ripple_mean(x, x, rate), ripple(x, rate))
    True
    """
    full = torch.promote_types(a.dtype, torch.float32)
    log_alpha = log_alpha.to(full)
    log_ratio = None if log_beta is None else log_alpha - log_beta.to(full)
    y: Tensor = _RippleMean.apply(a.to(full), b.to(full), log_alpha, log_ratio)  # type: ignore[no-untyped-call]  # torch leaves apply untyped
    return y.to(a.dtype)
