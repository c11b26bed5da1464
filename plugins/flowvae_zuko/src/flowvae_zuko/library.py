"""Imports zuko without its side effect."""

import importlib
from typing import Any

from torch.distributions import Distribution


def zuko_flows() -> Any:
    """The module zuko.flows.

    The first import of zuko switches off the validation of arguments for every distribution of the process; here
    it is put back as it was.

    >>> before = Distribution._validate_args
    >>> _ = zuko_flows()
    >>> Distribution._validate_args == before
    True
    """
    validated = Distribution._validate_args  # noqa: SLF001 - torch offers a way to set it, and none to read it
    try:
        return importlib.import_module("zuko.flows")
    finally:
        Distribution.set_default_validate_args(validated)
