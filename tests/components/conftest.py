"""The public checks run over every registered component in tests/contracts; over other keys and sizes, in the slower tier."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        takes = getattr(getattr(item, "callspec", None), "params", {})
        if "check" in takes and HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)
