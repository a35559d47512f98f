"""The auditor's room: the iterations that somebody may inspect, a sample of the findings, and questions about them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.audit.outcome import Check, Result
from service.domain.audit.sampling import LARGEST, LONGEST_SEED
from service.domain.english import counted
from service.domain.team.calendar import DateRange
from service.pages import audit
from service.pages.audit import CHECKS, LEGEND, FindingShown, MatrixRow
from service.pages.moments import Moment, day, moment
from service.pages.new_project import Choice, Field
from service.pages.signs import Sign
from service.usecases.audit import questions, room
from service.usecases.audit.audit_reports import Line
from service.usecases.audit.questions import Asked
from service.usecases.audit.room import Drawn, Inspected

ANY = "any"
_SIZE = 10

_RESULTS = {
    Result.PASS.value: "passed",
    Result.FAIL.value: "failed",
    Result.UNCLEAR.value: "are unclear",
    Result.WAIVED.value: "were waived",
    Result.INCONCLUSIVE.value: "could not be checked",
    ANY: "say anything",
}


@dataclass(frozen=True, slots=True)
class RoomLine:
    """A project that may be inspected, and for which days."""

    href: str
    name: str
    key: str
    days: str
    ended: bool


@dataclass(frozen=True, slots=True)
class RoomsPage:
    """The projects that somebody may inspect. `alone`: they may do nothing else here; `until` is when that ends."""

    rows: tuple[RoomLine, ...]
    said: str
    sought: str
    alone: bool
    until: Moment | None


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """A finding of a sample."""

    href: str
    iteration: str
    name: str
    sign: Sign
    reason: str


@dataclass(frozen=True, slots=True)
class SampleShown:
    """A sample, with how it was drawn."""

    said: str
    rows: tuple[DrawnLine, ...]
    csv: str


@dataclass(frozen=True, slots=True)
class SaidLine:
    """What somebody answered."""

    person: str
    text: str
    at: Moment


@dataclass(frozen=True, slots=True)
class QuestionLine:
    """A question with its ticket and what was said there; `ticket_action` is where its ticket is made, empty where it
    has one."""

    iteration: str
    text: str
    by: str
    at: Moment
    sign: Sign
    ticket: str
    url: str
    said: tuple[SaidLine, ...]
    evidence: str
    ticket_action: str


@dataclass(frozen=True, slots=True)
class RoomPage:
    """One project, as somebody may inspect it. `note` is what came of a press, `asking` the fields of a question;
    `opened` names the finding, `closed` is the page without it."""

    id: str
    name: str
    said: str
    days: str
    checks: tuple[tuple[str, str], ...]
    rows: tuple[MatrixRow, ...]
    legend: tuple[Sign, ...]
    finding: FindingShown | None
    binders: tuple[tuple[int, str], ...]
    drawing: tuple[Field, ...]
    opened: str
    closed: str
    drawn: SampleShown | None
    questions: tuple[QuestionLine, ...]
    asking: tuple[Field, ...]
    may_ask: bool
    note: str
    looked: Moment | None


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown besides: the finding that was opened, what was entered to draw a sample or to ask, what is wrong
    with that by field, and what came of a press."""

    opened: str = ""
    drawing: Mapping[str, str] | None = None
    asking: Mapping[str, str] | None = None
    problems: Mapping[str, str] | None = None
    note: str = ""


def rooms_of(context: Context, caller: Caller, sought: str) -> RoomsPage:
    """The projects that somebody may inspect."""
    found, number = room.projects_of(context, caller, sought)
    rows = tuple(_room_line(one, context.now().year) for one in found)
    said = f"{counted(number, 'project')} may be inspected."
    if number > len(found):
        many = counted(number, "project")
        said = f"{many} may be inspected; the first {len(found)} by name are shown. Search for others."
    alone = not caller.may_somewhere(Permission.READ)
    ends = [one.expires_at for one in caller.grants if one.expires_at is not None]
    until = moment(max(ends), "UTC", context.now()) if alone and ends and len(ends) == len(caller.grants) else None
    return RoomsPage(rows, said, sought, alone, until)


def _room_line(one: Inspected, year: int) -> RoomLine:
    return RoomLine(f"/projects/{one.id}/room", one.name, one.key, _days(one.periods, year), one.ended)


def _days(periods: Sequence[DateRange] | None, year: int) -> str:
    if periods is None:
        return "All iterations"
    spans = (f"{day(one.first, year)} to {day(one.last, year)}" for one in periods)
    return f"Iterations from {', and from '.join(spans)}"


