"""What a page says of discriminators, phases and beginnings, on a folder that the engine wrote.

Where a test needs a training that went wrong in a way that a tiny one does not, it changes rows that the engine wrote.
"""

import csv
import io
import json
import shutil
from itertools import combinations

import pytest
from attrs import evolve

from flowvae.folder.run_records import Order, OtherRun, Result, Started
from flowvae.report import curves as curves_module
from flowvae.report import plots, write
from flowvae.report.arm_costs import TRAINING, cost_tables
from flowvae.report.arm_styles import arm_styles
from flowvae.report.axis_numbers import number_axes
from flowvae.report.beginnings import beginnings, differing_beginnings
from flowvae.report.collapse import FEWEST_ROWS, collapses
from flowvae.report.comparison import compare
from flowvae.report.curves import PLAYERS, Curves
from flowvae.report.figure_style import Picture, _stack, panels
from flowvae.report.findings import findings
from flowvae.report.number_format import NOTHING
from flowvae.report.phases import phase_costs, phases_said, second_players
from flowvae.report.reading import read_folder
from flowvae.report.write import _draw as draw
from flowvae.report.write import write_report

OPPOSED = {"hinge": 2, "least_squares": 6}
"""The arms with discriminators, and the step before their phase."""
RIGHT = "discriminator/right/multi_period"
LOSS = "discriminator/loss/multi_period"


@pytest.fixture
def folder(opposed):
    return read_folder(opposed[0])


@pytest.fixture
def copied(opposed, tmp_path):
    """The same in a place where it may be changed."""
    return shutil.copytree(opposed[0], tmp_path / "copied")


@pytest.fixture
def shown(folder):
    return Curves.of(folder, arm_styles([arm.name for arm in folder.plan.arms]))


def page_of(folder):
    return " ".join(write_report(folder).read_text(encoding="utf-8").split())


def lines_of(shown, phase, key):
    """The curves of a panel: the arm and the steps of each."""
    arm_of = {style.colour: arm for arm, style in shown.styles.items()}
    with panels(1, 2.0) as (_, (axis,)):
        shown._draw(axis, phase, key)
        return [
            (arm_of[line.get_color()], [float(x) for x in line.get_xdata()])
            for line in axis.lines
            if line.get_transform() == axis.transData and line.get_color() in arm_of
        ]


def figure_of(monkeypatch, draw, *, stack=False):
    """A figure as it is when it becomes a picture, and its words."""
    kept = []

    def keep(figure, words):
        for axis in figure.axes:
            number_axes(axis)
        if stack:
            _stack(figure)
        figure.draw_without_rendering()
        kept.append((figure, words))

    monkeypatch.setattr(curves_module, "picture", keep)
    draw()
    return kept[0]


def texts_of(axis):
    found = [axis.title, axis._left_title, *axis.texts]
    return [text for text in found if text.get_text()]


@pytest.mark.parametrize("key", ["loss", "grad_norm"])
def test_nothing_joins_a_training_curve_before_and_after_the_phase_begins(shown, key):
    lines = lines_of(shown, "train", key)
    for arm, begin in OPPOSED.items():
        own = [steps for name, steps in lines if name == arm]
        assert any(max(steps) == begin for steps in own)
        assert any(min(steps) == begin + 1 for steps in own)
        assert all(max(steps) <= begin or min(steps) > begin for steps in own)
    whole = [steps for name, steps in lines if name == "baseline"]
    assert whole == [[float(step) for step in range(1, 15)]] * 2


def test_what_is_measured_on_held_out_sounds_stays_one_curve(shown):
    lines = lines_of(shown, "validation", "metric/spectral_distance")
    assert {tuple(steps) for _, steps in lines} == {(0.0, 14.0)}
    assert {arm for arm, _ in lines} == set(shown.styles)


@pytest.mark.parametrize("key", [*PLAYERS, RIGHT])
def test_arms_without_discriminators_are_in_no_curve_of_theirs(shown, key):
    assert {arm for arm, _ in lines_of(shown, "train", key)} == set(OPPOSED)


