"""The numbers of a report a second time, from the files of the runs: `python tests/recompute.py FOLDER`.

Nothing of flowvae is imported: means, intervals, sign flips by trying every pattern, the joint p, classes, limits and costs are
worked out here from plan.json and result.json, and held against comparisons.json and against what report.html shows.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from recompute_across import check_own_best, check_shifts
from recompute_artefacts import check_artefacts, check_beside
from second_statistics import By, joint, own_interval, paired, sign_flip, spread
from shown_numbers import Check, Table, by_arm, ends, shown_tables

COSTS = {
    "parameters": "parameters",
    "parameters of discriminators": "discriminator_parameters",
    "multiply-adds for 1 s of audio": "macs_per_second",
    "receptive field, samples": "receptive_field",
    "seconds a step": "seconds_per_step",
    "the whole training, s": "train_seconds",
    "peak memory, MB": "peak_memory_mb",
    "seconds of audio made in a second": "real_time_factor",
    "to decode one sound, ms": "decoding",
}


class Folder:
    """What lies in a folder of finished runs, as plain JSON."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.plan = json.loads((place / "plan.json").read_text())
        self.arms = [arm["name"] for arm in self.plan["arms"]]
        bases = {arm["at"]: arm["name"] for arm in self.plan["arms"] if arm["is_baseline"]}
        self.beside = {arm["name"]: bases[arm["at"]] for arm in self.plan["arms"]}
        """The baseline of each arm: there is one at every value that an ablation is run across."""
        self.baseline = next(iter(bases.values()))
        self.results: dict[str, dict[int, Any]] = {
            arm: {
                seed: json.loads(path.read_text())
                for seed in self.plan["seeds"]
                if (path := place / "runs" / arm / f"seed-{seed}" / "result.json").exists()
            }
            for arm in self.arms
        }
        first = next(iter(self.results[self.baseline].values()))
        self.metrics = list(first["metrics"])
        self.limits = {m["name"]: (m["least"], m["most"]) for m in self.plan["metrics"]}

    def values(self, arm: str, metric: str) -> By:
        """The figure of each seed."""
        found = {seed: result["metrics"][metric]["value"] for seed, result in self.results[arm].items()}
        return {seed: value for seed, value in found.items() if value is not None}

    def at_step(self, arm: str, metric: str, step: int) -> By:
        """The figure of each seed at one step, from the journals: of the points of curves where there are any."""
        key, found = f"metric/{metric}", {}
        for seed in self.plan["seeds"]:
            journal = self.place / "runs" / arm / f"seed-{seed}" / "metrics.jsonl"
            rows = [*map(json.loads, journal.read_text().splitlines())] if journal.exists() else []
            phase = "curve" if any(r["phase"] == "curve" and key in r for r in rows) else "validation"
            here = [
                r[key] for r in rows if (r["phase"], r["step"]) == (phase, step) and r.get(key) is not None
            ]
            if here:
                found[seed] = here[-1]
        return found

    def classes(self, arm: str, metric: str, name: str) -> By:
        """The median over the sounds of a class, by seed."""
        found = {}
        for seed, result in self.results[arm].items():
            figures = result["metrics"][metric]["per_sound"] or []
            own = [v for v, kind in zip(figures, result["classes"], strict=False) if kind == name]
            if own and None not in own:
                found[seed] = float(np.median(own))
        return found

    def group(self, arm: str, metric: str, name: str) -> float | None:
        """The mean over the sounds of a group, then over the seeds."""
        means = []
        for result in self.results[arm].values():
            figures = result["metrics"][metric]["per_sound"] or []
            own = [v for v, g in zip(figures, result["groups"], strict=False) if g == name and v is not None]
            means += [np.mean(own)] if own else []
        return float(np.mean(means)) if means else None

    def censored(self, arm: str, metric: str) -> float | None:
        """The share of figures on a limit."""
        least, most = self.limits[metric]
        if least is None and most is None:
            return None
        entries = [result["metrics"][metric] for result in self.results[arm].values()]
        figures = [v for e in entries for v in (e["per_sound"] or [e["value"]]) if v is not None]
        on = [(least is not None and v <= least) or (most is not None and v >= most) for v in figures]
        return sum(on) / len(on) if on else None

    def costs(self, arm: str, key: str) -> list[float]:
        """That of each run."""
        found = [result["costs"] for result in self.results[arm].values()]
        if key == "decoding":
            seconds = self.plan["data"]["seconds"]
            return [1000 * seconds / one["real_time_factor"] for one in found if one.get("real_time_factor")]
        return [one[key] for one in found if one.get(key) is not None]

    def cost(self, arm: str, key: str) -> float | None:
        """The mean over the runs, or what the plan says."""
        found = self.costs(arm, key)
        [planned] = [one.get(key) for one in self.plan["arms"] if one["name"] == arm]
        return float(np.mean(found)) if found else planned


