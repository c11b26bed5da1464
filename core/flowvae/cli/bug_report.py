"""What others need to know of this installation to find a fault in it, without a word of where on this machine things lie."""

import getpass
import json
import os
import platform
import re
import socket
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from flowvae.building.processor import processor
from flowvae.errors import MachineError, UsageError, shown

DISTRIBUTIONS = (
    "flowvae",
    "torch",
    "torchaudio",
    "numpy",
    "scipy",
    "soundfile",
    "soxr",
    "safetensors",
    "tensorboard",
)
STEERING = ("PYTHON", "OMP_", "MKL_", "CUDA_", "TORCH", "MALLOC_", "XDG_CACHE_HOME")
"""What variables begin with that change how a run behaves; of those that are set the names are told, and numbers."""
# A quote ends a path in a traceback, a colon one in a message.
_PATH = re.compile(r"(?<![\w.<>/])(?:/[^/\s\"':,;()\[\]]+)+/?")
_LEAST = 3
"""Letters from which on the name of a person or a machine is taken for one wherever it stands."""


def write_report(file: Path, plugins: Sequence[Mapping[str, Any]]) -> None:
    """Writes a new file; UsageError where there is one already."""
    text = json.dumps(_without_paths({**_installation(), "plugins": plugins}), indent=1)
    try:
        with file.open("x", encoding="utf-8") as report:
            report.write(text + "\n")
    except FileExistsError as error:
        raise UsageError(f"{shown(file)} is there already", do="--report ANOTHER-FILE") from error
    except OSError as error:
        raise MachineError(f"{shown(file)} cannot be written: {error.strerror}") from error


def _installation() -> dict[str, Any]:
    return {
        "distributions": {name: _version(name) for name in DISTRIBUTIONS},
        "python": sys.version,
        "flags": [
            name for name in ("isolated", "ignore_environment", "safe_path") if getattr(sys.flags, name)
        ],
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "variables": {
            name: value if value.isdecimal() else "set"
            for name, value in sorted(os.environ.items())
            if name.startswith(STEERING)
        },
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _without_paths(said: Any) -> Any:
    """The same with nothing that names a folder, a person or a machine."""
    match said:
        case str():
            return without_paths(said)
        case dict():
            return {key: _without_paths(value) for key, value in said.items()}
        case list() | tuple():
            return [_without_paths(value) for value in said]
        case _:
            return said


def without_paths(text: str) -> str:
    """A text whose paths have lost their folders; the name of a file stays, for it is what a fault is found by.

    >>> without_paths('File "/srv/sounds of ours/drums/part.py", line 3: no /srv/kicks')
    'File "<path>/part.py", line 3: no <path>/kicks'
    """
    text = re.sub(r'(?<=File ")[^"\n]*/(?=[^/"\n]+")', "<path>/", text)
    # The longest first: one may lie in another. These may hold spaces, where a pattern would stop.
    for known in sorted({str(Path.home()), str(Path.cwd()), sys.prefix, *sys.path}, key=len, reverse=True):
        if len(known) > 1:
            text = text.replace(known, "<path>")
    text = _PATH.sub(lambda found: f"<path>/{Path(found[0]).name}", text)
    for name in {_user(), socket.gethostname()}:
        if len(name) >= _LEAST:
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "<name>", text)
    return text


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a number without a name
        return ""
