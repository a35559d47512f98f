"""A simulation as people read it: one line for what happened, a block for each iteration, totals at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime

from service.domain.english import counted
from simulation.report import Began, Built, Closed, Entry, Held, Judged, Load, Noted, Report, Unfinished, WentOn, Wrote

_TIMES = {1: "", 2: ", the 2nd time", 3: ", the 3rd time"}
_POLICY = {"next": "carried over", "backlog": "to the backlog", "leave": "left"}


def lines(entry: Entry) -> Iterator[str]:
    """What one entry tells, with Rich's markup; what comes from elsewhere is escaped."""
    match entry:
        case Built():
            yield from _built(entry)
        case Began():
            yield from _began(entry)
        case Closed():
            yield from _closed(entry)
        case Held():
            yield from _held(entry)
        case WentOn():
            looks = f"it looked {counted(entry.looks, 'time')}"
            yield _happened(
                entry.at, f"[green]the advance to iteration {entry.iteration} resumes automatically[/]; {looks}"
            )
        case Wrote():
            yield _happened(entry.at, _wrote(entry))
        case Judged():
            yield _happened(entry.at, _judged(entry))
        case Noted():
            text = _escape(entry.text)
            yield _happened(entry.at, f"[cyan]{text}[/]" if entry.by_service else text)


def summary(report: Report) -> Iterator[str]:
    """What it all comes to."""
    closings, totals = report.of(Closed), report.totals
    went = ", ".join(_phases(report.of(Began)))
    yield ""
    yield f"[bold]{_span(report.first, report.last)}: {_count(len(closings), 'iteration')} closed[/]"
    yield f"  phases     {_escape(went)}"
    yield (
        f"  tickets    {totals.done.tickets} done ({counted(totals.done.points, 'point')}), carried over "
        f"{_count(totals.carried.tickets, 'time')}, {totals.added.tickets} added by people, "
        f"{totals.backlog.tickets + totals.left.tickets + totals.removed.tickets} left, removed or sent to the backlog"
    )
    often = [one for closing in closings for one in closing.unfinished if one.times >= 3]
    yield f"  often      {_escape(', '.join(_unfinished(one) for one in often)) or 'nothing was carried three times'}"
    held = report.of(Held)
    yield f"  held       {_count(len(held), 'advance')}" + (
        ", all continued by themselves" if _all_went_on(report) else ""
    )
    if report.verdicts:
        counts = Counter(verdict for _, verdict in report.verdicts)
        yield f"  records    {', '.join(f'{number} {verdict}' for verdict, number in counts.most_common())}"
    yield f"  requests   {_requests(report.reads, report.writes)}, in {_count(report.runs, 'run')} of the product"
    yield f"  now        {_escape(report.standing)}"


def _built(entry: Built) -> Iterator[str]:
    made = ", ".join(
        (
            _count(entry.epics, "epic"),
            _count(entry.iterations, "iteration"),
            _count(entry.tickets, "ticket"),
            f"{entry.links} dependencies",
        )
    )
    yield f"[bold]{_when(entry.at)}  The project is built[/]: {made}; {entry.unmanned} without a person"
    yield f"    {_requests(entry.reads, entry.writes)}"
    yield from _warned(entry.warnings)


def _began(entry: Began) -> Iterator[str]:
    turn = f", turn {entry.loop} of the loop" if entry.loop > 1 else ""
    name = f"{entry.phase} {entry.of_phase} of {entry.turns}{turn}"
    when = f"{_span(entry.first, entry.last)}, {_count(entry.days, 'working day')}"
    late = "" if entry.at == entry.starts else f" instead of {_when(entry.starts)}"
    made = f"; {_count(entry.made, 'ticket')} made" if entry.made else ""
    yield ""
    yield f"[bold]{entry.number:>2}  {_escape(name)}[/] · {when}"
    yield f"    begun      {_when(entry.at)}{late} by the {entry.by}; {_requests(entry.reads, entry.writes)}{made}"
    yield f"    holds      {_count(entry.tickets, 'ticket')}, {counted(entry.points, 'point')}"
    yield f"    people     {_escape(_loads(entry.loads))}"
    for text in entry.vacant:
        yield f"    [yellow]vacant[/]     {_escape(text)}"
    if entry.away:
        absent = (f"{one.person} {_span(one.first, one.last, year=False)}" for one in entry.away)
        yield f"    away       {_escape('; '.join(absent))}"
    if entry.days_off:
        yield f"    days off   {', '.join(_day(day) for day in entry.days_off)}"
    yield from _warned(entry.warnings)


