"""The tables of a recipe: the one list of them, from which resolving, checking, writing, schema and reference follow.

A table is a class, a key is a field of it, and the field's meaning is what the reference says. A new key is a new field; a
new table is a class and a field of Recipe.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import attrs
from attrs import frozen

from flowvae.catalogue.signature import Parameter
from flowvae.recipe.keys import entries, key, parameters, slot, slots_of, summary, table
from flowvae.recipe.node import Dropped
from flowvae.recipe.part import Part, held, keys_of, leaves

EXTENDS = "The recipe that this one is laid over: a file beside it, or the name of a shipped one."
"""Gone when the resolver begins, so it is no field."""
DEFAULTS = "What fills every slot of a kind that does not say otherwise: kind = component."
"""Gone when the resolver ends: by then it stands in the slots."""


DATA_KEYS = (
    Parameter(
        "held_out",
        float,
        None,
        0.2,
        "share of the sounds that is kept for validation, in whole groups",
        0,
        0.9,
    ),
    Parameter(
        "slack_ms",
        float,
        None,
        10.0,
        "sound kept before and after each clip, for augmentations that shift",
        0,
        10_000,
    ),
    Parameter(
        "split_by",
        Literal["auto", "folder", "file", "class"],
        None,
        "auto",
        "what is held out as one: auto: the kit (the deepest folder that is not named for an instrument), without kits "
        "each sound; folder: the group that the data set gives; file: each sound; class: all sounds of an instrument",
    ),
    Parameter("strict", bool, None, default=False, meaning="stop when a sound has to be skipped"),
    Parameter(
        "most_skipped",
        float,
        None,
        0.5,
        "share of the sounds that may have to be skipped; 1: all but two. What is no sound, or there twice, does not count",
        0,
        1,
    ),
)
LOSS_KEYS = (Parameter("weight", float, None, 1.0, "what the loss is multiplied by", 0),)


MATCHING_KEYS = (Parameter("weight", float, None, 1.0, "what the distance is multiplied by", 0),)


@frozen
class ModelSection:
    """The model: audio to latent vector and back."""

    n_samples: int = key("length of a clip in samples; part of the architecture", least=64, most=1 << 22)
    bands: Part = slot("bands", "how the network sees audio")
    encoder: Part = slot("encoder", "sound to one vector")
    posterior: Part = slot("posterior", "vector to a distribution over latent vectors")
    prior: Part = slot("prior", "the distribution that new sounds are drawn from")
    decoder: Part = slot("decoder", "latent vector to sound")
    sample_rate: int = key("samples a second", 44100, least=1000, most=768_000)
    channels: int = key("1 for mono, 2 for stereo", 1, least=1, most=32)
    latent_dim: int = key("width of the latent vector", 128, least=1, most=65_536)


@frozen
class TrainSection:
    """How the model is trained."""

    steps: int = key("number of steps", least=1, most=100_000_000)
    batch_size: int = key("sounds a step", least=1, most=65_536, formerly="batch")
    optimizer: Part = slot("optimizer", "what moves the weights")
    schedule: Part = slot("schedule", "the learning rate over the run")
    clip: float | None = key("largest norm of the gradient", None, least=0.0)
    ema: float | None = key(
        "decay of the average of the weights that is evaluated", None, least=0.0, most=1.0
    )
    precision: Literal["auto", "fp32", "bf16"] = key(
        "of encoder and decoder; auto: bf16 on a GPU that has it, else fp32. On a CPU with avx512_bf16 or amx, bf16 takes "
        "1.2 to 1.4 times less time where channels are many, and gains nothing in small models; try both",
        "auto",
    )
    checkpoint_every: int = key("steps between checkpoints", 500, least=1)


@frozen
class AdversarialKeys:
    """The second player: discriminators learn to tell sounds from reconstructions, and the model to deceive them."""

    discriminators: Mapping[str, Part] = slot("discriminator", "who judges", many=True)
    optimizer: Part = slot("optimizer", "what moves the weights of the discriminators")
    schedule: Part = slot("schedule", "their learning rate over the phase")
    from_step: int = key(
        "the first step of the phase; before it, the model trains without discriminators",
        0,
        least=0,
        most=100_000_000,
    )
    freeze: tuple[str, ...] = key("what stays as it is from then on, to the bit, such as model.encoder", ())
    weight: float = key("what the model's adversarial loss is multiplied by", 1.0, least=0)
    warmup_steps: int = key("steps over which that weight rises from 0", 0, least=0, most=100_000_000)
    feature_matching: Part | None = slot(
        "feature_matching",
        "the distance between what discriminators see in a sound and in its reconstruction",
        None,
        own_keys=MATCHING_KEYS,
    )
    over_discriminators: Literal["mean", "sum"] = key(
        "how the losses of all sub-discriminators become one; with the sum, more of them weigh more", "mean"
    )
    conditioning: Part | None = slot(
        "conditioning", "what is done to a sound before they hear it; none: they hear it as it is", None
    )
    hears_samples: int | None = key(
        "length of the part of each clip that they hear, at a place drawn for each step; none: the whole clip",
        None,
        least=64,
        most=1 << 22,
    )
    balance: Part | None = slot(
        "balance", "what weighs the losses at the reconstruction; none: their weights alone", None
    )
    discriminator_every: int = key(
        "steps of the model for each step of the discriminators", 1, least=1, most=1_000_000
    )
    clip: float | None = key("largest norm of the discriminators' gradient", None, least=0.0)


@frozen
class PriorFitSection:
    """The prior alone, fitted to the codes of a model that no longer moves."""

    optimizer: Part = slot("optimizer", "what moves the weights of the prior")
    schedule: Part = slot("schedule", "their learning rate over the phase")
    from_step: int = key(
        "the first step of the phase, in which nothing but the prior moves; 0: all of it, for a model of another run",
        0,
        least=0,
        most=100_000_000,
    )
    clip: float | None = key("largest norm of the prior's gradient", None, least=0.0)


@frozen
class StartSection:
    """Weights of a finished run to begin with; its optimizer is left behind."""

    from_: Path = key(
        "the folder of the run; {seed} in it stands for the seed, which pairs each run with its own",
        written="from",
    )
    take: tuple[str, ...] = key(
        "modules whose weights are taken, such as model.decoder, or adversarial.discriminators.NAME",
        ("model",),
    )
    partly: bool = key(
        "whether weights that have no counterpart of their name and shape may begin anew, or be left",
        default=False,
    )


@frozen
class EvaluationSection:
    """What is measured on held-out sounds."""

    metrics: Mapping[str, Part] = slot("metric", "figures to report", many=True)
    references: Mapping[str, Part] = slot(
        "reference", "what is measured beside the arms and never trained", attrs.Factory(dict), many=True
    )
    every: int = key("steps between validations", 500, least=1)
    curve_points: int = key(
        "points of a curve after the start, at the least; where validations are fewer, a quarter of the sounds is measured in "
        "between, without audio",
        6,
        least=1,
        most=1000,
    )
    sounds: int = key("held-out sounds that are measured", 64, least=1, most=100_000)
    audio_examples: int = key(
        "held-out sounds that are written as audio", 6, least=0, most=1000, formerly="clips"
    )
    final_audio: int = key(
        "held-out sounds, the examples among them, that are written as audio after the last step: of these a report shows the "
        "worst, the median and the best of each class",
        64,
        least=0,
        most=100_000,
    )
    prior_samples: int = key("sounds drawn from the prior", 16, least=1, most=100_000, formerly="samples")


@frozen
class SeedsUntilShown:
    """Seeds that are added to all arms until every comparison is decided, at looks that are planned before the first step.

    All looks together claim falsely in at most one of twenty ablations. Adding seeds after a look at the page, without
    this table, costs more of the level; `flowvae check` says what each look may claim.
    """

    first: int = key("runs of each arm by the first look", least=2, most=1000)
    most: int = key("runs of each arm by the last look", least=3, most=1000)
    looks: int = key("how many looks, evenly spaced", least=2, most=20)

    @property
    def counts(self) -> tuple[int, ...]:
        """The seeds at each look.

        >>> SeedsUntilShown(first=6, most=12, looks=3).counts
        (6, 9, 12)
        """
        more, last = self.most - self.first, self.looks - 1
        return tuple(self.first + (2 * more * i + last) // (2 * last) for i in range(self.looks))


@frozen
class MatchSection:
    """A width that is scaled in each alternative until it costs what the baseline costs, so that cost explains no difference."""

    by: str = key("the key path of a whole number of a part of the model; the baseline keeps its own")
    what: Literal["parameters", "multiply_adds", "seconds"] = key(
        "what is made equal; parameters: the weights of the model; multiply_adds: what a second of audio takes there and back; seconds: "
        "processor time of steps of training, which is measured and so comes with a spread",
        "parameters",
    )


@frozen
class AblationSection:
    """What is compared, fixed before the first step."""

    metric: str = key("the primary metric, one of evaluation.metrics")
    vary: Mapping[str, Any] = key("key path to alternatives, the first is the baseline")
    across: Mapping[str, Any] = key(
        'one key path to two values or more, such as { "train.steps" = [1250, 5000] }: all arms are run at each, beside the '
        "baseline at the same value; the report says where a verdict holds, and by how much a difference changes",
        attrs.Factory(dict),
    )
    leave_one_out: str = key(
        "a table of parts, such as augmentations, losses or adversarial.discriminators: an arm for each that lacks it",
        "",
    )
    names: Mapping[str, str] = key(
        "what arms are called instead: the name that flowvae gives, and yours", attrs.Factory(dict)
    )
    reasons: Mapping[str, str] = key(
        "why an arm changes more than what is varied: its name, and your words", attrs.Factory(dict)
    )
    question: str = key("what the ablation asks", "")
    seeds: SeedsUntilShown | int = key(
        "runs of each arm; or the looks at which seeds are added until every comparison is decided, as in "
        "{ first = 6, most = 12, looks = 3 }: at 6 seeds, 9 and 12, with at most 5 % false claims over all looks together",
        6,
        least=1,
        most=1000,
    )
    worthwhile_difference: float | None = key(
        "the smallest difference of the primary metric that would matter, in its unit", None, least=0.0
    )
    pairs: tuple[tuple[str, str], ...] = key(
        "arms that are compared with each other besides, by their names: the second beside the first", ()
    )
    cross: bool = key("every combination of the alternatives instead of one change at a time", default=False)
    match: MatchSection | None = table(MatchSection, None)

    @property
    def counts(self) -> tuple[int, ...]:
        """The seeds at each look; there is one where the recipe plans no more."""
        return (self.seeds,) if isinstance(self.seeds, int) else self.seeds.counts


@frozen
class ExecutionSection:
    """Where and how the runs are executed. Nothing here changes a result but for the last bits."""

    executor: Part = slot("executor", "who runs the runs")
    device: str = key(
        '"cpu"; "cuda": a device for each run, as they become free; "cuda:1" ...: that one; '
        '"auto": "cuda" where there is one',
        "auto",
    )
    threads: int = key("threads of one run on the CPU; 0: as many as the runs leave", 1, least=0, most=1024)
    stall_timeout: float | Literal[False] = key(
        "seconds without a sign of progress (a step, a batch of a validation, a metric, a save, a sound that was read) after "
        "which a run is ended with its stacks in error.txt and exit status 10; 0 or false: never",
        1800.0,
        least=0,
        most=10_000_000,
    )
    compile: Literal["never", "auto", "always"] = key(
        "whether encoder and decoder go through torch's compiler, which needs one for C++, or for a GPU triton and one for "
        "C; auto: in runs that are long enough to win back what it takes, on a CPU one to three minutes. It made percussion "
        "1.15 times and rave_v2 1.05 times faster, and made the first step of either ten to twenty seconds long",
        "never",
    )


@frozen(eq=False, kw_only=True, slots=False)
class Recipe:
    """All that a run needs to know: a field for each table, in the order that one reads them."""

    name: str
    origins: Mapping[str, str]
    """Key path to where the value comes from."""
    dropped: tuple[Dropped, ...]
    """Values of a base that went with the component that they were for."""

    seed: int = key("of a single run; an ablation counts its seeds from here", 0)
    description: str = key("what the recipe is for", "")
    requires: tuple[str, ...] = key('plugins that the recipe needs, as in "drumkit-extras>=1.0"', ())
    may_be_unused: tuple[str, ...] = key("key paths that may have no effect", ())

    data: Part = slot("dataset", "the sounds", own_keys=DATA_KEYS)
    augmentations: Mapping[str, Part] = slot(
        "augmentation", "what is done to a batch, in this order", attrs.Factory(dict), many=True
    )
    model: ModelSection = table(ModelSection)
    losses: Mapping[str, Part] = slot(
        "loss", "what a reconstruction is trained by", many=True, own_keys=LOSS_KEYS
    )
    regularizer: Part = slot("regularizer", "what keeps the posterior near the prior")
    adversarial: Part | None = slot(
        "adversarial", summary(AdversarialKeys), None, own_keys=parameters(AdversarialKeys)
    )
    prior_fit: PriorFitSection | None = table(PriorFitSection, None)
    start: StartSection | None = table(StartSection, None)
    train: TrainSection = table(TrainSection)
    evaluation: EvaluationSection = table(EvaluationSection)
    ablation: AblationSection | None = table(AblationSection, None)
    execution: ExecutionSection = table(ExecutionSection)

    @property
    def second_player(self) -> AdversarialKeys | None:
        """The keys of the adversarial table beside the pair of losses, where there is one."""
        return AdversarialKeys(**self.adversarial.extras) if self.adversarial else None

    @property
    def model_steps(self) -> int:
        """The steps in which more than the prior is trained: what the model's schedules run over."""
        return (self.prior_fit.from_step if self.prior_fit else 0) or self.train.steps

    def parts(self) -> Iterator[Part]:
        """Every component in use, nested ones included."""
        for _, part in self.slots():
            yield from part.parts()

    def slots(self) -> Iterator[tuple[str, Part]]:
        """The outermost components with their key paths."""
        for name, content in self.tables():
            if isinstance(content, Part | Mapping):
                yield from held({name: content})
            else:
                yield from held({f"{name}.{k}": v for k, v in keys_of(content).items()})

    def tables(self) -> Iterator[tuple[str, Any]]:
        """The tables that make a run, in the order of a recipe; how runs are compared is not among them."""
        for name, entry in entries(Recipe).items():
            content = getattr(self, name)
            if (entry.section or entry.parameter.slot) and name != "ablation" and content is not None:
                yield name, content

    def leaves(self) -> dict[str, Any]:
        """The whole recipe as key path to value; a path of the file system is a Path."""
        return dict(self._leaves)

    @cached_property
    def _leaves(self) -> Mapping[str, Any]:
        # Arms and seeds are compared and hashed leaf by leaf, again and again.
        return dict(leaves({"seed": self.seed, **dict(self.tables())}))


def named_slots() -> Iterator[str]:
    """The key paths whose tables hold parts by name."""
    yield from (path for path, slot_ in slots_of(Recipe) if slot_.many)


def slots_with_own_keys() -> Iterator[tuple[str, frozenset[str]]]:
    """The key paths of slots whose tables have keys of flowvae's own, with these."""
    for path, slot_ in slots_of(Recipe):
        if slot_.own_keys:
            yield path, frozenset(own.name for own in slot_.own_keys)


def own_keys(kind: str) -> tuple[Parameter, ...]:
    """The keys that flowvae adds to the tables of a kind's components, such as the weight of a loss."""
    return tuple(own for _, slot_ in slots_of(Recipe) if slot_.kind == kind for own in slot_.own_keys)
