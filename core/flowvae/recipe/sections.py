"""The tables of a recipe. Every key is a field; its comment is what `flowvae explain` says."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs
from attrs import frozen

from flowvae.catalogue.signature import REQUIRED, Parameter, Slot

if TYPE_CHECKING:
    from flowvae.recipe.resolved import Part


def key(
    meaning: str, default: Any = attrs.NOTHING, *, least: float | None = None, most: float | None = None
) -> Any:
    """A field that holds a value."""
    return attrs.field(default=default, metadata={"meaning": meaning, "least": least, "most": most})


def slot(
    kind: str,
    meaning: str,
    default: Any = attrs.NOTHING,
    *,
    many: bool = False,
    extras: tuple[Parameter, ...] = (),
) -> Any:
    """A field that holds a component; `extras` are keys of its table that belong to flowvae."""
    return attrs.field(
        default=default,
        metadata={"meaning": meaning, "slot": Slot(kind, many, optional=default is None), "extras": extras},
    )


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
)
LOSS_KEYS = (Parameter("weight", float, None, 1.0, "what the loss is multiplied by", 0),)


@frozen
class ModelSection:
    """The model: audio to latent vector and back."""

    n_samples: int = key("length of a clip in samples; part of the architecture", least=64, most=1 << 22)
    bands: "Part" = slot("bands", "how the network sees audio")
    encoder: "Part" = slot("encoder", "sound to one vector")
    posterior: "Part" = slot("posterior", "vector to a distribution over latent vectors")
    prior: "Part" = slot("prior", "the distribution that new sounds are drawn from")
    decoder: "Part" = slot("decoder", "latent vector to sound")
    sample_rate: int = key("samples a second", 44100, least=1000, most=768_000)
    channels: int = key("1 for mono, 2 for stereo", 1, least=1, most=32)
    latent_dim: int = key("width of the latent vector", 128, least=1, most=65_536)


@frozen
class TrainSection:
    """How the model is trained."""

    steps: int = key("number of steps", least=1, most=100_000_000)
    batch: int = key("sounds a step", least=1, most=65_536)
    optimizer: "Part" = slot("optimizer", "what moves the weights")
    schedule: "Part" = slot("schedule", "the learning rate over the run")
    clip: float | None = key("largest norm of the gradient", None, least=0.0)
    ema: float | None = key(
        "decay of the average of the weights that is evaluated", None, least=0.0, most=1.0
    )
    precision: Literal["auto", "fp32", "bf16"] = key(
        "of encoder and decoder; auto: bf16 where it is faster", "auto"
    )
    checkpoint_every: int = key("steps between checkpoints", 500, least=1)


@frozen
class EvaluationSection:
    """What is measured on held-out sounds."""

    metrics: "tuple[Part, ...]" = slot("metric", "figures to report", many=True)
    every: int = key("steps between validations", 500, least=1)
    sounds: int = key("held-out sounds that are measured", 64, least=1, most=100_000)
    clips: int = key("held-out sounds that are written as audio", 6, least=0, most=1000)
    samples: int = key("sounds drawn from the prior", 16, least=1, most=100_000)


@frozen
class AblationSection:
    """What is compared, fixed before the first step."""

    metric: str = key("the primary metric, one of evaluation.metrics")
    vary: Mapping[str, Any] = key("key path to alternatives, the first is the baseline")
    question: str = key("what the ablation asks", "")
    seeds: int = key("runs of each arm", 6, least=1, most=1000)
    cross: bool = key("every combination of the alternatives instead of one change at a time", default=False)


@frozen
class ExecutionSection:
    """Where and how the runs are executed. Nothing here changes a result but for the last bits."""

    executor: "Part" = slot("executor", "who runs the runs")
    device: str = key('"cpu", "cuda", "cuda:1" ..., or "auto"', "auto")
    threads: int = key("threads of one run on the CPU; 0: as many as the runs leave", 1, least=0, most=1024)


def parameters(section: type) -> dict[str, Parameter]:
    """The fields of a section as parameters."""
    found = {}
    for field in attrs.fields(section):
        meta = field.metadata
        default = REQUIRED if field.default is attrs.NOTHING else field.default
        slot_ = meta.get("slot")
        found[field.name] = Parameter(
            field.name,
            None if slot_ else field.type,
            slot_,
            default,
            meta["meaning"],
            meta.get("least"),
            meta.get("most"),
        )
    return found
