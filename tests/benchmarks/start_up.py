"""CPU seconds of the commands that need no tensor, beside an empty Python: `python tests/benchmarks/start_up.py`.

With a number as argument, that many synthetic plugins of ten components each are installed beside flowvae.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 5
MAIN = "import sys; from flowvae.cli.main import main; sys.exit(main(sys.argv[1:]))"
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "list": ["-c", MAIN, "list"],
    "explain snake": ["-c", MAIN, "explain", "snake"],
    "check ablation_snake": ["-c", MAIN, "check", "ablation_snake"],
    "check with a fault": ["-c", MAIN, "check", "ablation_snake", "--set", "train.steps=x"],
    "diff": ["-c", MAIN, "diff", "percussion", "percussion_small"],
    "doctor": ["-c", MAIN, "doctor"],
}
PLUGIN = """
from flowvae import hookimpl
@hookimpl
def flowvae_components(register):
    for i in range(10):
        register("activation", f"act_{n}_{{i}}", f"synthetic_{n}_parts:Part{{i}}")
"""
PART = '''
class Part{i}:
    """The {i}th part of a synthetic plugin.

    Parameters:
        slope: how steep it is
    """
    def __init__(self, channels: int, *, slope: float = {i}.0) -> None: ...
'''


def install(site: Path, count: int) -> None:
    """Writes synthetic distributions as pip would leave them."""
    for n in range(count):
        info = site / f"fv_synthetic_{n}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: fv-synthetic-{n}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[flowvae]\nsynthetic = synthetic_{n}_plugin\n")
        (site / f"synthetic_{n}_plugin.py").write_text(PLUGIN.format(n=n))
        (site / f"synthetic_{n}_parts.py").write_text("".join(PART.format(i=i) for i in range(10)))


def cpu_seconds(command: list[str], environment: dict[str, str]) -> float:
    """User and system time of a process and its children, the least of some rounds."""
    times = []
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, *command],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def main() -> None:
    """Prints the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    with tempfile.TemporaryDirectory() as place:
        install(Path(place), count)
        environment = {**os.environ, "PYTHONPATH": place}
        # pip leaves bytecode beside what it installs; here the first round does.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        print(f"{count} plugins of 10 components each; CPU seconds, the least of {ROUNDS}")
        for name, command in COMMANDS.items():
            print(f"{name:24} {cpu_seconds(command, environment):.3f}")
        if count >= 3:
            names = ", ".join(f'"act_{n}_{n}"' for n in range(3))
            recipe = Path(place, "three.toml")
            recipe.write_text(
                f'extends = "ablation_snake"\n[ablation.vary]\n"defaults.activation" = [{names}]\n'
            )
            print(
                f"{'check naming three':24} {cpu_seconds(['-c', MAIN, 'check', str(recipe)], environment):.3f}"
            )


if __name__ == "__main__":
    main()
