"""The embedding network of aisfx, with the names of its weights."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class Block(nn.Module):
    """Two convolutions, each normalised and rectified, then the largest of each `pool` by `pool`.

    >>> import torch
    >>> Block(1, 4, pool=2)(torch.zeros(1, 1, 8, 6)).shape
    torch.Size([1, 4, 4, 3])
    """

    def __init__(self, inputs: int, outputs: int, *, pool: int) -> None:
        super().__init__()
        self.pool = pool
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)

    def forward(self, x: Float[Tensor, "n c m k"]) -> Float[Tensor, "n d p q"]:
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.relu(self.bn2(self.conv2(x)))
        return functional.max_pool2d(x, self.pool)


class EmbeddingNet(nn.Module):
    """A spectrogram as one vector: four blocks, then the mean over bands and the maximum over time.

    Formula: max over frames of mean over bands of block4(block3(block2(block1(x)))); widths width, 2, 4 and 8 times that.
    Shapes: (n, 100, 96) -> (n, 8 * width).
    Units: none; 0 and above.
    Source: Ma and Lerch 2022, after Kong et al. 2018, arxiv.org/abs/1808.00773.

    >>> import torch
    >>> EmbeddingNet(2)(torch.zeros(3, 100, 96)).shape
    torch.Size([3, 16])
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.conv_block1 = Block(1, width, pool=2)
        self.conv_block2 = Block(width, 2 * width, pool=2)
        self.conv_block3 = Block(2 * width, 4 * width, pool=2)
        self.conv_block4 = Block(4 * width, 8 * width, pool=1)

    def forward(self, x: Float[Tensor, "n m k"]) -> Float[Tensor, "n e"]:
        maps = self.conv_block2(self.conv_block1(x[:, None]))
        vector: Tensor = self.conv_block4(self.conv_block3(maps)).mean(dim=3).amax(dim=2)
        return vector
