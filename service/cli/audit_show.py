"""Audits as words for people: the matrix, what is lacking, findings with their evidence, all projects, waivers. What
people wrote is shown so that it can neither hide nor forge anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Any

from rich.markup import escape
from rich.table import Table

from service.cli.words import clock_words
from service.domain.audit.outcome import Audited, Check, CheckFinding, Clock, Evidence, Result, Verdict, Weight
from service.domain.audit.shown import visible
from service.domain.audit.summary import standing
from service.domain.audit.titles import TITLES
from service.usecases.audit.audit_reports import Line, Standing

WIDE = 120
"""From so many columns on, tables tell more."""


class Worst(StrEnum):
    """The verdict from which on a report is a failure."""

    PARTLY = "partly"
    UNDOCUMENTED = "undocumented"


FAILING = {
    Worst.PARTLY: (Verdict.PARTLY, Verdict.UNDOCUMENTED),
    Worst.UNDOCUMENTED: (Verdict.UNDOCUMENTED,),
}

VERDICTS = {
    Verdict.DOCUMENTED: "green",
    Verdict.PARTLY: "yellow",
    Verdict.UNDOCUMENTED: "bold red",
    Verdict.UNCLEAR: "blue",
    Verdict.PENDING: "cyan",
    Verdict.UNKNOWN: "magenta",
}
_FAILED = {Weight.CRITICAL: ("X", "bold red"), Weight.MAJOR: ("x", "red"), Weight.MINOR: ("-", "yellow")}
_SIGNS = {
    Result.PASS: ("✓", "green"),
    Result.UNCLEAR: ("~", "blue"),
    Result.WAIVED: ("w", "cyan"),
    Result.INCONCLUSIVE: ("?", "magenta"),
    Result.NOT_APPLICABLE: ("·", "dim"),
}
LEGEND = (
    "✓ passes   X fails (critical)   x fails (major)   - fails (minor)\n"
    "~ unclear, a person should look   w waived\n"
    "? could not be looked at   · does not apply or is off"
)


def one_line(text: object) -> str:
    """People's text as part of a line: without line ends, controls and overrides of direction, and no markup."""
    return escape(" ".join(visible(str(text)).split()))


def verdict_words(verdict: Verdict | None) -> str:
    """The verdict in its colour; of an iteration that was never looked at, that."""
    return f"[{VERDICTS[verdict]}]{verdict.value}[/]" if verdict is not None else "[magenta]not looked at[/]"


def sign(finding: CheckFinding) -> str:
    """The sign of a check's result; of one that failed it tells the weight."""
    of_weight = _FAILED.get(finding.weight, _SIGNS[Result.NOT_APPLICABLE])
    mark, style = of_weight if finding.result is Result.FAIL else _SIGNS[finding.result]
    return f"[{style}]{mark}[/]"


def close_call(finding: CheckFinding) -> str:
    """What is said of a text that passed or failed only just; nothing of all others."""
    return " [dim](close call)[/]" if finding.close_call else ""


# --- one project ------------------------------------------------------------------------------------------------------


def matrix_table(lines: Sequence[Line], width: int) -> Table:
    """Iterations by checks, one sign each. Within 80 columns; wider ones have titles and phases as well."""
    wide = width >= WIDE
    names = [check.value if wide else check.value[1:] for check in Check]
    table = Table(box=None, pad_edge=False)
    table.add_column("Iteration" if wide else "It.", justify="right", no_wrap=True)
    if wide:
        table.add_column("Title", overflow="fold", max_width=30)
        table.add_column("Phase", overflow="fold", max_width=16)
    for name in ("Verdict", "Clock", " ".join(names)):
        table.add_column(name, no_wrap=True)
    table.add_column("Score" if wide else "Sc.", justify="right", no_wrap=True)
    for line in lines:
        audited, about = line.audited, (one_line(line.title), one_line(line.phase)) if wide else ()
        verdict = verdict_words(audited.verdict if audited is not None else None)
        clock, score = (audited.clock.value, str(audited.score)) if audited is not None else ("", "")
        mark = "!" if line.trouble else ""
        table.add_row(f"{line.number}{mark}", *about, verdict, clock, _signs(audited, len(names[0])), score)
    columns = "" if wide else "Columns 01 to 15 are the checks D01 to D15; Sc. is the score, for trends.\n"
    failed = "\n! the last look failed; what is shown was found before" if any(line.trouble for line in lines) else ""
    table.caption, table.caption_justify = f"{columns}{LEGEND}{failed}", "left"
    return table


