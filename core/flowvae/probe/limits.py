"""What building an arm may take: the memory that is free, and two minutes. More is a slip of the finger."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from flowvae.errors import Fault, MachineError, RecipeError
from flowvae.recipe import Recipe

BUILD_S = 120
BYTES_PER_WEIGHT = 20
"""Of training: the weight, its gradient, two moments of the optimizer and the average, four bytes each."""

BYTES_OF_PROCESS = 750_000_000
"""Of a run with next to no model, measured: Python, torch, the journal's libraries, a small data set."""
PER_ACTIVATION = 3.5
"""Memory of a step for each byte that the model keeps for its backward pass: gradients and the transforms of the losses
come to it. Measured on percussion_small, which it gives within 5 % for batches of 4, 16 and 256."""

PER_ACTIVATION_OPPOSED = 2.5
"""The same for the phase with discriminators, where all that a step keeps is counted, losses and discriminators too.
Measured on percussion_small_adversarial: 2.4 to 2.8 for batches of 32 to 128."""


@contextmanager
def limited(recipe: Recipe, share: int = 1) -> Iterator[None]:
    """Building is refused memory that the machine does not have, and ended where it does not end by itself.

    `share` is how many do so at a time: each may have its part of what is free.
    """
    with ExitStack() as after:
        _limit_memory(after, share)
        if hasattr(signal, "SIGALRM"):  # elsewhere nothing can end code that hangs in this process
            after.callback(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, _too_long))
            after.callback(signal.alarm, 0)
            signal.alarm(BUILD_S)
        try:
            yield
        except TimeoutError as error:
            raise RecipeError([_endless(recipe)]) from error
        except (RuntimeError, MemoryError) as error:
            if "allocate" not in str(error) and not isinstance(error, MemoryError):
                raise
            raise _too_large(f"the model of {recipe.name} does not fit into memory", recipe) from error


def _limit_memory(after: ExitStack, share: int) -> None:
    free = free_memory()
    if free is None:
        return
    import resource  # noqa: PLC0415 - a system that says what is free has it; Windows has not

    before = resource.getrlimit(resource.RLIMIT_DATA)
    after.callback(resource.setrlimit, resource.RLIMIT_DATA, before)
    # Past this the kernel would not refuse: it would kill whoever asks for a page at the wrong moment.
    resource.setrlimit(resource.RLIMIT_DATA, (_data_size() + free // share, before[1]))


def check_training_memory(recipe: Recipe, parameters: int, free: int | None) -> None:
    """Refuses a model that can be built but not trained; what its activations take is not known here."""
    needed = parameters * BYTES_PER_WEIGHT
    if free is not None and needed > free:
        raise _too_large(
            f"training {recipe.name} takes {needed / 1e9:.1f} GB for its {parameters:,} weights alone; "
            f"{free / 1e9:.1f} GB are free",
            recipe,
        )


def training_memory(recipe: Recipe, parameters: int, kept_a_sound: float, kept_opposed: float = 0.0) -> int:
    """Bytes that a run will take, about.

    `parameters` are those of both players, `kept_a_sound` is what the model keeps of each sound for its backward pass,
    `kept_opposed` what a step keeps of it in the phase with discriminators, where there is one.
    """
    a_sound = max(PER_ACTIVATION * kept_a_sound, PER_ACTIVATION_OPPOSED * kept_opposed)
    return int(BYTES_OF_PROCESS + BYTES_PER_WEIGHT * parameters + a_sound * recipe.train.batch_size)


def free_memory() -> int | None:
    """Bytes that programs can still get, or None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    amounts = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    return min([*amounts, *_left_in_group()], default=None)


def _left_in_group() -> list[int]:
    """A container's own limit, which may be below the machine's."""
    group = Path("/sys/fs/cgroup")
    try:
        most, used = ((group / name).read_text(encoding="ascii") for name in ("memory.max", "memory.current"))
    except OSError:
        return []
    return [int(most) - int(used)] if most.strip().isdigit() else []


def _data_size() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmData:"))


def _too_long(_number: int, _frame: FrameType | None) -> None:
    raise TimeoutError


def _too_large(what: str, recipe: Recipe) -> MachineError:
    counts = ", ".join(f"{path} = {count:,}" for path, count in _counts(recipe)[:3])
    return MachineError(what, where=counts, do="lower what is meant to be small")


def _endless(recipe: Recipe) -> Fault:
    path, count = next(iter(_counts(recipe)), ("model", 0))
    return Fault(f"the model is not built after {BUILD_S} s; is {count:,} meant?", path=path)


def _counts(recipe: Recipe) -> list[tuple[str, int]]:
    """The whole numbers that shape the model, the largest first."""
    found: list[tuple[str, int]] = []
    for path, value in recipe.leaves().items():
        if path.startswith("model.") and path.count(".") > 1:
            found += [(path, v) for v in (value if isinstance(value, tuple) else (value,)) if type(v) is int]
    return sorted(found, key=lambda pair: -pair[1])
