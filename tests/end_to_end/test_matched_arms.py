"""Arms that cost the same, as the engine wrote them: found, kept in the recipes, told, and not sought again."""

import json
import re
import subprocess
import sys

import pytest

from conftest import TINY
from flowvae.recipe import read_recipe, resolve

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-c", "import sys; from flowvae.cli.main import run_main; sys.exit(run_main())"]
WIDTH = "model.decoder.width"
DEARER = '"model.decoder.dilations" = [[1, 3], [1, 3, 9, 27], [1]]'


def run(folder, match, *more, out="out", vary=DEARER):
    recipe = folder / "matched.toml"
    recipe.write_text(
        'extends = "percussion_small"\n[ablation]\nmetric = "spectral_distance"\nseeds = 2\n'
        f"match = {match}\n[ablation.vary]\n{vary}\n"
        '[model]\ndecoder = { use = "soundstream", width = 16, strides = [4, 4], dilations = [1, 3] }\n'
    )
    settings = [*(setting for setting in TINY if "model.decoder" not in setting), *more]
    command = [*COMMAND, str(recipe), "--out", str(folder / out), *(f"--set={s}" for s in settings)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("matched")
    done = run(folder, f'{{ by = "{WIDTH}", what = "parameters" }}')
    assert done.returncode == 0, done.stderr
    return folder, done


def test_dearer_and_cheaper_arms_come_within_five_percent(whole):
    folder, _ = whole
    plan = json.loads((folder / "out" / "plan.json").read_text())
    baseline, dearer, cheaper = plan["arms"]
    assert baseline["matched"] is None
    for arm in (dearer, cheaper):
        assert arm["parameters"] == pytest.approx(baseline["parameters"], rel=0.05)
        ratio = arm["parameters"] / baseline["parameters"]
        assert arm["matched"]["ratio"] == pytest.approx(ratio, rel=1e-12)
    assert dearer["matched"]["width"] < 16 < cheaper["matched"]["width"]


def test_the_width_is_told_and_is_no_change_that_nobody_declared(whole):
    folder, done = whole
    plan = json.loads((folder / "out" / "plan.json").read_text())
    page = (folder / "out" / "report.html").read_text()
    for arm in plan["arms"][1:]:
        said = f"{WIDTH} {arm['matched']['width']} instead of 16: "
        assert re.search(re.escape(said) + r"[\d.]+ % (more|fewer) weights than the baseline", done.stdout)
        assert said in page
        assert not arm["flags"]
        [change] = [change for change in arm["difference"] if change["path"] == WIDTH]
        assert change == {
            "path": WIDTH,
            "baseline": "16",
            "arm": str(arm["matched"]["width"]),
            "is_matched": True,
        }
        assert not any(c["is_matched"] for c in arm["difference"] if c["path"] != WIDTH)


def test_every_run_is_of_the_matched_width(whole, catalogue):
    folder, _ = whole
    plan = json.loads((folder / "out" / "plan.json").read_text())
    for arm in plan["arms"][1:]:
        files = [folder / "out" / "arms" / f"{arm['name']}.toml"]
        files += (folder / "out" / "runs" / arm["name"]).glob("seed-*/recipe.toml")
        assert len(files) == 3
        for file in files:
            leaves = resolve(read_recipe(str(file)), catalogue).leaves()
            assert leaves[WIDTH] == arm["matched"]["width"]
            assert "matched to the baseline" in file.read_text()
    assert not (folder / "out" / "matching").exists()


def test_the_same_command_seeks_nothing_again(whole):
    folder, done = whole
    assert f"seeking {WIDTH} for 2 arms" in done.stdout
    before = (folder / "out" / "arms.json").read_bytes()
    again = run(folder, f'{{ by = "{WIDTH}", what = "parameters" }}')
    assert again.returncode == 0, again.stderr
    assert "seeking" not in again.stdout
    assert "runs to do: 0, 6 done before" in again.stdout
    assert (folder / "out" / "arms.json").read_bytes() == before


def test_an_arm_that_is_added_is_the_only_one_that_is_sought(whole):
    folder, _ = whole
    more = DEARER.replace("[1]]", "[1], [1, 3, 9]]")
    again = run(folder, f'{{ by = "{WIDTH}", what = "parameters" }}', vary=more)
    assert again.returncode == 0, again.stderr
    assert f"seeking {WIDTH} for 1 arm\n" in again.stdout


def test_an_arm_that_takes_no_width_is_refused_where_the_recipe_asks_for_it(tmp_path):
    even = '"model.decoder.kernel_size" = [7, 4]'
    done = run(tmp_path, f'{{ by = "{WIDTH}" }}', vary=even)
    assert done.returncode == 2, done.stdout
    assert re.search(r"matched\.toml:5:\d+\n", done.stderr)
    assert f"ablation.match.by: kernel_size-4 takes no {WIDTH} from 1 to 32: " in done.stderr
    assert not (tmp_path / "out" / "matching").exists()
    assert not (tmp_path / "out" / "runs").exists()


def test_what_cannot_be_matched_runs_and_is_told(tmp_path):
    match = '{ by = "model.decoder.frame_channels", what = "multiply_adds" }'
    dearer = '"model.decoder.dilations" = [[1, 3], [1, 3, 9, 27, 1, 3]]'
    done = run(tmp_path, match, "train.steps=3", vary=dearer)
    assert done.returncode == 0, done.stderr
    said = "model.decoder.frame_channels 1 instead of 32: "
    assert said in done.stdout
    assert "no width comes within 5 %" in done.stdout
    page = (tmp_path / "out" / "report.html").read_text()
    assert "was to cost the same and does not: " + said in page
