"""The reference pages: complete, current, and shown as they were written."""

import re
import textwrap

import pytest

from flowvae.catalogue import REQUIRED, Catalogue
from flowvae.cli.main import main
from flowvae.recipe.keys import entries, slots_of
from flowvae.recipe.tables import Recipe
from flowvae.reference.markdown import block, code, prose, table
from flowvae.reference.pages import INDEX, reference_pages


@pytest.fixture(scope="module")
def own():
    return Catalogue.installed(only=())


@pytest.fixture(scope="module")
def pages(own):
    return reference_pages(own)


def unescaped(text):
    return re.sub(r"\\([^\w\s])", r"\1", text)


def test_the_pages_of_the_repository_are_current(pages, request):
    folder = request.config.rootpath / "components" / "reference"
    there = {file.name: file.read_text("utf-8") for file in folder.glob("*.md")}
    stale = sorted(name for name in there.keys() | pages.keys() if there.get(name) != pages.get(name))
    assert not stale, "run: flowvae docs --no-plugins --out components/reference"


def test_every_kind_has_a_page_and_the_index_links_to_it(pages, own):
    assert set(pages) == {f"{kind}.md" for kind in own.kinds} | {INDEX, "recipe.md"}
    for kind in own.kinds:
        assert f"[{kind}]({kind}.md)" in pages[INDEX]
        assert all(given in pages[f"{kind}.md"] for given in own.kinds[kind].gives)


def test_every_component_has_its_fields_keys_and_example(pages, own):
    for (kind, name), [component] in own.components.items():
        section = pages[f"{kind}.md"].split(f"\n## {name}\n")[1].partition("\n## ")[0]
        assert component.signature.summary in unescaped(section)
        for field in ("Formula", "Shapes", "Units", "Source", "Owner"):
            assert f"**{field}:**" in section, (kind, name, field)
        assert "```pycon\n>>> " in section
        for parameter in component.signature.parameters.values():
            row = next(line for line in section.splitlines() if line.startswith(f"| `{parameter.name}` |"))
            assert ("required" in row) == (parameter.default is REQUIRED)
            assert " ".join(parameter.meaning.split()) in unescaped(row)


def test_a_formula_stands_in_its_block_letter_by_letter(pages, own):
    [snake] = own.find("activation", "snake")
    first, _, rest = snake.fields["Formula"].partition("\n")
    assert f"```text\n{first}\n{textwrap.dedent(rest)}\n```" in pages["activation.md"]


def test_the_recipe_page_has_every_table_and_key(pages):
    page = pages["recipe.md"]
    assert "`extends`" in page
    assert "## [defaults]" in page
    top = entries(Recipe)
    tables = {name for name, entry in top.items() if entry.section or entry.parameter.slot}
    assert all(f"## [{name}]" in page or f"## [{name}.NAME]" in page for name in tables)
    rows = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    inside = [(name, entries(entry.section)) for name, entry in top.items() if entry.section]
    keys = {key for _, inner in inside for key in inner}
    instead = {f"{name}.{key}": e.table_instead for name, inner in inside for key, e in inner.items()}
    assert all(f"### [{path}]" in page for path, section in instead.items() if section)
    keys |= {key for section in instead.values() if section for key in entries(section)}
    assert rows == keys | {*top} - tables | {p.name for _, slot in slots_of(Recipe) for p in slot.own_keys}
    assert "| `latent_dim` | a whole number, at least 1, at most 65536 | `128` |" in page
    assert '| `clip` | a number, at least 0, or `"none"` | `"none"` |' in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("t * factor and t * 2", r"t \* factor and t \* 2"),
        ("[0, 1] <b>", r"\[0, 1\] \<b>"),
        ("n_fft, _hidden_", r"n_fft, \_hidden\_"),
        ("a `t * 2`\n  b", "a `t * 2` b"),
    ],
)
def test_running_text_is_escaped_and_code_in_it_is_not(text, shown):
    assert prose(text) == shown


def test_a_bar_does_not_end_a_cell():
    assert table(("a",), [(code("x | y"),)]).splitlines()[-1] == r"| `x \| y` |"


def test_a_block_cannot_be_closed_by_what_it_holds():
    assert block("```", "text") == "~~~text\n```\n~~~"


def test_check_names_what_differs_and_exits_with_2(capsys, tmp_path):
    arguments = ["docs", "--no-plugins", "--out", str(tmp_path / "pages")]
    assert main([*arguments, "--check"]) == 2
    assert main(arguments) == 0
    assert main([*arguments, "--check"]) == 0
    capsys.readouterr()
    file = tmp_path / "pages" / "loss.md"
    file.write_text(file.read_text() + "\n")
    (tmp_path / "pages" / "gone.md").write_text((tmp_path / "pages" / "head.md").read_text())
    (tmp_path / "pages" / "notes.md").write_text("somebody's own")
    assert main([*arguments, "--check"]) == 2
    assert "loss.md, gone.md" in capsys.readouterr().err
    assert main(arguments) == 0
    assert main([*arguments, "--check"]) == 0
    assert not (tmp_path / "pages" / "gone.md").exists()
    assert (tmp_path / "pages" / "notes.md").read_text() == "somebody's own"


def test_a_place_that_cannot_be_a_folder_is_exit_status_8(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    assert main(["docs", "--out", str(tmp_path / "file" / "pages")]) == 8
    assert "choose another --out" in capsys.readouterr().err
