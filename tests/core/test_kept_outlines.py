"""Outlines of modules that one process leaves to the next: never of another text, and never a word about them."""

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from flowvae.catalogue import kept_outlines
from flowvae.catalogue.kept_outlines import KeptOutlines
from flowvae.catalogue.outline import outline

TEXT = '''"""A module."""
from typing import ClassVar, Literal
from .other import Thing as Other
LEAST = 2
class Part(Other["x"]):
    """A part.

    Parameters:
        slope: how steep
    """
    direction: ClassVar[str] = "lower"
    reads: tuple[str, ...] = ("a", "b")
    def __init__(self, channels: int, *, slope: float = 1 / 3, mode: Literal[
        "a",
        "b",
    ] = "a") -> None: ...
    def __call__(self, x, y): ...
def part(*, wörter: "list[int] | None" = None): ...
'''.encode()


@pytest.fixture
def keep(tmp_path, monkeypatch):
    """What two processes after each other do with a file of outlines: the first adds, the second finds."""
    monkeypatch.setattr(kept_outlines, "SETTLED_S", -1e9)
    monkeypatch.setattr(kept_outlines.atexit, "register", lambda _: None)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file = tmp_path / "caches" / "flowvae" / "outlines"

    def keep(module):
        first = KeptOutlines(file)
        first.add(f"package {module}", module.stat(), outline(module.read_bytes(), "package"))
        first._write()

    keep.file = file
    keep.find = lambda module: KeptOutlines(file).find(f"package {module}", module.stat())
    return keep


@pytest.fixture
def module(tmp_path):
    (tmp_path / "module.py").write_bytes(TEXT)
    return tmp_path / "module.py"


def test_an_outline_comes_back_as_it_was_read(keep, module):
    keep(module)
    found = keep.find(module)
    assert found == outline(TEXT, "package")
    part = found.definitions["Part"]
    assert part.doc.startswith("A part.\n\nParameters:")
    assert part.bases == ("Other",)
    assert part.call == ("x", "y")
    assert part.constants == {"direction": "lower", "reads": ("a", "b")}
    assert [a.default for a in part.arguments.keys] == ["1 / 3", '"a"']
    assert found.definitions["part"].arguments.keys[0].annotation == '"list[int] | None"'
    assert found.imports["Other"] == "package.other.Thing"
    assert found.constants == {"LEAST": 2}


NESTED = b"""
if a:
    import in_if
elif b:
    import in_elif
else:
    import in_else
try:
    import in_try
except E:
    import in_except
else:
    import in_else_of_try
finally:
    import in_finally
for x in y:
    import in_for
while z:
    with w:
        import in_with
match m:
    case 1:
        import in_case
async def f():
    class C:
        def g(self):
            import in_method
            from . import same
from other import same
"""


def test_imports_are_found_wherever_a_statement_may_stand():
    found = outline(NESTED, "package").imports
    assert set(found) == {"same", *re.findall(r"in_\w+", NESTED.decode())}
    assert found["same"] == "package.same"  # what stands deeper is read later, in the order of ast.walk


def same_size_and_time(module, state):
    module.write_bytes(TEXT.replace(b"1 / 3", b"1 / 7"))
    os.utime(module, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert (module.stat().st_size, module.stat().st_mtime_ns) == (state.st_size, state.st_mtime_ns)


def replaced(module, state):
    module.with_suffix(".new").write_bytes(TEXT.replace(b"1 / 3", b"1 / 7"))
    os.utime(module.with_suffix(".new"), ns=(state.st_atime_ns, state.st_mtime_ns))
    module.with_suffix(".new").replace(module)


def longer(module, state):
    module.write_bytes(TEXT + b"\n")


@pytest.mark.parametrize("edit", [same_size_and_time, replaced, longer])
def test_what_was_edited_is_read_anew(edit, keep, module):
    keep(module)
    time.sleep(0.02)  # the clock of a file system may tick a hundred times a second
    edit(module, module.stat())
    assert keep.find(module) is None


def test_what_was_written_just_now_is_not_kept(keep, module, monkeypatch):
    monkeypatch.setattr(kept_outlines, "SETTLED_S", 2.0)
    keep(module)
    os.utime(module, (0, 0))  # as pip sets the times of what it unpacks
    keep(module)
    assert keep.find(module) is None


def test_the_outlines_of_another_reader_do_not_count(keep, module, monkeypatch, tmp_path):
    keep(module)
    (tmp_path / "outline.py").write_bytes(b"# changed")
    monkeypatch.setattr(kept_outlines.outline, "__file__", str(tmp_path / "outline.py"))
    assert keep.find(module) is None


@pytest.mark.parametrize("data", [b"", b"no outlines", b"\xe9\x00", b"i\x01\x00\x00\x00"])
def test_a_file_that_is_none_is_written_anew(data, keep, module):
    keep(module)
    keep.file.write_bytes(data)
    assert keep.find(module) is None
    keep(module)
    assert keep.find(module) == outline(TEXT, "package")


def test_a_file_that_was_cut_off_is_written_anew(keep, module):
    keep(module)
    whole = keep.file.read_bytes()
    for length in range(0, len(whole), 7):
        keep.file.write_bytes(whole[:length])
        assert keep.find(module) is None


def test_a_disk_that_is_full_leaves_what_was_there(keep, module, monkeypatch, tmp_path):
    keep(module)
    (tmp_path / "second.py").write_bytes(b"")

    def write_half(path, data):
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(module), "write_bytes", write_half)
    keep(tmp_path / "second.py")
    assert keep.find(module) == outline(TEXT, "package")
    assert [*keep.file.parent.iterdir()] == [keep.file]


def test_what_is_gone_from_the_disk_is_dropped(keep, module, tmp_path):
    keep(module)
    state = module.stat()
    module.unlink()
    (tmp_path / "second.py").write_bytes(b"")
    keep(tmp_path / "second.py")
    assert KeptOutlines(keep.file).find(f"package {module}", state) is None


def test_who_wants_no_bytecode_gets_no_outlines(keep, module, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    keep(module)
    assert not keep.file.exists()


LIST = "import sys; from flowvae.cli.main import main; sys.exit(main(['list', '--json', '--no-plugins', *sys.argv[1:]]))"


@pytest.fixture
def listed(tmp_path):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(tmp_path / "bytecode"),
    }

    def listed(caches, *arguments):
        done = subprocess.run(
            [sys.executable, "-c", LIST, *arguments],
            env={**environment, "XDG_CACHE_HOME": str(caches)},
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    return listed


def test_where_nothing_can_be_written_nothing_is_said(listed, tmp_path):
    (tmp_path / "a file").write_text("no folder")
    everything = listed(tmp_path / "caches")
    assert listed(tmp_path / "a file") == listed("/proc/1/no-such-folder") == everything
    assert listed("relative") == everything
    assert not (tmp_path / "relative").exists()


def test_many_at_once_leave_one_whole_file(listed, tmp_path):
    caches = tmp_path / "caches"
    everything = listed(tmp_path / "others")
    kinds = ["prior", "activation", "metric", "loss"]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda kind: listed(caches, kind), kinds))
    for kind, rows in zip(kinds, done, strict=True):
        assert rows == [row for row in everything if row["kind"] == kind]
    assert len([*(caches / "flowvae").iterdir()]) == 1
    assert listed(caches) == everything
    assert len([*(caches / "flowvae").iterdir()]) == 1
