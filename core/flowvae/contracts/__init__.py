"""One contract a kind: what the parent gives, what comes back, and what must hold.

A contract is a Protocol whose `__call__` takes what the parent gives. A class or a function fulfils it by
being called with those arguments; it may leave out the ones that it does not need. Importing this package
imports neither torch nor numpy.
"""

from flowvae.contracts.activation import Activation
from flowvae.contracts.augmentation import Augment, Augmentation
from flowvae.contracts.bands import Bands, FilterBank
from flowvae.contracts.dataset import Dataset, NamedSoundSource, Skipped, Sound, SoundSource
from flowvae.contracts.decoder import Decoder, DecoderModule
from flowvae.contracts.encoder import Encoder, EncoderModule
from flowvae.contracts.executor import Execute, Executor, Job
from flowvae.contracts.flow import Flow, FlowTransform
from flowvae.contracts.head import Head
from flowvae.contracts.latent import LatentDistribution
from flowvae.contracts.loss import Loss, Stft
from flowvae.contracts.metric import Evidence, Measure, Metric
from flowvae.contracts.normalization import Normalization
from flowvae.contracts.optimizer import Optimizer
from flowvae.contracts.posterior import Posterior, PosteriorModule
from flowvae.contracts.prior import Prior, PriorModule
from flowvae.contracts.refusal import Refused
from flowvae.contracts.regularizer import Regularize, Regularizer
from flowvae.contracts.resampler import Downsampler, Upsampler
from flowvae.contracts.schedule import Schedule
from flowvae.contracts.stream import Stream

__all__ = [
    "Activation",
    "Augment",
    "Augmentation",
    "Bands",
    "Dataset",
    "Decoder",
    "DecoderModule",
    "Downsampler",
    "Encoder",
    "EncoderModule",
    "Evidence",
    "Execute",
    "Executor",
    "FilterBank",
    "Flow",
    "FlowTransform",
    "Head",
    "Job",
    "LatentDistribution",
    "Loss",
    "Measure",
    "Metric",
    "NamedSoundSource",
    "Normalization",
    "Optimizer",
    "Posterior",
    "PosteriorModule",
    "Prior",
    "PriorModule",
    "Refused",
    "Regularize",
    "Regularizer",
    "Schedule",
    "Skipped",
    "Sound",
    "SoundSource",
    "Stft",
    "Stream",
    "Upsampler",
]
