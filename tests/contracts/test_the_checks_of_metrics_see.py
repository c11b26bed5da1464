"""The public checks of metrics see a wrong `reads`."""

import pytest

from complaints import complaints
from flowvae.testing.metric import evidence, sounds


class Error:
    direction = "lower"
    unit = "amplitude"
    reads = ("real", "estimate")

    def __call__(self, evidence):
        return (evidence.estimate - evidence.real).flatten(1).abs().mean(1)


class Silent(Error):
    pass


class Forgetful(Error):
    reads = ("real",)


class Boastful(Error):
    reads = ("real", "estimate", "kl")


class Misspelt(Error):
    reads = ("real", "estimates")


class Empty(Error):
    reads = ()


SEEN = {
    Silent: "reads is no constant of the class",
    Forgetful: "the figure depends on a field that reads does not name",
    Boastful: "the figure does not depend on kl",
    Misspelt: "expected names among classes, codes, estimate",
    Empty: "reads is empty",
}


def made(of):
    return lambda sample_rate, periods: of()


def test_a_metric_that_says_what_it_reads_passes():
    assert complaints(made(Error), "metric") == []


@pytest.mark.parametrize("wrong", SEEN, ids=lambda wrong: wrong.__name__)
def test_a_wrong_reads_is_seen(wrong):
    found = complaints(made(wrong), "metric")
    assert [said for said in found if said.startswith("it_says_what_it_reads") and SEEN[wrong] in said], found


def test_a_field_that_was_not_gathered_says_so_by_name():
    given = evidence(sounds(0), sounds(1))
    bare = type(given)(
        real=given.real, estimate=given.estimate, generated=given.generated, codes=given.codes, kl=given.kl
    )
    with pytest.raises(AttributeError, match="not gathered; name it in the metric's `reads`"):
        bare.latents.mean()
