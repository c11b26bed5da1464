"""`flowvae new-plugin NAME --kind KIND`: writes a package that is installable and passes its own tests."""

import argparse
import importlib.util
import keyword
import re
from importlib import resources
from pathlib import Path
from string import Template

from flowvae import __version__
from flowvae.catalogue import Catalogue, Slot
from flowvae.catalogue.hooks import API_VERSION
from flowvae.errors import UsageError, shown
from flowvae.recipe import read_recipe, resolve
from flowvae.recipe.keys import slots_of
from flowvae.recipe.measuring import REACHED
from flowvae.recipe.node import Node, Source, by_name, component_name, node_at
from flowvae.recipe.shipped import shipped_recipes
from flowvae.recipe.tables import Recipe
from flowvae.recipe.values import NONE

TEMPLATES = resources.files("flowvae.cli") / "templates"
NAME = re.compile(r"[a-z][a-z0-9-]{1,40}")
FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    ".github/workflows/ci.yml": "ci.yml",
    "src/$package/plugin.py": "plugin.py",
    "src/$package/$component.py": "kinds/$kind.py",
    "tests/test_conformance.py": "test_conformance.py",
    "ablation.toml": "ablation.toml",
}
"""What is written, and the template that it is made from."""
BASES = ("percussion_small", "percussion_small_adversarial")
"""The recipes that a first ablation may be laid over."""
SHARED = ("data", "execution.")
"""What all arms share: they hear the same sounds, in the same place."""


def new_plugin(options: argparse.Namespace) -> int:
    """Writes the package."""
    folder = write_plugin(options.name, options.kind, options.folder, Catalogue.installed())
    print(f"wrote {shown(folder)}\nnext: cd {shown(folder)} && pip install -e '.[test]' && pytest")
    return 0


def write_plugin(name: str, kind: str, parent: Path, catalogue: Catalogue) -> Path:
    """The folder of the new package; UsageError where it cannot be written, and then nothing is."""
    _check_kind(kind, catalogue)
    _check_name(name, kind, catalogue)
    folder = parent / name
    words = _words(name, kind)
    texts = {Template(path).substitute(words): _text(template, words) for path, template in FILES.items()}
    texts[f"src/{words['package']}/__init__.py"] = (
        f'"""{words["article"].capitalize()} {kind} for flowvae."""\n'
    )
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise UsageError(
            f"{shown(folder)} is there already; nothing was written", do="choose another name or --in"
        ) from error
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def _check_kind(kind: str, catalogue: Catalogue) -> None:
    if kind not in catalogue.kinds:
        near = catalogue.suggest(kind, catalogue.kinds)
        hint = (
            f"did you mean {' or '.join(near)}?" if near else f"kinds: {', '.join(sorted(catalogue.kinds))}"
        )
        raise UsageError(f'there is no kind "{kind}"', do=hint)
    if not (TEMPLATES / "kinds" / f"{kind}.py.txt").is_file():
        owner = catalogue.kinds[kind].plugin.owner
        raise UsageError(
            f"{kind} is a kind of {owner}, and flowvae has no example of it",
            do=f"start from another kind; flowvae explain {kind} says what its components must do",
        )


def _check_name(name: str, kind: str, catalogue: Catalogue) -> None:
    if not NAME.fullmatch(name) or name.endswith("-"):
        raise UsageError(
            f'"{name}" is no name for a plugin',
            do="2 to 41 small letters, digits and hyphens, a letter first and no hyphen last",
        )
    package = name.replace("-", "_")
    if keyword.iskeyword(package) or importlib.util.find_spec(package) is not None:
        raise UsageError(f"Python has something else called {package}", do="choose another name")
    for component in catalogue.find(kind, package):
        raise UsageError(f"{component} has this name already", do="choose another name")


