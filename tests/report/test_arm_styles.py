"""The looks of arms: told apart by more than a colour, and one colour for one variant wherever it is run."""

import base64
import itertools
import re

import numpy as np
import pytest

from flowvae.folder.plan_records import Plan
from flowvae.report.arm_styles import COLOURS, arm_styles, light, looks_of
from flowvae.report.focus import told_apart
from flowvae.report.reading import read_folder
from flowvae.report.write import write_report
from pretended_across import VALUES, VARIANTS, made


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("across") / "runs"
    return made(place, lambda variant, value: len(variant) / int(value))[0]


def looks(folder):
    return looks_of(Plan.read(folder), told_apart(read_folder(folder)))


def test_a_variant_has_one_colour_under_each_value_and_another_look(folder):
    found = looks(folder)
    assert len(found) == len(VARIANTS) * len(VALUES)
    for variant in VARIANTS:
        styles = [found[f"{variant}-steps-{value}"] for value in VALUES]
        assert len({style.colour for style in styles}) == 1
        assert len({style.marker for style in styles}) == len({style.dash for style in styles}) == len(VALUES)
    for value in VALUES:
        assert len({found[f"{variant}-steps-{value}"].colour for variant in VARIANTS}) == len(VARIANTS)


@pytest.mark.slow
def test_the_colours_of_a_page_are_those_of_its_variants(folder):
    """Of the page itself: the chips beside the names, and the lines of the curves."""
    page = write_report(folder).read_text()
    rows = re.findall(
        r'class="chip [\w-]+" style="background:(#\w+)" aria-hidden="true"></i><span>(.*?)</span>', page
    )
    named = {name.replace("<wbr>", ""): colour for colour, name in rows}
    for variant in VARIANTS:
        assert len({named[f"{variant}-steps-{value}"] for value in VALUES}) == 1
    curves = page[page.index('id="curves"') :]
    svg = base64.b64decode(re.search(r"data:image/svg\+xml;base64,([^\"]+)", curves)[1]).decode()
    drawn = {colour.upper() for colour in re.findall(r"stroke: (#\w{6}); stroke-width: 2.2", svg)}
    assert drawn == {named[f"{variant}-steps-100"].upper() for variant in VARIANTS}


def test_arms_that_are_told_apart_differ_without_their_colour_too():
    styles = arm_styles([str(i) for i in range(12)])
    both = {(style.colour, style.marker) for style in styles.values()}
    assert len(both) == 12
    for one, other in itertools.combinations(list(styles.values())[:5], 2):
        assert one.marker != other.marker
        assert one.dash != other.dash


@pytest.mark.parametrize("colour", [*COLOURS, arm_styles(["a", "b"], ["a"])["b"].colour])
def test_what_is_written_upon_a_colour_stands_out(colour):
    style = arm_styles(["a"])["a"]
    style = type(style)(colour, style.marker, style.dash)
    a, b = sorted((light(colour), {"#fff": 1.0, "#000": 0.0}[style.letters]))
    assert (b + 0.05) / (a + 0.05) > 4.5


def test_the_light_of_a_colour_is_that_of_the_standard():
    assert light("#000000") == 0
    np.testing.assert_allclose(light("#777777"), 1.05 / 4.48 - 0.05, atol=3e-4)  # 4.48:1 on white
