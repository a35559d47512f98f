"""`make bench`: bootstraps of 44, 200 and 500 tickets, counted beside the lower bound and the obvious script."""

from __future__ import annotations

import argparse
import json
import sys

from rich.console import Console
from rich.table import Table

from bench.jira_bootstrap import SIZES, Measured, measure


def main() -> None:
    """Run the benchmark and print a table (or JSON)."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of tickets")
    parser.add_argument("--latency", type=int, nargs="+", default=[0, 100], help="injected latencies in milliseconds")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    found: list[Measured] = []
    for size in arguments.sizes:
        for latency in arguments.latency:
            with console.status(f"{size} tickets at {latency} ms …"):
                found += measure(size, latency)
    if arguments.json:
        json.dump([entry.to_json() for entry in found], sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        Console(width=None if sys.stdout.isatty() else 140).print(_table(found))


def _table(found: list[Measured]) -> Table:
    table = Table(title="Bootstrap of a project in Jira: 4 epics, 8 sprints, with dependencies", title_justify="left")
    for heading in ("tickets", "links", "how", "writes", "bound", "ratio", "reads", "ms a call", "seconds"):
        table.add_column(heading, justify="left" if heading == "how" else "right")
    last = None
    for entry in found:
        if last is not None and (entry.tickets, entry.latency) != last:
            table.add_section()
        last = (entry.tickets, entry.latency)
        table.add_row(
            str(entry.tickets),
            str(entry.links),
            entry.how,
            str(entry.writes),
            str(entry.bound),
            f"{entry.writes / entry.bound:.2f}",
            str(entry.reads),
            str(entry.latency),
            f"{entry.seconds:.1f}",
        )
    return table


if __name__ == "__main__":
    main()
