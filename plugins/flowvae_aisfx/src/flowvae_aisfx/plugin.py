"""What flowvae-aisfx offers. Every command imports this file: it needs neither torch nor aisfx."""

from flowvae import hookimpl
from flowvae.catalogue.hooks import RegisterComponent


@hookimpl
def flowvae_components(register: RegisterComponent) -> None:
    """Offers a metric."""
    register("metric", "aisfx_distance", "flowvae_aisfx.aisfx_distance:AisfxDistance")