def room_of(context: Context, caller: Caller, name: str, shown: Shown) -> RoomPage:
    """One project as somebody may inspect it. Raises NotFound, Conflict, InvalidInput."""
    given, wrong = shown.drawing, dict(shown.problems or {})
    draw = None
    if given is not None and not wrong:
        size = given.get("size", "")
        if size.isdecimal() and 1 <= int(size) <= LARGEST and given.get("seed"):
            draw = given["seed"], int(size), result_of(given.get("result", ANY))
        else:
            wrong |= _wrong(given)
    found = room.of(context, caller, name, draw)
    project, now = found.matrix.project, context.now()
    lines, base = found.matrix.lines, f"/projects/{project.id}/room"
    # A finding is opened beside the sample that was drawn.
    here = f"{base}?{_query(found.drawn)}" if found.drawn is not None else base
    looks = [line.audited_at for line in lines if line.audited_at is not None]
    may_ask = caller.may(Permission.ASK, project.id) and bool(lines)
    return RoomPage(
        id=project.id,
        name=project.name,
        said=audit.said_of(lines) if lines else "No iteration of these days has begun.",
        days=_days(found.periods, now.year),
        checks=tuple(CHECKS.items()),
        rows=audit.rows_of(here, lines, shown.opened),
        legend=LEGEND,
        finding=audit.finding_of(context, project, lines, shown.opened),
        binders=tuple((line.number, f"{base}/{line.number}/binder") for line in lines),
        drawing=_drawing(given or {}, wrong),
        opened=shown.opened,
        closed=here,
        drawn=_sample(found.drawn, lines, base) if found.drawn is not None else None,
        questions=tuple(_question(one, base, project.time_zone, now, project.ended_at is None) for one in found.asked),
        asking=_asking(lines, shown),
        may_ask=may_ask,
        note=shown.note,
        looked=moment(max(looks), project.time_zone, now) if looks else None,
    )


def result_of(word: str) -> Result | None:
    """The result that a sample is drawn among; None for all of them."""
    return Result(word) if word in set(Result) else None


def _wrong(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    size = given.get("size", "")
    if not size.isdecimal() or not 1 <= int(size) <= LARGEST:
        yield "size", f"give a number from 1 to {LARGEST}"
    if not given.get("seed"):
        yield "seed", "give one; any word does"


def _drawing(given: Mapping[str, str], wrong: Mapping[str, str]) -> tuple[Field, ...]:
    chosen = given.get("result", Result.PASS.value)
    choices = tuple(Choice(value, words, value == chosen) for value, words in _RESULTS.items())
    seed = given.get("seed") or secrets.token_hex(4)
    fields = (
        Field("size", "Findings", given.get("size") or str(_SIZE), "number", least="1", most=str(LARGEST)),
        Field("result", "Of those that", chosen, "choice", choices=choices),
        Field("seed", "Seed", seed, help="The same seed draws the same.", longest=LONGEST_SEED),
    )
    return tuple(one.filled({}, wrong) for one in fields)


def _sample(drawn: Drawn, lines: Sequence[Line], base: str) -> SampleShown:
    of = {line.number: line for line in lines}
    here = f"{base}?{_query(drawn)}"
    rows = tuple(_drawn_line(of[number], check, here) for number, check in drawn.places)
    kind = _RESULTS[drawn.result.value if drawn.result is not None else ANY]
    said = f"{len(rows)} of {counted(drawn.among, 'finding')} that {kind}, drawn with the seed {drawn.seed}."
    return SampleShown(said, rows, f"{base}/findings.csv?{_query(drawn)}")


def _query(drawn: Drawn) -> str:
    return urlencode({"seed": drawn.seed, "size": drawn.size, "result": drawn.result.value if drawn.result else ANY})


def _drawn_line(line: Line, check: Check, base: str) -> DrawnLine:
    assert line.audited is not None  # noqa: S101 - it was drawn among what was audited
    found = next(one for one in line.audited.findings if one.check is check)
    href = audit.address_of(base, f"{line.number}.{check.value}")
    name = f"{check.value} {CHECKS[check.value]}"
    return DrawnLine(href, f"Iteration {line.number}", name, audit.sign_of(found, line.audited), found.reason)


_STATES = {
    "": Sign("pending", "pending", "Not answered yet"),
    "todo": Sign("pending", "pending", "Not done"),
    "doing": Sign("info", "info", "Being worked on"),
    "done": Sign("ok", "ok", "Done"),
    "gone": Sign("bad", "bad", "Its ticket was deleted"),
}
_NO_TICKET = Sign("warn", "info", "No ticket yet")
_BEING_MADE = Sign("pending", "pending", "Its ticket is being made")


def _sign(one: Asked) -> Sign:
    if one.ticket is not None or one.question.status:
        return _STATES[one.question.status]
    return _BEING_MADE if one.run is not None else _NO_TICKET


def _question(one: Asked, base: str, zone: str, now: datetime, goes_on: bool) -> QuestionLine:
    asked = one.question
    evidence = f"evidence {asked.seq}"
    if asked.answer_seq is not None:
        evidence += f", its answer {asked.answer_seq}"
    return QuestionLine(
        iteration=f"Iteration {asked.number}",
        text=asked.text,
        by=asked.by,
        at=moment(asked.at, zone, now),
        sign=_sign(one),
        ticket=one.ticket.key if one.ticket is not None else "",
        url=one.ticket.url if one.ticket is not None else "",
        said=tuple(SaidLine(said.person, said.text, moment(said.at, zone, now)) for said in asked.said),
        evidence=evidence,
        ticket_action=f"{base}/questions/{asked.id}/ticket" if one.ticket is None and not one.run and goes_on else "",
    )


def _asking(lines: Sequence[Line], shown: Shown) -> tuple[Field, ...]:
    given, wrong = shown.asking or {}, shown.problems or {}
    chosen = given.get("iteration") or shown.opened.partition(".")[0] or (str(lines[-1].number) if lines else "")
    choices = tuple(Choice(str(one.number), one.title, str(one.number) == chosen) for one in lines)
    length = f"{questions.SHORTEST} to {counted(questions.LONGEST, 'character')}."
    fields = (
        Field("iteration", "About", chosen, "choice", choices=choices),
        Field("text", "What do you want to know?", given.get("text", ""), "prose", help=length),
    )
    return tuple(one.filled({}, wrong) for one in fields)
