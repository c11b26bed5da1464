"""What every loss must do."""

import torch
from torch import Tensor, nn

from flowvae.contracts import Loss, Refused
from flowvae.testing import checks_in
from flowvae.testing.device_reads import NoDeviceReads
from flowvae.testing.properties import noise

SAMPLE_RATE, N_SAMPLES = 44100, 4096


def plain_stft(audio: Tensor, n_fft: int, hop_length: int) -> Tensor:
    """The transform of the contract, without any sharing."""
    window = torch.hann_window(n_fft, dtype=audio.dtype, device=audio.device)
    return torch.stft(audio.flatten(0, 1), n_fft, hop_length, window=window, return_complex=True)


def _loss_of(make: Loss) -> nn.Module:
    """The loss with a transform of its own."""
    return make(SAMPLE_RATE, plain_stft)


def sound(seed: int) -> Tensor:
    """Two stereo hits: noise that decays."""
    return 0.3 * noise(2, 2, N_SAMPLES, seed=seed) * torch.exp(-torch.arange(N_SAMPLES) / 600)


def extremes() -> dict[str, Tensor]:
    """Legal sounds that break careless formulas, the same in both channels."""
    click = torch.zeros(1, 2, N_SAMPLES)
    click[..., N_SAMPLES // 2] = 1
    alternating = torch.ones(1, 2, N_SAMPLES)
    alternating[..., 1::2] = -1
    return {
        "silence": torch.zeros(1, 2, N_SAMPLES),
        "a constant": torch.ones(1, 2, N_SAMPLES),
        "half the rate": alternating,
        "a click": click,
        "1e-40": torch.full((1, 2, N_SAMPLES), 1e-40),
        "1e-7": 1e-7 * noise(1, 1, N_SAMPLES).expand(1, 2, -1),
        "clipped noise": (10 * noise(1, 1, N_SAMPLES)).clamp(-1, 1).expand(1, 2, -1),
    }


def equal_sounds_cost_nothing(make: Loss) -> None:
    """0 where target and estimate are equal, above 0 where not."""
    loss, x, y = _loss_of(make), sound(0), sound(1)
    assert loss(x, x.clone()).abs() < 1e-6, (
        f"equal sounds cost {loss(x, x.clone()):.1e}; expected 0; usually an epsilon on one side only"
    )
    assert loss(x, y) > 0, f"different sounds cost {loss(x, y):.1e}; expected more than 0"


def the_value_is_a_scalar(make: Loss) -> None:
    """One number for a batch, in single precision."""
    value = _loss_of(make)(sound(0), sound(1))
    assert value.shape == (), (
        f"the loss has the shape {tuple(value.shape)}; expected a scalar: take the mean over the batch"
    )
    assert value.dtype == torch.float32, f"the loss is {value.dtype}; expected float32, as its inputs are"


def extremes_stay_finite(make: Loss) -> None:
    """Silence and other extremes, on either side and on both, give a finite value and gradient."""
    loss = _loss_of(make)
    for name, target in extremes().items():
        for other, given in extremes().items():
            estimate = given.clone().requires_grad_()
            value = loss(target, estimate)
            value.backward()
            assert value.isfinite(), (
                f"{other} against {name} costs {value:.1e}; expected a finite number; usually a logarithm or a division at 0"
            )
            assert torch.isfinite(torch.as_tensor(estimate.grad)).all(), (
                f"{other} against {name} has a gradient that is not finite; usually a root at 0: put the epsilon inside it"
            )


def a_silent_item_does_not_rule_the_batch(make: Loss) -> None:
    """A faint estimate of silence costs no more than 100 times what a silent estimate of a hit costs."""
    loss, silence = _loss_of(make), torch.zeros(1, 2, N_SAMPLES)
    faint = loss(silence, 0.01 * noise(1, 2, N_SAMPLES))
    missed = loss(sound(0)[:1], silence)
    assert faint < 100 * missed, (
        f"noise of 0.01 against silence costs {faint:.1e}, a hit that is missed {missed:.1e}; usually a division by the "
        "level of the target, which needs a floor"
    )


def one_channel_is_heard_or_refused(make: Loss) -> None:
    """A mono sound costs as any other; a loss that needs more channels raises Refused."""
    loss = _loss_of(make)
    try:
        value = loss(sound(0)[:, :1], sound(1)[:, :1])
    except Refused:
        return
    except Exception as error:
        raise AssertionError(
            f"one channel gives {type(error).__name__}: {error}; expected a number, or Refused, which shows the "
            "author of a recipe the line"
        ) from error
    assert value.isfinite(), f"one channel costs {value}; expected a finite number"


def the_gradient_reaches_the_estimate(make: Loss) -> None:
    """Each item and channel of the estimate gets a gradient, and a step against it lowers the loss."""
    loss, target, estimate = _loss_of(make), sound(0), sound(1).requires_grad_()
    before = loss(target, estimate)
    before.backward()
    gradient = estimate.grad
    assert gradient is not None, "no gradient reaches the estimate; expected one; usually a detach()"
    assert (gradient.abs().sum(-1) > 0).all(), (
        "an item or a channel of the estimate gets no gradient; expected one for each; usually a channel left out"
    )
    with torch.no_grad():
        after = loss(target, estimate - 1e-3 * gradient / gradient.abs().max())
    assert after < before, (
        f"a small step against the gradient moves the loss from {before:.4f} to {after:.4f}; expected less"
    )


def inputs_are_untouched(make: Loss) -> None:
    """Both sounds are as they were, and a second call gives the same value."""
    loss, x, y = _loss_of(make), sound(0), sound(1)
    first = loss(x, y)
    assert torch.equal(first, loss(x, y)), (
        "two calls differ; expected the same bits; a loss draws nothing at random"
    )
    for given, kept in ((x, sound(0)), (y, sound(1))):
        assert torch.equal(given, kept), "an input was changed in place; expected a new tensor"


def no_value_is_read_back(make: Loss) -> None:
    """The loss does not wait for the device."""
    loss, x, y = _loss_of(make), sound(0), sound(1)
    with NoDeviceReads():
        loss(x, y)


CHECKS = checks_in(globals())
