"""Finds the text of a class or a function without importing the module that it stands in."""

import ast
import hashlib
import importlib.util
import inspect
import sys
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path

from attrs import frozen

WITHOUT_KEYS = {"object", "abc.ABC", "typing.Protocol", "typing.Generic", "torch.nn.Module"}
"""Classes that a component inherits from without inheriting an argument."""

Definition = ast.ClassDef | ast.FunctionDef


class SourceError(Exception):
    """A target whose source cannot be found or read."""


@frozen(eq=False, slots=False)
class _Module:
    """The text of a module; what only some readers need is worked out for them alone."""

    name: str
    tree: ast.Module
    package: str
    text: bytes

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        return {node.name: node for node in self.tree.body if isinstance(node, Definition)}

    @cached_property
    def imports(self) -> dict[str, str]:
        return _imports(self.tree, self.package)

    @cached_property
    def constants(self) -> dict[str, object]:
        return literals(self.tree.body)

    @cached_property
    def digest(self) -> str:
        """Over the module and what it imports from its own distribution: what they share decides a result as well."""
        texts = {"": self.text}
        waiting = [self]
        while waiting:
            for name, module in _siblings(waiting.pop()):
                if name not in texts:
                    texts[name] = module.text
                    waiting.append(module)
        parts = (hashlib.sha256(texts[name]).digest() for name in sorted(texts))
        return hashlib.sha256(b"".join(parts)).hexdigest()


@frozen(eq=False)
class Source:
    """A definition and the module that it stands in."""

    definition: Definition
    _module: _Module

    @property
    def imports(self) -> dict[str, str]:
        """Local name to "package.module.Name"."""
        return self._module.imports

    @property
    def constants(self) -> dict[str, object]:
        """Literals assigned at the top of the module."""
        return self._module.constants

    @property
    def digest(self) -> str:
        """A hash over the module's text and over the modules of its own package that it imports."""
        return self._module.digest

    def qualified(self, name: str) -> str:
        """What a name of the module means elsewhere: "package.module.Name"."""
        head, dot, tail = name.partition(".")
        if head in self._module.definitions:
            return f"{self._module.name}.{name}"
        return self.imports.get(head, head) + dot + tail

    def lineage(self) -> Iterator["Source"]:
        """The definition and the classes that it inherits from, the nearest first; SourceError where one is hidden."""
        yield self
        for base in self.definition.bases if isinstance(self.definition, ast.ClassDef) else ():
            name = ast.unparse(base.value if isinstance(base, ast.Subscript) else base)
            if name in self._module.definitions:
                yield from Source(self._module.definitions[name], self._module).lineage()
                continue
            dotted = self.qualified(name)
            if dotted not in WITHOUT_KEYS:
                module, _, name = dotted.rpartition(".")
                yield from read_target(f"{module}:{name}").lineage()

    @property
    def summary(self) -> str:
        """The first paragraph of the docstring, on one line."""
        return " ".join((ast.get_docstring(self.definition) or "").partition("\n\n")[0].split())


def read_target(target: str) -> Source:
    """The source of "package.module:Name", wherever the module has that name from."""
    module_name, _, name = target.partition(":")
    if not name:
        raise SourceError(f'"{target}" is not of the form "package.module:Name"')
    module = _defining(module_name, name, frozenset())
    if module is None:
        raise SourceError(f"{module_name} defines no class or function {name}")
    return module


def defined_as(dotted: str) -> str:
    """The name under which a class or a function was defined; the same name where its source is out of reach."""
    module, _, name = dotted.rpartition(".")
    if not module or module.partition(".")[0] in sys.stdlib_module_names:
        return dotted
    try:
        source = read_target(f"{module}:{name}")
    except SourceError:
        return dotted
    return source.qualified(source.definition.name)


def _defining(module_name: str, name: str, passed: frozenset[tuple[str, str]]) -> Source | None:
    """Follows a name from module to module, through `import *` as well, until one defines it."""
    module = _read_module(module_name)
    if name in module.definitions:
        return Source(module.definitions[name], module)
    passed |= {(module_name, name)}
    if name in module.imports:
        origin, _, there = module.imports[name].rpartition(".")
        return None if (origin, there) in passed else _defining(origin, there, passed)
    for origin in [dotted[:-2] for dotted in module.imports.values() if dotted.endswith(".*")]:
        with suppress(SourceError):
            if (origin, name) not in passed and (found := _defining(origin, name, passed)):
                return found
    return None


def read_object(thing: object) -> Source:
    """The source of a class or a function at hand, as in a notebook or a test."""
    try:
        text = textwrap.dedent(inspect.getsource(thing))  # type: ignore[arg-type]
        module = inspect.getmodule(thing)
    except (OSError, TypeError) as error:
        raise SourceError(f"the source of {thing!r} cannot be read: {error}") from error
    definition = ast.parse(text).body[0]
    if not isinstance(definition, Definition):
        raise SourceError(f"{thing!r} is neither a class nor a function")
    around = inspect.getsource(module) if module else text
    name = module.__name__ if module else ""
    return Source(definition, _Module(name, ast.parse(around), name.rpartition(".")[0], text.encode()))


@cache
def _read_module(name: str) -> _Module:
    file = _find_module(name)
    try:
        data = file.read_bytes()
        tree = ast.parse(data, filename=str(file))
    except (OSError, SyntaxError, ValueError) as error:
        raise SourceError(f"{name} cannot be read: {error}") from error
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    return _Module(name, tree, package, data)


def _siblings(module: _Module) -> Iterator[tuple[str, _Module]]:
    """The modules of the same outermost package that a module imports, wherever in it."""
    top = module.package.partition(".")[0]
    for dotted in {*module.imports.values()} if top else ():
        if dotted.partition(".")[0] != top:
            continue
        for name in (dotted, dotted.rpartition(".")[0]):  # a module, or something in one
            with suppress(SourceError):
                yield name, _read_module(name)
                break


def _find_module(name: str) -> Path:
    # find_spec("a.b") would import a; only the outermost name is looked up that way, which imports nothing.
    top, *rest = name.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError) as error:
        raise SourceError(f"{name} is not installed: {error}") from error
    if spec is None:
        raise SourceError(f"{name} is not installed")
    if not rest:
        return _source_file(name, spec.origin)
    for folder in spec.submodule_search_locations or []:
        stem = Path(folder).joinpath(*rest)
        for candidate in (stem / "__init__.py", stem.with_name(stem.name + ".py")):
            if candidate.is_file():
                return candidate
    raise SourceError(f"{name} is not installed, or has no Python source")


def _source_file(name: str, origin: str | None) -> Path:
    if origin is None or not origin.endswith(".py"):
        raise SourceError(f"{name} has no Python source")
    return Path(origin)


def _imports(tree: ast.Module, package: str) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in ast.walk(tree):
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


def _absolute(node: ast.ImportFrom, package: str) -> str:
    base = package.split(".")[: 1 - node.level or None] if node.level else []
    return ".".join([*base, node.module] if node.module else base)


def literals(body: list[ast.stmt]) -> dict[str, object]:
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