def _signs(audited: Audited | None, width: int) -> str:
    by_check = {one.check: one for one in audited.findings} if audited is not None else {}
    gap = " " * width
    return gap.join(sign(by_check[check]) if check in by_check else " " for check in Check)


def summary_line(lines: Iterable[Line]) -> str:
    """How the iterations stand, in a sentence; empty if none was looked at."""
    return standing([line.audited for line in lines if line.audited is not None])


def lacking_lines(lines: Iterable[Line], zone: tzinfo) -> Iterator[str]:
    """What is lacking by iteration, each with its reason and how to fix it, and where a look failed; of an iteration
    whose record is not due soon, the checks only."""
    for line in lines:
        audited = line.audited
        unread = audited is not None and audited.verdict is Verdict.UNKNOWN
        if audited is not None and not (audited.lacking or audited.unclear or line.trouble or unread):
            continue
        yield ""
        yield heading(line)
        yield from _trouble(line, zone)
        if audited is not None and audited.clock is Clock.UPCOMING and audited.lacking:
            # What nobody has had time for is no list of faults.
            checks = ", ".join(f"{one.check.value} {TITLES[one.check]}" for one in audited.lacking)
            yield f"  [dim]not due yet; to be met by then:[/] {checks}"
            continue
        for finding in audited.lacking if audited is not None else ():
            yield from _finding(finding, zone)
        if audited is not None and audited.unclear:
            yield "  [blue]for the signer to look at:[/]"
            for finding in audited.unclear:
                yield from _finding(finding, zone)
        if audited is not None and unread and not line.trouble:
            for finding in audited.findings:
                if finding.result is Result.INCONCLUSIVE and finding.weight in (Weight.CRITICAL, Weight.MAJOR):
                    yield from _finding(finding, zone)


def heading(line: Line) -> str:
    """An iteration, its verdict, and where its record is."""
    verdict = verdict_words(line.audited.verdict if line.audited is not None else None)
    clock = f", {line.audited.clock.value}" if line.audited is not None else ""
    where = " ".join(one_line(part) for part in (line.record, line.url) if part)
    return f"[bold]Iteration {line.number}[/] {one_line(line.title)}: {verdict}{clock}" + (
        f"  {where}" if where else ""
    )


def _trouble(line: Line, zone: tzinfo) -> Iterator[str]:
    if line.trouble:
        since = f" Last read {clock_words(line.audited_at.astimezone(zone))}." if line.audited_at is not None else ""
        yield f"  [magenta]could not be looked at:[/] {one_line(line.trouble)}{since}"


def _finding(finding: CheckFinding, zone: tzinfo) -> Iterator[str]:
    named = f"{finding.check.value} {TITLES[finding.check]}{close_call(finding)}"
    yield f"  {sign(finding)} {named}: {one_line(_on_the_clock(finding.reason, zone))}"
    if finding.fix:
        yield f"        {one_line(finding.fix)}"


_INSTANT = re.compile(r"(?<!\d)(\d{4}-\d\d-\d\d \d\d:\d\d) UTC([+-]\d\d:\d\d)?(?![\w:])")


def _on_the_clock(told: str, zone: tzinfo) -> str:
    """What a finding tells, with its instants written as everywhere else in a report: findings are evidence, and keep
    theirs by the offset."""

    def put(found: re.Match[str]) -> str:
        moment = datetime.fromisoformat(f"{found[1]}{found[2] or '+00:00'}")
        return clock_words(moment.astimezone(zone))

    return _INSTANT.sub(put, told)


