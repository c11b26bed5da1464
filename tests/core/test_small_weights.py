"""What treats all weights alike: as torch does it, with an operator for all small ones."""

import pytest
import torch
from torch import nn

from counting import Operators
from flowvae.training.small_weights import SMALL, Gradients, MovingAverage


def model(seed):
    """Small weights, a large one, another type, a buffer that is saved and one that is not."""
    torch.manual_seed(seed)
    layers = [nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Linear(2, SMALL), nn.Linear(2, 2).double()]
    whole = nn.Sequential(*layers)
    whole.register_buffer("made", torch.full((2,), float(seed)), persistent=False)
    return whole


def with_gradients(whole, skip=()):
    for index, (name, weight) in enumerate(whole.named_parameters()):
        weight.grad = None if name in skip else torch.full_like(weight, index - 3.5)
    return list(whole.parameters())


@pytest.mark.parametrize("limit", [0.5, 1e6, None])
@pytest.mark.parametrize("skip", [(), ("0.weight", "2.weight")])
def test_gradients_are_shortened_as_torch_shortens_them(limit, skip):
    mine, theirs = with_gradients(model(0), skip), with_gradients(model(0), skip)
    norm = Gradients.of(mine).clip(limit)
    expected = nn.utils.clip_grad_norm_(theirs, float("inf") if limit is None else limit)
    assert torch.allclose(norm, expected)
    for one, other in zip(mine, theirs, strict=True):
        assert (one.grad is None) == (other.grad is None)
        assert one.grad is None or (one.grad.dtype == one.dtype and torch.allclose(one.grad, other.grad))


def test_gradients_of_nothing_have_no_norm():
    assert Gradients.of([]).clip(1.0) == 0


def test_a_gradient_of_an_earlier_step_does_not_count():
    weights = [nn.Parameter(torch.zeros(1)) for _ in range(2)]
    gradients = Gradients.of(weights)
    for weight in weights:
        weight.grad = torch.ones(1)
    gradients.clip(1.0)
    weights[0].grad = None
    weights[1].grad.zero_().add_(3)  # an optimizer may forget gradients so
    assert gradients.clip(1.0) == 3
    assert weights[0].grad is None
    assert weights[1].grad == pytest.approx(1.0)


def test_what_is_frozen_has_no_part_in_the_norm():
    """A gradient that it had before it was frozen is still there, and nobody's."""
    frozen, moving = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    frozen.grad, moving.grad = torch.full((1,), 4.0), torch.full((1,), 3.0)
    frozen.requires_grad_(requires_grad=False)
    assert Gradients.of([frozen, moving]).clip(1.0) == 3


def test_the_average_follows_what_moves_and_nothing_else():
    average, followed = model(1), model(2)
    before = {name: tensor.clone() for name, tensor in average.state_dict().items()}
    made = average.made.clone()
    following = MovingAverage.of(average, followed, lambda name: not name.startswith("0."))
    followed[1].running_mean += 3
    for _ in range(2):
        following.follow(0.75)
    weights = dict(followed.named_parameters())
    for name, tensor in average.state_dict().items():
        expected = followed.state_dict()[name]
        if name.startswith("0."):
            expected = before[name]
        elif name in weights:
            expected = 0.75**2 * before[name] + (1 - 0.75**2) * expected
        assert torch.allclose(tensor, expected, atol=1e-6), name
    assert torch.equal(average.made, made)


def test_small_weights_are_reached_by_one_operator():
    average, followed = (nn.Sequential(*(nn.Linear(3, 3) for _ in range(20))) for _ in range(2))
    with Operators() as counter:
        MovingAverage.of(average, followed, lambda _: True).follow(0.5)
    assert counter.found == {"cat": 2, "_foreach_lerp_": 1}
    weights = with_gradients(followed)
    gradients = Gradients.of(weights)
    with Operators() as counter:
        gradients.clip(0.5)
    assert counter.found["cat"] == 1
    assert len({weight.grad.untyped_storage().data_ptr() for weight in weights}) == 1
    places = {weight.untyped_storage().data_ptr() for weight in average.parameters()}
    assert len(places) == 1