def test_every_curve_of_a_training_names_the_phase_where_it_begins(shown, monkeypatch):
    wanted = [("train", key) for key in ("loss", "lr", "discriminator/loss", "adversarial")]
    figure, _ = figure_of(monkeypatch, lambda: shown.picture(wanted))
    assert len(figure.axes) == 4
    for axis in figure.axes:
        assert [text.get_text() for text in axis.texts] == ["adversarial"] * 2
        marks = {float(line.get_xdata()[0]) for line in axis.lines if line.get_transform() != axis.transData}
        assert marks == {2.0, 6.0}
    assert len({axis.get_xlim() for axis in figure.axes}) == 1


def test_no_phase_is_marked_where_no_arm_has_two_players(folder, shown, monkeypatch):
    alone = evolve(shown, players={})
    figure, _ = figure_of(monkeypatch, lambda: alone.picture([("train", "loss")]))
    assert not figure.axes[0].texts


@pytest.mark.parametrize("stack", [False, True])
def test_the_name_of_a_phase_and_the_title_of_a_panel_do_not_overlap(shown, monkeypatch, stack):
    wanted = [("train", "loss"), *(("train", key) for key in PLAYERS)]
    for make in (lambda: shown.picture(wanted), lambda: shown.right_answers(9)):
        figure, _ = figure_of(monkeypatch, make, stack=stack)
        boxes = [
            [t.get_window_extent() for t in texts_of(axis)] for axis in figure.axes if axis.get_visible()
        ]
        assert all(len(of_panel) >= 2 for of_panel in boxes)
        assert not [(a, b) for of_panel in boxes for a, b in combinations(of_panel, 2) if a.overlaps(b)]


def test_right_answers_stand_on_one_scale_with_guessing_and_always_marked(shown, monkeypatch):
    figure, words = figure_of(monkeypatch, lambda: shown.right_answers(9))
    assert [axis.get_title(loc="left") for axis in figure.axes] == [
        "right answers, multi_period",
        "right answers, multi_resolution",
    ]
    assert "multi_period, multi_resolution" in words
    named = [[t.get_text() for t in axis.get_yticklabels()] for axis in figure.axes]
    assert named[0] == ["0", "guesses 0.5", "always 1"]
    assert not any(named[1])
    for axis in figure.axes:
        assert axis.get_ylim() == (-0.05, 1.05)
        levels = {
            float(line.get_ydata()[0])
            for line in axis.lines
            if list(line.get_ydata()) in ([0.5] * 2, [1.0] * 2)
        }
        assert levels >= {0.5, 1.0}


def test_the_figures_of_discriminators_are_drawn_once_and_apart_from_those_of_the_model(
    folder, shown, monkeypatch
):
    for module in (curves_module, plots):
        monkeypatch.setattr(module, "picture", lambda _, words: Picture("", "", words))
    drawn = draw(folder, compare(folder), dict(shown.styles))
    assert all(key in drawn.players.words for key in PLAYERS)
    assert "multi_resolution" in drawn.right.words
    assert "discriminator/grad_norm" in drawn.parts.words
    assert not [key for key in (*PLAYERS, "right") if key in drawn.parts.words.split(", ")]


def test_the_page_has_a_section_of_two_players_where_an_arm_has_them(copied, runs, monkeypatch):
    figures = {name: Picture(f"data:,{name}", "data:,", name) for name in ("curves", "players", "right")}
    drawn = evolve(write._draw(), **figures)
    monkeypatch.setattr(write, "_draw", lambda *_: drawn)
    page = page_of(copied)
    assert 'id="players"' in page
    assert "so it leaps" in page
    assert (
        page.index('src="data:,curves"') < page.index('src="data:,players"') < page.index('src="data:,right"')
    )
    plain = page_of(runs([[3.0, 3.1], [3.2, 3.3]]))
    assert "A thin line is one seed" in plain
    for words in (
        "data:,players",
        'id="players"',
        "so it leaps",
        "Cost by phase",
        "discriminators",
        "began with",
    ):
        assert words not in plain


