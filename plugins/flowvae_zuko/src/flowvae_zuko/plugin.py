"""What flowvae-zuko offers. Every command imports this file: it needs neither torch nor zuko."""

from flowvae import hookimpl
from flowvae.catalogue.hooks import RegisterComponent


@hookimpl
def flowvae_components(register: RegisterComponent) -> None:
    """Offers two flows."""
    register("flow", "zuko_maf", "flowvae_zuko.flows.maf:zuko_maf")
    register("flow", "zuko_nsf", "flowvae_zuko.flows.nsf:zuko_nsf")
