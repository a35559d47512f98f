"""The commands around the audit of records: look now, report, waive, and what a project says of its audit."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

import service.templates as template_files
from service.cli import audit_files, audit_room, audit_show
from service.cli.advance import Named
from service.cli.audit_settings import set_audit
from service.cli.audit_show import FAILING, Worst, one_line
from service.cli.audit_try import try_files
from service.cli.execution import carry_out
from service.cli.past_projects import none_going_on, to_read
from service.cli.project_options import only_connection
from service.cli.runs import tell
from service.cli.shell import AsJson, Exit, again, err, fail, misused, nothing, opened, out, print_json, who
from service.cli.words import clock_words
from service.context import Context
from service.domain.audit.outcome import Audited, Verdict
from service.domain.commands import typed
from service.domain.english import counted
from service.domain.plan import run_state
from service.domain.problems import MISSING, InvalidInput, Problem
from service.usecases.audit import audit_reports, record_audit, record_upkeep, waiver_log
from service.usecases.audit.audit_reports import Line, Matrix, Proof
from service.usecases.errors import NotFound
from service.usecases.run import run_views
from service.usecases.setup import projects
from service.views.audit import WaiverView
from service.views.setup import ProjectView

audit = typer.Typer(help="Whether every iteration is documented, with evidence.", no_args_is_help=True)

PATIENCE = timedelta(seconds=5)
"""A look that has the tracker to wait for is not followed for longer than this."""


# --- run --------------------------------------------------------------------------------------------------------------


@audit.command("run")
def run(
    project: Named,
    iteration: Annotated[
        int | None,
        typer.Option(min=1, help="Look at this iteration only, settled or not; write nothing to the tracker."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look at the records now: keep what is seen, write in what is known, remind people of what is lacking. It is the
    run that the clock would start. Then show the matrix, as `audit report` does.

    Exit code 1 if the tracker could not be read: what was known before stays, and the run resumes automatically.
    """
    with opened() as context:
        if iteration is not None:
            _look_at(context, project, iteration, as_json=as_json)
            return
        ended = carry_out(
            context,
            lambda enqueue: record_upkeep.begin(context, project, who(), enqueue),
            enough=_Patience(context).is_over,
        )
        found = audit_reports.matrix(context, ended.project.id)
    done = ended.run.state == run_state.COMPLETED
    if as_json:
        print_json({"run": run_views.run_json(ended), **audit_reports.matrix_json(found)})
    else:
        _show(found)
        out.print()
        tell(ended)
    if not done:
        raise typer.Exit(Exit.ERROR)


