"""What other programs read beside the page: whole, in full, and under the keys that the schema describes."""

import csv
import io
import itertools
import json
import re

import numpy as np
import pytest
from attrs import evolve
from jsonschema import Draft7Validator

from flowvae.folder.plan_records import Plan
from flowvae.folder.run_records import Result
from flowvae.report.export import SCHEMA
from flowvae.report.reading import read_folder
from flowvae.report.write import write_report
from pretended_runs import BASE, METRICS, SOUNDS, WORSE, write_tree


@pytest.fixture
def written(runs):
    """Writes the report of a pretended tree, with classes; gives the folder and comparisons.json."""

    def write(values=(BASE, WORSE), **changes):
        folder = runs(list(values), **changes)
        for place in folder.glob("runs/*/*/result.json"):
            result = Result.read(place.parent)
            evolve(result, classes=("kick", "kick", "snare", "snare")).write(place.parent)
        write_report(folder)
        return folder, json.loads((folder / "comparisons.json").read_text())

    return write


def faults(content):
    return [error.message for error in Draft7Validator(json.loads(SCHEMA.read_text())).iter_errors(content)]


def crossed(folder):
    plan = Plan.read(folder)
    factors = {"a": ("one", "two"), "b": ("three", "four")}
    arms = tuple(
        evolve(
            arm, changes={k: v for (k, all_), v in zip(factors.items(), cell, strict=True) if v != all_[0]}
        )
        for arm, cell in zip(plan.arms, itertools.product(*factors.values()), strict=True)
    )
    evolve(plan, arms=arms, factors=factors).write(folder)


def test_the_schema_describes_all_that_is_written(written, runs):
    _, content = written()
    assert not faults(content)
    assert content["comparisons"][0]["classes"]["spectral_distance"]["kick"]

    assert faults({**content, "more": 1})


def test_a_crossed_ablation_and_one_without_a_figure_fit_the_schema_too(tmp_path):
    names = ("one-three", "one-four", "two-three", "two-four")
    folder = write_tree(tmp_path / "crossed", [BASE, WORSE, BASE, WORSE], names=names, n_clips=0)
    crossed(folder)
    write_report(folder)
    content = json.loads((folder / "comparisons.json").read_text())
    assert not faults(content)
    assert [effect["name"] for effect in content["effects"]] == [
        "two instead of one", "four instead of three", "two with four",
    ]  # fmt: skip
    assert content["effects"][1]["joint"]["p"] < content["effects"][0]["joint"]["p"]
    bare = write_tree(tmp_path / "bare", [[3.0], [3.1]], n_clips=0)
    for place in bare.glob("runs/*/*/result.json"):
        place.unlink()
    write_report(bare)
    content = json.loads((bare / "comparisons.json").read_text())
    assert not faults(content)
    assert content["comparisons"][0]["paired"] is None


def test_every_number_is_that_of_the_runs_to_the_bit(written):
    _, content = written()
    assert [list(arm["figures"]["spectral_distance"]["values"].values()) for arm in content["arms"]] == [
        BASE, WORSE,
    ]  # fmt: skip
    [comparison] = content["comparisons"]
    differences = list(comparison["paired"]["differences"].values())
    assert differences == [after - before for before, after in zip(BASE, WORSE, strict=True)]
    assert comparison["paired"]["mean"] == float(np.mean(differences))
    assert comparison["p_alone"]["p"] == comparison["joint"]["p"] == 2 / 64
    assert comparison["cost_ratios"]["macs_per_second"] == 1.1
    assert [step["step"] for step in comparison["steps"]] == [100, 200, 300, 400, 500]
    assert set(comparison["metrics"]) == {metric.name for metric in METRICS}


def test_the_share_on_a_limit_is_told(written):
    metrics = tuple(evolve(m, most=3.1) if m.name == "spectral_distance" else m for m in METRICS)
    _, content = written(metrics=metrics)
    figures = content["arms"][0]["figures"]["spectral_distance"]
    sounds = [value + 0.1 * i for value in BASE for i in range(4)]
    assert figures["censored"] == np.mean(np.array(sounds) >= 3.1)
    assert "lie on its limit" in content["comparisons"][0]["verdict"]["reason"]


def test_validations_are_a_row_a_figure(written):
    folder, _ = written()
    rows = list(csv.DictReader(io.StringIO((folder / "validations.csv").read_text())))
    assert len(rows) == 2 * 6 * 5 * 2
    [found] = [r for r in rows if (r["arm"], r["seed"], r["metric"], r["step"]) == ("snake", "2", "spectral_distance", "300")]  # fmt: skip
    [run] = [run for run in read_folder(folder).of("snake") if run.seed == 2]
    assert float(found["value"]) == dict(run.curve("validation", "metric/spectral_distance"))[300.0]


def test_scores_are_a_table_of_runs_and_sounds_for_each_arm(written):
    folder, _ = written()
    found = json.loads((folder / "scores.json").read_text())["metrics"]["spectral_distance"]
    scores = {arm: np.array(rows) for arm, rows in found["scores"].items()}
    assert {arm: rows.shape for arm, rows in scores.items()} == {"snake": (6, 4), "leaky_relu": (6, 4)}
    assert scores["leaky_relu"][:, 0].tolist() == WORSE
    assert found["sounds"] == SOUNDS
    assert found["seeds"]["snake"] == [0, 1, 2, 3, 4, 5]


def test_a_run_that_lacks_the_figure_of_a_sound_has_no_row(written):
    folder, _ = written()
    place = folder / "runs" / "snake" / "seed-1"
    result = Result.read(place)
    figure = result.metrics["spectral_distance"]
    lame = evolve(figure, per_sound=(None, *figure.per_sound[1:]))
    evolve(result, metrics={**result.metrics, "spectral_distance": lame}).write(place)
    write_report(folder)
    found = json.loads((folder / "scores.json").read_text())["metrics"]["spectral_distance"]
    assert found["seeds"]["snake"] == [0, 2, 3, 4, 5]
    assert len(found["scores"]["snake"]) == 5


def test_the_table_for_a_paper_escapes_what_tex_reads(written):
    folder, _ = written(names=("snake", "50%_of_$x^2&{y}#~\\z"))
    text = (folder / "table.tex").read_text()
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(body) == 3
    # Once commands are taken out, nothing is left that TeX would act on but the ends of cells and of mathematics.
    for line in body:
        rest = re.sub(r"\\(textbackslash|textasciicircum|textasciitilde)\{\}|\\[&%$#_{},]|\\\\$|\$-\$|\$\\pm\$|\$p\$", "", line)  # fmt: skip
        assert not re.search(r"[%$#_{}~^\\]", rest), rest
        assert rest.count("&") == 6
    assert text.isascii()


def test_the_page_names_the_files_beside_it(written):
    folder, _ = written()
    footer = (folder / "report.html").read_text().rpartition("<footer>")[2].partition("</footer>")[0]
    files = {p.name for p in folder.iterdir() if p.is_file()} - {"report.html", "plan.json"}
    assert files == set(re.findall(r"[\w.]+\.(?:csv|json|tex)", footer))
