"""Commands about who hears of what outside of the tracker: receivers, previews, and what became of messages."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import IO, Annotated, Any, NoReturn

import typer
from rich.markup import escape
from rich.table import Table

from connectors.receivers import KINDS
from connectors.receiving import ReceiverKind
from service.cli.shell import AsJson, Exit, misused, nothing, opened, out, print_json
from service.domain.audit.shown import visible
from service.domain.commands import typed
from service.domain.english import counted
from service.domain.notice import delivery_state
from service.domain.notice.kinds import MEANINGS, NoticeKind
from service.usecases.notice import hours, messages, receivers
from service.usecases.notice.receivers import Asked
from service.views.notice import PreviewView, ReceiverView, Subscription

notify = typer.Typer(help="Who hears of what outside of the tracker.", no_args_is_help=True)

_FIRST = next(iter(KINDS))

Named = Annotated[str, typer.Argument(metavar="NAME", help="The receiver's name or id.")]
Channel = Annotated[
    str,
    typer.Option(help=" ".join(f"{one.title}: {one.channel_words}" for one in KINDS.values() if one.channel_words)),
]
Projects = Annotated[
    list[str] | None,
    typer.Option("--project", help="Only of this project (key or id); repeat for several [default: of all]."),
]
Notices = Annotated[
    list[str] | None,
    typer.Option("--notice", help="Only this kind of notice; repeat for several [default: every kind]."),
]
Credential = Annotated[
    typer.FileText | None,
    typer.Option("--credential-file", help="File with a new credential; - for standard input."),
]
State = Annotated[str | None, typer.Option(help=f"Only those in this state: {', '.join(delivery_state.STATES)}.")]
Receiver = Annotated[str | None, typer.Option(help="Only those to this receiver.")]
Project = Annotated[str | None, typer.Option(help="Only those of this project.")]


def adding(kinds: Mapping[str, ReceiverKind]) -> Callable[..., None]:
    """The command `notify add`, with an option for each setting that people give for one of these kinds."""

    def add_receiver(
        kind: Annotated[str, typer.Argument(metavar="KIND", help=f"Where: {', '.join(kinds)}.")],
        name: Annotated[str | None, typer.Option(help="What you call it [default: as its kind].")] = None,
        channel: Channel = "",
        project: Projects = None,
        notice: Notices = None,
        credential_file: Annotated[
            typer.FileText, typer.Option(help="File with the credential; - (the default) reads it from standard input.")
        ] = "-",  # type: ignore[assignment]  # typer opens it; - is standard input
        as_json: AsJson = False,
        **given: str | bool | None,
    ) -> None:
        """Add a place where people hear of things. The credential is read from a file or standard input, encrypted, and
        never shown again; it may be a reference, env:NAME or file:PATH."""
        kind = kind.strip().casefold()
        if kind not in kinds:
            _unknown(kind, kinds)
        settings = {option: value for option, value in given.items() if value is not None}
        secret = _secret(kinds[kind], credential_file)
        asked = Asked(channel, tuple(project or ()), tuple(notice or ()))
        with opened(founds=True) as context:
            row = receivers.add(context, name or kind, kind, settings, secret, [asked])
        if as_json:
            print_json(row.to_json())
            return
        out.print(f"Receiver [bold]{escape(visible(row.name))}[/] kept. It is told:")
        _wanted(row.subscriptions)
        out.print(f"Try it with: phaseloop notify test {escape(typed(row.name))}")

    return _with_settings(add_receiver, kinds)


def _secret(kind: ReceiverKind, given: IO[str]) -> str:
    """The credential: asked for on a terminal, else read."""
    if not given.isatty():
        return given.read().strip()
    may_be_empty: dict[str, Any] = {"default": "", "show_default": False} if kind.secret_optional else {}
    return str(typer.prompt(kind.secret_words, hide_input=True, err=True, **may_be_empty))


def _with_settings(command: Callable[..., None], kinds: Mapping[str, ReceiverKind]) -> Callable[..., None]:
    """The command with an option for each setting of these kinds, in place of its last parameter."""
    written = inspect.signature(command, eval_str=True, locals={"kinds": kinds})
    *before, _given = written.parameters.values()
    shown = written.replace(parameters=before + [_option(*one) for one in _settings(kinds)])
    command.__signature__ = shown  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in shown.parameters.values()}
    return command


def _settings(kinds: Mapping[str, ReceiverKind]) -> list[tuple[str, str, bool]]:
    """The settings of these kinds, each once; where several have one, what it is for each."""
    words: defaultdict[tuple[str, bool], dict[str, str]] = defaultdict(dict)
    for kind in kinds.values():
        for name, said, switch in kind.given:
            before = words[name, switch].get(said)
            words[name, switch][said] = f"{before}, {kind.title}" if before else kind.title
    return [
        (name, " ".join(f"{titles}: {said}" for said, titles in of.items()), switch)
        for (name, switch), of in words.items()
    ]


def _option(name: str, words: str, switch: bool) -> inspect.Parameter:
    flag = f"--{name.replace('_', '-')}"
    option = typer.Option(flag, help=words)
    kind = Annotated[bool | None, option] if switch else Annotated[str | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)


def _unknown(kind: str, kinds: Mapping[str, ReceiverKind]) -> NoReturn:
    misused(f"There is no receiver {kind!r}.", f"There is: {', '.join(kinds)}.")


notify.command("add")(adding(KINDS))


@notify.command("list")
def list_receivers(as_json: AsJson = False) -> None:
    """List the receivers: what is told there, and how their messages stand."""
    with opened() as context:
        rows = receivers.listed(context)
    if as_json:
        print_json([row.to_json() for row in rows])
        return
    if not rows:
        nothing(f"Nobody is told anything yet. Add a receiver: phaseloop notify add {_FIRST}")
        return
    table = Table("Receiver", "Kind", "Sent", "Waiting", "In doubt", "Failed", "", box=None, pad_edge=False)
    for row in rows:
        numbers = [
            row.counts[delivery_state.SENT],
            row.counts[delivery_state.WAITING] + row.counts[delivery_state.SENDING],
            row.counts[delivery_state.IN_DOUBT],
            row.counts[delivery_state.FAILED],
        ]
        table.add_row(escape(visible(row.name)), row.kind, *(str(one) for one in numbers), escape(_standing(row)))
    out.print(table)


def _standing(row: ReceiverView) -> str:
    return visible(f"paused: {row.paused}" if row.paused else row.trouble)


@notify.command("show")
def show_receiver(receiver: Named, as_json: AsJson = False) -> None:
    """Show a receiver: what is told in which channel, and what is wrong with it."""
    with opened() as context:
        row = receivers.get(context, receiver)
    if as_json:
        print_json(row.to_json())
        return
    _show(row)


def _show(row: ReceiverView) -> None:
    out.print(f"[bold]{escape(visible(row.name))}[/] ({row.kind}, {row.id})")
    _wanted(row.subscriptions)
    counts = ", ".join(f"{number} {state}" for state, number in row.counts.items() if number)
    out.print(f"  Messages: {counts or 'none yet'}")
    for channel, kind in row.unsubscribed:
        out.print(f"  {escape(visible(f'{channel} wants no more of {kind}'))}")
    if row.paused:
        out.print(f"  [bold yellow]Paused:[/] {escape(visible(row.paused))}")
    if row.trouble:
        out.print(f"  [bold red]Trouble:[/] {escape(visible(row.trouble))}")


def _wanted(subscriptions: tuple[Subscription, ...]) -> None:
    for one in subscriptions:
        of = f"of {one.key}" if one.project else "of all projects"
        what = ", ".join(one.kinds) or "every kind of notice"
        where = f" to {one.channel}" if one.channel else ""
        out.print(f"  {escape(visible(f'{what} {of}{where}'))}")
    if not subscriptions:
        out.print("  nothing. Say what: phaseloop notify set NAME --project PROJECT")


def _set_receiver(
    receiver: Named,
    channel: Channel = "",
    project: Projects = None,
    notice: Notices = None,
    off: Annotated[bool, typer.Option("--off", help="Tell nothing of these projects there any more.")] = False,
    credential_file: Credential = None,
    as_json: AsJson = False,
    **given: str | bool | None,
) -> None:
    """Say what is told of projects in a channel of a receiver, or give it a new credential, with other settings if they
    change. What is said of other projects and channels stays."""
    wants = bool(channel or project or notice or off)
    settings = {option: value for option, value in given.items() if value is not None}
    if not wants and credential_file is None and not settings:
        misused("Nothing is to be changed.", "Such as: --project PROJECT --channel ID, or --credential-file FILE.")
    if settings and credential_file is None:
        misused("Other settings take the credential anew.", "Add --credential-file FILE.")
    with opened() as context:
        row = receivers.get(context, receiver)
        if credential_file is not None:
            secret = _secret(KINDS[row.kind], credential_file)
            new = {**row.settings, **settings} if settings else None
            row = receivers.change(context, row.id, settings=new, secret=secret)
        if wants:
            if not channel and len({one.channel for one in row.subscriptions}) == 1:
                channel = row.subscriptions[0].channel
            asked = Asked(channel, tuple(project or ()), tuple(notice or ()))
            row = receivers.subscribe(context, row.id, asked, off=off)
    if as_json:
        print_json(row.to_json())
    else:
        _show(row)


notify.command("set")(_with_settings(_set_receiver, KINDS))


@notify.command("pause")
def pause_receiver(receiver: Named, as_json: AsJson = False) -> None:
    """Tell nothing to a receiver until it is resumed. What happens meanwhile, and what waits, is not told later."""
    _switch(receiver, True, as_json)


@notify.command("resume")
def resume_receiver(receiver: Named, as_json: AsJson = False) -> None:
    """Tell a receiver again what happens from now on. What waited when it was paused is sent by `notify replay --state
    skipped`."""
    _switch(receiver, False, as_json)


def _switch(receiver: str, paused: bool, as_json: bool) -> None:
    with opened() as context:
        row = receivers.change(context, receiver, paused=paused)
    if as_json:
        print_json(row.to_json())
    else:
        _show(row)


@notify.command("test")
def try_receiver(receiver: Named, as_json: AsJson = False) -> None:
    """Post a test message to each channel of a receiver."""
    with opened() as context:
        tried = receivers.test(context, receiver)
    if as_json:
        print_json(tried.to_json())
    else:
        if tried.account:
            out.print(f"Signed in as {escape(visible(tried.account))}")
        for channel in tried.posted:
            out.print(f"[green]posted[/] {escape(visible(channel))}".rstrip())
        for problem in tried.problems:
            out.print(f"[red]error[/] {escape(visible(problem))}")
    if not tried.ok:
        raise typer.Exit(Exit.ERROR)


@notify.command("remove")
def remove_receiver(receiver: Named, as_json: AsJson = False) -> None:
    """Remove a receiver with its credential. What was not sent to it is not sent any more."""
    with opened() as context:
        number = receivers.remove(context, receiver)
    if as_json:
        print_json({"id": number})
    else:
        out.print(f"Removed. Nothing is told to {escape(visible(receiver))} any more.")


@notify.command("kinds")
def list_kinds(as_json: AsJson = False) -> None:
    """List the kinds of notices, and when each is given."""
    if as_json:
        print_json([{"kind": kind.value, "given_when": MEANINGS[kind]} for kind in NoticeKind])
        return
    table = Table("Kind", "Given when", box=None, pad_edge=False)
    for kind in NoticeKind:
        table.add_row(kind.value, MEANINGS[kind])
    out.print(table)


@notify.command("hours")
def set_hours(
    project: Annotated[str, typer.Argument(metavar="PROJECT", help="The project's key or id.")],
    quiet: Annotated[
        str | None,
        typer.Option(metavar="FROM-TO", help="When nobody is written to, like 20:00-07:00; off for no such hours."),
    ] = None,
    days_off: Annotated[
        bool | None, typer.Option("--days-off/--no-days-off", help="Write nobody on days on which nobody works.")
    ] = None,
    stand_up: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When there is a stand-up on working days, like 09:30; off for none."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show when the people of a project are written to, or set it. What is due while it is quiet waits until that
    ends."""
    with opened() as context:
        found = hours.get(context, project)
        if quiet is not None or days_off is not None or stand_up is not None:
            said = found.to_json()
            begins, ends = said["quiet_from"], said["quiet_to"]
            if quiet is not None:
                begins, ends = (None, None) if quiet.strip().casefold() == "off" else _span(quiet)
            daily = said["stand_up"] if stand_up is None else stand_up.strip()
            daily = None if (daily or "").casefold() == "off" else daily
            off = found.days_off if days_off is None else days_off
            found = hours.put(context, project, begins, ends, off, daily)
    if as_json:
        print_json(found.to_json())
        return
    said = found.to_json()
    spans = [f"from {said['quiet_from']} to {said['quiet_to']}"] if found.quiet_from is not None else []
    spans += ["on days on which nobody works"] if found.days_off else []
    if spans:
        out.print(f"Nobody of {escape(found.project)} is written to {' and '.join(spans)} ({found.time_zone}).")
    else:
        out.print(f"The people of {escape(found.project)} are written to at all hours.")
    if found.stand_up is not None:
        out.print(f"Stand-up: on working days at {said['stand_up']}.")
    if found.quiet_until is not None:
        out.print(f"It is quiet until {found.quiet_until:%Y-%m-%d %H:%M} UTC.")


