"""What can be heard is called the worst, the median or the best of its class by the figures of all arms and seeds."""

import re

import numpy as np
import pytest
from attrs import evolve

from flowvae.folder.latents import Latents
from flowvae.folder.plan_records import Plan
from flowvae.folder.run_records import MeasuredFigure, Result
from flowvae.report import listening as listening_module
from flowvae.report.clip_ranks import Rank, chosen, ranks, rows_by_number, unheard
from flowvae.report.listening import listening
from flowvae.report.reading import read_folder
from flowvae.report.write import write_report
from pretended_runs import strike, write_sound

CLASSES = ("kick",) * 5 + ("snare",) * 4 + ("clap",)
ROWS = (3, 5, 0, 6, 9)
"""The rows that were written as audio, by their number."""


@pytest.fixture
def folder(runs):
    """Ten sounds, five of which were written; what a sound costs differs from arm to arm and from seed to seed."""
    folder = runs([[3.0, 3.1], [3.2, 3.3]], n_clips=len(ROWS))
    rng = np.random.default_rng(3)
    for place in sorted((folder / "runs").glob("*/seed-*")):
        figures = tuple((rng.permutation(10) + 10 * rng.random(10)).tolist())
        result = Result.read(place)
        value = result.metrics["spectral_distance"].value
        names = tuple(f"{kind}/drum-{i}" for i, kind in enumerate(CLASSES))
        metrics = {**result.metrics, "spectral_distance": MeasuredFigure(value, figures)}
        evolve(result, metrics=metrics, sounds=names, classes=CLASSES, groups=("a",) * 10).write(place)
        clips = np.full(10, -1)
        clips[list(ROWS)] = np.arange(len(ROWS))
        codes = rng.standard_normal((10, 4)).astype(np.float32)
        Latents(codes, codes, codes[0], codes, codes, clips).write(place)
    return folder


def by_hand(folder):
    """The rows of each class from the best to the worst, from the files alone."""
    arms = []
    for arm in sorted((folder / "runs").iterdir()):
        seeds = [Result.read(place).metrics["spectral_distance"].per_sound for place in arm.glob("seed-*")]
        arms.append([sum(column) / len(column) for column in zip(*seeds, strict=True)])
    means = [sum(column) / len(column) for column in zip(*arms, strict=True)]
    order = sorted(range(10), key=means.__getitem__)
    return {kind: [row for row in order if CLASSES[row] == kind] for kind in dict.fromkeys(CLASSES)}


def test_a_rank_is_that_of_the_mean_over_arms_and_seeds(folder):
    found, ordered = ranks(read_folder(folder)), by_hand(folder)
    for kind, rows in ordered.items():
        assert [found[row].place for row in rows] == list(range(1, len(rows) + 1))
        assert {found[row].of for row in rows} == {CLASSES.count(kind)}
    assert [found[row].end for row in ordered["kick"]] == ["best", "", "median", "", "worst"]
    assert [found[row].end for row in ordered["snare"]] == ["best", "median", "", "worst"]


def test_where_higher_is_better_the_highest_is_the_best(folder):
    before = ranks(read_folder(folder))
    plan = Plan.read(folder)
    metrics = tuple(evolve(m, direction="higher") if m.name == plan.metric else m for m in plan.metrics)
    evolve(plan, metrics=metrics).write(folder)
    after = ranks(read_folder(folder))
    assert all(before[row].place + after[row].place == before[row].of + 1 for row in before)


def test_each_row_of_the_page_says_its_place_and_what_was_not_written_is_told(folder):
    content, page = read_folder(folder), write_report(folder).read_text()
    found = ranks(content)
    assert rows_by_number(content) == dict(enumerate(ROWS))
    titles = [f"drum-{i}" for i in range(len(ROWS))]
    for title, row in zip(titles, ROWS, strict=True):
        lane = re.search(rf'data-clip="{title}">\s*<h3>(.*?)</h3>', page, re.DOTALL)[1]
        assert found[row].words in lane
    missing = unheard(found, rows_by_number(content), range(len(ROWS)))
    kicks = by_hand(folder)["kick"]
    ends = [
        end
        for end, row in (("worst", kicks[-1]), ("median", kicks[2]), ("best", kicks[0]))
        if row not in ROWS
    ]
    assert f"kick: {', '.join(ends)}" in missing
    assert missing in page


def test_a_sound_without_a_figure_in_one_run_has_no_rank(folder):
    place = folder / "runs/snake/seed-0"
    result = Result.read(place)
    figures = list(result.metrics["spectral_distance"].per_sound)
    figures[0] = None
    metrics = {**result.metrics, "spectral_distance": MeasuredFigure(None, tuple(figures))}
    evolve(result, metrics=metrics).write(place)
    found = ranks(read_folder(folder))
    assert 0 not in found
    assert found[1].of == 4


