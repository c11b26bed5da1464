"""P8: commands that need no tensor, beside an empty Hydra application, LightningCLI's help and the import of RAVE: whole processes."""

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.peers.alternating import Pair, Row, alternate, seconds_text, tell

MAIN = "import sys; from flowvae.cli.main import main; sys.exit(main(sys.argv[1:]))"
COMMANDS = {
    "list": ("list",),
    "check ablation_snake": ("check", "ablation_snake"),
    "--help": ("--help",),
    "check with a fault": ("check", "ablation_snake", "--set", "train.steps=x"),
}
HYDRA = """
import hydra
@hydra.main(version_base=None, config_path=".", config_name="config")
def main(config): pass
main()
"""
LIGHTNING = """
from pytorch_lightning.cli import LightningCLI
from pytorch_lightning.demos.boring_classes import BoringModel
LightningCLI(BoringModel)
"""
RAVE = "from peer_packages import imported; imported('rave', 'model')"
LONGEST = 0.15
"""Seconds on the wall of a command that needs no tensor."""


def process(*arguments, cwd=None, fails=False):
    """A Python that is waited for; it may not end otherwise than it is said to."""

    def run():
        done = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, check=False)
        assert bool(done.returncode) == fails, done.stderr.decode()

    return run


def ours(name):
    return process("-c", MAIN, *COMMANDS[name], fails=name.endswith("fault"))


def hydra():
    place = Path(tempfile.mkdtemp())
    (place / "app.py").write_text(HYDRA)
    (place / "config.yaml").write_text("steps: 1\n")
    return process("app.py", cwd=place)


def lightning():
    place = Path(tempfile.mkdtemp())
    (place / "app.py").write_text(LIGHTNING)
    return process("app.py", "--help", cwd=place)


def rave():
    return process("-c", RAVE)


PEERS = (
    *((name, "an empty Hydra application", hydra, "hydra", 0.35, 11) for name in COMMANDS),
    ("--help", "LightningCLI --help", lightning, "jsonargparse", 0.03, 3),
    ("list", "import rave", rave, "rave", 0.03, 3),
)
PAIRS = [
    Pair(
        f"flowvae {name}, beside {other}",
        lambda name=name: ours(name),
        theirs,
        goal,
        peer=peer,
        rounds=n,
        clock="children",
    )
    for name, other, theirs, peer, goal, n in PEERS
]


def on_the_wall():
    for name in COMMANDS:
        seconds, empty = alternate(ours(name), process("-c", "pass"), 11, "wall")
        took = median(seconds)
        figures = [seconds_text(took), f"{seconds_text(median(empty))}, an empty Python"]
        yield Row("P8", f"flowvae {name}, on the wall", *figures, "", f"<= {LONGEST} s", took <= LONGEST)


if __name__ == "__main__":
    tell("P8", __spec__.name, PAIRS, on_the_wall)
