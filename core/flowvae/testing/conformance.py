"""Runs every check that applies to a plugin or to some components, and keeps what each of them says."""

import tempfile
import wave
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from attrs import frozen

from flowvae.catalogue import Catalogue, Component, Plugin
from flowvae.errors import FlowvaeError, RecipeError
from flowvae.testing import checks, every_kind
from flowvae.testing.reference import write_network
from flowvae.testing.registered import factory


@frozen
class Result:
    """What one check says of one component, or of a plugin as a whole."""

    subject: str
    check: str
    state: Literal["ok", "FAILED", "unchecked"]
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.state:9} {self.subject}: {self.check}" + (f": {self.advice}" if self.advice else "")


def conformance(plugins: list[Plugin], components: list[Component], catalogue: Catalogue) -> Iterator[Result]:
    """One result for each plugin or component and each check that applies to it, as they come."""
    for plugin in plugins:
        subject = f"plugin {plugin.name} ({plugin.owner})"
        if plugin.state == "broken":
            yield Result(subject, "it can be used", "FAILED", plugin.problem)
            continue
        for check in every_kind.OF_PLUGINS:
            yield _result(subject, check.__name__, partial(check, plugin, catalogue))
    with tempfile.TemporaryDirectory() as folder:
        write_sounds(Path(folder))
        network = write_network(Path(folder))
        for component in components:
            yield from _of_component(component, network if component.kind == "reference" else Path(folder))


def _of_component(component: Component, path: Path) -> Iterator[Result]:
    subject = str(component)
    for check in every_kind.OF_COMPONENTS:
        yield _result(subject, check.__name__, partial(check, component))
    try:
        of_kind = checks(component.kind, component.catalogue)
        make = factory(component, {Path: path})
    except RecipeError as error:
        # What it needs is a recipe's to choose: no default, so nothing that could be tried here.
        advice = f"{'; '.join(f.what for f in error.faults)}: call the checks from a test that chooses"
        yield Result(subject, f"checks of the kind {component.kind}", "unchecked", advice)
        return
    except Exception as error:  # noqa: BLE001 - what a plugin raises is its own
        yield Result(subject, f"checks of the kind {component.kind}", "FAILED", _said(error))
        return
    if not of_kind:
        yield Result(subject, f"checks of the kind {component.kind}", "unchecked", "the kind has none")
    for of_one_kind in of_kind:
        yield _result(subject, of_one_kind.__name__, partial(of_one_kind, make))


def _result(subject: str, name: str, run: Callable[[], None]) -> Result:
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            run()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - what a plugin raises is its own
        return Result(subject, name, "FAILED", _said(error))
    return Result(subject, name, "ok")


def _said(error: BaseException) -> str:
    if isinstance(error, FlowvaeError):
        return " ".join(line.strip() for line in error.lines())
    text = " ".join(str(error).split())
    return text if isinstance(error, AssertionError) and text else f"{type(error).__name__}: {text}"


def write_sounds(folder: Path) -> None:
    """Two kits of three stereo hits, for data sets that read a folder."""
    generator = torch.Generator().manual_seed(0)
    decay = torch.exp(-torch.arange(4000) / 500)[:, None]
    for kit in ("one", "two"):
        (folder / kit).mkdir()
        for index in range(3):
            hit = (3000 * torch.randn(4000, 2, generator=generator) * decay).to(torch.int16)
            with wave.open(str(folder / kit / f"hit-{index}.wav"), "wb") as file:
                file.setnchannels(2)
                file.setsampwidth(2)
                file.setframerate(22050)
                file.writeframes(hit.numpy().tobytes())
