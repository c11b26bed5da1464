"""How much faster runs side by side are than one after the other: `python tests/benchmarks/side_by_side.py`.

The same runs of the shipped ablation, shortened, are executed once with one worker and once with one a core, each run
with one thread. What counts is the ratio of the training rates: sounds a second over the time in which steps are taken.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STEPS = 250


def run(folder: Path, workers: int) -> float:
    """Seconds of the whole command with this many workers."""
    settings = [
        f"train.steps={STEPS}",
        f"evaluation.every={STEPS}",
        f"train.checkpoint_every={STEPS}",
        "ablation.seeds=2",
        f'execution.executor={{ use = "processes", workers = {workers} }}',
        "execution.threads=1",
    ]
    code = "import sys; from flowvae.cli.main import run_main; sys.exit(run_main())"
    command = [
        sys.executable,
        "-c",
        code,
        "ablation_snake",
        "--out",
        str(folder),
        *(f"--set={s}" for s in settings),
    ]
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def execution_seconds(folder: Path) -> float:
    """From the first run's start to the last run's end, as the files tell: without planning and reporting."""
    times = [p.stat().st_mtime for p in folder.glob("runs/*/*/run.json")]
    ends = [p.stat().st_mtime for p in folder.glob("runs/*/*/result.json")]
    return max(ends) - min(times)


def main() -> None:
    """Prints the figures."""
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as place:
        figures = {}
        for workers in (1, cores):
            folder = Path(place, f"workers-{workers}")
            whole = run(folder, workers)
            results = [json.loads(p.read_text()) for p in folder.glob("runs/*/*/result.json")]
            step = sorted(r["costs"]["seconds_per_step"] for r in results)[len(results) // 2]
            memory = max(r["costs"]["peak_memory_mb"] for r in results)
            figures[workers] = execution_seconds(folder)
            print(
                f"{workers} workers: {whole:.1f} s in all, {figures[workers]:.1f} s of runs, {1000 * step:.0f} ms a step, {memory:.0f} MB a run"
            )
        print(f"{cores} workers against 1: {figures[1] / figures[cores]:.2f} times the rate on {cores} cores")


if __name__ == "__main__":
    main()
