"""What flowvae-onset offers. Every command imports this file: it does not need torch."""

from flowvae import hookimpl
from flowvae.catalogue.hooks import RegisterComponent, RegisterKind


@hookimpl
def flowvae_kinds(register: RegisterKind) -> None:
    """Offers a kind with its checks."""
    register("envelope", "flowvae_onset.contracts:Envelope", checks="flowvae_onset.checks:CHECKS")


@hookimpl
def flowvae_components(register: RegisterComponent) -> None:
    """Offers two envelopes, and a loss with a slot for one."""
    register("envelope", "peak", "flowvae_onset.envelopes.peak:Peak")
    register("envelope", "rms", "flowvae_onset.envelopes.rms:RMS")
    register("loss", "envelope_loss", "flowvae_onset.envelope_loss:EnvelopeLoss")
