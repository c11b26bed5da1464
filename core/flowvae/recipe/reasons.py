"""Why an arm changes more than what the ablation varies, in its author's words."""

from collections.abc import Sequence

from flowvae.catalogue import Catalogue
from flowvae.errors import Fault
from flowvae.recipe.arm import Arm, unknown_arm
from flowvae.recipe.node import Source
from flowvae.recipe.tables import Recipe
from flowvae.text import toml_like

HERE = "ablation.reasons"


def reason_for(baseline: Recipe, name: str) -> str:
    """What the recipe says of an arm; nothing where it says nothing."""
    return baseline.ablation.reasons.get(name, "").strip() if baseline.ablation else ""


def said_of(name: str, reason: str) -> str:
    """The line below an arm's flags: its reason, or what to write for one.

    >>> said_of("elu", "it has no rate")
    'reason: it has no rate'
    >>> said_of("elu", "")
    'no reason given: say why under [ablation.reasons], elu = "..."'
    """
    # A dot in a bare key would open a table, so a name with one is quoted.
    key = toml_like(name) if "." in name else name
    return f"reason: {reason}" if reason else f'no reason given: say why under [{HERE}], {key} = "..."'


def faults_of_reasons(arms: Sequence[Arm], source: Source, catalogue: Catalogue) -> list[Fault]:
    """A reason is for an arm that there is. Whether it explains anything is known once the arm was built."""
    node, names = source.root.value["ablation"].value.get("reasons"), [arm.name for arm in arms]
    given = node.value if node is not None and isinstance(node.value, dict) else {}
    return [
        unknown_arm(name, names, child.key_place, HERE, catalogue)
        for name, child in given.items()
        if name not in names
    ]
