"""Several folders on one page: read from what the engine made, and paired only where runs are pairs."""

import html
import json
import re
import shutil

import pytest

from conftest import TINY
from flowvae.ablation.drive import run_recipe
from flowvae.cli.main import main
from flowvae.folder.run_records import Result
from flowvae.folder.status import Status
from flowvae.recipe import read_recipe
from flowvae.report.several import read_several
from flowvae.statistics.paired import pair

pytestmark = pytest.mark.slow
FEW = (*TINY, "train.steps=2", "evaluation.every=2", "train.checkpoint_every=2")


@pytest.fixture(scope="module")
def made(tmp_path_factory, catalogue):
    """An ablation, another one over the same base, and single runs that are no pair of either; nobody changes them."""
    root = tmp_path_factory.mktemp("several")

    def make(name, recipe, *settings):
        source = read_recipe(recipe, (*FEW, *settings))
        run_recipe(source, root / name, lambda _: None, catalogue)

    make("activations", "ablation_snake", "ablation.seeds=2")
    make("upsamplers", "ablation_upsampler", "ablation.seeds=2")
    make("longer", "percussion_small", "train.steps=3", "evaluation.every=3")
    make("others", "percussion_small", 'data={ use = "synthetic_percussion", n_sounds = 49 }')
    make("later", "percussion_small", "seed=7")
    make("measured", "percussion_small", "evaluation.metrics.spectral_distance.floor=0.01")
    return root


def report(*arguments):
    return main(["report", *map(str, arguments)])


def words(page):
    """The page's text as one reads it."""
    text = re.sub(r"<style>.*?</style>", "", page.read_text(), flags=re.DOTALL)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text.replace("<wbr>", ""))))


def the_run(folder):
    [run] = folder.glob("runs/*/seed-*")
    return run


