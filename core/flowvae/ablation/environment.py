"""What a result was made with: versions, machine, components."""

import os
import platform
import sys
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

from flowvae.building.processor import processor
from flowvae.catalogue import Catalogue
from flowvae.recipe import Recipe
from flowvae.recipe.identity import components

DISTRIBUTIONS = ("flowvae", "torch", "torchaudio", "numpy", "soundfile", "soxr", "safetensors")


def describe_environment(recipe: Recipe, catalogue: Catalogue) -> dict[str, Any]:
    """Provenance of a run; nothing of it says where on this machine things lie."""
    return {
        **_machine(),
        "components": components(recipe),
        "plugins": [{"name": p.name, "owner": p.owner, "state": p.state} for p in catalogue.plugins],
    }


@cache
def _machine() -> Mapping[str, Any]:
    """What is the same for all runs that one process plans; the versions alone cost more than planning the run."""
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "distributions": {name: metadata.version(name) for name in DISTRIBUTIONS},
    }
