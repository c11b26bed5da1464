"""What the text of a module says of its classes and functions: plain data, read once and kept as long as the text."""

import ast
from collections import deque
from collections.abc import Iterator
from importlib.util import decode_source
from typing import NamedTuple


class Argument(NamedTuple):
    """An argument as it is written."""

    name: str
    annotation: str | None
    default: str | None


class Arguments(NamedTuple):
    """What a function takes, or the `__init__` of a class."""

    leading: tuple[Argument, ...]
    """Those before the star."""
    keys: tuple[Argument, ...]
    """Those after it."""
    is_open: bool
    """Whether it takes others as well, by * or **."""


class Definition(NamedTuple):
    """A class or a function at the top of a module."""

    name: str
    doc: str
    bases: tuple[str, ...]
    """What a class inherits from, as it is written, without what stands in brackets."""
    arguments: Arguments | None
    """Of a class only its own."""
    call: tuple[str, ...] | None
    """The names that `__call__` of a class takes."""
    has_open_fields: bool
    """Whether the class names fields that it does not fill."""
    constants: dict[str, object]
    """The names that the class assigns a literal to."""


class Outline(NamedTuple):
    """A module: its definitions by name, what it imports, and its literals."""

    definitions: dict[str, Definition]
    imports: dict[str, str]
    """Local name to "package.module.Name"."""
    constants: dict[str, object]


def outline(data: bytes, package: str) -> Outline:
    """The outline of a module of a package; SyntaxError or ValueError where it is no Python."""
    text = decode_source(data)
    tree = ast.parse(text)
    read = _Reader(text)
    definitions = {
        n.name: read.definition(n) for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef)
    }
    return Outline(definitions, _imports(tree, package), _literals(tree.body))


class _Reader:
    def __init__(self, text: str) -> None:
        self.lines = text.encode().split(b"\n")  # the places in a tree count bytes

    def definition(self, node: ast.ClassDef | ast.FunctionDef) -> Definition:
        doc = ast.get_docstring(node) or ""
        if isinstance(node, ast.FunctionDef):
            return Definition(node.name, doc, (), self._arguments(node.args), None, False, {})
        bases = [base.value if isinstance(base, ast.Subscript) else base for base in node.bases]
        methods = {m.name: m.args for m in reversed(node.body) if isinstance(m, ast.FunctionDef)}
        init, call = methods.get("__init__"), methods.get("__call__")
        return Definition(
            node.name,
            doc,
            tuple(map(ast.unparse, bases)),
            self._arguments(init) if init else None,
            tuple(a.arg for a in call.args[1:]) if call else None,
            any(isinstance(field, ast.AnnAssign) and self._is_open(field) for field in node.body),
            _literals(node.body),
        )

    def _arguments(self, said: ast.arguments) -> Arguments:
        before = [*said.posonlyargs, *said.args]
        defaults = [*[None] * (len(before) - len(said.defaults)), *said.defaults]
        return Arguments(
            tuple(map(self._argument, before, defaults)),
            tuple(map(self._argument, said.kwonlyargs, said.kw_defaults)),
            bool(said.vararg or said.kwarg),
        )

    def _argument(self, said: ast.arg, default: ast.expr | None) -> Argument:
        return Argument(said.arg, self._text(said.annotation), self._text(default))

    def _is_open(self, field: ast.AnnAssign) -> bool:
        return field.value is None and "ClassVar" not in ast.unparse(field.annotation)

    def _text(self, node: ast.expr | None) -> str | None:
        """What stands in the text for a node, on however many lines."""
        if node is None:
            return None
        lines = self.lines[node.lineno - 1 : node.end_lineno]
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        return b"\n".join(lines).decode()


def expression(text: str) -> ast.expr:
    """What an annotation or a default says; in brackets, for it may go over several lines."""
    return ast.parse(f"({text})", mode="eval").body


def _imports(tree: ast.Module, package: str) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = alias.name
        elif isinstance(node, ast.ImportFrom):
            origin = _absolute(node, package)
            for alias in node.names:
                # Of what is imported whole there may be several.
                local = f"* of {origin}" if alias.name == "*" else alias.asname or alias.name
                names[local] = f"{origin}.{alias.name}"
    return names


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Every statement, what stands inside others after what is around it; an import stands in no expression."""
    waiting: deque[ast.AST] = deque([tree])
    while waiting:
        node = waiting.popleft()
        yield node
        for inside in ("body", "handlers", "cases", "orelse", "finalbody"):
            waiting.extend(getattr(node, inside, ()))


def _absolute(node: ast.ImportFrom, package: str) -> str:
    base = package.split(".")[: 1 - node.level or None] if node.level else []
    return ".".join([*base, node.module] if node.module else base)


def _literals(body: list[ast.stmt]) -> dict[str, object]:
    """The names that a module or a class assigns a literal to."""
    constants: dict[str, object] = {}
    for node in body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                try:
                    constants[name] = ast.literal_eval(value)
                except ValueError:
                    continue
            case _:
                continue
    return constants
