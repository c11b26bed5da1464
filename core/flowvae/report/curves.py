"""Curves over the steps: a thin line a seed, a thick one their mean, and a mark where the adversarial phase begins."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from flowvae.report.arm_styles import ArmStyle
from flowvae.report.figure_style import INK, MUTED, Picture, panels, picture, short
from flowvae.report.phases import SecondPlayer, second_players
from flowvae.report.reading import Folder, Run

MOST_POINTS = 100  # a curve gets 300 pixels on a telephone, and every figure is in the page twice
ROOM_FOR_A_NAME = 0.25  # of the width of a panel, in the narrow figure too
LEVEL = "#b9b7b0"
NOWHERE = -1  # validations begin at step 0
PLAYERS = {
    "discriminator/loss": "loss of the discriminators",
    "adversarial": "adversarial loss of the model",
    "feature_matching": "feature matching",
    "pull_ratio": "pull: discriminators / losses",
}
"""The figures of two players, as the panels call them."""
RIGHT = "discriminator/right/"
"""What the shares of right answers are told under."""
Point = tuple[float, float]


@frozen
class Curves:
    """Draws the curves of a folder, arm by arm in the same style."""

    folder: Folder
    styles: Mapping[str, ArmStyle]
    players: Mapping[str, SecondPlayer]

    @classmethod
    def of(cls, folder: Folder, styles: Mapping[str, ArmStyle]) -> "Curves":
        """The curves of all arms of a folder."""
        return cls(folder, styles, second_players(folder))

    def picture(self, wanted: Sequence[tuple[str, str]]) -> Picture | None:
        """A panel for each (phase, key) that has a curve."""
        wanted = self._known(wanted)
        if not wanted:
            return None
        n_columns = min(len(wanted), 3) if len(wanted) != 4 else 2
        n_rows = -(-len(wanted) // n_columns)
        with panels(n_columns, 0.2 + 2.5 * n_rows, n_rows) as (figure, axes):
            for axis, (phase, key) in zip(axes, wanted, strict=False):
                self._draw(axis, phase, key)
                title = PLAYERS.get(key) or short(key.removeprefix("metric/"), 34)
                axis.set_title(f"{title}{', held out' if phase != 'train' else ''}")
            for axis in axes[len(wanted) :]:
                axis.set_visible(False)
            return picture(figure, f"Curves over the steps: {', '.join(key for _, key in wanted)}")

    def right_answers(self, most: int) -> Picture | None:
        """The share of right answers of each discriminator, on one scale from none to all."""
        names = dict.fromkeys(name for player in self.players.values() for name in player.discriminators)
        wanted = self._known([("train", f"{RIGHT}{name}") for name in names])[:most]
        if not wanted:
            return None
        n_columns = min(len(wanted), 3) if len(wanted) != 4 else 2
        n_rows = -(-len(wanted) // n_columns)
        with panels(n_columns, 0.2 + 2.3 * n_rows, n_rows) as (figure, axes):
            for i, (axis, (phase, key)) in enumerate(zip(axes, wanted, strict=False)):
                for level in (0.5, 1.0):
                    axis.axhline(level, color=LEVEL, linewidth=1.2, zorder=1)
                self._draw(axis, phase, key)
                axis.set_yscale("linear")
                axis.set_ylim(-0.05, 1.05)
                axis.set_yticks([0.0, 0.5, 1.0], ["0", "guesses 0.5", "always 1"])
                axis.tick_params(labelleft=i % n_columns == 0)
                axis.set_title(f"right answers, {short(key.removeprefix(RIGHT))}")
            for axis in axes[len(wanted) :]:
                axis.set_visible(False)
            return picture(
                figure, f"Share of right answers of {', '.join(names)}; 0.5 is guessing, 1 is always"
            )

    def _known(self, wanted: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        return [w for w in wanted if any(run.curve(*w) for run in self.folder.runs)]

    def _draw(self, axis: Any, phase: str, key: str) -> None:
        lowest, highest = np.inf, -np.inf
        players: dict[str, SecondPlayer] = {}
        # Where lines are too many to be told apart, seeds would bury the means.
        is_each_seed_drawn = all(style.in_focus for style in self.styles.values())
        for arm in self.folder.plan.arms:
            curves = [curve for run in self.folder.of(arm.name) if (curve := run.curve(phase, key))]
            style, player = self.styles[arm.name], self.players.get(arm.name)
            if curves and player:
                players[arm.name] = player
            # What is measured stays the same; what is trained by gets other terms, so nothing joins before and after.
            apart = player.from_step if player and phase == "train" else NOWHERE
            for curve in curves if is_each_seed_drawn else ():
                for points in _parts(curve, apart):
                    lowest, highest = min(lowest, points[:, 1].min()), max(highest, points[:, 1].max())
                    axis.plot(*points.T, color=style.colour, linewidth=0.8, alpha=0.35)
            width, level = (2.2, 3) if style.in_focus else (0.8, 2)
            for points in _parts(_mean_curve(curves), apart) if curves else ():
                lowest, highest = min(lowest, points[:, 1].min()), max(highest, points[:, 1].max())
                axis.plot(*points.T, color=style.colour, linewidth=width, linestyle=style.dash, zorder=level)
        if lowest > 0 and highest > 20 * lowest:
            axis.set_yscale("log")
        axis.set_xlabel("step")
        axis.xaxis.get_major_locator().set_params(integer=True)
        self._mark(axis, players)

    def _mark(self, axis: Any, players: Mapping[str, SecondPlayer]) -> None:
        """A line where a phase with two players begins, in the arm's colour where others begin elsewhere, and its name."""
        starts: dict[int, list[str]] = {}
        for arm, player in players.items():
            if player.from_step:
                starts.setdefault(player.from_step, []).append(arm)
        if not starts:
            return
        # One width for all panels of a training: what has no figures before the phase leaves that part empty.
        steps = max([self.folder.plan.steps, *(player.steps for player in self.players.values())])
        axis.set_xlim(-0.02 * steps, 1.02 * steps)
        taken = 0.0
        for step, arms in sorted(starts.items()):
            colour = self.styles[arms[0]].colour if len(arms) == 1 and len(starts) > 1 else INK
            axis.axvline(step, color=colour, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
            place = step / steps
            is_left = place <= 1 - ROOM_FOR_A_NAME
            begin = place if is_left else place - ROOM_FOR_A_NAME
            if begin >= taken:  # where two names have no room, the first says what the lines are
                taken = begin + ROOM_FOR_A_NAME
                axis.text(
                    step, 1.01, players[arms[0]].phase, transform=axis.get_xaxis_transform(),
                    ha="left" if is_left else "right", va="bottom", fontsize=7.5, color=MUTED,
                )  # fmt: skip


def curve_keys(runs: Sequence[Run], phase: str) -> list[str]:
    """The keys that have a curve in one phase, in the order in which they first appear."""
    keys = {key: None for run in runs for row in run.rows if row.phase == phase for key in row.figures}
    return [key for key in keys if key not in {"phase", "step", "seconds", "time"}]


def _parts(points: Sequence[Point], apart: int) -> list[NDArray[np.float64]]:
    """A curve in two where a phase begins, each with its share of the points that are drawn."""
    halves = ([p for p in points if p[0] <= apart], [p for p in points if p[0] > apart])
    return [_thinned(half, MOST_POINTS * len(half) // len(points) or 1) for half in halves if half]


def _thinned(points: Sequence[Point], most: int) -> NDArray[np.float64]:
    """At most so many points, each the mean of a block, so that no spike is picked by chance."""
    all_points = np.asarray(points, dtype=np.float64)
    n_points, n_blocks = len(all_points), min(len(all_points), most)
    if n_blocks == n_points:
        return all_points
    # The first blocks are longer by one, as those of numpy.array_split.
    size, n_longer = divmod(n_points, n_blocks)
    lengths = np.full(n_blocks, size) + (np.arange(n_blocks) < n_longer)
    sums = np.add.reduceat(all_points, np.cumsum(lengths) - lengths, axis=0)
    thinned: NDArray[np.float64] = sums / lengths[:, None]
    return thinned


def _mean_curve(curves: Sequence[Sequence[Point]]) -> list[Point]:
    """The mean over the seeds at the steps that all of them have: a seed that drops out moves no line."""
    tables = [dict(curve) for curve in curves]
    shared = sorted(set.intersection(*(set(table) for table in tables)))
    means = np.mean([[table[step] for step in shared] for table in tables], axis=0).tolist()
    return list(zip(shared, means, strict=True))
