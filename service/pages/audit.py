"""The audit: which iterations are not documented, on what evidence, and what is to be done about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.audit.outcome import Audited, Check, CheckFinding, Evidence, Gate, Result, Verdict
from service.domain.audit.titles import TITLES
from service.domain.english import counted, sentence
from service.pages import signs
from service.pages.moments import Moment, day, moment
from service.pages.new_project import Field
from service.pages.paging import WHOLE, Paging, paged
from service.pages.remedies import on_pages
from service.pages.sent import NOTHING_SENT, Sent
from service.pages.signs import Sign
from service.usecases.audit import audit_reports, waiver_log
from service.usecases.audit.audit_reports import Line, Standing
from service.views.setup import ProjectView

CHECKS = {check.value: title for check, title in TITLES.items()}
"""What people call the checks of a record."""
_RESULTS = {
    Result.PASS: Sign("ok", "ok", "Passes"),
    Result.FAIL: Sign("bad", "bad", "Fails"),
    Result.UNCLEAR: Sign("warn", "unclear", "Unclear, a person should look"),
    Result.WAIVED: Sign("info", "waived", "Waived"),
    Result.NOT_APPLICABLE: Sign("neutral", "neutral", "Does not apply"),
    Result.INCONCLUSIVE: Sign("warn", "info", "Could not be checked"),
}
_NOT_DUE = Sign("pending", "pending", "Not due yet")

LEGEND = (*_RESULTS.values(), _NOT_DUE)

_GATES = {
    Gate.BLOCK: "An advance is held until the iteration that it closes is documented or waived.",
    Gate.WARN: "An iteration that is not documented is carried as a debt; the loop continues.",
    Gate.OFF: "The clock audits nothing here; “Audit now” does.",
}
_WAIVED_FOR = timedelta(days=90)
"""Until when a waiver is proposed to last."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A project: how many of its iterations are documented, and how many are not."""

    href: str
    name: str
    key: str
    sign: Sign
    counts: str
    late: int
    waivers: int
    looked: Moment | None
    troubles: int


@dataclass(frozen=True, slots=True)
class AuditPage:
    """All projects, the worst first."""

    said: str
    rows: tuple[AuditRow, ...]
    paging: Paging = WHOLE


@dataclass(frozen=True, slots=True)
class Cell:
    """A check of an iteration; `href` opens its finding, `said` names it in words."""

    check: str
    sign: Sign
    href: str
    said: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """An iteration with all its checks; without a look there are none."""

    number: int
    title: str
    sign: Sign
    cells: tuple[Cell, ...]
    trouble: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a finding rests on."""

    source: str
    quote: str
    url: str
    by: str
    at: Moment | None


@dataclass(frozen=True, slots=True)
class FindingShown:
    """One finding: what is so, on what evidence, how it is fixed, and how it can be waived. `iteration` is a number."""

    iteration: int
    title: str
    check: str
    name: str
    sign: Sign
    weight: str
    reason: str
    evidence: tuple[Quoted, ...]
    fix: str
    waived: str
    close_call: bool
    url: str
    record: str
    may_waive: bool
    waive: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class WaiverLine:
    """A waiver: of what, by whom, why, until when. `id` names one that can be taken back."""

    check: str
    iteration: str
    by: str
    reason: str
    until: str
    state: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class MatrixPage:
    """One project's iterations by checks, with the finding that was opened."""

    id: str
    name: str
    said: str
    gate: str
    checks: tuple[tuple[str, str], ...]
    rows: tuple[MatrixRow, ...]
    legend: tuple[Sign, ...]
    finding: FindingShown | None
    waivers: tuple[WaiverLine, ...]
    looked: Moment | None
    may_audit: bool


