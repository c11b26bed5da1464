"""What every augmentation must do."""

import torch
from torch import Tensor

from flowvae.contracts import Augmentation, BuiltAugmentation
from flowvae.testing import checks_in
from flowvae.testing.device_reads import NoDeviceReads
from flowvae.testing.properties import noise
from flowvae.testing.resumption import goes_on_to_the_bit
from flowvae.testing.streams import SeededStream

SAMPLE_RATE, N_SAMPLES, SLACK, N_ITEMS = 44100, 2048, 1024, 8


def batch_with_slack() -> Tensor:
    """Stereo sounds with slack before and after the clip."""
    return 0.1 * noise(N_ITEMS, 2, N_SAMPLES + 2 * SLACK)


def _changed(make: Augmentation, batch: Tensor, seed: int = 0) -> Tensor:
    """The batch after the augmentation."""
    return make(SAMPLE_RATE, N_SAMPLES)(batch, SeededStream(seed))


def the_length_is_that_of_the_contract(make: Augmentation) -> None:
    """The slack is kept or cut off, items, channels and precision stay."""
    batch = batch_with_slack()
    result = _changed(make, batch)
    assert result.shape[:2] == batch.shape[:2], (
        f"(b, c) = {tuple(batch.shape[:2])} becomes {tuple(result.shape[:2])}; expected the same items and channels"
    )
    assert result.shape[2] in {batch.shape[2], N_SAMPLES}, (
        f"t = {batch.shape[2]} becomes {result.shape[2]}; expected the same, or the {N_SAMPLES} of the clip"
    )
    assert result.dtype == batch.dtype, f"{batch.dtype} becomes {result.dtype}; expected the same precision"


def one_stream_gives_one_change(make: Augmentation) -> None:
    """The same stream gives the same sound, whatever torch's own generator has done."""
    batch = batch_with_slack()
    first = _changed(make, batch)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        before = torch.get_rng_state()
        second = _changed(make, batch)
        assert torch.equal(before, torch.get_rng_state()), (
            "torch's own generator was used; expected draws from the stream alone, or arms could not share them"
        )
    assert torch.equal(first, second), "one stream gives two sounds; expected one; draw from the stream alone"


def the_input_is_untouched(make: Augmentation) -> None:
    """The batch is as it was."""
    batch = batch_with_slack()
    _changed(make, batch)
    assert torch.equal(batch, batch_with_slack()), "the batch was changed in place; expected a new tensor"


def items_do_not_mix(make: Augmentation) -> None:
    """A sound comes out the same, whatever the others of the batch are."""
    batch, other = batch_with_slack(), batch_with_slack()
    other[0] *= 2
    one, two = _changed(make, batch)[1:], _changed(make, other)[1:]
    assert torch.allclose(one, two, atol=1e-6), (
        "a change of one item moves the others; expected none; usually a level taken over the whole batch"
    )


def silence_stays_finite(make: Augmentation) -> None:
    """Silence gives finite sounds, and a batch of one sound works."""
    result = _changed(make, torch.zeros(1, 1, N_SAMPLES + 2 * SLACK))
    assert result.isfinite().all(), (
        "silence comes out as numbers that are not finite; usually a division by a level"
    )


def no_value_is_read_back(make: Augmentation) -> None:
    """The change is made without waiting for the device."""
    batch = batch_with_slack()
    with NoDeviceReads():
        _changed(make, batch)


def what_it_keeps_survives_a_checkpoint(make: Augmentation) -> None:
    """A resumed run hears what the uninterrupted one would have heard."""

    def use(augment: BuiltAugmentation, turn: int) -> Tensor:
        return augment(batch_with_slack(), SeededStream(turn))

    goes_on_to_the_bit(lambda: make(SAMPLE_RATE, N_SAMPLES), use)


CHECKS = checks_in(globals())
