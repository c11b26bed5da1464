"""Imports of other people's packages, which ask for names that newer versions of what they lean on have elsewhere."""

import importlib
import importlib.util
import sys
from types import SimpleNamespace
from unittest.mock import patch

import scipy.signal


def is_there(package):
    return importlib.util.find_spec(package) is not None


def imported(package, *modules):
    """Modules of a package, by the last part of their names."""
    # RAVE asks for a name that newer versions of scipy have in a module of its own.
    with patch.object(scipy.signal, "kaiser", scipy.signal.windows.kaiser, create=True):
        for module in modules:
            importlib.import_module(f"{package}.{module}")
    return SimpleNamespace(**{m.rpartition(".")[2]: sys.modules[f"{package}.{m}"] for m in modules})
