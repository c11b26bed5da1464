"""What everything that weighs the losses of an estimate against each other must do."""

import torch
from torch import Tensor

from flowvae.contracts import Balance, BuiltBalance
from flowvae.testing import checks_in
from flowvae.testing.device_reads import NoDeviceReads
from flowvae.testing.properties import noise
from flowvae.testing.resumption import goes_on_to_the_bit

SHAPE = (3, 2, 64)
SIZES = {"near": 1.0, "steep": 1e3, "flat": 1e-3}
"""Of the gradients of three losses."""
WEIGHTS = {"near": 1.0, "steep": 2.0, "flat": 0.5}


def gradients(turn: int = 0, *names: str) -> dict[str, Tensor]:
    """Those of one step, of all losses or of some."""
    return {
        name: size * noise(*SHAPE, seed=10 * turn + index)
        for index, (name, size) in enumerate(SIZES.items())
        if not names or name in names
    }


def _pulled(balance: BuiltBalance, by: dict[str, Tensor]) -> Tensor:
    return balance(by, {name: WEIGHTS[name] for name in by})


def the_shape_is_kept(make: Balance) -> None:
    """One gradient of the estimate, finite and in single precision, for one loss and for several."""
    for names in (("near",), ("near", "steep"), ()):
        pull = _pulled(make(), gradients(0, *names))
        assert pull.shape == SHAPE, f"{SHAPE} becomes {tuple(pull.shape)}; expected the same shape"
        assert pull.dtype == torch.float32, f"float32 becomes {pull.dtype}; expected the same precision"
        assert pull.isfinite().all(), "ordinary gradients come out as numbers that are not finite"


def a_loss_alone_keeps_its_direction(make: Balance) -> None:
    """Where there is one loss, the result pulls the way that its gradient does."""
    alone = gradients(0, "steep")
    pull = _pulled(make(), alone)
    likeness = float(torch.cosine_similarity(pull.flatten(), alone["steep"].flatten(), dim=0))
    assert likeness > 0.5, (
        f"a loss alone is pulled with a cosine of {likeness:.2f} to its gradient; expected about 1; usually a sign"
    )


def every_loss_pulls(make: Balance) -> None:
    """Another gradient of any one loss gives another result."""
    whole = _pulled(make(), gradients())
    for name in SIZES:
        other = _pulled(make(), {**gradients(), name: gradients(1)[name]})
        assert not torch.equal(whole, other), (
            f"the gradient of one of {len(SIZES)} losses was changed and the result was not; expected that each pulls"
        )


def a_zero_gradient_stays_finite(make: Balance) -> None:
    """A loss without a gradient, and losses that all have none, give finite numbers, and so does the step after."""
    silent = {name: torch.zeros(SHAPE) for name in SIZES}
    for given in ({**gradients(), "flat": silent["flat"]}, silent):
        balance = make()
        for step in (given, gradients(1)):
            assert _pulled(balance, step).isfinite().all(), (
                "a gradient of 0 gives numbers that are not finite; usually a division by its norm, which needs a floor"
            )


def a_loss_may_begin_later(make: Balance) -> None:
    """A loss that joins after some steps is taken in, and one that pauses comes back."""
    balance = make()
    for turn, names in enumerate((("near",), ("near",), ("near", "steep"), ("steep",), ())):
        assert _pulled(balance, gradients(turn, *names)).isfinite().all(), (
            "a loss that joins or pauses gives numbers that are not finite; keep what you remember by the loss's name"
        )


def inputs_are_untouched(make: Balance) -> None:
    """The gradients are as they were."""
    given = gradients()
    balance = make()
    for _ in range(2):
        _pulled(balance, given)
    assert all(torch.equal(given[name], kept) for name, kept in gradients().items()), (
        "a gradient was changed in place; expected a new tensor"
    )


def what_it_keeps_survives_a_checkpoint(make: Balance) -> None:
    """A resumed run weighs as the uninterrupted one would have weighed."""
    goes_on_to_the_bit(make, lambda balance, turn: _pulled(balance, gradients(turn)))


def no_value_is_read_back(make: Balance) -> None:
    """Nothing waits for the device, in the first step and in later ones."""
    balance, steps = make(), [gradients(turn) for turn in range(3)]
    with NoDeviceReads():
        for step in steps:
            _pulled(balance, step)


CHECKS = checks_in(globals())
