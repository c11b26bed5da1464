"""Every metric computes where the evidence is, in its precision, and waits for no value of it."""

import pytest
import torch
from attrs import asdict

from flowvae.catalogue import Catalogue
from flowvae.contracts import Evidence
from flowvae.testing.device_reads import NoDeviceReads
from flowvae.testing.metric import PERIODS, SAMPLE_RATE, evidence, sounds
from flowvae.testing.registered import factory

OURS = [c for c in Catalogue.installed().of_kind("metric") if c.plugin.distribution == "flowvae"]


def of(component):
    return factory(component, {})(SAMPLE_RATE, PERIODS)


def moved(*to):
    whole = evidence(sounds(0), sounds(1))
    fields = asdict(whole, recurse=False)
    return Evidence(**{n: v.to(*to) if isinstance(v, torch.Tensor) else v for n, v in fields.items()})


@pytest.mark.parametrize("component", OURS, ids=lambda component: component.name)
def test_a_metric_follows_the_evidence_to_its_device(component):
    """Torch's meta device stands in for a GPU, and needs none."""
    assert of(component)(moved("meta")).device.type == "meta"


@pytest.mark.parametrize("component", OURS, ids=lambda component: component.name)
def test_a_metric_reads_no_value_back(component):
    metric, given = of(component), moved("cpu")
    with NoDeviceReads():
        metric(given)


@pytest.mark.parametrize("component", OURS, ids=lambda component: component.name)
def test_double_precision_stays_double_and_says_the_same(component):
    single, double = of(component)(moved(torch.float32)), of(component)(moved(torch.float64))
    assert double.dtype == torch.float64
    assert single.dtype == torch.float32
    assert torch.allclose(single.double(), double, rtol=1e-3, atol=0.05)
