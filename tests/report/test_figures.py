"""What the figures say: matplotlib leaves every text of a drawing as a comment beside its outlines."""

import base64
import re
from functools import cache

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from flowvae.report import figure_style
from flowvae.report.arm_styles import arm_styles
from flowvae.report.comparison import compare
from flowvae.report.number_format import (
    MINUS,
    THIN,
    beside_each_other,
    beside_each_other_in_letters,
    each_for_itself,
)
from flowvae.report.reading import read_folder
from flowvae.report.write import _draw
from tiers import swept

SIZES = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "": 1.0}


def with_numbers(folder, draw):
    """The same folder as it would be with other numbers in it."""

    def anew(table):
        return {k: draw() if isinstance(v, float) else v for k, v in table.items()}

    def run_anew(run):
        result = run.result
        result = evolve(
            result,
            metrics={k: evolve(f, value=draw()) for k, f in result.metrics.items()},
            untrained=anew(result.untrained),
            costs=anew(result.costs),
        )
        return evolve(
            run, rows=tuple(evolve(row, figures=anew(row.figures)) for row in run.rows), result=result
        )

    return evolve(folder, runs=tuple(map(run_anew, folder.runs)))


def svgs(folder):
    pictures = _draw(folder, compare(folder), arm_styles([arm.name for arm in folder.plan.arms]))
    found = [getattr(pictures, name) for name in pictures.__slots__ if not name.startswith("__")]
    return [base64.b64decode(picture.address.partition(",")[2]).decode() for picture in found if picture]


def texts(svg):
    return re.findall(r"<!-- (.*?) -->", svg)


def logarithmic(low, high):
    return lambda rng: float(np.exp(rng.uniform(np.log(low), np.log(high))))


def even(low, high):
    return lambda rng: float(rng.uniform(low, high))


RANGES = {
    "eighteen decades": logarithmic(1e-9, 1e9),
    "small betas": logarithmic(1e-6, 1e-4),
    "nothing but zeros": even(0.0, 0.0),
    "a large constant": even(1e9, 1e9),
    "both signs": even(-1e9, 1e9),
    "a large offset": even(1e6, 1e6 + 1),
}


@pytest.fixture
def wide(monkeypatch):
    """Figures in their wide form alone: the narrow one has the same texts, and a test of its own."""
    monkeypatch.setattr(figure_style, "_stack", lambda _: None)
    monkeypatch.setattr(figure_style, "_address", cache(figure_style._address))


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("kind", swept(RANGES))
def test_no_figure_writes_tex_whatever_the_numbers_are(runs, kind):
    rng = np.random.default_rng(0)
    folder = with_numbers(read_folder(runs([[3.0, 3.1], [3.2, 3.3]])), lambda: RANGES[kind](rng))
    said = [text for svg in svgs(folder) for text in texts(svg)]
    assert len(said) > 60
    assert not [text for text in said if re.search(r"[$\\{}]|math|times", text)]


@pytest.mark.usefixtures("wide")
def test_the_figures_of_a_typical_page_are_numbered(typical):
    said = [texts(svg) for svg in svgs(read_folder(typical))]
    assert all(sum(bool(re.fullmatch(r"[\d.]+", text)) for text in texts) > 3 for texts in said)
    # The third picture has multiply-adds for a second of audio below it.
    assert any(re.fullmatch(rf"1\.\d+{THIN}G", text) for text in said[2])


def number(text):
    written, _, letter = text.replace(MINUS, "-").partition(THIN)
    return float(written) * SIZES[letter]


places = st.builds(
    lambda start, step, n: [start + i * step for i in range(n)],
    st.integers(-40, 40),
    st.integers(1, 9),
    st.integers(2, 9),
).flatmap(lambda whole: st.integers(-9, 9).map(lambda power: [float(f"{v}e{power}") for v in whole]))


@given(places)
@pytest.mark.parametrize("write", [beside_each_other, beside_each_other_in_letters])
def test_numbers_along_an_axis_are_the_places_where_they_stand(write, values):
    gap = values[1] - values[0]
    assert [number(text) for text in write(values)] == pytest.approx(values, abs=0.02 * gap)


@given(st.lists(st.sampled_from([1, 2, 5]), min_size=1), st.integers(-300, 300))
def test_numbers_along_an_axis_that_multiplies_are_exact(digits, power):
    values = [float(f"{digit}e{power}") for digit in digits]
    assert [number(text) for text in each_for_itself(values)] == pytest.approx(values, rel=1e-9)


@given(st.floats(1e-9, 1e9), st.floats(1e-7, 1.0))
def test_numbers_along_an_axis_differ_as_their_places_do(start, share):
    values = [start * (1 + share * i) for i in range(6)]
    assert len(set(beside_each_other(values))) == 6


@pytest.mark.usefixtures("wide")
def test_a_run_alone_has_no_panel_of_differences(runs):
    folder = read_folder(runs([[3.0, 3.1]], names=("alone",)))
    said = {text for svg in svgs(folder) for text in texts(svg)}
    assert "each run" in said
    assert not [text for text in said if "difference" in text or "joined" in text]


def test_a_narrow_figure_says_the_same_below_each_other(runs):
    names = ("snake", "leaky_relu_with_a_very_long_name")
    folder = read_folder(runs([[3.0, 3.1], [3.2, 3.3]], names=names))
    pictures = _draw(folder, compare(folder), arm_styles(names))
    wide, narrow = (
        base64.b64decode(address.partition(",")[2]).decode()
        for address in (pictures.pairs.address, pictures.pairs.narrow)
    )
    assert {word for text in texts(wide) for word in text.split()} <= {
        word for text in texts(narrow) for word in text.split()
    }
    # Both panels name their arms, and neither is wider than a telephone shows in letters that can be read.
    assert texts(narrow).count("snake") == 2
    assert size(narrow)[0] < 300 < size(wide)[0]
    assert size(narrow)[1] > 1.9 * size(wide)[1]


def size(svg):
    return [float(re.search(rf'<svg[^>]* {side}="([\d.]+)pt"', svg)[1]) for side in ("width", "height")]
