"""Takes each protection out, one at a time, and sees whether a test notices: `python tests/removals/take_out.py [CASE ...]`.

A copy of the tracked files is made, lines that a list beside this file names are replaced in it, and the tests that it names are
run there. A protection whose tests still pass is not tested. `--jobs 2` tries two at a time.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST_S = 600
"""A build without its protection may hang; that is noticing too."""


@dataclass(frozen=True)
class Protection:
    """Lines that hold a case, what stands there without them, and the tests that must fail then."""

    case: int
    file: str
    lines: str
    instead: str
    tests: tuple[str, ...]

    def __str__(self) -> str:
        return f"case {self.case:02d}, {self.file}: {self.lines.strip().splitlines()[0].strip()}"


def protections() -> list[Protection]:
    """All that are listed."""
    lists = sorted(Path(__file__).parent.glob("*.toml"))
    listed = [one for path in lists for one in tomllib.loads(path.read_text()).get("protection", [])]
    return [Protection(**{**one, "tests": tuple(one["tests"])}) for one in listed]


def taken_out(text: str, protection: Protection) -> str:
    """The text of the file without the protection. Its lines have to stand there exactly once, and the rest has to be Python."""
    if text.count(protection.lines) != 1:
        raise ValueError(f"{protection}: stands there {text.count(protection.lines)} times, not once")
    without = text.replace(protection.lines, protection.instead)
    compile(without, protection.file, "exec")  # what cannot be read fails every test and proves nothing
    return without


def copied(to: Path) -> Path:
    """A copy of the files that git knows."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    return to


def passes(where: Path, tests: tuple[str, ...]) -> bool:
    """Whether these tests pass there. Finding none of them is an error and no answer."""
    paths = os.pathsep.join(str(where / part) for part in ("core", "components"))
    run = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "", *tests]
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    try:
        ended = subprocess.run(
            run,
            check=False,
            cwd=where,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LONGEST_S,
        )
    except subprocess.TimeoutExpired:
        return False
    if (
        ended.returncode > 1
    ):  # an error of collecting is no failure of a test; to be killed for one's memory is one
        raise RuntimeError(f"{' '.join(tests)}: {ended.stdout[-1500:]}{ended.stderr[-500:]}")
    return ended.returncode == 0


def outcome(protection: Protection) -> str:
    """What its tests say with it and without it."""
    with tempfile.TemporaryDirectory() as place:
        where = copied(Path(place))
        if not passes(where, protection.tests):
            return "FAILS AS IT IS"  # and would fail without it as well
        file = where / protection.file
        file.write_text(taken_out(file.read_text(), protection))
        return "NOT NOTICED" if passes(where, protection.tests) else "noticed"


def outcomes(which: list[Protection], jobs: int) -> Iterator[tuple[Protection, str]]:
    """Each with its outcome, in order, some at a time."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from zip(which, pool.map(outcome, which), strict=True)


def main() -> int:
    """Tries those of the named cases, or all; the exit status is 1 where one was not noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", type=int, help="numbers of cases; none: all")
    parser.add_argument("--jobs", type=int, default=1, help="how many are tried at a time")
    given = parser.parse_args()
    which = [one for one in protections() if not given.cases or one.case in given.cases]
    bad = 0
    for protection, told in outcomes(which, given.jobs):
        print(f"{told:15} {protection}", flush=True)
        bad += told != "noticed"
    print(f"{len(which) - bad} of {len(which)} protections are noticed when they are gone")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
