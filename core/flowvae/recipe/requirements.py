"""Plugins that a recipe needs: flowvae says what to install and never installs."""

from importlib import metadata

from flowvae.recipe.resolved import Recipe


def missing_requirement(text: str) -> str:
    """Why a requirement such as "drumkit-extras>=1.0" is not met, or nothing.

    >>> missing_requirement("flowvae>=0.1")
    ''
    >>> missing_requirement("no-such-plugin>=2")
    'no-such-plugin>=2 is not installed'
    """
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - few recipes need it

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


def owners(recipe: Recipe) -> list[str]:
    """The distributions whose components a recipe uses."""
    return sorted({part.component.plugin.distribution for part in recipe.parts()})


def requirements(recipe: Recipe, own: str = "flowvae") -> list[str]:
    """What must be installed to read the resolved recipe again, with the versions that are here."""
    plugins = {part.component.plugin for part in recipe.parts() if part.component.plugin.distribution != own}
    return sorted(f"{plugin.distribution}=={plugin.version}" for plugin in plugins)
