"""The peers: other people's code for the same parts, in an environment of its own (see requirements.txt)."""

import pytest
import torch

import peer_packages


def imported(package, *modules):
    """Skips where the package is not there; where it is there and does not import, that is a failure."""
    if not peer_packages.is_there(package):
        pytest.skip(f"{package} is not installed: tests/peers/install.sh")
    return peer_packages.imported(package, *modules)


@pytest.fixture(scope="session")
def descript():
    return imported("dac", "model.dac", "model.discriminator", "nn.loss")


@pytest.fixture(scope="session")
def rave():
    return imported("rave", "blocks", "descript_discriminator", "core")


@pytest.fixture(scope="session")
def stable_audio():
    return imported("stable_audio_tools", "models.autoencoders")


@pytest.fixture(scope="session")
def encodec():
    return imported("encodec", "modules.seanet")


@pytest.fixture
def noise():
    """Sounds that decay, the same at every call."""

    def make(*shape):
        decay = torch.exp(-torch.arange(shape[-1]) / 2000)
        return 0.3 * decay * torch.randn(shape, generator=torch.Generator().manual_seed(1))

    return make


@pytest.fixture
def take():
    """Gives one of our modules the weights of a peer's."""
    return peer_packages.give_weights


@pytest.fixture
def same():
    """Compares logits and features, layer by layer, to 1e-5 of the largest value of a layer."""

    def compare(ours, theirs, *, turned=False):
        logits, features = ours
        for layer, other in zip([*features, logits], theirs, strict=True):
            mine = layer.mT if turned else layer
            assert mine.shape == other.shape
            assert (mine - other).abs().max() <= 1e-5 * other.abs().max()

    return compare
