"""A batch is gathered at once: what is copied, and from where."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from flowvae.data.batches import Batches
from flowvae.data.sounds import prepare_sounds
from flowvae.recipe import read_recipe, resolve

CPU = torch.device("cpu")
SETTINGS = (
    'data={ use = "synthetic_percussion", n_sounds = 12 }',
    "model.n_samples=2048",
    "train.batch_size=3",
)


@pytest.fixture(scope="module")
def given(catalogue, tmp_path_factory):
    """A recipe and its sounds; tests do not change them."""
    recipe = resolve(read_recipe("percussion_small", SETTINGS), catalogue)
    return recipe, prepare_sounds(recipe, tmp_path_factory.mktemp("data"), lambda _: None).clips


class Written(TorchDispatchMode):
    """How many samples of sounds are written: in tensors of more than one clip."""

    def __init__(self):
        super().__init__()
        self.samples = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if not func.is_view and isinstance(result, torch.Tensor) and result.dtype == torch.float32:
            self.samples += result.numel() * (result.numel() > 2048)
        return result


def test_a_batch_without_augmentations_is_copied_once(given):
    recipe, clips = given
    assert clips.slack > 0
    batches = Batches(clips, recipe, {}, 0, CPU)
    with Written() as written:
        batch = batches(0)
    assert written.samples == batch.numel() == 3 * 2048
    assert batch.is_contiguous()


def test_a_batch_holds_the_clips_between_their_slacks_whoever_cuts_them(given):
    recipe, clips = given
    plain = Batches(clips, recipe, {}, 0, CPU)
    seen = []
    looking = Batches(clips, recipe, {"look": lambda batch, stream: seen.append(batch) or batch}, 0, CPU)
    for step in range(5):
        rows = [clips.rows(held_out=False)[row] for row in plain.rows(step).tolist()]
        expected = torch.tensor(clips.audio[rows])
        assert torch.equal(plain(step), expected[..., clips.slack : -clips.slack])
        assert torch.equal(looking(step), plain(step))
        assert torch.equal(seen[step], expected)
