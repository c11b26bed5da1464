"""Whether a checkpoint holds all that matters: one is taken up by a second build, and both take the same step."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from attrs import define
from torch import Tensor, nn

from flowvae.errors import CheckpointError
from flowvae.training.training import Training

SIMPLE = (bool, int, float, str, Tensor)


@define(eq=False)
class SelfCheck:
    """Holds a checkpoint until the run has taken its next step, and takes that step from the checkpoint as well.

    The run itself is not touched, and torch's own generators are as they were. What it takes is no part of the training.
    """

    build: Callable[[], Training]
    """The training anew, as a process that takes it up has it."""
    files: Mapping[str, bytes] | None = None
    seconds: float = 0.0

    def differences(self, training: Training, step: int, figures: Mapping[str, Tensor]) -> tuple[str, ...]:
        """The parts that are not what they were; `figures` are those of the step, taken after the checkpoint."""
        assert self.files is not None
        started, files = time.monotonic(), self.files
        self.files = None
        try:
            with torch.random.fork_rng([]):
                again = self.build()
                again.state.restore(files)
                theirs = again.step(step)
            again.state.step = training.state.step
            return _told(training, again, figures, theirs)
        except CheckpointError as error:
            return (f"a part that cannot take up its own state ({error.what})",)
        finally:
            self.seconds = time.monotonic() - started


def _told(
    one: Training, other: Training, figures: Mapping[str, Tensor], theirs: Mapping[str, Tensor]
) -> tuple[str, ...]:
    """What differs, by the part where that can be told."""
    if _same(dict(figures), dict(theirs)) and _same(one.state.content(), other.state.content()):
        return ()
    changed = dict.fromkeys(_changed(one, other)) or dict.fromkeys(_first(figures, theirs))
    return tuple(changed) or ("a part that cannot be told",)


def _changed(one: Training, other: Training) -> Iterator[str]:
    """What the parts keep beside their state, where both do not keep the same."""
    for name, part in _parts(one).items():
        there = _parts(other).get(name)
        for path, mine, theirs in _pairs(name, part, there):
            for key, value in _attributes(mine).items():
                if not _same(value, _attributes(theirs).get(key)):
                    yield f"{path} ({type(mine).__name__}.{key})"


def _pairs(name: str, one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    if not isinstance(one, nn.Module) or not isinstance(other, nn.Module):
        yield name, one, other
        return
    others = dict(other.named_modules())
    for path, module in one.named_modules():
        yield f"{name}.{path}".rstrip("."), module, others.get(path)
    # A buffer that is not saved is part of no state.
    there = dict(other.named_buffers())
    for path, buffer in one.named_buffers():
        if not _same(buffer, there.get(path)):
            owner, _, own = path.rpartition(".")
            yield f"{name}.{owner}".rstrip("."), _Buffer({own: buffer}), _Buffer({own: there.get(path)})


class _Buffer(dict[str, Any]):
    """A buffer in the place of the module that has it."""


def _attributes(part: Any) -> dict[str, Any]:
    if isinstance(part, _Buffer):
        return dict(part)
    found = getattr(part, "__dict__", {})
    return {k: v for k, v in found.items() if isinstance(v, SIMPLE) and k != "training"}


def _parts(training: Training) -> dict[str, Any]:
    parts = training.parts
    found = {
        "model": parts.model,
        **{f"losses.{name}": loss for name, loss in parts.losses.items()},
        **{f"augmentations.{name}": augment for name, augment in parts.augmentations.items()},
        "regularizer": parts.regularizer,
        "train.schedule": parts.schedule,
        **training.state.optimizers,
    }
    return found | (dict(parts.second_player.named()) if parts.second_player else {})


def _first(figures: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> Iterator[str]:
    """The figures in which the step differs: losses say of themselves what they are."""
    differing = [name for name in figures if not _same(figures[name], theirs.get(name))]
    apart = [name for name in differing if "loss/" in name or name.endswith(("adversarial", "matching"))]
    yield from (f"what makes {name}" for name in apart or differing)


def _same(one: Any, other: Any) -> bool:
    """Equal to the last bit; what is no number equals itself."""
    match one:
        case Tensor():
            return (
                isinstance(other, Tensor)
                and one.shape == other.shape
                and one.dtype == other.dtype
                and bool(torch.equal(torch.nan_to_num(one), torch.nan_to_num(other)))
            )
        case dict():
            return (
                isinstance(other, dict)
                and one.keys() == other.keys()
                and all(_same(value, other[key]) for key, value in one.items())
            )
        case list() | tuple():
            return (
                isinstance(other, list | tuple)
                and len(one) == len(other)
                and all(_same(a, b) for a, b in zip(one, other, strict=True))
            )
        case _:
            return bool(one == other) or (one != one and other != other)  # noqa: PLR0124 - NaN is what is not itself
