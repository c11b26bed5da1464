"""What every distance between features must do."""

import torch
from torch import Tensor

from flowvae.contracts import FeatureMatching
from flowvae.testing import checks_in
from flowvae.testing.device_reads import NoDeviceReads
from flowvae.testing.properties import gradients_of, noise

SHAPES = ((4, 16, 50), (4, 8, 17, 3), (4, 32, 9, 7), (4, 5))
"""Of the features of one sub-discriminator: layers of sequences and of planes, and a vector."""


def features(seed: int) -> list[Tensor]:
    """Of four sounds; layers as unlike in their size as those of a discriminator are."""
    return [noise(*shape, seed=seed) * 10.0**-level for level, shape in enumerate(SHAPES)]


def equal_features_cost_nothing(make: FeatureMatching) -> None:
    """0 where both are equal, above 0 where one of the features is not."""
    distance, real = make(), features(0)
    same = distance(real, features(0))
    assert same.abs() < 1e-6, (
        f"equal features cost {same:.1e}; expected 0; usually an epsilon on one side only"
    )
    for index, other in enumerate(features(1)):
        estimate = [*real[:index], other, *real[index + 1 :]]
        assert distance(real, estimate) > 0, (
            f"of {len(real)} features number {index + 1} differs, and it costs nothing; expected that each counts"
        )


def the_value_is_a_scalar(make: FeatureMatching) -> None:
    """One finite number, in single precision."""
    value = make()(features(0), features(1))
    assert value.shape == (), (
        f"the distance has the shape {tuple(value.shape)}; expected a scalar: take means over the features"
    )
    assert value.isfinite(), f"the distance is {value}; expected a finite number"
    assert value.dtype == torch.float32, f"the distance is {value.dtype}; expected float32, as its inputs are"


def the_batch_is_averaged(make: FeatureMatching) -> None:
    """A batch twice over costs the same."""
    once = make()(features(0), features(1))
    twice = make()(*([torch.cat((f, f)) for f in features(seed)] for seed in (0, 1)))
    assert torch.isclose(once, twice, rtol=1e-4), (
        f"a batch costs {once:.4f}, the same batch twice over {twice:.4f}; expected the same; usually a sum over the batch"
    )


def zeros_stay_finite(make: FeatureMatching) -> None:
    """Features of 0, on either side and on both, give a finite value and gradient."""
    for real_size, estimate_size in ((0, 0), (0, 1), (1, 0)):
        real = [real_size * f for f in features(0)]
        estimate = [(estimate_size * f).requires_grad_() for f in features(1)]
        value = make()(real, estimate)
        which = f"real features of size {real_size}, those of the estimate {estimate_size}"
        assert value.isfinite(), (
            f"{which}: the distance is {value}; expected a finite number; usually a division by the size of the real features"
        )
        assert all(bool(g.isfinite().all()) for g in gradients_of(value, *estimate)), (
            f"{which}: the gradient is not finite; usually a root at 0: put the epsilon inside it"
        )


def no_gradient_reaches_the_real_side(make: FeatureMatching) -> None:
    """The real features are detached, though they would carry a gradient."""
    real = [f.requires_grad_() for f in features(0)]
    estimate = [f.requires_grad_() for f in features(1)]
    assert not any(bool(g.any()) for g in gradients_of(make()(real, estimate), *real)), (
        "a gradient reaches the real features; expected none: detach them, also where one divides by their size"
    )


def the_gradient_reaches_the_estimate(make: FeatureMatching) -> None:
    """Each feature of each sound of the estimate gets a gradient, and a step against it lowers the distance."""
    distance, real, estimate = make(), features(0), [f.requires_grad_() for f in features(1)]
    before = distance(real, estimate)
    gradients = gradients_of(before, *estimate)
    for number, gradient in enumerate(gradients, 1):
        assert gradient.flatten(1).any(1).all(), (
            f"feature {number} of {len(gradients)} gets no gradient in one of the sounds; usually a detach() or one left out"
        )
    with torch.no_grad():
        moved = [
            f - 1e-3 * f.abs().max() * g / g.abs().max() for f, g in zip(estimate, gradients, strict=True)
        ]
        after = distance(real, moved)
    assert after < before, (
        f"a small step against the gradient moves the distance from {before:.4f} to {after:.4f}; expected less"
    )


def inputs_are_untouched(make: FeatureMatching) -> None:
    """Both sides are as they were, and a second call gives the same value."""
    distance, real, estimate = make(), features(0), features(1)
    first = distance(real, estimate)
    for given, seed in ((real, 0), (estimate, 1)):
        assert all(torch.equal(g, kept) for g, kept in zip(given, features(seed), strict=True)), (
            "a feature was changed in place; expected a new tensor"
        )
    assert torch.equal(first, distance(real, estimate)), (
        "two calls differ; expected the same bits: a distance draws nothing and keeps nothing"
    )


def no_value_is_read_back(make: FeatureMatching) -> None:
    """The distance does not wait for the device."""
    distance, real, estimate = make(), features(0), features(1)
    with NoDeviceReads():
        distance(real, estimate)


CHECKS = checks_in(globals())
