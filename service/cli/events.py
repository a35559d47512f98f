"""Commands about events that arrived by webhook: list, show, replay."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from service.cli.shell import AsJson, misused, nothing, opened, out, print_json
from service.domain.audit.shown import visible
from service.domain.commands import typed
from service.domain.english import counted
from service.domain.hook import event_state
from service.usecases.hook import events as event_cases

events = typer.Typer(help="Events that arrived by webhook.", no_args_is_help=True)

State = Annotated[str | None, typer.Option(help="Only those in this state: accepted, done or failed.")]
Sender = Annotated[str | None, typer.Option(help="Only those of this connection or trigger.")]

Since = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="Only those received since then, UTC."),
]


@events.command("list")
def list_events(
    state: State = None,
    sender: Sender = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List events, the newest first."""
    with opened() as context:
        names = event_cases.owners(context)
        rows = event_cases.listed(context, limit, state=state, sender=sender)
    if as_json:
        print_json([row.to_json(names) for row in rows])
        return
    if not rows:
        nothing("No events." if state or sender else "No events yet. See: phaseloop hooks show CONNECTION")
        return
    table = Table("Event", "Received (UTC)", "From", "What", "State", "", box=None, pad_edge=False)
    for row in rows:
        said = row.error or "; ".join(str(one.get("text") or one.get("what", "")) for one in row.outcome)
        came = f"{row.received_at:%Y-%m-%d %H:%M:%S}"
        cells = (names.get(row.owner, row.owner), row.name, row.state, said)
        table.add_row(row.id, came, *(escape(visible(cell)) for cell in cells))
    out.print(table)


@events.command("show")
def show_event(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="The event's id.")], as_json: AsJson = False
) -> None:
    """Show an event: its payload, in which secrets are hidden, what came of it, and why it failed."""
    with opened() as context:
        found = event_cases.event_json(context, event_cases.get(context, event))
    if as_json:
        print_json(found)
        return
    out.print(f"Event [bold]{found['id']}[/] from {escape(visible(found['sender']))} ({found['source']})")
    out.print(f"  {escape(visible(found['name']))}, received {found['received_at']}, [bold]{found['state']}[/]")
    out.print(f"  Handled {counted(found['attempts'], 'time')}, round {found['round']}")
    if found["error"]:
        out.print(f"  [bold red]Error:[/] {escape(visible(found['error']))}")
    for one in found["outcome"]:
        out.print(f"  {escape(visible(str(one.get('text') or one.get('what'))))}")
    for fired in found["firings"]:
        said = f"{fired['action']}: {fired['state']} {fired['effect'] or ''} {fired['message']}".strip()
        out.print(f"  Trigger {fired['trigger']}: {escape(visible(said))}")
    out.print(escape(visible(json.dumps(found["payload"], indent=2, ensure_ascii=False))))
    if found["state"] == event_state.FAILED:
        out.print(f"Handle it again with: phaseloop events replay {typed(found['id'])}")


@events.command("replay")
def replay(
    event: Annotated[str | None, typer.Argument(metavar="EVENT", help="The event's id; or say --state.")] = None,
    state: State = None,
    sender: Sender = None,
    since: Since = None,
    as_json: AsJson = False,
) -> None:
    """Have an event handled again, or with --state all in that state. What was done for one that failed is not done
    again; one that was done is handled anew, within the limits of its triggers. A service that runs does it."""
    if (event is None) == (state is None):
        misused("Name one event, or say which with --state.", "Such as: phaseloop events replay --state failed")
    with opened() as context:
        if event is not None:
            count = 1
            event_cases.replay(context, event)
        else:
            at = since.replace(tzinfo=UTC) if since is not None else None
            count = event_cases.replay_all(context, state=state or event_state.FAILED, sender=sender, since=at)
    answer: dict[str, Any] = {"count": count}
    if as_json:
        print_json(answer)
    else:
        out.print(f"{counted(count, 'event')} to be handled again, by `phaseloop serve`.")
