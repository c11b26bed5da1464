"""Which dataset `--data FOLDER` means: the one that needs a path and nothing else."""

from pathlib import Path

from flowvae.catalogue import REQUIRED, Catalogue, Component
from flowvae.errors import UsageError
from flowvae.text import toml_like


def folder_dataset(catalogue: Catalogue) -> tuple[Component, str]:
    """The component and the name of its path; flowvae's own where a plugin offers another."""
    found = []
    for component in catalogue.of_kind("dataset"):
        needed = [p for p in component.signature.parameters.values() if p.default is REQUIRED]
        if len(needed) == 1 and needed[0].type is Path:
            found.append((component, needed[0].name))
    own = [c for c in found if c[0].plugin.distribution == "flowvae"]
    if len(own or found) != 1:
        names = ", ".join(str(component) for component, _ in found) or "none"
        raise UsageError(f"--data fits no single dataset: {names}", do="--set data='{ use = ..., ... }'")
    return (own or found)[0]


def data_setting(catalogue: Catalogue, folder: str) -> str:
    """What --data stands for, as a --set."""
    if not folder.strip() or "\0" in folder:
        raise UsageError("--data names no folder", do="--data FOLDER")
    component, key = folder_dataset(catalogue)
    try:
        path = Path(folder).expanduser().absolute()
    except RuntimeError as error:
        raise UsageError(f"--data {folder}: there is no such user", do="--data FOLDER") from error
    return f"data={toml_like({'use': component.name, key: str(path)})}"
