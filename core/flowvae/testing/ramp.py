"""What every ramp must do: what a schedule must, for it is one of another weight."""

from flowvae.testing import schedule

CHECKS = schedule.CHECKS
