"""The kinds that flowvae itself works with."""

from flowvae.catalogue.hooks import RegisterKind, hookimpl

CONTRACTS = {
    "activation": "Activation",
    "adversarial": "Adversarial",
    "augmentation": "Augmentation",
    "balance": "Balance",
    "bands": "Bands",
    "conditioning": "Conditioning",
    "convolution": "Convolution",
    "dataset": "Dataset",
    "decoder": "Decoder",
    "discriminator": "Discriminator",
    "downsampler": "Downsampler",
    "encoder": "Encoder",
    "executor": "Executor",
    "feature_matching": "FeatureMatching",
    "flow": "Flow",
    "head": "Head",
    "loss": "Loss",
    "metric": "Metric",
    "modulation": "Modulation",
    "normalization": "Normalization",
    "optimizer": "Optimizer",
    "pooling": "Pooling",
    "posterior": "Posterior",
    "prior": "Prior",
    "ramp": "Ramp",
    "reference": "Reference",
    "regularizer": "Regularizer",
    "schedule": "Schedule",
    "upsampler": "Upsampler",
}


@hookimpl
def flowvae_kinds(register: RegisterKind) -> None:
    """Offers the kinds whose contracts stand in flowvae.contracts."""
    for kind, contract in CONTRACTS.items():
        register(kind, f"flowvae.contracts:{contract}")
