"""Commands that do something about runs: cancel, retry, resume, clean."""

from __future__ import annotations

from collections.abc import Callable

from service.cli.runs import Named, how_to_go_on, report, runs
from service.cli.shell import AsJson, opened, out, print_json, who
from service.cli.work import carry_out
from service.context import Context
from service.store import loops
from service.store import runs as stored
from service.store.tables import RunRow
from service.usecases import cleaning, continuing, running
from service.usecases.applying import Enqueue

__all__ = ["runs"]  # the group, with the commands of both modules in it


@runs.command("cancel")
def cancel_run(run: Named, as_json: AsJson = False) -> None:
    """Cancel a run: at once if it is queued or waits, else after the step it is in. What it wrote stays."""
    with opened() as context:
        asked = continuing.cancel(context, running.find(context, run), who())
        if asked.state in stored.ENDED:
            found = running.progress(context, asked.id)
        else:
            found = carry_out(context, lambda _enqueue: asked)  # the step that it is in may take a while
    if as_json:
        print_json(running.run_json(found))
    elif found.run.state == stored.CANCELLED and found.run.kind in loops.KINDS:
        out.print("Cancelled. What was written stays.")
        for line in how_to_go_on(found):
            out.print(line)
    elif found.run.state == stored.CANCELLED:
        out.print(f"Cancelled. What was written stays. Go on with it: phaseloop runs resume {asked.id}")
    else:
        out.print(f"The run had ended before it could be cancelled: it is {found.run.state}.")


@runs.command("retry")
def retry_run(run: Named, as_json: AsJson = False) -> None:
    """Do again what a run could not do, and follow it: what is missing is made, what was refused is sent again."""
    _go_on(run, continuing.retry, as_json=as_json)


@runs.command("resume")
def resume_run(run: Named, as_json: AsJson = False) -> None:
    """Go on with a cancelled run, or have one that waits look again now; and follow it."""
    _go_on(run, continuing.resume, as_json=as_json)


def _go_on(given: str, start: Callable[[Context, str, str, Enqueue], RunRow], *, as_json: bool) -> None:
    with opened() as context:
        before = running.progress(context, running.find(context, given))
        if before.run.state == stored.COMPLETED:
            found = before
        else:
            found = carry_out(context, lambda enqueue: start(context, before.run.id, who(), enqueue))
    if not as_json and found.run.finished_at is not None and before.run.state in stored.ENDED:
        if found.run.id == before.run.id:
            out.print("There is nothing to do: this run has completed.")
        elif before.continued_by is not None:
            out.print(f"This run was taken up before, by {found.run.id}, which ended so:")
    report(found, as_json=as_json)


@runs.command("clean")
def clean_runs(as_json: AsJson = False) -> None:
    """Clean up after old runs now: their steps, plans that nothing needs any more. The service does so daily."""
    with opened() as context:
        cleaned = cleaning.clean(context)
    if as_json:
        print_json(cleaned)
        return
    out.print(", ".join(f"{count} {what}" for what, count in cleaned.items()) + " cleaned up.")
