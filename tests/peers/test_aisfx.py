"""The plugin's embedding with the published weights: the peer's own network, and what the distance hears."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from flowvae.contracts import Evidence
from flowvae_components.datasets.synthetic_percussion import SyntheticPercussion

pytestmark = pytest.mark.peers
PLUGIN = Path(__file__).parents[2] / "plugins" / "flowvae_aisfx" / "src"


@pytest.fixture(scope="module")
def metric():
    if importlib.util.find_spec("aisfx") is None:
        pytest.skip("aisfx is not installed: pip install --no-deps aisfx==0.1.2")
    sys.path.insert(0, str(PLUGIN))
    try:
        from flowvae_aisfx.aisfx_distance import AisfxDistance

        yield AisfxDistance(44100)
    finally:
        sys.path.remove(str(PLUGIN))


def peers_network():
    """The file alone: the package around it imports what it pins."""
    folder = Path(importlib.util.find_spec("aisfx").submodule_search_locations[0])
    spec = importlib.util.spec_from_file_location("cnn2d", folder / "models" / "cnn2d.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.EmbeddingNet("max", 3, 1, 64)


def test_the_network_is_the_peers(metric):
    theirs = peers_network().eval()
    theirs.load_state_dict(metric.network.state_dict())
    blocks = torch.rand(3, 100, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = theirs(blocks)
        assert expected.shape == (3, 512)
        assert (metric.network(blocks) - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_the_distance_hears_noise_and_repetition_far_above_chance(metric):
    source = SyntheticPercussion(44100, 1, 16384, n_sounds=64, seed=3)
    sounds = torch.zeros(64, 1, 16384)
    for row, one in zip(sounds, source.read(), strict=True):
        row[:, : one.audio.shape[1]] = torch.from_numpy(one.audio)[:, :16384]

    def distance(seed=0, damage=lambda x: x):
        order = torch.randperm(64, generator=torch.Generator().manual_seed(seed))
        real, other = sounds[order[:32]], damage(sounds[order[32:]])
        codes = torch.zeros(32, 2)
        with torch.no_grad():
            given = Evidence(real=real, estimate=real, generated=other, codes=codes, kl=codes[:, 0])
            return metric(given).item()

    def with_noise(x):
        noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
        return x + 0.1 * x.square().mean(2, keepdim=True).sqrt() * noise

    clean = [distance(seed) for seed in range(4)]
    found = {"noise": distance(damage=with_noise), "one sound": distance(damage=lambda x: x[:1].expand_as(x))}
    print(f"clean {np.mean(clean):.1f} +- {np.std(clean):.1f}, {found}")
    assert min(found.values()) > np.mean(clean) + 10 * np.std(clean)
