"""What many files and many arms cost beside training: `python tests/benchmarks/scale.py > tests/benchmarks/scale.md`.

Sounds are WAV files of 0.2 s, made here; clips are a second long. Every figure is of a process of its own: processor seconds
of it and of the decoders it starts, and the peak of its memory. Nothing is built and nothing trained: the probe of each arm
is left out, the executor only polls, and what runs leave is written through the engine's own records.
"""

import contextlib
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from attrs import evolve

from flowvae.ablation.drive import run_recipe
from flowvae.ablation.probing import Prober
from flowvae.building.processor import processor
from flowvae.catalogue import Catalogue
from flowvae.folder.journal import Row
from flowvae.folder.plan_records import Plan
from flowvae.folder.probe_records import Arms, Probed
from flowvae.folder.run_records import MeasuredFigure, Result
from flowvae.folder.status import Status
from flowvae.recipe import plan_ablation, read_recipe
from flowvae.report.write import write_report
from flowvae_components.executors.processes import PERIOD_S, Processes

FILES = (100, 1_000, 20_000)
ARMS = (2, 20, 200)
SEEDS = 6
RATE = 44_100
DRUMS = ("kick", "snare", "hat", "tom")
N_POLLS = 15
STEPS = 100


class Planned(Exception):
    """How far a measurement goes."""


