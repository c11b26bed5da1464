"""Ours beside theirs: `.venv/peers/bin/python tests/benchmarks/peers [NAME ...] [--out FILE]`.

Every comparison is a file here, and runs in a process of its own, with one thread and the same allocator for both sides. A
ratio is taken round by round, so that a slow spell of the machine hits both. The environment is that of tests/peers/install.sh;
what is not installed is left out, and its row says so.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from reasons import reasons  # of this folder, which Python puts first where it is run

from flowvae.building.allocator import ALLOCATOR

TESTS = Path(__file__).parents[2]
COMPARISONS = (
    "step_rave", "step_dac", "snake", "distances", "pqmf", "loading", "start_up", "first_step", "resize", "host", "limit",
)  # fmt: skip
PACKAGES = (
    "flowvae", "torch", "torchaudio", "numpy", "scipy", "acids-rave", "descript-audio-codec", "descript-audiotools",
    "auraloss", "hydra-core", "pytorch-lightning",
)  # fmt: skip


def rows_of(name, rounds):
    """What a comparison found; where it ends in an error, a row that says so."""
    paths = [str(TESTS), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    environment = {
        **os.environ,
        **ALLOCATOR,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
    }
    # pip leaves bytecode beside what it installs; here the first call does.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-W", "ignore", "-m", f"benchmarks.peers.{name}"]
    command += [f"--rounds={rounds}"] if rounds else []
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return [{"id": "", "what": name, "ours": f"failed: {done.stderr.strip().splitlines()[-1]}"}]
    return json.loads(done.stdout.splitlines()[-1])


def processor():
    """Its name, as Linux has it."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def versions():
    """Of what is there."""
    for name in PACKAGES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"no {name}"


def page(rows, busy):
    """The table, with what it depends on."""
    told = {True: "met", False: "not met", None: ""}
    lines = [
        "| "
        + " | ".join(row.get(key, "") for key in ("id", "what", "ours", "theirs", "ratio", "goal"))
        + f" | {told[row.get('met')]} |"
        for row in rows
    ]
    notes = [f"- {row['id']}, {row['what']}: {row['note']}" for row in rows if row.get("note")]
    return f"""# Ours beside theirs

Written by `tests/benchmarks/peers` on {datetime.now(UTC):%Y-%m-%d}.

- {processor()}, {os.cpu_count()} cores, one thread, Python {platform.python_version()}, {platform.system()};
  {", ".join(versions())}
- load of the machine when it began: {busy:.1f}
- a ratio is ours / theirs, the median of the rounds, with its quartiles; times are medians of processor time, those of commands on the wall
- P2, the step of two players, has a page and a test of its own: adversarial_step.md, tests/peers/test_cost.py

| | what | ours | theirs | ratio | goal | |
| --- | --- | --- | --- | --- | --- | --- |
{chr(10).join(lines)}

{chr(10).join(notes)}

## Why a goal is not met

{chr(10).join(reasons(rows))}
"""


def main():
    """Prints the page, and keeps it where --out says so."""
    parser = argparse.ArgumentParser(description="Ours beside theirs.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(COMPARISONS)}; none: all")
    parser.add_argument("--out", type=Path, help="a file for the page")
    parser.add_argument("--rounds", type=int, help="of each; less than the files say is a glance")
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in COMPARISONS]
    if unknown:
        parser.error(f"no comparison is called {', '.join(unknown)}; there are {', '.join(COMPARISONS)}")
    busy, rows = os.getloadavg()[0], []
    for name in asked.names or COMPARISONS:
        print(f"{name} ...", file=sys.stderr)
        rows += rows_of(name, asked.rounds)
    text = page(rows, busy)
    print(text)
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
