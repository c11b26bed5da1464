"""What a second script works out from the files of the runs is what the report says, number by number."""

import json
import re

import numpy as np
import pytest
from attrs import evolve

from flowvae.folder.run_records import Result
from flowvae.report.write import write_report
from pretended_across import made_at_rates
from pretended_runs import BASE, METRICS, WORSE
from recompute import recompute
from tiers import swept

SOUNDS = 16


def with_classes(folder):
    """Gives each run figures of sounds of two classes and three groups, on two metrics, one of them with limits."""
    for place in folder.glob("runs/*/*/result.json"):
        result = Result.read(place.parent)
        rng = np.random.default_rng([result.seed, len(str(place.parent.parent.name))])
        figures = {
            name: evolve(figure, per_sound=tuple((figure.value + rng.normal(0, 1, SOUNDS)).tolist()))
            for name, figure in result.metrics.items()
            if name in {"spectral_distance", "si_sdr"}
        }
        evolve(
            result,
            metrics={**result.metrics, **figures},
            sounds=tuple(f"sound {i}" for i in range(SOUNDS)),
            classes=tuple(("kick", "snare")[i % 2] for i in range(SOUNDS)),
            targets={"tonal_artefact": 1.5 + 0.1 * rng.normal()},
            groups=tuple(f"kit {i % 3}" for i in range(SOUNDS)),
        ).write(place.parent)


@pytest.fixture
def written(runs):
    """Writes a report of four arms with so many seeds; one arm lacks a seed."""

    def write(n_seeds):
        rng = np.random.default_rng(1)
        base, worse = np.array(BASE), np.array(WORSE)
        values = [base, worse, base + rng.normal(0, 0.1, 6), worse - 0.9]
        metrics = tuple(evolve(m, most=4.0) if m.name == "si_sdr" else m for m in METRICS)
        names = ("snake", "leaky_relu", "elu", "selu")
        folder = runs([v[:n_seeds].tolist() for v in values], names=names, metrics=metrics)
        with_classes(folder)
        (folder / "runs" / "elu" / "seed-1" / "result.json").unlink()
        write_report(folder)
        return folder

    return write


@pytest.mark.parametrize("n_seeds", [2, 6])
def test_every_number_is_found_a_second_time(written, n_seeds):
    check = recompute(written(n_seeds))
    assert check.count > 500
    assert not check.wrong


def test_every_number_of_many_arms_is_found_too(runs):
    rng = np.random.default_rng(3)
    values = [(np.array(BASE[:3]) + rng.normal(0, 0.2, 3)).tolist() for _ in range(14)]
    folder = runs(values, names=[f"arm_{i}" for i in range(14)])
    with_classes(folder)
    write_report(folder)
    check = recompute(folder)
    assert check.count > 3000
    assert not check.wrong


@pytest.fixture
def across(tmp_path):
    """A report of two sides, each of which is better at a rate of its own, at three rates."""
    folder, _ = made_at_rates(tmp_path / "out", 6)
    with_classes(folder)
    write_report(folder)
    return folder


def test_every_number_of_an_ablation_across_values_is_found_too(across):
    assert len(json.loads((across / "comparisons.json").read_text())["own_best"]) == 1
    check = recompute(across)
    assert check.count > 1000
    assert not check.wrong


@pytest.mark.parametrize(
    ("part", "change"),
    swept(
        [
            ("own_best", lambda one: one["paired"].update(mean=one["paired"]["mean"] * 1.001)),
            ("own_best", lambda one: one["values"].reverse()),
            ("own_best", lambda one: one["chosen_on"].reverse()),
            ("shifts", lambda one: one["paired"]["interval"].reverse()),
            ("shifts", lambda one: one["joint"].update(p=one["joint"]["p"] / 2)),
        ],
        quick=2,
    ),
)
def test_a_wrong_number_across_values_is_found(across, part, change):
    file = across / "comparisons.json"
    content = json.loads(file.read_text())
    change(content[part][0])
    file.write_text(json.dumps(content))
    assert recompute(across).wrong


def test_a_wrong_choice_in_the_words_of_the_page_is_found(across):
    page = across / "report.html"
    words = page.read_text(encoding="utf-8")
    for right, wrong in (("elu at 1e-4", "elu at 3e-4"), ("chosen on 3 seeds", "chosen on 4 seeds")):
        assert right in words
        page.write_text(words.replace(right, wrong), encoding="utf-8")
        assert recompute(across).wrong


PARTS = ("paired", "joint", "p_alone", "classes", "figures", "costs", "cost_ratios", "groups")


def paths(content, path=()):
    """Where every number of a JSON file stands."""
    if isinstance(content, dict | list):
        for key, one in content.items() if isinstance(content, dict) else enumerate(content):
            yield from paths(one, (*path, key))
    elif isinstance(content, float):
        yield path


def test_a_number_that_is_wrong_is_found(written):
    folder = written(3)
    file, page = folder / "comparisons.json", folder / "report.html"
    right, words = file.read_text(), page.read_text()
    assert not recompute(folder).wrong
    for part in PARTS:
        content = json.loads(right)
        not_held = {"level", "reachable"}
        of_part = [path for path in paths(content) if part in path and not not_held & {*path}]
        *path, last = of_part[len(of_part) // 2]
        table = content
        for key in path:
            table = table[key]
        table[last] = table[last] * 1.001 + 1e-4
        file.write_text(json.dumps(content))
        assert recompute(folder).wrong, (part, path)
    file.write_text(right)
    for section in ("arms", "artefacts", "other", "classes"):
        place = re.compile(r"<td[^>]*>(\d\.\d\d)").search(words, words.index(f'<section id="{section}">'))
        digit = str((int(place[1][-1]) + 5) % 10)
        page.write_text(words[: place.end() - 1] + digit + words[place.end() :])
        assert recompute(folder).wrong, section