def _span(quiet: str) -> tuple[str, str]:
    begins, dash, ends = (part.strip() for part in quiet.partition("-"))
    if not dash:
        misused(f"{quiet!r} is no span of hours.", "Such as: --quiet 20:00-07:00, or --quiet off.")
    return begins, ends


@notify.command("preview")
def preview(
    project: Annotated[str, typer.Argument(metavar="PROJECT", help="The project's key or id.")],
    kind: Annotated[str, typer.Argument(metavar="KIND", help="The kind of notice; `notify kinds` lists them.")],
    form: Annotated[
        str | None, typer.Option("--as", help=f"With --json: as for this kind of receiver: {', '.join(KINDS)}.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what people would be sent of the newest notice of a kind in a project. Sends nothing."""
    with opened() as context:
        found = messages.preview(context, project, kind, form)
    if as_json:
        print_json(found.to_json())
        return
    _preview(found)


def _preview(found: PreviewView) -> None:
    if not found.real:
        out.print(f"[dim]{escape(found.project)} has had no such notice: these words are an example's.[/]")
    message = found.message
    out.print(f"[bold]{escape(visible(message.title))}[/]")
    for part in message.parts:
        if part.title:
            out.print(f"\n[bold]{escape(visible(part.title))}[/]")
        if part.text:
            out.print(escape(visible(part.text)))
        for line in part.lines:
            out.print(f"  • {escape(visible(f'{line.text} {line.more}'.strip()))}")
    if message.url:
        out.print(f"\n{escape(message.link)}: {escape(visible(message.url))}")
    if message.foot:
        out.print(f"[dim]{escape(visible(message.foot))}[/]")


@notify.command("deliveries")
def list_deliveries(
    state: State = None,
    receiver: Receiver = None,
    project: Project = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the messages that were made, the newest first, and what became of each."""
    with opened() as context:
        rows = messages.listed(context, limit, state=state, receiver=receiver, project=project)
    if as_json:
        print_json([row.to_json() for row in rows])
        return
    if not rows:
        nothing("No messages." if state or receiver or project else "No messages yet.")
        return
    table = Table("Message", "Made (UTC)", "To", "Of", "What", "State", "", box=None, pad_edge=False)
    for row in rows:
        to = f"{row.receiver} {row.channel}".strip()
        what = row.kind if len(row.events) == 1 else f"{row.kind} of {len(row.events)}"
        cells = (to, row.project, what, row.state, row.error)
        table.add_row(row.id, f"{row.created_at:%Y-%m-%d %H:%M:%S}", *(escape(visible(cell)) for cell in cells))
    out.print(table)


@notify.command("replay")
def replay(
    message: Annotated[str | None, typer.Argument(metavar="ID", help="The message's id; or say --state.")] = None,
    state: State = None,
    receiver: Receiver = None,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Have a message that failed or is in doubt sent again, or with --state all in that state. A service that runs does
    it. Look into the channel first whether one in doubt is there: it would be posted twice."""
    if (message is None) == (state is None):
        misused("Name one message, or say which with --state.", "Such as: phaseloop notify replay --state failed")
    with opened() as context:
        if message is not None:
            count = 1
            messages.replay(context, message)
        else:
            count = messages.replay_all(
                context, state=state or delivery_state.FAILED, receiver=receiver, project=project
            )
    answer: dict[str, Any] = {"count": count}
    if as_json:
        print_json(answer)
    else:
        out.print(f"{counted(count, 'message')} to be sent again, by `phaseloop serve`.")
