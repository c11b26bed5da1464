"""`flowvae doctor --report FILE`: all that others need, and nothing of where on this machine things lie."""

import getpass
import json
import os
import re
import socket
import sys
from pathlib import Path

import pytest

from flowvae.cli.bug_report import without_paths
from flowvae.cli.main import main
from plugin_zoo import ZOO, lay


@pytest.fixture
def report(tmp_path, monkeypatch, capsys):
    """The report of an installation with a plugin that raises, under a folder with spaces."""
    site = tmp_path / "My Kits of 2024" / "site"
    lay(site, "raises", ZOO["raises"])
    monkeypatch.syspath_prepend(site)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert main(["doctor", "--report", "fault.json"]) == 4
    assert "read it before you send it" in capsys.readouterr().err
    return tmp_path / "fault.json"


def test_it_tells_versions_the_machine_and_every_plugin_with_its_trace(report):
    said = json.loads(report.read_text())
    assert said["distributions"]["torch"] == __import__("importlib.metadata").metadata.version("torch")
    assert said["cores"] == os.cpu_count()
    rows = {row["distribution"]: row for row in said["plugins"]}
    assert rows["fv-raises"]["problem"] == "RuntimeError: own words and more"
    assert 'File "<path>/fv_raises.py", line 1' in rows["fv-raises"]["trace"]
    assert said["variables"]["OMP_NUM_THREADS"] == os.environ["OMP_NUM_THREADS"]
    assert said["variables"]["PYTHONPATH"] == "set"


def test_it_holds_no_path_no_person_and_no_machine(report):
    text = report.read_text()
    for place in {str(Path.home()), str(report.parent), sys.prefix, "My Kits of 2024", socket.gethostname()}:
        assert place not in text
    assert not re.search(rf"\b{re.escape(getpass.getuser())}\b", text)
    assert not re.search(r"(?<![\w<>.])/\w+/", text)


def test_it_writes_over_no_file(report, capsys):
    before = report.read_text()
    assert main(["doctor", "--report", "fault.json"]) == 2
    assert "fault.json is there already" in capsys.readouterr().err
    assert report.read_text() == before


def test_a_link_is_not_written_through(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.json").symlink_to(tmp_path / "elsewhere.json")
    assert main(["doctor", "--no-plugins", "--report", "link.json"]) == 2
    assert not (tmp_path / "elsewhere.json").exists()


def test_doctor_says_which_copy_of_a_plugin_it_is(report, capsys):
    main(["doctor"])
    site = report.parent / "My Kits of 2024" / "site"
    assert f"  from {site / 'fv_raises.py'}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("no such file: /srv/kits/a.wav", "no such file: <path>/a.wav"),
        ("a/b and 1/2 are no paths", "a/b and 1/2 are no paths"),
        ("https://arxiv.org/abs/2006.08195", "https://arxiv.org/abs/2006.08195"),
    ],
)
def test_of_a_path_its_last_name_is_left(said, left):
    assert without_paths(said) == left