def _words(name: str, kind: str) -> dict[str, str]:
    package = name.replace("-", "_")
    class_name = "".join(part.capitalize() for part in name.split("-"))
    is_class = "class $class_name" in _template(f"kinds/{kind}.py")
    return {
        "name": name,
        "package": package,
        "component": package,
        "class_name": class_name,
        "offered": class_name if is_class else package,
        "kind": kind,
        "article": "an" if kind[0] in "aeiou" else "a",
        "recipe": _recipe(name, package, kind, Catalogue.installed(only=())),
        "version": __version__,
        "api": str(API_VERSION),
    }


def _recipe(name: str, component: str, kind: str, catalogue: Catalogue) -> str:
    """A recipe that uses the component: as an arm beside what stands in its place, where arms may differ in it."""
    base, path, slot = _place(kind)
    there = node_at(base.root, path)
    standing = _parts(there) if there and slot.many else [component_name(there)] if there else []
    head = f'requires = ["{name}>=0.1.0"]\n'
    if path.startswith("evaluation."):
        return f'extends = "ablation_snake"\n{head}[{path}.{component}]\n'
    if path.startswith(SHARED):
        return f'extends = "ablation_snake"\n{head}{path} = "{component}"\n'
    absent = NONE if slot.optional else next(catalogue.of_kind(kind)).name
    rival = standing[-1] if standing else absent
    place = f"{path}.{rival}" if slot.many else path
    name, metric = base.name, 'metric = "spectral_distance"\n'
    if (
        path in REACHED
    ):  # few metrics read what it makes: the ablation that comes with flowvae has one that does
        name, metric = _ablation_of(path), ""
    return (
        f'extends = "{name}"\n{head}{_unused(base, path, catalogue)}\n[ablation]\n'
        f'question = "Is {component} better than what stands in its place?"\n{metric}'
        f'seeds = 6\n[ablation.vary]\n"{place}" = ["{rival}", "{component}"]\n'
    )


def _ablation_of(path: str) -> str:
    """The shipped recipe that varies a key path and nothing else."""
    varied = {name: node_at(read_recipe(name).root, "ablation.vary") for name in shipped_recipes()}
    return next(name for name, node in varied.items() if node is not None and [*node.value] == [path])


def _unused(base: Source, path: str, catalogue: Catalogue) -> str:
    """The line for defaults that only the replaced component takes: its rival may have no such slots."""
    recipe = resolve(base, catalogue)
    replaced = dict(recipe.slots()).get(path)
    if replaced is None:
        return ""
    inside = [part for part in replaced.parts() if part is not replaced]
    outside = {part.component.kind for part in recipe.parts() if part not in inside}
    mine = sorted({part.component.kind for part in inside} - outside)
    kinds = [f'"defaults.{kind}"' for kind in mine if node_at(base.root, f"defaults.{kind}")]
    return f"may_be_unused = [{', '.join(kinds)}]\n" if kinds else ""


def _parts(node: Node) -> list[str]:
    """The names of the parts that stand in a slot for several; a shipped recipe calls each after its component."""
    found = (by_name(node) if isinstance(node.value, list) else node.value) or {}
    return [name for name, child in found.items() if child.value is not False]


def _place(kind: str) -> tuple[Source, str, Slot]:
    """A recipe that has something of a kind, and the key path where; else one where it may stand, or where all take it from."""
    slots = [(path, slot) for path, slot in slots_of(Recipe) if slot.kind == kind]
    bases = [read_recipe(name) for name in BASES]
    for base in bases:
        for path, slot in slots:
            if node_at(base.root, path):
                return base, path, slot
    optional = [(bases[-1], path, slot) for path, slot in slots if slot.optional or slot.many]
    return optional[0] if optional else (bases[0], f"defaults.{kind}", Slot(kind))


def _text(template: str, words: dict[str, str]) -> str:
    return Template(_template(Template(template).substitute(words))).substitute(words)


def _template(path: str) -> str:
    return (TEMPLATES / f"{path}.txt").read_text("utf-8")
