"""What makes a run that run: a hash over everything that can change its result, and over nothing else."""

import hashlib
import json
from pathlib import Path
from typing import Any

from flowvae.recipe.resolved import Recipe, recipe_leaves

OUTSIDE = ("execution.", "train.checkpoint_every", "evaluation.every", "evaluation.clips")
"""What cannot change a result but for the last bits."""


def identity(recipe: Recipe, seed: int, data_fingerprint: str) -> str:
    """Over the resolved values, the source and version of every component, the data and the seed.

    Not over paths, workers, or the order of keys.
    """
    content = {
        "leaves": {**counting_leaves(recipe), "seed": seed},
        "components": components(recipe),
        "data": data_fingerprint,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=list).encode()).hexdigest()


def counting_leaves(recipe: Recipe) -> dict[str, Any]:
    """The values of a recipe that can change a result."""
    leaves = {path: value for path, value in recipe_leaves(recipe).items() if not path.startswith(OUTSIDE)}
    for path in (*_paths(recipe), "seed"):
        leaves.pop(path, None)
    return leaves


def components(recipe: Recipe) -> dict[str, dict[str, str]]:
    """Every component in use with its owner and the hash of its source."""
    return {
        f"{part.component.kind} {part.component.qualified}": {
            "distribution": part.component.plugin.distribution,
            "version": part.component.plugin.version,
            "source": part.component.source.digest,
        }
        for part in recipe.parts()
        if part.component.kind != "executor"
    }


def _paths(recipe: Recipe) -> list[str]:
    def inside(value: Any, path: str) -> list[str]:
        return [f"{path}.{k}" for k, v in value.items() if isinstance(v, Path)]

    return inside(recipe.data.values, "data")