def page_of(context: Context, page: int = 1) -> AuditPage:
    """All projects that somebody may see, by our records; those of that page."""
    found, now = audit_reports.portfolio(context), context.now()
    shown, paging = paged(found, page, "/audit")
    rows = tuple(_row(one, now) for one in shown)
    late = sum(bool(one.late) for one in found)
    documented = sum(one.verdicts.get(Verdict.DOCUMENTED, 0) for one in found)
    begun = sum(one.iterations for one in found)
    said = f"{counted(begun, 'iteration')} begun, {documented} documented"
    if late:
        said += f"; in {counted(late, 'project')} some record should be there by now"
    return AuditPage(f"{said}." if begun else "No iteration has begun yet.", rows, paging)


def _row(one: Standing, now: datetime) -> AuditRow:
    said = signs.counts(one.states)
    unseen = one.iterations - sum(one.verdicts.values())
    parts = [*([said] if said else []), *([f"{unseen} not checked yet"] if unseen > 0 else [])]
    return AuditRow(
        href=f"/projects/{one.project}/audit",
        name=one.name,
        key=one.key,
        sign=signs.of_verdict(one.worst, one.worst_clock) if one.iterations else signs.NOT_DUE,
        counts=sentence("; ".join(parts)) or "No iteration has begun",
        late=one.late,
        waivers=one.waivers,
        looked=moment(one.audited_at, one.zone, now) if one.audited_at is not None else None,
        troubles=one.troubles,
    )


def matrix_of(context: Context, caller: Caller, name: str, opened: str = "", sent: Sent = NOTHING_SENT) -> MatrixPage:
    """One project's matrix; `opened` is the finding to show, such as `3.D05`, with the form that was `sent`. Raises
    NotFound, Conflict, InvalidInput."""
    matrix = audit_reports.matrix(context, name)
    project, now = matrix.project, context.now()
    looks = [line.audited_at for line in matrix.lines if line.audited_at is not None]
    may_waive = caller.may(Permission.DECIDE, project.id) and project.ended_at is None
    finding = finding_of(context, project, matrix.lines, opened, may_waive=may_waive, sent=sent)
    return MatrixPage(
        id=project.id,
        name=project.name,
        said=said_of(matrix.lines),
        gate=_GATES[matrix.gate],
        checks=tuple(CHECKS.items()),
        rows=rows_of(f"/projects/{project.id}/audit", matrix.lines, opened),
        legend=LEGEND,
        finding=finding,
        waivers=tuple(_waiver(one, may_revoke=may_waive) for one in matrix.waivers),
        looked=moment(max(looks), project.time_zone, now) if looks else None,
        may_audit=caller.may(Permission.OPERATE, project.id) and project.ended_at is None,
    )


def said_of(lines: Sequence[Line]) -> str:
    """How many iterations came to which verdict, as a sentence."""
    if not lines:
        return "No iteration has begun yet, so nothing is to be documented."
    known = Counter((line.audited.verdict, line.audited.clock) for line in lines if line.audited is not None)
    parts = [said] if (said := signs.counts(known)) else []
    if known.total() < len(lines):
        parts.append(f"{len(lines) - known.total()} not checked yet")
    return f"{counted(len(lines), 'iteration')} begun: {'; '.join(parts)}."


def rows_of(base: str, lines: Sequence[Line], opened: str) -> tuple[MatrixRow, ...]:
    """The rows of a matrix at the address `base`, with the finding that is shown."""
    return tuple(_matrix_row(base, line, opened) for line in lines)


def _matrix_row(base: str, line: Line, opened: str) -> MatrixRow:
    audited = line.audited
    return MatrixRow(
        number=line.number,
        title=line.title,
        sign=signs.of_verdict(audited.verdict, audited.clock) if audited is not None else signs.UNCHECKED,
        cells=tuple(_cells(base, line, audited, opened)) if audited is not None else (),
        trouble=line.trouble,
    )


