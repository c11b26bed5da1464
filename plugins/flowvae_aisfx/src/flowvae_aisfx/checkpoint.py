"""The published weights: where they are, and how to read them without running what a file may hold."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from flowvae.contracts import Refused
from numpy._core import multiarray

from flowvae_aisfx.network import EmbeddingNet

OWN = "embedding_net."
"""What the names of the network's weights begin with; the others are of the classifiers behind it."""
# Counts of classes stand beside the weights as numbers of numpy, under the names that its older and its newer versions have.
NUMBERS = [
    multiarray.scalar,
    (multiarray.scalar, "numpy.core.multiarray.scalar"),
    np.dtype,
    np.dtypes.Int64DType,
]


def installed() -> Path:
    """The checkpoint of the installed aisfx, which is not imported; Refused where there is none."""
    spec = find_spec("aisfx")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / "models" / "checkpoint.pth").is_file():
            return path
    raise Refused(
        "weights",
        "weights must name a checkpoint where aisfx is not installed: pip install --no-deps aisfx==0.1.2, or weights = PATH",
    )


def load(path: Path) -> EmbeddingNet:
    """The network of a checkpoint, as wide as its weights, to be used and not trained."""
    with torch.serialization.safe_globals(NUMBERS):
        weights, _ = torch.load(path, map_location="cpu", weights_only=True)
    own = {name.removeprefix(OWN): weight for name, weight in weights.items() if name.startswith(OWN)}
    network = EmbeddingNet(len(own["conv_block1.conv1.weight"]))
    network.load_state_dict(own)
    return network.eval().requires_grad_(requires_grad=False)
