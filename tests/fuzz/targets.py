"""What reads bytes of strangers, each with what it may say of them: its own error, and nothing else."""

import hashlib
import json
import os
import tempfile
from pathlib import Path

import torch

from flowvae.catalogue import Catalogue
from flowvae.errors import CheckpointError, RecipeError
from flowvae.folder import checkpoint
from flowvae.folder.checkpoint import MANIFEST, STATE, TENSORS
from flowvae.recipe import read_recipe, resolve
from flowvae.recipe.shipped import shipped_recipes
from flowvae.training.state import TrainingState

_CATALOGUE = Catalogue.installed(only=())
_FOLDER = tempfile.TemporaryDirectory()


def recipe(data: bytes) -> bool:
    """The loader of recipes, to the end; whether it took them."""
    file = Path(_FOLDER.name, f"recipe-{os.getpid()}.toml")
    file.write_bytes(data)
    try:
        resolve(read_recipe(str(file)), _CATALOGUE)
    except RecipeError as error:
        return not error.lines()
    return True


def _state() -> TrainingState:
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return TrainingState({"model": model}, {"optimizer": optimizer}, 3)


_INTO = _state()
_WHOLE = _state().files(identity="identity")


def checkpoint_content(data: bytes) -> bool:
    """The reader of a checkpoint that verifies and holds anything: the first byte says which of its files is this."""
    name = (TENSORS, STATE)[data[0] % 2] if data else STATE
    try:
        _INTO.restore({**_WHOLE, name: data[1:]})
    except CheckpointError:
        return False
    return True


def checkpoint_manifest(data: bytes) -> bool:
    """The reader of a checkpoint with this manifest."""
    folder = Path(_FOLDER.name, f"step-{os.getpid()}")
    folder.mkdir(exist_ok=True)
    for name, content in {**_WHOLE, MANIFEST: data}.items():
        (folder / name).write_bytes(content)
    try:
        checkpoint.read_verified(folder)
    except CheckpointError:
        return False
    return True


def seeds(target: str) -> list[bytes]:
    """Bytes that a target takes, to begin with."""
    if target == "recipe":
        return [Path(file).read_bytes() for file in shipped_recipes().values()]
    if target == "checkpoint_content":
        return [b"\0" + _WHOLE[TENSORS], b"\1" + _WHOLE[STATE]]
    files = {n: {"size": len(d), "sha256": hashlib.sha256(d).hexdigest()} for n, d in _WHOLE.items()}
    return [json.dumps({"format": checkpoint.FORMAT, "step": 3, "files": files}).encode()]


TARGETS = {
    "recipe": recipe,
    "checkpoint_content": checkpoint_content,
    "checkpoint_manifest": checkpoint_manifest,
}
