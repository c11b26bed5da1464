"""One colour, marker and dash for each arm, the same everywhere on the page."""

from collections.abc import Sequence

from attrs import frozen

# Okabe and Ito 2008: eight colours that stay apart with every common form of colour blindness. Their yellow is
# too light for lines on white and is left out, their black is kept for the text.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#AA4499", "#E69F00", "#56B4E9")
# Markers and dashes tell arms apart where colours do not, and go on where the colours begin again.
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
Dash = str | tuple[float, tuple[float, ...]]
DASHES: tuple[Dash, ...] = ("solid", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (3, 1)))


@frozen
class ArmStyle:
    """How one arm is drawn."""

    colour: str
    marker: str
    dash: Dash
    in_focus: bool = True
    """Whether it can be told apart from all others; of more than a dozen arms most are grey."""


def arm_styles(arms: Sequence[str], told_apart: Sequence[str] | None = None) -> dict[str, ArmStyle]:
    """A style for each arm, by name, in the order of the plan; grey for those that are not to be told apart.

    >>> arm_styles(["snake", "elu"], told_apart=["snake"])["elu"].in_focus
    False
    """
    chosen = [arm for arm in arms if told_apart is None or arm in told_apart]
    coloured = {
        arm: ArmStyle(COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)], DASHES[i % len(DASHES)])
        for i, arm in enumerate(chosen)
    }
    return {arm: coloured.get(arm, IN_GREY) for arm in arms}


IN_GREY = ArmStyle("#a3a6ad", "o", "solid", in_focus=False)
