"""Two arms of one seed share, bit for bit, everything but what was swapped."""

import pytest
import torch

from conftest import TINY
from flowvae.recipe import plan_ablation, read_recipe
from short_runs import begin, training_of

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


NOISY = 'defaults.head={ use = "noise_synth", head = "plain" }'
POINTS = ("model.posterior=deterministic", "regularizer=none", 'evaluation.metrics=["si_sdr"]')
FREE = ('may_be_unused=["defaults.flow"]', "model.prior=standard_normal")


def noise_of(training, step):
    """The even noise that is drawn last at a step: augmentations draw theirs before, and nothing but the head after."""
    heard, drawn = [], torch.rand

    def rand(*size, **keys):
        heard.append(drawn(*size, **keys))
        return heard[-1]

    with pytest.MonkeyPatch.context() as here:
        here.setattr(torch, "rand", rand)
        training.step(step)
    return heard[-1]


def test_what_a_decoder_draws_does_not_depend_on_what_a_posterior_drew(catalogue):
    gaussian = training_of((*TINY, *FREE, NOISY, "model.posterior=gaussian"), catalogue)
    points = training_of((*TINY, *FREE, NOISY, *POINTS), catalogue)
    for step in range(2):
        assert torch.equal(noise_of(gaussian, step), noise_of(points, step))
    assert not torch.equal(noise_of(gaussian, 2), noise_of(points, 3))


def test_what_a_decoder_draws_does_not_move_what_others_draw(catalogue):
    plain = training_of((*TINY, *FREE, "model.posterior=gaussian", "defaults.head=plain"), catalogue)
    noisy = training_of((*TINY, *FREE, "model.posterior=gaussian", NOISY), catalogue)
    assert torch.equal(plain.step(0)["kl"], noisy.step(0)["kl"])


def test_a_trained_decoder_that_draws_gives_one_sound_for_one_code(catalogue):
    model = training_of((*TINY, *FREE, NOISY, "model.posterior=gaussian"), catalogue).model.eval()
    code = torch.zeros(2, 8)
    before = torch.get_rng_state()
    assert torch.equal(model.decode(code), model.decode(code))
    assert torch.equal(before, torch.get_rng_state())


def test_what_a_regularizer_draws_is_not_moved_by_what_a_decoder_drew(catalogue):
    """The samples of the prior that codes are compared with."""
    codes = (*POINTS[:1], 'evaluation.metrics=["si_sdr"]', "regularizer=wasserstein_mmd")
    plain = training_of((*TINY, *FREE, *codes, "defaults.head=plain"), catalogue)
    noisy = training_of((*TINY, *FREE, *codes, NOISY), catalogue)
    assert torch.equal(plain.step(0)["mmd"], noisy.step(0)["mmd"])
