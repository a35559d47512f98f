"""What a campaign of faults says: how far it is, its table, and the command that repeats each case that is off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from tests.faults.cases import Result
from tests.faults.kinds import KINDS

COLUMNS = (
    *("tracker", "fault", "tried", "finished", "duplicates", "missing", "extra", "records off", "retried"),
    "most extra requests",
)


class Tally:
    """How far a campaign is."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.off = 0

    def add(self, result: Result) -> None:
        """Count a case that is over."""
        self.done += 1
        self.off += not result.good

    def line(self, seconds: float) -> str:
        """How far it is after so many seconds, and how long the rest will take."""
        left = seconds / self.done * (self.total - self.done) if self.done else 0.0
        return f"{self.done} of {self.total} cases, {self.off} off, about {left / 60:.0f} min left"


def rows(results: Sequence[Result]) -> Iterator[tuple[str, ...]]:
    """The table's rows: a kind of fault in a tracker each, in the order of `KINDS`."""
    for tracker in dict.fromkeys(result.tracker for result in results):
        for kind in KINDS:
            mine = [result for result in results if (result.tracker, result.kind) == (tracker, kind.name)]
            if mine:
                yield (tracker, kind.words, *_numbers(mine))


def _numbers(results: Sequence[Result]) -> tuple[str, ...]:
    in_runs = [result.extra_requests for result in results if result.phase == "run"]
    return (
        str(len(results)),
        str(sum(result.finished for result in results)),
        str(sum(len(result.duplicates) for result in results)),
        str(sum(len(result.missing) for result in results)),
        str(sum(len(result.extra) for result in results)),
        str(sum(len(result.records) for result in results)),
        str(sum(result.retries for result in results)),
        str(max(in_runs)) if in_runs else "-",
    )


def table(results: Sequence[Result]) -> Table:
    """The matrix, a row for each kind of fault in each tracker."""
    found = Table(title="A bootstrap of the built-in template with one call gone wrong", title_justify="left")
    for place, heading in enumerate(COLUMNS):
        found.add_column(heading, justify="left" if place < 2 else "right")
    for row in rows(results):
        found.add_row(*row)
    return found


def failures(results: Sequence[Result]) -> Iterator[str]:
    """What is off, and how to see it again."""
    for result in results:
        if not result.good:
            yield f"{result.tracker} {result.kind} at call {result.call} {result.request}"
            for name in ("duplicates", "missing", "extra", "records"):
                for entry in getattr(result, name)[:5]:
                    yield f"    {name}: {entry if isinstance(entry, str) else ' '.join(entry)}"
            yield from [f"    {result.trouble}"] if result.trouble else []
            yield f"    {result.command}"