def write_sounds(folder: Path, count: int) -> None:
    """Short noises that fall, in kits of a hundred; no two are alike."""
    t = np.arange(RATE // 5) / RATE
    for i in range(count):
        hiss = np.random.default_rng(i).standard_normal(len(t))
        audio = 0.5 * np.exp(-t / 0.05) * (np.sin(2 * np.pi * (50 + i / 20) * t) + 0.1 * hiss)
        path = folder / f"kit{i // 100:03d}" / f"{DRUMS[i % 4]}-{i}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, audio, RATE, subtype="PCM_16")


def source_of(place: Path, files: int, arms: int) -> Any:
    """An ablation of the learning rate over a folder of sounds."""
    rates = [1e-5 * (i + 1) for i in range(arms)]
    recipe = place / f"arms{arms}.toml"
    recipe.write_text(
        f'extends = "percussion_small"\n[ablation]\nmetric = "spectral_distance"\nseeds = {SEEDS}\n'
        f'[ablation.vary]\n"train.optimizer.lr" = {rates}\n'
    )
    data = f'data={{ use = "folder", path = "{place / f"sounds{files}"}" }}'
    rest = ("model.n_samples=44160", f"train.steps={STEPS}", 'execution.device="cpu"')
    return read_recipe(str(recipe), (data, *rest))


def check(place: Path, files: int, arms: int) -> dict[str, float]:
    """The recipe with all its arms, as `flowvae check` resolves it."""
    return {"seconds": timed(lambda: plan_ablation(source_of(place, files, arms), Catalogue.installed()))}


def start(place: Path, files: int, arms: int) -> dict[str, float]:
    """From the command to the first run, and then what polling takes of a core."""
    out = place / f"out{files}-{arms}"
    shared = place / f"data{files}"
    out.mkdir()
    if shared.exists():
        shutil.copytree(shared, out / "data", copy_function=os.link)  # as if it had been prepared there
    Prober._build = _known_already  # type: ignore[method-assign]
    found: dict[str, float] = {}

    def execute(_: Processes, jobs: Sequence[Any], poll: Callable[[Sequence[str]], None]) -> dict[str, int]:
        found["planned"], found["waited"] = seconds(), time.monotonic()
        for job in jobs:
            state = "running" if job in jobs[:2] else "done"
            Status(job.log.parent, STEPS).write(state, STEPS)
        running = [job.name for job in jobs[:2]]
        poll(running)
        before = seconds()
        for _ in range(N_POLLS):
            time.sleep(PERIOD_S)
            poll(running)
        found["polling"] = (seconds() - before) / (N_POLLS * PERIOD_S)
        raise Planned

    Processes.__call__ = execute  # type: ignore[assignment,method-assign]
    before, begun = seconds(), time.monotonic()
    with contextlib.suppress(Planned):
        run_recipe(source_of(place, files, arms), out, lambda _: None, Catalogue.installed())
    if not shared.exists():
        shutil.copytree(out / "data", shared, copy_function=os.link)
    return {
        "seconds": found["planned"] - before,
        "wall": found["waited"] - begun,
        "polling": found["polling"],
    }


def _known_already(prober: Prober, *_: object) -> None:
    known = Probed(500_000, 1 << 28, 1e9, 20_000, {})
    arms = Arms.read(prober.folder).arms
    Arms({name: evolve(arm, probed=known) for name, arm in arms.items()}).write(prober.folder)


def clips(place: Path, files: int, arms: int) -> dict[str, float]:
    """What a run does for its clips before its first batch, and what it then has for itself alone."""
    import torch  # the other measurements go without

    from flowvae.data.batches import Batches
    from flowvae.data.clips import load_clips

    recipe = plan_ablation(source_of(place, files, arms), Catalogue.installed()).recipe
    [folder] = (place / f"data{files}").iterdir()
    own = own_bytes()
    held: list[Any] = []
    taken = timed(lambda: held.append(Batches(load_clips(folder), recipe, {}, 0, torch.device("cpu"))))
    held[0](0)
    return {"seconds": taken, "own": own_bytes() - own, "array": (folder / "clips.npy").stat().st_size}


def report(place: Path, files: int, arms: int) -> dict[str, float]:
    """The page of all arms and seeds once they have finished, each with 60 lines in its journal and no audio."""
    out = place / f"out{files}-{arms}"
    metrics = [metric.name for metric in Plan.read(out).metrics]
    for i, folder in enumerate(sorted((out / "runs").glob("*/seed-*"))):
        _finish(folder, metrics, np.random.default_rng(i))
    taken = timed(lambda: write_report(out))
    return {"seconds": taken, "page": (out / "report.html").stat().st_size}


def _finish(folder: Path, metrics: list[str], rng: np.random.Generator) -> None:
    figures = {name: MeasuredFigure(float(3 + rng.normal(0, 0.1)), None) for name in metrics}
    Result(
        metrics=figures, untrained={}, costs={"seconds_per_step": 0.2}, sounds=(), groups=(), threads=1,
        device="cpu", device_number=None, precision="fp32", data_fingerprint="", seed=0, exact=True, plugins=(),
    ).write(folder)  # fmt: skip
    Status(folder, STEPS).write("done", STEPS)
    rows = [
        Row("train", step, {"loss": 3 + float(rng.normal(0, 0.1)), "kl": 10.0}) for step in range(0, STEPS, 2)
    ]
    rows += [Row("validation", step, {f"metric/{metrics[0]}": 3.0}) for step in range(0, STEPS, 10)]
    (folder / "metrics.jsonl").write_text("".join(f"{row.line()}\n" for row in rows), encoding="utf-8")


def seconds() -> float:
    """Of the processor, for this process and what it has waited for."""
    times = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(t.ru_utime + t.ru_stime for t in times)


def timed(act: Callable[[], object]) -> float:
    """The processor seconds that something takes."""
    before = seconds()
    act()
    return seconds() - before


def own_bytes() -> int:
    """The memory of this process that no other shares."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("RssAnon")))


MEASUREMENTS = {act.__name__: act for act in (check, start, clips, report)}


def measured(name: str, place: Path, files: int, arms: int) -> dict[str, float]:
    """One measurement in a process of its own, with the peak of its memory."""
    command = [sys.executable, __file__, name, str(place), str(files), str(arms)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def table(head: str, rows: Sequence[Sequence[str]]) -> None:
    """Prints rows below a head, as Markdown."""
    columns = head.split(", ")
    for row in (columns, ["---"] * len(columns), *rows):
        print(f"| {' | '.join(row)} |", flush=True)


def main() -> None:
    """Prints the tables."""
    print(
        f"# Many files, many arms\n\n{os.cpu_count()} virtual cores, {processor()}, {platform.system()}; ",
        end="",
    )
    print("processor seconds, memory at its peak. `python tests/benchmarks/scale.py`\n")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        files_rows, rows, reports = [], [], []
        for files in FILES:
            write_sounds(place / f"sounds{files}", files)
            first, run = (
                measured("start", place, files, 1 + ARMS[0]),
                measured("clips", place, files, ARMS[0]),
            )
            files_rows.append([
                f"{files:,}", f"{first['seconds']:.1f} s", f"{first['wall']:.1f} s", f"{first['peak'] / 1e6:.0f} MB",
                f"{run['array'] / 1e6:.0f} MB", f"{run['seconds']:.2f} s", f"{run['own'] / 1e6:.0f} MB",
            ])  # fmt: skip
            for arms in ARMS:
                checked, again = measured("check", place, files, arms), measured("start", place, files, arms)
                rows.append([
                    f"{files:,}", str(arms), f"{checked['seconds']:.2f} s", f"{again['seconds']:.2f} s",
                    f"{again['peak'] / 1e6:.0f} MB", f"{100 * again['polling']:.1f} %",
                ])  # fmt: skip
        for arms in ARMS:
            page = measured("report", place, FILES[0], arms)
            reports.append([
                str(arms), str(SEEDS * arms), f"{page['seconds']:.1f} s", f"{page['peak'] / 1e6:.0f} MB",
                f"{page['page'] / 1e6:.1f} MB",
            ])  # fmt: skip
    table(
        "files, first start of 3 arms: all sounds read, by the clock, peak, array, clips of a run, its own memory",
        files_rows,
    )
    print()
    table("files, arms of 6 seeds, check, start again to the first run, peak, polling of a core", rows)
    print()
    table("arms, runs, report, peak, page", reports)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        one, where, *counts = sys.argv[1:]
        outcome = MEASUREMENTS[one](Path(where), *map(int, counts))
        peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({**outcome, "peak": peak}))
    else:
        main()
