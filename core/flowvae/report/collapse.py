"""What the journal says of two players: who always wins, who never learned, and whether one counts beside the other."""

from collections.abc import Iterator, Sequence
from statistics import mean, median

from flowvae.folder.journal import Row
from flowvae.report.answers import Finding
from flowvae.report.comparison import ENDED
from flowvae.report.number_format import count, plain
from flowvae.report.phases import HERE, SecondPlayer, second_players
from flowvae.report.reading import Folder, Run

FEWEST_ROWS = 8  # below it a quarter of a phase is one row, and one row is one batch
ALWAYS_RIGHT = 0.98  # one wrong answer in fifty is a silent stretch, or a sound that is heard twice
GUESSING = 0.5
NEAR_GUESSING = 0.02  # a row is some hundred answers, so the mean of half a phase of guesses lies within it
FALL = 0.02  # a loss that no quarter of the phase brought down by a fiftieth did not fall
OUTWEIGHED = 100.0  # at a hundredth, what is weaker turns the pull at a reconstruction by half a degree


def collapses(folder: Folder) -> list[Finding]:
    """Every collapse that a phase of two players shows, with how many seeds show it, and what to try."""
    return [
        Finding("caution", text)
        for arm, player in second_players(folder).items()
        for text in _of_arm(arm, player, [run for run in folder.of(arm) if run.state in ENDED])
    ]


def _of_arm(arm: str, player: SecondPlayer, runs: Sequence[Run]) -> Iterator[str]:
    phases = [phase_rows(run, player) for run in runs]
    for name in player.discriminators:
        known = [rows for rows in phases if len(figures(rows, f"discriminator/right/{name}")) >= FEWEST_ROWS]
        wins = [share for rows in known if (share := always_right(rows, name)) is not None]
        guesses = [share for rows in known if (share := learns_nothing(rows, name)) is not None]
        table = f"{HERE}.discriminators.{name}"
        width = f"{table}.width" if f"{table}.width" in player.leaves else ""
        if wins:
            yield (
                f"{name} of {arm} is always right in {_of(wins, known)}: a share of {plain(mean(wins))} of its answers over "
                f"the last quarter of the {player.phase} phase. The model learns nothing from it any more. "
                f"To try: a lower {HERE}.optimizer.lr, a higher {HERE}.discriminator_every"
                + (f", or a smaller {width}." if width else ".")
            )
        if guesses:
            yield (
                f"{name} of {arm} learns nothing in {_of(guesses, known)}: a share of {plain(mean(guesses))} of its answers "
                f"is right over the last half of the {player.phase} phase, which is guessing, and its loss "
                f"never fell. To try: a higher {HERE}.optimizer.lr, more steps in the phase"
                + (f", or a larger {width}." if width else ".")
            )
    if not player.is_balanced:
        yield from _outweighed(arm, player, phases)


def _outweighed(arm: str, player: SecondPlayer, phases: Sequence[Sequence[Row]]) -> Iterator[str]:
    known = [
        median(_last(pulls, 4)) for rows in phases if len(pulls := figures(rows, "pull_ratio")) >= FEWEST_ROWS
    ]
    weights = [f"{HERE}.weight"]
    if f"{HERE}.feature_matching.weight" in player.leaves:
        weights.append(f"{HERE}.feature_matching.weight")
    strong = [ratio for ratio in known if ratio > OUTWEIGHED]
    weak = [ratio for ratio in known if ratio < 1 / OUTWEIGHED]
    for found, weaker, change in (
        (strong, "the losses hardly count", "lower"),
        (weak, "the discriminators hardly count", "higher"),
    ):
        if found:
            yield (
                f"In {arm} the discriminators pull {plain(median(found))} times as strongly at a reconstruction as the losses "
                f"do, over the last quarter of the {player.phase} phase, in {_of(found, known)}: {weaker}. To try: a {change} "
                f"{' or '.join(weights)}, or a component as {HERE}.balance."
            )


def phase_rows(run: Run, player: SecondPlayer) -> list[Row]:
    """The rows of a training from its phase with two players."""
    return [row for row in run.rows if row.phase == "train" and row.step > player.from_step]


def figures(rows: Sequence[Row], name: str) -> list[float]:
    """One figure of each row that has it."""
    return [value for row in rows if (value := row.figures.get(name)) is not None]


def always_right(rows: Sequence[Row], discriminator: str) -> float | None:
    """The share of right answers over the last quarter of a phase, where it leaves nothing to learn."""
    share = mean(_last(figures(rows, f"discriminator/right/{discriminator}"), 4))
    return share if share >= ALWAYS_RIGHT else None


def learns_nothing(rows: Sequence[Row], discriminator: str) -> float | None:
    """The share of right answers over the last half of a phase, where it is that of guesses and the loss never fell."""
    share = mean(_last(figures(rows, f"discriminator/right/{discriminator}"), 2))
    losses = figures(rows, f"discriminator/loss/{discriminator}")
    if len(losses) < FEWEST_ROWS:
        return None
    n = len(losses) // 4
    first, *later = (mean(losses[start : start + n]) for start in range(0, 4 * n, n))
    # A discriminator that was deceived in the end had learned before: then some quarter lies below the first.
    is_guessing = abs(share - GUESSING) <= NEAR_GUESSING and min(later) >= (1 - FALL) * first
    return share if is_guessing else None


def _last(values: Sequence[float], part: int) -> Sequence[float]:
    """The last half, quarter, ... of what was told in a phase."""
    return values[-(len(values) // part) :]


def _of(found: Sequence[object], known: Sequence[object]) -> str:
    return f"{len(found)} of {count(len(known), 'seed')}"