def test_the_table_of_costs_tells_the_weights_of_discriminators(folder, opposed):
    table = cost_tables(folder)[0]
    words, cells = table.names, table.cells
    column = words.index("parameters of discriminators")
    measured = Result.read(opposed[0] / "runs/hinge/seed-0").costs["discriminator_parameters"]
    assert cells["hinge"][column].value == next(c for c in TRAINING if c.words == words[column]).write(
        measured
    )
    assert cells["baseline"][column].value == NOTHING
    assert measured > 1000


def test_costs_are_told_phase_by_phase_for_the_arms_that_have_phases(folder, opposed):
    rows = {(row.arm, row.phase): [value for value, _ in row.cells] for row in phase_costs(folder)}
    phases = ("representation", "adversarial")
    assert [*rows] == [(arm, phase) for arm in OPPOSED for phase in phases]
    assert all(cell not in {NOTHING, "0"} for cells in rows.values() for cell in cells)
    arms = json.loads((opposed[0] / "arms.json").read_text())["arms"]
    macs = arms["hinge"]["probed"]["phases"]["adversarial"]["macs"]
    assert rows["hinge", "adversarial"][0] == f"{macs / 1e6:.1f}\N{NARROW NO-BREAK SPACE}M"
    seconds = Result.read(opposed[0] / "runs/hinge/seed-0").costs["seconds_per_step/adversarial"]
    assert float(rows["hinge", "adversarial"][1]) == pytest.approx(seconds, rel=0.01)


def test_a_baseline_with_phases_is_what_the_phases_of_others_are_compared_with(folder):
    arms = tuple(evolve(arm, is_baseline=arm.name == "hinge") for arm in folder.plan.arms)
    rows = phase_costs(evolve(folder, plan=evolve(folder.plan, arms=arms)))
    changes = {row.arm: [change for _, change in row.cells] for row in rows}
    assert not any(changes["hinge"])
    assert all(changes["least_squares"])


def test_costs_and_phases_are_on_the_page(copied):
    page = page_of(copied)
    assert "parameters of discriminators" in page
    assert page.index("Cost by phase") < page.index("multiply-adds of a step for each sound")
    assert "<dt>phases of hinge</dt>" in page
    assert (
        "representation to step 2, then adversarial to step 14; frozen: model.encoder, model.posterior; discriminators: "
        "multi_period, multi_resolution; discriminators hear 1024 of 4096 samples" in page
    )


def test_phases_are_told_as_they_are(folder):
    said = dict(phases_said(folder))
    assert said["baseline"] == "one phase, without a second player"
    player = second_players(folder)["hinge"]
    alone = evolve(
        player,
        phases=("adversarial",),
        leaves={
            **player.leaves,
            "adversarial.freeze": [],
            "adversarial.hears_samples": None,
            "adversarial.discriminator_every": 3,
        },
    )
    assert alone.said == (
        "adversarial to step 14; discriminators: multi_period, multi_resolution; they move at one step of 3"
    )
    fitted = evolve(
        alone, phases=("adversarial", "prior_fit"), leaves={**alone.leaves, "prior_fit.from_step": 9}
    )
    assert fitted.said.startswith("adversarial to step 9, then prior_fit to step 14; discriminators: ")


def of_arm(found, arm):
    return [
        finding.text
        for finding in found
        if arm in finding.text.split(" in ")[0] or f"In {arm} " in finding.text
    ]


