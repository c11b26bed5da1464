"""The table of arms and seeds, and of the runs that are at work, as lines for a terminal of any size."""

from collections import Counter
from collections.abc import Sequence

from attrs import frozen

from flowvae.ablation.standing import Standing, duration
from flowvae.folder.run_records import StatusRecord
from flowvae.text import printable, width

AT_WORK = frozenset({"running", "starting", "silent"})
CELLS = {"waiting": "-", "interrupted": "cut off"}
"""How a cell says a state; all others say it themselves, and a run at work says how far it is."""
GAP = "  "
LEAST_NAME = 12
"""Columns that a name keeps in a narrow terminal."""
LEAST_ROWS = 2
"""Where fewer rows than these are left for both tables, that of the runs at work is left out."""


@frozen
class Column:
    """One column of a table: its head, and its cells."""

    head: str
    cells: Sequence[str]
    right: bool = True
    """Numbers stand at the right."""

    @property
    def columns(self) -> int:
        """Columns of the terminal that it takes."""
        return max(columns_of(text) for text in (self.head, *self.cells))


def run_table(
    standings: Sequence[Standing], columns: int | None = None, rows: int | None = None
) -> list[str]:
    """Arms by seeds, then a line for each run at work; no wider than `columns`, no longer than `rows`."""
    by_arm: dict[str, list[Standing]] = {}
    for standing in standings:
        by_arm.setdefault(standing.run.arm, []).append(standing)
    at_work = [standing for standing in standings if standing.state in AT_WORK]
    room_arms, room_runs = _shared(len(by_arm), len(at_work), rows)
    arms = _most_telling(by_arm, room_arms)
    lines = _laid_out(_arms_by_seeds(arms, columns), columns)
    if rest := [s for arm, found in by_arm.items() if arm not in arms for s in found]:
        lines.append(_cut(f"and {len(by_arm) - len(arms)} more arms: {counted(rest)}", columns))
    if room_runs:
        lines += ["", *_laid_out(_runs_at_work(at_work[:room_runs]), columns)]
        if len(at_work) > room_runs:
            lines.append(_cut(f"and {len(at_work) - room_runs} more at work", columns))
    return lines


def counted(standings: Sequence[Standing]) -> str:
    """How many stand how, as in "40 done, 2 running"."""
    counts = Counter(standing.state for standing in standings)
    return ", ".join(f"{count} {state}" for state, count in counts.items())


