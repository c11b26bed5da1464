"""What building a model may take of the machine."""

import resource
import time

import pytest
import torch

from flowvae.errors import MachineError, RecipeError
from flowvae.probe import limits
from flowvae.recipe import read_recipe, resolve

GIB = 1 << 30


@pytest.fixture
def recipe(catalogue, tiny):
    settings = (*tiny, "model.encoder.width=77777")
    return resolve(read_recipe("percussion_small", settings), catalogue)


def test_memory_that_is_not_there_is_refused_before_it_is_touched(recipe, monkeypatch):
    before = resource.getrlimit(resource.RLIMIT_DATA)
    monkeypatch.setattr(limits, "free_memory", lambda: GIB)
    with pytest.raises(MachineError) as caught, limits.limited(recipe):
        torch.empty(GIB)
    assert caught.value.where.startswith("model.encoder.width = 77,777")
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    with limits.limited(recipe):
        torch.empty(GIB // 16)


def test_another_error_of_a_component_is_not_called_one_of_memory(recipe):
    with pytest.raises(RuntimeError, match="odd shapes"), limits.limited(recipe):
        raise RuntimeError("odd shapes")


def test_building_without_end_is_ended_and_the_largest_count_is_named(recipe, monkeypatch):
    monkeypatch.setattr(limits, "BUILD_S", 1)
    with pytest.raises(RecipeError) as caught, limits.limited(recipe):
        time.sleep(60)
    [fault] = caught.value.faults
    assert fault.path == "model.encoder.width"
    assert "is 77,777 meant?" in fault.what


def test_a_model_that_fits_but_could_not_be_trained_is_refused(recipe):
    limits.check_training_memory(recipe, 50_000_000, GIB)
    with pytest.raises(
        MachineError, match=r"takes 1\.2 GB for its 60,000,000 weights alone; 1\.1 GB are free"
    ):
        limits.check_training_memory(recipe, 60_000_000, GIB)
    limits.check_training_memory(recipe, 60_000_000, None)


def test_this_system_says_how_much_is_free():
    free = limits.free_memory()
    assert free is None or GIB // 16 < free < 1 << 50
