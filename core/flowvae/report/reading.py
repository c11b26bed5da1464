"""From a folder of runs to records. Nothing in it is trusted, and nothing that is missing stops the reading."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from flowvae.report.records import Arm, Change, Data, Folder, MetricInfo, Plan, Result, Run, State, Used

if TYPE_CHECKING:
    from flowvae.statistics.paired import Direction

STATES: tuple[State, ...] = ("done", "failed", "stopped", "running", "waiting")


def text(value: object) -> str:
    """Any value as one line without control characters, and without halves of characters that no file can hold."""
    raw = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    whole = raw.encode("utf-8", "replace").decode("utf-8")
    return "".join(c if c.isprintable() else " " for c in whole).strip()


def number(value: object) -> float | None:
    """A finite number as float; None for everything else, true and false included."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _table(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text(item) for item in _items(value))


def _load(path: Path, problems: list[str], name: str) -> dict[str, Any]:
    """The JSON object in a file; an empty one, and a problem noted, where there is none."""
    if not path.is_file():
        problems.append(f"{name} is missing")
        return {}
    try:
        # Any wrong byte, wrong bracket, number of a million digits or nest of a thousand lists ends here.
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        problems.append(f"{name} cannot be read: {text(str(error))}")
        return {}
    if not isinstance(found, dict):
        problems.append(f"{name} holds no JSON object")
    return _table(found)


def _metric(name: str, table: dict[str, Any]) -> MetricInfo:
    said = table.get("direction")
    direction: Direction = said if said in {"lower", "higher"} else "none"
    unit = text(table.get("unit"))
    return MetricInfo(text(name), direction, unit, text(table.get("family")) or "quality")


def _arm(table: dict[str, Any], *, is_baseline: bool) -> Arm:
    changes = (_table(item) for item in _items(table.get("difference")))
    return Arm(
        name=text(table.get("name")),
        is_baseline=is_baseline,
        changes=tuple(
            Change(text(c.get("path")), text(c.get("baseline")), text(c.get("arm"))) for c in changes
        ),
        flags=_texts(table.get("flags")),
        identity=text(table.get("identity")),
        components=tuple(_used(name, _table(of)) for name, of in _table(table.get("components")).items()),
        parameters=number(table.get("parameters")),
        macs_per_second=number(table.get("macs_per_second")),
        receptive_field=number(table.get("receptive_field")),
    )


def _used(component: str, table: dict[str, Any]) -> Used:
    owner = f"{text(table.get('distribution'))} {text(table.get('version'))}"
    return Used(text(component), owner.strip(), text(table.get("source")))


def _plan(table: dict[str, Any], found_arms: list[str], found_seeds: list[int], fallback_name: str) -> Plan:
    metrics = tuple(_metric(name, _table(info)) for name, info in _table(table.get("metrics")).items())
    primary = text(table.get("metric"))
    named = [_table(item) for item in _items(table.get("arms"))]
    # One folder for each name: of two arms with one name, the second could only show the runs of the first.
    named = list({text(item["name"]): item for item in reversed(named) if text(item.get("name"))}.values())[
        ::-1
    ]
    named = named or [{"name": name} for name in found_arms]
    first = next((i for i, item in enumerate(named) if item.get("baseline") is True), None)
    seeds = [
        seed for seed in _items(table.get("seeds")) if isinstance(seed, int) and not isinstance(seed, bool)
    ]
    data, train = _table(table.get("data")), _table(table.get("train"))
    return Plan(
        name=text(table.get("name")) or text(fallback_name),
        question=text(table.get("question")),
        metric=next((m for m in metrics if m.name == primary), None),
        metrics=metrics,
        seeds=tuple(dict.fromkeys(seeds or found_seeds)),
        arms=tuple(_arm(item, is_baseline=i == first) for i, item in enumerate(named)),
        ledger=tuple(
            (text(_table(e).get("when")), text(_table(e).get("what"))) for e in _items(table.get("ledger"))
        ),
        data=Data(
            used=number(data.get("used")),
            skipped=number(data.get("skipped")),
            noted=number(data.get("noted")),
            held_out=number(data.get("held_out")),
            held_out_groups=_texts(data.get("held_out_groups")),
            fingerprint=text(data.get("fingerprint")),
            description=text(data.get("description")),
        ),
        steps=number(train.get("steps")),
        batch=number(train.get("batch")),
        worthwhile_difference=number(table.get("worthwhile_difference")),
    )


