"""Commands about triggers: list, add, test, show, remove, switch on and off, set the secret."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from service.cli.hooks import Overlap, SecretFile, put_secret
from service.cli.shell import AsJson, Exit, fail, misused, not_text, nothing, opened, out, print_json, who
from service.context import Context
from service.domain.audit.shown import visible
from service.domain.commands import typed
from service.domain.english import counted
from service.domain.hook.payload import Unreadable, read
from service.domain.hook.source import SOURCES
from service.domain.hook.trigger import Trigger, read_marked
from service.domain.plan.plan import Action
from service.domain.template.yaml_marks import Marks
from service.usecases.hook import secret
from service.usecases.hook import triggers as trigger_cases

triggers = typer.Typer(help="What events from outside start.", no_args_is_help=True)

Named = Annotated[str, typer.Argument(metavar="TRIGGER", help="The trigger's name or id.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The trigger as YAML.")]

LARGEST_FILE = 1_000_000


@triggers.command("list")
def list_triggers(as_json: AsJson = False) -> None:
    """List the triggers."""
    with opened() as context:
        found = [trigger_cases.trigger_json(context, row) for row in trigger_cases.listed(context)]
    if as_json:
        print_json(found)
        return
    if not found:
        nothing("No triggers yet. Add one with: phaseloop triggers add FILE")
        return
    table = Table("Trigger", "From", "Does", "State", "", box=None, pad_edge=False)
    for one in found:
        does = str(one["definition"]["action"])
        table.add_row(one["name"], one["source"], does, one["state"], escape(visible(one["message"])))
    out.print(table)


@triggers.command("add")
def add(
    file: File,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write an existing trigger anew; its secret stays.")
    ] = False,
    secret_file: SecretFile = None,
    as_json: AsJson = False,
) -> None:
    """Add a trigger from a file. Its address and its secret, made up unless it is given, are printed, once."""
    with opened(founds=True) as context:
        trigger, marks = _read(file)
        addressed = not SOURCES[trigger.source].tracker and trigger.address_of is None
        if not addressed and secret_file is not None:
            fail(f"{trigger.name} has no address of its own, so no secret counts.", "Leave --secret-file out.")
        given = secret_file.read() if secret_file is not None else None
        row = trigger_cases.put(context, trigger, who(), marks=marks, replace=replace, proof=given)
        made = ""
        if addressed and not secret.present(context, row.id):
            made = put_secret(context, secret.owner(context, row.id, trigger=True), None, secret.OVERLAP_HOURS)
        found = trigger_cases.trigger_json(context, row)
        waits = trigger_cases.waits_for_its_project(context, trigger)
    if as_json:
        print_json({**found, **({"secret": made} if made else {})})
        return
    out.print(f"Trigger [bold]{row.name}[/] kept.")
    if waits:
        out.print(escape(f"There is no project {trigger.project} yet: until there is, its events start nothing."))
    if found["address"] is not None:
        out.print(f"Have {SOURCES[row.source].title} deliver to: {_reached(context, found['address'])}")
        _warn_of_local(context)
    if made:
        out.print("Its secret, shown only this once:")
        sys.stdout.write(made + "\n")


@triggers.command("test")
def try_out(
    file: File,
    payload: Annotated[Path, typer.Option("--payload", help="File with what the sender would send, as JSON.")],
    event: Annotated[str, typer.Option(help="The name of the event, where it is not in the payload.")] = "",
    header: Annotated[list[str] | None, typer.Option(help="A header that is sent along, as NAME: VALUE.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show whether a trigger would match a payload and what would come of it, with the plan where there is one. Writes
    nothing, here or in a tracker. A file with `headers` and `payload` is taken, too.

    Exit code 1 if it would fail.
    """
    try:
        sent = read(_bytes(payload), "application/json")
    except Unreadable as error:
        fail(f"{payload} cannot be read as a payload: {error}.")
    with opened() as context:
        trigger, marks = _read(file)
        sent, headers = _unwrapped(sent)
        headers |= _headers(header or [])
        found = trigger_cases.try_out(context, trigger, sent, headers, event, marks)
    if as_json:
        print_json(found)
    for one in found["events"] if not as_json else ():
        unclear = one["outcome"] == "failed" and not one["matches"]
        matches = "matches" if one["matches"] else "does not match"
        out.print(f"[bold]{escape(visible(one['event']))}[/]: {'its condition fails' if unclear else matches}")
        if one["outcome"] == "skipped":
            out.print(f"  [yellow]Would be skipped:[/] {escape(visible(one['why']))}")
        elif one["why"]:
            out.print(f"  {escape(visible(one['why'][:1].upper() + one['why'][1:]))}")
        if one["error"]:
            out.print(f"  [bold red]Would fail:[/] {escape(visible(one['error']))}")
        if one.get("would"):
            out.print(f"  {escape(visible(one['would']['text']))}")
            for name, value in (one.get("with") or {}).items():
                out.print(f"  {escape(visible(f'{name}: {value}'))}")
            for change in one["would"].get("plan", {}).get("changes", ()):
                action = Action(change["change"]["action"])
                if action is not Action.KEEP:
                    out.print(f"  {action.symbol} {escape(visible(change['title']))}")
    if any(one["outcome"] == "failed" for one in found["events"]):
        raise typer.Exit(Exit.ERROR)


