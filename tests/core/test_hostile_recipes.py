"""Recipes that mean harm, or look as if they did: each is refused at once, in little memory, and nothing of it is run."""

import os
import subprocess
import sys

import pytest

CODE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_DATA, (200 << 20, 200 << 20))
from flowvae.cli.main import main
before = set(sys.modules)
status = main(["check", sys.argv[1]])
print(sorted(name for name in set(sys.modules) - before if not name.startswith("flowvae") and name.partition(".")[0] not in sys.stdlib_module_names))
sys.exit(status)
"""
BOMBS = {
    "a hundred megabytes": lambda p: p.write_bytes(b"a = '" + b"x" * (100 << 20) + b"'"),
    "nested arrays": lambda p: p.write_text("a = " + "[" * 10_000 + "]" * 10_000),
    "nested within the parser's limit": lambda p: p.write_text("a = " + "[" * 60 + "]" * 60),
    "nested tables": lambda p: p.write_text("[" + ".".join("abcdefgh" * 6) + "]\n"),
    "a key of many parts": lambda p: p.write_text(".".join("a" * 100_000) + " = 1"),
    "many digits": lambda p: p.write_text("seed = " + "9" * 4301),
    "many keys": lambda p: p.write_text("\n".join(f"k{i} = 1" for i in range(90_000))),
    "many arms": lambda p: p.write_text(
        'extends = "ablation_snake"\n[ablation]\ncross = true\n[ablation.vary]\n'
        + "\n".join(f'"train.k{i}" = [{", ".join(map(str, range(1000)))}]' for i in range(9))
    ),
    "a pipe": os.mkfifo,
    "a folder": lambda p: p.mkdir(),
    "an endless device": lambda p: p.symlink_to("/dev/zero"),
    "no file at the end of a link": lambda p: p.symlink_to("nowhere"),
    "Latin-1": lambda p: p.write_bytes("description = 'Wörter'".encode("latin-1")),
    "NUL": lambda p: p.write_bytes(b"seed = 1\0"),
    "a lone carriage return": lambda p: p.write_bytes(b"seed = 1\rbatch = 2"),
    "JSON": lambda p: p.write_text('{"extends": "percussion_small"}'),
    "YAML": lambda p: p.write_text("extends: percussion_small\n"),
    "empty": lambda p: p.write_text(""),
}
NAMES = (
    "os.system",
    "torch.nn.Linear",
    "antigravity",
    "builtins:eval",
    "wave:open",
    "__class__",
    "flowvae_components.activations.snake:Snake",
    "${HOME}",
    "{{ 7 * 7 }}",
    "!!python/object/apply:os.system",
)


def check(path):
    return subprocess.run(
        [sys.executable, "-c", CODE, str(path)], capture_output=True, text=True, check=False, timeout=20
    )


@pytest.mark.parametrize("bomb", BOMBS)
def test_case_44_a_bomb_is_one_clear_message_in_little_memory(bomb, tmp_path):
    path = tmp_path / "bomb.toml"
    BOMBS[bomb](path)
    done = check(path)
    assert done.returncode == 2, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("flowvae: error[RECIPE]")
    assert len(done.stderr) < 30_000


def test_case_44_the_bombs_are_refused_for_what_they_are(tmp_path):
    reasons = {
        "a hundred megabytes": "is larger than 1 MiB",
        "nested within the parser's limit": "is nested more than 32 levels deep",
        "nested tables": "is nested more than 32 levels deep",
        "a folder": "is not a regular file",
        "a pipe": "is not a regular file",
        "many arms": "arms; at most 1000 are run",
        "Latin-1": "is not UTF-8: byte 0xf6",
    }
    for bomb, reason in reasons.items():
        path = tmp_path / f"{bomb}.toml"
        BOMBS[bomb](path)
        assert reason in check(path).stderr, bomb


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """The modules that reading a recipe brings in where a name is merely misspelt."""
    honest = tmp_path_factory.mktemp("honest") / "b.toml"
    honest.write_text("extends = 'percussion_small'\n[defaults]\nactivation = 'snak'\n")
    return check(honest).stdout


@pytest.mark.parametrize("name", NAMES)
def test_case_46_a_name_imports_nothing_and_is_unknown(name, tmp_path, imported):
    path = tmp_path / "a.toml"
    path.write_text(f"extends = 'percussion_small'\n[defaults]\nactivation = '{name}'\n")
    done = check(path)
    assert done.returncode == 2
    assert f'there is no activation called "{name}"' in done.stderr
    assert done.stdout == imported


def test_case_45_a_byte_order_mark_and_windows_line_ends_are_no_fault(tmp_path):
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbfextends = 'percussion_small'\r\n[train]\r\nsteps = 4\r\n")
    done = check(path)
    assert done.returncode == 0, done.stderr
