"""The balance of several losses: a weight is a share of the pull, whatever the size of a loss's gradient."""

import pytest
import torch

from flowvae.testing import balance as conformance
from flowvae.testing.resumption import taken_up
from flowvae_components.balances.gradient_norm import GradientNorm

EVEN = {"steep": 1.0, "flat": 1.0}


def noise(seed, *size):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def pair(turn, steep=1000.0, flat=1.0):
    """The gradients of two losses, which act on different samples so that their shares can be told apart."""
    one, other = torch.zeros(2, 2, 1, 64, dtype=torch.float64)
    one[..., :32] = steep * noise(2 * turn, 2, 1, 32)
    other[..., 32:] = flat * noise(2 * turn + 1, 2, 1, 32)
    return {"steep": one, "flat": other}


def norm_of_items(gradient):
    return gradient.flatten(1).norm(dim=1).mean()


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_it_does_what_a_balance_must(check):
    check(GradientNorm)


def test_it_follows_its_formula():
    balance, weights = GradientNorm(total=2.0, decay=0.9), {"steep": 3.0, "flat": 1.0}
    past = {"steep": [], "flat": []}
    for turn in range(5):
        given = pair(turn)
        expected = torch.zeros(2, 1, 64, dtype=torch.float64)
        for name, gradient in given.items():
            past[name].append(norm_of_items(gradient).item())
            ages = [0.9**age for age in reversed(range(len(past[name])))]
            average = sum(a * n for a, n in zip(ages, past[name], strict=True)) / sum(ages)
            expected += 2.0 * weights[name] / 4.0 * gradient / average
        assert torch.allclose(balance(given, weights), expected, rtol=1e-9)


def test_equal_weights_give_equal_pulls_at_scales_of_1_and_1000():
    balance = GradientNorm()
    for turn in range(200):
        pull = balance(pair(turn), EVEN)
    steep, flat = norm_of_items(pull[..., :32]), norm_of_items(pull[..., 32:])
    # A step's own norm strays from its average by 1 / sqrt(2 * 2 * 32).
    assert steep.item() == pytest.approx(0.5, rel=0.3)
    assert flat.item() == pytest.approx(0.5, rel=0.3)


def test_the_first_step_is_balanced_already():
    pull = GradientNorm()(pair(0), EVEN)
    assert norm_of_items(pull[..., :32]).item() == pytest.approx(0.5, rel=1e-9)
    assert norm_of_items(pull[..., 32:]).item() == pytest.approx(0.5, rel=1e-9)


def test_weights_are_shares():
    pull = GradientNorm(total=4.0)(pair(0), {"steep": 30.0, "flat": 10.0})
    assert norm_of_items(pull[..., :32]).item() == pytest.approx(3.0, rel=1e-9)
    assert norm_of_items(pull[..., 32:]).item() == pytest.approx(1.0, rel=1e-9)


def test_a_loss_that_begins_later_is_averaged_from_its_own_start():
    balance = GradientNorm()
    for turn in range(50):
        balance({"steep": pair(turn)["steep"]}, EVEN)
    pull = balance(pair(50), EVEN)
    assert norm_of_items(pull[..., 32:]).item() == pytest.approx(0.5, rel=1e-9)


def test_an_average_remembers_a_thousand_steps():
    balance = GradientNorm(decay=0.999)
    for _ in range(1000):
        balance({"a": torch.ones(1, 1, 1)}, {"a": 1.0})
    pull = balance({"a": torch.full((1, 1, 1), 2.0)}, {"a": 1.0})
    assert pull.item() == pytest.approx(2 / (1 + 0.001 / (1 - 0.999**1001)), rel=1e-5)


def test_a_loss_without_a_gradient_pulls_at_nothing_and_when_it_wakes_not_beyond_its_bound():
    balance = GradientNorm(decay=0.99)
    for turn in range(1000):
        pull = balance(pair(turn, flat=0.0), EVEN)
        assert not pull[..., 32:].any()
    woken = balance(pair(1000), EVEN)
    assert norm_of_items(woken[..., 32:]).item() == pytest.approx(0.5 * 100, rel=1e-3)


def test_a_loud_item_keeps_its_size_beside_a_quiet_one():
    given = pair(0)["steep"] * torch.tensor([1.0, 10.0]).double()[:, None, None]
    pull = GradientNorm()({"a": given}, {"a": 1.0})
    assert norm_of_items(pull).item() == pytest.approx(1.0, rel=1e-9)
    assert torch.allclose(pull[..., :32] / given[..., :32], pull[0, 0, 0] / given[0, 0, 0], rtol=1e-9)


def test_what_it_keeps_are_tensors_by_the_names_of_the_losses():
    balance = GradientNorm()
    balance({"a.b": torch.ones(1, 1, 4), "$c": torch.ones(1, 1, 4)}, {"a.b": 1.0, "$c": 1.0})
    state = balance.state_dict()
    assert all(isinstance(t, torch.Tensor) for kept in state.values() for t in kept.values())
    again = GradientNorm()
    taken_up(balance, again)
    assert again.state_dict() == state


def test_a_state_that_was_read_does_not_change_with_the_next_step():
    balance = GradientNorm()
    balance(pair(0), EVEN)
    state = balance.state_dict()
    before = {key: {name: t.clone() for name, t in kept.items()} for key, kept in state.items()}
    balance(pair(1), EVEN)
    assert state == before


def test_a_balance_of_nothing_is_refused():
    with pytest.raises(ValueError, match="sum above 0"):
        GradientNorm()(pair(0), {"steep": 0.0, "flat": 0.0})


@pytest.mark.parametrize("wrong", [{"total": 0.0}, {"decay": 1.0}, {"decay": -0.1}], ids=str)
def test_values_without_meaning_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} must"):
        GradientNorm(**wrong)
