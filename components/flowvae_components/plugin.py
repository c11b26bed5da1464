"""The components that flowvae brings along, one line each. Nothing is imported until a recipe needs it."""

from flowvae import hookimpl
from flowvae.catalogue.hooks import RegisterComponent


@hookimpl
def flowvae_components(register: RegisterComponent) -> None:
    """Offers the built-in components."""
    here = "flowvae_components"
    register("activation", "leaky_relu", f"{here}.activations.leaky_relu:LeakyReLU")
    register("activation", "snake", f"{here}.activations.snake:Snake")
    register("augmentation", "dequantize", f"{here}.augmentations.dequantize:Dequantize")
    register("augmentation", "phase_mangle", f"{here}.augmentations.phase_mangle:PhaseMangle")
    register("augmentation", "polarity", f"{here}.augmentations.polarity:Polarity")
    register("augmentation", "random_crop", f"{here}.augmentations.random_crop:RandomCrop")
    register("bands", "none", f"{here}.bands.none:NoBands")
    register("bands", "pqmf", f"{here}.bands.pqmf:PQMF")
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
    register("flow", "real_nvp", f"{here}.flows.real_nvp:RealNVP")
    register("head", "amplitude_modulated", f"{here}.heads.amplitude_modulated:AmplitudeModulatedHead")
    register("head", "plain", f"{here}.heads.plain:PlainHead")
    register("loss", "multi_resolution_stft", f"{here}.losses.multi_resolution_stft:MultiResolutionSTFT")
    register("loss", "multi_scale_mel", f"{here}.losses.multi_scale_mel:MultiScaleMel")
    register("metric", "active_units", f"{here}.metrics.active_units:ActiveUnits")
    register("metric", "attack_error", f"{here}.metrics.attack_error:AttackError")
    register("metric", "kl_nats", f"{here}.metrics.kl_nats:KLNats")
    register("metric", "si_sdr", f"{here}.metrics.si_sdr:SISDR")
    register("metric", "spectral_distance", f"{here}.metrics.spectral_distance:SpectralDistance")
    register("metric", "tonal_artefact", f"{here}.metrics.tonal_artefact:TonalArtefact")
    register("normalization", "none", f"{here}.normalizations.none:none")
    register("normalization", "weight_norm", f"{here}.normalizations.weight_norm:weight_norm")
    register("optimizer", "adamw", f"{here}.optimizers.adamw:adamw")
    register("posterior", "flow", f"{here}.posteriors.flow:FlowPosterior")
    register("posterior", "gaussian", f"{here}.posteriors.gaussian:GaussianPosterior")
    register("prior", "flow", f"{here}.priors.flow:FlowPrior")
    register("prior", "standard_normal", f"{here}.priors.standard_normal:StandardNormalPrior")
    register("regularizer", "kl", f"{here}.regularizers.kl:KL")
    register("schedule", "constant", f"{here}.schedules.constant:constant")
    register("schedule", "one_cycle", f"{here}.schedules.one_cycle:one_cycle")
    register("upsampler", "resize_conv", f"{here}.upsamplers.resize_conv:ResizeConv")
    register("upsampler", "transposed_conv", f"{here}.upsamplers.transposed_conv:TransposedConv")
