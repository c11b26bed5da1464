"""A plugin: who it is, what it offers, and how it fared."""

from typing import Any, Literal, NamedTuple

from attrs import define, field

GROUP = "flowvae"
OWN = "flowvae"


class KindOffer(NamedTuple):
    """What `flowvae_kinds` registers."""

    kind: str
    contract: str
    checks: str = ""


class ComponentOffer(NamedTuple):
    """What `flowvae_components` registers."""

    kind: str
    name: str
    target: str | Any
    """ "package.module:Name", or the object itself."""
    given: tuple[str, ...] = ()


@define(eq=False)
class Plugin:
    """An installed distribution's entry point, or a module at hand."""

    name: str
    """The entry point's name."""
    distribution: str
    version: str
    module: Any = None
    """Where the hooks are, for a plugin that is in this process."""
    module_name: str = ""
    state: Literal["ready", "broken"] = "ready"
    problem: str = ""
    """Why it is broken, in one line."""
    trace: str = field(default="", repr=False)
    seconds: float = 0.0
    """The time that its import took."""
    notes: list[str] = field(factory=list)
    """What its authors should know: deprecations, a slow import, meddling."""
    kinds: tuple[KindOffer, ...] = ()
    components: tuple[ComponentOffer, ...] = field(default=(), repr=False)

    @property
    def owner(self) -> str:
        """Who to turn to: distribution and version."""
        return f"{self.distribution} {self.version}"

    def note(self, what: str) -> None:
        """What its authors should know, once."""
        if what not in self.notes:
            self.notes.append(what)

    def fail(self, problem: str, trace: str = "") -> None:
        """Takes the plugin out of use and keeps the reason; half of what a plugin offers is no offer."""
        self.state, self.problem, self.trace = "broken", problem, trace
        self.kinds, self.components = (), ()