class _Patience:
    """How long a run is followed that has the tracker to wait for."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._since: datetime | None = None

    def is_over(self, found: run_views.Progress) -> bool:
        """Whether the run is to wait for long, or waits again after it has waited for a while."""
        if found.run.state != run_state.WAITING:
            return False
        now = self._context.now()
        self._since = self._since or now
        return max(found.run.waiting_until or now, now) - self._since > PATIENCE


def _look_at(context: Context, project: str, number: int, *, as_json: bool) -> None:
    found = audit_reports.matrix(context, project)
    _line(found.lines, number, found.project.key)  # or there is none
    if not record_audit.run(context, found.project.id, [number]):
        fail(
            f"Iteration {number} of {one_line(found.project.key)} cannot be audited: its phase is not in the template."
        )
    found = audit_reports.matrix(context, found.project.id)
    line = _line(found.lines, number, found.project.key)
    if as_json:
        print_json(audit_reports.line_json(line))
        return
    _print(audit_show.iteration_lines(line, _zone(found.project)))


# --- report -----------------------------------------------------------------------------------------------------------


@audit.command("report")
def report(
    project: Annotated[
        str | None,
        typer.Argument(
            metavar="PROJECT",
            help="The project's key, name or id, also of one that has ended; all projects if left out.",
        ),
    ] = None,
    iteration: Annotated[
        int | None, typer.Option(min=1, help="All findings on this iteration, with their evidence.")
    ] = None,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Compute every audit again from the evidence, and compare.")
    ] = False,
    connection: Annotated[
        str | None,
        typer.Option(
            help="Connection of a project that never used phaseloop; with --existing [default: the only one]."
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--existing",
            metavar="PROJECT",
            help="Key or address of a project that never used phaseloop: it is read now, nothing is kept.",
        ),
    ] = None,
    template: Annotated[
        str | None, typer.Option(help="With --existing: the template whose rules count [default: iterative-ml].")
    ] = None,
    team: Annotated[str | None, typer.Option(help="With --existing: an imported team, to know who may sign.")] = None,
    time_zone: Annotated[str, typer.Option(help="With --existing: its IANA time zone, if the team has none.")] = "UTC",
    fail_on: Annotated[
        Worst | None, typer.Option(help="Exit with 3 if an iteration is that or worse.", case_sensitive=False)
    ] = None,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="The findings of a PROJECT as CSV, one line each, with stamp and digest.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show which iterations are documented: a project's iterations by checks, what is lacking and how to fix it, and
    the waivers; without a project, all projects. As last checked: reads no tracker, except with --existing.

    Exit code 1: an error, or with --recompute evidence that says otherwise. 3: --fail-on.
    """
    foreign = key is not None or connection is not None
    if foreign and (project is not None or recompute):
        misused(
            "--connection and --existing go without PROJECT and --recompute.", "Name one project, ours or another one."
        )
    if not foreign and project is None and (iteration is not None or recompute):
        misused(
            "--iteration and --recompute need a PROJECT.", "Name one; `phaseloop audit report` shows which there are."
        )
    if not foreign and (template is not None or team is not None):
        misused(
            "--template and --team go with --existing.", "The rules of our own projects are in their template and team."
        )
    if as_csv and (as_json or recompute or foreign or project is None):
        misused("--csv goes with PROJECT, and without --json and --recompute.", "phaseloop audit report ML --csv")
    with opened() as context:
        if as_csv and project is not None:
            verdicts, proof = _sheet(context, project, iteration), None
        elif foreign:
            verdicts = _survey(context, connection, key, template, team, time_zone, iteration, as_json=as_json)
            proof = None
        elif project is None:
            verdicts, proof = _portfolio(context, as_json=as_json), None
        else:
            verdicts, proof = _report(context, project, iteration, recompute=recompute, as_json=as_json)
    if proof is not None and not proof.ok:
        raise typer.Exit(Exit.ERROR)
    if fail_on is not None and any(verdict in FAILING[fail_on] for verdict in verdicts):
        raise typer.Exit(Exit.FOUND)


def _report(
    context: Context, project: str, number: int | None, *, recompute: bool, as_json: bool
) -> tuple[list[Verdict], Proof | None]:
    found = audit_reports.matrix(context, to_read(context, project).id)
    proof = None
    if recompute:
        again = audit_reports.recomputed(context, found.project.id)
        lines = tuple(replace(line, audited=again.get(line.number, _unread(line))) for line in found.lines)
        found, proof = replace(found, lines=lines), audit_reports.verify(context, found.project.id)
    shown = [_line(found.lines, number, found.project.key)] if number is not None else list(found.lines)
    if as_json:
        found = replace(found, lines=tuple(shown))
        more = {"proof": audit_reports.proof_json(proof)} if proof is not None else {}
        print_json({**audit_reports.matrix_json(found), **more})
    elif number is not None:
        _print(audit_show.iteration_lines(shown[0], _zone(found.project)))
    else:
        _show(found)
    if proof is not None and not as_json:
        out.print()
        _print(audit_files.proof_lines(proof))
    return _verdicts(shown), proof


def _sheet(context: Context, project: str, number: int | None) -> list[Verdict]:
    from service.usecases.audit.audit_sheet import findings_csv

    found = audit_reports.matrix(context, to_read(context, project).id)
    if number is not None:
        found = replace(found, lines=(_line(found.lines, number, found.project.key),))
    sys.stdout.write(findings_csv(found, context.now()))
    return _verdicts(list(found.lines))


def _unread(line: Line) -> Audited | None:
    """What is kept of an iteration of which nothing was ever read; it has no evidence to be computed from."""
    return line.audited if line.audited is not None and line.audited.verdict is Verdict.UNKNOWN else None


