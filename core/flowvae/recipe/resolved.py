"""A resolved recipe: complete, frozen, every default filled in, every value with its origin."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
from attrs import frozen

from flowvae.catalogue import Component
from flowvae.recipe.sections import (
    AblationSection,
    EvaluationSection,
    ExecutionSection,
    ModelSection,
    TrainSection,
)
from flowvae.recipe.tree import Dropped


@frozen(eq=False)
class Part:
    """A component with its values: what stands in a slot."""

    component: Component
    values: Mapping[str, Any]
    """The component's own keys; a slot holds a Part or a tuple of them."""
    extras: Mapping[str, Any] = attrs.field(factory=dict)
    """Keys of the same table that belong to flowvae, such as the weight of a loss."""

    @property
    def name(self) -> str:
        """The component's name."""
        return self.component.name

    def parts(self) -> Iterator["Part"]:
        """The part itself and all that stand in its slots."""
        yield self
        for value in self.values.values():
            for child in value if isinstance(value, tuple) else (value,):
                if isinstance(child, Part):
                    yield from child.parts()

    def said(self, *, paths: bool = True) -> str:
        """The component as one reads it: snake(alpha=1.0)."""
        values = [f"{k}={_said(v)}" for k, v in self.values.items() if paths or not isinstance(v, Path)]
        return f"{self.name}({', '.join(values)})" if values else self.name


def _said(value: Any) -> str:
    if isinstance(value, Part):
        return value.said()
    if isinstance(value, tuple):
        return "[" + ", ".join(_said(v) for v in value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


@frozen(eq=False)
class Recipe:
    """All that a run needs to know."""

    name: str
    data: Part
    augmentations: tuple[Part, ...]
    model: ModelSection
    losses: tuple[Part, ...]
    regularizer: Part
    train: TrainSection
    evaluation: EvaluationSection
    execution: ExecutionSection
    ablation: AblationSection | None
    seed: int
    description: str
    requires: tuple[str, ...]
    """Plugins beside flowvae's own that the recipe needs."""
    origins: Mapping[str, str]
    """Key path to where the value comes from."""
    dropped: tuple[Dropped, ...]

    def parts(self) -> Iterator[Part]:
        """Every component in use, nested ones included."""
        for _, part in self.slots():
            yield from part.parts()

    def slots(self) -> Iterator[tuple[str, Part]]:
        """The outermost components with their key paths."""
        for name, top in self.tables():
            fields = attrs.asdict(top, recurse=False) if not isinstance(top, Part | tuple) else {"": top}
            for field, value in fields.items():
                path = f"{name}.{field}" if field else name
                if isinstance(value, Part):
                    yield path, value
                elif isinstance(value, tuple):
                    yield from ((f"{path}.{i}", v) for i, v in enumerate(value) if isinstance(v, Part))

    def tables(self) -> Iterator[tuple[str, Any]]:
        """The top-level tables in the order of a recipe."""
        for name in (
            "data",
            "augmentations",
            "model",
            "losses",
            "regularizer",
            "train",
            "evaluation",
            "execution",
        ):
            yield name, getattr(self, name)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every key path of a resolved table with its plain value; a component shows as `path.use`."""
    if isinstance(value, Part):
        yield f"{path}.use", value.name
        for key, child in {**value.values, **value.extras}.items():
            yield from leaves(child, f"{path}.{key}")
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from leaves(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, tuple) and any(isinstance(v, Part) for v in value):
        for index, child in enumerate(value):
            yield from leaves(child, f"{path}.{index}")
    elif isinstance(value, Mapping):
        for key, child in value.items():
            yield from leaves(child, f"{path}.{key}")
    else:
        yield path, str(value) if isinstance(value, Path) else value


def recipe_leaves(recipe: Recipe) -> dict[str, Any]:
    """The whole recipe as key path to value."""
    found = {"seed": recipe.seed}
    for name, table in recipe.tables():
        found.update(leaves(table, name))
    return found
