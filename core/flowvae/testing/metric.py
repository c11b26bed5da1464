"""What every metric must do."""

import math
from typing import Any

import torch
from attrs import evolve, fields
from torch import Tensor

from flowvae.contracts import BuiltMetric, Evidence, Metric
from flowvae.testing import checks_in
from flowvae.testing.properties import noise

SAMPLE_RATE, PERIODS, N_SOUNDS, N_SAMPLES, LATENT = 44100, (2, 8, 32), 6, 4096, 3


CLASSES = "classes"
"""The one field that is no tensor."""


def sounds(seed: int) -> Tensor:
    """Hits of noise with a silent tail."""
    decay = torch.exp(-torch.arange(N_SAMPLES) / 400) * (torch.arange(N_SAMPLES) < 3000)
    return 0.3 * noise(N_SOUNDS, 2, N_SAMPLES, seed=seed) * decay


def evidence(real: Tensor, estimate: Tensor) -> Evidence:
    """An evaluation with these sounds."""
    return Evidence(
        real=real,
        estimate=estimate,
        generated=sounds(3)[:4],
        codes=noise(len(real), LATENT, seed=4),
        kl=noise(len(real), seed=5).abs(),
        latents=noise(len(real), LATENT, seed=6),
        prior_latents=noise(len(real), LATENT, seed=7),
        kl_by_dimension=noise(len(real), LATENT, seed=8).abs(),
        round_trips=noise(2, len(real), LATENT, seed=9),
        silence=sounds(11)[:1],
        trained=sounds(10),
        classes=tuple(("kick", "snare", "hat")[i % 3] for i in range(len(real))),
    )


def the_figure_has_the_shape_of_the_contract(make: Metric) -> None:
    """(n,) where each sound has a figure, () where the set has one; in floating point."""
    figure = make(SAMPLE_RATE, PERIODS)(evidence(sounds(0), sounds(1)))
    assert figure.shape in {(N_SOUNDS,), ()}, (
        f"the figure has the shape {tuple(figure.shape)}; expected (n,) or ()"
    )
    assert figure.is_floating_point(), f"the figure is {figure.dtype}; expected floats, which can be averaged"


def direction_and_unit_are_known_before_a_run(make: Metric) -> None:
    """Both are constants of the class."""
    measure = make(SAMPLE_RATE, PERIODS)
    for name in ("direction", "unit"):
        assert isinstance(vars(type(measure)).get(name), str), (
            f"{name} is no constant of the class; expected one, for a plan names the better end before anything runs"
        )
    assert measure.direction in {"lower", "higher", "none"}, (
        f'direction is {measure.direction!r}; expected "lower", "higher" or "none"'
    )


def it_says_what_it_reads(make: Metric) -> None:
    """`reads` is a constant of the class and names fields of the evidence: each of those, and no other, moves the figure."""
    given, measure = evidence(sounds(0), sounds(1)), make(SAMPLE_RATE, PERIODS)
    reads = vars(type(measure)).get("reads")
    names = {field.name for field in fields(Evidence)}
    assert isinstance(reads, tuple), (
        'reads is no constant of the class; expected a tuple such as ("real", "estimate")'
    )
    assert reads, "reads is empty; expected the fields of the evidence that the figure depends on"
    assert names.issuperset(reads), f"reads is {reads}; expected names among {', '.join(sorted(names))}"
    figure = measure(given)
    tensors = names - {CLASSES}
    unread: dict[str, Any] = {name: getattr(given, name) * math.nan for name in tensors.difference(reads)}
    if CLASSES not in reads:
        unread[CLASSES] = ()
    assert torch.equal(measure(evolve(given, **unread)), figure), (
        "the figure depends on a field that reads does not name; expected all of them, for only those are gathered"
    )
    # Hits fall silent, and some figures are about what sounds: so noise as well.
    read = sorted(tensors.intersection(reads))
    louder: dict[str, Any] = {n: 0.1 * noise(*getattr(given, n).shape, seed=i) for i, n in enumerate(read)}
    loud = evolve(given, **louder)
    for name in read:
        assert any(_moves(measure, one, name) for one in (given, loud)), (
            f"the figure does not depend on {name}; expected only what it depends on in reads"
        )


