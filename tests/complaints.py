"""What the public checks of a kind have to say of a component."""

import torch

from flowvae.testing import checks


def complaints(make, kind="activation"):
    """Each check that fails, with its advice."""
    found = []
    for check in checks(kind):
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                check(make)
        except Exception as error:  # noqa: BLE001 - as check-plugin does
            found.append(f"{check.__name__}: {error}")
    return found
