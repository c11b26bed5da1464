"""P1: a step of RAVE v2's first phase in its published sizes, eight clips of a second."""

from torch import nn

import rave_network
from benchmarks.peers.alternating import Pair, tell
from benchmarks.peers.sounds import compiled, decaying_noise, n_weights, training_on

BATCH, N_SAMPLES = 8, 45056
WEIGHTS = 31_536_000
"""Of theirs; ours may differ by a hundredth, without what leads to one vector and back."""
NOTE = (
    f"{BATCH} clips of {N_SAMPLES} samples, where the recipe has 131072; neither side holds discriminators. Ours has 1.8 M weights "
    "more, which lead to one vector and back, theirs a vector a frame; each has its own two spectral distances"
)


def training():
    """The recipe, with shorter clips, and weights as many as theirs."""
    made = training_on(decaying_noise(BATCH, N_SAMPLES), "rave_v2", ("adversarial=false",))
    model = made.model
    of_one_vector = [m for m in model.modules() if isinstance(m, nn.Linear)]
    learned = n_weights(model) - n_weights(*of_one_vector)
    assert abs(learned - WEIGHTS) <= 0.01 * WEIGHTS, learned
    return made


def ours():
    made = training()
    return lambda: made.step(0)


def ours_compiled():
    made = compiled(training())
    return lambda: made.step(0)


def theirs():
    model, batch = rave_network.published("v2"), decaying_noise(BATCH, N_SAMPLES)
    assert abs(n_weights(model.encoder, model.decoder) - WEIGHTS) <= 0.01 * WEIGHTS
    model.discriminator = nn.Linear(1, 1)  # of no use before its second phase, but its optimizer asks for one
    rave = rave_network.Theirs.of(model)
    model.warmed_up = False
    return lambda: rave.step(batch, 1)


STEP = "RAVE v2, step of the first phase"
PAIRS = [
    Pair(STEP, ours, theirs, 0.8, memory=0.9, peer="rave", rounds=5, note=NOTE),
    Pair(f"{STEP}, compiled", ours_compiled, theirs, 0.65, peer="rave", rounds=5),
]

if __name__ == "__main__":
    tell("P1", __spec__.name, PAIRS)
