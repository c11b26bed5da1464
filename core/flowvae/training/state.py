"""Everything that a run must remember: named modules, named optimizers, the step.

Whatever a part keeps goes into the checkpoint: the weights and buffers of modules, what an optimizer holds for each weight
and in its groups, and the state of any part that has `state_dict` and `load_state_dict`.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

import torch
from attrs import define, field
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn, optim

from flowvae.errors import CheckpointError, PluginError, lacks_memory
from flowvae.folder.checkpoint import STATE, TENSORS, UNREADABLE, read_state


@runtime_checkable
class Stateful(Protocol):
    """A part that says what it must remember, in the manner of torch's modules."""

    def state_dict(self) -> Mapping[str, Any]: ...
    def load_state_dict(self, state: Any) -> Any: ...


@define(eq=False)
class TrainingState:
    """What changes during a run."""

    modules: Mapping[str, Stateful]
    optimizers: Mapping[str, optim.Optimizer]
    step: int = 0
    _never_finite: frozenset[str] = field(init=False)
    """Tensors that hold an infinity by design, as masks do."""

    def __attrs_post_init__(self) -> None:
        found = {name: tensor.isfinite().all() for name, tensor in _floating(self)}
        self._never_finite = frozenset(name for name, fine in found.items() if not bool(fine))

    def files(self, **content: Any) -> dict[str, bytes]:
        """The state as files of a checkpoint; `content` is kept beside it."""
        kept = self.content()
        tensors = kept.pop("tensors")
        text = json.dumps({"step": self.step, **content, **kept}, indent=1)
        return {TENSORS: save(_unshared(tensors)), STATE: text.encode()}

    def content(self) -> dict[str, Any]:
        """All that is remembered: `tensors` by their names, and `modules` and `optimizers` with the names in their place."""
        tensors: dict[str, Tensor] = {}
        modules = {n: _apart(m.state_dict(), f"weights.{n}", tensors) for n, m in self.modules.items()}
        optimizers = {n: _apart(_of(o), n, tensors) for n, o in self.optimizers.items()}
        return {"modules": modules, "optimizers": optimizers, "tensors": tensors}

    def first_overflow(self) -> str | None:
        """The name of a tensor that was finite when it was made and is not any more; it waits for the device."""
        found = {name: tensor for name, tensor in _floating(self) if name not in self._never_finite}
        if not found:
            return None
        whole = torch.stack([tensor.isfinite().all().cpu() for tensor in found.values()])
        return next((name for name, fine in zip(found, whole.tolist(), strict=True) if not fine), None)

    def restore(self, files: Mapping[str, bytes]) -> dict[str, Any]:
        """Takes the state of a checkpoint, and gives what was kept beside it; CheckpointError where a part is lacking."""
        content: dict[str, Any] = read_state(files)
        with _readable():
            tensors = load(files[TENSORS])
            self.step = int(content["step"])
            modules, optimizers = dict(content["modules"]), dict(content["optimizers"])
        if modules.keys() != self.modules.keys() or optimizers.keys() != self.optimizers.keys():
            raise CheckpointError("the checkpoint was made by other players", do="choose another --out")
        with _readable():
            for name, module in self.modules.items():
                restore_part(module, _together(modules[name], tensors))
            for name, optimizer in self.optimizers.items():
                _restore_optimizer(optimizer, _together(optimizers[name], tensors))
        return content


@contextmanager
def _readable() -> Iterator[None]:
    """What a checkpoint raises that somebody has changed is told as such; a lack of memory is none of its faults."""
    try:
        yield
    except (*UNREADABLE, SafetensorError, RuntimeError, AssertionError) as error:
        if lacks_memory(error):
            raise
        said = str(error).partition("\n")[0][:120]
        raise CheckpointError(f"the checkpoint cannot be read ({type(error).__name__}: {said})") from error


def _floating(state: TrainingState) -> Iterator[tuple[str, Tensor]]:
    """The tensors that overflow can spoil: weights and buffers, and what the optimizers keep of each weight."""
    for name, module in state.modules.items():
        if isinstance(module, nn.Module):
            for path, tensor in module.state_dict().items():
                if isinstance(tensor, Tensor) and tensor.is_floating_point():
                    yield f"{name}.{path}", tensor
    for name, optimizer in state.optimizers.items():
        for index, entry in enumerate(optimizer.state.values()):
            for key, tensor in entry.items():
                if isinstance(tensor, Tensor) and tensor.is_floating_point():
                    yield f"{name}.{index}.{key}", tensor


TENSOR, PAIRS, TUPLE = "$tensor", "$pairs", "$tuple"
"""Marks in what is written as JSON: the place of a tensor, a table whose keys are no text, a tuple."""


def state_of(files: Mapping[str, bytes], name: str) -> dict[str, Any] | None:
    """What a checkpoint holds of one module, None where it knows no such module."""
    kept = read_state(files).get("modules")
    if not isinstance(kept, dict) or name not in kept:
        return None
    with _readable():
        return dict(_together(kept[name], load(files[TENSORS])))


def _of(optimizer: optim.Optimizer) -> dict[str, Any]:
    """An optimizer's state with the entries for each weight at the top, and its groups without the weights."""
    state = dict(optimizer.state_dict())
    groups = [{k: v for k, v in g.items() if k != "params"} for g in state.pop("param_groups")]
    return {
        **{str(index): entry for index, entry in state.pop("state").items()},
        "groups": groups,
        "more": state,
    }


