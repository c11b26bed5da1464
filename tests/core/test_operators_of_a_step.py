"""What a step asks of the host: how many operators, and no number back; a GPU waits for both at short clips."""

import pytest
import torch

from counting import Operators, kept_bytes
from short_runs import training_of

FEW_SOUNDS = "data.n_sounds=24"
OPERATORS = 900
"""Of a step of percussion_small, its optimizer included. It only falls: whoever needs fewer writes down how many."""
TWO_PLAYERS = (
    'adversarial={ use = "hinge", optimizer = { use = "adamw", lr = 1e-3 }, schedule = "constant", clip = 1.0 }',
    'adversarial.feature_matching={ use = "relative_l1", weight = 2.0 }',
    "adversarial.discriminators.multi_period={ width = 2, periods = [2, 3] }",
    "adversarial.discriminators.multi_resolution={ width = 3, n_ffts = [512], band_edges = [0.0, 0.25, 1.0] }",
)


# Where shapes are checked in the same run, asking what a distribution is computes its mode: that is not the step's.
pytestmark = pytest.mark.usefixtures("unshaped")


def operators(training):
    """Of a step in the middle of a training: the first one makes windows, filters and the optimizer's state."""
    training.step(0)
    with Operators() as counter:
        training.step(1)
    return counter


def test_a_step_of_percussion_small_takes_no_more_operators_than_it_did(catalogue):
    counter = operators(training_of([FEW_SOUNDS], catalogue))
    assert counter.found["convolution_backward"]
    assert counter.found["_fused_adamw_"]
    assert counter.total <= OPERATORS, counter.found.most_common(20)


@pytest.mark.parametrize("players", [(), TWO_PLAYERS], ids=["the model alone", "two players"])
def test_no_step_fetches_a_number_from_the_device(players, tiny, catalogue):
    counter = operators(training_of((*tiny, *players), catalogue))
    assert counter.total
    assert counter.host_reads == 0


def test_operators_are_what_computes_and_host_reads_are_what_waits():
    x = torch.ones(3, 4)
    with Operators() as counter:
        y = x.T[:2].reshape(2, 3) * 2
        y.unsqueeze_(0)
        assert y.sum().item() == 12
    assert counter.found == {"mul": 1, "sum": 1, "_local_scalar_dense": 1}
    assert (counter.total, counter.host_reads) == (3, 1)


def test_bytes_that_are_kept_are_those_of_storages_each_once():
    x = torch.ones(3, 4, requires_grad=True)
    with kept_bytes() as kept:
        y = x.exp()
        z = y[:2] * y[1:]
        _ = z.sin()
    assert kept() == (y.numel() + z.numel()) * 4
    assert kept(y) == z.numel() * 4
