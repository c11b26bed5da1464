"""One contract a kind: what the parent gives, what comes back, and what must hold.

The contract of a kind bears its name: a Protocol whose `__call__` takes what the parent gives. A class or a function
fulfils it by being called with those arguments; it may leave out the ones that it does not need. What comes back is
called Built and the kind's name (Decoder gives a BuiltDecoder), where it is not simply one of torch's own types. Importing this package
imports neither torch nor numpy.
"""

from flowvae.contracts.activation import Activation
from flowvae.contracts.adversarial import Adversarial, BuiltAdversarial
from flowvae.contracts.augmentation import Augmentation, BuiltAugmentation
from flowvae.contracts.balance import Balance, BuiltBalance
from flowvae.contracts.bands import Bands, BuiltBands
from flowvae.contracts.conditioning import Conditioning
from flowvae.contracts.convolution import Convolution
from flowvae.contracts.dataset import BuiltDataset, BuiltNamedDataset, Dataset, Skipped, Sound
from flowvae.contracts.decoder import BuiltDecoder, Decoder
from flowvae.contracts.discriminator import BuiltDiscriminator, Discriminator, Judgement
from flowvae.contracts.encoder import BuiltEncoder, Encoder
from flowvae.contracts.executor import BuiltExecutor, Executor, Job, Process
from flowvae.contracts.feature_matching import BuiltFeatureMatching, FeatureMatching
from flowvae.contracts.flow import BuiltFlow, Flow
from flowvae.contracts.head import Head
from flowvae.contracts.latent import LatentDistribution
from flowvae.contracts.loss import Loss, Stft
from flowvae.contracts.metric import BuiltMetric, Evidence, Metric
from flowvae.contracts.modulation import Modulation, TaughtModulation
from flowvae.contracts.normalization import Normalization
from flowvae.contracts.optimizer import Optimizer
from flowvae.contracts.pooling import Pooling
from flowvae.contracts.posterior import BuiltPosterior, Posterior
from flowvae.contracts.prior import BuiltPrior, Prior
from flowvae.contracts.ramp import Ramp
from flowvae.contracts.reference import BuiltReference, Reference
from flowvae.contracts.refusal import Refused
from flowvae.contracts.regularizer import BuiltRegularizer, Regularizer
from flowvae.contracts.resampler import Downsampler, Upsampler
from flowvae.contracts.schedule import Schedule
from flowvae.contracts.stream import Stream
from flowvae.contracts.weighed import Weighed

__all__ = [
    "Activation",
    "Adversarial",
    "Augmentation",
    "Balance",
    "Bands",
    "BuiltAdversarial",
    "BuiltAugmentation",
    "BuiltBalance",
    "BuiltBands",
    "BuiltDataset",
    "BuiltDecoder",
    "BuiltDiscriminator",
    "BuiltEncoder",
    "BuiltExecutor",
    "BuiltFeatureMatching",
    "BuiltFlow",
    "BuiltMetric",
    "BuiltNamedDataset",
    "BuiltPosterior",
    "BuiltPrior",
    "BuiltReference",
    "BuiltRegularizer",
    "Conditioning",
    "Convolution",
    "Dataset",
    "Decoder",
    "Discriminator",
    "Downsampler",
    "Encoder",
    "Evidence",
    "Executor",
    "FeatureMatching",
    "Flow",
    "Head",
    "Job",
    "Judgement",
    "LatentDistribution",
    "Loss",
    "Metric",
    "Modulation",
    "Normalization",
    "Optimizer",
    "Pooling",
    "Posterior",
    "Prior",
    "Process",
    "Ramp",
    "Reference",
    "Refused",
    "Regularizer",
    "Schedule",
    "Skipped",
    "Sound",
    "Stft",
    "Stream",
    "TaughtModulation",
    "Upsampler",
    "Weighed",
]
