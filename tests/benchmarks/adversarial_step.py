"""What a step of two players takes beside its peers: `.venv/peers/bin/python tests/benchmarks/adversarial_step.py`.

Both sides in turn in one process, one thread, one allocator: a round of RAVE v2's second phase, three updates of the model and one
of the discriminators, by its own training step and by ours with the same networks; and our discriminators with the
weights of the Descript codec's. A ratio is taken round by round, so that a slow spell of the machine hits both. It prints a page;
`> tests/benchmarks/adversarial_step.md` keeps it. The environment is that of tests/peers/requirements.txt.
"""

import logging
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from flowvae.building.allocator import ALLOCATOR

SETTINGS = {**ALLOCATOR, "OMP_NUM_THREADS": "1"}
"""They must be there when the process begins."""
ROUNDS = {18432: 4, 45056: 4}
"""Of RAVE's phase, by the length of the clip in samples: the shortest that every window of its distances fits into, and a second."""
JUDGING_ROUNDS = 7
UNEVEN = 18433
"""A length that no period and no hop divides: where one does, the codec hears a row more."""
GOAL = 0.75

Side = Callable[[], object]
Clock = Callable[[], float]


def rave_phase(n_samples: int) -> tuple[Side, Side]:
    """A round of ours, and one of RAVE's."""
    import torch

    import rave_phase as phase
    from rave_network import Theirs

    theirs, mine = phase.twins("v2")
    batch = decaying_noise(torch, 1, n_samples)
    rave, training = Theirs.of(theirs), phase.ours(mine, batch)
    return (
        lambda: [training.step(step) for step in range(phase.UPDATES)],
        lambda: [rave.step(batch, index) for index in range(phase.UPDATES + 1)],
    )


def discriminators(kind: str) -> tuple[Side, Side]:
    """Ours and the codec's, forward and backward, with the same weights."""
    import torch

    from flowvae.testing.loss import plain_stft
    from flowvae.testing.streams import SeededStream
    from flowvae_components.discriminators.multi_period import MultiPeriod
    from flowvae_components.discriminators.multi_resolution import MultiResolution
    from flowvae_components.normalizations.weight_norm import weight_norm
    from peer_packages import give_weights, imported

    peer = imported("dac", "model.discriminator").discriminator
    own: MultiPeriod | MultiResolution
    if kind == "multi_period":
        theirs = [peer.MPD(period) for period in (2, 3, 5, 7, 11)]
        own = MultiPeriod(1, UNEVEN, normalization=weight_norm)
    else:
        theirs = [peer.MRD(n_fft) for n_fft in (2048, 1024, 512)]
        own = MultiResolution(1, UNEVEN, plain_stft, match_stride=True, normalization=weight_norm)
    for mine, other in zip(own.discriminators, theirs, strict=True):
        give_weights(mine, other)
    audio = decaying_noise(torch, 2, UNEVEN).requires_grad_()

    def back(outputs: Sequence[torch.Tensor]) -> None:
        torch.stack([output.square().mean() for output in outputs]).sum().backward()

    def ours() -> None:
        back([o for logits, features in own(audio, SeededStream(0)) for o in (*features, logits)])

    return ours, lambda: back([output for other in theirs for output in other(audio)])


def decaying_noise(torch, n_sounds, n_samples):
    """Sounds that are the same every time."""
    decay = torch.exp(-torch.arange(n_samples) / 2000)
    return 0.3 * decay * torch.randn((n_sounds, 1, n_samples), generator=torch.Generator().manual_seed(1))


def alternate(sides: Sequence[Side], n_rounds: int) -> list[list[tuple[float, float]]]:
    """For each side the seconds of each round, by the clock on the wall and of the processor."""
    for side in sides:
        side()
    times: list[list[tuple[float, float]]] = [[] for _ in sides]
    for index in range(n_rounds):
        order = list(zip(sides, times, strict=True))
        for side, found in order if index % 2 else order[::-1]:
            wall, cpu = time.perf_counter(), time.process_time()
            side()
            found.append((time.perf_counter() - wall, time.process_time() - cpu))
    return times


def row(name: str, sides: tuple[Side, Side], n_rounds: int) -> str:
    """A line of the table."""
    ours, theirs = alternate(sides, n_rounds)
    cells = [name, f"{median(w for w, _ in ours):.2f} s", f"{median(w for w, _ in theirs):.2f} s"]
    for clock in (0, 1):
        ratios = sorted(mine[clock] / other[clock] for mine, other in zip(ours, theirs, strict=True))
        cells.append(f"{median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    return f"| {' | '.join([*cells, str(n_rounds)])} |"


def processor() -> str:
    """Its name, as Linux has it."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def main() -> None:
    """Prints the page."""
    if any(os.environ.get(name) != value for name, value in SETTINGS.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **SETTINGS})
    sys.path.insert(0, str(Path(__file__).parents[1]))
    warnings.filterwarnings("ignore")  # theirs
    logging.disable()
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    busy = os.getloadavg()[0]
    rows = [
        *(
            row(f"RAVE v2, second phase, a clip of {n_samples}", rave_phase(n_samples), n_rounds)
            for n_samples, n_rounds in ROUNDS.items()
        ),
        row("`multi_period`", discriminators("multi_period"), JUDGING_ROUNDS),
        row("`multi_resolution`", discriminators("multi_resolution"), JUDGING_ROUNDS),
    ]
    packages = ("torch", "acids-rave", "descript-audio-codec", "flowvae")
    print(f"""# A step of two players beside its peers

Written by `tests/benchmarks/adversarial_step.py` on {datetime.now(UTC):%Y-%m-%d}.

- {processor()}, {os.cpu_count()} cores, one thread, Python {platform.python_version()}, {platform.system()};
  {", ".join(f"{name} {version(name)}" for name in packages)}
- load of the machine when it began: {busy:.1f}; where others use it too, ratios are what counts, those of processor time most
- RAVE's round is 3 updates of the model and 1 of the discriminators: four of its batches of one clip, or three of ours; the
  discriminators hear two clips of {UNEVEN}, forward and backward; all in the peers' original sizes, with the same weights on both sides
- goal of RAVE's round: {GOAL} or less

| what | ours | theirs | ratio | ratio of processor time | rounds |
| --- | --- | --- | --- | --- | --- |
{chr(10).join(rows)}

Medians; a ratio is the median of the ratios of the rounds, ours / theirs, with the least and the greatest.""")


if __name__ == "__main__":
    main()