def _shared(arms: int, at_work: int, rows: int | None) -> tuple[int, int]:
    """Rows for arms and for runs at work: heads, the gap between them, and what tells of those left out count too."""
    if rows is None:
        return arms, at_work
    if arms + at_work <= rows - (3 if at_work else 1):
        return arms, at_work
    free = rows - 5
    if not at_work or free < LEAST_ROWS:
        return max(rows - 2, 1), 0
    runs = min(at_work, max(free // 2, free - arms))
    return max(free - runs, 1), runs


def _most_telling(by_arm: dict[str, list[Standing]], most: int) -> dict[str, list[Standing]]:
    """Arms at work first, then those that failed, then those that are not done; in the order of the plan."""

    def rank(arm: str) -> tuple[bool, bool, bool]:
        states = {standing.state for standing in by_arm[arm]}
        return not states & AT_WORK, not states & {"failed", "interrupted"}, states == {"done"}

    chosen = set(sorted(by_arm, key=rank)[:most])
    return {arm: found for arm, found in by_arm.items() if arm in chosen}


def _arms_by_seeds(by_arm: dict[str, list[Standing]], columns: int | None) -> list[Column]:
    """A cell for each seed; where that is too wide, how many seeds stand how."""
    names = Column("arm", [printable(arm) for arm in by_arm], right=False)
    seeds = sorted({s.run.seed for found in by_arm.values() for s in found})
    cells = [{s.run.seed: _cell(s) for s in found} for found in by_arm.values()]
    whole = [
        names,
        *(Column(f"seed {seed}", [arm.get(seed, "") for arm in cells], right=False) for seed in seeds),
    ]
    if columns is None or _total(whole) - names.columns + min(LEAST_NAME, names.columns) <= columns:
        return whole
    return [names, Column("seeds", [counted(found) for found in by_arm.values()], right=False)]


def _cell(standing: Standing) -> str:
    if standing.state == "running":
        return f"{100 * standing.share:.0f} %"
    return CELLS.get(standing.state, standing.state)


def _runs_at_work(standings: Sequence[Standing]) -> list[Column]:
    """What each says of itself, in the order in which a narrow terminal keeps it."""
    said = [s.status for s in standings]
    columns = [
        Column("run", [printable(s.run.name) for s in standings], right=False),
        Column("step", [f"{s.status.step}/{s.steps or '?'}" for s in standings]),
        Column("left", [duration(s.left_s) if s.left_s is not None else "" for s in standings]),
        Column("phase", [_phase(s) for s in standings], right=False),
        Column("loss", [_figure(s.loss, ".3f") for s in said]),
        Column("steps/s", [_figure(s.steps_per_second, ".1f") for s in said]),
    ]
    if any(s.right is not None for s in said):
        losses, right = zip(*(second_player(s) for s in said), strict=True)
        columns += [Column("discriminators", losses), Column("right", right)]
    return columns


def _phase(standing: Standing) -> str:
    return printable(standing.status.phase) if standing.state == "running" else standing.state


def _figure(value: float | None, form: str) -> str:
    return f"{value:{form}}" if value is not None else ""


def second_player(status: StatusRecord) -> tuple[str, str]:
    """The discriminators' loss, and the share of their right answers."""
    right = f"{100 * status.right:.0f} %" if status.right is not None else ""
    return _figure(status.discriminator_loss, ".3f"), right


def _laid_out(table: list[Column], columns: int | None) -> list[str]:
    """Its lines; where they are too wide, without the last columns, and then with shorter names."""
    table = list(table)
    while columns is not None and len(table) > 2 and _least(table) > columns:
        table.pop()
    first = table[0]
    if columns is not None and _total(table) > columns:
        room = max(columns - _total(table) + first.columns, LEAST_NAME)
        table[0] = Column(first.head, [shortened_inside(cell, room) for cell in first.cells], first.right)
    sizes = [column.columns for column in table]
    lines = [[column.head for column in table], *zip(*(column.cells for column in table), strict=True)]
    return [
        _cut(GAP.join(_padded(*one) for one in zip(line, sizes, table, strict=True)).rstrip(), columns)
        for line in lines
    ]


def _least(table: Sequence[Column]) -> int:
    return _total(table) - table[0].columns + min(LEAST_NAME, table[0].columns)


def _total(table: Sequence[Column]) -> int:
    return sum(column.columns for column in table) + len(GAP) * (len(table) - 1)


def _padded(text: str, columns: int, column: Column) -> str:
    space = " " * (columns - columns_of(text))
    return f"{space}{text}" if column.right else f"{text}{space}"


def columns_of(text: str) -> int:
    """Columns of a terminal that a text takes."""
    return sum(width(character) for character in text)


def shortened_inside(text: str, columns: int) -> str:
    """A name without its middle, where it is too long: what tells two of them apart often stands at the end.

    >>> shortened_inside("leaky_relu-slope-0.01", 12)
    'leaky..-0.01'
    """
    if columns_of(text) <= columns:
        return text
    return f"{_head(text, (columns - 2) // 2)}..{_head(text[::-1], columns - 2 - (columns - 2) // 2)[::-1]}"


def _head(text: str, columns: int) -> str:
    used = kept = 0
    for character in text:
        used += width(character)
        if used > columns:
            break
        kept += 1
    return text[:kept]


def _cut(text: str, columns: int | None) -> str:
    return text if columns is None else _head(text, columns)
