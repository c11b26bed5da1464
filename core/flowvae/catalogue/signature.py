"""Reads a signature: what the parent gives, what the recipe may say, and what it means.

Arguments before the star come from the parent, those after it from the recipe. The keyword-only arguments,
their annotations and defaults are the schema of the recipe's table; the docstring explains them.
"""

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import GenericAlias
from typing import Any, Literal, Union

from attrs import evolve, frozen

from flowvae.catalogue import docstrings
from flowvae.catalogue.outline import Argument, Arguments, expression
from flowvae.catalogue.source import Source, SourceError
from flowvae.text import toml_like, type_name


class _Required(Enum):
    token = "required"  # noqa: S105 - no secret, a mark


REQUIRED = _Required.token
"""Stands where a parameter has no default."""


@frozen
class Slot:
    """A place that takes a component of one kind, or several of them."""

    kind: str
    many: bool = False
    optional: bool = False
    own_keys: "tuple[Parameter, ...]" = ()
    """Keys that whoever has the slot adds to the table of the component in it, such as the weight of a loss."""

    def __str__(self) -> str:
        return f"{self.kind}s" if self.many else self.kind


@frozen
class Parameter:
    """A key of a recipe's table."""

    name: str
    type: Any
    """A Python type for cattrs; None for a slot."""
    slot: Slot | None
    default: Any
    meaning: str = ""
    least: float | None = None
    most: float | None = None

    @property
    def type_name(self) -> str:
        """The type in the words of a recipe."""
        return f"a component of kind {self.slot.kind}" if self.slot else type_name(self.type)

    def accepted(self) -> str:
        """What the key takes, with its default."""
        default = "" if self.default is REQUIRED else f", default {toml_like(self.default)}"
        many = "several by name, each " if self.slot and self.slot.many else ""
        return f"{many}{self.type_name}{self.limits}{default}"

    @property
    def limits(self) -> str:
        """What bounds the value, after its type."""
        both = (("at least", self.least), ("at most", self.most))
        return "".join(f", {word} {limit:.12g}" for word, limit in both if limit is not None)

    def admits(self, value: Any) -> bool:
        """Whether a value of the right type is within the limits."""
        if not isinstance(value, int | float):
            return True
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


WEIGHED = (Parameter("weight", float, None, 1.0, "how much it counts beside the others", 1e-3, 1e3),)
"""What the table of a part has in a slot of the type tuple[Weighed[...], ...]."""


@frozen
class Signature:
    """What stands in the source of a component."""

    summary: str
    doc: str
    given: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    constants: Mapping[str, object]
    """Class constants with a literal value, such as a metric's direction."""


SlotOf = Callable[[str], str | None]
"""From "package.module.Contract" to the name of the kind that has this contract."""


def read_signature(source: Source, given: tuple[str, ...], slot_of: SlotOf) -> Signature:
    """The signature of a definition; `given` names the parent's arguments where no star marks them."""
    family = list(_family(source))
    owner, arguments = _arguments(family)
    if arguments.is_open:
        raise SourceError("its signature has * or ** arguments: a recipe could not know its keys")
    meanings: dict[str, str] = {}
    constants: dict[str, object] = {}
    for member in reversed(family):  # what is nearer stands over what is inherited
        meanings |= docstrings.meanings(member.definition.doc)
        constants |= member.definition.constants
    leading = [a for a in arguments.leading if a.name not in {"self", "cls"}]
    keys = [*arguments.keys]
    if given:
        keys = [a for a in (*leading, *keys) if a.name not in given]
        leading = [a for a in leading if a.name in given]
    read = _Reader(owner, slot_of)
    parameters = {a.name: read.parameter(a, meanings.get(a.name, "")) for a in keys}
    doc, names = source.definition.doc, tuple(a.name for a in leading)
    return Signature(source.summary, doc, names, parameters, constants)


def _family(source: Source) -> Iterator[Source]:
    """The definition and what it inherits from, as far as that matters: an __init__ of its own hides what is behind."""
    lineage = source.lineage()
    complete = False
    while True:
        try:
            member = next(lineage)
        except StopIteration:
            return
        except SourceError as error:
            if complete:
                return
            raise SourceError(
                f"{error}: write an __init__ of its own, so that its keys can be read"
            ) from error
        complete = complete or member.definition.arguments is not None
        yield member


