"""What every component that is a module must do, whatever its kind.

A property takes a function that makes the module anew, and an input for it.
"""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from flowvae.testing import Check
from flowvae.testing.device_reads import NoDeviceReads

Make = Callable[[], nn.Module]
Property = Callable[[Make, Tensor], None]
ORDINARY = 10.0
"""The largest amplitude of an input for which there is no excuse."""


def noise(*shape: int, seed: int = 0) -> Tensor:
    """Normal numbers that depend on nothing but the seed."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def run(module: Callable[[Tensor], Tensor], x: Tensor, seed: int = 11) -> Tensor:
    """The module's output, with the random numbers that it may draw set by `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        y = module(x)
    if 0 < float(x.detach().abs().max()) <= ORDINARY and isinstance(y, Tensor):
        # Said first, whatever is asked: NaN equals nothing, and every comparison would be blamed on something else.
        assert bool(y.isfinite().all()), "an input of ordinary level gives inf or NaN"
    return y


def gradients_of(value: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
    """Those of a scalar at the inputs: zeros where none reaches."""
    if not value.requires_grad:
        return tuple(torch.zeros_like(x) for x in inputs)
    return torch.autograd.grad(value, inputs, materialize_grads=True)


def built(make: Make, seed: int = 3) -> nn.Module:
    """A module whose initialisation is set by `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = make()
    assert isinstance(module, nn.Module), f"it is a {type(module).__name__}; expected an nn.Module"
    return module


def unsettled(module: nn.Module, size: float = 0.1) -> nn.Module:
    """The module after a small random change of every parameter: away from a start at zero, nothing can hide."""
    with torch.no_grad():
        for seed, parameter in enumerate(module.parameters()):
            parameter.add_(size * noise(*parameter.shape, seed=seed).to(parameter))
    return module


def same_input_gives_same_output(make: Make, x: Tensor) -> None:
    """Two calls with one generator state give the same output."""
    module = built(make)
    assert torch.equal(run(module, x), run(module, x)), (
        "two calls differ: random numbers must come from torch's global generator, and a call must leave no trace"
    )


def same_seed_gives_same_module(make: Make, x: Tensor) -> None:
    """Two modules that were initialised from one generator state give the same output."""
    assert torch.equal(run(built(make), x), run(built(make), x)), (
        "two modules of one seed differ: initialise from torch's global generator, and seed nothing yourself"
    )


def nothing_is_seeded(make: Make, x: Tensor) -> None:
    """Torch's global generator goes on from where it was."""
    states = []
    for seed in (3, 5):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            make()(x)
            states.append(torch.get_rng_state())
    assert not torch.equal(*states), (
        "it sets the seed of torch's global generator, which belongs to the run: draw from it, and seed nothing"
    )


def input_is_untouched(make: Make, x: Tensor) -> None:
    """The caller's tensor is the same afterwards."""
    before = x.clone()
    run(built(make), x)
    assert torch.equal(x, before), (
        "the input was changed: an operation whose name ends in _ works on it; copy first"
    )


def silence_stays_finite(make: Make, x: Tensor) -> None:
    """Zeros in: output and gradients without inf or NaN."""
    module, silence = built(make), torch.zeros_like(x, requires_grad=True)
    y = run(module, silence)
    assert bool(y.isfinite().all()), (
        "zeros give inf or NaN: look for a division by a level or a logarithm of 0"
    )
    if y.requires_grad:
        y.square().sum().backward()  # type: ignore[no-untyped-call]  # torch leaves backward untyped
        assert silence.grad is None or bool(silence.grad.isfinite().all()), (
            "the gradient at zeros is not finite: sqrt(x) and abs(x)**p need an epsilon inside the root"
        )


def _gradients(make: Make, x: Tensor) -> dict[str, Tensor | None]:
    module, x = built(make), x.clone().requires_grad_()
    run(module, x).sin().sum().backward()  # type: ignore[no-untyped-call]  # torch leaves backward untyped
    return {"the input": x.grad, **{n: p.grad for n, p in module.named_parameters() if p.requires_grad}}


def gradients_reach_everything(make: Make, x: Tensor) -> None:
    """Every parameter and the input get a finite gradient."""
    grads = _gradients(make, x)
    unused = [name for name, grad in grads.items() if grad is None]
    assert not unused, (
        f"no gradient reaches {', '.join(unused)}: it is not used, or used under no_grad or detach"
    )
    broken = [name for name, grad in grads.items() if grad is not None and not bool(grad.isfinite().all())]
    assert not broken, f"the gradient of {', '.join(broken)} has inf or NaN, at an input of ordinary level"


def no_gradient_vanishes(make: Make, x: Tensor) -> None:
    """Away from a start at zero, no parameter has a gradient of 0 throughout, nor has the input."""
    dead = [name for name, grad in _gradients(make, x).items() if grad is not None and not bool(grad.any())]
    assert not dead, (
        f"the gradient of {', '.join(dead)} is 0 throughout; usually a clamp that has closed, a part that is multiplied "
        "by 0, or sample() in place of rsample()"
    )


def batch_items_do_not_mix(make: Make, x: Tensor) -> None:
    """The first sound's output is the same whatever else is in the batch, in training and in evaluation."""
    others = torch.cat((x[:1], 3 * x[1:].flip(-1) + 0.1))
    for training in (True, False):
        module = built(make).train(training)
        seen, alone = run(module, others)[0], run(module, x)[0]
        assert torch.allclose(seen, alone, atol=1e-5), (
            "one sound changes another's output: statistics over the batch (batch normalization) do that"
        )


def state_makes_a_twin(make: Make, x: Tensor) -> None:
    """A second instance with the first one's state gives the same output."""
    first, second = built(make, seed=3), built(make, seed=5)
    with torch.no_grad():
        for index, parameter in enumerate(first.parameters()):
            parameter.add_(0.1 * (1 + index % 3))
    second.load_state_dict(first.state_dict())
    assert torch.equal(run(first.eval(), x), run(second.eval(), x)), (
        "the state_dict does not hold all that the output depends on: use nn.Parameter or register_buffer"
    )


def bf16_autocast_works(make: Make, x: Tensor) -> None:
    """Under bf16 autocast the shape is the same and the values stay near."""
    module = built(make)
    with torch.autocast("cpu", torch.bfloat16):
        half = run(module, x)
    full = run(module, x)
    assert half.shape == full.shape, (
        f"the shape under autocast is {tuple(half.shape)}, without {tuple(full.shape)}"
    )
    # bf16 has 8 bits: 0.4 % a rounding, and a network adds up some of them.
    near = (half.float() - full).norm() <= 0.1 * full.norm() + 1e-3
    assert bool(near), "bf16 changes the output by more than 10 %: do what is delicate in float32"


def float64_works(make: Make, x: Tensor) -> None:
    """A module moved to float64 gives float64, close to what it gave in float32."""
    single = run(built(make), x)
    double = run(built(make).double(), x.double())
    assert double.dtype == torch.float64, (
        f"float64 in, {double.dtype} out: a constant or a cast fixes the type"
    )
    assert torch.allclose(double.float(), single, atol=1e-4, rtol=1e-3), (
        "float32 and float64 disagree by more than 1e-3: look for a difference of large numbers"
    )


def follows_its_device(make: Make, x: Tensor) -> None:
    """A module that is moved computes where it is: torch's meta device stands in for a GPU, and needs none."""
    expected = built(make)(x)
    moved = built(make).to("meta")
    try:
        # autocast does not know the meta device, and there is nothing to cast there.
        with patch("torch.autocast", lambda *_, **__: nullcontext()):
            output = moved(x.to("meta"))
    except (RuntimeError, NotImplementedError) as error:
        raise AssertionError(
            f"after a move the module fails ({str(error).splitlines()[0]}): a tensor that it made stays on the CPU; "
            "make it a buffer, or create it on the input's device"
        ) from error
    assert output.device.type == "meta", (
        "after a move the output is still on the CPU: follow the input's device"
    )
    assert output.shape == expected.shape, "after a move the output has another shape"


def export_keeps_the_output(make: Make, x: Tensor) -> None:
    """torch.export takes the module as it is, and the exported program computes the same."""
    module = built(make).eval()
    with torch.no_grad():
        exported = torch.export.export(module, (x,)).module()
        assert torch.allclose(run(exported, x), run(module, x), atol=1e-5), (
            "the exported program computes something else: look for Python that depends on values or on earlier calls"
        )


def no_value_is_read_back(make: Make, x: Tensor) -> None:
    """The module runs without waiting for the device."""
    module = built(make)
    with NoDeviceReads():
        module(x)


OF_MODULES: tuple[Property, ...] = (
    same_input_gives_same_output,
    same_seed_gives_same_module,
    nothing_is_seeded,
    input_is_untouched,
    silence_stays_finite,
    gradients_reach_everything,
    batch_items_do_not_mix,
    state_makes_a_twin,
    bf16_autocast_works,
    float64_works,
    follows_its_device,
    export_keeps_the_output,
)
OF_DENSITIES: tuple[Property, ...] = (
    same_input_gives_same_output,
    input_is_untouched,
    gradients_reach_everything,
    no_gradient_vanishes,
    batch_items_do_not_mix,
    state_makes_a_twin,
    no_value_is_read_back,
)
"""For flows, posteriors and priors: a distribution cannot be exported, and computes in single precision."""


def of_modules(
    build: Callable[[Any], nn.Module], *shape: int, which: tuple[Property, ...] = OF_MODULES
) -> tuple[Check, ...]:
    """The properties above as checks of one kind: `build` turns its factory into a module for inputs of `shape`."""

    def bind(prop: Property) -> Check:
        def check(make: Any) -> None:
            prop(lambda: build(make), 0.5 * noise(*shape))

        check.__name__, check.__doc__ = prop.__name__, prop.__doc__
        return check

    return tuple(bind(prop) for prop in which)
