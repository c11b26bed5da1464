"""Everything that a run must remember: weights, their average, the optimizer, the step."""

import json
from collections.abc import Iterator, Mapping

import torch
from attrs import define
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn, optim

from flowvae.errors import CheckpointError

TENSORS, STATE = "tensors.safetensors", "state.json"


@define(eq=False)
class TrainingState:
    """What changes during a run."""

    model: nn.Module
    average: nn.Module
    """The averaged weights; the model itself where none are averaged."""
    optimizer: optim.Optimizer
    step: int = 0

    def files(self, recipe_identity: str, components: Mapping[str, object]) -> dict[str, bytes]:
        """The state as files of a checkpoint; `components` says whose code made it."""
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self._tensors()}
        content = {
            "step": self.step,
            "identity": recipe_identity,
            "components": components,
            "scalars": dict(self._scalars()),
        }
        return {TENSORS: save(tensors), STATE: json.dumps(content, indent=1).encode()}

    def restore(self, files: Mapping[str, bytes], recipe_identity: str) -> None:
        """Takes the state of a checkpoint; CheckpointError where it belongs to another recipe or lacks a part."""
        try:
            content = json.loads(files[STATE])
            tensors = load(files[TENSORS])
            self.step, scalars = int(content["step"]), content["scalars"]
        except (KeyError, ValueError, TypeError, SafetensorError) as error:
            raise CheckpointError(
                f"the checkpoint cannot be read ({type(error).__name__}: {error})"
            ) from error
        if content.get("identity") != recipe_identity:
            raise CheckpointError("the checkpoint belongs to another recipe", do="choose another --out")
        weights = {n.removeprefix("weights."): t for n, t in tensors.items() if n.startswith("weights.")}
        moments = {n.removeprefix("optimizer."): t for n, t in tensors.items() if n.startswith("optimizer.")}
        expected = dict(self._weights())
        _same_names(expected, weights)
        with torch.no_grad():
            for name, tensor in expected.items():
                tensor.copy_(weights[name])
        self._restore_optimizer(moments, scalars)

    def _tensors(self) -> Iterator[tuple[str, Tensor]]:
        for name, tensor in self._weights():
            yield f"weights.{name}", tensor
        for name, value in self._optimizer_entries():
            if isinstance(value, Tensor):
                yield f"optimizer.{name}", value

    def _scalars(self) -> Iterator[tuple[str, object]]:
        for name, value in self._optimizer_entries():
            if not isinstance(value, Tensor):
                yield name, value

    def _weights(self) -> Iterator[tuple[str, Tensor]]:
        yield from ((f"model.{n}", t) for n, t in self.model.state_dict().items())
        if self.average is not self.model:
            yield from ((f"average.{n}", t) for n, t in self.average.state_dict().items())

    def _optimizer_entries(self) -> Iterator[tuple[str, object]]:
        for index, entries in self.optimizer.state_dict()["state"].items():
            for name, value in entries.items():
                yield f"{index}.{name}", value

    def _restore_optimizer(self, tensors: Mapping[str, Tensor], scalars: Mapping[str, object]) -> None:
        state: dict[int, dict[str, object]] = {}
        for name, value in {**tensors, **scalars}.items():
            index, _, entry = name.partition(".")
            state.setdefault(int(index), {})[entry] = value
        known = self.optimizer.state_dict()
        count = sum(len(group["params"]) for group in known["param_groups"])
        if self.step and sorted(state) != list(range(count)):
            raise CheckpointError(f"the checkpoint has optimizer state for {len(state)} of {count} weights")
        self.optimizer.load_state_dict({"state": state, "param_groups": known["param_groups"]})


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
