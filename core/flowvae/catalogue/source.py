"""Finds the text of a class or a function without importing the module that it stands in."""

import importlib.util
import inspect
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, cached_property
from importlib.machinery import ModuleSpec
from pathlib import Path

from attrs import frozen

from flowvae.catalogue.kept_outlines import kept_outlines
from flowvae.catalogue.outline import Definition, Outline, outline

WITHOUT_KEYS = {"object", "abc.ABC", "typing.Protocol", "typing.Generic", "torch.nn.Module"}
"""Classes that a component inherits from without inheriting an argument."""


class SourceError(Exception):
    """A target whose source cannot be found or read."""


@frozen(eq=False, slots=False)
class _Module:
    """What the text of a module says; the text itself is read for those alone who need all of it."""

    name: str
    package: str
    outline: Outline
    read: Callable[[], bytes]

    @cached_property
    def digest(self) -> str:
        """Over the module and what it imports from its own distribution: what they share decides a result as well."""
        import hashlib  # noqa: PLC0415 - loads OpenSSL, which takes 3 ms; only who runs a recipe needs it

        texts = {"": self.text}
        waiting = [self]
        while waiting:
            for name, module in _siblings(waiting.pop()):
                if name not in texts:
                    texts[name] = module.text
                    waiting.append(module)
        parts = (hashlib.sha256(texts[name]).digest() for name in sorted(texts))
        return hashlib.sha256(b"".join(parts)).hexdigest()

    @cached_property
    def text(self) -> bytes:
        try:
            return self.read()
        except OSError as error:
            raise SourceError(f"{self.name} cannot be read: {error}") from error


@frozen(eq=False)
class Source:
    """A definition and the module that it stands in."""

    definition: Definition
    _module: _Module

    @property
    def imports(self) -> dict[str, str]:
        """Local name to "package.module.Name"."""
        return self._module.outline.imports

    @property
    def constants(self) -> dict[str, object]:
        """Literals assigned at the top of the module."""
        return self._module.outline.constants

    @property
    def digest(self) -> str:
        """A hash over the module's text and over the modules of its own package that it imports."""
        return self._module.digest

    def qualified(self, name: str) -> str:
        """What a name of the module means elsewhere: "package.module.Name"."""
        head, dot, tail = name.partition(".")
        if head in self._module.outline.definitions:
            return f"{self._module.name}.{name}"
        return self.imports.get(head, head) + dot + tail

    def lineage(self) -> Iterator["Source"]:
        """The definition and the classes that it inherits from, the nearest first; SourceError where one is hidden."""
        yield self
        for name in self.definition.bases:
            if name in self._module.outline.definitions:
                yield from Source(self._module.outline.definitions[name], self._module).lineage()
                continue
            dotted = self.qualified(name)
            if dotted not in WITHOUT_KEYS:
                module, _, last = dotted.rpartition(".")
                yield from read_target(f"{module}:{last}").lineage()

    @property
    def summary(self) -> str:
        """The first paragraph of the docstring, on one line."""
        return " ".join(self.definition.doc.partition("\n\n")[0].split())


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
    if name in module.outline.definitions:
        return Source(module.outline.definitions[name], module)
    passed |= {(module_name, name)}
    if name in module.outline.imports:
        origin, _, there = module.outline.imports[name].rpartition(".")
        return None if (origin, there) in passed else _defining(origin, there, passed)
    for origin in [dotted[:-2] for dotted in module.outline.imports.values() if dotted.endswith(".*")]:
        with suppress(SourceError):
            if (origin, name) not in passed and (found := _defining(origin, name, passed)):
                return found
    return None


def read_object(thing: object) -> Source:
    """The source of a class or a function at hand, as in a notebook or a test."""
    import textwrap  # noqa: PLC0415 - what is installed is read from its file

    try:
        text = textwrap.dedent(inspect.getsource(thing))  # type: ignore[arg-type]
        module = inspect.getmodule(thing)
        around = inspect.getsource(module) if module else text
        name = module.__name__ if module else ""
        package = name.rpartition(".")[0]
        found, standing_in = outline(text.encode(), package), outline(around.encode(), package)
    except (OSError, TypeError, SyntaxError) as error:
        raise SourceError(f"the source of {thing!r} cannot be read: {error}") from error
    if not found.definitions:
        raise SourceError(f"{thing!r} is neither a class nor a function")
    definition = next(iter(found.definitions.values()))
    return Source(definition, _Module(name, package, standing_in, text.encode))


@cache
def _read_module(name: str) -> _Module:
    file, state = _find_module(name)
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    key = f"{package} {file}"  # what a relative import means depends on both
    try:
        found = kept_outlines().find(key, state)
        if found is None:
            found = outline(file.read_bytes(), package)
            kept_outlines().add(key, state, found)
    except (OSError, SyntaxError, ValueError) as error:
        raise SourceError(f"{name} cannot be read: {error}") from error
    return _Module(name, package, found, file.read_bytes)


def _siblings(module: _Module) -> Iterator[tuple[str, _Module]]:
    """The modules of the same outermost package that a module imports, wherever in it."""
    top = module.package.partition(".")[0]
    for dotted in {*module.outline.imports.values()} if top else ():
        if dotted.partition(".")[0] != top:
            continue
        for name in (dotted, dotted.rpartition(".")[0]):  # a module, or something in one
            with suppress(SourceError):
                yield name, _read_module(name)
                break


def _find_module(name: str) -> tuple[Path, os.stat_result]:
    """The file of a module, and what the file system says of it."""
    # find_spec("a.b") would import a; only the outermost name is looked up that way, which imports nothing.
    top, *rest = name.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError) as error:
        raise SourceError(f"{name} is not installed: {error}") from error
    if spec is None:
        raise SourceError(f"{name} is not installed")
    for file in _candidates(spec, rest):
        with suppress(OSError, ValueError):
            state = file.stat()
            if stat.S_ISREG(state.st_mode):
                return file, state
    raise SourceError(f"{name} is not installed, or has no Python source")


def _candidates(spec: ModuleSpec, rest: list[str]) -> Iterator[Path]:
    if not rest and spec.origin and spec.origin.endswith(".py"):
        yield Path(spec.origin)
    for folder in spec.submodule_search_locations or [] if rest else []:
        yield Path(folder, *rest, "__init__.py")
        yield Path(folder, *rest[:-1], f"{rest[-1]}.py")
