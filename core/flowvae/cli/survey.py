"""`flowvae data FOLDER`: what is in a folder of sounds, and what a run would make of it."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from attrs import define, field

from flowvae.catalogue import Catalogue
from flowvae.contracts import Skipped, Sound
from flowvae.data.copies import fingerprint
from flowvae.data.kits import Named, members_of
from flowvae.data.prepare import cut_clip, split_of
from flowvae.data.reading import read_sounds, refuse_too_few
from flowvae.data.verdict import told
from flowvae.errors import DataError
from flowvae.recipe import Part
from flowvae.recipe.datasets import folder_dataset
from flowvae.recipe.tables import DATA_KEYS

AUDIBLE = 0.01
"""-40 dB: what lies below, relative to a sound's own peak, is its silent tail."""


def survey(folder: Path, rate: int, *, as_json: bool) -> int:
    """Reads every sound; prints verdicts, lengths, and a length of clip that would suit."""
    component, key = folder_dataset(Catalogue.installed())
    source = component.load()(rate, 1, rate, **{key: folder})
    seen = _Seen(rate)
    try:
        for item in read_sounds(source, lambda line: print(line, file=sys.stderr, flush=True)):
            seen.take(item)
    except OSError as error:
        raise DataError(f"the sounds cannot be read: {error}", do="name a folder with sounds") from error
    content = _content(seen)
    data = Part(component, {}, {key.name: key.default for key in DATA_KEYS})
    problem = _split(content, data, source, seen)
    if as_json:
        print(json.dumps(content, indent=1, ensure_ascii=True))
    else:
        _print(content)
    if problem is None:
        return 0
    if as_json:
        return problem.exit_status  # the document says it
    raise DataError(f"no run can be made of {folder}: {problem.what}", do=problem.do)


@define
class _Seen:
    """What is kept of sounds once they have been looked at; their samples are not."""

    rate: int
    named: list[Named] = field(factory=list)
    notes: list[str] = field(factory=list)
    seconds: list[float] = field(factory=list)
    prints: list[Any] = field(factory=list)
    skipped: list[Skipped] = field(factory=list)

    def take(self, item: Sound | Skipped) -> None:
        if isinstance(item, Skipped):
            self.skipped.append(item)
            return
        self.named.append((item.name, item.whole, item.group, item.label))
        self.notes.append(item.note)
        self.seconds.append(audible_seconds(item, self.rate))
        # Of their first second.
        self.prints.append(fingerprint(cut_clip(item, self.rate, 0, self.rate), self.rate))


def _split(content: dict[str, Any], data: Part, source: Any, seen: _Seen) -> DataError | None:
    """Enters how a run would split the sounds; where it could not, the reason."""
    content |= {"groups": {}, "held_out": 0, "split": [], "problem": ""}
    try:
        n_files = len({whole or name for name, whole, _, _ in seen.named})
        most_skipped = data.extras["most_skipped"]
        refuse_too_few(
            len(seen.named), seen.skipped, strict=False, most_skipped=most_skipped, n_files=n_files
        )
        split = split_of(source, data, members_of(seen.named), seen.prints)
    except DataError as error:
        content["problem"] = error.what
        return error
    units = [unit for m, unit in zip(split.members, split.units, strict=True) if unit != m.name]
    content["groups"] = dict(Counter(units).most_common())
    content |= {"held_out": sum(split.held), "split": told(split)}
    return None


def _content(seen: _Seen) -> dict[str, Any]:
    lengths, rate = np.array(seen.seconds), seen.rate
    quantiles = (
        {f"{q} %": round(float(np.percentile(lengths, q)), 3) for q in (5, 50, 95)} if len(lengths) else {}
    )
    clip = _suiting_length(lengths, rate) if len(lengths) else None
    names = [name for name, _, _, _ in seen.named]
    return {
        "used": len(names),
        "noted": [{"name": name, "note": note} for name, note in zip(names, seen.notes, strict=True) if note],
        "skipped": [{"name": s.name, "reason": s.reason} for s in seen.skipped],
        "audible_seconds": quantiles,
        "proposed_n_samples": clip,
        "proposed_sample_rate": rate,
        "cut_short": int((lengths > clip / rate).sum()) if clip else 0,
    }


def audible_seconds(sound: Sound, rate: int) -> float:
    """From where the clip would begin to the last sample within 40 dB of the peak."""
    level = np.abs(sound.audio).max(axis=0)
    loud = np.flatnonzero(level >= AUDIBLE * level.max())
    return float(max(loud[-1] + 1 - sound.start, 0)) / rate if len(loud) else 0.0


def _suiting_length(lengths: "np.ndarray[Any, Any]", rate: int) -> int:
    """The 95th percentile of the audible lengths, up to the next multiple of 1024 samples."""
    samples = float(np.percentile(lengths, 95)) * rate
    return max(1024, int(np.ceil(samples / 1024)) * 1024)


def _print(content: dict[str, Any]) -> None:
    print(
        f"{content['used']} sounds can be used ({len(content['noted'])} with a note), {len(content['skipped'])} cannot"
    )
    for row in content["skipped"]:
        print(f"  skipped {row['name']}: {row['reason']}")
    kinds = Counter(part for row in content["noted"] for part in row["note"].split("; "))
    for note, count in kinds.most_common():
        first = next(row["name"] for row in content["noted"] if note in row["note"].split("; "))
        print(f"  noted {count} x {note} ({first})")
    if content["groups"]:
        print(
            f"groups, kept together in the split: {', '.join(f'{g} ({n})' for g, n in content['groups'].items())}"
        )
    for line in content["split"]:
        print(line)
    if content["proposed_n_samples"]:
        lengths = ", ".join(f"{q}: {s:.2f} s" for q, s in content["audible_seconds"].items())
        rate = content["proposed_sample_rate"]
        print(f"audible length, percentiles: {lengths}")
        print(
            f"proposed: model.sample_rate = {rate}, model.n_samples = {content['proposed_n_samples']} "
            f"({content['proposed_n_samples'] / rate:.2f} s; {content['cut_short']} sounds would be cut)"
        )
