"""The README's example of a plugin, as a stranger would copy it."""

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


def test_the_stranger_is_a_third_arm_with_one_changed_line(installed, tmp_path):
    from conftest import TINY

    recipe = (ROOT / "recipes" / "ablation_snake.toml").read_text()
    changed = recipe.replace('["snake", "leaky_relu"]', '["snake", "leaky_relu", "squareplus"]')
    assert changed != recipe
    (tmp_path / "mine.toml").write_text(changed.replace("percussion_small.toml", "percussion_small"))
    settings = [f"--set={s}" for s in (*TINY, "ablation.seeds=1")]
    done = call(
        "run_main", str(tmp_path / "mine.toml"), "--out", str(tmp_path / "out"), *settings, env=installed
    )
    assert done.returncode == 0, done.stderr
    assert "drumkit-extras 1.0" in (tmp_path / "out" / "report.html").read_text()
    assert (tmp_path / "out" / "runs" / "squareplus" / "seed-0" / "result.json").exists()


def test_without_the_package_the_recipe_says_who_is_missing(tmp_path):
    recipe = (ROOT / "recipes" / "ablation_snake.toml").read_text()
    (tmp_path / "mine.toml").write_text(
        recipe.replace('"leaky_relu"', '"squareplus"').replace("percussion_small.toml", "percussion_small")
    )
    done = call("main", "check", str(tmp_path / "mine.toml"), env=dict(os.environ))
    assert done.returncode == 2
    assert 'there is no activation called "squareplus"' in done.stderr