def _closed(entry: Closed) -> Iterator[str]:
    tally = entry.tally
    counts = [f"{tally.done.tickets} of {tally.planned.tickets + tally.added.tickets} done"]
    counts += [
        f"{one.tickets} {word}"
        for one, word in (
            (tally.carried, "carried over"),
            (tally.backlog, "to the backlog"),
            (tally.left, "left"),
            (tally.removed, "removed by hand"),
            (tally.added, "added on the way"),
        )
        if one.tickets
    ]
    points = f"{_number(tally.done.points)} of {counted(tally.planned.points + tally.added.points, 'point')}"
    cycle = f"; half within {_number(entry.cycle)} h" if entry.cycle is not None else ""
    yield f"    closed     {', '.join(counts)}; {points}{cycle}"
    for one in entry.unfinished:
        by = f" ({one.decided_by})" if one.decided_by != "policy" else ""
        yield f"    {_POLICY[one.policy]:<14} {_escape(_unfinished(one) + by)}"
    for text in entry.removed:
        yield f"    removed        {_escape(text)}"
    yield f"    then       {_escape(_follows(entry))}"


def _held(entry: Held) -> Iterator[str]:
    yield _happened(entry.at, f"[bold red]the advance to iteration {entry.iteration} is held[/]")
    for message, fix in entry.reasons:
        yield f"{'':22} [red]{_escape(message)}[/]"
        if fix:
            yield f"{'':22} {_escape(fix)}"


def _wrote(entry: Wrote) -> str:
    how = f": {entry.manner}" if entry.did == "writes" else ""
    return _escape(f"{entry.person} {entry.did} the record of iteration {entry.number}{how}")


def _judged(entry: Judged) -> str:
    colour = {"documented": "green", "undocumented": "red"}.get(entry.verdict, "yellow")
    said = f"[{colour}]iteration {entry.number} is {entry.verdict}[/]"
    if entry.failed:
        said += f": {', '.join(entry.failed)} failed"
    if entry.waived:
        said += f"; {', '.join(entry.waived)} waived"
    return said + ("; it was changed after sign-off" if entry.changed_after_sign_off else "")


def _follows(entry: Closed) -> str:
    words = {
        "stay": f"another iteration of {entry.phase}",
        "next": f"on to {entry.phase}",
        "back": f"back to {entry.phase}",
        "end": "the project ends",
    }
    why = f" ({'; '.join(entry.lacking)})" if entry.lacking and entry.move == "stay" else ""
    return words[entry.move] + (f": {entry.decided}" if entry.decided else why)


def _unfinished(one: Unfinished) -> str:
    about = [part for part in (one.person or "nobody's", counted(one.points, "point") if one.points else "") if part]
    times = _TIMES.get(one.times, f", the {one.times}th time") if one.policy == "next" else ""
    return f'{one.name} "{one.title}", {", ".join(about)}{times}'.lstrip()


def _loads(loads: Sequence[Load]) -> str:
    said = (f"{load.person or 'nobody'}: {_count(load.tickets, 'ticket')}, {_number(load.points)}" for load in loads)
    return "; ".join(said)


def _phases(begun: Sequence[Began]) -> Iterator[str]:
    """Each phase with how many iterations it had, in the order in which they came."""
    at = 0
    while at < len(begun):
        same = [one for one in begun if (one.phase, one.loop) == (begun[at].phase, begun[at].loop)]
        yield f"{begun[at].phase} {len(same)}"
        at += len(same)


def _all_went_on(report: Report) -> bool:
    held = {one.iteration for one in report.of(Held)}
    return bool(held) and held <= {one.iteration for one in report.of(WentOn)}


def _warned(warnings: Sequence[str]) -> Iterator[str]:
    for text in warnings:
        yield f"    [yellow]warning[/]    {_escape(text)}"


def _happened(at: datetime, text: str) -> str:
    return f"    {_when(at, year=False):<18} {text}"


def _when(at: datetime, *, year: bool = True) -> str:
    return f"{at:%a} {_day(at, year=year)} {at:%H:%M}"


def _day(day: date, *, year: bool = False) -> str:
    return f"{day.day} {day:%b}" + (f" {day.year}" if year else "")


def _span(first: date, last: date, *, year: bool = True) -> str:
    return _day(first) if first == last else f"{_day(first)} to {_day(last, year=year)}"


def _requests(reads: int, writes: int) -> str:
    return f"{_count(reads, 'read')} and {_count(writes, 'write')} of the tracker"


def _count(number: int, thing: str) -> str:
    return counted(number, thing)


def _number(value: float | None) -> str:
    return f"{value or 0:g}"


def _escape(text: str) -> str:
    """Brackets in titles and messages are not markup."""
    return text.replace("[", r"\[")
