"""A short training on real drums: read, split by kit, learnt from, reported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real_audio
KITS = Path("/usr/share/hydrogen/data/drumkits")
CODE = "import sys; from flowvae.cli.main import run_main; sys.exit(run_main())"


def test_the_small_recipe_learns_from_real_kits(tmp_path):
    out = tmp_path / "out"
    settings = ["train.steps=60", "evaluation.every=60", "evaluation.sounds=32", "execution.threads=1"]
    command = [sys.executable, "-c", CODE, "percussion_small", "--data", str(KITS), "--out", str(out)]
    done = subprocess.run(
        [*command, *(f"--set={s}" for s in settings)],
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    plan = json.loads((out / "plan.json").read_text())
    assert plan["data"]["used"] > 700
    assert 60 < plan["data"]["held_out"] < 220
    kits = {p.name for p in KITS.iterdir() if p.is_dir()}
    held_out = {kit for group in plan["data"]["held_out_groups"] for kit in group.split(" + ")}
    assert held_out < kits
    [result] = [json.loads(p.read_text()) for p in out.glob("runs/*/*/result.json")]
    before, after = result["untrained"]["spectral_distance"], result["metrics"]["spectral_distance"]["value"]
    assert after < 0.85 * before
    skipped = [
        json.loads(line) for p in out.glob("data/*/skipped.jsonl") for line in p.read_text().splitlines()
    ]
    assert any("silent" in row["reason"] for row in skipped)
