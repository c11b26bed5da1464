"""Where a recipe says what a component refused once it was built: by then there are values and no text."""

from attrs import evolve

from flowvae.errors import Fault, Place
from flowvae.recipe.tables import Recipe


def placed(fault: Fault, recipe: Recipe) -> Fault:
    """A component's fault where the recipe says the value, or where it names the component."""
    origin = recipe.origins.get(fault.path) or recipe.origins.get(f"{fault.path}.use")
    return evolve(fault, place=Place(origin) if origin else None)