def test_where_not_all_have_room_each_class_is_heard_at_its_median_then_its_worst_then_its_best():
    places = {"kick": (1, 2, 3, 4, 5), "snare": (5, 4, 3, 2, 1)}
    found = [Rank(kind, place, 5) for kind, all_places in places.items() for place in all_places]
    by_number = dict(enumerate(found))
    heard = [[found[i] for i in chosen(range(10), by_number, most)] for most in (2, 4, 6)]
    assert [{(rank.kind, rank.end) for rank in some} for some in heard] == [
        {(kind, end) for kind in places for end in ends}
        for ends in (["median"], ["median", "worst"], ["median", "worst", "best"])
    ]
    assert chosen(range(10), by_number, 7)[:1] == [0]
    assert chosen([3, 5], {}, 8) == [3, 5]


def test_more_sounds_than_have_room_are_chosen_by_that_rule(folder):
    """All ten were written: the page shows eight, and of each class with three sounds its three."""
    for place in (folder / "runs").glob("*/seed-*"):
        for i in range(10):
            for where in ("target", "step-000000500"):
                write_sound(place / f"audio/{where}/{i:02d}-drum-{i}.wav", strike(100 + i, 0.05, 0.2, i))
        latents = Latents.read_if_there(place)
        evolve(latents, clips=np.arange(10)).write(place)
    content = read_folder(folder)
    shown = {int(row.title.rpartition("-")[2]) for row in listening(content).rows}
    assert len(shown) == 8
    ends = {row for row, rank in ranks(content).items() if rank.end}
    assert ends <= shown


def write_after_the_last_step(place, numbers):
    for i in numbers:
        for where in ("final", "final/target"):
            write_sound(place / f"audio/{where}/{i:02d}-drum-{i}.wav", strike(100 + i, 0.05, 0.2, i))


def shown_in(folder):
    return {int(row.title.rpartition("-")[2]): row for row in listening(folder).rows}


def test_what_was_written_after_the_last_step_is_chosen_from_too(folder):
    """The examples are the sounds 0 to 4; with the others each class has its worst, its median and its best."""
    before = listening(read_folder(folder))
    assert len(before.rows) == 5
    assert before.unheard
    for place in (folder / "runs").glob("*/seed-*"):
        write_after_the_last_step(place, range(5, 10))
        evolve(Latents.read_if_there(place), clips=np.arange(10)).write(place)
    content = read_folder(folder)
    rows = shown_in(content)
    ends = {row for row, rank in ranks(content).items() if rank.end}
    assert ends <= {*rows}
    assert {row.rank for i, row in rows.items() if i in ends} == {ranks(content)[i].words for i in ends}
    assert all(len(cell.takes) == 2 for row in rows.values() for cell in row.cells)
    found = listening(content)
    assert (found.unheard, found.n_clips_found, len(found.rows)) == ("", 10, 8)


def test_a_sound_that_an_arm_has_not_written_is_not_chosen(folder):
    """The runs of one arm are from before: a row with nothing from it compares nothing."""
    for place in (folder / "runs/snake").glob("seed-*"):
        write_after_the_last_step(place, range(5, 10))
        evolve(Latents.read_if_there(place), clips=np.arange(10)).write(place)
    rows = shown_in(read_folder(folder))
    assert {*rows} == {0, 1, 2, 3, 4}
    assert all(cell.takes for row in rows.values() for cell in row.cells)


def test_where_runs_are_few_the_worst_the_median_and_the_best_of_every_class_are_heard(runs, monkeypatch):
    folder = runs([[3.0]], names=("snake",), n_clips=16)
    [place] = (folder / "runs").glob("*/seed-*")
    kinds = ("kick", "snare", "hat", "tom") * 4
    result = Result.read(place)
    metrics = {**result.metrics, "spectral_distance": MeasuredFigure(3.0, tuple(map(float, range(16))))}
    names = tuple(f"{kind}-{i}" for i, kind in enumerate(kinds))
    evolve(result, metrics=metrics, sounds=names, classes=kinds, groups=("a",) * 16).write(place)
    codes = np.ones((16, 4), dtype=np.float32)
    Latents(codes, codes, codes[0], codes, codes, np.arange(16)).write(place)
    found = read_folder(folder)
    ends = {row for row, rank in ranks(found).items() if rank.end}
    assert len(ends) == 12
    assert {*shown_in(found)} == ends
    monkeypatch.setattr(listening_module, "MOST_TAKES", 20)
    assert len(shown_in(found)) == 10
    monkeypatch.setattr(listening_module, "MOST_TAKES", 0)
    assert len(shown_in(found)) == 8
