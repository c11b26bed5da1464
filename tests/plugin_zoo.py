"""Plugins that harm, as small texts: what each does, and what flowvae says of it.

Each is laid into a folder of the search path as pip leaves what it installs, with one activation of its own name where it comes
so far.
"""

from dataclasses import dataclass
from pathlib import Path

HOOK = "from flowvae import hookimpl\n@hookimpl\ndef flowvae_components(register):\n"
OFFER = '    register("activation", "{name}", "fv_{name}_part:Part")\n'
PART = '''
import torch
from torch import nn

class Part(nn.Module):
    """A part."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        {constructor}

    def forward(self, x):
        {forward}
        return {returned}
'''


@dataclass(frozen=True)
class Animal:
    """One plugin."""

    module: str = ""
    """What the module of its entry point does, before it offers its part."""
    offers: str = HOOK + OFFER
    constructor: str = "pass"
    forward: str = "pass"
    returned: str = "torch.relu(x)"
    of_part: str = ""
    """What the part's module does at its import."""
    doc: str = "A part."
    broken: str = ""
    """The problem that doctor tells; nothing where it can be used."""
    note: str = ""
    """What doctor tells of one that can be used."""
    refused: str = ""
    """What a run that names its part says before it ends with 4; nothing where it trains."""


ENDED = "ended the process that it was in"
ZOO = {
    # prints
    "loud": Animal("print('Hello!\\n' * 1000)", note='its import prints 7001 bytes ("Hello!")'),
    "writes_on_descriptors": Animal(
        "import os\nfor number in range(3, 256):\n    try:\n"
        '        os.write(number, b\'{"state": "broken"}\\n{}\\n\\x80\')\n    except OSError:\n        pass\n'
    ),
    "closes_descriptors": Animal("import os\nos.closerange(3, 256)\n"),
    "writes_escapes": Animal("print('\\x1b[2J\\x1b]0;mine\\x07')", note="\\x1b[2J\\x1b]0;mine\\x07"),
    # forks
    "fork_goes_on": Animal("import os\nos.fork()\n"),
    # What the copy says comes first, and is another thing: believed, it would break a plugin that is whole.
    "fork_answers": Animal(
        "import os\nif pid := os.fork():\n    os.waitpid(pid, 0)\nelse:\n    raise RuntimeError\n"
    ),
    "fork_leaves": Animal("import os, sys\nif os.fork() == 0:\n    sys.exit(0)\n"),
    "fork_stays": Animal("import os, time\nif os.fork() == 0:\n    time.sleep(300)\n"),
    "part_forks": Animal(of_part="import os\nos.fork()\n"),
    "constructor_forks": Animal(constructor="import os; os.fork()"),
    # hangs
    "hangs": Animal("import time\nwhile True:\n    time.sleep(1)\n", broken="its import took more than"),
    "hook_hangs": Animal(offers=HOOK + "    while True: ...\n", broken="its import took more than"),
    # exits
    "raises": Animal("raise RuntimeError('own words\\nand more')", broken="RuntimeError: own words and more"),
    "interrupts": Animal("raise KeyboardInterrupt", broken="it raises KeyboardInterrupt"),
    "leaves": Animal("import sys\nsys.exit(0)", broken="SystemExit: 0"),
    "leaves_at_once": Animal("import os\nos._exit(0)", broken="exit status 0"),
    "crashes": Animal("import os\nos.kill(os.getpid(), 11)", broken="signal 11 (SIGSEGV)"),
    "unreadable_error": Animal(
        "class Own(Exception):\n    def __str__(self):\n        raise ValueError\nraise Own\n",
        broken="Own: (its message cannot be read)",
    ),
    "part_leaves": Animal(of_part="import sys\nsys.exit(0)\n", refused="did not load: SystemExit: 0"),
    "part_leaves_at_once": Animal(of_part="import os\nos._exit(0)\n", refused=f"{ENDED} (exit status 0)"),
    "part_interrupts": Animal(
        of_part="raise KeyboardInterrupt\n", refused="did not load: it raises KeyboardInterrupt"
    ),
    "constructor_raises": Animal(
        constructor="raise RuntimeError('own words\\nand more')", refused="RuntimeError: own words and more"
    ),
    "constructor_raises_its_own": Animal(
        constructor="raise type('Own', (BaseException,), {})('own words')", refused="Own: own words"
    ),
    "constructor_leaves": Animal(constructor="import sys; sys.exit(0)", refused="SystemExit: 0"),
    "constructor_leaves_at_once": Animal(
        constructor="import os; os._exit(0)", refused=f"{ENDED} (exit status 0)"
    ),
    "constructor_interrupts": Animal(
        constructor="raise KeyboardInterrupt", refused="it raises KeyboardInterrupt"
    ),
    "constructor_crashes": Animal(
        constructor="import os; os.kill(os.getpid(), 11)", refused=f"{ENDED} (SIGSEGV)"
    ),
    "forward_leaves_at_once": Animal(forward="import os; os._exit(0)", refused=f"{ENDED} (exit status 0)"),
    "forward_leaves": Animal(forward="import sys; sys.exit(0)", refused="failed: SystemExit: 0"),
    # patches
    "patches_json": Animal(
        "import json\njson.dumps = lambda *a, **k: '{}'\njson.loads = lambda *a, **k: {}\n",
        note="it changed json.dumps, json.loads; put back",
    ),
    "patches_torch": Animal(of_part="import torch\ntorch.randn = lambda *size, **k: torch.zeros(size)\n"),
    "seeds_in_its_call": Animal(forward="torch.manual_seed(0)", refused="sets torch's seed in its call"),
    "other_dtype": Animal(
        returned="torch.relu(x).double()",
        refused="other_dtype (activation, fv-other_dtype 1.2) returned [2, 4, 256] float64 for [2, 4, 256] float32",
    ),
    "other_shape": Animal(
        returned="torch.relu(x)[..., :-1]",
        refused="other_shape (activation, fv-other_shape 1.2) returned [2, 4, 255] float32 for [2, 4, 256] float32",
    ),
    # floods
    "million_components": Animal(
        offers=HOOK
        + "    for i in range(1_000_000):\n        register('activation', 'p' + str(i), 'fv_million_components_part:Part')\n",
        broken="it offers more than 10000 components",
    ),
    "huge_offer": Animal(
        offers=HOOK + "    register('activation', 'huge_offer', 'a' * (1 << 23) + ':Part')\n",
        broken="what it offers takes",
    ),
    "huge_docstring": Animal(doc="A part of many words. " * 150_000),
    "escapes_in_its_docstring": Animal(doc="Clears \\x1b[2J the screen \\x1b]0;mine\\x07"),
    "escapes_in_its_error": Animal("raise RuntimeError('a\\x1b[2Jb')", broken="a\\x1b[2Jb"),
    "escapes_in_its_refusal": Animal(
        constructor="raise RuntimeError('a\\x1b[2Jb')", refused="RuntimeError: a\\x1b[2Jb"
    ),
}


def lay(site: Path, name: str, animal: Animal = Animal()) -> Path:
    """Installs an animal into a folder; by default one that is harmless."""
    info = site / f"fv_{name}-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: fv-{name}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[flowvae]\n{name} = fv_{name}\n")
    (site / f"fv_{name}.py").write_text(animal.module + "\n" + animal.offers.format(name=name))
    part = PART.format(constructor=animal.constructor, forward=animal.forward, returned=animal.returned)
    (site / f"fv_{name}_part.py").write_text(animal.of_part + part.replace("A part.", animal.doc))
    return site
