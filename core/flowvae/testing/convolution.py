"""What every choice of where convolutions look must do."""

from flowvae.contracts import Convolution
from flowvae.testing import checks_in


def all_that_is_missing_is_shared_out(make: Convolution) -> None:
    """The two ends get whole numbers, 0 or more, which make up what is missing: for even, odd and for nothing."""
    for missing in (0, 1, 2, 5, 6, 81):
        ends = tuple(make(missing))
        right = len(ends) == 2 and all(type(end) is int and end >= 0 for end in ends) and sum(ends) == missing
        assert right, (
            f"{missing} missing samples are shared out as {ends}; expected (before, after), 0 or more each, "
            f"{missing} in all: a layer would give another length"
        )


def the_same_kernel_looks_at_the_same_place(make: Convolution) -> None:
    """A number of missing samples is always shared out in the same way."""
    first = [make(missing) for missing in range(10)]
    assert first == [make(missing) for missing in range(10)], (
        "two calls share out one number in two ways; expected one: layers of one model must agree"
    )


CHECKS = checks_in(globals())