def _apart(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """A state with its tensors taken out of it, each under the path that leads to it; `_together` gives it back."""
    if isinstance(value, Tensor):
        tensors[name] = value.detach()
        return {TENSOR: name}
    if isinstance(value, Mapping):
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: _apart(child, f"{name}.{key}", tensors) for key, child in value.items()}
        keys = [_apart(key, f"{name}.keys", tensors) for key in value]
        rows = [_apart(child, f"{name}.{key}", tensors) for key, child in value.items()]
        return {PAIRS: [list(pair) for pair in zip(keys, rows, strict=True)]}
    if isinstance(value, tuple):
        return {TUPLE: _apart(list(value), name, tensors)}
    if isinstance(value, list):
        return [_apart(child, f"{name}.{index}", tensors) for index, child in enumerate(value)]
    if value is None or type(value) in {bool, int, float, str}:
        return value
    what = (
        f"{name} is a {type(value).__name__}: a checkpoint holds tensors, numbers, text, and tables of these"
    )
    raise PluginError(what, do="let its state_dict say it in such values")


def _together(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    match value:
        case {"$tensor": name}:
            if name not in tensors:
                what = f"the checkpoint lacks {name}"
                raise CheckpointError(what, do="it was made by another recipe or version")
            return tensors[name]
        case {"$pairs": pairs}:
            return {_together(key, tensors): _together(child, tensors) for key, child in pairs}
        case {"$tuple": items}:
            return tuple(_together(items, tensors))
        case dict():
            return {key: _together(child, tensors) for key, child in value.items()}
        case list():
            return [_together(child, tensors) for child in value]
        case _:
            return value


def _unshared(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors that each have their own memory: tied weights and views are written once for each of their names."""
    seen: set[int] = set()
    found = {}
    for name, tensor in tensors.items():
        own = tensor.cpu().contiguous()
        shared = own.untyped_storage().data_ptr() in seen or own.untyped_storage().nbytes() != own.nbytes
        seen.add(own.untyped_storage().data_ptr())
        found[name] = own.clone() if shared else own
    return found


def restore_part(part: Stateful, state: Mapping[str, Any]) -> None:
    """Gives a part what it had; CheckpointError where a module has other weights."""
    if not isinstance(part, nn.Module):
        part.load_state_dict(state)
        return
    tensors = {name: value for name, value in state.items() if isinstance(value, Tensor)}
    _make_room(part, tensors)
    expected = {name: value for name, value in part.state_dict().items() if isinstance(value, Tensor)}
    _same_names(expected, tensors)
    # In place, tensor by tensor: tied weights stay tied, and views stay views.
    with torch.no_grad():
        for name, tensor in expected.items():
            fill(tensor, tensors[name])
    extra = {name: value for name, value in state.items() if not isinstance(value, Tensor)}
    if extra:
        part.load_state_dict({**part.state_dict(), **extra})


def _make_room(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """A buffer that begins with the first batch, or grows, is there again, empty and in its size."""
    device = next((t.device for t in (*module.parameters(), *module.buffers())), torch.device("cpu"))
    for path, tensor in tensors.items():
        owner, _, name = path.rpartition(".")
        try:
            holder = module.get_submodule(owner)
        except AttributeError:
            continue  # told with the other names
        if name in holder._buffers:  # noqa: SLF001 - torch tells of buffers that are None nowhere else
            there = holder._buffers[name]  # noqa: SLF001 - the same
            if there is None or there.shape != tensor.shape:
                holder.register_buffer(name, torch.empty_like(tensor, device=device))


def fill(tensor: Tensor, source: Tensor) -> None:
    """Copies; an expanded tensor has one value in memory for many places."""
    for axis, stride in enumerate(tensor.stride()):
        if stride == 0:
            tensor, source = tensor.narrow(axis, 0, 1), source.narrow(axis, 0, 1)
    tensor.copy_(source)


def _restore_optimizer(optimizer: optim.Optimizer, state: dict[str, Any]) -> None:
    known = optimizer.state_dict()
    groups, more = state.pop("groups"), state.pop("more")
    count = sum(len(group["params"]) for group in known["param_groups"])
    if len(groups) != len(known["param_groups"]) or not {*state} <= {str(i) for i in range(count)}:
        raise CheckpointError("the checkpoint's optimizer had other weights", do="choose another --out")
    merged = [{**old, **group} for old, group in zip(known["param_groups"], groups, strict=True)]
    entries = {int(index): entry for index, entry in state.items()}
    optimizer.load_state_dict({**more, "state": entries, "param_groups": merged})
    _keep_precision(optimizer, entries)


def _keep_precision(optimizer: optim.Optimizer, entries: Mapping[int, Mapping[str, Any]]) -> None:
    """Loading casts to the type of the weight; a sum that was kept in more digits needs them again."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    for index, entry in entries.items():
        held = optimizer.state[weights[index]]
        for name, value in entry.items():
            if isinstance(value, Tensor) and held[name].dtype != value.dtype:
                held[name] = value.to(held[name].device)


def _same_names(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    missing, strange = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    wrong = [
        n
        for n in expected.keys() & found.keys()
        if expected[n].shape != found[n].shape or expected[n].dtype != found[n].dtype
    ]
    if missing or strange or wrong:
        parts = [
            f"{what} {', '.join(names[:3])}"
            for what, names in (
                ("lacks", missing),
                ("has besides", strange),
                ("has in another shape", sorted(wrong)),
            )
            if names
        ]
        raise CheckpointError(
            "the checkpoint " + "; ".join(parts), do="it was made by another recipe or version"
        )


def stateful(parts: Mapping[str, Any]) -> Iterator[tuple[str, Stateful]]:
    """The parts that keep something."""
    yield from ((name, part) for name, part in parts.items() if isinstance(part, Stateful))
