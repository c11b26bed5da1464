"""Completion, asked of the shells themselves."""

import shutil
import subprocess
import sys

import pytest

from flowvae.cli.main import main
from flowvae.recipe.shipped import shipped_recipes


def script(shell, folder):
    """The script in a file, and a folder with a recipe, a sound and a folder in it."""
    made = subprocess.run(
        [sys.executable, "-m", "flowvae.cli.main", "completion", shell],
        capture_output=True,
        text=True,
        check=True,
    )
    (folder / "script").write_text(made.stdout)
    (folder / "mine.toml").write_text("")
    (folder / "kick.wav").write_text("")
    (folder / "sounds").mkdir()
    return folder


# What stands before the cursor, some of what must be offered, some of what must not.
CASES = {
    "verbs": ("flowvae ", {"list", "check", "docs", "schema", "completion"}, {"snake"}),
    "part of a verb": ("flowvae com", {"completion"}, {"check"}),
    "options": ("flowvae check percussion --", {"--set", "--json"}, {"--out"}),
    "kinds": ("flowvae list a", {"activation", "augmentation"}, {"bands"}),
    "kinds for a new plugin": ("flowvae new-plugin mine --kind ba", {"bands"}, {"snake"}),
    "no name for a new plugin": ("flowvae new-plugin ", set(), {"snake", "activation"}),
    "plugins and components": ("flowvae check-plugin ", {"flowvae", "snake"}, {"activation"}),
    "components": ("flowvae explain sn", {"snake"}, {"leaky_relu"}),
    "a kind beside a component of its name": (
        "flowvae explain posterior",
        {"posterior", "posterior.flow"},
        set(),
    ),
    "recipes": ("flowvae check ", {*shipped_recipes(), "mine.toml"}, {"kick.wav"}),
    "a second recipe": ("flowvae diff percussion m", {"mine.toml"}, {"kick.wav"}),
    "folders of runs": ("flowvae status s", {"sounds"}, {"kick.wav"}),
    "folders to merge": ("flowvae merge all s", {"sounds"}, {"kick.wav"}),
    "folders": ("flowvae docs --out s", {"sounds"}, set()),
    "the folder of a blind test": ("flowvae listen s", {"sounds"}, {"kick.wav"}),
    "files of answers": ("flowvae report sounds --answers k", {"kick.wav"}, set()),
    "shells": ("flowvae completion ", {"bash", "zsh", "fish"}, {"snake"}),
    "recipes of the short command": ("flowvae-run abl", {"ablation_snake"}, {"percussion"}),
    "options of the short command": ("flowvae-run mine.toml --", {"--out", "--data"}, {"--json"}),
}

BASH = """
source ./script
COMP_WORDS=({words})
COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
$(complete -p {command} | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def bash(tmp_path_factory):
    folder = script("bash", tmp_path_factory.mktemp("bash"))

    def complete(line):
        words = " ".join(f"'{word}'" for word in line.split(" "))
        asked = BASH.format(words=words, command=line.partition(" ")[0])
        done = subprocess.run(["bash", "-c", asked], cwd=folder, capture_output=True, text=True, check=True)
        assert not done.stderr
        return set(done.stdout.split())

    return complete


@pytest.mark.parametrize(("line", "offered", "not_offered"), CASES.values(), ids=CASES)
def test_bash_completes(bash, line, offered, not_offered):
    found = bash(line)
    assert offered <= found
    assert not not_offered & found


@pytest.fixture(scope="module")
def fish(tmp_path_factory):
    folder = script("fish", tmp_path_factory.mktemp("fish"))

    def complete(line):
        asked = f"source ./script; complete -C '{line}'"
        done = subprocess.run(["fish", "-c", asked], cwd=folder, capture_output=True, text=True, check=True)
        # A description follows a tab; to fish a folder ends in a slash.
        return {row.partition("\t")[0].removesuffix("/") for row in done.stdout.splitlines()}

    return complete


@pytest.mark.skipif(not shutil.which("fish"), reason="needs fish")
@pytest.mark.parametrize(("line", "offered", "not_offered"), CASES.values(), ids=CASES)
def test_fish_completes(fish, line, offered, not_offered):
    found = fish(line)
    assert offered <= found
    assert not not_offered & found


@pytest.mark.skipif(not shutil.which("zsh"), reason="needs zsh")
def test_zsh_takes_the_script_and_knows_both_commands(tmp_path):
    asked = 'autoload -U compinit; compinit -u -D; eval "$(cat script)"; print $_comps[flowvae] $_comps[flowvae-run]'
    folder = script("zsh", tmp_path)
    done = subprocess.run(["zsh", "-f", "-c", asked], cwd=folder, capture_output=True, text=True, check=True)
    assert (done.stdout.split(), done.stderr) == (["_shtab_flowvae", "_shtab_flowvae_run"], "")


def test_another_shell_is_a_usage_error(capsys):
    assert main(["completion", "tcsh"]) == 2
    assert "invalid choice" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["completion", "bash"], ["docs", "--check"], ["schema"]], ids=" ".join)
def test_what_is_said_of_components_needs_no_torch(arguments, tmp_path):
    code = f"""
import sys
sys.modules.update(dict.fromkeys(("torch", "numpy", "scipy", "soundfile")))  # None: importing it fails
from flowvae.cli.main import main
sys.exit(main({arguments!r}))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == (2 if "--check" in arguments else 0), done.stderr
    assert "import" not in done.stderr
