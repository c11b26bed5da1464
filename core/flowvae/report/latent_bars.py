"""What each latent dimension carries, as bars from the largest to the smallest, a panel an arm."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from flowvae.report.arm_styles import ArmStyle
from flowvae.report.figure_style import INK, MUTED, Picture, panels, picture, short
from flowvae.report.latent_health import USED, Dimensions, Kind, dimensions
from flowvae.report.reading import Folder

UNITS: dict[Kind, str] = {
    "divergence": "divergence from the prior, nats",
    "signal": "signal against noise, nats",
    "spread": "variance from sound to sound",
}
MOST_PANELS = 6
UNUSED = "#c6c4bd"


def latent_bars(folder: Folder, styles: Mapping[str, ArmStyle]) -> Picture | None:
    """The mean over the seeds rank by rank, since no seed's first number is another's; lines reach from seed to seed."""
    by_arm = {arm.name: _of(folder, arm.name) for arm in folder.plan.arms}
    known = {arm: found for arm, found in by_arm.items() if found}
    shown = dict(list(known.items())[:MOST_PANELS])
    if not shown:
        return None
    n_columns = min(len(shown), 3) if len(shown) != 4 else 2
    n_rows = -(-len(shown) // n_columns)
    with panels(n_columns, 0.2 + 2.4 * n_rows, n_rows) as (figure, axes):
        highest: dict[Kind, float] = {}
        for found in shown.values():
            top = max(float(one.values[0]) for one in found)
            highest[found[0].kind] = max(highest.get(found[0].kind, 0.0), top)
        for axis, (arm, found) in zip(axes, shown.items(), strict=False):
            values = _ranked(found)
            mean, ranks = values.mean(axis=0), np.arange(1, values.shape[1] + 1)
            colours = [styles[arm].colour if value > USED else UNUSED for value in mean]
            axis.bar(ranks, mean, width=0.8, color=colours, linewidth=0)
            if len(values) > 1:
                axis.vlines(
                    ranks, values.min(axis=0), values.max(axis=0), color=INK, linewidth=0.6, alpha=0.7
                )
            axis.set_ylim(0, 1.05 * highest[found[0].kind] or 1.0)
            axis.set_title(short(arm))
            axis.set_xlabel("latent number, the strongest first")
            axis.set_ylabel(UNITS[found[0].kind], color=MUTED)
            axis.xaxis.get_major_locator().set_params(integer=True)
        for axis in axes[len(shown) :]:
            axis.set_visible(False)
        return picture(
            figure,
            f"What each latent number carries, from the strongest down, for {', '.join(shown)}; "
            f"grey bars are at most {USED} and count as unused",
        )


def _of(folder: Folder, arm: str) -> list[Dimensions]:
    found = [dimensions(run.latents) for run in folder.of(arm) if run.latents]
    return [one for one in found if one.kind == found[0].kind and len(one.values) == len(found[0].values)]


def _ranked(found: list[Dimensions]) -> NDArray[np.float64]:
    return np.stack([one.values for one in found])
