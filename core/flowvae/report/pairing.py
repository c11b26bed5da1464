"""Which runs of different folders are a pair: same seed, sounds, streams and budget. Where they are none, why."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

import tomli
from attrs import frozen

from flowvae.errors import CheckpointError
from flowvae.folder.clip_records import PreparedClips
from flowvae.folder.files import read_record
from flowvae.folder.run_records import Order
from flowvae.report.comparison import CONTEXT
from flowvae.report.reading import Run
from flowvae.text import shortened, toml_like

BUDGET = {
    "train.steps": "steps",
    "train.batch_size": "sounds in a batch",
    "model.n_samples": "samples of a sound",
    "model.sample_rate": "sample rate",
    "model.channels": "channels",
}
"""What a step costs and hears: of these all have to agree."""
STREAMS = ("flowvae", "torch", "numpy")
"""Whose versions say which random numbers come of a seed."""


@frozen(slots=False)
class Kept:
    """A run with what its folder says of how it was made."""

    run: Run

    @cached_property
    def recipe(self) -> Mapping[str, Any]:
        """Its complete recipe; nothing where that cannot be read."""
        with suppress(OSError, ValueError):
            return tomli.loads((self.run.folder / "recipe.toml").read_text(encoding="utf-8"))
        return {}

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """Versions and components; nothing where they cannot be read."""
        with suppress(CheckpointError):
            return read_record(self.run.folder / "environment.json")
        return {}

    @cached_property
    def clips(self) -> PreparedClips | None:
        """The record of its prepared sounds; None where it is not there."""
        with suppress(CheckpointError, OSError):
            return PreparedClips.read_if_there(self.run.folder / Order.read(self.run.folder).data)
        return None

    def value(self, path: str) -> Any:
        """A value of its recipe by key path; None where there is none."""
        found: Any = self.recipe
        for key in path.split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
        return found


def no_pair(one: Kept, other: Kept, metric: str) -> tuple[str, ...]:
    """Why no difference of these two runs is taken on a metric; nothing where they are a pair."""
    if one.run.result == other.run.result:
        return ("it is the same run, named twice",)
    return tuple(
        dict.fromkeys(
            (*_sounds(one, other), *_budget(one, other), *_made(one, other), *_metric(one, other, metric))
        )
    )


def _sounds(one: Kept, other: Kept) -> Iterator[str]:
    a, b = one.clips, other.clips
    if a is None or b is None:
        yield "the record of the sounds is not there, so nobody can say whether they are the same"
    elif a.fingerprint != b.fingerprint:
        yield f"the sounds are others: fingerprint {a.fingerprint[:12]} and {b.fingerprint[:12]}"
    elif (a.clips, a.slack) != (b.clips, b.slack):
        yield "the sounds are split or cut in another way"
    elif one.run.result and other.run.result and one.run.result.sounds != other.run.result.sounds:
        yield "other sounds of those held out were measured"


def _budget(one: Kept, other: Kept) -> Iterator[str]:
    if not (one.recipe and other.recipe):
        yield "the recipe of a run cannot be read, so nobody can say what it was given"
        return
    for path, words in BUDGET.items():
        a, b = one.value(path), other.value(path)
        if a != b:
            yield f"the budget is another one: {words} {toml_like(a)} and {toml_like(b)}"
    begun = [kept.run.started and kept.run.started.run for kept in (one, other)]
    if begun[0] != begun[1] or bool(one.run.started) != bool(other.run.started):
        yield "the budget is another one: they begin with other weights"


def _made(one: Kept, other: Kept) -> Iterator[str]:
    """Versions that decide the random streams, and what the last bits depend on."""
    a, b = (kept.environment.get("distributions", {}) for kept in (one, other))
    if not (a and b):
        yield "the versions of a run are not known, so nobody can say whether a seed means the same"
    for name in STREAMS:
        if a and b and a.get(name) != b.get(name):
            yield f"the random streams may differ: {name} {a.get(name)} and {b.get(name)}"
    if one.run.result and other.run.result:
        for key, words in CONTEXT.items():
            x, y = str(getattr(one.run.result, key)), str(getattr(other.run.result, key))
            if x != y and key != "data_fingerprint":
                yield f"{words} differs: {x[:24]} and {y[:24]}"
    if not (one.run.status.exact and other.run.status.exact):
        yield "a run was resumed, and not to the same bits"


def _metric(one: Kept, other: Kept, metric: str) -> Iterator[str]:
    """A figure of one name may be another figure: by the keys of its metric, or by its code."""
    tables = [kept.value(f"evaluation.metrics.{metric}") for kept in (one, other)]
    if tables[0] != tables[1]:
        said = " and ".join(shortened(json.dumps(table), 120) for table in tables)
        yield f"{metric} is measured in another way: {said}"
    component = str((tables[0] or {}).get("use", metric)).rpartition(":")[2]
    made = [
        {name: c for name, c in kept.environment.get("components", {}).items() if _is_metric(name, component)}
        for kept in (one, other)
    ]
    if made[0] != made[1]:
        yield f"the code of {metric} is another one"


def _is_metric(name: str, component: str) -> bool:
    return name.startswith("metric ") and name.rpartition(":")[2] == component