def iteration_lines(line: Line, zone: tzinfo) -> Iterator[str]:
    """An iteration with all its findings, each with weight, reason, evidence and how to fix it."""
    yield heading(line)
    yield from _trouble(line, zone)
    audited = line.audited
    if audited is None:
        return
    looked = f", looked at {clock_words(line.audited_at.astimezone(zone))}" if line.audited_at is not None else ""
    yield f"  Phase {one_line(line.phase)}, score {audited.score}{looked}"
    if audited.changed_after_sign_off:
        yield "  [bold red]Changed after sign-off[/]"
    off = [finding.check.value for finding in audited.findings if finding.weight is Weight.OFF]
    for finding in audited.findings:
        if finding.weight is Weight.OFF:
            continue
        share = f", {finding.share:.0%}" if finding.share is not None else ""
        result = finding.result.value.replace("_", " ")
        yield ""
        yield (
            f"{sign(finding)} [bold]{finding.check.value} {TITLES[finding.check]}[/]: {result} "
            f"[dim]({finding.weight.value}{share})[/]{close_call(finding)}"
        )
        yield f"    {one_line(_on_the_clock(finding.reason, zone))}"
        yield from (f"    [dim]·[/] {evidence_words(one, zone)}" for one in finding.evidence)
        if finding.waived is not None:
            by, why = one_line(finding.waived.by), one_line(finding.waived.reason)
            was = f"; without it: {finding.was.value}" if finding.was is not None else ""
            yield f"    Waived by {by} until {finding.waived.until}: {why}{was}"
        if finding.fix and finding.result is not Result.PASS:
            yield f"    [yellow]Fix:[/] {one_line(finding.fix)}"
    if off:
        yield ""
        yield f"[dim]Off for this phase: {', '.join(off)}[/]"


def evidence_words(found: Evidence, zone: tzinfo) -> str:
    """What a finding rests on: where it was, what it says, who wrote it and when, and the digest of its text."""
    quote = f' "{one_line(found.quote)}"' if found.quote else ""
    by = f" by {one_line(found.by)}" if found.by else ""
    at = f" on {clock_words(found.at.astimezone(zone))}" if found.at is not None else ""
    url = f" {one_line(found.url)}" if found.url and found.url != found.quote else ""
    digest = f" [dim](sha256 {one_line(found.digest)[:12]})[/]" if found.digest else ""
    return f"{one_line(found.source)}:{quote}{by}{at}{url}{digest}"


def waiver_lines(waivers: Iterable[Mapping[str, Any]], *, everything: bool) -> Iterator[str]:
    """Waivers in force, with `everything` also those that are over or were taken back."""
    shown = [one for one in waivers if everything or one["state"] == "holds"]
    if shown:
        yield ""
        yield "[bold]Waivers[/]" if everything else "[bold]Waivers in force[/]"
    for one in shown:
        where = f"iteration {one['iteration']}" if one["iteration"] is not None else "all iterations"
        yield f"  {one['check']} for {where} until {one['until']}, by {one_line(one['by'])}: {one_line(one['reason'])}"
        state = "" if one["state"] == "holds" else f" [yellow]{one['state']}[/]"
        revoked = f" by {one_line(one['revoked_by'])}" if one["revoked_by"] else ""
        yield f"        [dim]{one['id']}[/]{state}{revoked}"


# --- all projects -----------------------------------------------------------------------------------------------------


def portfolio_table(found: Iterable[Standing], width: int, zone: tzinfo) -> Table:
    """All projects, one a line, in the order given. Within 80 columns; wider ones have names as well."""
    wide = width >= WIDE
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    table.add_column("Project", overflow="fold", min_width=7)
    if wide:
        table.add_column("Name", overflow="fold", max_width=30)
    table.add_column("Worst", no_wrap=True)
    for name in ("Iter.", "Doc.", "Partly", "Undoc.", "Uncl.", "Pend.", "Unkn.", "Late", "Score", "Waiv."):
        table.add_column(name, justify="right", no_wrap=True)
    if wide:
        table.add_column("Looked at (UTC)", no_wrap=True)
    for one in found:
        named = [one_line(one.name)] if wide else []
        counts = (str(one.verdicts.get(verdict, 0)) for verdict in _ORDER)
        score = f"{one.score:g}" if one.score is not None else ""
        looked = [_when(one.audited_at, zone)] if wide else []
        late = f"[bold red]{one.late}[/]" if one.late else "0"
        mark = "!" if one.troubles else ""
        cells = (verdict_words(one.worst), str(one.iterations), *counts, late, score, str(one.waivers), *looked)
        table.add_row(f"{one_line(one.key)}{mark}", *named, *cells)
    table.caption_justify = "left"
    table.caption = (
        "Iterations that began, and of these: documented, partly, undocumented, pending,\n"
        "unknown; late and not documented; mean score; waivers in force. ! a look failed"
    )
    return table


_ORDER = (Verdict.DOCUMENTED, Verdict.PARTLY, Verdict.UNDOCUMENTED, Verdict.UNCLEAR, Verdict.PENDING, Verdict.UNKNOWN)


def _when(moment: datetime | None, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" if moment is not None else ""
