"""The README's example of a plugin, as a stranger would copy it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment in which the example is installed with pip."""
    folder = tmp_path_factory.mktemp("stranger")
    text = (
        (ROOT / "README.md")
        .read_text()
        .partition("<!-- example plugin -->")[2]
        .partition("Then one changed line")[0]
    )
    blocks = re.findall(r"```\w+\n# (\S+)\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 3
    assert sum(len(body.splitlines()) for _, body in blocks) <= 25
    for name, body in blocks:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body)
    (folder / "drumkit-extras" / "drumkit_extras" / "__init__.py").touch()
    site = folder / "site"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--target",
        str(site),
        str(folder / "drumkit-extras"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return {**os.environ, "PYTHONPATH": str(site)}


def call(name, *arguments, env):
    code = f"import sys; from flowvae.cli.main import {name}; sys.exit({name}())"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_list_names_the_owner_of_the_stranger(installed):
    done = call("main", "list", "activation", env=installed)
    assert re.search(r"squareplus +drumkit-extras 1\.0 +A smooth ReLU", done.stdout)


@pytest.fixture(scope="module")
def ablation(installed, tmp_path_factory):
    """A recipe with the stranger as third arm, what running it said, and the command."""
    from conftest import TINY

    tmp_path = tmp_path_factory.mktemp("ablation")
    recipe = (ROOT / "recipes" / "ablation_snake.toml").read_text()
    changed = recipe.replace('["snake", "leaky_relu"]', '["snake", "leaky_relu", "squareplus"]')
    assert changed != recipe
    (tmp_path / "mine.toml").write_text(changed.replace("percussion_small.toml", "percussion_small"))
    settings = [f"--set={s}" for s in (*TINY, "ablation.seeds=1")]
    command = ("run_main", str(tmp_path / "mine.toml"), "--out", str(tmp_path / "out"), *settings)
    return tmp_path / "out", call(*command, env=installed), command


def test_the_stranger_is_a_third_arm_with_one_changed_line(ablation):
    out, done, _ = ablation
    assert done.returncode == 0, done.stderr
    assert "drumkit-extras 1.0" in (out / "report.html").read_text()
    assert (out / "runs" / "squareplus" / "seed-0" / "result.json").exists()


def test_record_checkpoint_and_report_say_whose_code_it_was(ablation):
    out, _, _ = ablation
    run = out / "runs" / "squareplus" / "seed-0"
    record = json.loads((run / "environment.json").read_text())["components"]
    newest = max((run / "checkpoints").glob("step-*"))
    assert json.loads((newest / "state.json").read_text())["components"] == record
    mine = record["activation drumkit-extras:squareplus"]
    assert (mine["distribution"], mine["version"], len(mine["source"])) == ("drumkit-extras", "1.0", 64)
    assert record["bands flowvae:pqmf"]["distribution"] == "flowvae"
    report = (out / "report.html").read_text()
    assert mine["source"][:16] in report
    assert record["bands flowvae:pqmf"]["source"][:16] in report


def test_a_folder_whose_plugin_is_gone_says_what_to_install(ablation):
    _, _, command = ablation
    done = call(*command, env=dict(os.environ))
    assert done.returncode == 2
    assert 'there is no activation called "squareplus"' in done.stderr
    assert "was made with drumkit-extras==1.0: drumkit-extras==1.0 is not installed" in done.stderr
    assert "pip install 'drumkit-extras==1.0'" in done.stderr


def test_a_run_whose_plugin_is_gone_says_what_to_install_and_keeps_its_checkpoint(ablation):
    out, _, _ = ablation
    run = out / "runs" / "squareplus" / "seed-0"
    before = sorted((p.name, p.stat().st_mtime_ns) for p in (run / "checkpoints").rglob("*"))
    worker = [sys.executable, "-m", "flowvae.worker", str(run)]
    done = subprocess.run(worker, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'drumkit-extras==1.0'" in done.stderr
    assert before == sorted((p.name, p.stat().st_mtime_ns) for p in (run / "checkpoints").rglob("*"))


def test_without_the_package_the_recipe_says_who_is_missing(tmp_path):
    recipe = (ROOT / "recipes" / "ablation_snake.toml").read_text()
    (tmp_path / "mine.toml").write_text(
        recipe.replace('"leaky_relu"', '"squareplus"').replace("percussion_small.toml", "percussion_small")
    )
    done = call("main", "check", str(tmp_path / "mine.toml"), env=dict(os.environ))
    assert done.returncode == 2
    assert 'there is no activation called "squareplus"' in done.stderr
