"""What everything that is done to a sound before a discriminator hears it must do."""

import torch

from flowvae.contracts import Conditioning
from flowvae.testing import checks_in
from flowvae.testing.device_reads import NoDeviceReads
from flowvae.testing.loss import extremes, sound
from flowvae.testing.properties import gradients_of


def the_shape_is_kept(make: Conditioning) -> None:
    """(b, c, t) and single precision stay, in mono and in stereo."""
    for given in (sound(0), sound(0)[:, :1]):
        heard = make()(given)
        assert heard.shape == given.shape, (
            f"{tuple(given.shape)} becomes {tuple(heard.shape)}; expected the same shape"
        )
        assert heard.dtype == given.dtype, f"{given.dtype} becomes {heard.dtype}; expected the same precision"


def items_do_not_mix(make: Conditioning) -> None:
    """A sound comes out the same, whatever the others of the batch are."""
    batch, other = sound(0), sound(0)
    other[0] = 3 * other[0].flip(-1) + 0.1
    assert torch.allclose(make()(batch)[1:], make()(other)[1:], atol=1e-6), (
        "a change of one item moves the others; expected none; usually a level taken over the whole batch"
    )


def extremes_stay_finite(make: Conditioning) -> None:
    """Silence and other extremes give finite sounds and finite gradients."""
    for name, given in extremes().items():
        raw = given.clone().requires_grad_()
        heard = make()(raw)
        assert heard.isfinite().all(), (
            f"{name} comes out as numbers that are not finite; usually a division by a level that needs a floor"
        )
        assert gradients_of(heard.square().sum(), raw)[0].isfinite().all(), (
            f"{name} has a gradient that is not finite; usually a root at 0: put the epsilon inside it"
        )


def the_gradient_reaches_every_sound(make: Conditioning) -> None:
    """Each item and channel gets a gradient: what the discriminator says must come back to the estimate."""
    raw = sound(0).requires_grad_()
    (gradient,) = gradients_of((make()(raw) * sound(1)).sum(), raw)
    assert (gradient.abs().sum(-1) > 0).all(), (
        "an item or a channel gets no gradient; expected one for each; usually a detach() or a channel left out"
    )


def the_input_is_untouched(make: Conditioning) -> None:
    """The sound is as it was, and a second call gives the same."""
    condition, given = make(), sound(0)
    first = condition(given)
    assert torch.equal(given, sound(0)), "the sound was changed in place; expected a new tensor"
    assert torch.equal(first, condition(given)), (
        "two calls differ; expected the same bits: real sounds and estimates must be treated alike"
    )


def no_value_is_read_back(make: Conditioning) -> None:
    """Nothing waits for the device."""
    condition, given = make(), sound(0)
    with NoDeviceReads():
        condition(given)


CHECKS = checks_in(globals())
