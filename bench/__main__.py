"""`make bench`: bootstraps of 44, 200 and 500 tickets, counted beside the lower bound and the obvious script."""

from __future__ import annotations

import argparse
import json
import sys

from rich.console import Console
from rich.table import Table

from bench import jira_bootstrap, trello_bootstrap
from bench.common import SIZES, Measured

TRACKERS = {"jira": jira_bootstrap.measure, "trello": trello_bootstrap.measure}
LATENCIES = {"jira": [0, 100], "trello": [0]}
"""Injected milliseconds a call. Trello's rate limit is what counts there."""


def main() -> None:
    """Run the benchmarks and print a table for each tracker (or JSON)."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--tracker", choices=sorted(TRACKERS), nargs="+", default=sorted(TRACKERS), help="which ones")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of tickets")
    parser.add_argument("--latency", type=int, nargs="+", help="injected latencies in milliseconds")
    arguments = parser.parse_args()
    progress = Console(stderr=True)
    output = Console(width=None if sys.stdout.isatty() else 140)
    everything: dict[str, list[Measured]] = {}
    for tracker in arguments.tracker:
        found = everything.setdefault(tracker, [])
        for size in arguments.sizes:
            for latency in arguments.latency or LATENCIES[tracker]:
                with progress.status(f"{tracker}: {size} tickets at {latency} ms …"):
                    found += TRACKERS[tracker](size, latency)
        if not arguments.json:
            output.print(_table(tracker, found))
    if arguments.json:
        json.dump(
            {name: [entry.to_json() for entry in found] for name, found in everything.items()}, sys.stdout, indent=2
        )
        sys.stdout.write("\n")


def _table(tracker: str, found: list[Measured]) -> Table:
    title = f"Bootstrap in {tracker.capitalize()}: 4 epics, 8 iterations, with dependencies"
    table = Table(title=title, title_justify="left")
    headings = ["tickets", "links", "how", "writes", "bound", "ratio", "reads", "429", "ms a call", "pace s", "seconds"]
    for heading in headings:
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
            str(entry.refused),
            str(entry.latency),
            f"{entry.pace:.0f}",
            f"{entry.seconds:.1f}",
        )
    return table


if __name__ == "__main__":
    main()
