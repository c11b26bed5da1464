"""Asks the questions of the book and writes down what came out: `python docs/book/make.py [QUESTION ...]`.

Each is asked on the built-in drums and on a folder of kits. What is interrupted goes on with the same command; what is done is not
done again. At the end the tables of README.md are made anew from the records that lie here; `--page` asks nothing and does that alone.
"""

import argparse
import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import flowvae

HERE = Path(__file__).parent
PAGE = HERE / "README.md"
KITS = Path("/usr/share/hydrogen/data/drumkits")
SHOWN = (
    "spectral_distance",
    "tonal_artefact",
    "level_error",
    "attack_error",
    "kernel_distance",
    "faintest_sample",
)
BEFORE, NOW = ("as_it_was", "snake"), ("other_network", "baseline")
"""The question and the arm that are percussion_small as it was, and as it is."""
BESIDES = ("kernel_distance_floor", "si_sdr", "kl_nats")
BY_CLASS = ("spectral_distance", "level_error")
"""Metrics of which a record keeps the median of each class."""


def ask(question: Path, kits: Path, out: Path) -> None:
    """Runs one question on both sets of sounds, and writes a record of each."""
    for name, data in (("drums", None), ("kits", kits)):
        folder = out / f"{question.stem}.{name}"
        flowvae.run(question, data=data, out=folder)
        record = record_of(folder, name)
        (HERE / "records").mkdir(exist_ok=True)
        (HERE / "records" / f"{folder.name}.json").write_text(json.dumps(record, indent=1) + "\n")


