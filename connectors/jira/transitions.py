"""Starting and completing sprints, and bringing tickets to another status: each looks first, so that it may be sent
again, and says who can fix a refusal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import (
    CredentialsRefused,
    FieldProblem,
    ItemRejected,
    NotVisible,
    PermissionMissing,
    TrackerError,
    TrackerRefused,
    problems_of,
)
from connectors.jira.client import AGILE, JiraClient, segment
from connectors.jira.fetch import Fetcher
from connectors.jira.layout import Layout
from connectors.jira.mapping import fields_of, sprint_body, sprint_ref, sprint_state, status_of
from connectors.jira.removal import is_gone
from connectors.values import Done, Item, ItemKey, Outcome, Rejected, RemoteRef

_MANAGER = 'Somebody with the "Manage sprints" permission'


class Turner:
    """Starts and completes the sprints of one project, and brings its tickets through their workflow."""

    def __init__(self, client: JiraClient) -> None:
        self._client = client
        self._fetcher = Fetcher(client)

    def start(self, layout: Layout, item: Item, ref: RemoteRef) -> None:
        """See `Tracker.start_iteration`. A sprint that is active already keeps the dates it has."""
        sprint = self._sprint(layout, ref)
        name, state = sprint_ref(layout, sprint).key, sprint_state(sprint)
        if state == "active":
            return
        if state == "closed":
            raise TrackerRefused(
                f'The sprint "{name}" was completed already, so it cannot be started.',
                fix=f"{_MANAGER} reopens it in Jira (Reports, Sprint report, Reopen sprint).",
            )
        # Dates that the sprint has are as we wrote them in a change of their own, or people's.
        lacking = [name for name, field in (("starts", "startDate"), ("ends", "endDate")) if not sprint.get(field)]
        body = {**sprint_body(item, lacking), "state": "active"}
        try:
            self._write(layout, ref, body, "started")
        except ItemRejected as error:
            active = {str(one["id"]): one for one in self._fetcher.sprints(layout, "active")}
            if ref.id not in active:  # nobody else started it at that moment
                names = [sprint_ref(layout, one).key for one in active.values()]
                raise self._not_started(layout, name, names, error) from error

    def close(self, layout: Layout, item: Item, ref: RemoteRef) -> None:
        """See `Tracker.close_iteration`."""
        sprint = self._sprint(layout, ref)
        name, state = sprint_ref(layout, sprint).key, sprint_state(sprint)
        if state == "closed":
            return
        if state != "active":
            raise TrackerRefused(
                f'The sprint "{name}" was never started, so it cannot be completed.',
                fix=f"{_MANAGER} starts it on the board, {layout.board_url}, or deletes it.",
            )
        try:
            self._write(layout, ref, {"state": "closed"}, "completed")
        except ItemRejected as error:
            if sprint_state(self._sprint(layout, ref)) == "closed":  # somebody else completed it at that moment
                return
            raise TrackerRefused(
                f'Jira at {self._client.host} did not complete the sprint "{name}": {_said(error)}',
                fix=f"{_MANAGER} completes it on the board, {layout.board_url}, which shows what blocks it.",
                request=error.request,
                status=error.status,
            ) from error

    def set_status(self, key: ItemKey, ref: RemoteRef, status: str) -> Outcome:
        """See `Tracker.set_status`, for one ticket. A status counts as what its category says."""
        path = f"issue/{segment(ref.id)}"
        try:
            issue = self._client.get_object(path, {"fields": "status", "expand": "transitions"})
            stands = fields_of(issue).get("status")
            if status_of(stands) == status:
                return Done(key, ref)
            way = _way(issue.get("transitions"), status)
            if way is None:
                return Rejected(key, (FieldProblem("status", _no_way(stands, status)),))
            self._client.write("POST", f"{path}/transitions", {"transition": {"id": way}}, empty=True)
        except CredentialsRefused:
            raise
        except TrackerRefused as error:
            return Rejected(key, problems_of(error))
        return Done(key, ref)

    def _sprint(self, layout: Layout, ref: RemoteRef) -> dict[str, Any]:
        try:
            return self._client.get_object(f"sprint/{segment(ref.id)}", base=AGILE)
        except TrackerError as error:
            if is_gone(error):
                raise _gone(layout, ref, error) from error
            raise

    def _write(self, layout: Layout, ref: RemoteRef, body: dict[str, Any], done: str) -> None:
        """Change a sprint. POST is the partial update; PUT would empty what is not sent."""
        try:
            self._client.write("POST", f"sprint/{segment(ref.id)}", body, base=AGILE, empty=True)
        except PermissionMissing as error:
            raise PermissionMissing(
                f'The sprint "{ref.key}" could not be {done}: the connection\'s account lacks the "Manage sprints"'
                f" permission in project {layout.project_key}.",
                fix=f'An administrator of the project grants "Manage sprints" to that account, in {layout.project_key}'
                " and in every other project that the board shows.",
                request=error.request,
                status=error.status,
            ) from error
        except TrackerError as error:
            if is_gone(error):
                raise _gone(layout, ref, error) from error
            raise

    def _not_started(self, layout: Layout, name: str, active: Sequence[str], error: ItemRejected) -> TrackerRefused:
        """Why a sprint was not started: others are active, as far as the board shows; else in Jira's words."""
        if active:
            those = " and ".join(f'"{one}"' for one in active)
            verb = "is" if len(active) == 1 else "are"
            message = f'The sprint "{name}" cannot be started: {those} {verb} active on the same board.'
            fix = (
                f"{_MANAGER} completes {those} on the board, {layout.board_url}; or an administrator of the site"
                " allows parallel sprints."
            )
        else:
            message = f'Jira at {self._client.host} did not start the sprint "{name}": {_said(error)}'
            fix = f"{_MANAGER} starts it on the board, {layout.board_url}, which shows what blocks it."
        return TrackerRefused(message, fix=fix, request=error.request, status=error.status)


_CATEGORIES = {"todo": "To Do", "doing": "In Progress", "done": "Done"}
"""What Jira calls the categories of statuses."""


def _way(transitions: Any, status: str) -> str | None:
    """The transition to take: the first that leads there and asks for nothing, else the first that leads there."""
    leading = [
        one
        for one in (transitions if isinstance(transitions, list) else ())
        if isinstance(one, dict) and status_of(one.get("to")) == status and one.get("isAvailable") is not False
    ]
    return next((str(one["id"]) for one in sorted(leading, key=_asks_for_something)), None)


def _asks_for_something(transition: Mapping[str, Any]) -> bool:
    fields = transition.get("fields")
    asked = fields.values() if isinstance(fields, dict) else ()
    return any(isinstance(one, dict) and one.get("required") and not one.get("hasDefaultValue") for one in asked)


def _no_way(stands: Any, status: str) -> str:
    now = str(stands.get("name") or "its status") if isinstance(stands, dict) else "its status"
    return (
        f'no transition leads this account from "{now}" to a status of the category {_CATEGORIES[status]}: the workflow'
        ' has none, or the account lacks the "Transition issues" permission'
    )


def _said(error: ItemRejected) -> str:
    return "; ".join(map(str, error.problems))


def _gone(layout: Layout, ref: RemoteRef, error: TrackerError) -> NotVisible:
    return NotVisible(
        f'The sprint "{ref.key}" is gone from project {layout.project_key}, or the connection\'s account may not see'
        " it.",
        fix="If nobody deleted it, an administrator of the project lets that account see the board and all it shows.",
        request=error.request,
        status=error.status,
    )
