"""The kinds that flowvae itself works with."""

from flowvae.catalogue.hooks import RegisterKind, hookimpl

CONTRACTS = {
    "activation": "Activation",
    "augmentation": "Augmentation",
    "bands": "Bands",
    "dataset": "Dataset",
    "decoder": "Decoder",
    "downsampler": "Downsampler",
    "encoder": "Encoder",
    "executor": "Executor",
    "flow": "Flow",
    "head": "Head",
    "loss": "Loss",
    "metric": "Metric",
    "normalization": "Normalization",
    "optimizer": "Optimizer",
    "posterior": "Posterior",
    "prior": "Prior",
    "regularizer": "Regularizer",
    "schedule": "Schedule",
    "upsampler": "Upsampler",
}


@hookimpl
def flowvae_kinds(register: RegisterKind) -> None:
    """Offers the kinds whose contracts stand in flowvae.contracts."""
    for kind, contract in CONTRACTS.items():
        register(kind, f"flowvae.contracts:{contract}")
