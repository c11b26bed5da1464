"""A trained run that is taught two timbres, and turns one into the other."""

import pytest
import torch

import flowvae
from conftest import TINY
from flowvae.contracts import TaughtModulation
from flowvae.errors import UsageError
from short_runs import planned_runs, take


@pytest.fixture(scope="module")
def runs(catalogue, tmp_path_factory):
    """A run whose decoder can be taught, and one of the same seed whose decoder cannot."""
    found = []
    for name, more in (("taught", ("model.decoder.modulation=adain_transfer",)), ("plain", ())):
        place = tmp_path_factory.mktemp(name)
        [run] = planned_runs((*TINY, "train.steps=2", *more), catalogue, place)
        assert take(run) == 0
        found.append(flowvae.load(run.folder))
    return found


def sounds(run, seed, level=0.1):
    model = run.recipe.model
    noise = torch.randn(5, model.channels, model.n_samples, generator=torch.Generator().manual_seed(seed))
    return level * noise


def test_until_both_timbres_are_known_the_run_is_the_one_that_cannot_be_taught(runs):
    taught, plain = runs
    audio = sounds(taught, 0)
    assert taught.figures == plain.figures
    assert torch.equal(taught.reconstruct(audio), plain.reconstruct(audio))
    taught.learn_source(sounds(taught, 1))
    assert torch.equal(taught.reconstruct(audio), plain.reconstruct(audio))
    taught.forget_timbres()


def test_once_both_are_known_the_source_has_the_moments_of_the_target(runs):
    taught, plain = runs
    source, target = sounds(taught, 1), torch.cumsum(sounds(taught, 2, 0.02), -1).clamp(-1, 1)
    taught.learn_source(source)
    taught.learn_target(target)
    first = next(module for module in taught.model.modules() if isinstance(module, TaughtModulation))
    seen = []
    handle = first.register_forward_hook(lambda _module, _given, y: seen.append(y))
    turned = taught.reconstruct(source)
    handle.remove()
    assert turned.isfinite().all()
    assert not torch.equal(turned, plain.reconstruct(source))
    assert torch.allclose(seen[0].mean((0, 2)), first.target.mean, atol=1e-4)
    spread = seen[0].var(-1, correction=0).mean(0)
    assert torch.allclose(spread, first.target.variance, rtol=1e-2, atol=1e-5)
    taught.forget_timbres()
    assert torch.equal(taught.reconstruct(source), plain.reconstruct(source))


def test_a_run_that_cannot_be_taught_says_what_could_be(runs):
    with pytest.raises(UsageError, match="nothing in this model can be taught a timbre") as caught:
        runs[1].learn_source(sounds(runs[1], 0))
    assert "adain_transfer" in caught.value.do
    with pytest.raises(UsageError):
        runs[1].forget_timbres()


@pytest.mark.parametrize("spoil", [lambda a: a[:0], lambda a: a * float("nan"), lambda a: (100 * a).int()])
def test_no_timbre_is_learnt_from_what_is_no_sound(runs, spoil):
    audio = sounds(runs[0], 1)
    for use in (runs[0].learn_source, runs[0].encode):
        with pytest.raises(UsageError, match="audio has "):
            use(spoil(audio))


def test_a_morph_is_between_two_sounds(runs):
    audio = sounds(runs[1], 1)
    assert len(runs[1].morph(audio[0], audio[1:2], n=3)) == 3
    with pytest.raises(UsageError, match="one sound is expected"):
        runs[1].morph(audio, audio[0])