def check_json(check: Check, folder: Folder, told: Mapping[str, Any]) -> None:
    """comparisons.json, key by key."""
    for arm in told["arms"]:
        check_arm(check, folder, arm, told["metric"])
    for comparison in told["comparisons"]:
        check_comparison(check, folder, comparison)
    check_shifts(check, folder, told)


def check_arm(check: Check, folder: Folder, arm: Mapping[str, Any], primary: str) -> None:
    """The figures of one arm."""
    name = arm["name"]
    for metric, figures in arm["figures"].items():
        values = folder.values(name, metric)
        where = f"{name}.{metric}"
        check.same(where, figures["values"], {str(seed): value for seed, value in values.items()})
        check.same(where, [figures["mean"], figures["sd"]], spread(values))
        alone = paired(dict.fromkeys(values, 0.0), values)
        check.same(f"{where}.interval", figures["interval"], alone["interval"] if alone else None)
        check.same(f"{where}.censored", figures["censored"], folder.censored(name, metric))
        check_beside(check, folder, name, metric, figures)
    for metric, classes in arm["classes"].items():
        for kind, found in classes.items():
            medians = folder.classes(name, metric, kind)
            where = f"{name}.{metric}.{kind}"
            check.same(where, found["values"], {str(s): v for s, v in medians.items()})
            check.same(where, [found["mean"], found["sd"]], spread(medians))
    for key, cost in arm["costs"].items():
        check.same(f"{name}.{key}", cost, folder.cost(name, key))
    for group, mean in arm["groups"].items():
        check.same(f"{name}.{group}", mean, folder.group(name, primary, group))


def check_comparison(check: Check, folder: Folder, comparison: Mapping[str, Any]) -> None:
    """The differences of one comparison, and its p alone."""
    arm, against = comparison["arm"], comparison["against"]
    for metric, found in comparison["metrics"].items():
        mine = paired(folder.values(against, metric), folder.values(arm, metric))
        check.same(f"{arm}-{against}.{metric}", found, mine)
    for metric, classes in comparison["classes"].items():
        for kind, found in classes.items():
            mine = paired(folder.classes(against, metric, kind), folder.classes(arm, metric, kind))
            check.same(f"{arm}-{against}.{metric}.{kind}", found, mine)
    for key, ratio in comparison["cost_ratios"].items():
        a, b = folder.cost(arm, key), folder.cost(against, key)
        check.same(f"{arm}-{against}.{key}", ratio, a / b if a is not None and b else None)
    for told in comparison["steps"]:
        sides = (folder.at_step(one, comparison["metric"], told["step"]) for one in (against, arm))
        found = {key: value for key, value in told.items() if key != "step"}
        check.same(f"{arm}-{against} at {told['step']}", found, paired(*sides))
    if comparison["paired"]:
        alone = sign_flip(list(comparison["paired"]["differences"].values()))
        check.same(f"{arm}-{against}.p", comparison["p_alone"]["p"], alone)
        check.same(
            f"{arm}-{against}.paired", comparison["paired"], comparison["metrics"][comparison["metric"]]
        )


def family(folder: Folder, told: Mapping[str, Any]) -> dict[str, dict[int, float]]:
    """The differences of what was tested together."""
    found = {}
    for one in (*told["comparisons"], *told["effects"], *told["shifts"]):
        if one["joint"]:
            name = one.get("name") or "-".join((one["arm"], one["against"], *one.get("values", ())))
            found[name] = {int(seed): d for seed, d in one["paired"]["differences"].items()}
    return found


def check_page(check: Check, folder: Folder, told: Mapping[str, Any], page: str) -> None:
    """The tables of report.html: arms, costs, other metrics, classes and groups."""
    tested, tables = family(folder, told), shown_tables(page)
    joints = joint(tested) if tested else {}
    is_first_look = not folder.plan["ledger"][1:]
    for one in (*told["comparisons"], *told["shifts"]) if is_first_look else ():
        name = "-".join((one["arm"], one["against"], *one.get("values", ())))
        check.same(f"{name}.joint", one["joint"]["p"] if one["joint"] else None, joints.get(name))
    check_arms(check, folder, joints, tables["arms"][0])
    for table in tables["arms"]:
        if table.header[0] == "mean over runs" and table.header[1] != "phase":
            check_costs(check, folder, table)
    check_others(check, folder, tables["other"])
    check_classes(check, folder, tables.get("classes", []))
    check_artefacts(check, folder, tables.get("artefacts", []))


