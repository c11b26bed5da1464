"""RAVE in its own configurations, and its own training step. Nothing of ours is imported here: its start is timed too."""

import sys
from types import ModuleType
from unittest.mock import patch

import scipy.signal
from attrs import frozen
from torch import nn

from peer_packages import imported

UPDATES = 3
"""Of the model, for one of the discriminators: RAVE's update_discriminator_every is 4, and every fourth is theirs alone."""
BETA = 0.05
"""What both of its configurations come to."""


def published(config, *bindings):
    """RAVE of one of its own configurations, but for what bindings of gin say."""
    modules = imported("rave", "model", "pqmf", "core")
    import gin
    import rave

    # The configurations name its data set too, which asks for a web server; it reads no sound here.
    data_set = ModuleType("rave.dataset")
    data_set.split_dataset = lambda max_residual: max_residual
    gin.clear_config()
    gin.enter_interactive_mode()
    gin.add_config_file_search_path(rave.__path__[0])
    with (
        patch.dict(sys.modules, {"rave.dataset": data_set}),
        patch.object(rave, "dataset", data_set, create=True),
    ):
        gin.parse_config_files_and_bindings([f"configs/{config}.gin"], bindings)

    # Its prototype filter is found with arguments that newer versions of scipy know by another name or as numbers only.
    def firwin(*args, nyq, **more):
        return scipy.signal.firwin(*args, fs=2 * nyq, **more)

    def kaiserord(ripple, width):
        return scipy.signal.kaiserord(ripple, float(width.item()))

    with patch.multiple(modules.pqmf, firwin=firwin, kaiserord=kaiserord):
        model = modules.model.RAVE()
    assert model.update_discriminator_every == UPDATES + 1
    model.beta_factor = BETA
    return model.train()


@frozen(eq=False)
class Theirs:
    """Its training_step as it is, with its optimizers, and without the trainer that hands it both."""

    model: nn.Module

    @classmethod
    def of(cls, model):
        optimizers = [table["optimizer"] for table in model.configure_optimizers()]
        model.optimizers = lambda: optimizers
        model.log = model.log_dict = lambda *_: None
        model.warmed_up = True
        return cls(model)

    def step(self, batch, index):
        """The discriminators move where the index is a multiple of UPDATES + 1, and the model elsewhere."""
        # It asks its batch for a gradient.
        self.model.training_step(batch.clone(), index)
