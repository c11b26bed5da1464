"""What a part of another distribution may not do to what all share, when it is made and when it is called."""

import os
import random
import re
import sys
import time

import pytest
import torch

from flowvae.building.construct import construct
from flowvae.building.undisturbed import WATCHED_CALLS, watch
from flowvae.catalogue import Catalogue
from flowvae.catalogue.guard import guarded
from flowvae.errors import NumbersError, PluginError
from flowvae.folder.status import read_status
from flowvae.probe.probe import probe
from flowvae.processes.outcome import Outcome, outcome_of
from flowvae.processes.side_by_side import side_by_side
from flowvae.recipe import read_recipe, resolve
from plugin_zoo import ENDED, ZOO, Animal, lay
from short_runs import begin, go, planned_runs, take

WHERE = "model.encoder.activation"


@pytest.fixture
def part_of(tmp_path, monkeypatch):
    """The recipe of percussion_small with an animal's activation, and that part."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def make(name, animal, *settings):
        site = lay(tmp_path / name, name, animal)
        monkeypatch.syspath_prepend(site)
        recipe = resolve(
            read_recipe("percussion_small", (*settings, f"defaults.activation={name}")), Catalogue.installed()
        )
        return recipe, recipe.model.encoder.values["activation"]

    yield make
    for module in [name for name in sys.modules if name.startswith("fv_")]:
        del sys.modules[module]


def test_case_53_what_a_part_replaces_is_put_back_and_told(part_of):
    real = torch.randn, torch.nn.functional.relu
    patch = "import torch\ntorch.randn = lambda *size: torch.zeros(size)\ntorch.nn.functional.relu = lambda x: x\n"
    _, part = part_of("replaces", Animal(of_part=patch))
    construct(part, WHERE, {"channels": 2}, {})
    assert (torch.randn, torch.nn.functional.relu) == real
    assert part.component.plugin.notes == [
        "it changed torch.randn; put back",
        "it changed torch.nn.functional.relu; put back",
    ]


def test_case_53_a_seed_that_a_constructor_sets_is_put_back_and_told_once(part_of):
    _, part = part_of("seeds_when_made", Animal(constructor="torch.manual_seed(0)"))
    torch.manual_seed(5)
    expected = torch.randn(3)
    torch.manual_seed(5)
    for _ in range(3):
        construct(part, WHERE, {"channels": 2}, {})
    assert torch.equal(torch.randn(3), expected)
    assert part.component.plugin.notes == ["it changed torch's seed; put back"]


def test_what_a_library_replaces_of_its_own_is_left(monkeypatch):
    def better(*size):
        return torch.zeros(size)

    better.__module__ = "torch._dynamo"
    told = []
    with guarded(told.append):
        monkeypatch.setattr(torch, "randn", better)
    assert torch.randn is better
    assert told == []


def watched(part, n_calls=WATCHED_CALLS):
    built = construct(part, WHERE, {"channels": 2}, {})
    watch([(WHERE, part, built)], n_calls)
    return built


def test_case_53_a_seed_in_a_call_is_refused_by_name(part_of):
    _, part = part_of("seeds", Animal(forward="torch.manual_seed(0)"))
    torch.manual_seed(1)
    with pytest.raises(
        PluginError, match=r"seeds \(activation, fv-seeds 1.2\) sets torch's seed in its call"
    ):
        watched(part)(torch.ones(1, 2, 8))


def test_case_53_who_draws_without_a_seed_and_who_draws_from_a_generator_of_its_own_are_let_be(part_of):
    forward = "x = x + torch.rand_like(x) + torch.rand(1, generator=torch.Generator().manual_seed(0))"
    _, part = part_of("draws", Animal(forward=forward))
    built = watched(part)
    for _ in range(5):
        built(torch.ones(1, 2, 8))
    assert part.component.plugin.notes == []
    assert not built._forward_hooks
    assert not built._forward_pre_hooks


def test_case_53_what_else_a_call_changes_is_put_back_and_told(part_of):
    _, part = part_of("threads", Animal(forward="torch.set_default_dtype(torch.float64)"))
    watched(part)(torch.ones(1, 2, 8))
    assert torch.get_default_dtype() == torch.float32
    assert part.component.plugin.notes == ["it changed torch's default dtype; put back"]


def test_case_53_a_seed_in_a_call_is_seen_in_training_too(part_of, tiny, tmp_path):
    """One that does it only once it has been called a few times gets past the probe, not past the first steps."""
    forward = "self.calls = getattr(self, 'calls', 0) + 1; self.calls == 2 and torch.manual_seed(0)"
    part_of("seeds_later", Animal(forward=forward))
    settings = (*tiny, "defaults.activation=seeds_later")
    [run] = planned_runs(settings, Catalogue.installed(), tmp_path / "out")
    assert take(run) == PluginError.exit_status
    assert "sets torch's seed in its call" in read_status(run.folder).reason


def test_case_26_an_infinite_gradient_ends_the_run_by_its_norm(part_of, tiny, tmp_path):
    """The loss is fine; a gradient that overflows must not become weights of a checkpoint."""
    forward = "x.requires_grad and x.register_hook(lambda g: g * float('inf'))"
    recipe, _ = part_of("overflows", Animal(forward=forward), *tiny)
    training = begin(recipe)
    with pytest.raises(NumbersError, match=r"grad_norm is (inf|nan) at step 0"):
        go(training, tmp_path / "run")
    assert [p.name for p in (tmp_path / "run" / "checkpoints").iterdir()] == ["step-000000000"]


@pytest.mark.parametrize(
    "name", ["constructor_leaves_at_once", "forward_leaves_at_once", "part_leaves_at_once"]
)
def test_case_52_who_ends_the_process_that_builds_an_arm_is_named(name, part_of, tiny):
    recipe, part = part_of(name, ZOO[name], *tiny)
    [found] = side_by_side([lambda: outcome_of("arm", lambda: probe(recipe, part.component.catalogue))], 1)
    assert found.exit_status == 4
    assert f"{name} (activation, fv-{name} 1.2) at model.encoder.activation[0] {ENDED}" in found.errors


@pytest.mark.slow
def test_case_52_an_answer_of_a_copy_that_a_part_makes_is_not_taken(part_of, tiny):
    recipe, part = part_of("constructor_forks", ZOO["constructor_forks"], *tiny)
    tasks = [lambda: outcome_of("arm", lambda: probe(recipe, part.component.catalogue))] * 2
    found = [outcome.found for outcome in side_by_side(tasks, 2)]
    assert found[0].parameters == found[1].parameters > 0
    assert found[0].macs_per_second == found[1].macs_per_second


def test_case_52_a_copy_that_a_task_makes_of_its_process_answers_nothing():
    def forks():
        if os.fork() == 0:
            return Outcome("of the copy")
        time.sleep(0.5)
        return Outcome("of the task")

    [found] = side_by_side([forks], 1)
    assert found.found == "of the task"


@pytest.mark.parametrize("name", ["other_dtype", "other_shape", "seeds_in_its_call", "forward_leaves"])
def test_case_52_the_part_at_fault_is_the_one_that_is_named(name, part_of, tiny):
    recipe, part = part_of(name, ZOO[name], *tiny)
    with pytest.raises(PluginError, match=re.escape(ZOO[name].refused)) as caught:
        probe(recipe, part.component.catalogue)
    assert caught.value.what.startswith(f"{name} (activation, fv-{name} 1.2)")


def test_the_state_of_random_is_none_of_its_business(part_of):
    _, part = part_of("shuffles", Animal(constructor="import random; random.seed(3)"))
    random.seed(1)
    expected = random.random()
    random.seed(1)
    construct(part, WHERE, {"channels": 2}, {})
    assert random.random() == expected
