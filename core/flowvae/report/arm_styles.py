"""One colour, marker and dash for each arm, the same everywhere on the page."""

from collections.abc import Sequence

from attrs import evolve, frozen

from flowvae.folder.plan_records import Plan

# Okabe and Ito 2008: eight colours that stay apart with every common form of colour blindness. Their yellow is
# too light for lines on white and is left out, their black is kept for the text.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#AA4499", "#E69F00", "#56B4E9")
# Markers and dashes tell arms apart where colours do not, and go on where the colours begin again.
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
SHAPES = dict(zip(MARKERS, ("disc", "square", "peak", "diamond", "wedge", "plus", "cross"), strict=True))
"""What the page calls its own markers, beside the names of arms."""
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

    @property
    def shape(self) -> str:
        """Its marker as the page has it."""
        return SHAPES[self.marker]

    @property
    def strokes(self) -> str:
        """Its dash as SVG has it, for a line of 2.2 units; nothing where it is solid."""
        return "" if isinstance(self.dash, str) else " ".join(f"{2.2 * part:.1f}" for part in self.dash[1])

    @property
    def letters(self) -> str:
        """What is written upon its colour: white or black, whichever stands out more."""
        # With a light of the colour L the contrasts are 1.05 / (L + 0.05) and (L + 0.05) / 0.05: they are equal at 0.179.
        return "#fff" if light(self.colour) < 0.179 else "#000"


def light(colour: str) -> float:
    """The relative luminance of a colour, from 0 for black to 1 for white.

    Source: WCAG 2.1, as it stands there: www.w3.org/TR/WCAG21/#dfn-relative-luminance.

    >>> light("#ffffff")
    1.0
    """
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


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


def looks_of(plan: Plan, told_apart: Sequence[str]) -> dict[str, ArmStyle]:
    """The style of each arm of a plan.

    Where it is run across some values, a variant has its colour under each, and a value its marker and dash.
    """
    if not plan.across:
        return arm_styles([arm.name for arm in plan.arms], told_apart)
    chosen = [arm for arm in plan.arms if arm.name in told_apart]
    colours = arm_styles([*dict.fromkeys(arm.variant for arm in chosen)])
    marks = arm_styles(plan.values)
    looks = {
        arm.name: evolve(marks[arm.at], colour=colours[arm.variant].colour, in_focus=True) for arm in chosen
    }
    return {arm.name: looks.get(arm.name, IN_GREY) for arm in plan.arms}


IN_GREY = ArmStyle("#a3a6ad", "o", "solid", in_focus=False)