def _result(table: dict[str, Any]) -> Result:
    metrics = {text(k): _table(v) for k, v in _table(table.get("metrics")).items()}
    untrained = {text(k): _table(v) for k, v in _table(table.get("untrained")).items()}
    costs = {text(k): number(v) for k, v in _table(table.get("costs")).items()}
    context = ("data_fingerprint", "device", "precision", "threads")
    return Result(
        metrics={name: number(figure.get("value")) for name, figure in metrics.items()},
        per_sound={
            name: tuple(number(v) for v in _items(figure.get("per_sound")))
            for name, figure in metrics.items()
        },
        untrained={name: number(figure.get("value")) for name, figure in untrained.items()},
        costs={name: cost for name, cost in costs.items() if cost is not None},
        sounds=_texts(table.get("sounds")),
        groups=_texts(table.get("groups")),
        context={key: text(table[key]) for key in context if table.get(key) is not None},
    )


def _rows(path: Path, problems: list[str], name: str) -> tuple[Mapping[str, float | str], ...]:
    """The lines of metrics.jsonl. A torn last line is what a kill leaves and no problem; any other is one."""
    try:
        lines = path.read_bytes().split(b"\n") if path.is_file() else []
    except OSError as error:
        problems.append(f"{name} cannot be read: {text(str(error))}")
        return ()
    last = max((i for i, line in enumerate(lines) if line.strip()), default=-1)
    rows: list[Mapping[str, float | str]] = []
    damaged = 0
    for i, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            table = _table(json.loads(line))
        except (ValueError, RecursionError):
            damaged += i != last
            continue
        figures = {key: number(value) for key, value in table.items()}
        row: dict[str, float | str] = {key: value for key, value in figures.items() if value is not None}
        rows.append({**row, "phase": text(table.get("phase"))})
    if damaged:
        lines_are = "line, which is" if damaged == 1 else "lines, which are"
        problems.append(f"{name} has {damaged} damaged {lines_are} left out")
    return tuple(rows)


def _run(arm: str, seed: int, folder: Path | None, problems: list[str]) -> Run:
    name = f"runs/{arm}/seed-{seed}"
    if folder is None:
        return Run(arm, seed, Path(name), "waiting", reason="not started: there is no folder for it")
    status = _load(folder / "status.json", problems, f"{name}/status.json")
    said = status.get("state")
    state: State = said if said in STATES else "stopped"
    reason = text(status.get("reason")) or ("" if said in STATES else "its status cannot be read")
    result = None
    if state == "done":
        table = _load(folder / "result.json", problems, f"{name}/result.json")
        # Done means that the figures are there, whatever the status says.
        result, state = (_result(table), state) if table else (None, "failed")
        reason = reason if result else "it says that it is done, but left no result that can be read"
    return Run(
        arm=arm,
        seed=seed,
        folder=folder,
        state=state,
        step=number(status.get("step")),
        steps=number(status.get("steps")),
        reason=reason,
        exact=status.get("exact") is not False,
        warnings=_texts(status.get("warnings")),
        result=result,
        rows=_rows(folder / "metrics.jsonl", problems, f"{name}/metrics.jsonl"),
    )


def _folders(path: Path) -> dict[str, Path]:
    """The folders inside a folder by name: looking a name up here can never lead out of it."""
    try:
        return {child.name: child for child in sorted(path.iterdir()) if child.is_dir()}
    except OSError:
        return {}


def read_folder(folder: Path) -> Folder:
    """Everything that a folder of runs says, finished or not.

    Errors: FileNotFoundError where there is no such folder; nothing else that is wrong inside it raises.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}")
    problems: list[str] = []
    table = _load(folder / "plan.json", problems, "plan.json")
    arms = {name: _folders(path) for name, path in _folders(folder / "runs").items()}
    found = sorted(
        {int(s[5:]) for seeds in arms.values() for s in seeds if s[:5] == "seed-" and s[5:].isdecimal()}
    )
    plan = _plan(table, list(arms), found, folder.resolve().name)
    runs = tuple(
        _run(arm.name, seed, arms.get(arm.name, {}).get(f"seed-{seed}"), problems)
        for arm in plan.arms
        for seed in plan.seeds
    )
    if not plan.metric and len(plan.arms) > 1:
        problems.append("the plan names no primary metric that it describes: nothing is compared")
    return Folder(plan, runs, tuple(problems))
