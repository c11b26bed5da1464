"""Where recipes are: files, and those that come with flowvae."""

from functools import cache
from pathlib import Path


@cache
def shipped_folder() -> Path:
    """The folder of the recipes that come with flowvae."""
    package = Path(__file__).parents[1]
    inside = package / "recipes"  # in a wheel; an editable install has them beside core
    return inside if inside.is_dir() else package.parents[1] / "recipes"


def shipped_recipes() -> dict[str, Path]:
    """The shipped recipes by name."""
    return {file.stem: file for file in sorted(shipped_folder().glob("*.toml"))}


def find_recipe(name: str, beside: Path) -> Path | None:
    """A file (relative to `beside`), or a shipped recipe by name."""
    if "\0" in name or not name:
        return None
    try:
        file = beside / Path(name).expanduser()
        if file.exists():
            return file.resolve() if file.is_file() else file
    except (OSError, RuntimeError):  # a name that is too long, a home that nobody has
        return None
    return shipped_recipes().get(name.removesuffix(".toml")) if "/" not in name else None
