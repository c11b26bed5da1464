"""Every recipe that resolves survives its own writing, whatever a user calls things."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowvae.cli.main import main
from flowvae.errors import RecipeError
from flowvae.recipe import read_recipe, resolve
from flowvae.recipe.identity import identity
from flowvae.recipe.reading import parse_text
from flowvae.recipe.writing import write_recipe
from flowvae.text import toml_like

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,9}", fullmatch=True).filter(lambda name: name != "use")
PATHS = WORDS.filter(lambda text: text.strip() and "\0" not in text and not text.startswith("~"))
NUMBERS = st.floats(min_value=1e-300, max_value=1e300)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(description=WORDS, path=PATHS, name=NAMES, weight=NUMBERS, clip=st.none() | NUMBERS, device=WORDS)
def test_case_43_a_recipe_survives_its_own_writing(
    catalogue, tmp_path, description, path, name, weight, clip, device
):
    said = {
        "description": description,
        "data": {"use": "folder", "path": path},
        f"losses.{name}": {"use": "waveform_l1", "weight": weight},
        "train.clip": clip,
        "execution.device": device,
    }
    recipe = resolve(read_recipe("percussion_small", (), said), catalogue)
    file = tmp_path / "again.toml"
    file.write_bytes(write_recipe(recipe).encode())
    again = resolve(read_recipe(str(file)), catalogue)
    assert again.leaves() == recipe.leaves()
    assert again.description == recipe.description
    assert identity(again, 0, "x") == identity(recipe, 0, "x")


TREES = st.recursive(
    WORDS
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=12,
)


@given(TREES)
def test_case_45_any_value_reads_back_as_it_was_written(value):
    text = toml_like(value)
    assert text.isprintable() or "\n" not in text
    assert parse_text(f"x = {text}\n", "x", None).value["x"].plain() == value


def test_case_45_a_description_of_several_lines_stays_one(catalogue, write):
    text = 'extends = "percussion_small"\ndescription = """two\nlines, a\\u0007bell and \\\\"""\n'
    recipe = resolve(read_recipe(write("a.toml", text)), catalogue)
    again = resolve(read_recipe(write("b.toml", write_recipe(recipe))), catalogue)
    assert again.description == recipe.description == "two\nlines, a\abell and \\"


def test_case_47_a_recipe_whose_name_has_a_newline_is_written(catalogue, write):
    recipe = resolve(read_recipe(write("a\nb = 1.toml", 'extends = "percussion_small"\n')), catalogue)
    assert (
        resolve(read_recipe(write("again.toml", write_recipe(recipe))), catalogue).leaves() == recipe.leaves()
    )


@pytest.mark.parametrize("folder", ["2024", "2024-05-01", "909 #2", "true", "1e3", "[1]", "0x10"])
def test_case_43_a_bare_word_where_a_path_is_wanted_is_a_path(folder, catalogue, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = resolve(read_recipe("percussion_small", ("data=folder", f"data.path={folder}")), catalogue)
    assert recipe.data.values["path"] == tmp_path / folder
    said = resolve(read_recipe("percussion_small", (f"description={folder}",)), catalogue)
    assert said.description == folder


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("~nosuchuser/x", "there is no user nosuchuser"),
        ('""', "is not a path"),
        ('"a\\u0000b"', "is not a path"),
        ("kits\udcff", "no UTF-8"),
    ],
)
def test_case_47_a_path_that_cannot_be_is_a_fault_of_its_line(path, words, catalogue):
    with pytest.raises(RecipeError) as caught:
        resolve(read_recipe("percussion_small", ("data=folder", f"data.path={path}")), catalogue)
    [fault] = caught.value.faults
    assert fault.path == "data.path"
    assert words in fault.what


@pytest.mark.parametrize(
    ("folder", "status"),
    [("new\nline", 3), ("\x1b[2Jgone", 3), ('quo"te\\', 3), ("~nosuchuser/x", 2), ("no\udcffutf", 2)],
)
def test_case_40_a_folder_of_any_name_is_read_or_refused_in_words(
    folder, status, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(["check", "percussion_small", "--data", folder]) == status
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert ("there is no such folder" in told) == (status == 3)
    assert told.isprintable() or all(line.isprintable() for line in told.splitlines())


@pytest.mark.parametrize("folder", ["~nosuchuser/x", "new\nline", "\x1b[2Jgone", "no\udcffutf", "a" * 300])
def test_case_40_a_survey_of_a_folder_of_any_name_is_answered_in_words(folder, capsys):
    assert main(["data", folder]) == 3
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert all(line.isprintable() for line in told.splitlines())


def test_what_a_recipe_says_before_it_is_resolved_is_explained(capsys):
    assert main(["explain", "defaults"]) == 0
    assert "activation" in capsys.readouterr().out
    assert main(["explain", "extends"]) == 0
    assert "laid over" in capsys.readouterr().out
