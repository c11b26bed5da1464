"""Two arms of one seed share, bit for bit, everything but what was swapped."""

import pytest
import torch

from flowvae.recipe import plan_ablation, read_recipe
from short_runs import begin

CPU = torch.device("cpu")


def trainings(catalogue, recipe, seed=3):
    settings = ("train.batch_size=4", 'data={ use = "synthetic_percussion", n_sounds = 48 }')
    plan = plan_ablation(read_recipe(recipe, settings), catalogue)
    return [begin(arm.recipe, seed) for arm in plan.arms]


SWAPS = {
    "ablation_snake": ("activation", "log_alpha"),
    "ablation_upsampler": ("upsampler",),
    "ablation_prior": ("prior.",),
}


@pytest.fixture(scope="module", params=SWAPS)
def pair(request, catalogue, tmp_path_factory):
    one, *_, other = trainings(catalogue, request.param)
    return (request.param, one, other)


def swapped_modules(training, kind):
    """Names of the modules that the swapped slot filled: they may differ, nothing else may."""
    names = {
        "upsampler": ("ConvTranspose1d", "ResizeConv", "TransposedConv"),
        "activation": ("Snake", "LeakyReLU"),
        "prior": ("FlowPrior", "FullGaussianPrior"),
    }[kind]
    return tuple(n for n, m in training.model.named_modules() if type(m).__name__ in names)


def test_untouched_modules_start_with_the_same_weights(pair):
    recipe, one, other = pair
    kind = recipe.removeprefix("ablation_").replace("snake", "activation")
    swapped = (*swapped_modules(one, kind), *swapped_modules(other, kind))
    assert swapped
    weights = [
        {n: p for n, p in t.model.state_dict().items() if not n.startswith(swapped)} for t in (one, other)
    ]
    assert weights[0].keys() == weights[1].keys()
    assert len(weights[0]) > 40
    for name, tensor in weights[0].items():
        assert torch.equal(tensor, weights[1][name]), name


def test_arms_see_the_same_batches_with_the_same_crops(pair):
    _, one, other = pair
    for step in (0, 1, 7, 100):
        assert torch.equal(one.batches(step), other.batches(step))
    assert not torch.equal(one.batches(0), one.batches(1))


def test_arms_draw_the_same_latent_noise(pair):
    _, one, other = pair
    noise = []
    for training in (one, other):
        torch.manual_seed(0)
        training.step(0)
        noise.append(torch.rand(3))  # the generator stands where the step left it
    assert torch.equal(*noise)


def test_another_seed_is_another_run(catalogue, tmp_path):
    [one, _] = trainings(catalogue, "ablation_snake", seed=0)
    [other, _] = trainings(catalogue, "ablation_snake", seed=1)
    assert not torch.equal(one.batches(0), other.batches(0))
    name, weight = next((n, p) for n, p in one.model.named_parameters() if p.ndim == 3 and p.shape[-1] > 1)
    assert not torch.equal(weight, dict(other.model.named_parameters())[name])
