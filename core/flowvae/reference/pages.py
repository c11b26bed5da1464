"""Reference pages in Markdown: the schema that checks recipes, and the docstrings, as one reads them."""

import re
import textwrap
from collections.abc import Iterable
from typing import get_args

from flowvae.catalogue import REQUIRED, Catalogue, Component, Kind
from flowvae.errors import PluginError
from flowvae.recipe.keys import Entry, entries, summary
from flowvae.recipe.tables import DEFAULTS, EXTENDS, Recipe, own_keys
from flowvae.recipe.values import NONE
from flowvae.reference.markdown import block, code, prose, table
from flowvae.text import toml_like

MARK = "<!-- made by flowvae docs: change the docstrings, not this file -->"
INDEX = "README.md"
RECIPE = "recipe.md"

_RECIPE_HEAD = f"""A recipe is a TOML file. A table is a call: `use` names the component, the other keys are its own.
A string stands for a table with nothing but `use`, and {code(toml_like(NONE))} for no value where a key allows none.
A slot that says nothing takes what `[defaults]` says for its kind."""

_KEY_HEADER = ("key", "type", "default", "meaning")
_PROMINENT = ("Formula", "Shapes", "Units")
_LAST = ("Errors", "Source")


def reference_pages(catalogue: Catalogue) -> dict[str, str]:
    """The text of every page by file name."""
    clash = catalogue.kinds.get(RECIPE.removesuffix(".md"))
    if clash:
        raise PluginError(
            f"{clash.plugin.owner} has a kind that is called like the page {RECIPE}", do="rename it"
        )
    shown = {kind: list(catalogue.of_kind(name)) for name, kind in sorted(catalogue.kinds.items())}
    bodies = {f"{kind.name}.md": _kind_page(kind, components) for kind, components in shown.items()}
    bodies |= {RECIPE: _recipe_page(), INDEX: _index(shown)}
    return {name: f"{MARK}\n\n{_paragraphs(body)}\n" for name, body in bodies.items()}


def _paragraphs(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _index(shown: dict[Kind, list[Component]]) -> list[str]:
    rows = [
        (f"[{kind.name}]({kind.name}.md)", prose(_doc(kind)[0]), ", ".join(code(c.name) for c in components))
        for kind, components in shown.items()
    ]
    owners = sorted({c.plugin.owner for components in shown.values() for c in components})
    return [
        "# Reference",
        f"What a recipe can say, for {prose(', '.join(owners))}.",
        "`flowvae docs` writes these pages for all that is installed, `flowvae explain` shows one component.",
        f"The tables of a recipe and flowvae's own keys: [recipe]({RECIPE}).",
        "## Kinds of components",
        table(("kind", "what it is", "components"), rows),
    ]


def _recipe_page() -> list[str]:
    top = entries(Recipe).values()
    parts = [
        "# The recipe",
        _RECIPE_HEAD,
        "## Outside the tables",
        f"`extends`: {prose(EXTENDS)}",
        _keys(entry for entry in top if not (entry.section or entry.parameter.slot)),
        "## [defaults]",
        prose(DEFAULTS),
    ]
    for entry in top:
        if entry.section:
            name, keys = entry.parameter.name, entries(entry.section)
            parts += [f"## [{name}]", prose(entry.parameter.meaning), _keys(keys.values())]
            for key, section in ((k, e.table_instead) for k, e in keys.items() if e.table_instead):
                rows = _keys(entries(section).values())
                parts += [f"### [{name}.{key}]", prose(summary(section)), rows]
        elif entry.parameter.slot:
            parts += _component_table(entry)
    return parts


def _component_table(entry: Entry) -> list[str]:
    slot = entry.parameter.slot
    assert slot
    name, kind = entry.parameter.name, _type(entry)
    needed = "It has to be there." if entry.parameter.default is REQUIRED else "It may be left out."
    return [
        f"## [{name}.NAME]" if slot.many else f"## [{name}]",
        f"{prose(entry.parameter.meaning)}: {kind}. {needed}",
        f"Keys of flowvae's own beside the component's:\n\n{_keys(map(Entry, slot.own_keys))}"
        if slot.own_keys
        else "",
    ]


def _kind_page(kind: Kind, components: list[Component]) -> list[str]:
    summary, *rest = _doc(kind)
    gives = ", ".join(code(name) for name in kind.gives)
    rows = [
        (f"[{c.name}](#{c.name})", prose(c.signature.summary), prose(c.plugin.distribution))
        for c in components
    ]
    extras = own_keys(kind.name)
    return [
        f"# {kind.name}",
        prose(summary),
        *map(prose, rest),
        f"The parent gives {gives or 'nothing'}.",
        table(("component", "what it is", "owner"), rows) if rows else "",
        f"Every component also takes these keys of flowvae's own:\n\n{_keys(map(Entry, extras))}"
        if extras
        else "",
        *(part for component in components for part in _component(component)),
    ]


def _component(component: Component) -> list[str]:
    signature, fields = component.signature, component.fields
    keys = [Entry(parameter) for parameter in signature.parameters.values()]
    paragraphs = signature.doc.split("\n\n")
    remarks = [p for p in paragraphs[1:] if not re.match(r"\s|>>>|[A-Z]\w*:", p)]
    examples = [p for p in paragraphs if p.startswith(">>>")]
    return [
        f"## {component.name}",
        prose(signature.summary),
        *(_field(name, fields[name]) for name in _PROMINENT if name in fields),
        _keys(keys) if keys else "It has no keys.",
        f"**Facts:** {', '.join(code(f'{k} = {toml_like(v)}') for k, v in component.facts.items())}"
        if component.facts
        else "",
        *map(prose, remarks),
        *(_field(name, fields[name]) for name in _LAST if name in fields),
        f"**Owner:** {prose(component.plugin.distribution)}",
        block("\n\n".join(examples), "pycon") if examples else "",
    ]


def _field(name: str, text: str) -> str:
    if name == "Formula":
        first, _, rest = text.partition("\n")
        return f"**{name}:**\n\n" + block(f"{first}\n{textwrap.dedent(rest)}", "text")
    return f"**{name}:** {prose(text)}"


def _doc(kind: Kind) -> list[str]:
    """The paragraphs of a contract's docstring."""
    return kind.source.definition.doc.split("\n\n")


def _keys(keys: Iterable[Entry]) -> str:
    return table(_KEY_HEADER, (_row(key) for key in keys))


def _row(key: Entry) -> tuple[str, str, str, str]:
    parameter = key.parameter
    return code(parameter.name), _type(key), _default(key), prose(parameter.meaning)


def _default(key: Entry) -> str:
    default, slot = key.parameter.default, key.parameter.slot
    if default is REQUIRED:
        return "from `[defaults]`, or required" if slot and not slot.many else "required"
    return code(toml_like(NONE if default is None else default))


def _type(key: Entry) -> str:
    slot = key.parameter.slot
    if slot:
        link = f"[{slot.kind}]({slot.kind}.md)"
        return f"components of kind {link} by name" if slot.many else f"a component of kind {link}"
    if key.is_free:
        return "a table from key path to an array"
    words = [prose(key.parameter.type_name + key.parameter.limits)]
    if type(None) in get_args(key.parameter.type):
        words.append(f"or {code(toml_like(NONE))}")
    return ", ".join(words)
