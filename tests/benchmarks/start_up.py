"""CPU seconds of the commands that need no tensor, beside an empty Python: `python tests/benchmarks/start_up.py`.

With a number as argument, that many synthetic plugins of ten components each are installed beside flowvae. With
`--hydra PYTHON`, a Python that has hydra-core, an application of Hydra that does nothing runs in every round as well, and
each command is given by the median of its ratios to it, too.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 5
MAIN = ["-c", "import sys; from flowvae.cli.main import main; sys.exit(main(sys.argv[1:]))"]
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "--help": [*MAIN, "--help"],
    "run --help": [*MAIN, "run", "--help"],
    "list": [*MAIN, "list"],
    "list activation": [*MAIN, "list", "activation"],
    "explain snake": [*MAIN, "explain", "snake"],
    "check ablation_snake": [*MAIN, "check", "ablation_snake"],
    "check with a fault": [*MAIN, "check", "ablation_snake", "--set", "train.steps=x"],
    "diff": [*MAIN, "diff", "percussion", "percussion_small"],
    "suggest": [*MAIN, "suggest", "percussion_small"],
    "doctor": [*MAIN, "doctor"],
}
HYDRA = "an empty Hydra app"
APPLICATION = """
import hydra
@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(config): ...
main()
"""
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


def commands(place: Path, count: int, hydra: str | None) -> dict[str, list[str]]:
    """What runs in every round, by the name that it is printed under."""
    found = {name: [sys.executable, *command] for name, command in COMMANDS.items()}
    if count >= 3:
        names = ", ".join(f'"act_{n}_{n}"' for n in range(3))
        recipe = place / "three.toml"
        recipe.write_text(f'extends = "ablation_snake"\n[ablation.vary]\n"defaults.activation" = [{names}]\n')
        found["check naming three"] = [sys.executable, *MAIN, "check", str(recipe)]
    if hydra:
        (place / "conf").mkdir()
        (place / "conf" / "config.yaml").write_text("x: 1\n")
        (place / "app.py").write_text(APPLICATION)
        aside = [f"hydra.run.dir={place / 'out'}", "hydra.output_subdir=null"]
        found[HYDRA] = [hydra, str(place / "app.py"), *aside]
    return found


def cpu_seconds(command: list[str], environment: dict[str, str]) -> float:
    """User and system time of a process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", nargs="?", type=int, default=0)
    parser.add_argument("--hydra", metavar="PYTHON")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        install(Path(folder), options.count)
        paths = filter(None, [folder, os.environ.get("PYTHONPATH")])
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "XDG_CACHE_HOME": folder}
        # pip leaves bytecode beside what it installs; here the first round does, and does not count.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        asked = commands(Path(folder), options.count, options.hydra)
        rounds = [
            {name: cpu_seconds(command, environment) for name, command in asked.items()}
            for _ in range(options.rounds + 1)
        ]
    print(f"{options.count} plugins of 10 components each; CPU seconds, the least of {options.rounds}")
    for name in asked:
        times = [one[name] for one in rounds]
        ratios = [one[name] / one[HYDRA] for one in rounds[1:]] if options.hydra else []
        ratio = f"  {statistics.median(ratios):.2f} of {HYDRA}" if ratios else ""
        print(f"{name:24} {min(times[1:]):.3f}, first {times[0]:.3f}{ratio}")


if __name__ == "__main__":
    main()
