"""What a round of the second phase costs, beside RAVE's own training step with the same networks in their original sizes."""

import pytest
import torch

from flowvae.probe.flops import MultiplyAdds
from flowvae.streams import stream_key
from rave_network import Theirs

pytestmark = [
    pytest.mark.peers,
    pytest.mark.filterwarnings("ignore"),  # theirs
]
N_SAMPLES = 18432
"""The shortest that every window of their distances fits into; the ratio is the same to a thousandth at 45,056."""
LIMIT = 0.66


@pytest.fixture
def phase(rave):  # where that is not installed, the tests are skipped
    import rave_phase

    return rave_phase


def multiply_adds(*steps):
    """Of each step."""
    found = []
    for step in steps:
        with MultiplyAdds() as counter:
            step()
        found.append(counter.total)
    return found


def gradients(module):
    return {name: p.grad.clone() for name, p in module.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("config", ["v2", "v3"])
def test_three_updates_of_the_model_and_one_of_the_discriminators(config, phase, noise, capsys):
    """They come from four batches of RAVE's and from three of ours, for one pass of the model serves both players."""
    torch.manual_seed(0)
    theirs, mine = phase.twins(config)
    batch = noise(1, 1, N_SAMPLES)
    rave, training = Theirs.of(theirs), phase.ours(mine, batch)
    peer = multiply_adds(*(lambda i=i: rave.step(batch, i) for i in range(phase.UPDATES + 1)))
    own = multiply_adds(*(lambda i=i: training.step(i) for i in range(phase.UPDATES)))
    whole, pair = sum(own) / sum(peer), own[0] / (peer[0] + peer[1])
    with capsys.disabled():
        print(
            f"\nRAVE {config}, multiply-adds a sound of {N_SAMPLES} samples: 3 + 1 updates {sum(own) / 1e9:.1f} G"
            f" against {sum(peer) / 1e9:.1f} G, {whole:.3f} of it; 1 + 1 updates {pair:.3f} of it"
        )
    assert whole <= LIMIT


@pytest.mark.parametrize("config", ["v2", "v3"])
def test_they_are_the_same_updates(config, phase, noise):
    """RAVE's two steps on one batch with one noise, and one step of ours: both players are moved by the same gradients."""
    torch.manual_seed(0)
    theirs, mine = phase.twins(config)
    for model in (theirs, mine):
        # Theirs compares the bands before they are put together, ours can only take the sound apart again.
        model.weights = {**model.weights, "multiband_audio_distance": 0.0}
    batch = noise(1, 1, N_SAMPLES)
    rave, training = Theirs.of(theirs), phase.ours(mine, batch)
    torch.manual_seed(stream_key(training.seed, "step", 0))
    rave.step(batch, 0)
    discriminators = gradients(theirs.discriminator)
    torch.manual_seed(stream_key(training.seed, "step", 0))
    rave.step(batch, 1)
    training.step(0)
    pairs = [
        (discriminators, gradients(mine.discriminator)),
        (gradients(theirs.decoder), gradients(mine.decoder)),
    ]
    for expected, found in pairs:
        assert expected.keys() == found.keys()
        for name, gradient in expected.items():
            assert (found[name] - gradient).norm() <= 1e-3 * gradient.norm(), name
    assert not gradients(mine.encoder)