def record_of(folder: Path, data: str) -> dict[str, Any]:
    """What an ablation found, small enough to be kept: every figure of every seed, and the headline that rests on them."""
    found = json.loads((folder / "comparisons.json").read_text())
    plan = json.loads((folder / "plan.json").read_text())
    leaves = json.loads((folder / "arms.json").read_text())["arms"]
    changed = {arm["name"]: arm["changes"] for arm in plan["arms"]}
    result = json.loads(next(folder.glob("runs/*/*/result.json")).read_text())
    return {
        "question": found["question"],
        "data": data,
        "budget": found["budget"],
        "seeds": found["seeds"],
        "metric": found["metric"],
        "worthwhile_difference": found["worthwhile_difference"],
        "made_on": {
            "machine": _processor(),
            "threads": result["threads"],
            "python": platform.python_version(),
        },
        "baseline": {"name": found["baseline"], "recipe": leaves[found["baseline"]]["leaves"]},
        "arms": {
            arm["name"]: {
                "changes": changed[arm["name"]],
                "figures": {name: figure["values"] for name, figure in arm["figures"].items()},
                "classes": {
                    name: {kind: one["values"] for kind, one in arm["classes"][name].items()}
                    for name in BY_CLASS
                    if name in arm["classes"]
                },
                "costs": arm["costs"],
            }
            for arm in found["arms"]
        },
        "comparisons": [
            {
                "arm": one["arm"],
                "against": one["against"],
                "joint": one["joint"],
                "verdict": one["verdict"],
                "metrics": one["metrics"],
            }
            for one in found["comparisons"]
        ],
        "effects": [
            {key: one[key] for key in ("levels", "instead", "is_interaction", "paired", "joint", "verdict")}
            for one in found["effects"]
        ],
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def tables(records: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A table for each record: the baseline's means, and each arm's difference with its interval over seeds."""
    for name, record in sorted(records.items()):
        arms, first = record["arms"], record["baseline"]["name"]
        metrics = [metric for metric in SHOWN if metric in arms[first]["figures"]]
        yield f"**{name}** ({len(record['seeds'])} seeds, {record['budget']['steps']} steps): {record['question']}\n"
        yield _row("", [*metrics, "seconds a step"])
        yield "| --- |" + " --- |" * (len(metrics) + 1)
        yield _means(first, arms[first], metrics)
        yield from _differences(record, metrics)
        if record["effects"]:
            yield from (_means(arm, of, metrics) for arm, of in arms.items() if arm != first)
            yield ""
            yield from _effects(record)
        yield ""


def _means(name: str, arm: Mapping[str, Any], metrics: Sequence[str]) -> str:
    figures = [f"{_mean(arm['figures'][metric]):.2f}" for metric in metrics]
    return _row(name, [*figures, _cost(arm)])


def _differences(record: Mapping[str, Any], metrics: Sequence[str]) -> Iterator[str]:
    for one in record["comparisons"]:
        if one["against"] == record["baseline"]["name"]:
            word = one["verdict"]["word"] if one["verdict"] else "one of several metrics"
            cells = [_difference(one["metrics"][metric]) for metric in metrics]
            yield _row(f"{one['arm']}: {word}", [*cells, _cost(record["arms"][one["arm"]])])


def _effects(record: Mapping[str, Any]) -> Iterator[str]:
    """What each level of a crossed factor does in the mean over the others, and what two of them do together."""
    for one in record["effects"]:
        levels = [f"`{path} = {value}`" for path, value in one["levels"]]
        said = f"{record['metric']} {_difference(one['paired'])}: {one['verdict']['word']}"
        yield f"- {' with '.join(levels)}: {said}"


def _cost(arm: Mapping[str, Any]) -> str:
    return f"{arm['costs']['seconds_per_step']:.3f}"


def before_and_now(records: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What the recipe was and what it is, on both sets of sounds: the figures that its goals are about."""
    yield "| | drums, before | drums, now | kits, before | kits, now |"
    yield "| --- | --- | --- | --- | --- |"
    sides = [
        records[f"{question}.{data}"]["arms"][arm]
        for data in ("drums", "kits")
        for question, arm in (BEFORE, NOW)
    ]
    for metric in (*SHOWN, *BESIDES):
        yield _row(metric, [f"{_mean(side['figures'][metric]):.2f}" for side in sides])
    worst = [max((_mean(of), kind) for kind, of in side["classes"]["level_error"].items()) for side in sides]
    yield _row("level_error of the worst class", [f"{value:.2f} ({kind})" for value, kind in worst])


def _row(what: str, cells: list[str]) -> str:
    return f"| {what} | {' | '.join(cells)} |"


def _mean(values: Mapping[str, float | None]) -> float:
    known = [value for value in values.values() if value is not None]
    return sum(known) / len(known)


def _difference(paired: Mapping[str, Any]) -> str:
    low, high = paired["interval"] or (float("nan"), float("nan"))
    return f"{paired['mean']:+.2f} ({low:+.2f} to {high:+.2f})"


def page_of(text: str, records: Mapping[str, Mapping[str, Any]]) -> str:
    """The page with the tables of these records between its marks."""
    for mark, lines in (("before and now", before_and_now(records)), ("questions", tables(records))):
        begin, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = "\n\n".join([before + begin, "\n".join(lines).strip(), end + after])
    return text


def records() -> dict[str, dict[str, Any]]:
    """Every record of the book, by its name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((HERE / "records").glob("*.json"))}


def main() -> None:
    """Asks what is named, or every question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", nargs="*", help="names of files in questions/, without .toml; none: all")
    parser.add_argument("--kits", type=Path, default=KITS, help="a folder of drum kits")
    parser.add_argument("--out", type=Path, default=Path("runs/book"), help="where the runs go")
    parser.add_argument(
        "--page", action="store_true", help="run nothing, and make the tables of the page anew"
    )
    given = parser.parse_args()
    questions = {path.stem: path for path in sorted((HERE / "questions").glob("*.toml"))}
    if unknown := [name for name in given.questions if name not in questions]:
        parser.error(f"no question is called {', '.join(unknown)}; there are {', '.join(questions)}")
    for name in () if given.page else given.questions or questions:
        ask(questions[name], given.kits, given.out)
    PAGE.write_text(page_of(PAGE.read_text(), records()))


if __name__ == "__main__":
    main()
