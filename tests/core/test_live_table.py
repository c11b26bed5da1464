"""The live table in terminals of several sizes and makes, and into a pipe; each is what a program really wrote there."""

import subprocess
import sys

import pytest
from rich.cells import cell_len

from flowvae.ablation.run_table import run_table
from flowvae.ablation.standing import Watched, standing
from flowvae.folder.status import Status
from terminal import Screen, Terminal

# Runs that stand as their folders say: some done, some at work; it shows them, and waits until it is told to go on.
PROGRAM = """
import os, sys, time
from pathlib import Path
from flowvae.ablation import progress as module
from flowvae.ablation.standing import Watched
from flowvae.folder.status import Status
root, arms, seeds, looks = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
name = sys.argv[5] if len(sys.argv) > 5 else "arm"
module.LOOK_EVERY_S = module.PLAIN_EVERY_S = 0.0
runs = [Watched(f"{name}-{a}", s, root / f"{a}-{s}") for a in range(arms) for s in range(seeds)]
for i, run in enumerate(runs):
    run.folder.mkdir(exist_ok=True)
    if i % 3 == 0:
        Status(run.folder, 100).write("done", 100)
    if i % 3 == 1:
        said = {"phase": "adversarial", "loss": 1.5, "right": 0.6, "discriminator_loss": 2.0, "steps_per_second": 4.0}
        Status(run.folder, 100).write("running", 40, **said)
with module.Progress(runs, lambda line: print(line, flush=True)) as progress:
    for look in range(looks):
        if look == looks - 1:
            print(f"said {look}", flush=True)
        progress.poll([run.name for i, run in enumerate(runs) if i % 3 == 1][:4])
        time.sleep(float(os.environ.get("PAUSE", "0")))
print("end", flush=True)
"""


def command(place, arms, seeds=3, looks=1, *more):
    return [sys.executable, "-c", PROGRAM, str(place), *map(str, (arms, seeds, looks, *more))]


@pytest.fixture
def terminal():
    opened = []

    def start(*given, **more):
        opened.append(Terminal(*given, **more))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def seen(text, columns, rows):
    """What stands on the screen at the last look, before the table is taken away."""
    screen = Screen(columns, rows)
    looks = text.split("said ")
    screen.write(looks[0] + "said " + looks[1].split("\x1b[?25h")[0])
    return screen.lines


def test_arms_seeds_phase_and_time_left_stand_in_the_table(terminal, tmp_path):
    text = terminal(command(tmp_path, 2), columns=100).until("end")
    lines = seen(text, 100, 24)
    [head] = [line for line in lines if line.startswith("arm ")]
    assert head.split("  ")[0] == "arm"
    assert all(f"seed {seed}" in head for seed in range(3))
    assert [line.split() for line in lines if line.startswith("arm-0  ")] == [
        ["arm-0", "done", "40", "%", "-"]
    ]
    [run] = [line for line in lines if line.startswith("arm-1 seed 1")]
    assert run.split() == [
        "arm-1",
        "seed",
        "1",
        "40/100",
        "15",
        "s",
        "adversarial",
        "1.500",
        "4.0",
        "2.000",
        "60",
        "%",
    ]


def test_nothing_of_the_table_is_left_at_the_end_and_what_was_printed_stays(terminal, tmp_path):
    text = terminal(command(tmp_path, 4, 3, 3)).until("end")
    screen = Screen(80, 24)
    screen.write(text)
    assert [line for line in screen.lines if line.strip()] == ["said 2", "end"]


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (40, 12), (30, 8), (200, 60)])
def test_sixty_arms_fit_a_terminal_of_any_size_and_those_left_out_are_counted(
    columns, rows, terminal, tmp_path
):
    text = terminal(command(tmp_path, 60, 6, 2), columns=columns, rows=rows).until("end")
    lines = seen(text, columns, rows)
    table = lines[lines.index("said 1") + 1 :]
    assert len(table) <= rows
    assert all(cell_len(line) < columns for line in lines)
    assert any(line.startswith("and ") and "more arms" in line for line in lines)
    assert any("arm-0" in line for line in table)
    # A second look stands in the place of the first.
    assert sum(line.startswith("arm ") for line in lines) == 1


