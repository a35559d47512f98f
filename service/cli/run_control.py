"""Commands that do something about runs: cancel, retry, resume, clean."""

from __future__ import annotations

from collections.abc import Callable

from service.cli.execution import carry_out
from service.cli.runs import Named, how_to_go_on, report, runs
from service.cli.shell import AsJson, opened, out, print_json, who
from service.context import Context
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.usecases.queue import Enqueue
from service.usecases.run import cleanup, run_control, run_views
from service.views.run import RunView

__all__ = ["runs"]  # the group, with the commands of both modules in it


@runs.command("cancel")
def cancel_run(run: Named, as_json: AsJson = False) -> None:
    """Cancel a run: at once if it is queued or waits, else after the step it is in. What it wrote stays."""
    with opened() as context:
        asked = run_control.cancel(context, run_views.find(context, run), who())
        if asked.state in run_state.ENDED:
            found = run_views.progress(context, asked.id)
        else:
            found = carry_out(context, lambda _enqueue: asked)  # the step that it is in may take a while
    if as_json:
        print_json(run_views.run_json(found))
    elif found.run.state == run_state.CANCELLED and found.run.kind in loop_state.KINDS:
        out.print("Cancelled. What was written stays.")
        for line in how_to_go_on(found):
            out.print(line)
    elif found.run.state == run_state.CANCELLED:
        out.print(f"Cancelled. What was written stays. Continue with it: phaseloop runs resume {asked.id}")
    else:
        out.print(f"The run had ended before it could be cancelled: it is {found.run.state}.")


@runs.command("retry")
def retry_run(run: Named, as_json: AsJson = False) -> None:
    """Do again what a run could not do, and follow it: what is missing is made, what was refused is sent again."""
    _go_on(run, run_control.retry, as_json=as_json)


@runs.command("resume")
def resume_run(run: Named, as_json: AsJson = False) -> None:
    """Continue with a cancelled run, or have one that waits look again now; and follow it."""
    _go_on(run, run_control.resume, as_json=as_json)


def _go_on(given: str, start: Callable[[Context, str, str, Enqueue], RunView], *, as_json: bool) -> None:
    with opened() as context:
        before = run_views.progress(context, run_views.find(context, given))
        if before.run.state == run_state.COMPLETED:
            found = before
        else:
            found = carry_out(context, lambda enqueue: start(context, before.run.id, who(), enqueue))
    if not as_json and found.run.finished_at is not None and before.run.state in run_state.ENDED:
        if found.run.id == before.run.id:
            out.print("There is nothing to do: this run has completed.")
        elif before.continued_by is not None:
            out.print(f"This run was continued before, by {found.run.id}, which ended so:")
    report(found, as_json=as_json)


@runs.command("clean")
def clean_runs(as_json: AsJson = False) -> None:
    """Clean up after old runs now: their steps, plans that nothing needs any more. The service does so daily."""
    with opened() as context:
        cleaned = cleanup.clean(context)
    if as_json:
        print_json(cleaned)
        return
    out.print(", ".join(f"{count} {what}" for what, count in cleaned.items()) + " cleaned up.")