def _moves(measure: BuiltMetric, given: Evidence, name: str) -> bool:
    """Whether some change of a field changes the figure; a count may miss one of them, or two."""
    value, figure = getattr(given, name), measure(given)
    others = (0 * value, 3 * value, value.flip(0))
    return any(not torch.equal(measure(evolve(given, **{name: other})), figure) for other in others)


def extremes_stay_finite(make: Metric) -> None:
    """Silence on either side or on both, equal sounds, and sounds over full scale give finite figures."""
    hit, silence = sounds(0), torch.zeros(N_SOUNDS, 2, N_SAMPLES)
    for real, estimate in ((hit, hit), (hit, silence), (silence, hit), (silence, silence), (hit, 10 * hit)):
        # What the prior makes and what was trained on go along: a set metric compares them with the real sounds.
        given = evolve(
            evidence(real, estimate), generated=estimate[:4], silence=estimate[:1], trained=estimate
        )
        figure = make(SAMPLE_RATE, PERIODS)(given)
        assert figure.isfinite().all(), (
            f"levels of {real.abs().max():.1f} and {estimate.abs().max():.1f} give {figure}; expected finite numbers; "
            "usually a logarithm or a division at 0, or an equal pair whose error is exactly 0"
        )


def a_sound_is_judged_alone(make: Metric) -> None:
    """Where each sound has a figure, it does not depend on the others."""
    whole = evidence(sounds(0), sounds(1))
    of_sounds = ("real", "estimate", "codes", "kl", "latents", "kl_by_dimension")
    rows: dict[str, Any] = {name: getattr(whole, name)[:2] for name in (*of_sounds, CLASSES)}
    part = evolve(whole, **rows, round_trips=whole.round_trips[:, :2])
    measure = make(SAMPLE_RATE, PERIODS)
    figure = measure(whole)
    if figure.shape == (N_SOUNDS,):
        assert torch.allclose(figure[:2], measure(part), rtol=1e-4, atol=1e-5), (
            "the figure of a sound changes with the others of the set; expected none; give one figure for the set instead"
        )


def figures_stay_within_their_limits(make: Metric) -> None:
    """Where the class says `limits`, no figure lies beyond, of equal sounds and of what has nothing in common."""
    limits = vars(type(make(SAMPLE_RATE, PERIODS))).get("limits")
    if limits is None:
        return
    assert isinstance(limits, tuple), (
        f"limits is {limits!r}; expected (least, most), None on a side without one"
    )
    assert len(limits) == 2, f"limits is {limits!r}; expected (least, most), None on a side without one"
    least, most = (
        -math.inf if limits[0] is None else limits[0],
        math.inf if limits[1] is None else limits[1],
    )
    hit, silence = sounds(0), torch.zeros(N_SOUNDS, 2, N_SAMPLES)
    for real, estimate in ((hit, hit), (hit, silence), (silence, hit), (hit, sounds(1))):
        given = evolve(evidence(real, estimate), generated=estimate[:4], silence=estimate[:1])
        figure = make(SAMPLE_RATE, PERIODS)(given)
        inside = bool((figure >= least).all()) and bool((figure <= most).all())
        assert inside, f"a figure of {figure} lies beyond the limits {limits}; expected none, or other limits"


def evidence_is_untouched(make: Metric) -> None:
    """The sounds are as they were, and a second call gives the same figure."""
    given, measure = evidence(sounds(0), sounds(1)), make(SAMPLE_RATE, PERIODS)
    assert torch.equal(measure(given), measure(given)), "two calls differ; expected the same bits"
    for sound, kept in ((given.real, sounds(0)), (given.estimate, sounds(1))):
        assert torch.equal(sound, kept), "a sound was changed in place; expected a new tensor"


def a_decoder_without_stages_is_fine(make: Metric) -> None:
    """A model may have no periods."""
    assert make(SAMPLE_RATE, ())(evidence(sounds(0), sounds(1))).isfinite().all(), (
        "without periods the figure is not finite"
    )


CHECKS = checks_in(globals())
