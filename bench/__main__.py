"""`make bench`: bootstraps of 44, 200 and 500 tickets, counted beside the lower bound and the obvious script; what
surviving an interrupted call costs, what the engine adds, and how soon another replica takes over; what an advance
costs, and whether each project costs the same when 10,000 of them are due in one minute; what it costs to look at the
records of iterations, and whether each of 1,000 projects costs the same to audit; how many events of webhooks a second
are kept before they are answered, beside a bare route; what each page costs with 10 and with 1,000 projects."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import advance, audit, due, jira_bootstrap, pages, recovery, trello_bootstrap, webhooks
from bench.common import SIZES, Measured

TRACKERS = {"jira": jira_bootstrap.measure, "trello": trello_bootstrap.measure}
PARTS = ("bootstrap", "recovery", "advance", "due", "audit", "webhooks", "pages")
LATENCIES = {"jira": [0, 100], "trello": [0]}
"""Injected milliseconds a call. Trello's rate limit is what counts there."""


def main() -> None:
    """Run the benchmarks and print a table for each tracker (or JSON)."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--only", choices=PARTS, help="only these; all if left out")
    parser.add_argument("--tracker", choices=sorted(TRACKERS), nargs="+", default=sorted(TRACKERS), help="which ones")
    parser.add_argument("--sizes", type=int, nargs="+", help="numbers of tickets")
    parser.add_argument("--latency", type=int, nargs="+", help="injected latencies in milliseconds")
    parser.add_argument("--waiting", type=int, nargs="*", default=list(due.WAITING), help="projects due at once")
    parser.add_argument(
        "--drained", type=int, nargs="*", default=list(due.DRAINED), help="projects that advance at once"
    )
    parser.add_argument(
        "--projects", type=int, nargs="*", default=list(audit.PROJECTS), help="projects audited in one store"
    )
    parser.add_argument(
        "--shown", type=int, nargs="*", default=list(pages.SIZES), help="projects in a store whose pages are looked at"
    )
    parser.add_argument("--events", type=int, default=webhooks.EVENTS, help="deliveries of each round")
    parser.add_argument("--connections", type=int, default=due.CONNECTIONS, help="that the latter are spread over")
    arguments = parser.parse_args()
    progress = Console(stderr=True)
    output = Console(width=None if sys.stdout.isatty() else 140)
    everything: dict[str, Any] = {}
    if arguments.only in (None, "bootstrap"):
        everything |= _bootstraps(arguments, progress, output)
    if arguments.only in (None, "recovery"):
        everything["recovery"] = _recovery(arguments, progress, output)
    if arguments.only in (None, "advance"):
        everything["advance"] = _advances(arguments, progress, output)
    if arguments.only in (None, "due"):
        everything |= _due(arguments, progress, output)
    if arguments.only in (None, "audit"):
        everything["audit"] = _audits(arguments, progress, output)
    if arguments.only in (None, "webhooks"):
        everything["webhooks"] = _webhooks(arguments, progress, output)
    if arguments.only in (None, "pages"):
        everything["pages"] = _pages(arguments, progress, output)
    if arguments.json:
        json.dump(everything, sys.stdout, indent=2)
        sys.stdout.write("\n")


def _bootstraps(arguments: argparse.Namespace, progress: Console, output: Console) -> dict[str, Any]:
    everything: dict[str, Any] = {}
    for tracker in arguments.tracker:
        found: list[Measured] = []
        for size in arguments.sizes or SIZES:
            for latency in arguments.latency or LATENCIES[tracker]:
                with progress.status(f"{tracker}: {size} tickets at {latency} ms …"):
                    found += TRACKERS[tracker](size, latency)
        everything[tracker] = [entry.to_json() for entry in found]
        if not arguments.json:
            output.print(_table(tracker, found))
    return everything


def _webhooks(arguments: argparse.Namespace, progress: Console, output: Console) -> list[dict[str, Any]]:
    with progress.status("events that arrive …"):
        found = webhooks.measure(arguments.events)
    if not arguments.json:
        table = Table(title="Events accepted by one process, kept before they are answered", title_justify="left")
        for heading in ("", "a second", "99 of 100 within", "beside the bare route"):
            table.add_column(heading, justify="right" if heading else "left")
        for one in found:
            table.add_row(one.how, f"{one.rate:,.0f}", f"{one.p99:,.0f} ms", f"{one.share:.2f}")
        output.print(table)
    return [entry.to_json() for entry in found]


def _pages(arguments: argparse.Namespace, progress: Console, output: Console) -> list[dict[str, Any]]:
    found: list[pages.Page] = []
    for size in arguments.shown:
        with progress.status(f"pages of a store with {size:,} projects …"):
            found += pages.measure(size)
    if not arguments.json:
        title = f"Pages, with {pages.TICKETS} tickets in each project"
        table = Table(title=title, title_justify="left")
        for heading in ("page", "projects", "ms of processor", "statements", "bytes", "with what it loads"):
            table.add_column(heading, justify="left" if heading == "page" else "right")
        for one in sorted(found, key=lambda each: (each.page, each.projects)):
            cells = (f"{one.projects:,}", f"{one.milliseconds:,.1f}", str(one.statements), f"{one.size:,}")
            table.add_row(one.page, *cells, f"{one.whole:,}")
        output.print(table)
    return [entry.to_json() for entry in found]


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


def _advances(arguments: argparse.Namespace, progress: Console, output: Console) -> list[dict[str, Any]]:
    found: list[advance.Advanced] = []
    for tracker in arguments.tracker:
        for size in arguments.sizes or advance.SIZES:
            with progress.status(f"{tracker}: advancing a project of {size} tickets …"):
                found += advance.measure(tracker, size)
    if not arguments.json:
        output.print(_advance_table(found))
    return [entry.to_json() for entry in found]


def _due(arguments: argparse.Namespace, progress: Console, output: Console) -> dict[str, Any]:
    waiting: list[due.Due] = []
    drained: list[due.Drained] = []
    for store in due.stores():
        for size in arguments.waiting:
            with progress.status(f"{store}: {size} projects due at once …"):
                waiting.append(due.measure(store, size))
        if arguments.drained:
            with progress.status(f"{store}: {sum(arguments.drained)} projects advance …"):
                drained += due.drain(store, arguments.drained, arguments.connections)
    if not arguments.json:
        output.print(_due_table(waiting))
        output.print(_drained_table(drained))
    return {"due": [entry.to_json() for entry in waiting], "drained": [entry.to_json() for entry in drained]}


def _audits(arguments: argparse.Namespace, progress: Console, output: Console) -> dict[str, Any]:
    looked: list[audit.Looked] = []
    kept: list[audit.Kept] = []
    for tracker in arguments.tracker:
        for size in arguments.sizes or audit.SIZES:
            with progress.status(f"{tracker}: looking at the records of a project of {size} tickets …"):
                looked += audit.measure(tracker, size)
    for size in arguments.projects:
        with progress.status(f"auditing {size} projects …"):
            kept.append(audit.keep(size))
    if not arguments.json:
        output.print(_looked_table(looked))
        output.print(_kept_table(kept))
    return {"requests": [entry.to_json() for entry in looked], "store": [entry.to_json() for entry in kept]}


def _looked_table(found: list[audit.Looked]) -> Table:
    table = Table(title="One look at all records: requests, cold", title_justify="left")
    names = ("tracker", "tickets", "iterations", "read", "requests", "each", "bound", "ticket by ticket", "s")
    for heading in names:
        table.add_column(heading, justify="left" if heading == "tracker" else "right")
    for entry in found:
        counts = (entry.tickets, entry.iterations, entry.read, entry.requests)
        last = (f"{entry.each:.2f}", str(entry.bound), str(entry.apart), f"{entry.seconds:.2f}")
        table.add_row(entry.tracker, *(str(count) for count in counts), *last)
    return table


def _kept_table(found: list[audit.Kept]) -> Table:
    title = f"Projects audited in one store, {audit.ITERATIONS} iterations each"
    table = Table(title=title, title_justify="left")
    heads = ("statements", "CPU ms", "the last tenth", "bytes an iteration", "portfolio: statements", "CPU ms")
    for heading in ("projects", *heads):
        table.add_column(heading, justify="right")
    for entry in found:
        numbers = (f"{entry.statements:.1f}", f"{entry.milliseconds:.1f}", f"{entry.last:.1f}")
        table.add_row(str(entry.projects), *numbers, str(entry.size), str(entry.portfolio), f"{entry.shown:.0f}")
    return table


def _advance_table(found: list[advance.Advanced]) -> Table:
    table = Table(title="One advance: all of an iteration is carried over", title_justify="left")
    names = (
        "tracker",
        "tickets",
        "ahead",
        "carried",
        "made",
        "writes",
        "bound",
        "ratio",
        "one call each",
        "reads",
        "s",
    )
    for heading in names:
        table.add_column(heading, justify="left" if heading == "tracker" else "right")
    for entry in found:
        counts = (entry.carried, entry.made, entry.writes, entry.bound)
        ratio = f"{entry.writes / entry.bound:.2f}"
        last = (ratio, str(entry.apart), str(entry.reads), f"{entry.seconds:.1f}")
        table.add_row(entry.tracker, str(entry.tickets), str(entry.ahead), *(str(count) for count in counts), *last)
    return table


def _due_table(found: list[due.Due]) -> Table:
    """Each number beside what it is of the store's first row, so that growth shows."""
    table = Table(title="Projects due at once: milliseconds, and times the first row's", title_justify="left")
    names = ("look", "begin", "enqueue", "journal", "run")
    heads = ("a look", "to begin each", "to enqueue each", "a look at the journal", "an idle run, each")
    for heading in ("store", "projects", "statements each", *heads):
        table.add_column(heading, justify="left" if heading == "store" else "right")
    firsts: dict[str, due.Due] = {}
    for entry in found:
        first = firsts.setdefault(entry.store, entry)
        values = [(getattr(entry, name), getattr(first, name)) for name in names]
        shown = [f"{value:.2f} ({value / base:.1f}x)" if base else f"{value:.2f}" for value, base in values]
        table.add_row(entry.store, str(entry.projects), f"{entry.statements:.2f}", *shown)
    return table


def _drained_table(found: list[due.Drained]) -> Table:
    table = Table(title="Whole advances at once, for each project", title_justify="left")
    headings = ("store", "projects", "connections", "seconds", "CPU ms", "requests", "statements")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "store" else "right")
    for entry in found:
        numbers = (f"{entry.seconds:.2f}", f"{entry.cpu:.0f}", f"{entry.requests:.1f}", f"{entry.statements:.0f}")
        table.add_row(entry.store, str(entry.projects), str(entry.connections), *numbers)
    return table


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
