"""Spectral norm against singular values, and as the function of its weight that it has to be."""

import copy

import pytest
import torch
from torch import nn

from flowvae.testing import normalization
from flowvae_components.normalizations.spectral_norm import spectral_norm, top_directions


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


LAYERS = {
    "conv": lambda: nn.Conv1d(3, 5, 4),
    "conv_64": lambda: nn.Conv1d(64, 64, 7),
    "mixing": lambda: nn.Conv1d(128, 128, 1),
    "narrowing": lambda: nn.Conv1d(256, 2, 7),
    "strided": lambda: nn.Conv1d(32, 64, 16, stride=8),
    "transposed": lambda: nn.ConvTranspose1d(64, 32, 16, stride=8),
    "transposed_wide": lambda: nn.ConvTranspose1d(256, 128, 8, stride=4),
    "linear": lambda: nn.Linear(512, 64),
    "linear_square": lambda: nn.Linear(300, 300),
    "linear_tall": lambda: nn.Linear(16, 400),
    "one": lambda: nn.Linear(1, 1),
}
layers = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)


def as_matrix(layer):
    """A row for each output channel, as torch's own spectral norm has it."""
    weight = layer.weight.detach()
    return (weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose1d) else weight).flatten(1)


def largest(layer):
    return torch.linalg.matrix_norm(as_matrix(layer), ord=2)


@pytest.mark.parametrize("check", normalization.CHECKS, ids=lambda check: check.__name__)
def test_conforms(check):
    check(spectral_norm)


@layers
def test_gain_starts_as_the_largest_singular_value(layer):
    plain = layer()
    gain = spectral_norm(copy.deepcopy(plain)).parametrizations.weight[0].gain
    assert gain.item() == pytest.approx(largest(plain).item(), rel=1e-2)


@layers
def test_largest_singular_value_is_the_gain_whatever_the_weight_has_become(layer):
    wrapped = spectral_norm(layer())
    parts = wrapped.parametrizations.weight
    with torch.no_grad():
        parts.original.add_(3 * torch.randn_like(parts.original))
        parts[0].gain.fill_(2.5)
    assert largest(wrapped).item() == pytest.approx(2.5, rel=1e-2)


@pytest.mark.parametrize("seed_of_weight", range(8))
def test_random_square_matrices_whose_values_crowd_are_found_to_one_percent(seed_of_weight):
    matrix = torch.randn(256, 256, generator=torch.Generator().manual_seed(seed_of_weight))
    left, right = top_directions(matrix)
    assert (left @ matrix @ right).item() == pytest.approx(
        torch.linalg.matrix_norm(matrix, ord=2).item(), rel=1e-2
    )


@pytest.mark.parametrize(
    "matrix",
    [
        torch.eye(64),
        1e-25 * torch.randn(8, 40),
        1e25 * torch.randn(40, 8),
        torch.ones(3, 5),
        torch.eye(4)[:, :1],
    ],
    ids=["all_values_the_same", "soft", "loud", "one_value", "zeros"],
)
def test_unusual_matrices_are_taken(matrix):
    left, right = top_directions(matrix)
    assert (left @ matrix @ right).item() == pytest.approx(
        torch.linalg.matrix_norm(matrix, ord=2).item(), rel=1e-5
    )


def test_a_start_at_a_right_angle_to_the_usual_ones_is_found():
    # A vector of ones, and the first unit vector, see nothing of this direction.
    matrix = torch.tensor([[0.1, 0.0, 0.0], [0.0, 1.0, -1.0]])
    left, right = top_directions(matrix)
    assert (left @ matrix @ right).item() == pytest.approx(2**0.5)


@layers
def test_weight_ignores_the_size_of_what_is_held(layer):
    wrapped = spectral_norm(layer().double())
    before = wrapped.weight.clone()
    with torch.no_grad():
        wrapped.parametrizations.weight.original.mul_(3.7)
    assert torch.allclose(wrapped.weight, before, atol=1e-12)


@layers
def test_gradient_stands_upright_on_what_is_held(layer):
    parts = (wrapped := spectral_norm(layer().double())).parametrizations.weight
    (wrapped.weight * torch.randn_like(wrapped.weight)).sum().backward()
    held = parts.original
    assert abs((held.grad * held).sum()) <= 1e-9 * held.grad.norm() * held.norm() + 1e-12


def test_gradients_are_those_of_the_singular_value_decomposition():
    wrapped = spectral_norm(nn.Conv1d(3, 5, 4).double())
    parts, target = wrapped.parametrizations.weight, torch.randn(5, 3, 4, dtype=torch.float64)
    held, gain = parts.original, parts[0].gain
    found = torch.autograd.grad((wrapped.weight * target).sum(), (held, gain))
    exact = gain * held / torch.linalg.matrix_norm(held.flatten(1), ord=2)
    expected = torch.autograd.grad((exact * target).sum(), (held, gain))
    assert all(torch.allclose(f, e, atol=1e-6) for f, e in zip(found, expected, strict=True))


def test_nothing_is_remembered_from_reading_to_reading():
    wrapped = spectral_norm(nn.Conv1d(8, 16, 7)).train()
    before = {name: value.clone() for name, value in wrapped.state_dict().items()}
    first = wrapped.weight
    assert torch.equal(first, wrapped.weight)
    assert torch.equal(first, wrapped.eval().weight)
    assert before.keys() == {"bias", "parametrizations.weight.original", "parametrizations.weight.0.gain"}
    assert all(torch.equal(before[name], value) for name, value in wrapped.state_dict().items())


def test_spectral_norm_survives_a_deep_copy():
    wrapped, x = spectral_norm(nn.Conv1d(3, 5, 4)), torch.randn(1, 3, 9)
    assert torch.equal(wrapped(x), copy.deepcopy(wrapped)(x))


def test_spectral_norm_refuses_a_weight_without_direction():
    layer = nn.Conv1d(3, 5, 4)
    nn.init.zeros_(layer.weight)
    with pytest.raises(ValueError, match="weight of zeros"):
        spectral_norm(layer)


def test_spectral_norm_refuses_a_layer_without_weight():
    with pytest.raises(TypeError, match="ELU"):
        spectral_norm(nn.ELU())