def _show(found: Matrix) -> None:
    """The matrix, what is lacking, and the waivers in force."""
    row, zone = found.project, _zone(found.project)
    looked = max((line.audited_at for line in found.lines if line.audited_at is not None), default=None)
    when = f", last checked on {_moment(looked, zone)}" if looked is not None else ""
    out.print(f"[bold]{one_line(row.key)}[/] ({one_line(row.name)}): gate {found.gate.value}{when}")
    if not found.lines:
        out.print("Nothing to be documented yet: its first iteration has not begun.")
    else:
        if summary := audit_show.summary_line(found.lines):
            out.print(f"[bold]{summary}[/]")
        out.print()
        out.print(audit_show.matrix_table(found.lines, out.width))
        _print(audit_show.lacking_lines(found.lines, zone))
        if any(line.audited is None and not line.trouble for line in found.lines):
            out.print(f"\nTo have the records looked at: phaseloop audit run {typed(one_line(row.key))}")
    _print(audit_show.waiver_lines(found.waivers, everything=False))


def _portfolio(context: Context, *, as_json: bool) -> list[Verdict]:
    found = audit_reports.portfolio(context)
    if as_json:
        print_json(audit_reports.portfolio_json(found))
    elif not found:
        nothing(none_going_on(context))
    else:
        out.print(audit_show.portfolio_table(found, out.width, ZoneInfo("UTC")))
    return [verdict for one in found for verdict, count in one.verdicts.items() if count]


def _survey(
    context: Context,
    connection: str | None,
    key: str | None,
    template: str | None,
    team: str | None,
    time_zone: str,
    number: int | None,
    *,
    as_json: bool,
) -> list[Verdict]:
    from service.usecases.audit import debt_survey

    if key is None:
        misused("--connection needs --existing.", "Give the key or the address of the project: --existing OLDML")
    with err.status("Reading the project") if err.is_terminal else nullcontext():
        found = debt_survey.survey(
            context,
            connection or only_connection(context),
            key,
            template=template_files.load(template) if template is not None else None,
            team=team,
            time_zone=time_zone,
        )
    lines = [debt_survey.line_of(one) for one in found.iterations]
    shown = [_line(lines, number, key)] if number is not None else lines
    if as_json:
        document = debt_survey.surveyed_json(found)
        chosen = [one for one in document["iterations"] if number in (None, one["number"])]
        print_json({**document, "iterations": chosen})
        return _verdicts(shown)
    zone = found.iterations[0].subject.at.tzinfo or UTC if found.iterations else UTC
    out.print(f"[bold]{one_line(found.key)}[/] ({one_line(found.title)}) by the rules of {one_line(found.template)}")
    out.print(f"{one_line(found.url)}  [dim]{counted(found.reads, 'request')}; nothing was written, nothing is kept[/]")
    if number is not None:
        out.print()
        _print(audit_show.iteration_lines(shown[0], zone))
    elif not lines:
        out.print("No iteration was found that has begun.")
    else:
        out.print()
        out.print(audit_show.matrix_table(lines, out.width))
        _print(audit_show.lacking_lines(lines, zone))
        told = [(one.audited.number, one.told_by) for one in found.iterations if one.told_by]
        out.print("\n[bold]Taken as records[/]" if told else "\nNo ticket looks like the record of an iteration.")
        _print(f"  iteration {which}: {one_line(why)}" for which, why in told)
    out.print("\n[bold]Assumed[/]")
    _print(f"  {one_line(each)}" for each in found.assumed)
    return _verdicts(shown)


# --- waive ------------------------------------------------------------------------------------------------------------


