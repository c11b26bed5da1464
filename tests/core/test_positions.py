import string

import tomli
from hypothesis import given
from hypothesis import strategies as st

from flowvae.recipe.positions import spans

TEXT = '''# a comment with = and [brackets]
a = 1 # x
s.t = """multi
line"""
[b]
c = [10, {d = 2, "e.f" = 'q'}, # comment
 3]
[[losses]]
use = "x"
[losses.inner]
z = 1
[[losses]]
use = "y"
"quoted key" = """ends in a quote""""
'''


def value_at(text, path):
    start, end = spans(text)[path].value
    return text[start:end]


def test_every_value_stands_where_the_scanner_says():
    assert value_at(TEXT, ("a",)) == "1"
    assert value_at(TEXT, ("s", "t")) == '"""multi\nline"""'
    assert value_at(TEXT, ("b", "c", 1, "e.f")) == "'q'"
    assert value_at(TEXT, ("b", "c", 2)) == "3"
    assert value_at(TEXT, ("losses", 0, "inner", "z")) == "1"
    assert value_at(TEXT, ("losses", 1, "use")) == '"y"'
    assert value_at(TEXT, ("losses", 1, "quoted key")) == '"""ends in a quote""""'


def test_keys_have_places_of_their_own():
    start, end = spans(TEXT)["s", "t"].key
    assert TEXT[start:end] == "s.t"


KEYS = st.text(string.ascii_letters + "_-", min_size=1, max_size=6) | st.text(min_size=1, max_size=4)
SCALARS = st.integers(-99, 99) | st.booleans() | st.text(max_size=12) | st.floats(-1e6, 1e6)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


def written(value):
    match value:
        case bool():
            return str(value).lower()
        case str():
            return (
                '"'
                + "".join(f"\\U{ord(c):08x}" if not c.isalnum() or ord(c) > 126 else c for c in value)
                + '"'
            )
        case list():
            return "[ " + " , ".join(written(v) for v in value) + " ]"
        case dict():
            return "{ " + ", ".join(f"{written(k)} = {written(v)}" for k, v in value.items()) + " }"
        case _:
            return repr(value)


def leaves(value, path=()):
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(child, (*path, key))
    else:
        yield path, value


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_the_text_at_a_place_reads_back_as_its_value(table):
    try:
        text = "".join(f"{written(k)} = {written(v)}  # note\n" for k, v in table.items())
        data = tomli.loads(text)
    except tomli.TOMLDecodeError:  # a surrogate, which no TOML can hold
        return
    found = spans(text)
    for path, value in leaves(data):
        start, end = found[path].value
        assert tomli.loads(f"x = {text[start:end]}")["x"] == value
