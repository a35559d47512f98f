"""The commands around what an audit proves and tells: binders and their verification, keys, decisions, measures."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from service.cli.audit_show import one_line
from service.cli.past_projects import NamedPast, to_read
from service.cli.shell import AsJson, Exit, err, fail, misused, opened, out, print_json
from service.cli.words import clock_words
from service.domain.commands import typed
from service.domain.english import counted
from service.usecases.audit import audit_reports
from service.usecases.audit.audit_reports import Proof

if TYPE_CHECKING:
    from service.domain.audit.binder_check import Verified
    from service.domain.audit.decisions import LoggedDecision
    from service.domain.audit.metrics import Series

# Binders, decisions and measures are loaded by the commands that need them: the others start faster.

_ENDINGS = {".html": "html", ".htm": "html", ".json": "json"}
_FORMATS = ("html", "json")
STREAM = Path("-")
"""Standard output as a file, or standard input."""

Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]


# --- binders ----------------------------------------------------------------------------------------------------------


def export(
    project: NamedPast,
    iteration: Annotated[int | None, typer.Option(min=1, help="Only this iteration; all if left out.")] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="html or json [default: by the file's ending, else html].")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="The file to write; - is standard output [default: named after the project]."),
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write the binder: one signed file with verdicts, evidence, figures, decisions and measures, which opens in any
    browser and is verified offline by `audit verify`. From our own records; nothing is read remotely.
    """
    from service.binder import file as binder_file
    from service.domain.audit.binder import fingerprint
    from service.usecases.audit import binder_export

    chosen = form or (_ENDINGS.get(output.suffix.casefold(), "html") if output is not None else "html")
    if chosen not in _FORMATS:
        misused(f"{chosen!r} is no format of a binder.", f"One of {', '.join(_FORMATS)}.")
    if as_json and output == STREAM:
        misused("--json and --output - exclude one another.", "Give a file.")
    with opened() as context:
        row = to_read(context, project)
        target = output or Path(_file_name(row.key, iteration, chosen))
        free(target, force=force)
        with err.status("Putting the binder together") if err.is_terminal else nullcontext():
            data = binder_export.make(context, row.id, iteration, binder_export.Format(chosen))
    if target == STREAM:
        sys.stdout.buffer.write(data)
        return
    write(target, data, force=force)
    mark = fingerprint(binder_file.opened(data).value["seal"]["public"])
    if as_json:
        digest = hashlib.sha256(data).hexdigest()
        print_json({"file": str(target), "bytes": len(data), "sha256": digest, "fingerprint": mark})
        return
    out.print(f"Written to {one_line(target)} ({_size(len(data))}).")
    out.print(f"Signed by {mark}")
    out.print(f"To verify it, anywhere: phaseloop audit verify {typed(one_line(target))} --signer {typed(mark)}")


