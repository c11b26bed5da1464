"""Steps of ours and of the peers whose operators are counted, without the optimizers': a GPU's take a whole list at once."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from unittest.mock import patch

from attrs import frozen

from benchmarks.peers.sounds import decaying_noise, training_on
from counting import Operators
from flowvae_components.activations import ripple

RAVE_SAMPLES, DAC_SAMPLES = 18432, 16896
"""Counts do not change with them: the shortest that RAVE's windows fit into, and what the codec is trained with."""


@frozen
class Counted:
    """A step, or several, of both sides."""

    what: str
    peer: str
    ours: Callable[[], Operators]
    theirs: Callable[[], Operators]


def of(steps, optimizers):
    """The operators of these steps, each taken once before; no optimizer moves.

    They are counted as a GPU is asked for them: only on a CPU are large ripples computed block by block.
    """
    with ExitStack() as still:
        still.enter_context(patch.object(ripple, "BLOCK", sys.maxsize))
        for optimizer in optimizers:
            still.enter_context(patch.object(optimizer, "step", lambda: None))
        for step in steps:
            step()
        with Operators() as counter:
            for step in steps:
                step()
    return counter


def of_ours(recipe, n_samples, settings=(), steps=(0,)):
    training = training_on(decaying_noise(1, n_samples), recipe, settings)
    optimizers = training.state.optimizers.values()
    return of([lambda step=step: training.step(step) for step in steps], optimizers)


def of_rave(*, second_phase, batches):
    import rave_network

    model, batch = rave_network.published("v2"), decaying_noise(1, RAVE_SAMPLES)
    rave = rave_network.Theirs.of(model)
    model.warmed_up = second_phase
    return of([lambda index=index: rave.step(batch, index) for index in batches], model.optimizers())


def of_codec(name):
    from dac_step import Codec

    codec, batch = Codec.published(), decaying_noise(1, DAC_SAMPLES)
    return of([lambda: getattr(codec, name)(batch)], codec.optimizers)


FROM_THE_START = ("adversarial.from_step=0",)
ALONE = ("adversarial=false",)
COUNTED = (
    Counted(
        "RAVE v2, first phase",
        "rave",
        lambda: of_ours("rave_v2", RAVE_SAMPLES),
        lambda: of_rave(second_phase=False, batches=[1]),
    ),
    Counted(
        "RAVE v2, second phase, 3 updates of the model and 1 of the discriminators",
        "rave",
        lambda: of_ours("rave_v2", RAVE_SAMPLES, FROM_THE_START, range(3)),
        lambda: of_rave(second_phase=True, batches=range(4)),
    ),
    Counted(
        "DAC, the model alone",
        "dac",
        lambda: of_ours("dac", DAC_SAMPLES, ALONE),
        lambda: of_codec("reconstruct"),
    ),
    Counted("DAC, both players", "dac", lambda: of_ours("dac", DAC_SAMPLES), lambda: of_codec("step")),
)
