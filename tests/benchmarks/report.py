"""What a report costs: `python tests/benchmarks/report.py > tests/benchmarks/report.md`.

Folders as the small recipes leave them: 6 seeds, a journal of 1,250 steps with a row for every tenth and three validations,
64 held-out sounds with a figure of their own on four metrics, 8 reconstructions and 8 samples of 16,384 samples at 44.1 kHz.
Every report is written in a process of its own that starts cold; its seconds are those of the clock, beside its processor seconds.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from attrs import evolve

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "core")]

import pretended_runs  # noqa: E402 - its folder is added above
from flowvae.building.processor import processor  # noqa: E402 - the same
from flowvae.folder.journal import Row  # noqa: E402 - the same
from flowvae.folder.run_records import MeasuredFigure, Result  # noqa: E402 - the same
from flowvae.report.write import write_report  # noqa: E402 - the same

ARMS = (2, 3, 20, 60)
SEEDS = 6
RATE = 44_100
SAMPLES = 16_384
SOUNDS = 64
CLASSES = ("kick", "snare", "hat", "tom", "clap", "cymbal", "conga", "rim")
PER_SOUND = ("spectral_distance", "si_sdr", "attack_error", "tonal_artefact")


def drum(seed: int) -> np.ndarray:
    """A hit with a tail and some noise, as long as the small recipes make them."""
    rng, t = np.random.default_rng(seed), np.arange(SAMPLES) / RATE
    hz, decay_s, noise = 60 * 2 ** rng.uniform(0, 4), rng.uniform(0.03, 0.12), rng.uniform(0.02, 0.3)
    return 0.5 * np.exp(-t / decay_s) * (np.sin(2 * np.pi * hz * t) + noise * rng.standard_normal(SAMPLES))


def write_sounds(folder: Path, seed: int) -> None:
    """Targets, reconstructions and samples of one run."""
    for i in range(8):
        pretended_runs.write_sound(folder / f"audio/target/{i:02d}-drum-{i}.wav", drum(i))
        heard = 0.8 * drum(i) + 0.02 * drum(100 + seed)
        pretended_runs.write_sound(folder / f"audio/step-000001250/{i:02d}-drum-{i}.wav", heard)
        pretended_runs.write_sound(
            folder / f"audio/step-000001250/prior-{i:02d}.wav", drum(1000 + 10 * seed + i)
        )


def enlarge(folder: Path) -> None:
    """Gives a pretended run the journal, the figures of single sounds and the sounds of a small recipe."""
    result = Result.read(folder)
    rng = np.random.default_rng([result.seed, len(folder.parent.name)])
    figures = dict(result.metrics)
    for name in PER_SOUND:
        value = figures[name].value if name in figures else 3.0
        figures[name] = MeasuredFigure(value, tuple((value + rng.normal(0, 0.5, SOUNDS)).tolist()))
    sounds = tuple(f"kit{i % 6}/{CLASSES[i % 8]}-{i}" for i in range(SOUNDS))
    groups = tuple(f"kit{i % 6}" for i in range(SOUNDS))
    classes = tuple(CLASSES[i % 8] for i in range(SOUNDS))
    evolve(result, metrics=figures, sounds=sounds, groups=groups, classes=classes).write(folder)
    lines = []
    for step in range(10, 1251, 10):
        fall = 3 + 3 * np.exp(-step / 200) + rng.normal(0, 0.1)
        parts = {"loss/multi_scale_mel": fall / 2, "loss/multi_resolution_stft": fall / 2, "loss": fall}
        rest = {"kl": 30.0 + rng.normal(), "beta": 1e-4, "lr": 3e-3, "grad_norm": 1.0 + abs(rng.normal())}
        lines.append(Row("train", step, {**parts, **rest, "steps_per_second": 25.0 + rng.normal()}).line())
        if step in {10, 620, 1250}:
            told = {f"metric/{name}": figure.value * (1 + 1 / step) for name, figure in figures.items()}
            lines.append(Row("validation", 0 if step == 10 else step, told).line())
    (folder / "metrics.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    write_sounds(folder, result.seed)


def write_tree(root: Path, n_arms: int) -> Path:
    """A folder of so many arms; the first is the baseline."""
    pretended_runs.RATE = RATE
    rng = np.random.default_rng(0)
    luck = rng.normal(0, 0.1, SEEDS)
    values = [(3 + 0.02 * arm + luck + rng.normal(0, 0.05, SEEDS)).tolist() for arm in range(n_arms)]
    names = [f"arm_{i:03d}" for i in range(n_arms)]
    pretended_runs.write_tree(root, values, names=names, n_clips=0)
    for run in sorted(root.glob("runs/*/seed-*")):
        for old in (run / "audio").rglob("*.wav"):
            old.unlink()
        enlarge(run)
    return root


def measure(folder: Path) -> tuple[float, float, float]:
    """Seconds of the clock and of the processor, and the peak in MB, of one report in a process of its own."""
    began = time.perf_counter()
    command = [sys.executable, __file__, "--report", str(folder)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return time.perf_counter() - began, float(told[0]), float(told[1])


def report(folder: Path) -> None:
    """One report, and what it took: what this process prints is read by the one that started it."""
    write_report(folder)
    mine, its = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seconds = sum(usage.ru_utime + usage.ru_stime for usage in (mine, its))
    print(seconds, (mine.ru_maxrss + its.ru_maxrss) / 1024)


def main() -> None:
    """Writes the table."""
    print("# The report\n")
    print(f"{os.cpu_count()} virtual cores, {processor()}. `python tests/benchmarks/report.py`\n")
    print("| arms | runs | seconds | processor seconds | peak | page | all that is beside it |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for n_arms in ARMS:
        with tempfile.TemporaryDirectory() as place:
            folder = write_tree(Path(place) / "runs", n_arms)
            found = sorted(measure(folder) for _ in range(3))[1]
            page = (folder / "report.html").stat().st_size / 1e6
            beside = sum(file.stat().st_size for file in folder.iterdir() if file.is_file()) / 1e6 - page
            print(
                f"| {n_arms} | {n_arms * SEEDS} | {found[0]:.1f} s | {found[1]:.1f} s | "
                f"{found[2]:.0f} MB | {page:.1f} MB | {beside:.1f} MB |",
                flush=True,
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--report"]:
        report(Path(sys.argv[2]))
    else:
        main()