def _cells(base: str, line: Line, audited: Audited, opened: str) -> Iterator[Cell]:
    known = {one.check: one for one in audited.findings}
    for check in Check:
        sign = sign_of(known[check], audited) if check in known else _RESULTS[Result.NOT_APPLICABLE]
        place = f"{line.number}.{check.value}"
        said = f"Iteration {line.number}, {check.value} {CHECKS[check.value]}: {sign.word}"
        href = address_of(base, place) if check in known else ""
        yield Cell(check.value, sign, href, said, place == opened)


def address_of(base: str, place: str) -> str:
    """Where a finding is shown, such as `3.D05`: on the page of that address, which may have a query."""
    return f"{base}{'&' if '?' in base else '?'}finding={place}#finding"


def sign_of(one: CheckFinding, audited: Audited) -> Sign:
    """How a finding is shown."""
    if one.result is Result.FAIL and audited.verdict is Verdict.PENDING:
        return _NOT_DUE
    return _RESULTS[one.result]


def finding_of(
    context: Context,
    project: ProjectView,
    lines: Sequence[Line],
    opened: str,
    *,
    may_waive: bool = False,
    sent: Sent = NOTHING_SENT,
) -> FindingShown | None:
    """The finding that was opened, such as `3.D05`; None where there is none of that name."""
    now = context.now()
    number, _, check = opened.partition(".")
    line = next((one for one in lines if str(one.number) == number), None)
    if line is None or line.audited is None:
        return None
    found = next((one for one in line.audited.findings if one.check.value == check), None)
    if found is None:
        return None
    today = waiver_log.today_of(context, project)
    lacking = found.result in (Result.FAIL, Result.UNCLEAR, Result.INCONCLUSIVE)
    return FindingShown(
        iteration=line.number,
        title=line.title,
        check=check,
        name=CHECKS[check],
        sign=sign_of(found, line.audited),
        weight=found.weight.value,
        reason=on_pages(found.reason),
        evidence=tuple(_quoted(one, project, now) for one in found.evidence),
        fix=on_pages(found.fix),
        waived=_waived(found, now),
        close_call=found.close_call,
        url=line.url,
        record=line.record,
        may_waive=lacking and may_waive,
        waive=tuple(sent.fill(one) for one in _waive(today)),
    )


def _waive(today: date) -> Iterator[Field]:
    """The fields of a waiver, whose proposed end is some weeks away."""
    help_ = f"At least {counted(waiver_log.SHORTEST_REASON, 'character')}. Shown in every report, with your name."
    yield Field("reason", "Reason", kind="prose", help=help_, longest=waiver_log.LONGEST_REASON)
    most = (today + timedelta(days=waiver_log.LONGEST_DAYS)).isoformat()
    until, least = (today + _WAIVED_FOR).isoformat(), today.isoformat()
    yield Field("until", "Until", until, "date", "It ends by itself then.", least=least, most=most)


def _waived(found: CheckFinding, now: datetime) -> str:
    waived = found.waived
    return f"By {waived.by}, until {day(waived.until, now.year)}: {waived.reason}" if waived is not None else ""


def _quoted(one: Evidence, project: ProjectView, now: datetime) -> Quoted:
    at = moment(one.at, project.time_zone, now) if one.at is not None else None
    return Quoted(sentence(one.source), one.quote, one.url if one.url.startswith("http") else "", one.by, at)


def _waiver(one: Mapping[str, object], *, may_revoke: bool) -> WaiverLine:
    check = str(one["check"])
    number = one["iteration"]
    states = {"holds": "in force", "over": "over", "revoked": f"taken back by {one['revoked_by']}"}
    return WaiverLine(
        check=f"{check} {CHECKS.get(check, '')}".strip(),
        iteration=f"Iteration {number}" if number is not None else "All iterations",
        by=str(one["by"]),
        reason=str(one["reason"]),
        until=day(date.fromisoformat(str(one["until"])), 0),
        state=states[str(one["state"])],
        id=str(one["id"]) if may_revoke and one["state"] == "holds" else "",
    )
