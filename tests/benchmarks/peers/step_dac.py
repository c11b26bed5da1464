"""P3: a step of the Descript codec in its published sizes, without its quantizer, two clips of the length that it is trained with."""

from torch import nn

from benchmarks.peers.alternating import Pair, tell
from benchmarks.peers.sounds import compiled, decaying_noise, n_weights, training_on
from dac_step import Codec

BATCH, N_SAMPLES = 2, 16896
WEIGHTS = (76_412_130, 42_519_760)
"""Of their encoder and decoder, and of their discriminators; ours may differ by a hundredth."""
NOTE = (
    f"{BATCH} clips of {N_SAMPLES} samples; theirs without its quantizer, ours with 11 M weights more, which lead to one vector of "
    "72 and back; losses, their weights and the order of the players are the codec's on both sides"
)
ALONE = ("adversarial=false",)


def training(settings):
    """The recipe, with weights as many as theirs."""
    made = training_on(decaying_noise(BATCH, N_SAMPLES), "dac", settings)
    of_one_vector = [m for m in made.model.modules() if isinstance(m, nn.Linear)]
    players = [n_weights(made.model) - n_weights(*of_one_vector)]
    if made.parts.second_player is not None:
        players.append(n_weights(*made.parts.second_player.discriminators.values()))
    for learned, published in zip(players, WEIGHTS, strict=False):
        assert abs(learned - published) <= 0.01 * published, players
    return made


def ours(settings):
    made = training(settings)
    return lambda: made.step(0)


def ours_compiled(settings):
    made = compiled(training(settings))
    return lambda: made.step(0)


def theirs(step):
    codec, batch = Codec.published(), decaying_noise(BATCH, N_SAMPLES)
    work = getattr(codec, step)
    return lambda: work(batch)


def pair(what, build, settings, step, *, goal, **more):
    """Ours by settings, beside a step of theirs."""
    return Pair(what, lambda: build(settings), lambda: theirs(step), goal, peer="dac", rounds=3, **more)


PAIRS = [
    pair("DAC, step of the model alone", ours, ALONE, "reconstruct", goal=0.75, memory=0.6, note=NOTE),
    pair("DAC, step of the model alone, compiled", ours_compiled, ALONE, "reconstruct", goal=None),
    pair("DAC, step of both players", ours, (), "step", goal=0.75, memory=0.6),
    pair("DAC, step of both players, model compiled", ours_compiled, (), "step", goal=None),
]

if __name__ == "__main__":
    tell("P3", __spec__.name, PAIRS)