def test_arms_of_other_ablations_are_paired_seed_by_seed_where_all_agrees(
    made, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert report(made / "activations", made / "upsamplers") == 0
    [page] = tmp_path.iterdir()
    assert page.name == "compared-activations-upsamplers.html"
    assert "3 of 3 can be paired with activations: snake on spectral_distance" in capsys.readouterr().out
    found = read_several([made / "activations", made / "upsamplers"])
    assert [group.name.partition(":")[0] for group in found.groups] == ["activations"] * 2 + [
        "upsamplers"
    ] * 2
    baseline = made / "activations/runs/snake"
    for one in found.beside:
        runs = [kept.run.folder for kept in one.group.runs]
        figures = [
            {seed: Result.read(folder).metrics["spectral_distance"].value for seed, folder in enumerate(side)}
            for side in ([baseline / "seed-0", baseline / "seed-1"], runs)
        ]
        assert one.paired == pair(*figures)
        assert one.paired.seeds == (0, 1)
    said = words(page)
    assert "None of these was planned as a comparison, so none gets a verdict." in said
    assert "2 pairs, seeds 0, 1" in said
    assert "better</" not in page.read_text().replace("is better</small>", "")


NO_PAIR = {
    "longer": "the budget is another one: steps 2 and 3",
    "others": "the sounds are others: fingerprint ",
    "later": "no seed has a figure of spectral_distance in both: 0, 1; and 7",
    "measured": "spectral_distance is measured in another way",
}


@pytest.mark.parametrize("name", NO_PAIR)
def test_where_runs_are_no_pair_figures_stand_side_by_side_and_the_page_says_why(name, made, tmp_path):
    page = tmp_path / "page.html"
    assert report(made / "activations", the_run(made / name), "--out", page) == 0
    said = words(page)
    assert f"No paired difference is taken: {NO_PAIR[name]}" in said
    value = Result.read(the_run(made / name)).metrics["spectral_distance"].value
    assert f"{value:.3g}"[:3] in said
    [_, last] = read_several([made / "activations", the_run(made / name)]).beside
    assert last.paired is None


CHANGED = {
    "versions": (
        "environment.json",
        lambda s: s["distributions"].update(torch="9"),
        "the random streams may differ: torch ",
    ),
    "metric": (
        "environment.json",
        lambda s: s["components"]["metric flowvae:spectral_distance"].update(source="00"),
        "the code of spectral_distance is another one",
    ),
    "threads": ("result.json", lambda s: s.update(threads=8), "the number of threads differs: 1 and 8"),
    "measured": (
        "result.json",
        lambda s: s.update(sounds=s["sounds"][::-1]),
        "other sounds of those held out",
    ),
    "exact": ("status.json", lambda s: s.update(exact=False), "not to the same bits"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_each_thing_that_makes_a_pair_is_looked_at(name, made, tmp_path):
    shutil.copytree(made / "upsamplers", tmp_path / "c")
    file, change, why = CHANGED[name]
    for path in (tmp_path / "c").glob(f"runs/*/seed-1/{file}"):
        said = json.loads(path.read_text())
        change(said)
        path.write_text(json.dumps(said))
    found = read_several([made / "activations", tmp_path / "c"])
    told = {one.group.name: one for one in found.beside}
    # One of two seeds is no pair: of the other alone nothing is taken either.
    assert all(one.paired is None for label, one in told.items() if label.startswith("c:"))
    assert all(why in "; ".join(one.reasons) for label, one in told.items() if label.startswith("c:"))
    assert told["activations: leaky_relu"].paired


def test_another_split_of_the_same_sounds_is_no_pair(made, tmp_path):
    shutil.copytree(made / "upsamplers", tmp_path / "c")
    [path] = (tmp_path / "c").glob("data/*/clips.json")
    said = json.loads(path.read_text())
    for clip in said["clips"]:
        clip["held_out"] = not clip["held_out"]
    path.write_text(json.dumps(said))
    [*_, last] = read_several([made / "activations", tmp_path / "c"]).beside
    assert last.reasons == ("the sounds are split or cut in another way",)
    path.unlink()
    [*_, last] = read_several([made / "activations", tmp_path / "c"]).beside
    assert "nobody can say whether they are the same" in last.reasons[0]


def test_a_seed_that_has_lost_its_figure_is_told_and_a_run_is_no_pair_of_itself(made, tmp_path):
    shutil.copytree(made / "upsamplers", tmp_path / "c")
    for path in (tmp_path / "c").glob("runs/*/seed-1"):
        Status(path, 2).write("failed", 1, reason="loss is nan")
    page = tmp_path / "page.html"
    assert report(made / "activations", tmp_path / "c", "--out", page) == 0
    assert words(page).count("1 pair, seed 0; without a figure on one side: seed 1") == 2
    [_, same] = read_several([made / "activations", made / "activations/runs/snake/seed-0"]).beside
    assert same.reasons == ("it is the same run, named twice",)


def test_a_page_is_made_again_and_a_foreign_file_is_never_written_over(made, tmp_path, capsys):
    page = tmp_path / "mine.html"
    assert report(made / "activations", made / "later", "--out", page) == 0
    first = page.read_bytes()
    assert report(made / "activations", made / "later", "--out", page) == 0
    assert page.read_bytes() == first
    page.write_text("<p>mine</p>")
    assert report(made / "activations", made / "later", "--out", page) == 6
    assert "is no page of several folders" in capsys.readouterr().err
    assert page.read_text() == "<p>mine</p>"
    (tmp_path / "folder").mkdir()
    assert report(made / "activations", made / "later", "--out", tmp_path / "folder") == 6
    assert report(made / "activations", made / "later", "--out", tmp_path / "none" / "page.html") == 8
    # The page of an ablation is no page of several either.
    assert report(made / "activations", made / "later", "--out", made / "activations/report.html") == 6


def test_the_folders_are_only_read_and_the_page_loads_nothing(made, tmp_path):
    before = {p: p.stat().st_mtime_ns for p in made.rglob("*")}
    page = tmp_path / "page.html"
    assert report(made / "activations", made / "upsamplers", "--out", page) == 0
    assert before == {p: p.stat().st_mtime_ns for p in made.rglob("*")}
    text = page.read_text()
    assert "default-src 'none'" in text
    assert not re.findall(r"(?:src|href)\s*=|url\(", text)


def test_a_single_run_alone_and_one_that_was_moved_out_of_its_ablation_have_a_page(made, tmp_path):
    moved = shutil.copytree(the_run(made / "later"), tmp_path / "<i>moved & alone")
    page = tmp_path / "page.html"
    assert report(moved, made / "later", "--out", page) == 0
    assert "<i>moved & alone" in words(page)
    assert "<i>moved" not in page.read_text()
    assert "it is the same run, named twice" in words(page)
    assert report(moved, made / "longer", "--out", page) == 0
    assert "not known" in words(page)
    assert report(moved, "--out", page) == 0
    assert "One group of runs alone" in words(page)


def test_what_is_no_folder_of_runs_is_refused(made, tmp_path, capsys):
    assert report(made / "activations", tmp_path) == 2
    assert "holds no plan.json and no run.json" in capsys.readouterr().err
    assert report(made / "activations", tmp_path / "none") == 2
    assert report(made / "activations", made / "activations") == 2
    assert report(tmp_path) == 2


def test_one_ablation_is_reported_into_its_folder_as_ever(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(made / "later", tmp_path / "c")
    (tmp_path / "c/report.html").unlink()
    assert report(tmp_path / "c") == 0
    assert (tmp_path / "c/report.html").is_file()
    assert [p.name for p in tmp_path.iterdir()] == ["c"]
