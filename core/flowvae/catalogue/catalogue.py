"""The catalogue: kinds, components, owners; and the answer when a name is not there."""

import importlib
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from typing import Any

from attrs import Factory, define, field, frozen

from flowvae.catalogue import kinds as own_kinds
from flowvae.catalogue.discovery import discover
from flowvae.catalogue.docstrings import doc_fields
from flowvae.catalogue.interrupts import own_interrupts, said_by
from flowvae.catalogue.loading import ask, new_manager
from flowvae.catalogue.plugin import Plugin
from flowvae.catalogue.signature import Signature, call_signature, read_signature
from flowvae.catalogue.source import Source, SourceError, defined_as, read_object, read_target
from flowvae.errors import PluginError


@frozen(eq=False, slots=False)
class Kind:
    """A type of slot with its contract."""

    name: str
    contract: str
    plugin: Plugin
    checks: str = ""
    """Where a kind that brings its own checks has them, "package.module:CHECKS"."""

    @cached_property
    def source(self) -> Source:
        """The contract's own text."""
        return read_target(self.contract)

    @property
    def alike(self) -> tuple[str, ...]:
        """Modules whose classes fill such a place where no slot was offered."""
        names = self.source.constants.get("ALIKE", ())
        return tuple(names) if isinstance(names, tuple) else ()

    @property
    def keeps_shape(self) -> bool:
        """Whether what fills such a place returns the shape that it was given."""
        return self.source.constants.get("KEEPS_SHAPE") is True

    @cached_property
    def gives(self) -> tuple[str, ...]:
        """The names of what the parent gives."""
        return call_signature(self.source)


@frozen(eq=False, slots=False, repr=False)
class Component:
    """A plain class or function that fills a slot of one kind, under one name."""

    kind: str
    name: str
    target: str | Any
    given: tuple[str, ...]
    plugin: Plugin
    catalogue: "Catalogue" = field(repr=False)

    def __str__(self) -> str:
        return f"{self.name} ({self.kind}, {self.plugin.owner})"

    __repr__ = __str__

    @property
    def qualified(self) -> str:
        """The name that resolves a clash."""
        return f"{self.plugin.distribution}:{self.name}"

    @cached_property
    def source(self) -> Source:
        """The component's own text."""
        return read_target(self.target) if isinstance(self.target, str) else read_object(self.target)

    @cached_property
    def signature(self) -> Signature:
        """What the recipe may say; raises PluginError where the source does not allow to know."""
        try:
            signature = read_signature(self.source, self.given, self.catalogue.kind_of)
            strangers = [
                name for name in signature.given if name not in self.catalogue.kinds[self.kind].gives
            ]
        except SourceError as error:
            raise PluginError(
                f"{self}: {error}", do=f"tell the authors of {self.plugin.distribution}"
            ) from error
        if strangers:
            gives = ", ".join(self.catalogue.kinds[self.kind].gives) or "nothing"
            raise PluginError(
                f"{self}: asks its parent for {', '.join(strangers)}, but the parent of a {self.kind} gives {gives}",
                do="put a star before the arguments that come from the recipe",
            )
        return signature

    @property
    def fields(self) -> dict[str, str]:
        """The named fields of its docstring."""
        return doc_fields(self.signature.doc)

    @property
    def facts(self) -> dict[str, object]:
        """What its class says of it as constants, such as the direction and the unit of a metric."""
        constants = self.signature.constants.items()
        return {name: value for name, value in constants if name.islower() and not name.startswith("_")}

    def load(self) -> Any:
        """The class or function itself. This is where torch comes in."""
        if not isinstance(self.target, str):
            return self.target
        module, _, name = self.target.partition(":")
        try:
            with own_interrupts():
                return getattr(importlib.import_module(module), name)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise PluginError(
                f"{self} did not load: {said_by(error)}",
                do=f"repair or uninstall {self.plugin.distribution}",
            ) from error


