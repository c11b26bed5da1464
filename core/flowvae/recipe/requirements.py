"""Plugins that a recipe needs: flowvae says what to install and never installs."""

import re
from collections.abc import Iterable

from flowvae.catalogue import Plugin
from flowvae.catalogue.plugin import OWN
from flowvae.recipe.tables import Recipe


def missing_requirement(text: str) -> str:
    """Why a requirement such as "drumkit-extras>=1.0" is not met, or nothing.

    >>> missing_requirement("flowvae>=0.1")
    ''
    >>> missing_requirement("no-such-plugin>=2")
    'no-such-plugin>=2 is not installed'
    """
    from importlib import metadata  # noqa: PLC0415 - few recipes need it

    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - as few

    try:
        requirement = Requirement(text)
        version = metadata.version(requirement.name)
    except InvalidRequirement:
        return f'"{text}" is no requirement such as "name>=1.0"'
    except metadata.PackageNotFoundError:
        return f"{text} is not installed"
    if requirement.specifier.contains(version, prereleases=True):
        return ""
    return f"{text} is not met: {requirement.name} {version} is installed"


def plugins(recipe: Recipe) -> set[Plugin]:
    """Those whose components a recipe uses, and those who define the kinds of these."""
    components = [part.component for part in recipe.parts()]
    return {c.plugin for c in components} | {c.catalogue.kinds[c.kind].plugin for c in components}


def owners(recipe: Recipe) -> list[str]:
    """The distributions that a recipe needs."""
    return sorted({plugin.distribution for plugin in plugins(recipe)})


def requirements(recipe: Recipe, relation: str = "==") -> list[str]:
    """What must be installed to read the resolved recipe again, with the versions that are here."""
    strangers = {(p.distribution, p.version) for p in plugins(recipe) if p.distribution != OWN}
    return sorted(f"{distribution}{relation}{version}" for distribution, version in strangers)


def unsaid(recipes: Iterable[Recipe]) -> list[str]:
    """Requirements that a recipe could say and does not: others only see an unknown name."""
    found: list[str] = []
    for recipe in recipes:
        said = {_plain(re.split(r"[^\w.-]", text)[0]) for text in recipe.requires}
        found += [text for text in requirements(recipe, ">=") if _plain(text.partition(">=")[0]) not in said]
    return list(dict.fromkeys(found))


def _plain(name: str) -> str:
    return name.replace("_", "-").lower()  # pip takes drum_extras for drum-extras
