"""The report of a folder of runs: one page that opens without a network, and its numbers beside it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from attrs import astuple, frozen

from flowvae.folder.files import write_bytes
from flowvae.folder.plan_records import Plan, PlannedMetric
from flowvae.processes.dealt_out import dealt_out
from flowvae.report import number_format, plots
from flowvae.report.across import by_comparison, shift_findings, shifts
from flowvae.report.answers import answer
from flowvae.report.arm_costs import cost_tables
from flowvae.report.arm_styles import ArmStyle, looks_of
from flowvae.report.artefacts import COLUMNS, traces
from flowvae.report.beginnings import beginnings
from flowvae.report.blind import words as blind_words
from flowvae.report.blind.outcomes import blind
from flowvae.report.budget import budget_picture, still_moving
from flowvae.report.by_class import by_class, by_class_csv, left_out
from flowvae.report.collapse import collapses
from flowvae.report.comparison import Comparison, compare, values_by_seed
from flowvae.report.curves import PLAYERS, RIGHT, Curves, curve_keys
from flowvae.report.export import comparisons_json, scores_json, validations_csv
from flowvae.report.factors import effect_findings, effects
from flowvae.report.figure_style import Picture
from flowvae.report.findings import findings, said, steps_of
from flowvae.report.first_heard import evidence, first_heard
from flowvae.report.focus import told_apart
from flowvae.report.headline import headline
from flowvae.report.latent_bars import latent_bars
from flowvae.report.latent_map import latent_map
from flowvae.report.latent_words import topics
from flowvae.report.listening import MOST_BYTES, listening
from flowvae.report.loudness import MOST_LOWERED
from flowvae.report.phases import PHASE_COSTS, phase_costs, phases_said, second_players
from flowvae.report.planned_looks import looks_said
from flowvae.report.reading import Folder, read_folder
from flowvae.report.references import measured
from flowvae.report.rendering import WHOLE, rendered
from flowvae.report.spectrograms import shades
from flowvae.report.tables import (
    by_group,
    comparisons_csv,
    figure,
    metrics_of,
    own_interval,
    provenance,
    results_csv,
    table_tex,
)

PAGE_BYTES = 19_000_000  # of the 20 MB that most mail takes, without the words
MOST_COLUMNS = 6  # arms beside each other: with more of them, a screen of 1280 pixels cuts a table off
SCRIPTS = ("switching", "listen", "map", "scrolling")


@frozen
class Pictures:
    """The figures of the page; None where there is nothing to draw."""

    pairs: Picture | None
    budget: Picture | None
    costs: Picture | None
    curves: Picture | None
    parts: Picture | None
    players: Picture | None
    right: Picture | None
    artefacts: Picture | None
    artefact_curves: Picture | None
    latent: Picture | None
    latent_curves: Picture | None
    latent_bars: Picture | None

    @property
    def n_bytes(self) -> int:
        """What all of them take in the page."""
        return sum(len(p.address) + len(p.narrow) for p in astuple(self, recurse=False) if p)


def _curves_of(folder: Folder, metrics: list[PlannedMetric]) -> list[tuple[str, str]]:
    return [folder.over_steps(metric.name) for metric in metrics]


def _draw(folder: Folder, comparisons: tuple[Comparison, ...], styles: dict[str, ArmStyle]) -> Pictures:
    primary = folder.plan.primary
    artefacts = [m for m in metrics_of(folder) if m.family == "artefact"]
    latent = [m for m in metrics_of(folder) if m.family == "latent"]
    main = [("train", "loss"), *(_curves_of(folder, [primary]) if primary else [])]
    parts = [key for key in curve_keys(folder.runs, "train") if not key.startswith(RIGHT)]
    prices = [*dict.fromkeys(arm.price for arm in folder.plan.arms if arm.price)]
    shown_elsewhere = {"loss", "beta", *prices, *PLAYERS}
    prices_over_steps = [("train", price) for price in prices]
    curves = Curves.of(folder, styles)
    drawings: dict[str, Callable[[], Picture | None]] = {
        "pairs": partial(plots.pairs, folder, comparisons, styles),
        "budget": partial(budget_picture, folder, comparisons, styles),
        "costs": partial(plots.cost_against_quality, folder, styles),
        "curves": partial(curves.picture, main),
        "parts": partial(
            curves.picture, [("train", part) for part in parts if part not in shown_elsewhere][:9]
        ),
        "players": partial(curves.picture, [("train", key) for key in PLAYERS]),
        "right": partial(curves.right_answers, most=9),
        "artefacts": partial(plots.before_and_after, folder, styles, artefacts),
        "artefact_curves": partial(curves.picture, _curves_of(folder, artefacts)[:3]),
        "latent": partial(plots.before_and_after, folder, styles, latent),
        "latent_curves": partial(
            curves.picture, [*prices_over_steps, ("train", "beta"), *_curves_of(folder, latent)][:6]
        ),
        "latent_bars": partial(latent_bars, folder, styles),
    }
    return Pictures(**dict(zip(drawings, dealt_out([*drawings.values()]), strict=True)))


def _has_divergence(folder: Folder) -> bool:
    """Whether anything of the folder is told in nats; a posterior or a prior without density has no divergence."""
    of_metrics = any(m.unit == "nats" and values_by_seed(folder.runs, m.name) for m in metrics_of(folder))
    return of_metrics or "kl" in curve_keys(folder.runs, "train")


def _gradient() -> str:
    colours = [f"rgb({r},{g},{b})" for r, g, b in shades()[::7].tolist()]
    return f"linear-gradient(90deg,{','.join(colours)})"


def _view(folder: Folder, comparisons: tuple[Comparison, ...]) -> dict[str, Any]:
    """Everything that the page shows, under the names that the template uses."""
    plan = folder.plan
    focus = told_apart(folder)
    styles = looks_of(plan, focus)
    pictures = _draw(folder, comparisons, styles)
    players = second_players(folder)
    heard = listening(folder, min(MOST_BYTES, PAGE_BYTES - pictures.n_bytes))
    return {
        "folder": folder,
        "plan": plan,
        "styles": styles,
        "focus": focus,
        "chosen": _when_chosen(plan),
        "said": said,
        "looks": looks_said(plan),
        "headline": headline(folder, comparisons),
        "evidence": evidence(folder, comparisons),
        "findings": findings(folder, comparisons),
        "effects": effects(folder),
        "steps": steps_of(plan),
        "by_value": by_comparison(comparisons, shifts(folder, comparisons)) if plan.across else [],
        "measured": lambda metric: measured(folder, metric),
        "verdicts": {c.arm.name: c for c in comparisons if c.against.is_baseline},
        "other_pairs": [c for c in comparisons if not c.against.is_baseline],
        "figure": lambda arm, metric: figure(folder, arm, metric),
        "secondary": [metric for metric in metrics_of(folder) if metric != plan.primary],
        "cost_tables": cost_tables(folder),
        "own_interval": lambda arm, metric: own_interval(folder, arm, metric),
        "phase_costs": phase_costs(folder),
        "phase_cost_names": PHASE_COSTS,
        "phases": phases_said(folder),
        "players": players,
        "broken": any(player.from_step for player in players.values()),
        "beginnings": beginnings(folder),
        "provenance": provenance(plan),
        "groups": by_group(folder, plan.primary) if plan.primary else [],
        "classes": by_class(folder),
        "traces": traces(folder),
        "traces_columns": COLUMNS,
        "left_out_classes": left_out(folder),
        "pictures": pictures,
        "latent_topics": topics(folder),
        "map": latent_map(folder),
        "has_divergence": _has_divergence(folder),
        "listening": heard,
        "most_lowered": MOST_LOWERED,
        "most_columns": MOST_COLUMNS,
        "first_heard": first_heard(folder, comparisons, heard),
        "blind": blind(folder, comparisons),
        "blind_words": blind_words,
        "gradient": _gradient(),
        "n": number_format,
    }


def _when_chosen(plan: Plan) -> str:
    """When the primary metric was decided, by the ledger and not by what a plan should be."""
    changes = [entry for entry in plan.ledger[1:] if entry.what in {"metric", "direction"} and entry.finished]
    if plan.ledger and not changes:
        return "It was chosen before the first step."
    last = changes[-1].finished if changes else 0
    return f"It was changed after {number_format.count(last, 'run')} had finished." if changes else ""


def _put(path: Path, words: str) -> None:
    write_bytes(path, words.encode())


def write_report(folder: Path, say: Callable[[str], None] | None = None) -> Path:
    """Writes report.html, and beside it its numbers for other programs, into a folder of runs; gives the page's path.

    `say` hears the answers, in the words of the page.

    The same folder gives the same bytes. Errors: FileNotFoundError where there is no such folder.
    """
    found = read_folder(folder)
    comparisons = compare(found)
    page = rendered("page.html.j2", _view(found, comparisons), WHOLE, SCRIPTS)
    _put(folder / "results.csv", results_csv(found))
    _put(folder / "comparisons.csv", comparisons_csv(found, comparisons, shifts(found, comparisons)))
    _put(folder / "by_class.csv", by_class_csv(found))
    _put(folder / "table.tex", table_tex(found, comparisons))
    _put(folder / "validations.csv", validations_csv(found))
    write_bytes(folder / "comparisons.json", comparisons_json(found, comparisons))
    write_bytes(folder / "scores.json", scores_json(found))
    answers = blind(found, comparisons)
    if answers.outcomes:
        _put(folder / "listening.csv", blind_words.listening_csv(answers, found.plan.primary))
    _put(folder / "report.html", page)
    if say is not None:
        say(headline(found, comparisons))
        for comparison in comparisons:
            if found.plan.primary:
                say(f"  {answer(found, found.plan.primary, comparison).text}")
        for finding in (
            *effect_findings(found, effects(found)),
            *shift_findings(found.plan, shifts(found, comparisons)),
            *still_moving(found, comparisons),
            *collapses(found),
        ):
            say(f"  {finding.text}")
        for outcome in answers.outcomes:
            say(f"  {blind_words.meaning(outcome)}")
    return folder / "report.html"
