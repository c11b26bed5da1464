import importlib.util
import math

import numpy as np
import pytest
import torch
from flowvae.contracts import Evidence, Refused
from flowvae.testing import checks

from flowvae_aisfx import checkpoint
from flowvae_aisfx.aisfx_distance import AisfxDistance
from flowvae_aisfx.front_end import BRIGHTEST, FrontEnd
from flowvae_aisfx.network import EmbeddingNet


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A checkpoint in the form of the published one, of a network that is narrow and was never trained."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = EmbeddingNet(4)
    state = {f"embedding_net.{name}": weight for name, weight in network.state_dict().items()}
    path = tmp_path_factory.mktemp("weights") / "checkpoint.pth"
    torch.save(({**state, "fc.0.0.weight": torch.zeros(2, 2)}, {"PSE": (np.int64(0), np.int64(12))}), path)
    return path


def noise(*size, seed=0):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


def evidence(real, generated):
    codes = torch.zeros(len(real), 2)
    return Evidence(real=real, estimate=real, generated=generated, codes=codes, kl=codes[:, 0])


@pytest.mark.parametrize("check", checks("metric"), ids=lambda check: check.__name__)
def test_the_contract_of_metrics_is_kept(check, weights):
    check(lambda sample_rate, periods: AisfxDistance(sample_rate, weights=weights))


def test_the_distance_is_that_of_a_double_loop(weights):
    metric = AisfxDistance(44100, weights=weights)
    real, generated = (
        noise(6, 1, 5000) * torch.logspace(-3, 0, 6)[:, None, None],
        0.1 * noise(4, 1, 5000, seed=1),
    )
    x, y = metric.vectors(real).numpy(), metric.vectors(generated).numpy()
    pairs = sorted(((x[i] - x[j]) ** 2).sum() for i in range(6) for j in range(i))
    kernel = lambda a, b: math.exp(-((a - b) ** 2).sum() / pairs[(len(pairs) - 1) // 2])  # noqa: E731
    expected = (
        np.mean([kernel(x[i], x[j]) for i in range(6) for j in range(6) if i != j])
        + np.mean([kernel(y[i], y[j]) for i in range(4) for j in range(4) if i != j])
        - 2 * np.mean([kernel(a, b) for a in x for b in y])
    )
    assert metric(evidence(real, generated)).item() == pytest.approx(1000 * expected, rel=1e-5)


def test_the_front_end_is_that_of_a_plain_loop():
    audio = 0.3 * noise(1, 2, 5000).double()
    mono = np.pad(0.5 * audio[0].mean(0).numpy(), 1024)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2048) / 2048)
    hz = np.arange(1025) * 44100 / 2048
    corners = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 22050 / 700), 98) / 2595) - 1)
    bands = []
    for low, top, high in zip(corners, corners[1:], corners[2:], strict=False):
        triangle = np.minimum((hz - low) / (top - low), (high - hz) / (high - top)).clip(0)
        bands.append(triangle / triangle.sum())
    found = FrontEnd(44100)(audio)[0].numpy()
    assert found.shape == (100, 96)
    n_frames = 5000 // 1024 + 1
    for frame in range(n_frames):
        power = abs(np.fft.rfft(mono[frame * 1024 : frame * 1024 + 2048] * window)) ** 2
        expected = np.log10(1 + 1e4 * (np.array(bands) @ power)) / BRIGHTEST
        assert np.allclose(found[frame], expected, atol=1e-4)
    assert (found[n_frames:] == 0).all()


def test_a_long_sound_is_cut_and_another_rate_is_converted():
    assert FrontEnd(44100)(noise(1, 1, 120_000)).shape == (1, 100, 96)
    tone = lambda rate: torch.sin(2 * math.pi * 1000 / rate * torch.arange(rate))[None, None]  # noqa: E731
    one, other = FrontEnd(44100)(tone(44100))[0, 5:35], FrontEnd(22050)(tone(22050))[0, 5:35]
    assert (one.mean(0) - other.mean(0)).abs()[:40].max() < 0.05


def test_a_checkpoint_is_read_to_the_last_weight_and_is_not_trained(weights):
    network = checkpoint.load(weights)
    stored, _ = torch.load(weights, weights_only=False)
    assert {f"embedding_net.{name}" for name in network.state_dict()} == set(stored) - {"fc.0.0.weight"}
    assert all(
        torch.equal(weight, stored[f"embedding_net.{n}"]) for n, weight in network.state_dict().items()
    )
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_a_checkpoint_runs_nothing(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    torch.save(({"embedding_net.x": Trap()}, {}), tmp_path / "bad.pth")
    with pytest.raises(Exception, match=r"weights_only|Unsupported"):
        checkpoint.load(tmp_path / "bad.pth")
    assert not (tmp_path / "sprung").exists()


def test_without_the_package_the_weights_have_to_be_named(monkeypatch):
    monkeypatch.setattr(checkpoint, "find_spec", lambda name: None)
    with pytest.raises(Refused, match=r"pip install --no-deps aisfx==0\.1\.2"):
        AisfxDistance(44100)


def test_an_installed_package_is_found_without_being_imported(monkeypatch, tmp_path, weights):
    (tmp_path / "aisfx" / "models").mkdir(parents=True)
    (tmp_path / "aisfx" / "__init__.py").write_text("raise RuntimeError")
    (tmp_path / "aisfx" / "models" / "checkpoint.pth").write_bytes(weights.read_bytes())
    spec = importlib.util.spec_from_file_location(
        "aisfx", tmp_path / "aisfx" / "__init__.py", submodule_search_locations=[str(tmp_path / "aisfx")]
    )
    monkeypatch.setattr(checkpoint, "find_spec", lambda name: spec)
    real = noise(3, 1, 3000)
    one, other = AisfxDistance(44100), AisfxDistance(44100, weights=weights)
    assert torch.equal(one.vectors(real), other.vectors(real))


@pytest.mark.parametrize("level", [0.0, 1e-9, 1e12])
def test_figures_are_finite_whatever_the_level(level, weights):
    sounds = level * noise(4, 1, 3001)
    metric = AisfxDistance(44100, weights=weights)
    for given in (
        evidence(sounds, noise(4, 1, 3001)),
        evidence(noise(4, 1, 3001), sounds),
        evidence(sounds, sounds),
    ):
        assert metric(given).isfinite()
    assert metric(evidence(sounds[:1], sounds)).isnan()
