"""What flowvae-antialias offers. Every command imports this file: it does not need torch."""

from flowvae import hookimpl
from flowvae.catalogue.hooks import RegisterComponent


@hookimpl
def flowvae_components(register: RegisterComponent) -> None:
    """Offers one activation."""
    register("activation", "alias_free_snake", "flowvae_antialias.alias_free_snake:AliasFreeSnake")
