"""The timbre of one stream given to another, after training."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from flowvae_components.modulations.adain import EPSILON


class Moments(nn.Module):
    """The mean and the variance over time of each channel, averaged over all sounds that were heard.

    Formula: with m more sounds after n, each average a becomes a + (sum over them of (new - a)) / (n + m). Variances are
        averaged, not deviations: the average of deviations is the level of no sound.
    Shapes: mean and variance (channels,); count is a single whole number.
    Units: of the channels; count is in sounds.
    Source: the running averages of RAVE's third version, Caillon and Esling 2021, arxiv.org/abs/2111.05011, for sounds in
        place of calls, and without an average for each place in the batch.

    >>> heard = Moments(2)
    >>> heard.hear(torch.tensor([[[1.0, 3.0], [0.0, 0.0]]]))
    >>> heard.mean, heard.variance, heard.count
    (tensor([2., 0.]), tensor([1., 0.]), tensor(1))
    """

    mean: Float[Tensor, " c"]
    variance: Float[Tensor, " c"]
    count: Int[Tensor, ""]

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def hear(self, x: Float[Tensor, "b c t"]) -> None:
        """Takes the sounds of a batch into the averages."""
        full = x.to(self.mean.dtype)
        self.count += len(x)
        self.mean += (full.mean(-1) - self.mean).sum(0) / self.count
        self.variance += (full.var(-1, correction=0) - self.variance).sum(0) / self.count

    def forget(self) -> None:
        """Back to having heard nothing."""
        self.mean.zero_()
        self.variance.fill_(1)
        self.count.zero_()


class AdaINTransfer(nn.Module):
    """Does nothing to training; afterwards it can learn two streams of sounds, and turn the timbre of one into the other's.

    Formula: y = x in training, while it learns, and until both streams are known; then
        y = (x - source.mean) * sqrt((target.variance + 1e-5) / (source.variance + 1e-5)) + target.mean.
        `learn` is "nothing", or the stream that what passes through in evaluation belongs to, "source" or "target"; `reset()`
        forgets both. The latent vector is not used, and there is nothing to train: on or off, all losses are the same.
    Shapes: x (b, channels, t) and latent (b, latent_dim) -> (b, channels, t); what was learnt is (channels,), and is kept in
        the state_dict with how many sounds it came of. `learn` is not.
    Units: x has no unit.
    Source: the third version of RAVE, Caillon and Esling 2021, arxiv.org/abs/2111.05011; the mapping is that of Huang and
        Belongie 2017, arxiv.org/abs/1703.06868. RAVE averages deviations; here variances are averaged.
    Errors: KeyError in evaluation where `learn` is no stream.

    >>> transfer, latent = AdaINTransfer(4, 3).eval(), torch.zeros(1, 3)
    >>> transfer.learn = "source"
    >>> y = transfer(torch.randn(1, 4, 100), latent)
    >>> transfer.learn = "target"
    >>> y = transfer(torch.randn(1, 4, 100), latent)
    >>> transfer.learn = "nothing"
    >>> transfer(torch.randn(1, 4, 100), latent).shape, int(transfer.target.count)
    (torch.Size([1, 4, 100]), 1)
    """

    def __init__(self, channels: int, latent_dim: int) -> None:
        super().__init__()
        self.learn: Literal["nothing", "source", "target"] = "nothing"
        self.source, self.target = Moments(channels), Moments(channels)

    def reset(self) -> None:
        """Forgets both streams, and stops learning."""
        self.learn = "nothing"
        self.source.forget()
        self.target.forget()

    def forward(self, x: Float[Tensor, "b c t"], latent: Float[Tensor, "b d"]) -> Float[Tensor, "b c t"]:
        if self.training:
            return x
        source, target = self.source, self.target
        if self.learn != "nothing":
            {"source": source, "target": target}[self.learn].hear(x)
            return x
        gain = ((target.variance + EPSILON) / (source.variance + EPSILON)).sqrt()[:, None]
        mapped = (x - source.mean[:, None]) * gain + target.mean[:, None]
        # Asked on the device: reading the counts would make the host wait for it.
        return torch.where((source.count > 0) & (target.count > 0), mapped.to(x.dtype), x)
