"""What the latent vector, or another stream, does to the channels of a decoder."""

import pytest
import torch
from torch.nn import functional

from flowvae.testing.device_reads import NoDeviceReads
from flowvae_components.modulations.adain import AdaIN
from flowvae_components.modulations.adain_transfer import AdaINTransfer
from flowvae_components.modulations.film import FiLM

CHANNELS, LATENT_DIM = 4, 3


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def stream(n_sounds=2, level=1.0, offset=0.0):
    """Sounds whose channels differ in level and mean."""
    size = torch.arange(1, CHANNELS + 1, dtype=torch.float64)[:, None]
    return (level * torch.randn(n_sounds, CHANNELS, 500, dtype=torch.float64) + offset) * size


LATENT = torch.ones(2, LATENT_DIM, dtype=torch.float64)


def latents(sounds):
    """As many vectors as there are sounds."""
    return torch.ones(len(sounds), LATENT_DIM, dtype=torch.float64)


def steered(modulation, gain, offset):
    """A modulation whose latent vector says the same gain and offset for all channels."""
    film = getattr(modulation, "film", modulation)
    with torch.no_grad():
        film.steer.bias[:CHANNELS], film.steer.bias[CHANNELS:] = gain, offset
    return modulation.double()


def test_film_is_a_gain_and_an_offset():
    x = stream()
    assert torch.allclose(steered(FiLM(CHANNELS, LATENT_DIM), 0.5, 3)(x, LATENT), 1.5 * x + 3, atol=1e-12)


def test_adain_is_torchs_instance_norm_with_gain_and_offset():
    x = stream(level=0.2, offset=4)
    expected = 1.5 * functional.instance_norm(x, eps=1e-5) + 3
    assert torch.allclose(steered(AdaIN(CHANNELS, LATENT_DIM), 0.5, 3)(x, LATENT), expected, atol=1e-10)


def test_adain_takes_a_mean_off_that_half_precision_could_not_hold():
    x = (200 + torch.randn(2, CHANNELS, 500)).bfloat16()
    expected = functional.instance_norm(x.float(), eps=1e-5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = AdaIN(CHANNELS, LATENT_DIM)(x, torch.ones(2, LATENT_DIM))
    assert (y.float() - expected).abs().max() < 0.02


@pytest.mark.parametrize("modulation", [FiLM, AdaIN])
def test_gain_and_offset_depend_on_the_latent_vector_of_their_own_sound(modulation):
    module, x = modulation(CHANNELS, LATENT_DIM).double(), stream()
    with torch.no_grad():
        module.get_parameter("film.steer.weight" if modulation is AdaIN else "steer.weight").normal_()
    latent = torch.randn(2, LATENT_DIM, dtype=torch.float64)
    same = module(x, latent)
    assert torch.equal(module(x, torch.stack((latent[0], -latent[1])))[0], same[0])
    assert not torch.allclose(module(x, -latent), same, atol=0.1)


def test_adain_forgets_the_level_that_came_in():
    module, x = AdaIN(CHANNELS, LATENT_DIM).double(), stream()
    assert torch.allclose(module(50 * x + 7, LATENT), module(x, LATENT), atol=1e-4)


def test_adain_leaves_a_single_sample_as_it_is():
    module, x = AdaIN(CHANNELS, LATENT_DIM).double(), stream()[..., :1]
    assert torch.equal(module(x, LATENT), x)


def learnt(source, target, module=None):
    module = (module or AdaINTransfer(CHANNELS, LATENT_DIM).double()).eval()
    for module.learn, sounds in (("source", source), ("target", target)):
        assert torch.equal(module(sounds, latents(sounds)), sounds)
    module.learn = "nothing"
    return module


SOURCE = {"level": 0.5, "offset": 2}
TARGET = {"level": 3, "offset": -1}


def test_transfer_has_nothing_to_train_and_changes_no_bit_in_training():
    module, x = learnt(stream(**SOURCE), stream(**TARGET)).train(), stream()
    assert not list(module.parameters())
    assert torch.equal(module(x, LATENT), x)


@pytest.mark.parametrize("known", [(), ("source",), ("target",)])
def test_transfer_changes_no_bit_until_both_streams_are_known(known):
    module, x = AdaINTransfer(CHANNELS, LATENT_DIM).double().eval(), stream()
    for module.learn in known:
        module(stream(**TARGET), LATENT)
    module.learn = "nothing"
    assert torch.equal(module(x, LATENT), x)


def test_transfer_gives_one_stream_the_means_and_deviations_of_the_other():
    source, target = stream(1, **SOURCE), stream(1, **TARGET)
    y = learnt(source, target)(source, LATENT[:1])
    assert torch.allclose(y.mean(-1), target.mean(-1), atol=1e-4)
    assert torch.allclose(y.std(-1), target.std(-1), rtol=1e-4)


@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (3, 1), (4,)])
def test_averages_are_over_sounds_however_they_come_and_over_variances(sizes):
    sounds, module = stream(4, **SOURCE), AdaINTransfer(CHANNELS, LATENT_DIM).double().eval()
    sounds[1] *= 10
    module.learn = "source"
    for batch in sounds.split(sizes):
        module(batch, latents(batch))
    assert module.source.count == 4
    assert torch.allclose(module.source.mean, sounds.mean(-1).mean(0), atol=1e-10)
    assert torch.allclose(module.source.variance, sounds.var(-1, correction=0).mean(0), atol=1e-10)


def test_training_teaches_no_stream():
    module = AdaINTransfer(CHANNELS, LATENT_DIM).double()
    module.learn = "source"
    module(stream(), LATENT)
    assert module.source.count == 0


def test_what_was_learnt_is_kept_by_the_state_and_forgotten_by_reset():
    module, x = learnt(stream(**SOURCE), stream(**TARGET)), stream()
    twin = AdaINTransfer(CHANNELS, LATENT_DIM).double().eval()
    twin.load_state_dict(module.state_dict())
    assert torch.equal(twin(x, LATENT), module(x, LATENT))
    assert not torch.allclose(twin(x, LATENT), x)
    twin.reset()
    assert torch.equal(twin(x, LATENT), x)
    fresh = AdaINTransfer(CHANNELS, LATENT_DIM).double().state_dict()
    assert all(torch.equal(value, fresh[name]) for name, value in twin.state_dict().items())


@pytest.mark.parametrize("learn", ["nothing", "source", "target"])
def test_no_count_is_read_back(learn):
    module = learnt(stream(**SOURCE), stream(**TARGET))
    module.learn = learn
    with NoDeviceReads():
        module(stream(), LATENT)


def test_a_stream_of_single_samples_is_learnt_without_nan():
    module = learnt(stream()[..., :1], stream(**TARGET))
    assert module(stream(), LATENT).isfinite().all()


def test_a_stream_that_does_not_exist_cannot_be_learnt():
    module = AdaINTransfer(CHANNELS, LATENT_DIM).eval()
    module.learn = "sorce"
    with pytest.raises(KeyError, match="sorce"):
        module(torch.zeros(1, CHANNELS, 8), torch.zeros(1, LATENT_DIM))