@define(eq=False)
class Catalogue:
    """All kinds and components on offer."""

    plugins: list[Plugin]
    kinds: dict[str, Kind] = Factory(dict)
    components: dict[tuple[str, str], list[Component]] = Factory(dict)
    """By kind and name; more than one entry is a clash that only a qualified name resolves."""

    @classmethod
    def installed(cls, only: Collection[str] | None = None, *, silent_too: bool = False) -> "Catalogue":
        """The catalogue of this environment, or of the distributions named; plugins that were silent are asked again if wanted."""
        return cls.of(discover(only, silent_too=silent_too))

    @classmethod
    def of(cls, plugins: Iterable[Plugin]) -> "Catalogue":
        """The catalogue of these plugins, beside flowvae's own kinds."""
        own = Plugin("kinds", "flowvae", own_version(), module=own_kinds)
        catalogue = cls([own, *plugins])
        manager = new_manager()
        for plugin in catalogue.plugins:
            if plugin.module is not None:  # the others were asked where they do no harm
                ask(plugin, manager)
        # Every kind before any component: a plugin may fill a kind of another that comes later.
        for plugin in catalogue.plugins:
            catalogue._add_kinds(plugin)
        for plugin in catalogue.plugins:
            catalogue._add_components(plugin)
        return catalogue

    def _add_kinds(self, plugin: Plugin) -> None:
        for offer in plugin.kinds:
            if offer.kind in self.kinds:
                owner = self.kinds[offer.kind].plugin.owner
                plugin.fail(f'the kind "{offer.kind}" belongs to {owner} already')
        for offer in plugin.kinds:  # none, where one of them failed
            self.kinds[offer.kind] = Kind(offer.kind, offer.contract, plugin, offer.checks)

    def _add_components(self, plugin: Plugin) -> None:
        for offer in plugin.components:
            if offer.kind not in self.kinds:
                near = self.suggest(offer.kind, self.kinds)
                hint = f"; did you mean {near[0]}?" if near else ""
                plugin.fail(f'it offers {offer.name} for an unknown kind "{offer.kind}"{hint}')
        for offer in plugin.components:
            component = Component(offer.kind, offer.name, offer.target, offer.given, plugin, self)
            self.components.setdefault((offer.kind, offer.name), []).append(component)

    def kind_of(self, contract: str) -> str | None:
        """The kind whose contract is this class, through whichever module and under whatever name it was imported."""
        defined = defined_as(contract)
        kinds = self._contracts.get(defined, [])
        if len(kinds) > 1:
            raise SourceError(
                f"{defined} is the contract of {' and of '.join(kinds)}: no slot can tell them apart"
            )
        return kinds[0] if kinds else None

    @cached_property
    def _contracts(self) -> dict[str, list[str]]:
        """Kinds by the full name of the class that their contract is defined as; names alone may be another's."""
        found = defaultdict[str, list[str]](list)
        for kind in self.kinds.values():
            found[defined_as(kind.contract.replace(":", "."))].append(kind.name)
        return found

    def of_kind(self, kind: str) -> Iterator[Component]:
        """The components of a kind, by name; clashing ones follow each other."""
        mine = [(name, found) for (of, name), found in self.components.items() if of == kind]
        for _, found in sorted(mine, key=lambda pair: pair[0]):
            yield from found

    def find(self, kind: str, name: str) -> list[Component]:
        """The components that this name may mean: none, one, or several that clash."""
        distribution, colon, bare = name.rpartition(":")
        found = self.components.get((kind, bare), [])
        return [c for c in found if not colon or c.plugin.distribution == distribution]

    def elsewhere(self, kind: str, name: str) -> list[Component]:
        """Components of this name under other kinds."""
        return [c for (of, n), found in self.components.items() for c in found if n == name and of != kind]

    def broken(self) -> list[Plugin]:
        """Plugins that could not be used."""
        return [p for p in self.plugins if p.state == "broken"]

    @staticmethod
    def suggest(name: str, among: Iterable[str]) -> tuple[str, ...]:
        """Up to three names that may have been meant."""
        import difflib  # noqa: PLC0415 - only for who has misspelt one

        return tuple(difflib.get_close_matches(name, list(among), n=3, cutoff=0.6))


def own_version() -> str:
    """Flowvae's version, without importing more than is there."""
    return str(sys.modules["flowvae"].__version__)
