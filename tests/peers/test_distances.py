"""Our distances beside those of RAVE, of auraloss and of the Descript codec: the same value and the same gradient, to 1e-5.

Of one sound, for the first two weigh a batch as a whole, and so loud that nobody's floor counts.
"""

import pytest
import torch

from benchmarks.peers import distances
from flowvae.testing.loss import plain_stft
from peer_packages import is_there

pytestmark = [
    pytest.mark.peers,
    pytest.mark.filterwarnings("ignore"),  # theirs
]
LOUD = 3e5


@pytest.mark.parametrize("compared", distances.COMPARED, ids=lambda compared: compared.peer)
def test_a_distance_and_its_gradient(compared):
    if not is_there(compared.peer):
        pytest.skip(f"{compared.peer} is not installed: tests/peers/install.sh")
    target, estimate = (
        LOUD * torch.randn(1, 1, 8192, generator=torch.Generator().manual_seed(i)) for i in (0, 1)
    )
    found = []
    for distance in (compared.ours(plain_stft), compared.theirs()):
        heard = estimate.clone().requires_grad_()
        value = distance(target, heard)
        [gradient] = torch.autograd.grad(value, heard)
        found.append((value.item(), gradient))
    (ours, gradient), (theirs, expected) = found
    assert ours == pytest.approx(theirs, rel=1e-5)
    assert (gradient - expected).norm() <= 1e-5 * expected.norm()
