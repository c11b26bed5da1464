"""What every schedule must do."""

from flowvae.contracts import Schedule
from flowvae.testing import checks_in


def factors_lie_between_0_and_1(make: Schedule) -> None:
    """Every step of a run of any length has a factor from 0 to 1."""
    for n_steps in (1, 2, 3, 10, 1001):
        factor = make(n_steps)
        seen = [factor(step) for step in range(n_steps)]
        assert all(0 <= value <= 1 for value in seen), (
            f"over {n_steps} steps the factor runs from {min(seen)} to {max(seen)}; expected 0 to 1: what it multiplies is the highest value"
        )
        assert max(seen) > 0, f"over {n_steps} steps the factor is 0 throughout; expected a step that learns"


def a_factor_depends_on_the_step_alone(make: Schedule) -> None:
    """A step has one factor, whatever was asked before: a resumed run is the uninterrupted one."""
    forth, back = make(50), make(50)
    rising = [forth(step) for step in range(50)]
    falling = [back(step) for step in reversed(range(50))]
    assert rising == falling[::-1], (
        "the factor of a step depends on the calls before it; expected a function of the step alone"
    )


CHECKS = checks_in(globals())