def test_a_resized_terminal_shows_one_table_in_its_new_width(terminal, tmp_path):
    one = terminal(command(tmp_path, 20, 3, 40), columns=120, rows=40, PAUSE="0.1")
    one.until("seed 2")
    one.resize(50, 15)
    text = one.until("end")
    # What was written after the terminal had been cleared is all there is to see.
    after = text[text.index("\x1b[2J") :]
    lines = seen(after, 50, 15)
    assert all(cell_len(line) < 50 for line in lines)
    assert sum(line.startswith("arm ") for line in lines[-15:]) == 1


def test_names_in_wide_characters_stand_in_their_columns_and_no_name_steers_the_table(terminal, tmp_path):
    text = terminal(command(tmp_path, 2, 3, 1, "太鼓[red]x[/red]"), columns=100).until("end")
    lines = seen(text, 100, 24)
    rows = [line for line in lines if line.startswith("太鼓[red]x[/red]-") and "seed" not in line]
    assert len(rows) == 2
    # Cells line up although their names take more columns than characters.
    [head] = [line for line in lines if line.startswith("arm ")]
    assert cell_len(rows[0][: rows[0].index("done")]) == cell_len(head[: head.index("seed 0")])


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"TERM": "unknown"}])
def test_a_terminal_that_cannot_move_its_cursor_gets_plain_lines(environment, terminal, tmp_path):
    text = terminal(command(tmp_path, 2, 3, 2), **environment).until("end")
    assert "\x1b" not in text
    assert "arm-0 seed 1 step 40 loss 1.500" in text


def test_no_colour_where_none_is_wanted(terminal, tmp_path):
    text = terminal(command(tmp_path, 2, 3, 2), NO_COLOR="1").until("end")
    assert "\x1b[?25l" in text
    assert not [piece for piece in text.split("\x1b[")[1:] if piece.lstrip("0123456789;").startswith("m")]


@pytest.mark.parametrize("forced", [{}, {"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"}])
def test_a_pipe_gets_plain_lines_whatever_the_environment_says(forced, tmp_path, monkeypatch):
    for name, value in forced.items():
        monkeypatch.setenv(name, value)
    done = subprocess.run(command(tmp_path, 2, 3, 2), capture_output=True, text=True, check=True)
    assert "\x1b" not in done.stdout
    assert "\r" not in done.stdout
    assert "arm-0 seed 1 step 40 loss 1.500" in done.stdout


def standings(place, arms, state="running"):
    found = []
    for arm in arms:
        run = Watched(arm, 0, place / arm)
        run.folder.mkdir()
        Status(run.folder, 100).write(state, 5)
        found.append(standing(run, 100))
    return found


def test_names_that_differ_at_their_end_stay_apart_in_a_narrow_terminal(tmp_path):
    names = [f"leaky_relu-slope-of-the-negative-side-{slope}" for slope in (0.01, 0.02)]
    lines = run_table(standings(tmp_path, names), 24, 24)
    assert all(
        any(line.startswith("leaky") and slope in line for line in lines) for slope in ("0.01", "0.02")
    )


def test_what_is_at_work_or_has_failed_is_shown_before_what_waits_and_what_is_done(tmp_path):
    found = standings(tmp_path, [f"done-{i}" for i in range(20)], "stopped")
    found += standings(tmp_path, ["late"], "running") + standings(tmp_path, ["broken"], "failed")
    lines = run_table(found, 80, 10)
    assert {line.split()[0] for line in lines if line} >= {"late", "broken"}
    assert "18 stopped" in "\n".join(lines)
    assert len(lines) <= 10
