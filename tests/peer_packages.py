"""Other people's packages: imports, and their weights in ours."""

import importlib
import importlib.util
import re
import sys
from types import ModuleType, SimpleNamespace
from unittest.mock import patch

import scipy.signal

BESIDE_THE_NETWORKS = {
    "stable_audio_tools": (
        *(f"stable_audio_tools.models.{name}" for name in ("bottleneck", "diffusion", "pretrained")),
        *(f"stable_audio_tools.models.{name}" for name in ("pretransforms", "transformer")),
        *(f"stable_audio_tools.inference.{name}" for name in ("sampling", "utils")),
        "alias_free_torch",
        "safetensors",
        "safetensors.torch",
    )
}
"""What the file of a package that holds its convolutional networks imports too, and what none of these networks calls: here its
diffusion, its samplers and bottlenecks, with the three dozen packages that they ask for, and an activation that is not switched on."""


class Absent(ModuleType):
    """A module that has every name, and nothing behind it."""

    __path__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def is_there(package):
    return importlib.util.find_spec(package) is not None


def imported(package, *modules):
    """Modules of a package, by the last part of their names."""
    absent = {name: Absent(name) for name in BESIDE_THE_NETWORKS.get(package, ()) if name not in sys.modules}
    sys.modules.update(absent)
    try:
        # RAVE asks for a name that newer versions of scipy have in a module of its own.
        with patch.object(scipy.signal, "kaiser", scipy.signal.windows.kaiser, create=True):
            for module in modules:
                importlib.import_module(f"{package}.{module}")
    finally:
        for name in absent:
            del sys.modules[name]
    return SimpleNamespace(**{m.rpartition(".")[2]: sys.modules[f"{package}.{m}"] for m in modules})


def give_weights(ours, theirs):
    """Gives one of our modules the weights of a peer's: their names in our spelling, all of them, and no other."""
    wanted = ours.state_dict()
    weights = {_renamed(name): weight.detach() for name, weight in theirs.named_parameters()}
    # Our columns of a period lie along the last axis, theirs along the one before.
    turned = {
        name: weight if name not in wanted or weight.shape == wanted[name].shape else weight.mT
        for name, weight in weights.items()
    }
    ours.load_state_dict(turned)
    return ours


def _renamed(name):
    name = re.sub(r"\.0\.(?=weight|bias)", ".", name)  # a convolution and its activation are one of theirs
    name = name.replace("weight_g", "parametrizations.weight.original0")
    return name.replace("weight_v", "parametrizations.weight.original1")
