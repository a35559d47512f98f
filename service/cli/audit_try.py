"""`phaseloop audit try`: judge text files without a project, for those who write them and for hooks before a commit."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import service.templates as template_files
from service.cli.audit_show import FAILING, VERDICTS, Worst, close_call, one_line, sign
from service.cli.shell import AsJson, Exit, out, print_json, told

if TYPE_CHECKING:
    from service.usecases.audit.audit_trial import Trial, Untried

STREAM = "-"
"""Standard input as a file."""


def try_files(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Markdown, Jira wiki or ADF (JSON); - is standard input.")
    ],
    phase: Annotated[
        str | None,
        typer.Option(help="The phase whose rules hold [default: everything is asked for that any phase asks for]."),
    ] = None,
    template: Annotated[
        str, typer.Option(help="A built-in template's name, or a file: whose headings and weights hold.")
    ] = "iterative-ml",
    fail_on: Annotated[
        Worst | None, typer.Option("--fail-on", help="Exit with 3 if a file is that or worse.", case_sensitive=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Judge texts as if they were records: what each check of the text says, how sure it is, what decided, and a fix.

    Needs no project, no tracker and no network. What is unclear fails nothing. A file that cannot be read or is no text
    is named, the others are judged, and the exit code is 1.
    """
    from service.domain.problems import InvalidInput
    from service.domain.template.reader import read_template
    from service.usecases.audit import audit_trial

    with told():
        text = template_files.load(template)
        rules = audit_trial.rules_of(read_template(text.text, text.source), phase)
    tried: list[Trial | Untried] = []
    for name in files:
        try:
            tried.append(audit_trial.judge_file(name, _content(name), rules))
        except InvalidInput as error:
            tried.append(audit_trial.Untried(name, error.problems))
    trials = [one for one in tried if isinstance(one, audit_trial.Trial)]
    if as_json:
        print_json(audit_trial.trials_json(tried))
    else:
        for line in _lines(trials):
            out.print(line)
    if wrong := [problem for one in tried if isinstance(one, audit_trial.Untried) for problem in one.problems]:
        with told():
            raise InvalidInput(wrong)
    if fail_on is not None and any(one.verdict in FAILING[fail_on] for one in trials):
        raise typer.Exit(Exit.FOUND)


def _content(name: str) -> bytes:
    """What stands in a file, or comes from standard input. Raises InvalidInput where it cannot be read."""
    from service.domain.problems import InvalidInput, Problem

    if name == STREAM:
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        said = f"it cannot be read: {error.strerror or error}"
        fix = "give the path of a text file, or - for standard input"
        raise InvalidInput([Problem(name, None, "", said, fix)]) from None


def _lines(trials: list[Trial]) -> Iterator[str]:
    for number, one in enumerate(trials):
        if number:
            yield ""
        yield f"[bold]{one_line(one.file)}[/]: [{VERDICTS[one.verdict]}]{one.verdict.value}[/], score {one.score}"
        for finding in one.findings:
            yield f"  {sign(finding)} {finding.check.value}{close_call(finding)} {one_line(finding.reason)}"
            quote = next((piece.quote for piece in finding.evidence if piece.quote), "")
            if quote:
                yield f'      [dim]"{one_line(quote)}"[/]'
            if finding.fix:
                yield f"      {one_line(finding.fix)}"
    if trials:
        from service.usecases.audit.audit_trial import NOT_LOOKED_AT

        named = ", ".join(check.value for check in NOT_LOOKED_AT)
        yield f"\n[dim]Not looked at, for they need a project: {named}.[/]"
    if trials and not trials[0].by:
        from service.opinion.heads import absent

        yield f"\n[dim]{one_line(absent())}[/]"
