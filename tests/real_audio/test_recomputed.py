"""The reports of the shipped ablations on real drums: every number once more, from the files of the runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from recompute import recompute

pytestmark = pytest.mark.real_audio
KITS = Path("/usr/share/hydrogen/data/drumkits")
CODE = "import sys; from flowvae.cli.main import run_main; sys.exit(run_main())"
SHORT = (
    "train.steps=8",
    "train.batch_size=2",
    "evaluation.every=4",
    "evaluation.sounds=32",
    "evaluation.audio_examples=1",
    "execution.threads=1",
)


@pytest.mark.parametrize(
    ("recipe", "settings"),
    [
        ("ablation_snake", ("ablation.seeds=3", "evaluation.prior_samples=8")),
        ("ablation_upsampler", ("ablation.seeds=2", "evaluation.prior_samples=8")),
        ("ablation_prior", ("ablation.seeds=2",)),
        (
            "ablation_discriminators",
            ("ablation.seeds=2", "evaluation.prior_samples=8", "adversarial.from_step=4"),
        ),
    ],
)
def test_every_number_of_the_report_is_found_a_second_time(recipe, settings, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-c", CODE, recipe, "--data", str(KITS), "--out", str(out)]
    told = [f"--set={setting}" for setting in (*SHORT, *settings)]
    done = subprocess.run([*command, *told], capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, done.stderr
    check = recompute(out)
    assert check.count > 500
    assert not check.wrong