def test_discriminators_that_were_not_moved_are_said_to_guess_and_not_to_count(folder, opposed):
    told = of_arm(collapses(folder), "least_squares")
    assert [text.split(" of ")[0] for text in told[:2]] == ["multi_period", "multi_resolution"]
    for text in told[:2]:
        assert "least_squares learns nothing in 1 of 1 seed: a share of 0.500" in text
        assert "a higher adversarial.optimizer.lr" in text
    assert "the discriminators hardly count. To try: a higher adversarial.weight" in told[2]
    # The same words on the page and in the terminal.
    page = [finding.text for finding in findings(folder, compare(folder))]
    for text in told:
        assert text in page
        assert f"  {text}" in opposed[1]


def changed(folder, arm, change):
    """The folder with other figures in the rows of an arm's second phase, over two seeds, of which the first stays."""
    (run,) = folder.of(arm)
    rows = [row for row in run.rows if row.phase == "train" and row.step > OPPOSED[arm]]
    other = evolve(
        run, seed=1, rows=tuple(evolve(r, figures=change(i, r.figures)) for i, r in enumerate(rows))
    )
    return evolve(folder, runs=(*folder.runs, other))


def test_a_discriminator_that_is_always_right_is_told_with_the_seeds_that_show_it(folder):
    found = collapses(changed(folder, "hinge", lambda i, f: {**f, RIGHT: 0.99 if i >= 9 else 0.6}))
    (text,) = [f.text for f in found if "always right" in f.text]
    assert text.startswith(
        "multi_period of hinge is always right in 1 of 2 seeds: a share of 0.990 of its answers"
    )
    assert "lower adversarial.optimizer.lr" in text
    assert "smaller adversarial.discriminators.multi_period.width" in text
    nearly = changed(folder, "hinge", lambda i, f: {**f, RIGHT: 0.97})
    assert not [f for f in collapses(nearly) if "always right" in f.text]