def verify(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A binder, HTML or JSON; - reads standard input.")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--signer", help="The fingerprint or public key of who should have signed it.")
    ] = None,
    project: Annotated[
        str | None,
        typer.Option(help="Verify a project's evidence in our own records instead, and compute every audit again."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify a binder from the file alone: signature, chain of evidence, every verdict computed again. Needs no
    server, no database and no settings. With --project, verify the evidence that is kept here.

    Exit code 0: nothing is wrong. 1: it was changed, is signed by another key, or cannot be read.
    """
    if (file is None) == (project is None):
        misused("Name a FILE, or a project with --project.", "phaseloop audit verify ml.html")
    if project is not None:
        if key is not None:
            misused("--signer goes with a FILE.")
        _verify_project(project, as_json=as_json)
    elif file is not None:
        _verify_file(file, key, as_json=as_json)


def _verify_file(file: Path, key: str | None, *, as_json: bool) -> None:
    from service.verification import verify_file

    try:
        data = sys.stdin.buffer.read() if file == STREAM else file.read_bytes()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}.", "Name a binder, as `phaseloop audit export` writes one.")
    try:
        with err.status("Verifying") if err.is_terminal else nullcontext():
            found = verify_file(data, key)
    except ValueError as error:
        fail(str(error))
    if as_json:
        print_json(found.to_json())
    else:
        for line in _verified_lines(found):
            out.print(line)
    if not found.ok:
        raise typer.Exit(Exit.ERROR)


def _verified_lines(found: Verified) -> Iterator[str]:
    if found.mismatches:
        yield f"[bold red]Refused[/]: {counted(len(found.mismatches), 'thing')} wrong with this file."
        yield from (f"  [bold]{one_line(one.place)}[/]: {one_line(one.text)}" for one in found.mismatches)
    elif not found.ok:
        yield "[bold red]Refused[/]: it is signed by another key than the one that was given."
    else:
        yield "[green]Good[/]: nothing was changed since it was signed, and every verdict follows from the evidence."
    if found.project:
        of = f"iteration {found.iteration}" if found.iteration is not None else counted(found.iterations, "iteration")
        made = f", made on {clock_words(found.made_at)}" if found.made_at is not None else ""
        said = "It says it is" if found.mismatches else "It is"
        entries = counted(found.entries, "entry", "entries")
        yield f"{said} the binder of {one_line(found.project)}, {of}, {entries} of evidence{made}."
    if found.fingerprint:
        yield f"Signed by {one_line(found.fingerprint)}" if not found.mismatches else f"Key: {found.fingerprint}"
    yield from (one_line(note) for note in found.notes)


def _verify_project(project: str, *, as_json: bool) -> None:
    with opened() as context, err.status("Verifying") if err.is_terminal else nullcontext():
        found = audit_reports.verify(context, to_read(context, project).id)
    if as_json:
        print_json(audit_reports.proof_json(found))
    else:
        for line in proof_lines(found):
            out.print(line)
    if not found.ok:
        raise typer.Exit(Exit.ERROR)


def proof_lines(found: Proof) -> Iterator[str]:
    """Whether the evidence is whole and bears the audits out, and what is wrong otherwise."""
    if found.ok:
        again = "the one audit comes" if found.audits == 1 else f"all {counted(found.audits, 'audit')} come"
        same = f"{again} out the same" if found.audits else "no audit to compare yet"
        yield f"[green]Good[/]: the chain of {counted(found.entries, 'entry', 'entries')} is whole, and {same}."
    else:
        yield "[bold red]The evidence does not bear this out[/]:"
        yield from (f"  {one_line(each)}" for each in (*found.breaks, *found.differences))
    if found.head:
        yield f"[dim]Last entry: {found.head}[/]"


def key(
    renew: Annotated[
        bool, typer.Option("--renew", help="Make a new key that signs from now on; the former ones stay verifiable.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the key that binders are signed with: its fingerprint is what others compare, so publish it. Makes one if
    there is none.
    """
    from service.usecases.audit import binder_export

    with opened() as context:
        if renew:
            binder_export.renew(context)
        found = binder_export.signers(context)
    if as_json:
        print_json(
            [{"fingerprint": one.fingerprint, "public": one.public, "created_at": one.created_at} for one in found]
        )
        return
    now, *former = found
    out.print(f"Fingerprint  {now.fingerprint}")
    out.print(f"Public key   {now.public}  [dim](Ed25519)[/]")
    out.print(f"Since        {clock_words(now.created_at)}")
    for one in former:
        out.print(f"Before       {one.fingerprint}  [dim]since {clock_words(one.created_at)}[/]")


# --- how the model evolved --------------------------------------------------------------------------------------------


def decisions(
    project: NamedPast,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORDS...]", help="What they are about: why did we drop B; all if left out."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what was decided over all iterations, why, and what was turned down, in the order of time; with words those
    that they are about, the best first. From the evidence: reads no tracker.
    """
    from service.usecases.audit import evolution

    question = " ".join(words or [])
    with opened() as context:
        row = to_read(context, project)
        found = evolution.decisions(context, row.id, question)
    if as_json:
        print_json([evolution.decision_json(one) for one in found])
        return
    if not found:
        about = f' about "{one_line(question)}"' if question.strip() else ""
        out.print(f"No record of {one_line(row.key)} that was read tells of a decision{about}.")
    for number, one in enumerate(found):
        if number:
            out.print()
        for line in _decision_lines(one, ZoneInfo(row.time_zone)):
            out.print(line)


def _decision_lines(one: LoggedDecision, zone: ZoneInfo) -> Iterator[str]:
    at = f", {one.at.astimezone(zone):%Y-%m-%d}" if one.at is not None else ""
    by = f", {one_line(one.by)}" if one.by else ""
    yield f"[bold]{one.iteration} {one_line(one.title)}[/] [dim]({one_line(one.phase)}{at}{by})[/]"
    yield f"  {one_line(one.text)}"
    if one.reason:
        yield f"    [dim]why:[/]        {one_line(one.reason)}"
    if one.alternative:
        yield f"    [dim]instead of:[/] {one_line(one.alternative)}"
    for link in one.links:
        title = f" [dim]({one_line(link.text)})[/]" if link.text and link.text != link.url else ""
        yield f"    [dim]link:[/]       {one_line(link.url)}{title}"
    if one.record:
        yield f"    [dim]record:[/]     {one_line(one.record)}"


def metrics(
    project: NamedPast,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A measure; all if left out.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Write the measure as a picture (SVG) to this file.")] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Show the measures that records report, by iteration. From the evidence: reads no tracker."""
    from service.usecases.audit import evolution

    if svg is not None and name is None:
        misused(
            "--svg needs the NAME of a measure.", f"`phaseloop audit metrics {typed(project)}` names those there are."
        )
    with opened() as context:
        row = to_read(context, project)
        found = [evolution.measure(context, row.id, name)] if name is not None else evolution.measures(context, row.id)
    if svg is not None:
        free(svg, force=force)
        picture = evolution.picture(found[0])
        if svg == STREAM:
            sys.stdout.write(picture)
            return
        write(svg, picture.encode("utf-8"), force=force)
        if not as_json:
            out.print(f"Written to {one_line(svg)}.")
            return
    if as_json:
        shown = [evolution.measure_json(one) for one in found]
        print_json(shown[0] if name is not None else shown)
    elif not found:
        out.print(f"No record of {one_line(row.key)} that was read reports a measure yet.")
    elif name is not None:
        out.print(_points(found[0]))
    else:
        out.print(_measures(found))


def _measures(found: Sequence[Series]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("Measure", overflow="fold")
    table.add_column("Target", justify="right", no_wrap=True)
    table.add_column("By iteration", overflow="fold")
    for one in found:
        target = next((point.target for point in reversed(one.points) if point.target is not None), None)
        by_iteration = "  ".join(f"[dim]{point.iteration}:[/]{_value(point.value, one.unit)}" for point in one.points)
        table.add_row(one_line(one.name), _value(target, one.unit) if target is not None else "", by_iteration)
    return table


def _points(one: Series) -> Table:
    targets = any(point.target is not None for point in one.points)
    heads = ("Iteration", "Title", "Value", *(["Target"] if targets else []))
    table = Table(box=None, pad_edge=False, title=one_line(one.name), title_justify="left", title_style="bold")
    for head in heads:
        table.add_column(head, justify="left" if head == "Title" else "right", no_wrap=head != "Title", overflow="fold")
    for point in one.points:
        target = [_value(point.target, one.unit) if point.target is not None else ""] if targets else []
        table.add_row(str(point.iteration), one_line(point.title), _value(point.value, one.unit), *target)
    return table


def _value(value: float, unit: str) -> str:
    return f"{value:g}{' ' if unit not in ('', '%') else ''}{one_line(unit)}"


# --- files ------------------------------------------------------------------------------------------------------------


def free(file: Path, *, force: bool) -> None:
    """Leave with a word if the file is there, unless it may be written over."""
    if file != STREAM and not force and file.exists():
        fail(f"{file} is there already.", "Name another file, or write over it with --force.")


def write(file: Path, data: bytes, *, force: bool) -> None:
    """Write the file; one that came to be there meanwhile is not written over unless it may be."""
    try:
        with file.open("wb" if force else "xb") as target:
            target.write(data)
    except FileExistsError:
        free(file, force=False)
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}.", "Name a file in a folder that is there.")


def _file_name(key: str, iteration: int | None, form: str) -> str:
    """The binder's file where none is named: the project's key as files may be called, and the iteration."""
    name = re.sub(r"[^\w-]+", "-", key).strip("-")[:80] or "project"
    return f"{name}{f'-{iteration}' if iteration is not None else ''}.{form}"


def _size(count: int) -> str:
    return f"{count / 1024:.0f} kB" if count < 1 << 20 else f"{count / (1 << 20):.1f} MB"
