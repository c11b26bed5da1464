"""What a command that needs no tensor does without: modules that it does not import, and sources that it does not read."""

import json
import os
import subprocess
import sys
from importlib import import_module

import pytest

from flowvae.cli.arguments import VERBS, run_parser, verbs_parser
from flowvae.recipe import plan_ablation, read_recipe

IMPORTED = """
import json, sys
from flowvae.cli.main import main, run_main
command, sys.argv[1:] = (main, run_main)[sys.argv[1] == "flowvae-run"], sys.argv[2:]
try:
    command()
finally:
    print("\\n" + json.dumps(sorted(sys.modules)))
"""
READ = """
import json, sys
from flowvae.catalogue import source
from flowvae.cli.main import main
found, parsed = [], []
find, read = source._find_module, source.outline
source._find_module = lambda name: (found.append(name), find(name))[1]
source.outline = lambda data, package: (parsed.append(package), read(data, package))[1]
main(sys.argv[1:])
print("\\n" + json.dumps([found, len(parsed)]))
"""
NEVER = {
    *("cattrs", "difflib", "email", "hashlib", "importlib.metadata", "multiprocessing", "numpy", "packaging"),
    *("shutil", "socket", "subprocess", "tempfile", "textwrap", "torch", "traceback", "zipfile"),
}
"""Each takes between one and fifty of some hundred milliseconds, and these commands had all of them but torch and numpy."""
RECIPES = {"flowvae.recipe", "tomli"}
ENGINE = {"flowvae.catalogue", "pluggy", *RECIPES}
WITHOUT = {
    ("flowvae", "list"): NEVER | RECIPES,
    ("flowvae", "list", "activation", "--json"): NEVER | RECIPES,
    ("flowvae", "explain", "snake"): NEVER,
    ("flowvae", "explain", "train"): NEVER,
    ("flowvae", "check", "ablation_snake"): NEVER | {"flowvae.folder", "flowvae.recipe.writing"},
    ("flowvae", "check", "ablation_snake", "--set", "train.steps=x"): NEVER | {"flowvae.folder"},
    ("flowvae", "resolve", "percussion_small"): NEVER | {"flowvae.folder"},
    ("flowvae", "diff", "percussion", "percussion_small"): NEVER | {"flowvae.folder"},
    ("flowvae", "suggest", "percussion_small"): NEVER | {"flowvae.folder"},
    ("flowvae", "--help"): (NEVER | ENGINE) - {"shutil", "textwrap"},  # argparse wraps lines with them
    ("flowvae", "run", "--help"): (NEVER | ENGINE) - {"shutil", "textwrap"},
    ("flowvae-run", "--help"): (NEVER | ENGINE) - {"shutil", "textwrap"},
    ("flowvae", "--version"): NEVER - {"shutil", "textwrap"} | ENGINE,
    ("flowvae", "lisst"): NEVER | ENGINE,
}


@pytest.fixture
def fresh(tmp_path):
    """What a new process prints last, with a folder of caches of its own."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }

    def fresh(code, *arguments, **variables):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env={**environment, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return fresh


@pytest.mark.parametrize("command", WITHOUT, ids=" ".join)
def test_a_command_imports_nothing_that_it_does_not_need(command, fresh):
    assert not WITHOUT[command].intersection(fresh(IMPORTED, *command))


def test_checking_reads_the_sources_of_what_a_recipe_names_and_of_the_contracts(fresh, catalogue):
    found, parsed = fresh(READ, "check", "ablation_snake", "--no-plugins")
    plan = plan_ablation(read_recipe("ablation_snake"), catalogue)
    named = {part.component.target.partition(":")[0] for arm in plan.arms for part in arm.recipe.parts()}
    assert {name for name in found if not name.startswith("flowvae.contracts")} == named
    assert parsed == len(set(found)) == len(found)


def test_what_an_earlier_process_has_read_is_not_parsed_again(fresh, tmp_path):
    writing = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(tmp_path / "bytecode")}
    once, twice = (fresh(READ, "list", "--no-plugins", **writing) for _ in range(2))
    assert once[0] == twice[0]
    assert (once[1], twice[1]) == (len(once[0]), 0)


def test_one_kind_is_listed_from_the_sources_of_that_kind(fresh, catalogue):
    found, _ = fresh(READ, "list", "prior", "--no-plugins")
    assert set(found) == {c.target.partition(":")[0] for c in catalogue.of_kind("prior")}


def test_what_others_have_written_is_not_taken_from_where_one_stands(tmp_path):
    for name in ("attrs", "attr", "pluggy", "tomli"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / name)!r} + '.ran', 'w').close()\n")
    paths = os.pathsep.join(
        [*filter(None, sys.path), ""]
    )  # of which the last is this folder, as the first is with -c
    code = "import sys; from flowvae.cli.main import main; sys.exit(main(['check', 'percussion_small']))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not [*tmp_path.glob("*.ran")]


@pytest.mark.parametrize("verb", VERBS)
def test_what_a_verb_does_is_there(verb):
    module, _, function = VERBS[verb][-1].partition(":")
    assert callable(getattr(import_module(f"flowvae.cli.{module}"), function))


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_alone_is_read_as_it_is_among_all(verb, capsys):
    texts = []
    for parser in (verbs_parser(), verbs_parser([verb])):
        with pytest.raises(SystemExit):
            parser.parse_args([verb, "--help"])
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert texts[0].startswith(f"usage: flowvae {verb} ")


def test_help_is_as_wide_as_argparse_makes_it(monkeypatch, capsys):
    for columns in ("50", "0", "-3", "wide", "200"):
        monkeypatch.setenv("COLUMNS", columns)
        parser = run_parser()
        shown = parser.format_help()
        import argparse

        parser.formatter_class = argparse.HelpFormatter
        assert shown == parser.format_help()
