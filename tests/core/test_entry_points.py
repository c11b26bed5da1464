"""Entry points as flowvae reads them, beside what importlib.metadata makes of the same folders."""

import sys
import zipfile
from importlib import metadata

import pytest

from flowvae.catalogue import Catalogue
from flowvae.catalogue.entry_points import entry_points

GROUP = "flowvae"


@pytest.fixture
def lay(tmp_path):
    """Lays a distribution's folder into a folder of the search path."""

    def lay(
        site, folder, points, head="Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", file="METADATA"
    ):
        info = tmp_path / site / folder
        info.mkdir(parents=True)
        (info / "entry_points.txt").write_text(points)
        (info / file).write_text(head.format(name=folder.partition("-")[0]))

    return lay


def judged(group=GROUP):
    """What importlib.metadata says."""
    return sorted(
        (e.name, e.value, e.dist.metadata["Name"], e.dist.version, e.module, tuple(e.extras))
        for e in metadata.entry_points(group=group)
    )


def read(group=GROUP):
    return sorted(
        (e.name, e.value, e.distribution, e.version, e.module, tuple(e.extras)) for e in entry_points(group)
    )


@pytest.mark.parametrize("group", [GROUP, "console_scripts", "pytest11", "no-such-group"])
def test_in_this_environment_both_find_the_same(group):
    assert read(group) == judged(group)
    assert read() != []


def test_in_a_zoo_of_folders_both_find_the_same(lay, tmp_path, monkeypatch):
    lay("one", "plain-1.0.dist-info", "[flowvae]\nplain = plain.plugin\n")
    lay(
        "one",
        "Many_Of-Them.2-1.0.dist-info",
        "[flowvae]\na = a:b\nb=b.c\n\n[other]\nc = c\n[flowvae]\nd = d\n",
    )
    lay(
        "one",
        "spaced-1.0.dist-info",
        "  [flowvae]  \r\n  x  =  a.b : c.d [api1, api2]  \r\n# y = y\n; z = z\n",
    )
    lay("one", "with_extras-1.dist-info", "[flowvae]\nw = w [api2,api3]\nv = v:x[api1]\n")
    lay("one", "old-1.0-py3.11.egg-info", "[flowvae]\nold = old\n", file="PKG-INFO")
    lay("one", "Upper-1.0.DIST-INFO", "[flowvae]\nupper = upper\n")
    lay("one", "none-1.0.dist-info", "[flowvae.more]\nmore = more\n[ flowvae ]\nspaces = spaces\n")
    lay(
        "one",
        "long-1.0.dist-info",
        "[flowvae]\nl = l\n",
        "Name: long\nVersion: 2.0\nAuthor: a: b\n\nName: not me\n",
    )
    lay("two", "plain-2.0.dist-info", "[flowvae]\nplain = hidden.by.one\n")
    lay("two", "Plain.-3.0.dist-info", "[flowvae]\nother = other\n")
    lay("one", "dotted.name-1.0.dist-info", "[flowvae]\nd = first\n")
    lay("two", "Dotted_Name-2.0.dist-info", "[flowvae]\nd = second\n")
    lay("two", "editable-0.1.dist-info", "[flowvae]\nediting = editing:plugin\n")
    (tmp_path / "two" / "empty-1.0.dist-info").mkdir()
    (tmp_path / "two" / "file-1.0.dist-info").write_text("no folder")
    folders = [str(tmp_path / name) for name in ("one", "no such folder", "two", "one")]
    monkeypatch.setattr(sys, "path", [*folders, *sys.path])
    assert read() == judged()
    assert len(read()) >= 12
    monkeypatch.setattr(sys, "path", sys.path[2:])
    assert read() == judged()


def test_a_line_that_is_no_entry_spoils_nothing(lay, tmp_path, monkeypatch):
    lay("one", "crooked-1.0.dist-info", "[flowvae]\nno entry\na = a\n")
    lay("one", "other-1.0.dist-info", "no entry either\n")
    monkeypatch.syspath_prepend(tmp_path / "one")
    assert [e.name for e in entry_points(GROUP) if e.distribution in {"crooked", "other"}] == ["a"]


def test_an_empty_entry_of_the_search_path_is_the_current_folder(lay, tmp_path, monkeypatch):
    lay("here", "here-1.0.dist-info", "[flowvae]\nhere = here\n")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    assert read() == judged()
    assert "here" in {row[0] for row in read()}


def archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as packed:
        packed.writestr(
            "packed-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: packed\nVersion: 1.0\n"
        )
        packed.writestr("packed-1.0.dist-info/entry_points.txt", "[flowvae]\npacked = packed\n")
    return "packed.zip"


def egg(tmp_path):
    info = tmp_path / "packed-1.0-py3.egg" / "EGG-INFO"
    info.mkdir(parents=True)
    (info / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: packed\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[flowvae]\npacked = packed\n")
    return info.parent.name


@pytest.mark.parametrize("made", [archive, egg])
def test_what_lies_in_no_folder_is_found_as_well(made, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path / made(tmp_path))
    assert "packed" in {row[0] for row in read()}
    assert read() == judged()


def test_what_another_finder_knows_is_found_as_well(lay, tmp_path, monkeypatch):
    lay("aside", "aside-1.0.dist-info", "[flowvae]\naside = aside\n")

    class Finder:
        find_spec = staticmethod(lambda *_: None)

        @staticmethod
        def find_distributions(context=None):
            return [metadata.Distribution.at(tmp_path / "aside" / "aside-1.0.dist-info")]

    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    assert "aside" in {row[0] for row in read()}


def test_the_object_behind_an_entry_is_loaded(lay, tmp_path, monkeypatch):
    lay("one", "plain-1.0.dist-info", "[flowvae]\nmodule = fv_entry\nobject = fv_entry:Outer.inner\n")
    (tmp_path / "one" / "fv_entry.py").write_text("class Outer:\n    inner = 7\n")
    monkeypatch.syspath_prepend(tmp_path / "one")
    loaded = {e.name: e.load() for e in entry_points(GROUP) if e.distribution == "plain"}
    assert loaded["module"].__name__ == "fv_entry"
    assert loaded["object"] == 7


@pytest.mark.parametrize("value", ["no module at all", "a:b:c", "-", ""])
def test_a_value_that_is_no_entry_is_blamed_on_its_distribution(value, lay, tmp_path, monkeypatch):
    lay("one", "crooked-1.0.dist-info", f"[flowvae]\ncrooked = {value}\n")
    monkeypatch.syspath_prepend(tmp_path / "one")
    catalogue = Catalogue.installed()
    [broken] = catalogue.broken()
    assert (broken.distribution, broken.name) == ("crooked", "crooked")
    assert f'"{value}" is not of the form "package.module:object"' in broken.problem
    assert catalogue.find("activation", "snake")
