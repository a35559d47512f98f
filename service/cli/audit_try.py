"""`phaseloop audit try`: judge text files without a project, for those who write them and for hooks before a commit."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import service.templates as template_files
from service.cli.audit_show import FAILING, VERDICTS, Worst, one_line, sign
from service.cli.shell import AsJson, Exit, fail, out, print_json, told

if TYPE_CHECKING:
    from service.domain.problems import Problem
    from service.usecases.audit_trial import Trial

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

    Needs no project, no tracker and no network. What is unclear fails nothing.
    """
    from service.domain.problems import InvalidInput
    from service.domain.reading import read_template
    from service.usecases import audit_trial

    with told():
        text = template_files.load(template)
        rules = audit_trial.rules_of(read_template(text.text, text.source), phase)
        trials: list[Trial] = []
        wrong: list[Problem] = []
        for name in files:
            try:
                trials.append(audit_trial.judge_file(name, _content(name), rules))
            except InvalidInput as error:
                wrong += error.problems
        if wrong:
            raise InvalidInput(wrong)
    if as_json:
        print_json(audit_trial.trials_json(trials))
    else:
        for line in _lines(trials):
            out.print(line)
    if fail_on is not None and any(one.verdict in FAILING[fail_on] for one in trials):
        raise typer.Exit(Exit.FOUND)


def _content(name: str) -> bytes:
    if name == STREAM:
        return sys.stdin.buffer.read()
    path = Path(name)
    try:
        return path.read_bytes()
    except OSError as error:
        fail(
            f"{name} cannot be read: {error.strerror or error}.",
            "Give the path of a text file, or - for standard input.",
        )


def _lines(trials: list[Trial]) -> Iterator[str]:
    for number, one in enumerate(trials):
        if number:
            yield ""
        yield f"[bold]{one_line(one.file)}[/]: [{VERDICTS[one.verdict]}]{one.verdict.value}[/], score {one.score}"
        for finding in one.findings:
            sure = "" if finding.confidence is None else f" [dim]{finding.confidence:.0%}[/]"
            yield f"  {sign(finding)} {finding.check.value}{sure} {one_line(finding.reason)}"
            quote = next((piece.quote for piece in finding.evidence if piece.quote), "")
            if quote:
                yield f'      [dim]"{one_line(quote)}"[/]'
            if finding.fix:
                yield f"      {one_line(finding.fix)}"
    if trials and not trials[0].by:
        from service.opinion.heads import absent

        yield f"\n[dim]{one_line(absent())}[/]"
