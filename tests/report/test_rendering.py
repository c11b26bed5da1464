"""Each page is made of files that are there."""

import re

import pytest

from flowvae.report.rendering import HERE, WHOLE
from flowvae.report.write_several import write_several
from pretended_runs import BASE, WORSE, write_tree


def test_several_folders_come_onto_one_page(tmp_path):
    folders = [write_tree(tmp_path / name, [BASE[:3], WORSE[:3]]) for name in ("one", "two")]
    said = []
    page = write_several(folders, tmp_path / "both.html", said.append).read_text()
    assert ":root" in page
    assert page.count("</main>") == 1
    assert any("snake" in line for line in said)
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)


@pytest.mark.parametrize("folder", ["style", "script"])
def test_nothing_lies_there_that_no_page_uses(folder):
    used = "".join(path.read_text() for path in HERE.parent.rglob("*.py"))
    assert [file.name for file in (HERE / folder).iterdir() if f'"{file.stem}"' not in used] == []
    assert {path.stem for path in (HERE / "style").iterdir()} >= {*WHOLE}