@triggers.command("show")
def show(trigger: Named, as_json: AsJson = False) -> None:
    """Show a trigger: where its sender delivers, its state, what it does."""
    with opened() as context:
        found = trigger_cases.trigger_json(context, trigger_cases.get(context, trigger))
    if as_json:
        print_json(found)
        return
    out.print(f"Trigger [bold]{found['name']}[/] ({found['source']}): {found['state']}")
    if found["address"] is not None:
        out.print(f"  Delivered to {_reached(context, found['address'])}")
        _warn_of_local(context)
        if not found["secrets"]:
            out.print("  It has no secret, so every delivery is refused.")
            out.print(f"  Set one with: phaseloop triggers secret {escape(typed(found['name']))}")
    if found["message"]:
        out.print(f"  Failed {counted(found['failures'], 'time')} in a row: {escape(visible(found['message']))}")
    out.print(escape(visible(json.dumps(found["definition"], indent=2, ensure_ascii=False))))


@triggers.command("remove")
def remove(trigger: Named) -> None:
    """Remove a trigger with its secret. What it was sent stays in the list of events."""
    with opened() as context:
        trigger_cases.remove(context, trigger)
    out.print("The trigger was removed.")


@triggers.command("enable")
def enable(trigger: Named) -> None:
    """Switch a trigger on; one that was parked begins anew."""
    with opened() as context:
        trigger_cases.set_state(context, trigger, "on")
    out.print("The trigger is on.")


@triggers.command("disable")
def disable(trigger: Named) -> None:
    """Switch a trigger off: its events are kept, and start nothing."""
    with opened() as context:
        trigger_cases.set_state(context, trigger, "off")
    out.print("The trigger is off.")


@triggers.command("secret")
def set_secret(
    trigger: Named,
    secret_file: SecretFile = None,
    overlap_hours: Overlap = secret.OVERLAP_HOURS,
    as_json: AsJson = False,
) -> None:
    """Set or rotate the secret of a trigger's sender. One that is made up is printed, once."""
    with opened() as context:
        whose = secret.owner(context, trigger, trigger=True)
        if (other := trigger_cases.get(context, whose.id).body.get("address_of")) is not None:
            fail(
                f"{whose.name} has no address of its own, so no secret counts.",
                f"Set that of the one whose events it has: phaseloop triggers secret {typed(other)}",
            )
        made = put_secret(context, whose, secret_file, overlap_hours)
        found = trigger_cases.trigger_json(context, trigger_cases.get(context, whose.id))
    if as_json:
        print_json({**found, **({"secret": made} if made else {})})
    elif made:
        sys.stdout.write(made + "\n")
    else:
        out.print("The secret was set.")


def _reached(context: Context, address: str) -> str:
    """The whole address; of this machine's service where nobody said under which one others reach it."""
    if not address.startswith("/"):
        return address
    host = context.settings.host
    host = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - what it listens on is no address
    return f"http://{f'[{host}]' if ':' in host else host}:{context.settings.port}{address}"


def _warn_of_local(context: Context) -> None:
    if context.settings.public_url is None:
        out.print("  [yellow]warning[/] This address is reached from this machine only.")
        out.print("  For senders elsewhere set PHASELOOP_PUBLIC_URL, such as https://phaseloop.example.com.")


def _read(file: Path) -> tuple[Trigger, Marks]:
    try:
        raw = _bytes(file)
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        not_text(file, raw)
    return read_marked(text, file.name)


def _unwrapped(sent: Mapping[str, Any]) -> tuple[Mapping[str, Any], dict[str, str]]:
    """The payload and its headers, of a file that has both beside the document that they follow; else as it is."""
    inner, headers = sent.get("payload"), sent.get("headers", {})
    if not isinstance(inner, dict) or not isinstance(headers, dict) or set(sent) - {"payload", "headers", "documents"}:
        return sent, {}
    return inner, {str(name): str(value) for name, value in headers.items()}


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened_file:
            found = opened_file.read(LARGEST_FILE + 1)
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}.")
    if len(found) > LARGEST_FILE:
        fail(f"{file} has more than {LARGEST_FILE:,} bytes.")
    return found


def _headers(given: list[str]) -> dict[str, str]:
    headers = {}
    for one in given:
        name, colon, value = one.partition(":")
        if not colon or not name.strip():
            misused(f"{one!r} is no header.", "Write it as NAME: VALUE, like --header 'X-GitHub-Event: repository'.")
        headers[name.strip()] = value.strip()
    return headers
