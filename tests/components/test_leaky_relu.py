import pytest
import torch
from functorch.compile import make_boxed_func, min_cut_rematerialization_partition
from torch import nn
from torch._dynamo.backends.common import aot_autograd
from torch._inductor.decomposition import select_decomp_table

from flowvae_components.activations.leaky_relu import LeakyReLU

# torch's compiler makes an instance of the function that it traces, and warns itself of doing so.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
    pytest.mark.usefixtures("unshaped"),
]


def layers(slope=0.2):
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv1d(3, 8, 3), LeakyReLU(slope=slope), nn.Conv1d(8, 2, 3)).double()


def gradients(network, x):
    network.zero_grad()
    y = network(x)
    y.square().sum().backward()
    return y.detach(), [p.grad.clone() for p in network.parameters()]


def kept_types(network, x):
    """The types of what a compiled forward pass keeps for the way back."""
    found = []

    def look(graph, _):
        found.append([node.meta["val"].dtype for node in graph.graph.output_node().args[0]])
        return make_boxed_func(graph)

    backend = aot_autograd(
        fw_compiler=look,
        bw_compiler=lambda graph, _: make_boxed_func(graph),
        decompositions=select_decomp_table(),
        partition_fn=min_cut_rematerialization_partition,
    )
    torch.compile(network, backend=backend)(x).sum().backward()
    return found[0]


def test_compiled_it_has_the_same_values_and_gradients():
    x = torch.randn(2, 3, 20, dtype=torch.float64, requires_grad=True)
    for slope in (0.0, 0.2, 1.0):
        network = layers(slope)
        y, expected = gradients(network, x)
        compiled_y, found = gradients(torch.compile(network, backend="aot_eager"), x)
        torch.testing.assert_close(compiled_y, y, rtol=0, atol=1e-12)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_compiled_it_keeps_no_mask():
    # torch 2.12 writes a mask of bytes ten times as slowly as all that is computed there.
    assert torch.bool not in kept_types(layers(), torch.randn(2, 3, 20, dtype=torch.float64))


def test_a_zero_has_the_slope_of_what_is_negative():
    x = torch.zeros(1, 1, 3, requires_grad=True)
    LeakyReLU(slope=0.25)(x).sum().backward()
    plain = x.grad.clone()
    x.grad = None
    torch.compile(LeakyReLU(slope=0.25), backend="aot_eager")(x).sum().backward()
    assert torch.equal(x.grad, plain)
    assert torch.equal(plain, torch.full((1, 1, 3), 0.25))