@audit.command("waive")
def waive(
    project: Named,
    check: Annotated[
        str | None, typer.Argument(metavar="CHECK", help="D01 to D15; left out to list the waivers.")
    ] = None,
    iteration: Annotated[int | None, typer.Option(min=1, help="For this iteration only; for all if left out.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is part of the evidence.")] = "",
    until: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="The last day on which it holds.")] = None,
    by: Annotated[
        str | None, typer.Option(help="Who answers for it, beside the name you are logged in by [default: you alone].")
    ] = None,
    revoke: Annotated[
        str | None, typer.Option(metavar="WAIVER", help="Take this waiver back: the check counts again.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let a check pass, for a reason and until a day. It is part of the evidence and shows in every report. Without a
    check, list the waivers, those that are over included.
    """
    with opened() as context:
        row = projects.get(context, project)
        today = context.now().astimezone(_zone(row)).date()
        if revoke is not None:
            if check is not None or until is not None:
                misused(
                    "--revoke goes without CHECK and --until.",
                    f"phaseloop audit waive {typed(project)} --revoke WAIVER",
                )
            chosen = _chosen(context, row, revoke)
            told = [waiver_log.revoke(context, chosen, by=_answering(by), reason=reason)]
        elif check is not None:
            told = [_waived(context, row, check.strip().upper(), iteration, _answering(by), reason, until)]
        elif iteration is not None or until is not None or reason:
            misused(
                "Which check is to be waived?",
                f"Name it, such as: {again('D09')}",
            )
        else:
            told = waiver_log.listed(context, row.id)
    found = [one.to_json(today) for one in told]
    alone = check is not None or revoke is not None
    if as_json:
        print_json(found[0] if alone else found)
    elif not found:
        out.print(f"{one_line(row.key)} has no waivers.")
    else:
        _print(list(audit_show.waiver_lines(found, everything=True))[2 if alone else 1 :])


def _answering(by: str | None) -> str:
    """Who lets a check pass: whoever does it is named in any case, whatever other name is given."""
    return who() if by is None else f"{by.strip()} (written down by {who()})" if by.strip() else ""


def _waived(
    context: Context, row: ProjectView, check: str, number: int | None, by: str, reason: str, until: str | None
) -> WaiverView:
    """The waiver that was asked for. Raises InvalidInput with everything that is wrong with it."""
    try:
        day = date.fromisoformat((until or "").strip())
    except ValueError:
        said = f"{until!r} is no day" if until else MISSING
        wrong = [Problem("waiver", None, "until", said, "give the last day on which it holds: --until 2027-01-31")]
        try:
            waiver_log.waive(context, row.id, check, number=number, by=by, reason=reason, until=date.max)  # is refused
        except InvalidInput as error:
            wrong = [*(problem for problem in error.problems if problem.path != "until"), *wrong]
        raise InvalidInput(wrong) from None
    return waiver_log.waive(context, row.id, check, number=number, by=by, reason=reason, until=day)


def _chosen(context: Context, row: ProjectView, given: str) -> str:
    """The id of the project's waiver that is meant, by its id or a unique prefix of it."""
    known: Sequence[WaiverView] = waiver_log.listed(context, row.id)
    found = [one.id for one in known if one.id == given] or [one.id for one in known if one.id.startswith(given)]
    if len(found) != 1 or not given:
        what = "waiver of that project" if not found else "single waiver of that project"
        raise NotFound(what, given, f"`phaseloop audit waive {typed(row.key)}` lists them.")
    return found[0]


# --- what several commands use ----------------------------------------------------------------------------------------


def _line(lines: Iterable[Line], number: int, key: str) -> Line:
    """The iteration of that number. Raises NotFound."""
    known = list(lines)
    for line in known:
        if line.number == number:
            return line
    has = f"{key} has iterations {known[0].number} to {known[-1].number}." if known else f"{key} has none yet."
    raise NotFound("iteration", str(number), has)


def _verdicts(lines: Iterable[Line]) -> list[Verdict]:
    return [line.audited.verdict for line in lines if line.audited is not None]


def _zone(row: ProjectView) -> ZoneInfo:
    return ZoneInfo(row.time_zone)


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return clock_words(at.astimezone(zone))


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        out.print(line)


# --- the others ------------------------------------------------------------------------------------------------------

audit.command("try")(try_files)
audit.command("set")(set_audit)
audit.command("sample")(audit_room.sample)
audit.command("ask")(audit_room.ask)
audit.command("questions")(audit_room.questions)
audit.command("verify")(audit_files.verify)
audit.command("export")(audit_files.export)
audit.command("decisions")(audit_files.decisions)
audit.command("metrics")(audit_files.metrics)
audit.command("key")(audit_files.key)