def call_signature(source: Source) -> tuple[str, ...]:
    """The names that a contract's `__call__` takes: what the parent of a kind can give."""
    if source.definition.call is None:
        raise SourceError(f"the contract {source.definition.name} has no __call__")
    return source.definition.call


def _arguments(family: list[Source]) -> tuple[Source, Arguments]:
    """Whose arguments a component has, and what they are."""
    for member in family:
        if member.definition.arguments is not None:
            return member, member.definition.arguments
    if any(member.definition.has_open_fields for member in family):
        raise SourceError("it has no __init__ of its own; write one, so that its keys can be read")
    return family[0], Arguments((), (), is_open=False)


_ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}

_SCALARS: dict[str, Any] = {"bool": bool, "int": int, "float": float, "str": str, "None": None}


@frozen(eq=False, repr=False)
class _Reader:
    """Turns annotations into types, with the names of one module in view."""

    source: Source
    slot_of: SlotOf

    def parameter(self, argument: Argument, meaning: str) -> Parameter:
        if argument.annotation is None:
            raise SourceError(f"its argument {argument.name} has no annotation")
        annotation = expression(argument.annotation)
        slot = self._slot(annotation)
        try:
            kind = None if slot else self._type(annotation)
        except SourceError as error:
            raise SourceError(f"its argument {argument.name}: {error}") from error
        return Parameter(argument.name, kind, slot, self._default(argument), meaning)

    def _default(self, argument: Argument) -> Any:
        if argument.default is None:
            return REQUIRED
        try:
            return self._literal(expression(argument.default))
        except (ValueError, ArithmeticError) as error:
            raise SourceError(f"the default of its argument {argument.name} is not a literal") from error

    def _literal(self, node: ast.expr) -> Any:
        """A literal, a constant of the module, or arithmetic over them such as 1 / 3."""
        match node:
            case ast.Name(id=name) if name in self.source.constants:
                return self.source.constants[name]
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return _ARITHMETIC[type(op)](self._literal(left), self._literal(right))
            case _:
                return ast.literal_eval(node)

    def _slot(self, annotation: ast.expr) -> Slot | None:
        match _unquoted(annotation):
            case ast.Name() | ast.Attribute() as name:
                kind = self.slot_of(self._qualified(name))
                return Slot(kind) if kind else None
            case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
                slot = self._slot(left)
                return Slot(slot.kind, slot.many, optional=True) if slot else None
            case ast.Subscript(slice=inner) as outer if self._base(outer) in {"tuple", "list", "Sequence"}:
                first = inner.elts[0] if isinstance(inner, ast.Tuple) else inner
                slot = self._slot(first)
                return evolve(slot, many=True) if slot else None
            case ast.Subscript(slice=inner) as outer if self._base(outer) == "Weighed":
                slot = self._slot(inner)
                return evolve(slot, own_keys=WEIGHED) if slot else None
            case _:
                return None

    def _type(self, annotation: ast.expr) -> Any:
        annotation = _unquoted(annotation)
        match annotation:
            case ast.Constant(value=None):
                return None
            case ast.Name() | ast.Attribute():
                qualified = self._qualified(annotation)
                if qualified in {"Path", "pathlib.Path"}:
                    return Path
                if qualified in _SCALARS:
                    return _SCALARS[qualified]
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return Union[self._type(left), self._type(right)]  # noqa: UP007 - built at run time
            case ast.Subscript(slice=inner):
                return self._subscript(self._base(annotation), inner)
            case _:
                pass
        raise SourceError(f"a recipe cannot write down a value of type {ast.unparse(annotation)}")

    def _subscript(self, base: str, inner: ast.expr) -> Any:
        if base == "Literal":
            return Literal[ast.literal_eval(inner)]
        if base in {"tuple", "list"}:
            elements = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            types = tuple(... if _is_ellipsis(e) else self._type(e) for e in elements)
            return GenericAlias(tuple if base == "tuple" else list, types)
        if base == "Optional":
            return Union[self._type(inner), None]  # noqa: UP007 - built at run time
        raise SourceError(f"a recipe cannot write down a value of type {base}[...]")

    def _base(self, annotation: ast.Subscript) -> str:
        return self._qualified(annotation.value).rpartition(".")[2]

    def _qualified(self, name: ast.expr) -> str:
        return self.source.qualified(ast.unparse(name))


def _unquoted(annotation: ast.expr) -> ast.expr:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            return ast.parse(annotation.value, mode="eval").body
        except SyntaxError:
            return annotation
    return annotation


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...
