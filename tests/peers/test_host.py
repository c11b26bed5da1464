"""What a step asks of the host, beside the peers' steps: operators and numbers that are fetched, the optimizers left out."""

import pytest

from counted_steps import COUNTED
from peer_packages import is_there

pytestmark = [
    pytest.mark.peers,
    pytest.mark.filterwarnings("ignore"),  # theirs
]
LIMITS = (0.87, 0.80, 0.81, 0.75)
"""Ours for one of theirs. They only fall: the goal is 0.6."""


@pytest.mark.parametrize(
    ("counted", "limit"), [*zip(COUNTED, LIMITS, strict=True)], ids=lambda v: getattr(v, "what", "")
)
def test_operators_and_numbers_fetched(counted, limit, capsys):
    if not is_there(counted.peer):
        pytest.skip(f"{counted.peer} is not installed: tests/peers/install.sh")
    ours, theirs = counted.ours(), counted.theirs()
    with capsys.disabled():
        print(
            f"\n{counted.what}: {ours.total} operators against {theirs.total}, {ours.total / theirs.total:.3f} of them"
        )
    assert ours.total <= limit * theirs.total
    assert ours.host_reads == 0
