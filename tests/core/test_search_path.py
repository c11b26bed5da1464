"""What a command makes of PYTHONPATH."""

import os

import pytest

from flowvae.cli.search_path import leave_out_this_folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "site").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def left(value, search_path):
    environment = {"PYTHONPATH": value} if value is not None else {}
    leave_out_this_folder(environment, search_path)
    return environment.get("PYTHONPATH"), search_path


@pytest.mark.parametrize("entry", ["", ".", "./", "../here"])
def test_entries_that_mean_where_one_stands_are_left_out(here, entry):
    found = left(f"/a{os.pathsep}{entry}", ["/bin", "/a", str(here), "/lib"])
    assert found == ("/a", ["/bin", "/a", "/lib"])


def test_other_entries_stay_as_they_are(here):
    value = os.pathsep.join(["/a", "core", "../site", "missing"])
    assert left(value, ["/a", "/lib"]) == (value, ["/a", "/lib"])


def test_a_folder_that_is_named_in_full_is_meant(here):
    assert left(str(here), ["/bin", str(here)]) == (str(here), ["/bin", str(here)])
    both = os.pathsep.join([str(here), "."])
    assert left(both, [str(here)]) == (str(here), [str(here)])


def test_a_plugin_that_is_edited_where_one_stands_stays(here):
    site = here.parent / "site"
    (site / "_drumkit_extras.pth").write_text(f"{here}\n")
    assert left(":", [str(here), str(site)]) == (None, [str(here), str(site)])


def test_nothing_is_made_of_no_search_path(here):
    assert left(None, ["", "/lib"]) == (None, ["/lib"])
    assert left("", ["/lib"]) == (None, ["/lib"])
