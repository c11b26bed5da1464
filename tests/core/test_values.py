from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowvae.recipe.values import structure

REFUSED = [
    ("0.1", float),
    (True, float),
    (1.9, int),
    (True, int),
    ("3", int),
    ("false", bool),
    (0, bool),
    (5, str),
    (["x"], str),
    ("248", tuple[int, ...]),
    ([2, 4.0], tuple[int, ...]),
    ([1, 2, 3], tuple[float, float]),
    ("cubic", Literal["nearest", "linear"]),
    (float("nan"), float),
    (float("inf"), float),
    ({}, int),
    ("soon", int | None),
]


@pytest.mark.parametrize(("value", "kind"), REFUSED, ids=repr)
def test_case_43_a_value_of_another_type_is_refused(value, kind):
    with pytest.raises((TypeError, ValueError)):
        structure(value, kind)


def test_a_whole_number_may_stand_for_a_number():
    assert structure(3, float) == 3.0
    assert isinstance(structure(3, float), float)
    assert structure([1, 2.5], tuple[float, ...]) == (1.0, 2.5)


def test_none_is_said_as_a_word_where_it_is_allowed():
    assert structure("none", float | None) is None
    assert structure(2, float | None) == 2.0


@given(st.one_of(st.text(), st.floats(), st.booleans(), st.none(), st.lists(st.integers(), max_size=2)))
def test_case_43_nothing_but_a_whole_number_becomes_one(value):
    with pytest.raises((TypeError, ValueError)):
        structure(value, int)
