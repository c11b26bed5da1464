"""What makes a run that run: a hash over everything that can change its result, and over nothing else."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from flowvae.recipe.content import by_content, content_digest
from flowvae.recipe.part import Part
from flowvae.recipe.tables import Recipe

OUTSIDE = (
    "execution.",
    "train.checkpoint_every",
    "evaluation.every",
    "evaluation.curve_points",
    "evaluation.audio_examples",
    "evaluation.final_audio",
    "evaluation.references",
)
"""What cannot change a result but for the last bits."""


def identity(
    recipe: Recipe, seed: int, data_fingerprint: str, digest: Callable[[Path], str] = content_digest
) -> str:
    """Over the resolved values, the source and version of every component, the data and the seed.

    Not over places, workers, or the order of keys: a path counts by what it points to, as `digest` tells.
    """
    content = {
        "leaves": {**counting_leaves(recipe, digest), "seed": seed},
        "components": components(recipe),
        "data": data_fingerprint,
    }
    return _hash(content)


def counting_leaves(recipe: Recipe, digest: Callable[[Path], str] = content_digest) -> dict[str, Any]:
    """The values of a recipe that can change a result."""
    return {
        path: by_content(value, digest)
        for path, value in recipe.leaves().items()
        if path != "seed"
        and not path.startswith(OUTSIDE)
        # The content of the sounds counts by the fingerprint of their data set.
        and not (path.startswith("data.") and isinstance(value, Path))
    }


def components(recipe: Recipe) -> dict[str, dict[str, str]]:
    """Every component that a run depends on, with its owner and the hash of its source."""
    return _described(part for part in recipe.parts() if part.component.kind not in {"executor", "reference"})


def references_identity(recipe: Recipe, data_fingerprint: str) -> str:
    """Over all that the figures of the references depend on: they themselves, the metrics, and the sounds."""
    evaluation = recipe.evaluation
    names = (
        "evaluation.references",
        "evaluation.metrics",
        "evaluation.sounds",
        "evaluation.audio_examples",
        "evaluation.final_audio",
        "model.",
    )
    parts = [
        p
        for slot in (evaluation.references, evaluation.metrics)
        for part in slot.values()
        for p in part.parts()
    ]
    content = {
        "leaves": {n: by_content(value) for n, value in recipe.leaves().items() if n.startswith(names)},
        "components": _described(parts),
        "data": data_fingerprint,
    }
    return _hash(content)


def _hash(content: dict[str, Any]) -> str:
    import hashlib  # noqa: PLC0415 - loads OpenSSL, which takes 3 ms; a recipe that is only looked at has no identity

    return hashlib.sha256(json.dumps(content, sort_keys=True, default=list).encode()).hexdigest()


def _described(parts: Iterable[Part]) -> dict[str, dict[str, str]]:
    return {
        f"{part.component.kind} {part.component.qualified}": {
            "distribution": part.component.plugin.distribution,
            "version": part.component.plugin.version,
            "source": part.component.source.digest,
        }
        for part in parts
    }
