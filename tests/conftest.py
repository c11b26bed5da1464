import os

# Set before torch is imported: bits change with the number of threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import jaxtyping
import pytest

from flowvae.catalogue import Catalogue
from named_tests import cases_of_tests


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """`-k case_07` takes the tests that docs/reliability.md names in that row."""
    for item in items:
        item.extra_keyword_matches.update(cases_of_tests().get(getattr(item, "originalname", None), ()))


@pytest.fixture(scope="session")
def catalogue():
    return Catalogue.installed()


@pytest.fixture(scope="session", autouse=True)
def unflushed():
    """Nobody pulls the plug here: what this process writes is not waited for. Tests of the order in time record it themselves."""
    with pytest.MonkeyPatch.context() as here:
        here.setattr(os, "fsync", lambda _: None)
        yield


TINY = (
    "train.steps=6",
    "train.batch_size=2",
    "train.checkpoint_every=3",
    "evaluation.every=3",
    "evaluation.sounds=4",
    "evaluation.prior_samples=2",
    "evaluation.audio_examples=2",
    'data={ use = "synthetic_percussion", n_sounds = 48 }',
    "model.n_samples=4096",
    'model.encoder={ use = "soundstream", width = 4, strides = [4, 4], dilations = [1, 3] }',
    'model.decoder={ use = "soundstream", width = 4, strides = [4, 4], dilations = [1, 3] }',
    "model.latent_dim=8",
)
"""A recipe that trains in a second, as settings over percussion_small."""


@pytest.fixture
def tiny():
    return TINY


@pytest.fixture
def write(tmp_path):
    """Writes a recipe by its name, and gives its path."""

    def write(name, text):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


@pytest.fixture
def unshaped():
    """Shapes are not checked, where a test run asks for it: a compiler cannot trace the checks, and they compute things themselves."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)
