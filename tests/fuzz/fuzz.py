"""`python tests/fuzz/fuzz.py TARGET SECONDS [CORPUS]` throws bytes at a reader with atheris, guided by what they reach.

What it finds goes as bytes into `FINDS` of tests/core/test_fuzzed_readers.py.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["flowvae.recipe", "flowvae.folder", "flowvae.training.state", "tomli"]
):
    sys.path.insert(0, str(Path(__file__).parent))
    import targets


def main(name: str, seconds: str, corpus: str = "") -> None:
    folder = Path(corpus or tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(targets.seeds(name)):
        (folder / f"seed-{number}").write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        "-max_len=65536",
        "-rss_limit_mb=4096",
        f"-artifact_prefix={folder}/",
    ]
    atheris.Setup([sys.argv[0], *options, str(folder)], targets.TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
