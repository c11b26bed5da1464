"""The components that flowvae brings along, one line each. Nothing is imported until a recipe needs it."""

from flowvae import hookimpl
from flowvae.catalogue.hooks import RegisterComponent


@hookimpl
def flowvae_components(register: RegisterComponent) -> None:
    """Offers the built-in components."""
    here = "flowvae_components"
    register("activation", "elu", f"{here}.activations.elu:ELU")
    register("activation", "leaky_relu", f"{here}.activations.leaky_relu:LeakyReLU")
    register("activation", "silu", f"{here}.activations.silu:SiLU")
    register("activation", "snake", f"{here}.activations.snake:Snake")
    register("activation", "snake_beta", f"{here}.activations.snake_beta:SnakeBeta")
    register("adversarial", "hinge", f"{here}.adversarial_losses.hinge:Hinge")
    register("adversarial", "least_squares", f"{here}.adversarial_losses.least_squares:LeastSquares")
    register("augmentation", "dequantize", f"{here}.augmentations.dequantize:Dequantize")
    register("augmentation", "phase_mangle", f"{here}.augmentations.phase_mangle:PhaseMangle")
    register("augmentation", "polarity", f"{here}.augmentations.polarity:Polarity")
    register("augmentation", "random_crop", f"{here}.augmentations.random_crop:RandomCrop")
    register("balance", "gradient_norm", f"{here}.balances.gradient_norm:GradientNorm")
    register("bands", "none", f"{here}.bands.none:NoBands")
    register("bands", "pqmf", f"{here}.bands.pqmf:PQMF")
    register("conditioning", "peak_scaled", f"{here}.conditionings.peak_scaled:PeakScaled")
    register("convolution", "causal", f"{here}.convolutions.causal:causal")
    register("convolution", "same", f"{here}.convolutions.same:same")
    register("dataset", "folder", f"{here}.datasets.folder:Folder")
    register("dataset", "synthetic_percussion", f"{here}.datasets.synthetic_percussion:SyntheticPercussion")
    register("decoder", "soundstream", f"{here}.decoders.soundstream:SoundStreamDecoder")
    register("discriminator", "melgan", f"{here}.discriminators.melgan:MelGANDiscriminator")
    register("discriminator", "multi_period", f"{here}.discriminators.multi_period:MultiPeriod")
    register("discriminator", "multi_resolution", f"{here}.discriminators.multi_resolution:MultiResolution")
    register("discriminator", "multi_scale", f"{here}.discriminators.multi_scale:MultiScale")
    register("discriminator", "wavegan", f"{here}.discriminators.wavegan:WaveGANDiscriminator")
    register("downsampler", "strided_conv", f"{here}.downsamplers.strided_conv:StridedConv")
    register("encoder", "soundstream", f"{here}.encoders.soundstream:SoundStreamEncoder")
    register("executor", "processes", f"{here}.executors.processes:Processes")
    register("feature_matching", "l1", f"{here}.feature_matchings.l1:L1")
    register("feature_matching", "relative_l1", f"{here}.feature_matchings.relative_l1:RelativeL1")
    register("flow", "real_nvp", f"{here}.flows.real_nvp:RealNVP")
    register("head", "amplitude_modulated", f"{here}.heads.amplitude_modulated:AmplitudeModulatedHead")
    register("head", "plain", f"{here}.heads.plain:PlainHead")
    register("loss", "multi_resolution_stft", f"{here}.losses.multi_resolution_stft:MultiResolutionSTFT")
    register("loss", "multi_scale_mel", f"{here}.losses.multi_scale_mel:MultiScaleMel")
    register("metric", "active_units", f"{here}.metrics.active_units:ActiveUnits")
    register("metric", "attack_error", f"{here}.metrics.attack_error:AttackError")
    register("metric", "envelope_ripple", f"{here}.metrics.envelope_ripple:EnvelopeRipple")
    register("metric", "high_band_ratio", f"{here}.metrics.high_band_ratio:HighBandRatio")
    register(
        "metric", "kernel_distance_ceiling", f"{here}.metrics.kernel_distance_ceiling:KernelDistanceCeiling"
    )
    register("metric", "kl_nats", f"{here}.metrics.kl_nats:KLNats")
    register("metric", "onset_error", f"{here}.metrics.onset_error:OnsetError")
    register(
        "metric",
        "reconstruction_generation_gap",
        f"{here}.metrics.reconstruction_generation_gap:ReconstructionGenerationGap",
    )
    register("metric", "si_sdr", f"{here}.metrics.si_sdr:SISDR")
    register("metric", "spectral_distance", f"{here}.metrics.spectral_distance:SpectralDistance")
    register("metric", "tail_click", f"{here}.metrics.tail_click:TailClick")
    register("metric", "tonal_artefact", f"{here}.metrics.tonal_artefact:TonalArtefact")
    register("modulation", "film", f"{here}.modulations.film:FiLM")
    register("normalization", "none", f"{here}.normalizations.none:none")
    register("normalization", "weight_norm", f"{here}.normalizations.weight_norm:weight_norm")
    register("optimizer", "adam", f"{here}.optimizers.adam:adam")
    register("optimizer", "adamw", f"{here}.optimizers.adamw:adamw")
    register("pooling", "flatten", f"{here}.poolings.flatten:Flatten")
    register("posterior", "flow", f"{here}.posteriors.flow:FlowPosterior")
    register("posterior", "gaussian", f"{here}.posteriors.gaussian:GaussianPosterior")
    register("prior", "flow", f"{here}.priors.flow:FlowPrior")
    register("prior", "full_gaussian", f"{here}.priors.full_gaussian:FullGaussianPrior")
    register("prior", "gaussian_mixture", f"{here}.priors.gaussian_mixture:GaussianMixturePrior")
    register("prior", "standard_normal", f"{here}.priors.standard_normal:StandardNormalPrior")
    register("regularizer", "kl", f"{here}.regularizers.kl:KL")
    register("schedule", "constant", f"{here}.schedules.constant:constant")
    register("schedule", "cosine", f"{here}.schedules.cosine:cosine")
    register("schedule", "exponential", f"{here}.schedules.exponential:exponential")
    register("schedule", "inverse", f"{here}.schedules.inverse:inverse")
    register("schedule", "one_cycle", f"{here}.schedules.one_cycle:one_cycle")
    register("upsampler", "resize_conv", f"{here}.upsamplers.resize_conv:ResizeConv")
    register("upsampler", "transposed_conv", f"{here}.upsamplers.transposed_conv:TransposedConv")
