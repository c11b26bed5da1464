"""What every envelope must do."""

import torch
from torch import Tensor

from flowvae_onset.contracts import Envelope

SAMPLE_RATE, N_SAMPLES = 44100, 4096


def sound(seed: int = 0) -> Tensor:
    """Three stereo hits: noise that decays."""
    noise = torch.randn(3, 2, N_SAMPLES, generator=torch.Generator().manual_seed(seed))
    return 0.3 * noise * torch.exp(-torch.arange(N_SAMPLES) / 600)


def one_value_a_frame(make: Envelope) -> None:
    """(b, c, t) becomes (b, n), and a longer sound has no fewer frames; one sample is enough."""
    n_frames = []
    for t in (1, 100, N_SAMPLES):
        envelope = make(SAMPLE_RATE)(sound()[..., :t])
        assert envelope.dim() == 2, (
            f"{t} samples give {tuple(envelope.shape)}; expected (b, n): join the channels"
        )
        assert len(envelope) == 3, f"3 sounds give {len(envelope)} envelopes; expected one each"
        n_frames.append(envelope.shape[1])
    assert 1 <= n_frames[0] <= n_frames[1] < n_frames[2], (
        f"1, 100 and {N_SAMPLES} samples give {n_frames} frames; expected at least one, and more for more"
    )


def silence_is_0_with_a_finite_gradient(make: Envelope) -> None:
    """Zeros give zeros, and a gradient without inf or NaN."""
    silence = torch.zeros(1, 1, N_SAMPLES, requires_grad=True)
    envelope = make(SAMPLE_RATE)(silence)
    assert float(envelope.detach().abs().max()) < 1e-6, (
        "silence has an envelope above 0: take the floor off again"
    )
    envelope.sum().backward()
    assert silence.grad is not None, "no gradient reaches the audio; usually a detach()"
    assert bool(silence.grad.isfinite().all()), (
        "the gradient at silence is not finite: put a floor inside the root"
    )


def a_constant_is_its_own_envelope(make: Envelope) -> None:
    """A level of 0.5 in all channels gives 0.5 in every frame, the last one included."""
    envelope = make(SAMPLE_RATE)(torch.full((1, 2, N_SAMPLES - 5), 0.5))
    assert torch.allclose(envelope, torch.tensor(0.5), rtol=1e-3), (
        f"a constant of 0.5 gives {envelope.min():.3f} to {envelope.max():.3f}; usually zeros that are averaged at an end"
    )


def twice_the_level_is_twice_the_envelope(make: Envelope) -> None:
    """Gain passes through, and the sign is lost."""
    module = make(SAMPLE_RATE)
    once = module(sound())
    for gain in (2.0, -2.0):
        assert torch.allclose(module(gain * sound()), 2 * once, rtol=1e-2, atol=1e-4), (
            f"a gain of {gain:.0f} does not double the envelope: it is an amplitude, and no power and no logarithm"
        )


def sounds_do_not_mix(make: Envelope) -> None:
    """A sound's envelope does not see the others, and the audio is left as it was."""
    module, other = make(SAMPLE_RATE), sound()
    other[0] *= 2
    assert torch.allclose(module(sound())[1:], module(other)[1:], atol=1e-6), (
        "a change of one sound moves the others; usually a level taken over the whole batch"
    )
    assert torch.equal(other[1:], sound()[1:]), "the audio was changed in place; expected a new tensor"


CHECKS = (
    one_value_a_frame,
    silence_is_0_with_a_finite_gradient,
    a_constant_is_its_own_envelope,
    twice_the_level_is_twice_the_envelope,
    sounds_do_not_mix,
)
