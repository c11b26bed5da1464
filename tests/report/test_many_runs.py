"""A page of many arms goes over its runs as often as a page of few."""

import shutil

import pytest
from attrs import evolve

from flowvae.report import write
from flowvae.report.reading import read_folder
from flowvae.report.write import write_report


class Counted(tuple):
    """Runs that know how often somebody went over all of them."""

    __slots__ = ()
    walks = 0

    def __iter__(self):
        type(self).walks += 1
        return super().__iter__()


@pytest.fixture
def walks(runs, monkeypatch, tmp_path):
    """How often a report of so many arms goes over its runs."""

    def read(folder):
        found = read_folder(folder)
        return evolve(found, runs=Counted(found.runs))

    monkeypatch.setattr(write, "read_folder", read)

    def count(n_arms):
        names = [f"arm-{i}" for i in range(n_arms)]
        shutil.rmtree(tmp_path / "ablation", ignore_errors=True)
        folder = runs([[3.0 + i / 10, 3.1 + i / 9] for i in range(n_arms)], names=names)
        Counted.walks = 0
        write_report(folder)
        return Counted.walks

    return count


def test_the_runs_are_gone_over_no_more_often_for_more_arms(walks):
    assert 0 < walks(3) == walks(12)