def test_a_discriminator_that_once_had_learned_is_not_said_to_guess(folder):
    def deceived(i, figures):
        return {**figures, RIGHT: 0.51, LOSS: (2.0, 1.4, 1.5, 1.9)[i // 3]}

    (text,) = [
        f.text
        for f in collapses(changed(folder, "hinge", deceived))
        if "multi_period of hinge learns" in f.text
    ]
    assert "in 1 of 2 seeds" in text  # the one that the engine trained


@pytest.mark.parametrize(
    ("ratio", "words"),
    [(250.0, "the losses hardly count"), (99.0, ""), (0.011, ""), (0.004, "the discriminators")],
)
def test_a_pull_beyond_a_hundred_to_one_is_told(folder, ratio, words):
    found = changed(folder, "hinge", lambda _, f: {**f, "pull_ratio": ratio})
    told = [f.text for f in collapses(evolve(found, runs=found.runs[-1:])) if "In hinge" in f.text]
    assert len(told) == bool(words)
    assert all(words in text for text in told)


def test_pulls_that_a_component_balances_are_not_blamed(folder):
    found = changed(folder, "hinge", lambda _, f: {**f, "pull_ratio": 1e6})
    entry = found.arms["hinge"]
    leaves = {**entry.leaves, "adversarial.balance.use": "gradient"}
    balanced = evolve(found, arms={**found.arms, "hinge": evolve(entry, leaves=leaves)})
    assert [f for f in collapses(found) if "losses hardly" in f.text]
    assert not [f for f in collapses(balanced) if "In hinge" in f.text]


@pytest.mark.parametrize("n", [0, FEWEST_ROWS - 1, FEWEST_ROWS])
def test_a_short_phase_says_nothing(folder, n):
    (run,) = folder.of("least_squares")
    short = evolve(run, rows=tuple(row for row in run.rows if row.step <= 6 + n))
    assert len(collapses(evolve(folder, runs=(short,)))) == (3 if n == FEWEST_ROWS else 0)


def test_a_run_that_goes_on_is_not_judged(folder):
    (run,) = folder.of("least_squares")
    running = evolve(run, result=None, status=evolve(run.status, state="running"))
    assert not collapses(evolve(folder, runs=(running,)))


def test_what_a_run_began_with_is_told_with_the_run_that_it_is_from(folder, opposed):
    started = Started.read(opposed[0] / "runs/hinge/seed-0")
    assert started.run == OtherRun("plain", "plain", 0, 2)
    told = {beginning.arm: beginning for beginning in beginnings(folder)}
    n = len(started.taken)
    assert (
        told["hinge"].said
        == f"weights of plain at step 2 (seed 0): {n} taken, none begun anew, none left there"
    )
    assert [part.names for part in told["hinge"].lists] == [started.taken]
    assert told["hinge"].lists[0].is_long


def test_the_names_of_weights_are_on_the_page_and_long_lists_folded(copied):
    started = Started.read(copied / "runs/hinge/seed-0")
    evolve(started, new=("model.prior.a", "model.prior.b")).write(copied / "runs/hinge/seed-0")
    page = page_of(copied)
    assert f"<details><summary>taken</summary><code>{', '.join(started.taken)}</code></details>" in page
    assert "; begun anew: <code>model.prior.a, model.prior.b</code>" in page


def test_arms_that_begin_differently_are_said_to(folder, opposed):
    (asked,) = differing_beginnings(folder)
    assert (asked.tone, "as the plan asks" in asked.text) == ("fact", True)
    n = len(Started.read(opposed[0] / "runs/take-model.decoder/seed-0").taken)
    assert 0 < n < len(Started.read(opposed[0] / "runs/baseline/seed-0").taken)
    assert f"take-model.decoder, weights of plain at step 2 (seed 0): {n} taken" in asked.text
    assert asked in findings(folder, compare(folder))
    unasked = evolve(folder, plan=evolve(folder.plan, axes=("adversarial",)))
    assert differing_beginnings(unasked)[0].tone == "caution"
    alike = tuple(arm for arm in folder.plan.arms if arm.name != "take-model.decoder")
    assert not differing_beginnings(evolve(folder, plan=evolve(folder.plan, arms=alike)))


def test_an_arm_that_begins_with_nothing_beside_others_is_said_to(folder):
    entry = folder.arms["baseline"]
    leaves = {path: value for path, value in entry.leaves.items() if not path.startswith("start.")}
    runs = tuple(evolve(run, started=None) if run.arm == "baseline" else run for run in folder.runs)
    anew = evolve(folder, runs=runs, arms={**folder.arms, "baseline": evolve(entry, leaves=leaves)})
    assert beginnings(anew)[0].said == "all weights begin anew"
    assert "baseline, all weights begin anew" in differing_beginnings(anew)[0].text


def test_tables_beside_the_page_stay_whole(copied):
    write_report(copied)
    rows = list(csv.DictReader(io.StringIO((copied / "results.csv").read_text())))
    plan = read_folder(copied).plan
    assert [(row["arm"], row["metric"]) for row in rows] == [
        (arm.name, metric.name) for arm in plan.arms for metric in plan.metrics
    ]
    table = (copied / "table.tex").read_text().splitlines()
    cells = [line.count(" & ") for line in table if line.endswith("\\\\")]
    assert cells == [6] * (1 + len(plan.arms))
    assert all("156\\,k" in line for line in table if line.startswith(("hinge", "baseline")))


@pytest.mark.parametrize("file", ["arms.json", "runs/hinge/seed-0/start.json"])
def test_a_damaged_file_of_them_is_named_and_stops_nothing(copied, file):
    (copied / file).write_text("[]")
    assert f"{file}: " in page_of(copied)


def test_folders_from_before_runs_told_what_they_begin_with_are_read(copied):
    run = copied / "runs/hinge/seed-0"
    n = len(Started.read(run).taken)
    for record, key in ((Order, "begins_with"), (Started, "run")):
        content = json.loads((run / record.file).read_text())
        del content[key]
        (run / record.file).write_text(json.dumps(content))
        assert getattr(record.read(run), key) is None
    told = {beginning.arm: beginning.said for beginning in beginnings(read_folder(copied))}
    assert told["hinge"].startswith(f"weights of another run: {n} taken")
