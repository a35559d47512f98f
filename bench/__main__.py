"""`make bench`: bootstraps of 44, 200 and 500 tickets, counted beside the lower bound and the obvious script; what
surviving an interrupted call costs, what the engine adds, and how soon another replica takes over."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import jira_bootstrap, recovery, trello_bootstrap
from bench.common import SIZES, Measured

TRACKERS = {"jira": jira_bootstrap.measure, "trello": trello_bootstrap.measure}
LATENCIES = {"jira": [0, 100], "trello": [0]}
"""Injected milliseconds a call. Trello's rate limit is what counts there."""


def main() -> None:
    """Run the benchmarks and print a table for each tracker (or JSON)."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--only", choices=["bootstrap", "recovery"], help="only these; all if left out")
    parser.add_argument("--tracker", choices=sorted(TRACKERS), nargs="+", default=sorted(TRACKERS), help="which ones")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of tickets")
    parser.add_argument("--latency", type=int, nargs="+", help="injected latencies in milliseconds")
    arguments = parser.parse_args()
    progress = Console(stderr=True)
    output = Console(width=None if sys.stdout.isatty() else 140)
    everything: dict[str, Any] = {}
    if arguments.only in (None, "bootstrap"):
        everything |= _bootstraps(arguments, progress, output)
    if arguments.only in (None, "recovery"):
        everything["recovery"] = _recovery(arguments, progress, output)
    if arguments.json:
        json.dump(everything, sys.stdout, indent=2)
        sys.stdout.write("\n")


def _bootstraps(arguments: argparse.Namespace, progress: Console, output: Console) -> dict[str, Any]:
    everything: dict[str, Any] = {}
    for tracker in arguments.tracker:
        found: list[Measured] = []
        for size in arguments.sizes:
            for latency in arguments.latency or LATENCIES[tracker]:
                with progress.status(f"{tracker}: {size} tickets at {latency} ms …"):
                    found += TRACKERS[tracker](size, latency)
        everything[tracker] = [entry.to_json() for entry in found]
        if not arguments.json:
            output.print(_table(tracker, found))
    return everything


def _recovery(arguments: argparse.Namespace, progress: Console, output: Console) -> dict[str, Any]:
    spent: list[recovery.Recovery] = []
    beside: list[recovery.Overhead] = []
    for tracker in arguments.tracker:
        with progress.status(f"{tracker}: the engine beside bare calls …"):
            beside += recovery.overhead(tracker)
        with progress.status(f"{tracker}: requests after an interrupted call …"):
            spent += recovery.requests_spent(tracker)
    with progress.status("taking over …"):
        taken = recovery.takeover()
    if not arguments.json:
        output.print(_overhead_table(beside))
        output.print(_recovery_table(spent))
        if taken is not None:
            output.print(f"Taken over by another replica after {taken.owned} s, completed after {taken.completed} s")
    return {
        "requests": [entry.to_json() for entry in spent],
        "overhead": [entry.to_json() for entry in beside],
        "takeover": taken.to_json() if taken else None,
    }


def _overhead_table(found: list[recovery.Overhead]) -> Table:
    table = Table(title="The built-in template by bare calls and as a run", title_justify="left")
    for heading in ("tracker", "store", "ms a call", "steps", "bare s", "run s", "ratio", "ms a step"):
        table.add_column(heading, justify="left" if heading in ("tracker", "store") else "right")
    for entry in found:
        seconds = (f"{entry.bare:.2f}", f"{entry.run:.2f}", f"{entry.ratio:.2f}", f"{entry.a_step:.0f}")
        table.add_row(entry.tracker, entry.store, str(entry.latency), str(entry.steps), *seconds)
    return table


def _recovery_table(found: list[recovery.Recovery]) -> Table:
    table = Table(title="Requests beyond a clean run, after one call went wrong", title_justify="left")
    for heading in ("tracker", "fault", "calls tried", "median", "most", f"at most {recovery.GOAL}"):
        table.add_column(heading, justify="left" if heading in ("tracker", "fault") else "right")
    for entry in found:
        numbers = (str(entry.tried), f"{entry.median:g}", str(entry.most), str(entry.within_goal))
        table.add_row(entry.tracker, entry.fault, *numbers)
    return table


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
