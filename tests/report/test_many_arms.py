"""A page of more arms than a reader can tell apart says which it shows, and stays small."""

import base64
import re
from functools import cache

import numpy as np
import pytest

from flowvae.report import figure_style
from flowvae.report.curves import _thinned
from flowvae.report.focus import MOST_TOLD_APART, told_apart
from flowvae.report.reading import read_folder
from flowvae.report.write import write_report
from pretended_runs import write_tree

N_ARMS = 20


def tree(place, n_arms):
    """Arms that are the better the later they stand in the plan; the first is the baseline."""
    values = [[3.0 - 0.01 * arm, 3.1 - 0.01 * arm] for arm in range(n_arms)]
    return write_tree(place, values, names=[f"arm_{i:02d}" for i in range(n_arms)], n_clips=0)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The report of twenty arms, figures and all; their narrow form is as long to draw, and no test here looks at it."""
    folder = tree(tmp_path_factory.mktemp("many") / "runs", N_ARMS)
    with pytest.MonkeyPatch.context() as here:
        here.setattr(figure_style, "_stack", lambda _: None)
        here.setattr(figure_style, "_address", cache(figure_style._address))
        write_report(folder)
    return (folder / "report.html").read_text()


def section(page, name):
    return re.search(rf'<section id="{name}">.*?</section>', page, re.DOTALL)[0]


def test_of_many_arms_the_baseline_and_the_best_are_told_apart(tmp_path):
    assert told_apart(read_folder(tree(tmp_path / "many", N_ARMS))) == (
        "arm_00", "arm_15", "arm_16", "arm_17", "arm_18", "arm_19",
    )  # fmt: skip
    few = read_folder(tree(tmp_path / "few", MOST_TOLD_APART))
    assert told_apart(few) == tuple(arm.name for arm in few.plan.arms)


def test_the_legend_says_which_arms_are_coloured(page):
    legend = re.search(r'<ul class="legend">.*?</ul>', section(page, "curves"))[0]
    said = re.sub(r"<[^>]+>", " ", legend.replace("<wbr>", "")).split()
    assert said == ["arm_00", "arm_15", "arm_16", "arm_17", "arm_18", "arm_19", "14", "other", "arms"]


def test_every_arm_is_a_row_of_every_table(page):
    for name in ("arms", "other"):
        for table in re.findall(r"<tbody>.*?</tbody>", section(page, name), re.DOTALL):
            assert table.count('<th scope="row">') == N_ARMS, name


def test_headline_and_findings_are_no_lists(page):
    headline = re.search(r'<p class="headline">(.*?)</p>', page)[1]
    assert headline.count("arm_") <= 8
    begin = section(page, "findings").partition("<details>")[0]
    assert begin.count("<li") == 12


def test_a_point_of_a_curve_takes_a_dozen_bytes(page):
    found = re.search(r"data:image/svg\+xml;base64,([^\"]+)", section(page, "curves"))[1]
    lines = [
        path
        for path in re.findall(r' d="(M [^"]*)"', base64.b64decode(found).decode())
        if len(path) > 400 and "z" not in path
    ]
    assert len(lines) == N_ARMS
    assert all(len(re.findall(r"-?[\d.]+", line)) == 2 * 50 for line in lines)
    assert all(len(line) < 12.5 * 50 for line in lines)


def test_blocks_of_a_thinned_curve_are_those_of_numpy():
    points = [(float(i), float(np.sin(i))) for i in range(257)]
    blocks = np.array_split(np.array(points), 100)
    assert np.allclose(_thinned(points, 100), [block.mean(axis=0) for block in blocks], rtol=1e-12)
    assert _thinned(points[:40], 100).tolist() == [list(point) for point in points[:40]]
