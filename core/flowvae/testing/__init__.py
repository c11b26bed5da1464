"""What a component must do, as checks that anyone can run on their own: one module a kind, each with CHECKS.

from flowvae.testing import checks

@pytest.mark.parametrize("check", checks("activation"))
def test_mine(check):
    check(Mine)
"""

import importlib
from collections.abc import Callable
from typing import Any

Check = Callable[[Any], None]


def checks(kind: str) -> tuple[Check, ...]:
    """The checks of a kind: each takes the factory that a parent would call, and fails with a line of advice."""
    try:
        module = importlib.import_module(f"flowvae.testing.{kind}")
    except ModuleNotFoundError:
        return ()
    found: tuple[Check, ...] = module.CHECKS
    return found
