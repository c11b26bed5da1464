import torch
from hypothesis import given
from hypothesis import strategies as st

from flowvae.streams import SeededStream, stream_key, torch_seeded

CPU = torch.device("cpu")
WORDS = st.lists(st.text(max_size=4) | st.integers(0, 99), min_size=1, max_size=3)


@given(WORDS, WORDS)
def test_two_purposes_have_two_keys(one, other):
    if [str(w) for w in one] != [str(w) for w in other]:
        assert stream_key(0, *one) != stream_key(0, *other)


def test_a_stream_is_a_function_of_its_key():
    one, other = SeededStream.of(1, "crop", 5), SeededStream.of(1, "crop", 5)
    assert torch.equal(one.uniform(0, 1, (4,), CPU), other.uniform(0, 1, (4,), CPU))
    assert not torch.equal(
        SeededStream.of(1, "crop", 6).normal((4,), CPU), SeededStream.of(1, "crop", 5).normal((4,), CPU)
    )


def test_bounds_of_whole_numbers_are_reached():
    assert set(SeededStream.of(0, "x").integers(-1, 1, (200,), CPU).tolist()) == {-1, 0, 1}


def test_what_is_drawn_inside_does_not_move_the_generator_outside():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    with torch_seeded(0, "inside"):
        torch.rand(1000)
    assert torch.equal(torch.rand(2), expected)