def check_arms(check: Check, folder: Folder, joints: Mapping[str, float], table: Table) -> None:
    """The first table of the page."""
    primary, rows = folder.plan["metric"], [row for row in table.rows if len(row) > 1]
    for arm, row in zip(folder.arms, rows, strict=False):
        base = folder.beside[arm]
        mean, sd = spread(folder.values(arm, primary))
        check.shown(f"{arm}.mean", row[2].main, mean)
        if sd is not None:
            shown_sd, shown_interval = row[2].small.split("\n")
            check.shown(f"{arm}.sd", shown_sd.removeprefix("± "), sd)
            own = own_interval(folder.values(arm, primary))
            for name, text, value in zip(("low", "high"), ends(shown_interval), own, strict=True):
                check.shown(f"{arm}.{name}", text, value)
        found = paired(folder.values(base, primary), folder.values(arm, primary))
        if arm == base or found is None or f"{arm}-{base}" not in joints:
            continue
        check_difference(check, arm, (row[3].main, row[3].small), found)
        sides = [int(seeds) for seeds in row[4].main.split(" / ")]
        check.same(f"{arm}.sides", sides, [found["lower"], found["higher"]])
        check.shown(f"{arm}.p", row[5].main, sign_flip(list(found["differences"].values())))
        check.shown(f"{arm}.joint", row[5].small, joints[f"{arm}-{base}"])


def check_costs(check: Check, folder: Folder, table: Table) -> None:
    """What each arm costs, and beside the baseline."""
    for arm, row in zip(folder.arms, table.rows, strict=True):
        for words, cell in zip(table.header[1:], row[1:], strict=True):
            mine, theirs = (folder.cost(one, COSTS[words]) for one in (arm, folder.beside[arm]))
            check.shown(f"{arm}.{words}", cell.main, mine)
            for line in cell.small.split("\n") if cell.small else ():
                if line.endswith("%"):
                    check.shown(f"{arm}.{words}", line, 100 * (mine / theirs - 1))
                else:
                    each = folder.costs(arm, COSTS[words])
                    for end, text in zip((min(each), max(each)), ends(line), strict=True):
                        check.shown(f"{arm}.{words}", text, end)


def check_others(check: Check, folder: Folder, tables: Sequence[Table]) -> None:
    """The secondary metrics, and the primary one by group."""
    metrics, *groups = tables
    for metric, cells in by_arm(metrics, len(folder.arms)):
        for arm, cell in zip(folder.arms, cells, strict=True):
            theirs, ours = (folder.values(one, metric) for one in (folder.beside[arm], arm))
            check_cell(check, f"{arm}.{metric}", cell, theirs, ours)
    for group, cells in (found for table in groups for found in by_arm(table, len(folder.arms))):
        name = "" if group == "without a group" else group
        for arm, cell in zip(folder.arms, cells, strict=True):
            check.shown(f"{arm}.{name}", cell.main, folder.group(arm, folder.plan["metric"], name))


def check_classes(check: Check, folder: Folder, tables: Sequence[Table]) -> None:
    """A table for each metric of single sounds, the primary one first."""
    result = next(iter(folder.results[folder.baseline].values()))
    metrics = [metric for metric in folder.metrics if result["metrics"][metric]["per_sound"]]
    metrics.sort(key=lambda metric: metric != folder.plan["metric"])
    for metric, table in zip(metrics, tables, strict=False):
        for shown, cells in by_arm(table, len(folder.arms)):
            kind = "" if shown == "no known class" else shown
            for arm, cell in zip(folder.arms, cells, strict=True):
                theirs, ours = (folder.classes(one, metric, kind) for one in (folder.beside[arm], arm))
                check_cell(check, f"{arm}.{metric}.{kind}", cell, theirs, ours)


def check_cell(check: Check, where: str, cell: Any, theirs: By, ours: By) -> None:
    """Mean ± sd, and below it the difference with its interval."""
    mean, _, sd = cell.main.partition(" ± ")
    check.shown(where, mean, spread(ours)[0])
    check.shown(f"{where}.sd", sd, spread(ours)[1])
    if cell.small and (found := paired(theirs, ours)):
        difference, _, interval = cell.small.partition(" (")
        check_difference(check, where, (difference, interval.removesuffix(")")), found)


def check_difference(check: Check, where: str, texts: tuple[str, str], found: Mapping[str, Any]) -> None:
    """The mean difference and both ends of its interval."""
    check.shown(f"{where}.difference", texts[0], found["mean"])
    for text, end in zip(ends(texts[1]), found["interval"] or [], strict=False):
        check.shown(f"{where}.interval", text, end)


def recompute(place: Path) -> Check:
    """All of it, for the folder of an ablation with a report."""
    check, folder = Check(), Folder(place)
    told = json.loads((place / "comparisons.json").read_text())
    check_json(check, folder, told)
    page = (place / "report.html").read_text(encoding="utf-8")
    check_page(check, folder, told, page)
    check_own_best(check, folder, told, page)
    return check


if __name__ == "__main__":
    result = recompute(Path(sys.argv[1]))
    print(f"{result.count} numbers, {len(result.wrong)} differ", *result.wrong[:50], sep="\n")
    sys.exit(bool(result.wrong))
